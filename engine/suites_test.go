package engine_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"millrace/session"
)

// The suites are TPC-H, TPC-DS and ClickBench: public queries over data that DuckDB makes, whose answers have to be DuckDB's, row for row. These variables
// say what is run (make unit runs all, at the scale that is the default):
//
//	MILLRACE_SUITES=all            every query in every set-up; or how many queries, in two set-ups; without it there are none
//	MILLRACE_SUITES_SEED=7         which queries are chosen, where they are
//	MILLRACE_SUITES_ONLY=q04,q64   these queries
//	MILLRACE_SUITES_SCALE=1        the scale of TPC (0.01), and of ClickBench in millions of rows
//	MILLRACE_SUITES_MEMORY=64      MiB for all tasks together where memory is scarce
const suiteScale = 0.01

// suiteSetups are those of the issue: 1, 2 and 4 workers, with forced spilling and without, staged and pipelined.
func suiteSetups(t testing.TB) []setup {
	little := int64(envInt(t, "MILLRACE_SUITES_MEMORY", 0)) << 20
	if little == 0 {
		little = scarce
	}
	return []setup{{4, false, plenty, true}, {4, true, little, false}, {1, false, plenty, true}, {2, true, plenty, false}, {1, true, little, true}, {2, false, little, true}}
}

func TestTPCH(t *testing.T) {
	runSuite(t, func(p *peer, scale float64) (tables []string, queries []suiteQuery) {
		return tpc(t, p, "tpch", "dbgen", scale)
	})
}

func TestTPCDS(t *testing.T) {
	runSuite(t, func(p *peer, scale float64) (tables []string, queries []suiteQuery) {
		return tpc(t, p, "tpcds", "dsdgen", scale)
	})
}

// suiteQuery is a query and what DuckDB answers.
type suiteQuery struct {
	name string
	text sqlText
	// unlimited is the text without its final LIMIT, whose rows are compared as a bag; of those with it ties may decide.
	unlimited sqlText
}

// ask is a statement that has to work.
func (p *peer) ask(t testing.TB, text string) [][]string {
	t.Helper()
	rows, err := p.query(text)
	if err != nil {
		t.Fatalf("DuckDB: %v\n%s", err, text)
	}
	return rows
}

var (
	finalLimit = regexp.MustCompile(`(?i)\blimit\s+\d+(\s+offset\s+\d+)?\s*$`)
	quoted     = regexp.MustCompile(`"([^"]*)"`)
	// Spark rounds doubles as they are written, DuckDB as they are stored: 1.025 is 1.03 here and 1.02 there.
	rounded = regexp.MustCompile(`(?i)round\((\(ss_qty\*1\.00\)/\(coalesce\(ws_qty,0\)\+coalesce\(cs_qty,0\)\)),2\)`)
)

// newSuiteQuery is a query in DuckDB's dialect, as Spark understands it as well.
func newSuiteQuery(name, text string) suiteQuery {
	text = strings.TrimRight(strings.TrimSpace(text), "; \n")
	of := func(text string) sqlText {
		return sqlText{spark: quoted.ReplaceAllString(text, "`$1`"), duck: rounded.ReplaceAllString(text, "round(CAST($1 AS DECIMAL(30, 12)),2)")}
	}
	return suiteQuery{name, of(text), of(finalLimit.ReplaceAllString(text, ""))}
}

func tpc(t testing.TB, p *peer, name, generator string, scale float64) (tables []string, queries []suiteQuery) {
	if _, err := p.query("LOAD " + name); err != nil {
		t.Skip("DuckDB's extension is not set up:", err)
	}
	p.ask(t, fmt.Sprintf("CALL %s(sf=%v)", generator, scale))
	for _, r := range p.ask(t, "SHOW TABLES") {
		tables = append(tables, r[0])
	}
	for _, r := range p.ask(t, fmt.Sprintf("SELECT query_nr, query FROM %s_queries() ORDER BY 1", name)) {
		n, err := strconv.Atoi(r[0])
		if err != nil {
			t.Fatal(err)
		}
		queries = append(queries, newSuiteQuery(fmt.Sprintf("q%02d", n), strings.NewReplacer(`\|`, "|", `\n`, "\n", `\r`, "", `\\`, `\`).Replace(r[1])))
	}
	return tables, queries
}

// runSuite has DuckDB make the data and holds every set-up's answers against DuckDB's.
func runSuite(t *testing.T, make func(p *peer, scale float64) ([]string, []suiteQuery)) {
	if os.Getenv("MILLRACE_SUITES") == "" && os.Getenv("MILLRACE_SUITES_ONLY") == "" {
		t.Skip("MILLRACE_SUITES does not ask for it")
	}
	p := newPeer(t)
	if p == nil {
		t.Skip("DuckDB is not set up")
	}
	scale := suiteScale
	if v := os.Getenv("MILLRACE_SUITES_SCALE"); v != "" {
		var err error
		if scale, err = strconv.ParseFloat(v, 64); err != nil {
			t.Fatal(err)
		}
	}
	p.ask(t, "PRAGMA threads=2")
	p.ask(t, "SET default_null_order = 'nulls_first_on_asc_last_on_desc'") // as Spark sorts
	tables, queries := make(p, scale)
	count := len(queries)
	queries, all := chosen(t, queries)
	dir := t.TempDir()
	writeTables(t, p, dir, tables)
	answers := map[string]*answer{}
	for i, s := range suiteSetups(t) {
		if !all && i > 1 {
			break
		}
		t.Run(s.String(), func(t *testing.T) {
			c := newCluster(t, s)
			ses := c.session()
			for _, name := range tables {
				mustRun(t, ses, fmt.Sprintf("CREATE TEMPORARY VIEW %s AS SELECT * FROM delta.`%s`", name, filepath.Join(dir, name)))
			}
			right, begin := 0, time.Now()
			for _, q := range queries {
				t.Run(q.name, func(t *testing.T) {
					began := time.Now()
					compareSuite(t, ses, q, answers, p)
					if took := time.Since(began); took > 10*time.Second || testing.Verbose() {
						t.Logf("%v", took)
					}
					if used := c.runner.Pool.Used(); used != 0 {
						t.Errorf("%d bytes are still reserved", used)
					}
					if !t.Failed() {
						right++
					}
				})
			}
			t.Logf("%d of %d are right (there are %d), in %v, %d bytes spilled", right, len(queries), count, time.Since(begin).Round(time.Millisecond), c.runner.Spilled.Load())
		})
	}
}

// chosen are the queries to run, and whether they are all.
func chosen(t testing.TB, queries []suiteQuery) ([]suiteQuery, bool) {
	if only := os.Getenv("MILLRACE_SUITES_ONLY"); only != "" {
		names := strings.Split(only, ",")
		return slices.DeleteFunc(queries, func(q suiteQuery) bool { return !slices.Contains(names, q.name) }), true
	}
	if os.Getenv("MILLRACE_SUITES") == "all" {
		return queries, true
	}
	r := rand.New(rand.NewPCG(uint64(envInt(t, "MILLRACE_SUITES_SEED", int(time.Now().UnixNano()))), 1))
	r.Shuffle(len(queries), func(i, k int) { queries[i], queries[k] = queries[k], queries[i] })
	return queries[:min(len(queries), envInt(t, "MILLRACE_SUITES", 0))], false
}

// writeTables makes Delta tables of DuckDB's, the larger ones of several files.
func writeTables(t *testing.T, p *peer, dir string, tables []string) {
	ses := newCluster(t, setup{2, false, plenty, true}).session()
	for _, name := range tables {
		from, place := t.TempDir(), filepath.Join(dir, name)
		rows, err := strconv.Atoi(p.ask(t, "SELECT count(*) FROM "+name)[0][0])
		if err != nil {
			t.Fatal(err)
		}
		parts := 3
		if rows < 1000 {
			parts = 1
		}
		for k := range parts {
			path := filepath.Join(from, fmt.Sprint(k, ".parquet"))
			p.ask(t, fmt.Sprintf("COPY (SELECT * FROM %s WHERE rowid %% %d = %d) TO '%s' (ROW_GROUP_SIZE 30000)", name, parts, k, path))
			how := "CREATE TABLE delta.`%s` AS SELECT * FROM parquet.`%s`"
			if k > 0 {
				how = "INSERT INTO delta.`%s` SELECT * FROM parquet.`%s`"
			}
			mustRun(t, ses, fmt.Sprintf(how, place, path))
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// answer is a result with its types.
type answer struct {
	kinds []numberKind
	rows  [][]string
}

// numberKind says how exact a column is: a scale for exact numbers, rough for floating ones, or text.
type numberKind int

const (
	roughNumber numberKind = -1
	noNumber    numberKind = -2
)

func duckKind(name string) numberKind {
	switch {
	case name == "DOUBLE" || name == "FLOAT":
		return roughNumber
	case strings.HasSuffix(name, "INT") || strings.HasSuffix(name, "INTEGER"):
		return 0
	case strings.HasPrefix(name, "DECIMAL"):
		var p, s int
		if _, err := fmt.Sscanf(name, "DECIMAL(%d,%d)", &p, &s); err == nil {
			return numberKind(s)
		}
	}
	return noNumber
}

// answerOf runs a query here.
func answerOf(s *session.Session, text string) (*answer, error) {
	schema, lines, err := query(s, text)
	if err != nil {
		return nil, err
	}
	a := &answer{}
	for _, f := range schema.Fields {
		switch name := f.Type.String(); {
		case name == "double" || name == "float":
			a.kinds = append(a.kinds, roughNumber)
		case f.Type.IsIntegral():
			a.kinds = append(a.kinds, 0)
		case strings.HasPrefix(name, "decimal"):
			a.kinds = append(a.kinds, numberKind(f.Type.Scale))
		default:
			a.kinds = append(a.kinds, noNumber)
		}
	}
	for _, l := range lines {
		a.rows = append(a.rows, strings.Split(l, " | "))
	}
	return a, nil
}

func duckAnswer(t testing.TB, p *peer, text string) *answer {
	names, rows, err := p.typed(text)
	if err != nil {
		t.Fatalf("DuckDB: %v\n%s", err, text)
	}
	a := &answer{rows: rows}
	for _, n := range names {
		a.kinds = append(a.kinds, duckKind(n))
	}
	return a
}

func compareSuite(t *testing.T, ses *session.Session, q suiteQuery, answers map[string]*answer, p *peer) {
	expected := func(text string) *answer {
		if answers[text] == nil {
			answers[text] = duckAnswer(t, p, text)
		}
		return answers[text]
	}
	want := expected(q.unlimited.duck)
	got, err := answerOf(ses, q.unlimited.spark)
	if err != nil {
		t.Fatalf("[%s] %v\n%s", condition(err), err, q.unlimited.spark)
	}
	if wrong := suiteDifference(want, got, false); wrong != "" {
		t.Fatalf("%s\n%s", wrong, q.unlimited.spark)
	}
	if q.text == q.unlimited {
		return
	}
	limited, err := answerOf(ses, q.text.spark)
	if err != nil {
		t.Fatalf("[%s] %v\n%s", condition(err), err, q.text.spark)
	}
	first := expected(q.text.duck)
	if len(limited.rows) != len(first.rows) {
		t.Fatalf("with its LIMIT %d rows instead of %d\n%s", len(limited.rows), len(first.rows), q.text.spark)
	}
	inOrder := slices.EqualFunc(first.rows, limited.rows, func(a, b []string) bool { return sameSuiteRow(first, limited, a, b) })
	if wrong := suiteDifference(want, limited, true); !inOrder && wrong != "" {
		t.Fatalf("with its LIMIT: %s\n%s", wrong, q.text.spark)
	}
}

// suiteDifference compares two bags, or whether the rows got are some of those wanted.
func suiteDifference(want, got *answer, some bool) string {
	if len(want.kinds) != len(got.kinds) {
		return fmt.Sprintf("%d columns instead of %d", len(got.kinds), len(want.kinds))
	}
	if !some && len(want.rows) != len(got.rows) {
		return fmt.Sprintf("%d rows instead of %d", len(got.rows), len(want.rows))
	}
	key := func(row []string) string {
		var b strings.Builder
		for i, v := range row {
			if want.kinds[i] != roughNumber && got.kinds[i] != roughNumber {
				b.WriteString(exactText(want.kinds[i], v))
			} else if v == "NULL" {
				b.WriteString(v)
			}
			b.WriteByte(0)
		}
		return b.String()
	}
	left := map[string][][]string{}
	for _, r := range want.rows {
		left[key(r)] = append(left[key(r)], r)
	}
	for _, r := range got.rows {
		k := key(r)
		i := slices.IndexFunc(left[k], func(w []string) bool { return sameSuiteRow(want, got, w, r) })
		if i < 0 {
			return fmt.Sprintf("the row %q is wrong; left of those wanted are %q", r, left[k])
		}
		left[k] = slices.Delete(left[k], i, i+1)
	}
	return ""
}

func sameSuiteRow(want, got *answer, w, g []string) bool {
	for i := range w {
		if !sameSuiteCell(want.kinds[i], got.kinds[i], w[i], g[i]) {
			return false
		}
	}
	return true
}

// exactText is an exact number without needless digits.
func exactText(kind numberKind, v string) string {
	if kind >= 0 && strings.Contains(v, ".") {
		v = strings.TrimRight(strings.TrimRight(v, "0"), ".")
	}
	return v
}

// sameSuiteCell compares exact values exactly, and others to the digits that both sides have.
func sameSuiteCell(wk, gk numberKind, w, g string) bool {
	if w == g {
		return true
	}
	if wk == noNumber || gk == noNumber || w == "NULL" || g == "NULL" {
		return false
	}
	if wk >= 0 && gk >= 0 {
		return exactText(wk, w) == exactText(gk, g)
	}
	x, err1 := strconv.ParseFloat(w, 64)
	y, err2 := strconv.ParseFloat(g, 64)
	if err1 != nil || err2 != nil {
		return false
	}
	off := 1e-11 * max(abs(x), abs(y))
	for _, k := range []numberKind{wk, gk} {
		if k >= 0 { // a quotient or average that is a decimal on one side, where what it was made of may have been rounded too
			off += 1e-9 * max(abs(x), abs(y))
			unit, err := strconv.ParseFloat(fmt.Sprintf("1e-%d", k), 64)
			if err != nil {
				return false
			}
			off += unit
		}
	}
	return x == y || abs(x-y) <= off
}

func abs(x float64) float64 { return max(x, -x) }
