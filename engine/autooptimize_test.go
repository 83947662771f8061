package engine_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestAutoCompact writes small files into a table that compacts them after writes: as in Delta at once when there are two of a partition, later when
// there are as many as the session says.
func TestAutoCompact(t *testing.T) {
	for _, tracked := range []bool{false, true} {
		c := newCluster(t, setups[1])
		s := c.session()
		run := func(text string) {
			t.Helper()
			if err := try(s, text); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
		}
		files := func(want string) {
			t.Helper()
			if got := first(t, s, "DESCRIBE DETAIL a", "numFiles"); got != want {
				t.Fatalf("%s files, want %s", got, want)
			}
		}
		run(fmt.Sprintf("CREATE TABLE a (id BIGINT, p INT) USING delta PARTITIONED BY (p) TBLPROPERTIES ('delta.autoOptimize.autoCompact' = 'true', 'delta.enableRowTracking' = '%t')", tracked))
		run("SET spark.databricks.delta.autoCompact.minNumFiles=3")
		run("INSERT INTO a VALUES (1, 0)")
		files("1")
		run("INSERT INTO a VALUES (2, 0)")
		files("1")
		run("INSERT INTO a VALUES (3, 0)")
		files("2")
		run("INSERT INTO a VALUES (4, 0), (5, 1)")
		files("2")
		if got := first(t, s, "DESCRIBE HISTORY a LIMIT 1", "operationParameters"); !strings.Contains(got, "auto") || !strings.Contains(got, "cast(0 as int)") {
			t.Error(got)
		}
		run("SET spark.databricks.delta.autoCompact.enabled=false")
		for i := range 4 {
			run(fmt.Sprintf("INSERT INTO a VALUES (%d, 0)", 6+i))
		}
		files("6")
		if got := first(t, s, "SELECT count(*) || ' ' || sum(id) AS r FROM a", "r"); got != "9 45" {
			t.Error("rows and their sum:", got)
		}
	}
}

// TestOptimizedWrite writes the same rows with and without: a file for each partition, or one where there are none.
func TestOptimizedWrite(t *testing.T) {
	c := newCluster(t, setups[1]) // four tasks
	s := c.session()
	for i, q := range []struct{ table, files string }{
		{"PARTITIONED BY (p)", "12"}, {"PARTITIONED BY (p) TBLPROPERTIES ('delta.autoOptimize.optimizeWrite' = 'true')", "3"},
		{"", "4"}, {"TBLPROPERTIES ('delta.autoOptimize.optimizeWrite' = 'true')", "1"},
	} {
		for _, text := range []string{fmt.Sprintf("CREATE TABLE w%d (id BIGINT, p INT) USING delta %s", i, q.table), fmt.Sprintf("INSERT INTO w%d SELECT id, id %% 3 FROM range(0, 1000, 1, 4)", i)} {
			if err := try(s, text); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
		}
		if got := first(t, s, fmt.Sprintf("DESCRIBE DETAIL w%d", i), "numFiles"); got != q.files {
			t.Errorf("%s: %s files, want %s", q.table, got, q.files)
		}
		if got := first(t, s, fmt.Sprintf("SELECT count(*) || ' ' || sum(id) AS r FROM w%d", i), "r"); got != "1000 499500" {
			t.Error("rows and their sum:", got)
		}
	}
}
