package engine_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"millrace/errs"
	"millrace/session"
)

// randomQueries is how many queries TestRandom makes.
const randomQueries = 300

// TestRandom runs random queries as they are written by one task, which is simple enough to be right, and optimised by several: the rows
// must be the same. With MILLRACE_QUERIES=FILE it writes them down, for testdata/take.py to ask Spark.
func TestRandom(t *testing.T) {
	g := &generator{rand.New(rand.NewPCG(7, 7))}
	statements := g.tables()
	var queries []string
	for range randomQueries {
		queries = append(queries, g.query())
	}
	if path := os.Getenv("MILLRACE_QUERIES"); path != "" {
		writeRecords(t, path, statements, queries)
	}
	var sessions []*session.Session
	for i, s := range []setup{{1, false, plenty, true}, {4, false, plenty, true}, {4, true, 1 << 20, false}, {3, false, plenty, false}} {
		ses := newCluster(t, s).session()
		if i == 0 {
			statements = append([]string{"SET millrace.optimizer.enabled = false"}, statements...)
		}
		for _, text := range statements {
			if _, _, err := query(ses, text); err != nil {
				t.Fatalf("%s\n%v", text, err)
			}
		}
		if i == 0 {
			statements = statements[1:]
		}
		sessions = append(sessions, ses)
	}
	for _, text := range queries {
		want := outcome(t, sessions[0], text)
		for i, ses := range sessions[1:] {
			if got := outcome(t, ses, text); got != want {
				t.Errorf("%s\nshould give\n%s\nand with setup %d gives\n%s", text, want, i+1, got)
			}
		}
	}
}

// outcome is a query's rows in no order, or its error's condition.
func outcome(t *testing.T, s *session.Session, text string) string {
	_, rows, err := query(s, text)
	if errs.Is(err, errs.Internal) {
		t.Errorf("%s\n%v", text, err)
	}
	if err != nil {
		return "error " + condition(err) + " " + err.Error()
	}
	slices.Sort(rows)
	return strings.Join(rows, "\n")
}

func writeRecords(t *testing.T, path string, statements, queries []string) {
	var b strings.Builder
	b.WriteString("# Made by TestRandom.\n")
	for _, s := range statements {
		b.WriteString("\nstatement\n" + s + "\n")
	}
	for _, q := range queries {
		b.WriteString("\nquery\n" + q + "\n")
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}

// generator makes random statements. All tables have the columns k INT, n BIGINT, s STRING and d DECIMAL(10,2); there is no division
// and no cast, so that no row can be an error in one order of evaluation only.
type generator struct{ *rand.Rand }

func pick[T any](g *generator, list ...T) T { return list[g.IntN(len(list))] }

func (g *generator) tables() []string {
	var out []string
	for i, rows := range []int{40, 12, 0} {
		out = append(out, fmt.Sprintf("CREATE TABLE t%d (k INT, n BIGINT, s STRING, d DECIMAL(10,2)) USING delta", i))
		for rows > 0 {
			some := min(rows, 1+g.IntN(20))
			rows -= some
			var values []string
			for range some {
				values = append(values, fmt.Sprintf("(%s, %s, %s, %s)", g.literal("k"), g.literal("n"), g.literal("s"), g.literal("d")))
			}
			out = append(out, fmt.Sprintf("INSERT INTO t%d VALUES %s", i, strings.Join(values, ", ")))
		}
	}
	return out
}

var columns = []string{"k", "n", "s", "d"}

func (g *generator) literal(column string) string {
	if g.IntN(6) == 0 {
		return "NULL"
	}
	switch column {
	case "k":
		return fmt.Sprint(g.IntN(8))
	case "n":
		return fmt.Sprintf("%dL", g.IntN(12)-2)
	case "d":
		return fmt.Sprintf("%d.%02d", g.IntN(5), 25*g.IntN(4))
	}
	return pick(g, "'a'", "'b'", "'ab'", "''", "'c'")
}

// query makes SELECT … FROM … with whatever else comes to mind.
func (g *generator) query() string {
	if g.IntN(8) == 0 {
		return g.plain(1) + pick(g, " UNION ALL ", " UNION ", " INTERSECT ", " EXCEPT ") + g.plain(1)
	}
	if g.IntN(2) == 0 {
		return g.grouped()
	}
	q := g.plain(2)
	if g.IntN(3) == 0 {
		q += " ORDER BY " + pick(g, "1, 2, 3, 4", "4 DESC, 3, 2, 1 DESC", "2 NULLS LAST, 1, 3, 4 DESC NULLS FIRST")
		if g.IntN(2) == 0 {
			q += fmt.Sprintf(" LIMIT %d", g.IntN(20))
		}
		if g.IntN(4) == 0 {
			q += fmt.Sprintf(" OFFSET %d", g.IntN(10))
		}
	}
	return q
}

// plain makes a query of the columns k, n, s and d.
func (g *generator) plain(depth int) string {
	from, names := g.from(depth)
	distinct := ""
	if g.IntN(5) == 0 {
		distinct = "DISTINCT "
	}
	exprs := make([]string, len(columns))
	for i, c := range columns {
		exprs[i] = g.expr(names, c) + " AS " + c
	}
	return "SELECT " + distinct + strings.Join(exprs, ", ") + " FROM " + from + g.where(names)
}

func (g *generator) grouped() string {
	from, names := g.from(2)
	keys := []string{g.expr(names, pick(g, columns...))}
	if g.IntN(2) == 0 {
		keys = append(keys, g.column(names, pick(g, columns...)))
	}
	list := slices.Clone(keys)
	for range 1 + g.IntN(3) {
		list = append(list, g.aggregate(names))
	}
	q := "SELECT " + strings.Join(list, ", ") + " FROM " + from + g.where(names)
	if g.IntN(5) == 0 {
		return "SELECT " + strings.Join(list[len(keys):], ", ") + " FROM " + from + g.where(names)
	}
	q += " GROUP BY " + strings.Join(keys, ", ")
	if g.IntN(3) == 0 {
		q += " HAVING " + g.aggregate(names) + pick(g, " IS NOT NULL", " IS NULL")
	}
	return q
}

func (g *generator) aggregate(names []string) string {
	numeric := g.expr(names, pick(g, "k", "n", "d"))
	any := g.expr(names, pick(g, columns...))
	return pick(g, "count(*)", "count("+any+")", "sum("+numeric+")", "min("+any+")", "max("+any+")", "avg("+numeric+")",
		"count(DISTINCT "+any+")", "sum(DISTINCT "+numeric+")", "count(*) FILTER (WHERE "+g.predicate(names, 1)+")")
}

// from makes a relation and returns the names of what in it has the columns.
func (g *generator) from(depth int) (string, []string) {
	left := fmt.Sprintf("x%d", g.IntN(1000))
	relation := g.relation(depth) + " AS " + left
	names := []string{left}
	for depth > 0 && g.IntN(2) == 0 {
		depth--
		right := fmt.Sprintf("y%d", g.IntN(1_000_000))
		kind := pick(g, "JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "LEFT SEMI JOIN", "LEFT ANTI JOIN", "CROSS JOIN")
		relation += " " + kind + " " + g.relation(depth) + " AS " + right
		if kind != "CROSS JOIN" {
			relation += " ON " + g.condition(names, right)
		}
		if !strings.Contains(kind, "SEMI") && !strings.Contains(kind, "ANTI") {
			names = append(names, right)
		}
	}
	return relation, names
}

func (g *generator) relation(depth int) string {
	switch {
	case depth > 0 && g.IntN(4) == 0:
		return "(" + g.plain(depth-1) + ")"
	case depth > 0 && g.IntN(8) == 0:
		return "(" + g.plain(0) + " UNION ALL " + g.plain(0) + ")"
	case depth > 0 && g.IntN(8) == 0:
		return "(SELECT k, max(n) AS n, min(s) AS s, sum(d) AS d FROM " + g.table() + " GROUP BY k)"
	}
	return g.table()
}

func (g *generator) table() string { return pick(g, "t0", "t0", "t0", "t1", "t1", "t2") }

// condition is a join's.
func (g *generator) condition(left []string, right string) string {
	c := pick(g, columns...)
	eq := g.column(left, c) + pick(g, " = ", " = ", " = ", " <=> ", " < ") + right + "." + c
	if g.IntN(3) == 0 {
		eq += " AND " + g.predicate(append(slices.Clone(left), right), 1)
	}
	return eq
}

func (g *generator) where(names []string) string {
	switch g.IntN(5) {
	case 0, 1:
		return ""
	case 2:
		return " WHERE " + g.subquery(names)
	}
	return " WHERE " + g.predicate(names, 2)
}

func (g *generator) subquery(names []string) string {
	c := pick(g, columns...)
	x := g.column(names, c)
	t := g.table()
	test := pick(g, x+" IN (SELECT "+c+" FROM "+t+")", x+" NOT IN (SELECT "+c+" FROM "+t+")",
		x+" NOT IN (SELECT "+c+" FROM "+t+" WHERE "+c+" IS NOT NULL)", "EXISTS (SELECT 1 FROM "+t+" AS z WHERE z."+c+" = "+x+")",
		"NOT EXISTS (SELECT 1 FROM "+t+" AS z WHERE z."+c+" = "+x+")", x+" = (SELECT max("+c+") FROM "+t+")",
		x+" >= (SELECT min(z."+c+") FROM "+t+" AS z WHERE z.k = "+g.column(names, "k")+")")
	if g.IntN(3) == 0 {
		test += " AND " + g.predicate(names, 1)
	}
	return test
}

func (g *generator) predicate(names []string, depth int) string {
	c := pick(g, columns...)
	if depth > 0 && g.IntN(2) == 0 {
		a, b := g.predicate(names, depth-1), g.predicate(names, depth-1)
		return pick(g, "("+a+" AND "+b+")", "("+a+" OR "+b+")", "NOT ("+a+")")
	}
	x := g.expr(names, c)
	return pick(g, x+pick(g, " = ", " < ", " >= ", " <> ")+g.expr(names, c), x+pick(g, " = ", " > ", " <= ")+g.literal(c), x+" IS NULL",
		x+" IS NOT NULL", x+" IN ("+g.literal(c)+", "+g.literal(c)+")", x+" BETWEEN "+g.literal(c)+" AND "+g.literal(c))
}

func (g *generator) column(names []string, c string) string { return pick(g, names...) + "." + c }

// expr is an expression of a column's type or nearly so.
func (g *generator) expr(names []string, c string) string {
	x, y := g.column(names, c), g.column(names, c)
	if g.IntN(2) == 0 {
		return x
	}
	choice := pick(g, "coalesce("+x+", "+y+")", "CASE WHEN "+x+" = "+y+" THEN "+g.literal(c)+" ELSE "+x+" END", "nullif("+x+", "+g.literal(c)+")", "if("+x+" IS NULL, "+y+", "+x+")")
	if c == "s" {
		return pick(g, choice, "concat("+x+", "+y+")", "upper("+x+")")
	}
	return pick(g, choice, "("+x+" + "+y+")", "("+x+" - "+y+")", "-"+x)
}
