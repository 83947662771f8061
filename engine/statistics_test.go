package engine_test

import (
	"strings"
	"testing"
)

// What ANALYZE TABLE finds out is what plans guess by, until the next write.
func TestAnalyzedGuesses(t *testing.T) {
	s := newCluster(t, setup{2, false, plenty, true}).session()
	mustAll(t, s, "CREATE TABLE counted USING parquet AS SELECT id, id % 7 AS k, date_add('2020-01-01', cast(id % 30 AS INT)) AS d, concat('v', id % 3) AS v FROM range(3000)")
	guess := func(text, rows string, known bool) {
		t.Helper()
		cost := strings.Split(mustAll(t, s, "EXPLAIN COST "+text)[0], `\n`)
		if strings.Contains(cost[1], "rowCount="+rows+")") != known {
			t.Errorf("%s: %s rows are guessed: %t\n%s", text, rows, !known, cost)
		}
	}
	queries := map[string]string{"SELECT * FROM counted": "3000", "SELECT k, count(*) FROM counted GROUP BY k": "7", "SELECT v, count(*) FROM counted GROUP BY v": "3",
		"SELECT id FROM counted WHERE id < 300": "300", "SELECT a.id FROM counted a JOIN counted b ON a.id = b.id": "3000", "SELECT id FROM counted WHERE d > '2020-01-29'": "103"}
	for text, rows := range queries {
		guess(text, rows, false)
	}
	mustAll(t, s, "ANALYZE TABLE counted COMPUTE STATISTICS FOR ALL COLUMNS")
	for text, rows := range queries {
		guess(text, rows, true)
	}
	mustAll(t, s, "INSERT INTO counted SELECT id, id, current_date(), 'w' FROM range(10)")
	guess("SELECT * FROM counted", "3000", false)
}
