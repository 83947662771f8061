package engine_test

import (
	"slices"
	"strings"
	"testing"

	"millrace/errs"
)

const tenTimes = "CREATE TABLE b USING delta AS SELECT id, id % 3 AS k, id * 7 % 100003 AS v, concat('s', id * 11 % 70001) AS w FROM range(160000)"

// TestTenTimesItsMemory runs what keeps most over more than ten times the memory there is.
func TestTenTimesItsMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	queries := []string{
		"SELECT count(DISTINCT v), count(DISTINCT w), sum(DISTINCT v) FILTER (WHERE id > 10), count(*), max(w) FROM b",
		"SELECT k, count(DISTINCT v, w), count(DISTINCT w), sum(id) FROM b GROUP BY k ORDER BY k",
		"SELECT sum(g), sum(c), sum(d), sum(n) FROM (SELECT v % 20000 AS g, count(DISTINCT v) AS c, count(DISTINCT w) AS d, sum(id) AS n FROM b GROUP BY v % 20000)",
		"SELECT sum(r), sum(s), sum(t), sum(m) FROM (SELECT row_number() OVER (ORDER BY id) AS r, sum(v) OVER (ORDER BY id) AS s, count(*) OVER (ORDER BY k) AS t, " +
			"max(v) OVER (ORDER BY id ROWS BETWEEN 1000 PRECEDING AND 1000 FOLLOWING) AS m FROM b)",
		"SELECT sum(c), max(l), sum(n) FROM (SELECT count(w) OVER (PARTITION BY k ORDER BY v DESC) AS c, lag(w, 100) OVER (PARTITION BY k ORDER BY id) AS l, " +
			"min(v) OVER (PARTITION BY k) AS n FROM b)",
		"SELECT sum(g), sum(size(c)), sum(size(s)) FROM (SELECT id % 50000 AS g, collect_list(id) AS c, collect_set(v) AS s FROM b GROUP BY id % 50000)",
	}
	plain := newCluster(t, setup{2, false, plenty, true}).session()
	mustRun(t, plain, tenTimes)
	want := map[string][]string{}
	for _, q := range queries {
		_, rows, err := query(plain, q)
		if err != nil {
			t.Fatalf("%s\n%v", q, err)
		}
		want[q] = rows
	}
	for _, s := range []setup{{1, true, scarce, false}, {4, false, scarce, true}} {
		c := newCluster(t, s)
		ses := c.session()
		mustRun(t, ses, tenTimes)
		for _, q := range queries {
			spilled := c.runner.Spilled.Load()
			_, rows, err := query(ses, q)
			if err != nil || !slices.Equal(rows, want[q]) {
				t.Errorf("%v: %s\n%v %v instead of %v", s, q, err, rows, want[q])
			}
			if c.runner.Spilled.Load() == spilled {
				t.Errorf("%v: nothing was spilled by %s", s, q)
			}
			if used := c.runner.Pool.Used(); used != 0 {
				t.Errorf("%v: %d bytes are still reserved after %s", s, used, q)
			}
		}
		for q, name := range map[string]string{
			"SELECT size(collect_list(id)) FROM b":                                            "collect_list",
			"SELECT percentile(v, 0.5) FROM b":                                                "percentile",
			"SELECT max(size(c)) FROM (SELECT collect_list(w) OVER (ORDER BY k) AS c FROM b)": "collect_list",
		} {
			_, _, err := query(ses, q)
			if !errs.Is(err, errs.Exhausted) || !strings.Contains(err.Error(), "for the aggregate function "+name) && !strings.Contains(err.Error(), "for the function "+name) {
				t.Errorf("%v: %s\nends with %v", s, q, err)
			}
			if used := c.runner.Pool.Used(); used != 0 {
				t.Errorf("%v: %d bytes are still reserved after %s", s, used, q)
			}
		}
	}
}
