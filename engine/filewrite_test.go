package engine_test

import (
	"errors"
	"strings"
	"testing"
)

// TestFileWrites breaks writes to a table of files off where their records change: what had not been decided does not count, and what had does.
func TestFileWrites(t *testing.T) {
	c := newCluster(t, setups[1])
	s := c.session()
	run := func(text string, works bool) {
		t.Helper()
		if _, _, err := query(s, text); (err == nil) != works {
			t.Fatalf("%s: %v", text, err)
		}
	}
	rows := func(want string) {
		t.Helper()
		_, got, err := query(s, "SELECT a FROM f ORDER BY a")
		if err != nil || strings.Join(got, " ") != want {
			t.Fatalf("the rows are %v, %v, and should be %s", got, err, want)
		}
	}
	failing := func(op string, f func()) {
		c.names.fail = func(o, key string) error {
			if o == op && strings.Contains(key, "/catalog/files/") {
				return errors.New("the store is away")
			}
			return nil
		}
		f()
		c.names.fail = nil
	}
	run("CREATE TABLE f USING parquet AS SELECT 1 AS a", true)
	failing("delete", func() { run("INSERT INTO f VALUES (2)", false) })
	rows("1")
	run("INSERT INTO f VALUES (3)", true)
	rows("1 3")
	failing("put", func() { run("INSERT OVERWRITE f VALUES (4)", false) })
	rows("1 3")
	run("INSERT OVERWRITE f SELECT CAST(raise_error('no') AS INT) UNION ALL SELECT 5", false)
	rows("1 3")
	failing("delete", func() { run("INSERT OVERWRITE f SELECT a + 10 FROM f", true) }) // it is decided, and what it replaced is still there
	rows("11 13")
	run("INSERT INTO f VALUES (20)", true)
	rows("11 13 20")
	run("INSERT OVERWRITE f VALUES (30)", true)
	rows("30")
}
