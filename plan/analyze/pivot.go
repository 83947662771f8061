package analyze

import (
	"strconv"

	"millrace/errs"
	"millrace/plan"
	"millrace/plan/fn"
	"millrace/types"
)

// pivoted is a PIVOT whose parts are resolved.
type pivoted struct {
	a      *analyzer
	in     plan.Node
	groups []plan.Expr // as in a SELECT list
	column plan.Expr
	values []pivotValue
	aggs   []plan.Expr
	names  []string // of the aggregates
}

// pivotValue is a value of the pivot's column and how its result columns are called.
type pivotValue struct {
	name  string
	value plan.Expr
}

// pivot makes of each group one row, in which every value of a column has columns of its own for the aggregates.
func (a *analyzer) pivot(n *plan.Pivot) (plan.Node, error) {
	in, err := a.node(n.Input)
	if err != nil {
		return nil, err
	}
	m := *n
	n = &m
	if in, err = a.timeWindows(in, &n.Groups); err != nil {
		return nil, err
	}
	s := a.scope(in)
	p := &pivoted{a: a, in: in}
	if p.column, err = a.expr(s, n.Column); err != nil {
		return nil, err
	}
	if !fn.Orderable(plan.TypeOf(p.column)) {
		return nil, errs.New("INCOMPARABLE_PIVOT_COLUMN", "columnName", types.Quote(Pretty(p.column)))
	}
	if err := p.resolveAggregates(s, n.Aggregates); err != nil {
		return nil, err
	}
	if n.Rest {
		p.groups = p.rest(s)
	} else if p.groups, err = a.selectList(s, n.Groups); err != nil {
		return nil, err
	}
	if n.Values == nil {
		err = p.presentValues()
	} else {
		err = p.resolveValues(s, n.Values)
	}
	if err != nil {
		return nil, err
	}
	for _, e := range p.aggs {
		if !picked[plan.TypeOf(e).Kind] {
			return p.conditional()
		}
	}
	return p.twice()
}

// picked are the types of aggregates of which Spark computes each group's values first and then picks them: a group without rows of a
// value has nulls. With any other type the aggregates run over the rows of each value, so that counts are zero.
var picked = map[types.Kind]bool{types.KindByte: true, types.KindShort: true, types.KindInteger: true, types.KindLong: true, types.KindFloat: true,
	types.KindDouble: true, types.KindBoolean: true, types.KindDecimal: true}

func (p *pivoted) resolveAggregates(s *scope, list []plan.Expr) error {
	for _, written := range list {
		e, err := p.a.expr(s, written)
		if err != nil {
			return err
		}
		var loose *plan.Attribute
		outside(e, func(c *plan.Attribute) { loose = c })
		if loose != nil {
			return errs.New("_LEGACY_ERROR_TEMP_1006", "sql", qualifiedSQL(loose))
		}
		name := ""
		if al, ok := written.(*plan.Alias); ok {
			name = al.Names[0]
		} else {
			name = p.a.autoName(written, e)
		}
		p.aggs, p.names = append(p.aggs, e), append(p.names, name)
	}
	return nil
}

// rest are the columns that neither the pivot's column nor the aggregates read.
func (p *pivoted) rest(s *scope) []plan.Expr {
	read := map[plan.ID]bool{}
	for _, e := range append([]plan.Expr{p.column}, p.aggs...) {
		plan.WalkExpr(e, func(e plan.Expr) bool {
			if c, ok := e.(*plan.Attribute); ok {
				read[c.ID] = true
			}
			return true
		})
	}
	var out []plan.Expr
	for _, c := range s.attrs {
		if !read[c.ID] {
			out = append(out, c)
		}
	}
	return out
}

func (p *pivoted) resolveValues(s *scope, list []plan.Expr) error {
	t := plan.TypeOf(p.column)
	for _, written := range list {
		e, err := p.a.expr(s, written)
		if err != nil {
			return err
		}
		l := p.a.constant(e)
		if l == nil {
			return errs.New("NON_LITERAL_PIVOT_VALUES", "expression", SQL(e))
		}
		text, err := p.text(l)
		if err != nil {
			return err
		}
		if from := plan.TypeOf(l); !fn.CanCast(p.a.conf.ANSI, from, t) {
			return errs.New("PIVOT_VALUE_DATA_TYPE_MISMATCH", "value", text, "valueType", from.String(), "pivotType", t.String())
		}
		if al, ok := written.(*plan.Alias); ok {
			text = al.Names[0]
		}
		p.values = append(p.values, pivotValue{text, p.a.castTo(l, t)})
	}
	return nil
}

// text is a value as a column's name.
func (p *pivoted) text(l *plan.Literal) (string, error) {
	if l.Value == nil {
		return "null", nil
	}
	s := p.a.constant(p.a.castTo(l, types.String))
	if s == nil {
		return "", errs.Unsupportedf("a pivot value of the type %s is not supported", l.T)
	}
	text, _ := s.Value.(string)
	return text, nil
}

// presentValues are the values that there are, in order. They are looked for at once, because they are the result's columns.
func (p *pivoted) presentValues() error {
	limit := 10000
	if n, err := strconv.Atoi(p.a.conf.get("spark.sql.pivotMaxValues")); err == nil {
		limit = n
	}
	al := p.a.alias(p.column, Pretty(p.column))
	rows, err := p.a.collect(&plan.Sort{Input: &plan.Distinct{Input: &plan.Project{Input: p.in, Exprs: []plan.Expr{al}}},
		Keys: []*plan.SortOrder{{Child: al.Attribute()}}}, limit+1, "PIVOT without values")
	if err != nil {
		return err
	}
	if len(rows) > limit {
		return errs.New("_LEGACY_ERROR_TEMP_1324", "pivotColumn", Pretty(p.column), "maxValues", itoa(limit), "config", "spark.sql.pivotMaxValues")
	}
	for _, r := range rows {
		l := &plan.Literal{Value: r[0], T: plan.TypeOf(p.column)}
		text, err := p.text(l)
		if err != nil {
			return err
		}
		p.values = append(p.values, pivotValue{text, l})
	}
	return nil
}

// collect runs a relation that analysis depends on.
func (a *analyzer) collect(n plan.Node, limit int, what string) ([][]any, error) {
	if a.conf.Collect == nil || a.outer != nil {
		return nil, errs.Unsupportedf("%s is not supported here", what)
	}
	n, err := a.finish(n)
	if err != nil {
		return nil, err
	}
	return a.conf.Collect(&plan.Limit{Input: n, Count: plan.Int(int64(limit))}, limit)
}

func (p *pivoted) outputName(value string, agg int) string {
	if len(p.aggs) == 1 {
		return value
	}
	return value + "_" + p.names[agg]
}

// twice aggregates by the groups and the column, and then picks the values' results for each group.
func (p *pivoted) twice() (plan.Node, error) {
	a := p.a
	keys := append(append([]plan.Expr(nil), p.groups...), p.column)
	b := a.newBlock(p.in, keys)
	outs, err := b.rewriteOutputs(p.groups)
	if err != nil {
		return nil, err
	}
	column := a.alias(b.attrs[b.key(bare(p.column))], "__pivot_col")
	outs = append(outs, column)
	results := make([]*plan.Attribute, len(p.aggs))
	for i, e := range p.aggs {
		e, err := b.rewrite(e, nil)
		if err != nil {
			return nil, err
		}
		al := a.alias(e, p.names[i])
		results[i] = al.Attribute()
		outs = append(outs, al)
	}
	grouped, err := b.node(outs)
	if err != nil {
		return nil, err
	}
	first, err := a.shape(grouped, outs)
	if err != nil {
		return nil, err
	}
	agg := &plan.Aggregate{Input: first}
	for _, c := range output(first)[:len(p.groups)] {
		agg.Groups = append(agg.Groups, c)
	}
	agg.Exprs = append(agg.Exprs, agg.Groups...)
	for _, v := range p.values {
		is, err := a.apply("<=>", nil, column.Attribute(), v.value)
		if err != nil {
			return nil, err
		}
		for i, r := range results {
			pick, err := a.apply("first", nil, r)
			if err != nil {
				return nil, err
			}
			pick.IgnoreNulls, pick.Filter = true, is
			agg.Exprs = append(agg.Exprs, a.alias(pick, p.outputName(v.name, i)))
		}
	}
	return agg, nil
}

// conditional aggregates once, for each value over its rows.
func (p *pivoted) conditional() (plan.Node, error) {
	a := p.a
	b := a.newBlock(p.in, p.groups)
	outs, err := b.rewriteOutputs(p.groups)
	if err != nil {
		return nil, err
	}
	for _, v := range p.values {
		is, err := a.apply("<=>", nil, p.column, v.value)
		if err != nil {
			return nil, err
		}
		for i, e := range p.aggs {
			of, err := plan.TransformExpr(e, func(e plan.Expr) (plan.Expr, error) { return p.over(e, is) })
			if err != nil {
				return nil, err
			}
			if of, err = b.rewrite(of, nil); err != nil {
				return nil, err
			}
			outs = append(outs, a.alias(of, p.outputName(v.name, i)))
		}
	}
	grouped, err := b.node(outs)
	if err != nil {
		return nil, err
	}
	return a.shape(grouped, outs)
}

// over is an aggregate call over the rows for which a condition holds: its arguments are null for all others, except for constants that say how it
// aggregates.
func (p *pivoted) over(e plan.Expr, is plan.Expr) (plan.Expr, error) {
	c, ok := e.(*plan.Call)
	if !ok || !c.Aggregate {
		return e, nil
	}
	args := append([]plan.Expr(nil), c.Args...)
	for i, arg := range args {
		if _, constant := arg.(*plan.Literal); constant && i > 0 {
			continue
		}
		var err error
		if args[i], err = p.a.apply("if", nil, is, arg, &plan.Literal{T: plan.TypeOf(arg)}); err != nil {
			return nil, err
		}
	}
	d := *c
	d.Args, d.Pretty, d.Null = args, "", c.Null
	if d.Name == "first" || d.Name == "last" {
		d.IgnoreNulls = true
	}
	return &d, nil
}

// crosstab is df.stat.crosstab: how often each pair of values of two columns occurs.
func (a *analyzer) crosstab(n *plan.Stat) (plan.Node, error) {
	in, err := a.node(n.Input)
	if err != nil {
		return nil, err
	}
	if err := a.checkCols(in, n.Cols); err != nil {
		return nil, err
	}
	s := a.scope(in)
	texts := make([]plan.Expr, 2)
	for i := range texts {
		col, err := a.expr(s, &plan.UnresolvedAttribute{Parts: []string{n.Cols[i]}})
		if err != nil {
			return nil, err
		}
		text := a.castTo(col, types.String)
		if i == 1 {
			if text, err = a.apply("replace", nil, text, plan.Str("`"), plan.Str("")); err != nil {
				return nil, err
			}
		}
		none, err := a.apply("isnull", nil, col)
		if err != nil {
			return nil, err
		}
		if texts[i], err = a.apply("case", nil, none, plan.Str("null"), text); err != nil {
			return nil, err
		}
	}
	count, err := a.apply("count", nil, plan.Int(1))
	if err != nil {
		return nil, err
	}
	name := n.Cols[0] + "_" + n.Cols[1]
	p := &pivoted{a: a, in: in, groups: []plan.Expr{a.alias(texts[0], name)}, column: texts[1], aggs: []plan.Expr{count}, names: []string{"count"}}
	if err := p.presentValues(); err != nil {
		return nil, err
	}
	out, err := p.twice()
	if err != nil {
		return nil, err
	}
	exprs := exprsOf(output(out))
	for i, c := range output(out)[1:] {
		filled, err := a.apply("coalesce", nil, c, plan.BigInt(0))
		if err != nil {
			return nil, err
		}
		exprs[i+1] = a.alias(filled, c.Name)
	}
	return &plan.Project{Input: out, Exprs: exprs}, nil
}
