package engine_test

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestGeneratedPartitions filters by columns from which partitions are computed, in tables without statistics: few files are read, and all rows that
// pass are found, whatever the zones of those who wrote and read.
func TestGeneratedPartitions(t *testing.T) {
	c := newCluster(t, setups[0])
	u := c.session()
	run := func(text string) { t.Helper(); mustRun(t, u, text) }
	run("CREATE TABLE plain USING delta AS SELECT timestamp_seconds(id * 21600) AS ts, CAST(date_add(DATE'1970-01-01', CAST(id / 4 AS INT)) AS DATE) AS d, id AS n, " +
		"concat(CAST(100 + id % 900 AS STRING), 'x') AS s FROM range(0, 1461 * 4)") // four years, every six hours
	run("INSERT INTO plain VALUES (NULL, NULL, NULL, NULL), (TIMESTAMP'-0005-01-01 00:00:00', DATE'-0005-01-01', -1, ''), (TIMESTAMP'+12000-01-01 00:00:00', DATE'+12000-01-01', -2, 'zz')")
	for name, expr := range map[string]struct {
		columns, by string
		cases       map[string]int // condition and at most how many files
	}{
		"by_date":   {"p DATE GENERATED ALWAYS AS (CAST(ts AS DATE))", "p", map[string]int{"ts >= TIMESTAMP'1971-01-01 00:00:00' AND ts < TIMESTAMP'1971-01-02 00:00:00'": 7, "ts = TIMESTAMP'1971-01-01 06:00:00'": 5, "ts IS NULL": 1}},
		"by_year":   {"p INT GENERATED ALWAYS AS (YEAR(ts))", "p", map[string]int{"ts < TIMESTAMP'1971-02-01 00:00:00'": 5, "ts > TIMESTAMP'1973-02-01 00:00:00'": 3}},
		"of_date":   {"p INT GENERATED ALWAYS AS (YEAR(d))", "p", map[string]int{"d = DATE'1971-02-01'": 2, "d IN (DATE'1971-02-01', DATE'1972-02-01')": 3}},
		"by_month":  {"y INT GENERATED ALWAYS AS (YEAR(ts)), m INT GENERATED ALWAYS AS (MONTH(ts))", "y, m", map[string]int{"ts BETWEEN TIMESTAMP'1970-11-10 00:00:00' AND TIMESTAMP'1971-02-10 00:00:00'": 5, "ts >= TIMESTAMP'1973-12-10 00:00:00'": 3}},
		"by_text":   {"p STRING GENERATED ALWAYS AS (date_format(ts, 'yyyy-MM'))", "p", map[string]int{"ts >= TIMESTAMP'1973-11-10 00:00:00'": 5, "ts < TIMESTAMP'1970-02-10 00:00:00'": 6}},
		"truncated": {"p TIMESTAMP GENERATED ALWAYS AS (date_trunc('MONTH', ts))", "p", map[string]int{"ts >= TIMESTAMP'1973-11-10 00:00:00'": 5, "ts = TIMESTAMP'1973-11-10 00:00:00'": 2}},
		"cut":       {"p STRING GENERATED ALWAYS AS (substring(s, 1, 1))", "p", map[string]int{"s > '8'": 4, "s = '555x'": 2, "s <= '2'": 4}},
		"modulo":    {"p BIGINT GENERATED ALWAYS AS (n % 10)", "p", map[string]int{"n = 77": 2, "n IN (1, 2)": 3}},
	} {
		run("SET spark.sql.session.timeZone = America/New_York")
		run("CREATE TABLE " + name + " (ts TIMESTAMP, d DATE, n BIGINT, s STRING, " + expr.columns + ") USING delta PARTITIONED BY (" + expr.by + ") TBLPROPERTIES ('delta.dataSkippingNumIndexedCols' = '0')")
		run("INSERT INTO " + name + " (ts, d, n, s) SELECT * FROM plain")
		for _, zone := range []string{"UTC", "Asia/Tokyo"} {
			run("SET spark.sql.session.timeZone = UTC") // the conditions' times are these
			for cond, most := range expr.cases {
				want := first(t, u, "SELECT concat(count(*), ' ', coalesce(sum(n), 0)) AS r FROM plain WHERE "+cond, "r")
				shift := ""
				if zone != "UTC" {
					shift = strings.NewReplacer("00:00:00'", "00:00:00 UTC'", "06:00:00'", "06:00:00 UTC'").Replace(cond)
					run("SET spark.sql.session.timeZone = " + zone)
				} else {
					shift = cond
				}
				q := "SELECT concat(count(*), ' ', coalesce(sum(n), 0)) AS r FROM " + name + " WHERE " + shift
				if got := first(t, u, q, "r"); got != want {
					t.Errorf("%s in %s: %s, not %s", q, zone, got, want)
				}
				m := regexp.MustCompile(`number of files read: ([\d,]+)`).FindStringSubmatch(explainOf(t, u, "ANALYZE "+q))
				if m == nil {
					t.Fatalf("%s: no files", q)
				}
				if n, _ := strconv.Atoi(strings.ReplaceAll(m[1], ",", "")); n > most {
					t.Errorf("%s in %s reads %d files, not %d", q, zone, n, most)
				}
			}
		}
	}
}
