package connect

import (
	"regexp"
	"strings"

	"google.golang.org/protobuf/proto"

	"millrace/errs"
	"millrace/plan"
	pb "millrace/proto/spark/connect"
	"millrace/sql"
	"millrace/types"
)

func keyOf(m proto.Message) string {
	data, _ := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	return string(data)
}

func (t *translator) exprs(list []*pb.Expression) ([]plan.Expr, error) {
	var out []plan.Expr
	for _, x := range list {
		e, err := t.expr(x)
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

func (t *translator) expr(x *pb.Expression) (plan.Expr, error) {
	if err := t.enter(); err != nil {
		return nil, err
	}
	defer t.leave()
	origin := originOf(x.GetCommon().GetOrigin())
	switch e := x.GetExprType().(type) {
	case nil:
		return nil, notSet("spark.connect.Expression", "EXPRTYPE_NOT_SET")
	case *pb.Expression_Literal_:
		l, err := literal(e.Literal)
		if err == nil {
			l.Origin = origin
		}
		return l, err
	case *pb.Expression_UnresolvedAttribute_:
		return t.attribute(e.UnresolvedAttribute, origin)
	case *pb.Expression_UnresolvedFunction_:
		return t.function(e.UnresolvedFunction, origin)
	case *pb.Expression_CallFunction:
		return t.callFunction(e.CallFunction, origin)
	case *pb.Expression_ExpressionString_:
		return t.parser().ParseExpression(e.ExpressionString.Expression)
	case *pb.Expression_UnresolvedStar_:
		return t.star(e.UnresolvedStar, origin)
	case *pb.Expression_UnresolvedRegex_:
		return t.regex(e.UnresolvedRegex, origin)
	case *pb.Expression_Alias_:
		return t.alias(e.Alias)
	case *pb.Expression_Cast_:
		return t.cast(e.Cast, origin)
	case *pb.Expression_SortOrder_:
		return t.sortOrder(e.SortOrder)
	case *pb.Expression_Window_:
		return t.window(e.Window)
	case *pb.Expression_LambdaFunction_:
		return t.lambda(e.LambdaFunction)
	case *pb.Expression_UnresolvedNamedLambdaVariable_:
		return &plan.UnresolvedAttribute{Parts: e.UnresolvedNamedLambdaVariable.NameParts, Origin: origin}, nil
	case *pb.Expression_UnresolvedExtractValue_:
		return t.extract(e.UnresolvedExtractValue, origin)
	case *pb.Expression_UpdateFields_:
		return t.updateFields(e.UpdateFields)
	case *pb.Expression_NamedArgumentExpression:
		v, err := t.expr(e.NamedArgumentExpression.Value)
		return &plan.NamedArg{Name: e.NamedArgumentExpression.Key, Value: v}, err
	case *pb.Expression_SubqueryExpression:
		return t.subquery(e.SubqueryExpression, origin)
	case *pb.Expression_CommonInlineUserDefinedFunction:
		return t.pythonCall(e.CommonInlineUserDefinedFunction, origin)
	}
	return nil, errs.Unsupportedf("The expression %s is not supported.", kindOf(x, "expr_type"))
}

func (t *translator) refer(id *int64) *int64 {
	if id != nil {
		t.used[*id] = true
	}
	return id
}

func (t *translator) attribute(a *pb.Expression_UnresolvedAttribute, origin *plan.Origin) (plan.Expr, error) {
	parts, err := attributeName(a.UnparsedIdentifier)
	return &plan.UnresolvedAttribute{Parts: parts, PlanID: t.refer(a.PlanId), Metadata: a.GetIsMetadataColumn(), Origin: origin}, err
}

func (t *translator) function(f *pb.Expression_UnresolvedFunction, origin *plan.Origin) (plan.Expr, error) {
	name := []string{f.FunctionName}
	if f.IsUserDefinedFunction {
		var err error
		if name, err = t.name(f.FunctionName); err != nil {
			return nil, err
		}
	}
	args, err := t.exprs(f.Arguments)
	return &plan.UnresolvedFunction{Name: name, Args: args, Distinct: f.IsDistinct, Origin: origin}, err
}

func (t *translator) callFunction(f *pb.CallFunction, origin *plan.Origin) (plan.Expr, error) {
	name, err := t.name(f.FunctionName)
	if err != nil {
		return nil, err
	}
	args, err := t.exprs(f.Arguments)
	return &plan.UnresolvedFunction{Name: name, Args: args, Origin: origin}, err
}

func (t *translator) star(s *pb.Expression_UnresolvedStar, origin *plan.Origin) (plan.Expr, error) {
	n := &plan.UnresolvedStar{PlanID: t.refer(s.PlanId), Origin: origin}
	if s.UnparsedTarget == nil {
		return n, nil
	}
	target, ok := strings.CutSuffix(*s.UnparsedTarget, ".*")
	if !ok {
		return nil, errs.Newf(errs.Invalid, "The target of a star must end with '.*', and %s does not.", *s.UnparsedTarget)
	}
	parts, err := attributeName(target)
	n.Target = parts
	return n, err
}

var (
	quotedRegex    = regexp.MustCompile("^`(.+)`$")
	qualifiedRegex = regexp.MustCompile("^`?(.+?)`?\\.`(.+)`$")
)

// regex: only a name in backticks is a regular expression.
func (t *translator) regex(r *pb.Expression_UnresolvedRegex, origin *plan.Origin) (plan.Expr, error) {
	id := t.refer(r.PlanId)
	if m := quotedRegex.FindStringSubmatch(r.ColName); m != nil {
		return &plan.UnresolvedRegex{Pattern: m[1], PlanID: id}, nil
	}
	if m := qualifiedRegex.FindStringSubmatch(r.ColName); m != nil {
		return &plan.UnresolvedRegex{Pattern: m[2], Target: []string{m[1]}, PlanID: id}, nil
	}
	parts, err := attributeName(r.ColName)
	return &plan.UnresolvedAttribute{Parts: parts, PlanID: id, Origin: origin}, err
}

func (t *translator) alias(a *pb.Expression_Alias) (*plan.Alias, error) {
	child, err := t.expr(a.Expr)
	return &plan.Alias{Child: child, Names: a.Name, Metadata: a.GetMetadata()}, err
}

var castModes = map[pb.Expression_Cast_EvalMode]plan.EvalMode{pb.Expression_Cast_EVAL_MODE_LEGACY: plan.ModeLegacy,
	pb.Expression_Cast_EVAL_MODE_ANSI: plan.ModeANSI, pb.Expression_Cast_EVAL_MODE_TRY: plan.ModeTry}

func (t *translator) cast(c *pb.Expression_Cast, origin *plan.Origin) (plan.Expr, error) {
	child, err := t.expr(c.Expr)
	if err != nil {
		return nil, err
	}
	n := &plan.Cast{Child: child, Mode: castModes[c.EvalMode], Origin: origin}
	switch to := c.CastToType.(type) {
	case *pb.Expression_Cast_Type:
		n.To, err = fromDataType(to.Type)
	case *pb.Expression_Cast_TypeStr:
		n.To, err = sql.ParseType(to.TypeStr)
	default:
		err = notSet("spark.connect.Expression.Cast", "CASTTOTYPE_NOT_SET")
	}
	return n, err
}

func (t *translator) sortOrders(list []*pb.Expression_SortOrder) ([]*plan.SortOrder, error) {
	var out []*plan.SortOrder
	for _, o := range list {
		s, err := t.sortOrder(o)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

func (t *translator) sortOrder(o *pb.Expression_SortOrder) (*plan.SortOrder, error) {
	child, err := t.expr(o.Child)
	n := &plan.SortOrder{Child: child, Desc: o.Direction == pb.Expression_SortOrder_SORT_DIRECTION_DESCENDING}
	switch o.NullOrdering {
	case pb.Expression_SortOrder_SORT_NULLS_FIRST:
		n.Nulls = plan.NullsFirst
	case pb.Expression_SortOrder_SORT_NULLS_LAST:
		n.Nulls = plan.NullsLast
	}
	return n, err
}

func (t *translator) window(w *pb.Expression_Window) (plan.Expr, error) {
	f, err := t.expr(w.WindowFunction)
	if err != nil {
		return nil, err
	}
	n := &plan.Window{Function: f}
	if n.Partition, err = t.exprs(w.PartitionSpec); err != nil {
		return nil, err
	}
	if n.Order, err = t.sortOrders(w.OrderSpec); err != nil || w.FrameSpec == nil {
		return n, err
	}
	n.Frame = &plan.Frame{Rows: w.FrameSpec.FrameType == pb.Expression_Window_WindowFrame_FRAME_TYPE_ROW}
	if n.Frame.Lower, err = t.bound(w.FrameSpec.Lower); err != nil {
		return nil, err
	}
	n.Frame.Upper, err = t.bound(w.FrameSpec.Upper)
	return n, err
}

func (t *translator) bound(b *pb.Expression_Window_WindowFrame_FrameBoundary) (plan.Bound, error) {
	switch b := b.GetBoundary().(type) {
	case *pb.Expression_Window_WindowFrame_FrameBoundary_CurrentRow:
		return plan.Bound{Current: true}, nil
	case *pb.Expression_Window_WindowFrame_FrameBoundary_Unbounded:
		return plan.Bound{Unbounded: true}, nil
	case *pb.Expression_Window_WindowFrame_FrameBoundary_Value:
		e, err := t.expr(b.Value)
		return plan.Bound{Offset: e}, err
	}
	return plan.Bound{}, notSet("spark.connect.Expression.Window.WindowFrame.FrameBoundary", "BOUNDARY_NOT_SET")
}

func (t *translator) lambda(l *pb.Expression_LambdaFunction) (plan.Expr, error) {
	n := &plan.Lambda{}
	for _, a := range l.Arguments {
		n.Params = append(n.Params, &plan.LambdaVar{Name: strings.Join(a.NameParts, ".")})
	}
	body, err := t.expr(l.Function)
	n.Body = body
	return n, err
}

func (t *translator) extract(x *pb.Expression_UnresolvedExtractValue, origin *plan.Origin) (plan.Expr, error) {
	args, err := t.exprs([]*pb.Expression{x.Child, x.Extraction})
	return &plan.UnresolvedFunction{Name: []string{"[]"}, Args: args, Origin: origin}, err
}

func (t *translator) updateFields(u *pb.Expression_UpdateFields) (plan.Expr, error) {
	s, err := t.expr(u.StructExpression)
	if err != nil {
		return nil, err
	}
	n := &plan.UpdateFields{Struct: s, Field: u.FieldName}
	if u.ValueExpression != nil {
		n.Value, err = t.expr(u.ValueExpression)
	}
	return n, err
}

var subqueryKinds = map[pb.SubqueryExpression_SubqueryType]plan.SubqueryKind{
	pb.SubqueryExpression_SUBQUERY_TYPE_SCALAR: plan.ScalarSubquery, pb.SubqueryExpression_SUBQUERY_TYPE_EXISTS: plan.ExistsSubquery,
	pb.SubqueryExpression_SUBQUERY_TYPE_IN: plan.InSubquery, pb.SubqueryExpression_SUBQUERY_TYPE_TABLE_ARG: plan.TableArgSubquery}

func (t *translator) subquery(q *pb.SubqueryExpression, origin *plan.Origin) (plan.Expr, error) {
	kind, ok := subqueryKinds[q.SubqueryType]
	if !ok || kind == plan.TableArgSubquery {
		return nil, errs.Unsupportedf("The subquery %s is not supported.", q.SubqueryType)
	}
	values, err := t.exprs(q.InSubqueryValues)
	return &plan.Subquery{Kind: kind, PlanID: t.refer(&q.PlanId), Values: values, Origin: origin}, err
}

// typeOf reads a type that may be missing.
func typeOf(d *pb.DataType) (*types.Type, error) {
	if d == nil {
		return nil, nil
	}
	return fromDataType(d)
}
