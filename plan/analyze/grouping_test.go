package analyze_test

import (
	"strings"
	"testing"

	"millrace/plan"
	"millrace/sql"
)

// analyzeSQL resolves a statement over the tables t (a bigint, b string) and u (a bigint, c double).
func analyzeSQL(t *testing.T, text string) plan.Node {
	t.Helper()
	n, err := sql.ParseStatement(text)
	if err != nil {
		t.Fatal(err)
	}
	return resolve(t, n)
}

// TestGroupingSets: keys become nullable where a set lacks them, aggregate functions see the columns themselves, and equal sets stay apart.
func TestGroupingSets(t *testing.T) {
	for text, want := range map[string]string{
		"SELECT a, b, sum(a) FROM t GROUP BY ROLLUP (a, b)":                     "struct<a:bigint,b:string,sum(a):bigint>",
		"SELECT a, grouping(b), grouping_id() FROM t GROUP BY a, CUBE (b)":      "struct<a:bigint,grouping(b):tinyint,grouping_id():bigint>",
		"SELECT a + 1 FROM t GROUP BY a + 1 WITH CUBE HAVING grouping(a+1) = 1": "struct<(a + 1):bigint>",
	} {
		if got := plan.Schema(analyzeSQL(t, text)).String(); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
	n := analyzeSQL(t, "SELECT a, count(*) FROM t GROUP BY GROUPING SETS ((a), (a))")
	if got := plan.Format(n); !strings.Contains(got, "_gen_grouping_pos") || plan.Schema(n).Fields[0].Nullable {
		t.Error(got)
	}
	base := read(1, "t")
	cube := func(e plan.Expr) plan.Node {
		return &plan.Aggregate{Input: base, Groups: []plan.Expr{plan.Col("a")}, Exprs: []plan.Expr{e}, Sets: [][]int{{0}, {}}, DataFrame: true}
	}
	refused(t, "GROUPING_COLUMN_MISMATCH", cube(plan.Fn("grouping", plan.Col("b"))))
	refused(t, "GROUPING_ID_COLUMN_MISMATCH", cube(plan.Fn("grouping_id", plan.Col("b"))))
	refused(t, "UNSUPPORTED_GROUPING_EXPRESSION", &plan.Project{Input: base, Exprs: []plan.Expr{plan.Fn("grouping", plan.Col("a"))}})
}

// TestUnpivot: in SQL all columns that are not values stay, and rows without values are left out.
func TestUnpivot(t *testing.T) {
	for text, want := range map[string]string{
		"SELECT * FROM u UNPIVOT (v FOR k IN (c AS `see`))":                             "struct<a:bigint,k:string,v:double>",
		"SELECT * FROM u UNPIVOT INCLUDE NULLS ((v, w) FOR k IN ((a, c), (c, a) AS z))": "struct<k:string,v:double,w:double>",
	} {
		n := analyzeSQL(t, text)
		if got := plan.Schema(n).String(); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
		if got := plan.Format(n); strings.Contains(got, "Filter") == strings.Contains(text, "INCLUDE") {
			t.Error(got)
		}
	}
}

// TestNearestDataFrame: df.n names an input before what another was made of; two that lie deeper are ambiguous.
func TestNearestDataFrame(t *testing.T) {
	some := tagged(5, &plan.Filter{Input: read(1, "t"), Condition: plan.Fn(">", plan.Col("a"), plan.Int(1))})
	join := &plan.Join{Left: read(1, "t"), Right: some, Condition: plan.Fn("=", col(1, "a"), col(5, "a"))}
	resolve(t, join)
	resolve(t, &plan.Project{Input: join, Exprs: []plan.Expr{col(5, "a")}})
	refused(t, "AMBIGUOUS_COLUMN_REFERENCE", &plan.Project{Input: join, Exprs: []plan.Expr{col(1, "a")}})
}
