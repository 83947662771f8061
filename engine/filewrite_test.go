package engine_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"millrace/errs"
	"millrace/plan"
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
		c.names.Fail = func(o, key string) error {
			if o == op && strings.Contains(key, "/catalog/files/") {
				return errors.New("the store is away")
			}
			return nil
		}
		f()
		c.names.Fail = nil
	}
	run("CREATE TABLE f USING parquet AS SELECT 1 AS a", true)
	failing("change", func() { run("INSERT INTO f VALUES (2)", false) })
	rows("1")
	run("INSERT INTO f VALUES (3)", true)
	rows("1 3")
	failing("change", func() { run("INSERT OVERWRITE f VALUES (4)", false) })
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

// TestFileOverwritesAtOnce has several sessions overwrite one table of files: the rows of one of them are there, whole, and nobody else's.
func TestFileOverwritesAtOnce(t *testing.T) {
	c := newCluster(t, setups[1])
	s := c.session()
	if _, _, err := query(s, "CREATE TABLE o USING parquet PARTITIONED BY (p) AS SELECT -1 AS w, 0 AS p UNION ALL SELECT -1, 1"); err != nil {
		t.Fatal(err)
	}
	for round := range 3 {
		var wg sync.WaitGroup
		for w := range 4 {
			mine := c.session()
			wg.Go(func() {
				if _, _, err := query(mine, fmt.Sprintf("INSERT OVERWRITE o SELECT %d, id %% 2 FROM range(4)", round*4+w)); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if _, rows, err := query(s, "SELECT min(w) = max(w) AND min(w) >= "+fmt.Sprint(round*4)+" AND count(*) = 4 FROM o"); err != nil || rows[0] != "true" {
			_, rows, err = query(s, "SELECT * FROM o")
			t.Fatalf("round %d: %v %v", round, rows, err)
		}
	}
}

// TestRenameIsOneStep has the catalog's store fail while a table gets another name: it has one name at any time.
func TestRenameIsOneStep(t *testing.T) {
	c := newCluster(t, setups[1])
	s := c.session()
	names := func(want string) {
		t.Helper()
		_, got, err := query(s, "SHOW TABLES LIKE 'renamed*'")
		if err != nil || strings.Join(got, " ") != want {
			t.Fatalf("%v, %v, want %s", got, err, want)
		}
	}
	if _, _, err := query(s, "CREATE TABLE renamed_a USING delta AS SELECT 1 AS a"); err != nil {
		t.Fatal(err)
	}
	defer func() { c.names.Fail = nil }()
	for _, op := range []string{"put", "delete", "change"} {
		c.names.Fail = func(o, _ string) error {
			if o == op {
				return errors.New("the store is away")
			}
			return nil
		}
		_, _, err := query(s, "ALTER TABLE renamed_a RENAME TO renamed_b")
		c.names.Fail = nil
		if err != nil {
			names("default | renamed_a | false")
			continue
		}
		names("default | renamed_b | false")
		if _, _, err := query(s, "ALTER TABLE renamed_b RENAME TO renamed_a"); err != nil {
			t.Fatal(err)
		}
	}
}

// TestWriteFormats refuses formats that are not written by their names, with and without a path.
func TestWriteFormats(t *testing.T) {
	s := newCluster(t, setups[0]).session()
	for format, condition := range map[string]string{"jdbc": "DATA_SOURCE_NOT_FOUND", "binaryFile": "UNSUPPORTED_FEATURE.WRITE_FOR_BINARY_SOURCE"} {
		for _, path := range []string{"", t.TempDir() + "/x"} {
			_, err := s.Run(context.Background(), &plan.Write{Input: &plan.OneRow{}, Format: format, Path: path, Mode: plan.SaveAppend})
			if errs.ConditionOf(err) != condition {
				t.Errorf("%s to %q: %v", format, path, err)
			}
		}
	}
}
