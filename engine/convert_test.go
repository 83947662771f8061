package engine_test

import (
	"strings"
	"testing"
)

// TestConvertStatistics puts a log into directories of Parquet files: it knows of each file what a file of its own writing would say, or how many rows it has.
func TestConvertStatistics(t *testing.T) {
	u := newCluster(t, setups[1]).session()
	const rows = "SELECT CAST(id AS INT) AS i, CAST(id AS DECIMAL(20,3)) AS d, concat('n', id) AS s, IF(id % 3 = 0, NULL, id * 0.5D) AS f, named_struct('x', DATE'2020-01-01' + CAST(id AS INT)) AS n, " +
		"timestamp_seconds(id) AS t, array(id) AS a, concat('p ', id % 2) AS p FROM range(0, 10, 1, 1)"
	for _, without := range []bool{false, true} {
		dir, own := t.TempDir(), t.TempDir()
		name, suffix := "converted", ""
		if without {
			name, suffix = "counted", " NO STATISTICS"
		}
		mustRun(t, u, "CREATE TABLE "+name+" USING parquet PARTITIONED BY (p) LOCATION '"+dir+"' AS "+rows)
		mustRun(t, u, "CREATE TABLE "+name+"_own USING delta PARTITIONED BY (p) LOCATION '"+own+"' AS "+rows)
		mustRun(t, u, "CONVERT TO DELTA parquet.`"+dir+"` PARTITIONED BY (p STRING)"+suffix)
		want := statsByPartition(t, own)
		for p, got := range statsByPartition(t, dir) {
			switch {
			case without && got != `{"numRecords":5}`:
				t.Errorf("%s: %s", p, got)
			case !without && got != want[p]:
				t.Errorf("%s: %s, not %s", p, got, want[p])
			}
		}
		if got := first(t, u, "SELECT count(*) AS r FROM delta.`"+dir+"` WHERE i >= 4 AND n.x < DATE'2020-01-08'", "r"); got != "3" {
			t.Error(got)
		}
	}
}

func statsByPartition(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for a := range snapshotOf(t, dir).All() {
		out[*a.PartitionValues["p"]] = strings.ReplaceAll(a.Stats, " ", "")
	}
	if len(out) != 2 {
		t.Fatalf("%d partitions", len(out))
	}
	return out
}
