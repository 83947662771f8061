package analyze

import (
	"math"
	"strconv"
	"strings"

	"millrace/errs"
	"millrace/plan"
	"millrace/types"
)

// summary is df.summary and df.describe: one row for each statistic in Args, of the columns that hold numbers or strings, as text.
// One aggregation computes them all; an expansion turns its row into the statistics' rows.
func (a *analyzer) summary(n *plan.Stat) (plan.Node, error) {
	in, err := a.node(n.Input)
	if err != nil {
		return nil, err
	}
	if err := a.checkCols(in, n.Cols); err != nil {
		return nil, err
	}
	s := &summary{a: a, stats: n.Args}
	if len(s.stats) == 0 {
		s.stats = []any{"count", "mean", "stddev", "min", "25%", "50%", "75%", "max"}
	}
	if err := s.readFractions(); err != nil {
		return nil, err
	}
	e := &plan.Expand{Attrs: []*plan.Attribute{{ID: a.id(), Name: "summary", T: types.String, Null: true}}}
	for _, stat := range s.stats {
		e.Lists = append(e.Lists, []plan.Expr{plan.Str(stat.(string))})
	}
	for _, c := range output(in) {
		if _, ok := a.chosen(n.Cols, c); !ok || !c.T.IsNumeric() && c.T.Kind != types.KindString {
			continue
		}
		e.Attrs = append(e.Attrs, &plan.Attribute{ID: a.id(), Name: c.Name, T: types.String, Null: true})
		if err := s.column(c, e.Lists); err != nil {
			return nil, err
		}
	}
	if e.Input = plan.Node(&plan.OneRow{}); len(s.slots) > 0 {
		e.Input = &plan.Aggregate{Input: in, Exprs: s.slots}
	}
	return e, nil
}

// summary gathers the aggregate calls of df.summary.
type summary struct {
	a         *analyzer
	stats     []any // their names: strings
	fractions []any // of the percentiles among them, in order
	slots     []plan.Expr
}

func (s *summary) readFractions() error {
	for _, stat := range s.stats {
		digits, ok := strings.CutSuffix(stat.(string), "%")
		if !ok {
			continue
		}
		p, err := strconv.ParseFloat(digits, 64)
		if err != nil {
			return errs.New("UNRECOGNIZED_STATISTIC", "stats", "'"+stat.(string)+"'")
		}
		if p < 0 || p > 100 {
			return illegalArgument("requirement failed: Percentiles must be in the range [0, 1]")
		}
		s.fractions = append(s.fractions, p/100)
	}
	return nil
}

// summaryCalls are the aggregate functions of the statistics; the moments take strings as numbers.
var summaryCalls = map[string]struct {
	name    string
	numbers bool
}{"count": {"count", false}, "mean": {"avg", true}, "stddev": {"stddev", true}, "min": {"min", false}, "max": {"max", false},
	"approx_count_distinct": {"approx_count_distinct", false}, "count_distinct": {"count", false}}

// column adds a column's statistics to the lists, one to each.
func (s *summary) column(c *plan.Attribute, lists [][]plan.Expr) error {
	var number plan.Expr = c
	if c.T.Kind == types.KindString {
		number = &plan.Cast{Child: c, To: types.Double, Mode: plan.ModeTry}
	}
	var percentiles plan.Expr
	if len(s.fractions) > 0 {
		var err error
		fractions := &plan.Literal{Value: s.fractions, T: types.ArrayOf(types.Double, false)}
		if percentiles, err = s.slot("percentile_approx", false, number, fractions); err != nil {
			return err
		}
	}
	place := 0
	for i, stat := range s.stats {
		var cell plan.Expr
		var err error
		call, ok := summaryCalls[strings.ToLower(stat.(string))]
		switch {
		case strings.HasSuffix(stat.(string), "%"):
			cell, err = s.a.apply("get", nil, percentiles, plan.Int(int64(place)))
			place++
		case !ok:
			err = errs.New("UNRECOGNIZED_STATISTIC", "stats", "'"+stat.(string)+"'")
		case call.numbers:
			cell, err = s.slot(call.name, false, number)
		default:
			cell, err = s.slot(call.name, stat == "count_distinct", c)
		}
		if err != nil {
			return err
		}
		lists[i] = append(lists[i], s.a.castTo(cell, types.String))
	}
	return nil
}

// slot is the column of an aggregate call.
func (s *summary) slot(name string, distinct bool, args ...plan.Expr) (plan.Expr, error) {
	c, err := s.a.apply(name, nil, args...)
	if err != nil {
		return nil, err
	}
	c.Distinct = distinct
	al := s.a.alias(c, name)
	s.slots = append(s.slots, al)
	return al.Attribute(), nil
}

// pairStat is df.cov and df.corr: one row with one number. Nulls count as 0, and what has no value, for want of rows, is 0 for the
// covariance and NaN for the correlation.
func (a *analyzer) pairStat(n *plan.Stat, function, what string) (plan.Node, error) {
	if len(n.Args) > 0 && n.Args[0] != "" && n.Args[0] != "pearson" {
		return nil, illegalArgument("requirement failed: Currently only the calculation of the Pearson Correlation coefficient is supported.")
	}
	in, cols, err := a.numberColumns(n, func(c *plan.Attribute) string {
		return "Currently " + what + " calculation for columns with dataType " + strings.ToLower(c.T.SQL()) + " not supported."
	})
	if err != nil {
		return nil, err
	}
	zero := &plan.Literal{Value: 0.0, T: types.Double}
	args := make([]plan.Expr, len(cols))
	for i, c := range cols {
		if args[i], err = a.apply("coalesce", nil, a.castTo(c, types.Double), zero); err != nil {
			return nil, err
		}
	}
	s := &summary{a: a}
	value, err := s.slot(function, false, args...)
	if err != nil {
		return nil, err
	}
	none := zero
	if n.Name == "corr" {
		none = &plan.Literal{Value: math.NaN(), T: types.Double}
	}
	if value, err = a.apply("coalesce", nil, value, none); err != nil {
		return nil, err
	}
	agg := &plan.Aggregate{Input: in, Exprs: s.slots}
	return &plan.Project{Input: agg, Exprs: []plan.Expr{a.alias(value, n.Name)}}, nil
}

// numberColumns finds the columns that a call names, which must hold numbers; refusal says what is wrong with one that does not, of
// its name and type.
func (a *analyzer) numberColumns(n *plan.Stat, refusal func(*plan.Attribute) string) (plan.Node, []*plan.Attribute, error) {
	in, err := a.node(n.Input)
	if err != nil {
		return nil, nil, err
	}
	cols := make([]*plan.Attribute, len(n.Cols))
	for i, name := range n.Cols {
		found := a.matches(output(in), nil, name)
		if len(found) == 0 {
			if n.Name == "approxQuantile" {
				return nil, nil, unresolved(output(in), []string{name})
			}
			return nil, nil, unresolvedOf(output(in), name)
		}
		if cols[i] = found[0]; !cols[i].T.IsNumeric() {
			return nil, nil, illegalArgument("requirement failed: %s", refusal(cols[i]))
		}
	}
	return in, cols, nil
}

// quantiles is df.approxQuantile: an array of the columns' arrays of quantiles. Those are exact, whatever error is allowed.
func (a *analyzer) quantiles(n *plan.Stat) (plan.Node, error) {
	in, cols, err := a.numberColumns(n, func(c *plan.Attribute) string {
		return "Quantile calculation for column " + c.Name + " with data type " + scalaName(c.T) + " is not supported."
	})
	if err != nil {
		return nil, err
	}
	fractions := &plan.Literal{Value: n.Args[1:], T: types.ArrayOf(types.Double, false)}
	s := &summary{a: a}
	arrays := make([]plan.Expr, len(cols))
	for i, c := range cols {
		number, err := a.apply("nanvl", nil, a.castTo(c, types.Double), &plan.Literal{T: types.Double})
		if err != nil {
			return nil, err
		}
		all, err := s.slot("percentile_approx", false, number, fractions)
		if err != nil {
			return nil, err
		}
		none := &plan.Literal{Value: []any{}, T: types.ArrayOf(types.Double, false)}
		if arrays[i], err = a.apply("coalesce", nil, all, none); err != nil {
			return nil, err
		}
	}
	result, err := a.apply("array", nil, arrays...)
	if err != nil {
		return nil, err
	}
	agg := &plan.Aggregate{Input: in, Exprs: s.slots}
	return &plan.Project{Input: agg, Exprs: []plan.Expr{a.alias(result, "approx_quantile")}}, nil
}

// sampleBy is df.sampleBy: each row is kept with its stratum's probability, which is 0 for a stratum that is not named.
func (a *analyzer) sampleBy(n *plan.Stat) (plan.Node, error) {
	in, err := a.node(n.Input)
	if err != nil {
		return nil, err
	}
	cols, err := a.exprs(a.scope(in), n.Exprs)
	if err != nil {
		return nil, err
	}
	var cases []plan.Expr
	for i := 1; i+1 < len(n.Args); i += 2 {
		if f := n.Args[i+1].(float64); f < 0 || f > 1 {
			return nil, illegalArgument("requirement failed: Fractions must be in [0, 1], but got Map(%s).", strata(n.Args[1:]))
		}
		is, err := a.apply("<=>", nil, cols[0], n.Args[i].(*plan.Literal))
		if err != nil {
			return nil, err
		}
		cases = append(cases, is, &plan.Literal{Value: n.Args[i+1], T: types.Double})
	}
	var share plan.Expr = &plan.Literal{Value: 0.0, T: types.Double}
	if len(cases) > 0 {
		if share, err = a.apply("case", nil, append(cases, share)...); err != nil {
			return nil, err
		}
	}
	draw, err := a.apply("rand", nil, plan.BigInt(n.Args[0].(int64)))
	if err != nil {
		return nil, err
	}
	keep, err := a.apply("<", nil, draw, share)
	if err != nil {
		return nil, err
	}
	return &plan.Filter{Input: in, Condition: keep}, nil
}

// strata shows the pairs of sampleBy as Scala shows a map.
func strata(pairs []any) string {
	var shown []string
	for i := 0; i+1 < len(pairs); i += 2 {
		shown = append(shown, Pretty(pairs[i].(*plan.Literal))+" -> "+javaDouble(pairs[i+1].(float64), false))
	}
	return strings.Join(shown, ", ")
}

// scalaName is what a type that holds no others prints as in Scala.
func scalaName(t *types.Type) string {
	switch name := strings.ToLower(t.SQL()); {
	case t.Kind == types.KindTimestampNTZ:
		return "TimestampNTZType"
	case t.IsNested() || t.IsInterval() || t.IsNumeric():
		return name
	default:
		return strings.ToUpper(name[:1]) + name[1:] + "Type"
	}
}
