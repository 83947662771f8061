package engine_test

import (
	"slices"
	"testing"
)

// A grouping that stands in a query several times, in scalar subqueries too, reads its tables once; one by chance as often as it stands there.
func TestSharedGroupingsScanOnce(t *testing.T) {
	for _, s := range []setup{{tasks: 3, memory: plenty, broadcast: true}, {tasks: 4, memory: plenty}} {
		t.Run(s.String(), func(t *testing.T) {
			c, u := cached(t, s)
			scans := func(text string) (int64, []string) {
				t.Helper()
				n := c.runner.Scans.Load()
				rows := mustAll(t, u, text)
				return c.runner.Scans.Load() - n, rows
			}
			const grouping = "WITH s AS (SELECT id % 10 AS k, count(*) AS n FROM t WHERE id % 3 > 0 GROUP BY id % 10) "
			once, _ := scans(grouping + "SELECT * FROM s")
			if once == 0 {
				t.Fatal("nothing was read")
			}
			alone, want := scans(grouping + "SELECT max(n) FROM s")
			if alone != once {
				t.Fatalf("%d scans, not %d", alone, once)
			}
			for _, q := range []string{"SELECT a.n, b.n FROM s AS a JOIN s AS b ON a.k = b.k + 1", "SELECT k, n FROM s UNION ALL SELECT n, k FROM s",
				"SELECT DISTINCT n FROM s WHERE n = (SELECT max(n) FROM s)"} {
				n, rows := scans(grouping + q)
				if n != once {
					t.Errorf("%s: %d scans, not %d", q, n, once)
				}
				if q[:15] == "SELECT DISTINCT" && !slices.Equal(rows, want) {
					t.Errorf("%s: %q, not %q", q, rows, want)
				}
			}
			const chance = "WITH s AS (SELECT id % 10 AS k, sum(n) AS n FROM (SELECT id, id * rand(5) AS n FROM t) WHERE id % 3 > 0 GROUP BY id % 10) "
			if n, _ := scans(chance + "SELECT a.n, b.n FROM s AS a JOIN s AS b ON a.k = b.k + 1"); n != 2*once {
				t.Errorf("by chance: %d scans, not %d", n, 2*once)
			}
		})
	}
}
