package engine_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"millrace/session"
)

// skewedTables makes two tables in files of their own: facts, most of which have one key, and names of keys, of which some are missing.
func skewedTables(t *testing.T, u *session.Session) {
	t.Helper()
	mustRun(t, u, "CREATE TABLE facts (k BIGINT, v BIGINT) USING delta")
	mustRun(t, u, "CREATE TABLE names (k BIGINT, name STRING) USING delta")
	for i := range 4 {
		mustRun(t, u, fmt.Sprintf("INSERT INTO facts SELECT if(id %% 10 < 8, 7, id %% 40), id + %d FROM range(4000)", 10_000*i))
		mustRun(t, u, fmt.Sprintf("INSERT INTO names SELECT id + %d, 'name ' || id FROM range(8)", 10*i))
	}
}

var adaptiveQueries = []string{
	"SELECT f.k, v, name FROM facts f JOIN names n ON f.k = n.k",
	"SELECT f.k, v, name FROM facts f LEFT JOIN names n ON f.k = n.k",
	"SELECT f.k, v, name FROM names n LEFT JOIN facts f ON f.k = n.k",
	"SELECT f.k, v, name FROM facts f RIGHT JOIN names n ON f.k = n.k",
	"SELECT f.k, v, name FROM facts f FULL JOIN names n ON f.k = n.k",
	"SELECT f.k, v FROM facts f LEFT SEMI JOIN names n ON f.k = n.k",
	"SELECT f.k, v FROM facts f LEFT ANTI JOIN names n ON f.k = n.k",
	"SELECT n.k, name FROM names n LEFT SEMI JOIN facts f ON f.k = n.k AND f.v > 100",
	"SELECT n.k, name FROM names n LEFT ANTI JOIN facts f ON f.k = n.k AND f.v > 100",
	"SELECT name, count(*) AS c, sum(v) AS s FROM facts f JOIN names n ON f.k = n.k GROUP BY name",
	"SELECT n.k, count(*) AS c FROM facts f JOIN names n ON f.k = n.k GROUP BY n.k",
	"SELECT f.k, v, row_number() OVER (PARTITION BY f.k ORDER BY v) AS r FROM facts f JOIN names n ON f.k = n.k",
	"SELECT k, count(*) AS c, count(DISTINCT v) AS d FROM facts GROUP BY k",
	"SELECT DISTINCT k FROM facts UNION ALL SELECT f.k FROM facts f JOIN names n ON f.k = n.k WHERE f.v < 50",
	"SELECT a.k, count(*) AS c FROM facts a JOIN facts b ON a.k = b.k AND a.v = b.v JOIN names n ON n.k = a.k GROUP BY a.k",
	"SELECT k, v FROM facts WHERE k > (SELECT avg(k) FROM names) ORDER BY v, k LIMIT 20",
}

// TestAdaptive runs joins of skewed keys in ways in which tasks are cut anew, and compares the rows with those of one task.
func TestAdaptive(t *testing.T) {
	plain := newCluster(t, setup{1, false, plenty, true}).session()
	skewedTables(t, plain)
	for _, s := range []setup{{4, true, plenty, false}, {3, true, plenty, true}, {2, true, scarce, false}} {
		t.Run(s.String(), func(t *testing.T) {
			u := newCluster(t, s).session()
			skewedTables(t, u)
			for _, text := range adaptiveQueries {
				want, got := mustAll(t, plain, text), mustAll(t, u, text)
				slices.Sort(want)
				slices.Sort(got)
				if !slices.Equal(got, want) {
					t.Errorf("%s: %d rows, should be %d", text, len(got), len(want))
				}
			}
		})
	}
}

// TestAdaptiveDecisions says of some queries what must become of their tasks, and what must not.
func TestAdaptiveDecisions(t *testing.T) {
	split, late := newCluster(t, setup{4, true, plenty, false}).session(), newCluster(t, setup{3, true, plenty, true}).session()
	skewedTables(t, split)
	skewedTables(t, late)
	for _, u := range []*session.Session{split, late} {
		mustRun(t, u, "SET spark.sql.adaptive.advisoryPartitionSizeInBytes = 16k")
		mustRun(t, u, "SET spark.sql.adaptive.skewJoin.skewedPartitionThresholdInBytes = 4k")
	}
	for _, c := range []struct {
		u          *session.Session
		text       string
		want, lack string
	}{
		{split, "SELECT v, name FROM facts f JOIN names n ON f.k = n.k", `tasks instead of 11, skewed partitions divided: 1`, "broadcast"},
		{split, "SELECT v, name FROM facts f LEFT JOIN names n ON f.k = n.k", `skewed partitions divided: 1`, "broadcast"},
		{split, "SELECT v, name FROM facts f RIGHT JOIN names n ON f.k = n.k", `tasks instead of 11`, "divided"},
		{split, "SELECT v, name FROM facts f FULL JOIN names n ON f.k = n.k", `tasks instead of 11`, "divided"},
		{split, "SELECT n.k, count(*) FROM facts f JOIN names n ON f.k = n.k GROUP BY n.k", `tasks instead of 11`, "divided"},
		{split, "SELECT name, sum(v) FROM facts f JOIN names n ON f.k = n.k GROUP BY name", `skewed partitions divided: 1`, "broadcast"},
		{split, "SELECT k, count(*) FROM facts GROUP BY k", `4 tasks instead of 11`, "divided"},
		{split, "SELECT /*+ REPARTITION(5, k) */ k, v FROM facts", `Stage 1: 5 tasks`, "instead of"},
		{late, "SELECT v, name FROM facts f JOIN names n ON f.k = n.k", `tasks instead of 11, stage \d broadcast`, "divided"},
		{late, "SELECT v, name FROM facts f LEFT JOIN names n ON f.k = n.k", `stage \d broadcast`, "divided"},
		{late, "SELECT v, name FROM facts f FULL JOIN names n ON f.k = n.k", `tasks instead of 11`, "broadcast"},
	} {
		got := explainOf(t, c.u, "ANALYZE "+c.text)
		if !regexp.MustCompile(c.want).MatchString(got) || strings.Contains(got, c.lack) {
			t.Errorf("%s: no %q, or %q in\n%s", c.text, c.want, c.lack, got)
		}
	}
	mustRun(t, split, "SET spark.sql.adaptive.skewJoin.enabled = false")
	if got := explainOf(t, split, "ANALYZE SELECT v, name FROM facts f JOIN names n ON f.k = n.k"); strings.Contains(got, "divided") || !strings.Contains(got, "instead of 11") {
		t.Error(got)
	}
	mustRun(t, split, "SET spark.sql.adaptive.coalescePartitions.enabled = false")
	if got := explainOf(t, split, "ANALYZE SELECT k, count(*) FROM facts GROUP BY k"); strings.Contains(got, "instead of") || !strings.Contains(got, "Stage 1: 4 tasks") {
		t.Error(got)
	}
	mustRun(t, split, "SET spark.sql.adaptive.coalescePartitions.enabled = true")
	mustRun(t, split, "SET spark.sql.adaptive.enabled = false")
	if got := explainOf(t, split, "ANALYZE SELECT k, count(*) FROM facts GROUP BY k"); strings.Contains(got, "instead of") {
		t.Error(got)
	}
}

// TestAdaptiveNumbers: partitions are numbered by the tasks that there are in the end, and each task writes its file.
func TestAdaptiveNumbers(t *testing.T) {
	u := newCluster(t, setup{4, true, plenty, false}).session()
	skewedTables(t, u)
	mustRun(t, u, "SET spark.sql.adaptive.advisoryPartitionSizeInBytes = 16k")
	ids := mustAll(t, u, "SELECT DISTINCT spark_partition_id() AS p FROM (SELECT k, count(*) FROM facts GROUP BY k) ORDER BY p")
	if !slices.Equal(ids, []string{"0", "1", "2", "3"}) {
		t.Errorf("partitions %v", ids)
	}
	mustRun(t, u, "CREATE TABLE counted USING delta AS SELECT k, count(*) AS c FROM facts GROUP BY k")
	if files := mustAll(t, u, "SELECT count(DISTINCT _metadata.file_path) FROM counted"); !slices.Equal(files, []string{"4"}) {
		t.Errorf("files %v", files)
	}
	if twice := mustAll(t, u, "SELECT count(*) FROM (SELECT monotonically_increasing_id() AS i FROM (SELECT f.v FROM facts f JOIN names n ON f.k = n.k)) GROUP BY i HAVING count(*) > 1"); len(twice) > 0 {
		t.Errorf("%d numbers were given twice", len(twice))
	}
}
