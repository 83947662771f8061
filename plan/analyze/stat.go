package analyze

import (
	"millrace/errs"
	"millrace/plan"
	"millrace/types"
)

// stat rewrites the calls of df.stat and df.na to plain relations.
func (a *analyzer) stat(n *plan.Stat) (plan.Node, error) {
	switch n.Name {
	case "fill":
		return a.fill(n)
	case "drop":
		return a.dropNulls(n)
	case "replace":
		return a.replace(n)
	case "summary":
		return a.summary(n)
	case "describe":
		n.Args = []any{"count", "mean", "stddev", "min", "max"}
		return a.summary(n)
	case "cov":
		return a.pairStat(n, "covar_samp", "covariance")
	case "corr":
		return a.pairStat(n, "corr", "correlation")
	case "approxQuantile":
		return a.quantiles(n)
	case "sampleBy":
		return a.sampleBy(n)
	case "crosstab":
		return a.crosstab(n)
	case "freqItems":
		return a.freqItems(n)
	case "transpose":
		return a.transpose(n)
	}
	return nil, errs.Unsupportedf("DataFrame.%s is not supported", n.Name)
}

// checkSample refuses fractions that are none. As in Spark, a hair's breadth outside is allowed.
func checkSample(n *plan.Sample) error {
	const hair = 1e-6
	fraction := n.Upper - n.Lower
	switch {
	case n.Replacement && fraction < -hair:
		return illegalArgument("requirement failed: Sampling fraction (%s) must be nonnegative with replacement", javaDouble(fraction, false))
	case !n.Replacement && (fraction < -hair || fraction > 1+hair):
		return illegalArgument("requirement failed: Sampling fraction (%s) must be on interval [0, 1] without replacement", javaDouble(fraction, false))
	}
	return nil
}

// chosen reports whether a column is among those that df.na.… names; none named means all.
func (a *analyzer) chosen(cols []string, c *plan.Attribute) (int, bool) {
	for i, name := range cols {
		if a.same(name, c.Name) {
			return i, true
		}
	}
	return 0, len(cols) == 0
}

func (a *analyzer) checkCols(in plan.Node, cols []string) error {
	for _, name := range cols {
		if len(a.matches(output(in), nil, name)) == 0 {
			return unresolvedOf(output(in), name)
		}
	}
	return nil
}

// fill is df.na.fill: one value for all columns of its family, or one for each of Cols, in Exprs.
func (a *analyzer) fill(n *plan.Stat) (plan.Node, error) {
	return a.perColumn(n, func(c *plan.Attribute, values []plan.Expr, place int) (plan.Expr, error) {
		v := values[0]
		if len(values) > 1 {
			v = values[place]
		}
		if len(values) == 1 && !sameFamily(plan.TypeOf(v), c.T) {
			return c, nil
		}
		var value plan.Expr = c
		if c.T.IsFloating() {
			var err error
			if value, err = a.apply("nanvl", nil, c, &plan.Literal{T: c.T}); err != nil {
				return nil, err
			}
		}
		filled, err := a.apply("coalesce", nil, value, a.castTo(v, c.T))
		if err != nil {
			return nil, err
		}
		return a.alias(a.castTo(filled, c.T), c.Name), nil
	})
}

func sameFamily(x, y *types.Type) bool { return x.IsNumeric() && y.IsNumeric() || x.Kind == y.Kind }

// replace is df.na.replace: Exprs holds old and new values in turn.
func (a *analyzer) replace(n *plan.Stat) (plan.Node, error) {
	return a.perColumn(n, func(c *plan.Attribute, values []plan.Expr, _ int) (plan.Expr, error) {
		if !sameFamily(plan.TypeOf(values[0]), c.T) {
			return c, nil
		}
		var args []plan.Expr
		for i := 0; i+1 < len(values); i += 2 {
			op := "="
			if l, ok := values[i].(*plan.Literal); ok && l.Value == nil {
				op = "<=>"
			}
			is, err := a.apply(op, nil, c, values[i])
			if err != nil {
				return nil, err
			}
			args = append(args, is, a.castTo(values[i+1], c.T))
		}
		e, err := a.apply("case", nil, append(args, c)...)
		if err != nil {
			return nil, err
		}
		return a.alias(a.castTo(e, c.T), c.Name), nil
	})
}

// perColumn rewrites the chosen columns.
func (a *analyzer) perColumn(n *plan.Stat, f func(*plan.Attribute, []plan.Expr, int) (plan.Expr, error)) (plan.Node, error) {
	in, err := a.node(n.Input)
	if err != nil {
		return nil, err
	}
	if err := a.checkCols(in, n.Cols); err != nil {
		return nil, err
	}
	values, err := a.exprs(newScope(), n.Exprs)
	if err != nil || len(values) == 0 {
		return in, err
	}
	out := output(in)
	exprs := make([]plan.Expr, len(out))
	for i, c := range out {
		exprs[i] = c
		if place, ok := a.chosen(n.Cols, c); ok {
			if exprs[i], err = f(c, values, place); err != nil {
				return nil, err
			}
		}
	}
	return a.projection(in, exprs), nil
}

// dropNulls is df.na.drop: Args may hold the least number of values that are neither null nor NaN; otherwise all must be.
func (a *analyzer) dropNulls(n *plan.Stat) (plan.Node, error) {
	in, err := a.node(n.Input)
	if err != nil {
		return nil, err
	}
	if err := a.checkCols(in, n.Cols); err != nil {
		return nil, err
	}
	var present []plan.Expr
	for _, c := range output(in) {
		if _, ok := a.chosen(n.Cols, c); !ok {
			continue
		}
		e, err := a.present(c)
		if err != nil {
			return nil, err
		}
		present = append(present, e)
	}
	if len(present) == 0 {
		return in, nil
	}
	least := len(present)
	if len(n.Args) > 0 {
		if v, ok := n.Args[0].(int); ok {
			least = v
		}
	}
	cond, err := a.atLeast(present, least)
	if err != nil {
		return nil, err
	}
	return &plan.Filter{Input: in, Condition: cond}, nil
}

func (a *analyzer) present(c *plan.Attribute) (plan.Expr, error) {
	e, err := a.apply("isnotnull", nil, c)
	if err != nil || !c.T.IsFloating() {
		return e, err
	}
	nan, err := a.apply("isnan", nil, c)
	if err != nil {
		return nil, err
	}
	number, err := a.apply("not", nil, nan)
	if err != nil {
		return nil, err
	}
	return a.apply("and", nil, e, number)
}

// atLeast is the condition that so many of the given ones hold.
func (a *analyzer) atLeast(conds []plan.Expr, least int) (plan.Expr, error) {
	var all plan.Expr
	for _, c := range conds {
		next, op := c, "and"
		if least < len(conds) {
			one, err := a.apply("case", nil, c, plan.Int(1), plan.Int(0))
			if err != nil {
				return nil, err
			}
			next, op = one, "+"
		}
		if all == nil {
			all = next
			continue
		}
		sum, err := a.apply(op, nil, all, next)
		if err != nil {
			return nil, err
		}
		all = sum
	}
	if least == len(conds) {
		return all, nil
	}
	return a.apply(">=", nil, all, plan.Int(int64(least)))
}
