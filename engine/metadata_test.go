package engine_test

import (
	"slices"
	"strings"
	"testing"
)

// Aggregates over whole tables are answered by the log where it is certain, and otherwise by the rows: always the same.
func TestAnswersFromMetadata(t *testing.T) {
	s := newCluster(t, setups[1]).session()
	mustAll(t, s, "CREATE TABLE m (b TINYINT, i INT, l BIGINT, d DATE, s STRING, f DOUBLE, t TIMESTAMP, n INT, p INT) USING delta PARTITIONED BY (p)",
		`INSERT INTO m SELECT id % 100, if(id % 10 = 0, null, id), id * 4000000001, date_add('2020-01-01', cast(id AS INT)), concat('a long string to be cut, number ', id),
		if(id = 7, double('NaN'), id), timestamp_micros(id * 1001), null, id % 2 FROM range(1000)`,
		"INSERT INTO m SELECT -1, null, null, null, null, null, null, null, 5 FROM range(3)",
		"CREATE TABLE e (i INT) USING delta")
	answered := func(text string) bool {
		return !strings.Contains(strings.Join(mustAll(t, s, "EXPLAIN "+text), ""), "FileScan")
	}
	same := func(text string, known bool) {
		t.Helper()
		if answered(text) != known {
			t.Errorf("%s: answered by metadata: %t", text, !known)
		}
		got := mustAll(t, s, text)
		mustAll(t, s, "SET millrace.optimizer.enabled = false")
		want := mustAll(t, s, text)
		mustAll(t, s, "SET millrace.optimizer.enabled = true")
		if !slices.Equal(got, want) {
			t.Errorf("%s: metadata says %q, rows say %q", text, got, want)
		}
	}
	all := func(known bool) {
		t.Helper()
		same("SELECT count(*) AS n FROM m", true)
		same("SELECT count(*) + 1 AS n, count('x') AS k FROM (SELECT l AS x FROM m)", true)
		same("SELECT count(i), min(i), max(i), count(b), min(b), max(b), min(l), max(l), min(d), max(d), count(n), min(n), max(n) FROM m", known)
		same("SELECT max(x) AS x FROM (SELECT l AS x, s FROM m)", known)
		for _, text := range []string{"min(s)", "max(f)", "max(t)", "min(p)", "sum(i)", "count(DISTINCT i)", "count(null)", "min(i + 1)", "count(i) FILTER (WHERE b > 3)", "count(i, l)"} {
			same("SELECT "+text+" AS v FROM m", false)
		}
		same("SELECT count(*) AS n FROM m WHERE i > 5", false)
		same("SELECT count(*) AS n FROM (SELECT * FROM m LIMIT 5)", false)
		same("SELECT p, count(*) AS n FROM m GROUP BY p", false)
	}
	all(true)
	same("SELECT count(*), count(i), min(i), max(i) FROM e", true)
	mustAll(t, s, "ALTER TABLE m SET TBLPROPERTIES ('delta.enableDeletionVectors' = true)", "DELETE FROM m WHERE i = 999 OR d = DATE'2020-01-01'")
	all(false)
	same("SELECT count(*), max(i) FROM m VERSION AS OF 2", true)
}
