package connect

import (
	"millrace/errs"
	"millrace/plan"
	pb "millrace/proto/spark/connect"
)

// columns translates the relations that add, drop and name columns, and hands the rest on.
func (t *translator) columns(r *pb.Relation) (plan.Node, error) {
	switch rel := r.RelType.(type) {
	case *pb.Relation_SubqueryAlias:
		return over(t, rel.SubqueryAlias.Input, func(in plan.Node) plan.Node {
			a := rel.SubqueryAlias
			return &plan.SubqueryAlias{Input: in, Name: append(append([]string(nil), a.Qualifier...), a.Alias)}
		})
	case *pb.Relation_WithColumns:
		return t.withColumns(rel.WithColumns)
	case *pb.Relation_WithColumnsRenamed:
		return over(t, rel.WithColumnsRenamed.Input, func(in plan.Node) plan.Node {
			return &plan.RenameColumns{Input: in, Pairs: renames(rel.WithColumnsRenamed)}
		})
	case *pb.Relation_Drop:
		return t.drop(rel.Drop)
	case *pb.Relation_ToDf:
		return over(t, rel.ToDf.Input, func(in plan.Node) plan.Node { return &plan.ToDF{Input: in, Names: rel.ToDf.ColumnNames} })
	case *pb.Relation_ToSchema:
		return t.toSchema(rel.ToSchema)
	case *pb.Relation_Deduplicate:
		return over(t, rel.Deduplicate.Input, func(in plan.Node) plan.Node {
			d := rel.Deduplicate
			return &plan.Deduplicate{Input: in, Names: d.ColumnNames, All: d.GetAllColumnsAsKeys(), Within: d.GetWithinWatermark()}
		})
	case *pb.Relation_WithWatermark:
		return t.watermark(rel.WithWatermark)
	case *pb.Relation_Repartition:
		return over(t, rel.Repartition.Input, func(in plan.Node) plan.Node {
			return &plan.Repartition{Input: in, N: int(rel.Repartition.NumPartitions), Shuffle: rel.Repartition.GetShuffle()}
		})
	case *pb.Relation_RepartitionByExpression:
		return t.repartition(rel.RepartitionByExpression)
	case *pb.Relation_Sample:
		return t.sample(rel.Sample)
	case *pb.Relation_Hint:
		return t.hint(rel.Hint)
	case *pb.Relation_Parse:
		return t.parse(rel.Parse)
	case *pb.Relation_Unpivot:
		return t.unpivot(rel.Unpivot)
	case *pb.Relation_CollectMetrics:
		return t.observe(rel.CollectMetrics, r.GetCommon().GetPlanId())
	case *pb.Relation_ShowString:
		return over(t, rel.ShowString.Input, func(in plan.Node) plan.Node {
			s := rel.ShowString
			return &plan.ShowString{Input: in, Rows: int(s.NumRows), Truncate: int(s.Truncate), Vertical: s.Vertical}
		})
	case *pb.Relation_HtmlString:
		return over(t, rel.HtmlString.Input, func(in plan.Node) plan.Node {
			return &plan.ShowString{Input: in, Rows: int(rel.HtmlString.NumRows), Truncate: int(rel.HtmlString.Truncate), HTML: true}
		})
	case *pb.Relation_Catalog:
		return t.catalog(rel.Catalog)
	case *pb.Relation_MlRelation:
		return t.mlRelation(rel.MlRelation)
	case *pb.Relation_Extension:
		return t.extension(rel.Extension)
	}
	if n, err, ok := t.statistics(r); ok {
		return n, err
	}
	return nil, errs.Unsupportedf("The relation %s is not supported.", kindOf(r, "rel_type"))
}

func (t *translator) withColumns(r *pb.WithColumns) (plan.Node, error) {
	in, err := t.input(r.Input)
	if err != nil {
		return nil, err
	}
	n := &plan.WithColumns{Input: in}
	for _, a := range r.Aliases {
		e, err := t.alias(a)
		if err != nil {
			return nil, err
		}
		n.Aliases = append(n.Aliases, e)
	}
	return n, nil
}

func (t *translator) watermark(r *pb.WithWatermark) (plan.Node, error) {
	in, err := t.input(r.Input)
	if err != nil {
		return nil, err
	}
	delay, err := watermarkDelay(r.DelayThreshold)
	if err != nil {
		return nil, err
	}
	name, err := attributeName(r.EventTime)
	return &plan.Watermark{Input: in, Column: &plan.UnresolvedAttribute{Parts: name}, Delay: delay.Microseconds()}, err
}

func (t *translator) drop(r *pb.Drop) (plan.Node, error) {
	in, err := t.input(r.Input)
	if err != nil {
		return nil, err
	}
	exprs, err := t.exprs(r.Columns)
	return &plan.DropColumns{Input: in, Names: r.ColumnNames, Exprs: exprs}, err
}

func (t *translator) hint(r *pb.Hint) (plan.Node, error) {
	in, err := t.input(r.Input)
	if err != nil {
		return nil, err
	}
	args, err := t.exprs(r.Parameters)
	return &plan.Hint{Input: in, Name: r.Name, Args: args}, err
}

func (t *translator) parse(r *pb.Parse) (plan.Node, error) {
	in, err := t.input(r.Input)
	if err != nil {
		return nil, err
	}
	n := &plan.ParseTexts{Input: in, Options: r.Options, Format: map[pb.Parse_ParseFormat]string{pb.Parse_PARSE_FORMAT_CSV: "csv", pb.Parse_PARSE_FORMAT_JSON: "json",
		pb.Parse_PARSE_FORMAT_XML: "xml"}[r.Format]}
	if r.Schema != nil {
		n.Schema, err = fromDataType(r.Schema)
	}
	return n, err
}

func (t *translator) unpivot(r *pb.Unpivot) (plan.Node, error) {
	in, err := t.input(r.Input)
	if err != nil {
		return nil, err
	}
	n := &plan.Unpivot{Input: in, Variable: r.VariableColumnName, ValueAs: r.ValueColumnName}
	if n.IDs, err = t.exprs(r.Ids); err != nil {
		return nil, err
	}
	if r.Values != nil {
		if n.Values, err = t.exprs(r.Values.Values); n.Values == nil {
			n.Values = []plan.Expr{}
		}
	}
	return n, err
}

func (t *translator) observe(r *pb.CollectMetrics, id int64) (plan.Node, error) {
	in, err := t.input(r.Input)
	if err != nil {
		return nil, err
	}
	metrics, err := t.exprs(r.Metrics)
	return &plan.Observe{Input: in, Name: r.Name, PlanID: id, Metrics: metrics}, err
}

// statistics translates the calls of df.stat and df.na. What stands in plan.Stat's Args and Exprs is said at each.
func (t *translator) statistics(r *pb.Relation) (n plan.Node, err error, ok bool) {
	switch rel := r.RelType.(type) {
	case *pb.Relation_FillNa: // Exprs: one value for all columns or one for each
		n, err = t.stat(rel.FillNa.Input, "fill", rel.FillNa.Cols)
		if err == nil {
			err = literals(n, rel.FillNa.Values)
		}
	case *pb.Relation_DropNa: // Args: int, the least number of values that are not null; absent: all
		n, err = t.stat(rel.DropNa.Input, "drop", rel.DropNa.Cols)
		if err == nil && rel.DropNa.MinNonNulls != nil {
			n.(*plan.Stat).Args = []any{int(*rel.DropNa.MinNonNulls)}
		}
	case *pb.Relation_Replace: // Exprs: old and new values in turn
		n, err = t.stat(rel.Replace.Input, "replace", rel.Replace.Cols)
		for _, p := range rel.Replace.Replacements {
			if err == nil {
				err = literals(n, []*pb.Expression_Literal{p.OldValue, p.NewValue})
			}
		}
	case *pb.Relation_Summary: // string, the statistics
		n, err = t.stat(rel.Summary.Input, "summary", nil, anys(rel.Summary.Statistics)...)
	case *pb.Relation_Describe:
		n, err = t.stat(rel.Describe.Input, "describe", rel.Describe.Cols)
	case *pb.Relation_Crosstab:
		n, err = t.stat(rel.Crosstab.Input, "crosstab", []string{rel.Crosstab.Col1, rel.Crosstab.Col2})
	case *pb.Relation_Cov:
		n, err = t.stat(rel.Cov.Input, "cov", []string{rel.Cov.Col1, rel.Cov.Col2})
	case *pb.Relation_Corr: // string, the method
		n, err = t.stat(rel.Corr.Input, "corr", []string{rel.Corr.Col1, rel.Corr.Col2}, rel.Corr.GetMethod())
	case *pb.Relation_ApproxQuantile: // float64, the relative error and then the probabilities
		q := rel.ApproxQuantile
		n, err = t.stat(q.Input, "approxQuantile", q.Cols, append([]any{q.RelativeError}, anys(q.Probabilities)...)...)
	case *pb.Relation_FreqItems: // float64, the least frequency
		n, err = t.stat(rel.FreqItems.Input, "freqItems", rel.FreqItems.Cols)
		if err == nil && rel.FreqItems.Support != nil {
			n.(*plan.Stat).Args = []any{*rel.FreqItems.Support}
		}
	case *pb.Relation_Transpose: // Exprs: the index column; none: the first
		n, err = t.stat(rel.Transpose.Input, "transpose", nil)
		if err == nil {
			n.(*plan.Stat).Exprs, err = t.exprs(rel.Transpose.IndexColumns)
		}
	case *pb.Relation_SampleBy:
		n, err = t.sampleBy(rel.SampleBy)
	default:
		return nil, nil, false
	}
	return n, err, true
}

func (t *translator) stat(input *pb.Relation, name string, cols []string, args ...any) (plan.Node, error) {
	in, err := t.input(input)
	if err != nil {
		return nil, err
	}
	return &plan.Stat{Input: in, Name: name, Cols: cols, Args: args}, nil
}

func literals(n plan.Node, values []*pb.Expression_Literal) error {
	s := n.(*plan.Stat)
	for _, v := range values {
		l, err := literal(v)
		if err != nil {
			return err
		}
		s.Exprs = append(s.Exprs, l)
	}
	return nil
}

func anys[T any](list []T) []any {
	out := make([]any, len(list))
	for i, v := range list {
		out[i] = v
	}
	return out
}

// sampleBy has the column in Exprs; Args are the seed (int64) and then, in turn, a stratum (*plan.Literal) and its fraction
// (float64).
func (t *translator) sampleBy(r *pb.StatSampleBy) (plan.Node, error) {
	n, err := t.stat(r.Input, "sampleBy", nil, r.GetSeed())
	if err != nil {
		return nil, err
	}
	s := n.(*plan.Stat)
	col, err := t.expr(r.Col)
	if err != nil {
		return nil, err
	}
	s.Exprs = []plan.Expr{col}
	for _, f := range r.Fractions {
		l, err := literal(f.Stratum)
		if err != nil {
			return nil, err
		}
		s.Args = append(s.Args, l, f.Fraction)
	}
	return s, nil
}
