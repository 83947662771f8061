package engine_test

import (
	"regexp"
	"strings"
	"testing"

	"millrace/errs"
	"millrace/session"
)

// explainOf is what EXPLAIN says, with its rows as lines.
func explainOf(t *testing.T, s *session.Session, text string) string {
	t.Helper()
	_, rows, err := query(s, "EXPLAIN "+text)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(strings.Join(rows, "\n"), `\n`, "\n") // query writes rows in one line each
}

func TestExplainModes(t *testing.T) {
	u := newCluster(t, setups[1]).session()
	mustRun(t, u, "CREATE OR REPLACE TEMP VIEW numbers AS SELECT id, id % 3 AS k FROM range(1000)")
	const text = " SELECT k, count(*) AS n FROM numbers WHERE id > 10 GROUP BY k ORDER BY k"
	for mode, want := range map[string][]string{
		"":         {"^== Physical Plan ==\n", "HashAggregate", "Range"},
		"EXTENDED": {"^== Parsed Logical Plan ==\n", "\n\n== Analyzed Logical Plan ==\nk: bigint, n: bigint\nSort", "\n\n== Optimized Logical Plan ==\n", "\n\n== Physical Plan ==\n"},
		"CODEGEN":  {"^Found 0 WholeStageCodegen subtrees.\n$"},
		"COST":     {"^== Optimized Logical Plan ==\n", `Range \(0, 1000, step=1\), Statistics\(sizeInBytes=15.6 KiB, rowCount=1000\)`, "\n\n== Physical Plan ==\n"},
		"FORMATTED": {"^== Physical Plan ==\n", `\n\+- Sort \(\d+\)\n`, `\n\n\(1\) Range\nOutput \[1\]: \[id\]\n\n\(2\) Filter\n`,
			`\n\n\(\d+\) HashAggregate\nOutput \[2\]: \[k, n\]\nInput \[\d\]: .*\nArguments: (complete|final) by \(`},
	} {
		got := explainOf(t, u, mode+text)
		for _, w := range want {
			if !regexp.MustCompile(w).MatchString(got) {
				t.Errorf("EXPLAIN %s has no %q:\n%s", mode, w, got)
			}
		}
	}
	if _, _, err := query(u, "EXPLAIN LOGICAL"+text); errs.ConditionOf(err) != "INVALID_STATEMENT_OR_CLAUSE" {
		t.Error(err)
	}
}

// What is wrong with a query stands in the place of its plan.
func TestExplainOfAnError(t *testing.T) {
	u := newCluster(t, setups[1]).session()
	got := explainOf(t, u, "SELECT * FROM nowhere")
	if !strings.HasPrefix(got, "Error occurred during query planning: \n[TABLE_OR_VIEW_NOT_FOUND] ") {
		t.Error(got)
	}
}

func TestExplainAnalyze(t *testing.T) {
	u := newCluster(t, setups[1]).session()
	mustRun(t, u, "CREATE TABLE explained USING delta AS SELECT id, id % 7 AS k FROM range(5000)")
	got := explainOf(t, u, "ANALYZE SELECT k, count(*) AS n FROM explained WHERE id >= 100 GROUP BY k")
	for _, w := range []string{`Filter .*\{number of output rows: 4900, data size: .*, time in operator: .* ms`, `FileScan .*number of output rows: 5000, .*number of files read: [1-9]`,
		`HashAggregate .*\{number of output rows: 7, `} {
		if !regexp.MustCompile(w).MatchString(got) {
			t.Errorf("no %q:\n%s", w, got)
		}
	}
	if _, _, err := query(u, "EXPLAIN ANALYZE DROP TABLE explained"); !errs.Is(err, errs.Unsupported) {
		t.Error(err)
	}
	if _, _, err := query(u, "EXPLAIN ANALYZE SELECT * FROM nowhere"); err == nil {
		t.Error("no error")
	}
}
