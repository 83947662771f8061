package engine_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"millrace/errs"
	"millrace/session"
)

// differentialQueries are how many queries TestDifferential makes unless MILLRACE_FUZZ says how many, from the seed MILLRACE_FUZZ_SEED.
const differentialQueries = 150

// queriesPerRound is how many queries share their tables.
const queriesPerRound = 50

// maxCompared is how many digits the number of rows may have that a query's self-check reads.
const maxCompared = 5

// TestDifferential holds random queries over random tables against DuckDB, where it is set up, and against themselves: run as they are written by one task, and
// optimised by several, staged and pipelined, with little memory, with and without broadcasts.
func TestDifferential(t *testing.T) {
	queries, seed := envInt(t, "MILLRACE_FUZZ", differentialQueries), uint64(envInt(t, "MILLRACE_FUZZ_SEED", 1))
	d := &differential{t: t, peer: newPeer(t), refused: map[string]int{}}
	if d.peer != nil { // both take date_trunc('hour', t) <> x for true where t is null
		if _, err := d.peer.query("SET disabled_optimizers = 'statistics_propagation,expression_rewriter'"); err != nil {
			t.Fatal(err)
		}
	}
	for queries > 0 {
		n := min(queries, queriesPerRound)
		queries -= n
		if !t.Run(fmt.Sprint("seed-", seed), func(t *testing.T) { d.round(t, seed, n) }) && os.Getenv("MILLRACE_FUZZ_ON") == "" {
			break
		}
		seed++
	}
	t.Logf("%d queries were held against DuckDB, %d against themselves alone", d.against, d.alone)
	for what, n := range d.refused {
		t.Logf("refused %d times: %s", n, what)
	}
	if d.against+d.alone == 0 {
		t.Error("no query was compared")
	}
}

func envInt(t testing.TB, name string, otherwise int) int {
	v := os.Getenv(name)
	if v == "" {
		return otherwise
	}
	n, err := strconv.Atoi(v)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// differential counts what was compared.
type differential struct {
	t              *testing.T
	peer           *peer
	against, alone int // queries held against DuckDB, and against themselves
	refused        map[string]int
}

// round makes tables and runs queries over them.
func (d *differential) round(t *testing.T, seed uint64, queries int) {
	g := newQueryGenerator(seed)
	statements := g.tables()
	plain := newCluster(t, setup{1, false, plenty, true})
	clusters := []*cluster{plain}
	for _, s := range []setup{{2 + int(seed%3), seed%2 == 0, plenty, seed%3 == 0}, {1 + int(seed%4), seed%2 == 1, scarce, seed%5 == 0}} {
		clusters = append(clusters, newCluster(t, s))
	}
	var sessions []*session.Session
	for i, c := range clusters {
		ses := c.session()
		if i == 0 {
			mustRun(t, ses, "SET millrace.optimizer.enabled = false")
		}
		for _, s := range statements {
			mustRun(t, ses, s.spark)
		}
		sessions = append(sessions, ses)
	}
	if d.peer != nil {
		for _, s := range statements {
			if _, err := d.peer.query(s.duck); err != nil {
				t.Fatalf("DuckDB: %v\n%s", err, s.duck)
			}
		}
	}
	for range queries {
		if g.one(3) {
			d.logic(t, g, sessions[1:])
			continue
		}
		d.compare(t, g.query(), sessions)
		if t.Failed() && os.Getenv("MILLRACE_FUZZ_ON") == "" {
			return
		}
	}
	for _, c := range clusters {
		if used := c.runner.Pool.Used(); used != 0 {
			t.Errorf("%d bytes are still reserved", used)
		}
	}
}

func mustRun(t *testing.T, s *session.Session, text string) {
	t.Helper()
	if _, _, err := query(s, text); err != nil {
		t.Fatalf("%s\n%v", text, err)
	}
}

// patience is how long a query may take in one set-up.
const patience = time.Minute

// compare runs a query everywhere.
func (d *differential) compare(t *testing.T, q sqlText, sessions []*session.Session) {
	var want [][]string
	by := ""
	if d.peer != nil {
		rows, err := d.peer.query(q.duck)
		if err != nil {
			t.Errorf("DuckDB: %v\n%s", err, q.duck)
			return
		}
		want, by = rows, "DuckDB"
	}
	for i, ses := range sessions {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		rows, err := cellsOf(ctx, ses, q.spark)
		cancel()
		if i == 0 && errors.Is(err, context.DeadlineExceeded) && d.peer != nil { // as it is written it may be a loop over all pairs
			d.refused["as it is written it takes too long"]++
			continue
		}
		if errs.Is(err, errs.Unsupported) || condition(err) == "UNRESOLVED_ROUTINE" || errs.Is(err, errs.Exhausted) && i == len(sessions)-1 {
			d.refused[firstWords(err.Error())]++
			return
		}
		if err != nil {
			t.Errorf("setup %d: [%s] %v\n%s", i, condition(err), err, q.spark)
			return
		}
		if by == "" {
			want, by = rows, "setup 0"
			continue
		}
		if wrong := bagDifference(want, rows); wrong != "" {
			t.Errorf("setup %d and %s differ: %s\n%s\n-- DuckDB:\n%s", i, by, wrong, q.spark, q.duck)
			return
		}
	}
	if d.peer != nil {
		d.against++
	} else {
		d.alone++
	}
}

// logic holds a condition against itself, as TLP and NoREC do: the rows for which it is true, false and unknown are all rows, and filters keep as many rows as there are for which it
// is true where it is computed as a column.
func (d *differential) logic(t *testing.T, g *queryGenerator, sessions []*session.Session) {
	g.names = 0
	from := g.from(1)
	var columns []column
	for range 1 + g.IntN(3) {
		kind := choose(g, kinds...)
		columns = append(columns, column{g.pick(from.columns, kind), kind})
	}
	p := g.predicate(from.columns, 3) // without subqueries: an IN that is a value is never unknown in Spark
	selected, ses := list(columns).spark, choose(g, sessions...)
	all := fmt.Sprintf("SELECT %s FROM %s", selected, from.text.spark)
	if n, err := cellsOf(t.Context(), ses, "SELECT count(*) FROM "+from.text.spark); err == nil && len(n[0][0]) > maxCompared {
		d.refused["more rows than are compared as text"]++
		return
	}
	part := func(cond string) string { return fmt.Sprintf("%s WHERE %s", all, fmt.Sprintf(cond, p.spark)) }
	pairs := [][2]string{
		{all, part("%s") + " UNION ALL " + part("NOT (%s)") + " UNION ALL " + part("(%s) IS NULL")},
		{fmt.Sprintf("SELECT count(*) FROM %s WHERE %s", from.text.spark, p.spark),
			fmt.Sprintf("SELECT count(CASE WHEN c THEN 1 END) FROM (SELECT %s AS c FROM %s)", p.spark, from.text.spark)},
	}
	for _, pair := range pairs {
		var rows [2][][]string
		for i, text := range pair {
			var err error
			if rows[i], err = cellsOf(t.Context(), ses, text); errs.Is(err, errs.Unsupported) {
				d.refused[firstWords(err.Error())]++
				return
			} else if err != nil {
				t.Errorf("[%s] %v\n%s", condition(err), err, text)
				return
			}
		}
		if wrong := bagDifference(rows[0], rows[1]); wrong != "" {
			t.Errorf("%s\n%s\n-- and\n%s", wrong, pair[0], pair[1])
			return
		}
		d.alone++
	}
}

func firstWords(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	if len(s) > 120 {
		s = s[:120]
	}
	return s
}

// cellsOf is a query's rows, cell by cell.
func cellsOf(ctx context.Context, s *session.Session, text string) ([][]string, error) {
	_, lines, err := queryWithin(ctx, s, text)
	rows := make([][]string, len(lines))
	for i, l := range lines {
		rows[i] = strings.Split(l, " | ")
	}
	return rows, err
}

// queryGenerator makes random queries in two dialects.
type queryGenerator struct {
	*rand.Rand
	base  []relation
	names int
	outer []column // that a subquery may refer to
}

func newQueryGenerator(seed uint64) *queryGenerator {
	return &queryGenerator{Rand: rand.New(rand.NewPCG(seed, 42))}
}

// sqlText is a text in Spark's dialect and in DuckDB's.
type sqlText struct{ spark, duck string }

// both fills a format that both dialects share; arguments are sqlTexts or anything else.
func both(format string, args ...any) sqlText { return dialects(format, format, args...) }

// dialects fills each dialect's own format.
func dialects(spark, duck string, args ...any) sqlText {
	s, d := slices.Clone(args), slices.Clone(args)
	for i, a := range args {
		if x, ok := a.(sqlText); ok {
			s[i], d[i] = x.spark, x.duck
		}
	}
	return sqlText{fmt.Sprintf(spark, s...), fmt.Sprintf(duck, d...)}
}

func joinTexts(list []sqlText, sep string) sqlText {
	var s, d []string
	for _, x := range list {
		s, d = append(s, x.spark), append(d, x.duck)
	}
	return sqlText{strings.Join(s, sep), strings.Join(d, sep)}
}

// column is an expression of a kind: bool, int, big, dec, dbl, str, date or ts, or rough for numbers whose last digits are not certain, which are not compared with
// anything.
type column struct {
	text sqlText
	kind string
}

// relation can stand in a FROM; its columns are named there.
type relation struct {
	text    sqlText
	columns []column
}

var kinds = []string{"bool", "int", "big", "dec", "dbl", "str", "date", "ts"}

func (g *queryGenerator) one(in int) bool { return g.IntN(in) == 0 }

func choose[T any](g *queryGenerator, list ...T) T { return list[g.IntN(len(list))] }

func (g *queryGenerator) name(prefix string) string {
	g.names++
	return fmt.Sprint(prefix, g.names)
}
