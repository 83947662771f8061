package physical

import (
	"google.golang.org/protobuf/proto"

	"millrace/errs"
	"millrace/plan"
	"millrace/planconv"
	planpb "millrace/proto/millrace/plan/v1"
)

// columnScope maps columns to the ordinals of an operator's input.
type columnScope map[plan.ID]int

func scope(attrs []*plan.Attribute) columnScope {
	s := make(columnScope, len(attrs))
	for i, a := range attrs {
		s[a.ID] = i
	}
	return s
}

// both is the scope of a join's condition: left's columns, then right's.
func both(left, right []*plan.Attribute) columnScope {
	return scope(append(append([]*plan.Attribute(nil), left...), right...))
}

func (s columnScope) covers(e plan.Expr) bool {
	ok := true
	plan.WalkExpr(e, func(e plan.Expr) bool {
		if a, is := e.(*plan.Attribute); is {
			_, has := s[a.ID]
			ok = ok && has
		}
		return ok
	})
	return ok
}

func (s columnScope) exprs(list []plan.Expr) ([]*planpb.Expr, error) {
	out := make([]*planpb.Expr, len(list))
	for i, e := range list {
		pb, err := s.expr(e)
		if err != nil {
			return nil, err
		}
		out[i] = pb
	}
	return out, nil
}

// expr converts a resolved expression.
func (s columnScope) expr(e plan.Expr) (*planpb.Expr, error) {
	switch e := e.(type) {
	case *plan.Alias:
		return s.expr(e.Child)
	case *plan.Attribute:
		i, ok := s[e.ID]
		if !ok {
			return nil, errs.Newf(errs.Internal, "the column %s#%d is not among the operator's inputs", e.Name, e.ID)
		}
		return &planpb.Expr{Type: planconv.TypePB(e.T), Nullable: e.Null, Kind: &planpb.Expr_Column{Column: uint32(i)}}, nil
	case *plan.Literal:
		return &planpb.Expr{Type: planconv.TypePB(e.T), Nullable: e.Value == nil, Kind: &planpb.Expr_Literal{Literal: planconv.Literal(e.Value)}}, nil
	case *plan.Cast:
		child, err := s.expr(e.Child)
		if err != nil {
			return nil, err
		}
		c := &planpb.Call{Name: "cast", Args: []*planpb.Expr{child}, Mode: mode(e.Mode)}
		if e.Column != "" {
			c.Options = map[string]string{"column": e.Column}
		}
		return call(e, e.Origin, c), nil
	case *plan.Call:
		return s.call(e)
	case *plan.LambdaVar:
		return &planpb.Expr{Type: planconv.TypePB(e.T), Nullable: e.Null, Kind: &planpb.Expr_LambdaVar{LambdaVar: &planpb.LambdaVar{Id: e.ID}}}, nil
	case *plan.Lambda:
		args := make([]plan.Expr, 0, len(e.Params)+1)
		for _, v := range e.Params {
			args = append(args, v)
		}
		list, err := s.exprs(append(args, e.Body))
		if err != nil {
			return nil, err
		}
		body := list[len(list)-1]
		return &planpb.Expr{Type: body.Type, Nullable: body.Nullable, Kind: &planpb.Expr_Call{Call: &planpb.Call{Name: "lambda", Args: list}}}, nil
	}
	return nil, errs.Unsupportedf("The expression %T cannot be run yet.", e)
}

func (s columnScope) call(e *plan.Call) (*planpb.Expr, error) {
	args, err := s.exprs(e.Args)
	if err != nil {
		return nil, err
	}
	c := &planpb.Call{Name: e.Name, Args: args, Mode: mode(e.Mode), Distinct: e.Distinct, IgnoreNulls: e.IgnoreNulls, Options: e.Options}
	if e.Filter != nil {
		if c.Filter, err = s.expr(e.Filter); err != nil {
			return nil, err
		}
	}
	return call(e, e.Origin, c), nil
}

func call(e plan.Typed, o *plan.Origin, c *planpb.Call) *planpb.Expr {
	return &planpb.Expr{Type: planconv.TypePB(e.Type()), Nullable: e.Nullable(), Kind: &planpb.Expr_Call{Call: c}, Origin: origin(o)}
}

func origin(o *plan.Origin) *planpb.Origin {
	if o == nil {
		return nil
	}
	return &planpb.Origin{Sql: o.SQL, Start: int32(o.Start), Stop: int32(o.Stop), Fragment: o.Fragment, CallSite: o.CallSite, Dataframe: o.DataFrame}
}

func mode(m plan.EvalMode) planpb.EvalMode {
	switch m {
	case plan.ModeLegacy:
		return planpb.EvalMode_EVAL_MODE_LEGACY
	case plan.ModeTry:
		return planpb.EvalMode_EVAL_MODE_TRY
	}
	return planpb.EvalMode_EVAL_MODE_ANSI
}

func columns(attrs []*plan.Attribute) []*planpb.Column {
	out := make([]*planpb.Column, len(attrs))
	for i, a := range attrs {
		out[i] = &planpb.Column{Name: a.Name, Type: planconv.TypePB(a.T), Nullable: a.Null, Metadata: a.Metadata}
	}
	return out
}

func (s columnScope) sortKeys(keys []*plan.SortOrder) ([]*planpb.SortKey, error) {
	out := make([]*planpb.SortKey, len(keys))
	for i, k := range keys {
		e, err := s.expr(k.Child)
		if err != nil {
			return nil, err
		}
		out[i] = &planpb.SortKey{Expr: e, Descending: k.Desc, NullsFirst: k.NullsSortFirst()}
	}
	return out, nil
}

// fingerprint is equal for expressions that compute the same, wherever the user wrote them.
func fingerprint(e *planpb.Expr) string {
	c := proto.Clone(e).(*planpb.Expr)
	forgetOrigin(c)
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(c)
	if err != nil {
		panic(err) // the message was made here
	}
	return string(b)
}

func forgetOrigin(e *planpb.Expr) {
	e.Origin = nil
	if c := e.GetCall(); c != nil {
		for _, a := range c.Args {
			forgetOrigin(a)
		}
		if c.Filter != nil {
			forgetOrigin(c.Filter)
		}
	}
}

// Fold converts an expression without columns, for the optimiser's folding.
func Fold(e plan.Expr) (*planpb.Expr, error) { return columnScope{}.expr(e) }

// Over converts an expression over given columns.
func Over(attrs []*plan.Attribute, e plan.Expr) (*planpb.Expr, error) { return scope(attrs).expr(e) }
