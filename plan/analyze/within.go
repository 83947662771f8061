package analyze

import (
	"strings"

	"millrace/errs"
	"millrace/plan"
	"millrace/plan/fn"
	"millrace/types"
)

func init() {
	for _, name := range []string{"percentile_cont", "percentile_disc", "mode"} {
		special[name] = (*analyzer).orderedValue
	}
	for _, name := range []string{"listagg", "string_agg"} {
		special[name] = (*analyzer).listagg
	}
}

func invalidWithin(u *plan.UnresolvedFunction, why string, params ...string) error {
	return errs.New("INVALID_WITHIN_GROUP_EXPRESSION."+why, append([]string{"funcName", types.Quote(strings.ToLower(u.Name[len(u.Name)-1]))}, params...)...)
}

// orderedValue resolves the aggregates whose argument is what WITHIN GROUP orders by: percentile_cont(0.5) WITHIN GROUP (ORDER BY v) is a
// call over v and 0.5. The mode of an order's key is a mode(v) whose ties the order decides.
func (a *analyzer) orderedValue(s *scope, u *plan.UnresolvedFunction) (plan.Expr, error) {
	name := lowered(u.Name[len(u.Name)-1])
	want, args := 1, len(u.Args)
	if name == "mode" && args > 0 {
		want = 0
	}
	switch {
	case name == "mode" && args > 2:
		return nil, wrongArgs(u.Name, 0, 2, args)
	case name != "mode" && args != 1:
		return nil, wrongArgs(u.Name, 1, 1, args)
	case u.Distinct:
		return nil, invalidWithin(u, "DISTINCT_UNSUPPORTED")
	case want > 0 && len(u.OrderWithin) == 0:
		return nil, invalidWithin(u, "WITHIN_GROUP_MISSING")
	case len(u.OrderWithin) != want:
		return nil, invalidWithin(u, "WRONG_NUM_ORDERINGS", "expectedNum", itoa(want), "actualNum", itoa(len(u.OrderWithin)))
	}
	if want == 0 {
		return a.modeOf(s, u)
	}
	key := u.OrderWithin[0]
	v := *u
	v.Args, v.OrderWithin = append([]plan.Expr{key.Child}, u.Args...), nil
	e, err := a.ordinary(s, &v, name)
	if err != nil {
		return nil, err
	}
	c := e.(*plan.Call)
	desc := key.Desc
	c.Options = map[string]string{"desc": boolText(desc)}
	if name == "percentile_disc" && a.fn.Conf != nil && a.fn.Conf("spark.sql.legacy.percentileDiscCalculation") == "true" {
		c.Options["legacy"] = "true"
	}
	written := strings.TrimSuffix(strings.TrimSuffix(c.Pretty, printer{}.suffixed("", c)), ")") // what was written of constants, which are values now
	rest := strings.TrimPrefix(strings.TrimPrefix(written, name+"("+Pretty(c.Args[0])), ", ")
	shown := name + "(" + rest + ") WITHIN GROUP (ORDER BY " + Pretty(c.Args[0])
	if desc != (name == "mode") { // Spark shows the order of a mode the wrong way round
		shown += " DESC"
	}
	c.Pretty = printer{}.suffixed(shown+")", c)
	return c, nil
}

// modeOf resolves mode(v) and mode(v, deterministic).
func (a *analyzer) modeOf(s *scope, u *plan.UnresolvedFunction) (plan.Expr, error) {
	v := *u
	v.Args = u.Args[:1]
	e, err := a.ordinary(s, &v, "mode")
	if err != nil || len(u.Args) == 1 {
		return e, err
	}
	flag, err := a.expr(s, u.Args[1])
	if err != nil {
		return nil, err
	}
	l := a.constant(flag)
	if l == nil {
		return nil, errs.New("NON_FOLDABLE_ARGUMENT", "funcName", "`mode`", "paramName", "`deterministic`", "paramType", `"BOOLEAN"`)
	}
	if l.Value == nil {
		return nil, errs.New("DATATYPE_MISMATCH.UNEXPECTED_NULL", "sqlExpr", SQL(l), "exprName", "`deterministic`")
	}
	on, ok := l.Value.(bool)
	if !ok {
		arg := a.describe(flag)
		return nil, fn.WithSQL(errs.New("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "sqlExpr", "", "paramIndex", "second", "inputSql", SQL(flag),
			"inputType", sqlType(arg.Type), "requiredType", `"BOOLEAN"`), "mode("+Pretty(flag)+")")
	}
	if c := e.(*plan.Call); on {
		c.Options = map[string]string{"desc": "false"}
		c.Pretty = printer{}.suffixed("mode() WITHIN GROUP (ORDER BY "+Pretty(c.Args[0])+" DESC)", c)
	}
	return e, nil
}

func boolText(b bool) string {
	if b {
		return "true"
	}
	return "false"
}

// listagg resolves listagg(x, delimiter) WITHIN GROUP (ORDER BY …): the order's keys become arguments, their directions options.
func (a *analyzer) listagg(s *scope, u *plan.UnresolvedFunction) (plan.Expr, error) {
	if n := len(u.Args); n < 1 || n > 2 {
		return nil, wrongArgs(u.Name, 1, 2, n)
	}
	v := *u
	v.OrderWithin = nil
	if len(v.Args) == 1 {
		v.Args = []plan.Expr{v.Args[0], &plan.Literal{T: types.Null}}
	}
	e, err := a.ordinary(s, &v, lowered(u.Name[len(u.Name)-1]))
	if err != nil {
		return nil, err
	}
	c := e.(*plan.Call)
	if len(u.OrderWithin) == 0 {
		return c, nil
	}
	shown := prettyCall("listagg", c)
	var keys []string
	order := ""
	for _, o := range u.OrderWithin {
		k, err := a.expr(s, o)
		if err != nil {
			return nil, err
		}
		key := k.(*plan.SortOrder)
		keys = append(keys, printer{}.sortOrder(key))
		order += map[bool]string{false: "a", true: "d"}[key.Desc] + map[bool]string{false: "l", true: "f"}[key.NullsSortFirst()]
		if c.Distinct && (len(u.OrderWithin) > 1 || !equal(uncast(c.Args[0]), key.Child)) {
			return nil, invalidWithin(u, "MISMATCH_WITH_DISTINCT_INPUT", "funcArg", SQL(c.Args[0]), "orderingExpr", quotedKeys(u.OrderWithin, a, s))
		}
		by, err := ownKey(key.Child)
		if err != nil {
			return nil, err
		}
		c.Args = append(c.Args, by)
	}
	c.Options = map[string]string{"order": order}
	c.Pretty = printer{}.suffixed(shown+" WITHIN GROUP (ORDER BY "+join(keys)+")", c)
	return c, nil
}

// uncast looks below the conversion of an argument.
func uncast(e plan.Expr) plan.Expr {
	if c, ok := e.(*plan.Cast); ok {
		return c.Child
	}
	return e
}

func quotedKeys(order []*plan.SortOrder, a *analyzer, s *scope) string {
	var list []string
	for _, o := range order {
		if k, err := a.expr(s, o.Child); err == nil {
			list = append(list, SQL(k))
		}
	}
	return join(list)
}
