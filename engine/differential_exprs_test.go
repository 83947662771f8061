package engine_test

import "fmt"

// literal is a constant of a kind.
func (g *queryGenerator) literal(kind string) sqlText {
	if g.one(12) {
		return dialects("CAST(NULL AS %s)", "CAST(NULL AS "+duckTypes[kind]+")%.0s", sparkTypes[kind])
	}
	switch v := g.value(kind); kind {
	case "big":
		return both("CAST(%s AS BIGINT)", v)
	case "dec":
		return both("CAST('%s' AS DECIMAL(10,2))", v)
	default:
		return both("%s", v)
	}
}

// pick is a column of a kind, or a constant where there is none.
func (g *queryGenerator) pick(scope []column, kind string) sqlText {
	var fit []column
	for _, c := range scope {
		if c.kind == kind {
			fit = append(fit, c)
		}
	}
	if len(fit) == 0 || g.one(10) {
		return g.literal(kind)
	}
	return choose(g, fit...).text
}

// expr is an expression of a kind.
func (g *queryGenerator) expr(scope []column, kind string, depth int) sqlText {
	if depth == 0 || g.one(3) {
		return g.pick(scope, kind)
	}
	sub := func(k string) sqlText { return g.expr(scope, k, depth-1) }
	if kind == "bool" {
		return g.predicate(scope, depth)
	}
	if g.one(3) {
		return g.branch(scope, kind, depth)
	}
	switch kind {
	case "int":
		return g.intExpr(sub)
	case "big":
		return choose(g, func() sqlText { return both("(%s + %s)", sub("big"), sub("int")) },
			func() sqlText { return both("(%s - %s)", sub("big"), sub("big")) }, func() sqlText { return both("CAST(%s AS BIGINT)", sub("int")) },
			func() sqlText { return both("abs(%s)", sub("big")) }, func() sqlText { return both("(%s * %d)", sub("big"), g.IntN(4)) })()
	case "dec":
		return choose(g, func() sqlText { return both("(%s + %s)", sub("dec"), sub("dec")) }, func() sqlText { return both("(%s - %s)", sub("dec"), sub("dec")) },
			func() sqlText { return both("abs(%s)", sub("dec")) }, func() sqlText { return both("(- %s)", sub("dec")) })()
	case "dbl":
		return choose(g, func() sqlText { return both("(%s + %s)", sub("dbl"), sub("dbl")) }, func() sqlText { return both("(%s * %s)", sub("dbl"), sub("int")) },
			func() sqlText { return both("CAST(%s AS DOUBLE)", sub("int")) }, func() sqlText { return both("(%s / 4)", sub("int")) },
			func() sqlText { return both("abs(%s)", sub("dbl")) }, func() sqlText { return both("CAST(%s AS DOUBLE)", sub("dec")) })()
	case "str":
		return g.strExpr(sub)
	case "date":
		return choose(g, func() sqlText { return both("(%s + %d)", sub("date"), g.IntN(40)) }, func() sqlText { return both("CAST(date_trunc('month', %s) AS DATE)", sub("date")) },
			func() sqlText { return both("CAST(%s AS DATE)", sub("ts")) }, func() sqlText { return both("last_day(%s)", sub("date")) })()
	}
	return choose(g, func() sqlText { return both("date_trunc('hour', %s)", sub("ts")) }, func() sqlText { return both("CAST(%s AS TIMESTAMP)", sub("date")) },
		func() sqlText { return both("(%s + INTERVAL '%d' HOUR)", sub("ts"), g.IntN(30)) })()
}

func (g *queryGenerator) intExpr(sub func(string) sqlText) sqlText {
	return choose(g, func() sqlText { return both("(%s + %s)", sub("int"), sub("int")) }, func() sqlText { return both("(%s - %s)", sub("int"), sub("int")) },
		func() sqlText { return both("(%s * %d)", sub("int"), g.IntN(5)-1) }, func() sqlText { return both("abs(%s)", sub("int")) },
		func() sqlText { return both("(%s %% %d)", sub("int"), 1+g.IntN(5)) }, func() sqlText { return both("CAST(length(%s) AS INT)", sub("str")) },
		func() sqlText { return both("CAST(month(%s) AS INT)", sub("date")) }, func() sqlText { return both("CAST(%s AS INT)", sub("bool")) },
		func() sqlText { return both("CAST(year(%s) AS INT)", sub("ts")) }, func() sqlText { return both("CAST(instr(%s, 'b') AS INT)", sub("str")) },
		func() sqlText {
			return dialects("datediff(%s, %s)", "CAST(date_diff('day', %[2]s, %[1]s) AS INT)", sub("date"), sub("date"))
		},
		func() sqlText { return both("(%s & %s)", sub("int"), sub("int")) }, func() sqlText { return both("(- %s)", sub("int")) })()
}

func (g *queryGenerator) strExpr(sub func(string) sqlText) sqlText {
	return choose(g, func() sqlText { return both("(%s || %s)", sub("str"), sub("str")) }, func() sqlText { return both("upper(%s)", sub("str")) },
		func() sqlText { return both("lower(%s)", sub("str")) }, func() sqlText { return both("substring(%s, %d, %d)", sub("str"), 1+g.IntN(2), g.IntN(3)) },
		func() sqlText { return both("replace(%s, 'a', 'xy')", sub("str")) }, func() sqlText { return both("trim(%s)", sub("str")) },
		func() sqlText { return both("CAST(%s AS VARCHAR(20))", sub("int")) }, func() sqlText { return both("CAST(%s AS VARCHAR(20))", sub("date")) },
		func() sqlText { return both("reverse(%s)", sub("str")) }, func() sqlText { return both("concat_ws('-', %s, %s)", sub("str"), sub("str")) },
		func() sqlText { return both("lpad(%s, 3, '*')", sub("str")) }, func() sqlText { return both("left(%s, 1)", sub("str")) })()
}

// branch chooses between expressions of a kind.
func (g *queryGenerator) branch(scope []column, kind string, depth int) sqlText {
	sub := func() sqlText { return g.expr(scope, kind, depth-1) }
	switch g.IntN(9) {
	case 5:
		return dialects("named_struct('a', %s, 'b', %s).b", "struct_pack(a := %s, b := %s).b", g.literal("int"), sub())
	case 6:
		i := g.IntN(2)
		return dialects("array(%[1]s, %[2]s)[%[3]d]", "list_value(%[1]s, %[2]s)[%[4]d]", sub(), sub(), i, i+1)
	case 7:
		return dialects("array_max(array(%s, %s, %s))", "list_max(list_value(%s, %s, %s))", sub(), sub(), sub())
	case 8:
		return dialects("map('k', %[1]s, 'l', %[2]s)['l']", "map_extract_value(map(['k', 'l'], [%[1]s, %[2]s]), 'l')", sub(), sub())
	case 0:
		return both("coalesce(%s, %s)", sub(), sub())
	case 1:
		return both("nullif(%s, %s)", sub(), g.literal(kind))
	case 2:
		return both("%s(%s, %s)", choose(g, "greatest", "least"), sub(), sub())
	case 3:
		k := choose(g, "int", "str", "bool")
		return both("CASE %s WHEN %s THEN %s WHEN %s THEN %s ELSE %s END", g.pick(scope, k), g.literal(k), sub(), g.literal(k), sub(), sub())
	}
	otherwise := sqlText{}
	if !g.one(3) {
		otherwise = both(" ELSE %s", sub())
	}
	return both("CASE WHEN %s THEN %s%s END", g.predicate(scope, depth-1), sub(), otherwise)
}

// predicate is a condition.
func (g *queryGenerator) predicate(scope []column, depth int) sqlText {
	if depth > 0 && g.one(2) {
		a, b := g.predicate(scope, depth-1), g.predicate(scope, depth-1)
		return choose(g, func() sqlText { return both("(%s AND %s)", a, b) }, func() sqlText { return both("(%s OR %s)", a, b) }, func() sqlText { return both("(NOT %s)", a) },
			func() sqlText { return both("((%s AND %s) OR (%s AND %s))", a, b, a, g.predicate(scope, depth-1)) })()
	}
	depth = max(depth-1, 0)
	kind := choose(g, kinds...)
	x := g.expr(scope, kind, depth)
	switch g.IntN(9) {
	case 0:
		return both("(%s IS %sNULL)", x, choose(g, "", "NOT "))
	case 1:
		return both("(%s IN (%s, %s))", x, g.literal(kind), g.literal(kind))
	case 2:
		return both("(%s NOT IN (%s, %s))", x, g.literal(kind), g.literal(kind))
	case 3:
		return both("(%s BETWEEN %s AND %s)", x, g.literal(kind), g.expr(scope, kind, depth))
	case 4:
		return both("(%s IS %sDISTINCT FROM %s)", x, choose(g, "", "NOT "), g.expr(scope, kind, depth))
	case 5:
		s := g.expr(scope, "str", depth)
		return both("(%s %sLIKE '%s')", s, choose(g, "", "NOT "), choose(g, "a%", "%b", "_", "%a%", "", "a__%"))
	case 6:
		if kind == "bool" {
			return x
		}
	}
	return both("(%s %s %s)", x, choose(g, "=", "<", "<=", ">", ">=", "<>"), choose(g, g.literal(kind), g.expr(scope, kind, depth)))
}

// aggregate is an aggregate and the kind of what comes out.
func (g *queryGenerator) aggregate(scope []column) column {
	number := choose(g, "int", "big", "dec", "dbl")
	x := g.expr(scope, number, 1)
	any := choose(g, kinds...)
	y := g.expr(scope, any, 1)
	sumKind := map[string]string{"int": "rough", "big": "rough", "dec": "rough", "dbl": "rough"}[number]
	c := choose(g,
		column{both("count(*)"), "big"}, column{both("count(%s)", y), "big"}, column{both("count(DISTINCT %s)", y), "big"},
		column{both("sum(%s)", x), sumKind}, column{both("sum(DISTINCT %s)", x), sumKind}, column{both("avg(%s)", x), "rough"},
		column{both("min(%s)", y), any}, column{both("max(%s)", y), any}, column{both("avg(DISTINCT %s)", x), "rough"},
		column{dialects("bool_and(%s)", "bool_and(%s)", g.predicate(scope, 1)), "bool"}, column{both("bool_or(%s)", g.predicate(scope, 1)), "bool"},
		column{dialects("count_if(%s)", "count(CASE WHEN %s THEN 1 END)", g.predicate(scope, 1)), "rough"},
		column{both("stddev_samp(%s)", g.pick(scope, "int")), "rough"}, column{both("var_pop(%s)", g.pick(scope, "big")), "rough"},
		column{both("covar_pop(%s, %s)", g.pick(scope, "int"), g.pick(scope, "dbl")), "rough"},
		column{dialects("percentile(%s, 0.5)", "quantile_cont(%s, 0.5)", g.pick(scope, "int")), "rough"},
		column{dialects("concat_ws(',', sort_array(collect_list(%s)))", "concat_ws(',', CASE WHEN count(%[1]s) > 0 THEN array_to_string(list_sort(list(%[1]s) FILTER (WHERE %[1]s IS NOT NULL)), ',') ELSE '' END)", g.pick(scope, "str")), "str"},
		column{dialects("size(collect_set(%s))", "count(DISTINCT %s)", y), "rough"},
	)
	if g.one(5) && !isCompound(c.text.spark) {
		c.text = both("%s FILTER (WHERE %s)", c.text, g.predicate(scope, 1))
	}
	return c
}

func isCompound(s string) bool { return len(s) > 4 && (s[:4] == "size" || s[:4] == "conc") }

// window is a window function over columns with a unique id among the first relation's.
func (g *queryGenerator) window(scope []column, id sqlText) column {
	kind := choose(g, kinds...)
	by := sqlText{}
	if !g.one(4) {
		by = both("PARTITION BY %s ", g.expr(scope, choose(g, kinds...), 1))
	}
	first := g.expr(scope, choose(g, kinds...), 1)
	dir, nulls := choose(g, "ASC", "DESC"), choose(g, "FIRST", "LAST")
	total := both("ORDER BY %s %s NULLS %s, %s", first, dir, nulls, id)
	ties := both("ORDER BY %s %s NULLS %s", first, dir, nulls)
	frame := choose(g, "", " ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW", " ROWS BETWEEN 2 PRECEDING AND 1 FOLLOWING", " ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING",
		" ROWS BETWEEN 3 PRECEDING AND 1 PRECEDING", " ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING", " ROWS BETWEEN 1 FOLLOWING AND 2 FOLLOWING", " ROWS BETWEEN UNBOUNDED PRECEDING AND 2 FOLLOWING", " ROWS BETWEEN 200 PRECEDING AND 200 FOLLOWING", " ROWS BETWEEN 5 PRECEDING AND UNBOUNDED FOLLOWING", " RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING",
		" RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW")
	number := choose(g, "int", "big", "dec", "dbl")
	x, y := g.expr(scope, number, 1), g.expr(scope, kind, 1)
	over := func(f sqlText, order sqlText, frame string) sqlText {
		return both("%s OVER (%s%s%s)", f, by, order, frame)
	}
	switch g.IntN(10) {
	case 0:
		return column{over(both("row_number()"), total, ""), "big"}
	case 1:
		return column{over(both("%s()", choose(g, "rank", "dense_rank")), ties, ""), "big"}
	case 2:
		return column{over(both("%s(%s, %d)", choose(g, "lag", "lead"), y, 1+g.IntN(2)), total, ""), kind}
	case 3:
		return column{over(both("%s(%s)", choose(g, "first_value", "last_value"), y), total, frame), kind}
	case 4:
		return column{over(both("%s()", choose(g, "percent_rank", "cume_dist")), ties, ""), "rough"}
	case 5:
		return column{over(both("ntile(%d)", 1+g.IntN(4)), total, ""), "big"}
	case 6:
		return column{over(both("%s(%s)", choose(g, "min", "max"), y), total, frame), kind}
	case 7:
		return column{over(both("%s(%s)", choose(g, "sum", "count", "avg"), x), ties, ""), "rough"}
	case 8:
		range1 := fmt.Sprintf(" RANGE BETWEEN %d PRECEDING AND %d FOLLOWING", g.IntN(3), g.IntN(3))
		return column{over(both("%s(%s)", choose(g, "sum", "count", "max"), x), both("ORDER BY %s %s NULLS %s", g.pick(scope, choose(g, "int", "big")), dir, nulls), range1), "rough"}
	}
	return column{over(both("%s(%s)", choose(g, "sum", "count", "avg"), x), total, frame), "rough"}
}
