package engine_test

import (
	"fmt"
	"slices"
	"strings"
)

// query is a whole statement.
func (g *queryGenerator) query() sqlText {
	g.names, g.outer = 0, nil
	if g.one(8) {
		r := g.setOperation(1)
		return r.text
	}
	if g.one(8) {
		r := g.selection(1)
		name := g.name("w")
		with := both("WITH %s AS (%s) ", name, r.text)
		body := g.selectFrom(g.over(name, r), 1)
		return both("%s%s", with, body.text)
	}
	return g.selection(2).text
}

// selection is a SELECT whose columns are named c0, c1, ….
func (g *queryGenerator) selection(depth int) relation {
	return g.selectFrom(g.from(depth), depth)
}

func (g *queryGenerator) selectFrom(from relation, depth int) relation {
	where := g.where(from.columns, depth)
	switch g.IntN(5) {
	case 0, 1:
		return g.grouped(from, where)
	case 2:
		if r, ok := g.windowed(depth); ok {
			return r
		}
	}
	return g.plain(from, where)
}

// over is a named relation under an alias.
func (g *queryGenerator) over(name string, r relation) relation {
	alias := g.name("t")
	out := relation{text: both("%s AS %s", name, alias)}
	for i, c := range r.columns {
		out.columns = append(out.columns, column{both("%s.c%d", alias, i), c.kind})
	}
	return out
}

func (g *queryGenerator) from(depth int) relation {
	r := g.relation(depth)
	for range choose(g, 0, 0, 1, 1, 2) {
		r = g.join(r, g.relation(max(depth-1, 0)))
	}
	if g.one(12) {
		r = g.lateral(r)
	}
	return r
}

// lateral joins every row with what a query over another table makes of it.
func (g *queryGenerator) lateral(l relation) relation {
	t := g.table()
	kind, alias := choose(g, "int", "big", "str"), g.name("l")
	link := both("%s = %s", g.pick(t.columns, kind), g.pick(l.columns, kind))
	made := choose(g, kinds...)
	inner := both("SELECT %s(%s) AS c0, count(*) AS c1 FROM %s WHERE %s", choose(g, "min", "max"), g.pick(t.columns, made), t.text, link)
	columns := append(slices.Clone(l.columns), column{both("%s.c0", alias), made}, column{both("%s.c1", alias), "big"})
	return relation{both("%s CROSS JOIN LATERAL (%s) AS %s", l.text, inner, alias), columns}
}

func (g *queryGenerator) relation(depth int) relation {
	switch {
	case depth > 0 && g.one(4):
		r := g.selection(depth - 1)
		return g.over2(r)
	case depth > 0 && g.one(10):
		return g.over2(g.setOperation(depth - 1))
	}
	return g.table()
}

func (g *queryGenerator) over2(r relation) relation {
	o := g.over("", r)
	o.text = both("(%s)%s", r.text, o.text)
	return o
}

func (g *queryGenerator) join(l, r relation) relation {
	columns := append(slices.Clone(l.columns), r.columns...)
	on := g.joinKey(l.columns, r.columns)
	if g.one(3) {
		on = both("%s AND %s", on, g.predicate(columns, 1))
	}
	if g.one(12) {
		on = both("%s AND %s", on, g.joinKey(l.columns, r.columns))
	}
	switch g.IntN(12) {
	case 0, 1:
		return relation{dialects("%s LEFT SEMI JOIN %s ON %s", "%s SEMI JOIN %s ON %s", l.text, r.text, on), l.columns}
	case 2, 3:
		return relation{dialects("%s LEFT ANTI JOIN %s ON %s", "%s ANTI JOIN %s ON %s", l.text, r.text, on), l.columns}
	}
	return relation{both("%s %s %s ON %s", l.text, choose(g, "JOIN", "JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"), r.text, on), columns}
}

// joinKey holds a column of one side against one of the other.
func (g *queryGenerator) joinKey(l, r []column) sqlText {
	kind := choose(g, "int", "big", "str", "dec", "date", "dbl", "big")
	x, y := g.pick(l, kind), g.pick(r, kind)
	if g.one(12) {
		return both("%s IS NOT DISTINCT FROM %s", x, y)
	}
	if kind == "int" && g.one(6) {
		y = g.pick(r, "big")
	}
	return both("%s = %s", x, y)
}

func (g *queryGenerator) where(scope []column, depth int) sqlText {
	switch g.IntN(6) {
	case 0, 1:
		return sqlText{}
	case 2:
		if depth > 0 {
			return both(" WHERE %s", g.subquery(scope))
		}
	}
	return both(" WHERE %s", g.predicate(scope, 2))
}

// subquery is a condition with a subquery.
func (g *queryGenerator) subquery(scope []column) sqlText {
	kind := choose(g, "int", "big", "str", "dec")
	x := g.pick(scope, kind)
	t := g.table()
	y := g.pick(t.columns, kind)
	link := both("%s = %s", g.pick(t.columns, "int"), g.pick(scope, "int"))
	inner := g.predicate(t.columns, 1)
	test := choose(g,
		both("%s %sIN (SELECT %s FROM %s WHERE %s)", x, choose(g, "", "NOT "), y, t.text, inner),
		both("%s %sIN (SELECT %s FROM %s WHERE %s)", x, choose(g, "", "NOT "), y, t.text, link),
		both("%sEXISTS (SELECT 1 FROM %s WHERE %s)", choose(g, "", "NOT "), t.text, link),
		both("%sEXISTS (SELECT 1 FROM %s WHERE %s AND %s)", choose(g, "", "NOT "), t.text, link, inner),
		both("%s %s (SELECT max(%s) FROM %s WHERE %s)", x, choose(g, "=", "<", ">="), y, t.text, inner),
		both("%s %s (SELECT min(%s) FROM %s WHERE %s)", x, choose(g, "=", "<", ">="), y, t.text, link),
		both("%d < (SELECT count(*) FROM %s WHERE %s)", g.IntN(3), t.text, link))
	if g.one(3) {
		return both("(%s %s %s)", test, choose(g, "AND", "OR"), g.predicate(scope, 1))
	}
	return test
}

func list(columns []column) sqlText {
	out := make([]sqlText, len(columns))
	for i, c := range columns {
		out[i] = both("%s AS c%d", c.text, i)
	}
	return joinTexts(out, ", ")
}

func (g *queryGenerator) plain(from relation, where sqlText) relation {
	var columns []column
	for range 1 + g.IntN(5) {
		kind := choose(g, kinds...)
		columns = append(columns, column{g.expr(from.columns, kind, 2), kind})
	}
	distinct := ""
	if g.one(6) {
		distinct = "DISTINCT "
	}
	if g.one(10) && distinct == "" {
		columns = append(columns, g.scalar(from.columns))
	}
	if g.one(10) && distinct == "" {
		kind := choose(g, kinds...)
		columns = append(columns, column{both("CASE WHEN %s THEN %s ELSE %s END", g.subquery(from.columns), g.pick(from.columns, kind), g.literal(kind)), kind})
	}
	text := both("SELECT %s%s FROM %s%s", distinct, list(columns), from.text, where)
	if g.one(4) && !hasRough(columns) {
		text = both("%s ORDER BY %s LIMIT %d", text, g.order(len(columns)), g.IntN(15))
		if g.one(4) {
			text = both("%s OFFSET %d", text, g.IntN(5))
		}
	}
	return relation{text, columns}
}

// scalar is a scalar subquery among a SELECT's columns.
func (g *queryGenerator) scalar(scope []column) column {
	t := g.table()
	kind := choose(g, kinds...)
	link := both("%s = %s", g.pick(t.columns, "big"), g.pick(scope, "big"))
	if g.one(2) {
		link = g.predicate(t.columns, 1)
	}
	return column{both("(SELECT %s(%s) FROM %s WHERE %s)", choose(g, "min", "max"), g.pick(t.columns, kind), t.text, link), kind}
}

func hasRough(columns []column) bool {
	return slices.ContainsFunc(columns, func(c column) bool { return c.kind == "rough" })
}

// order is by all columns, so that a limit after it leaves no choice.
func (g *queryGenerator) order(columns int) sqlText {
	var keys []sqlText
	for _, i := range g.Perm(columns) {
		keys = append(keys, both("c%d %s NULLS %s", i, choose(g, "ASC", "DESC"), choose(g, "FIRST", "LAST")))
	}
	return joinTexts(keys, ", ")
}

func (g *queryGenerator) grouped(from relation, where sqlText) relation {
	var keys []column
	for range g.IntN(4) {
		kind := choose(g, kinds...)
		c := column{g.pick(from.columns, kind), kind}
		if !slices.ContainsFunc(from.columns, func(f column) bool { return f.text == c.text }) ||
			slices.ContainsFunc(keys, func(k column) bool { return k.text == c.text }) {
			continue
		}
		keys = append(keys, c)
	}
	columns := slices.Clone(keys)
	for range 1 + g.IntN(3) {
		columns = append(columns, g.aggregate(from.columns))
	}
	by := g.groupBy(keys, &columns)
	having := sqlText{}
	if strings.Contains(by.spark, "(") { // of no rows Spark makes no row for the set (), and DuckDB one
		having = both(" HAVING count(*) > 0")
	} else if g.one(5) && by != (sqlText{}) {
		having = both(" HAVING count(*) > %d", g.IntN(4))
	}
	return relation{both("SELECT %s FROM %s%s%s%s", list(columns), from.text, where, by, having), columns}
}

// groupBy is the clause; with sets it may add grouping() to the columns.
func (g *queryGenerator) groupBy(keys []column, columns *[]column) sqlText {
	if len(keys) == 0 {
		return sqlText{}
	}
	texts := make([]sqlText, len(keys))
	for i, k := range keys {
		texts[i] = k.text
	}
	all := joinTexts(texts, ", ")
	if g.one(5) {
		*columns = append(*columns, column{both("grouping(%s)", texts[0]), "rough"})
		return choose(g, both(" GROUP BY ROLLUP(%s)", all), both(" GROUP BY CUBE(%s)", all), both(" GROUP BY GROUPING SETS ((%s), (%s), ())", all, texts[0]),
			both(" GROUP BY GROUPING SETS ((%s), (%s))", texts[len(texts)-1], all))
	}
	return both(" GROUP BY %s", all)
}

// windowed is a SELECT of window functions over one table, whose id makes orders total.
func (g *queryGenerator) windowed(depth int) (relation, bool) {
	t := g.table()
	id := t.columns[0]
	columns := []column{id}
	for range 1 + g.IntN(3) {
		columns = append(columns, g.window(t.columns, id.text))
	}
	return relation{both("SELECT %s FROM %s%s", list(columns), t.text, g.where(t.columns, depth)), columns}, true
}

// setOperation joins two SELECTs of the same kinds.
func (g *queryGenerator) setOperation(depth int) relation {
	want := make([]string, 1+g.IntN(3))
	for i := range want {
		want[i] = choose(g, kinds...)
	}
	side := func() sqlText {
		from := g.from(depth)
		columns := make([]column, len(want))
		for i, k := range want {
			columns[i] = column{g.expr(from.columns, k, 1), k}
		}
		return both("SELECT %s FROM %s%s", list(columns), from.text, g.where(from.columns, 0))
	}
	columns := make([]column, len(want))
	for i, k := range want {
		columns[i] = column{kind: k, text: sqlText{spark: fmt.Sprint("c", i)}}
	}
	return relation{both("(%s) %s (%s)", side(), choose(g, "UNION ALL", "UNION", "INTERSECT", "EXCEPT", "INTERSECT ALL", "EXCEPT ALL"), side()), columns}
}
