package engine_test

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"millrace/delta/log"
)

// TestTrackedRowsStay compacts, clusters and purges a table that tracks rows: each row keeps its identifier and the version that wrote it last, which the
// files say in columns of their own.
func TestTrackedRowsStay(t *testing.T) {
	c := newCluster(t, setups[1])
	s := c.session()
	run := func(text string) {
		t.Helper()
		if err := try(s, text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	dir := t.TempDir()
	run("CREATE TABLE k (id BIGINT, v STRING) USING delta LOCATION '" + dir + "' TBLPROPERTIES ('delta.enableRowTracking' = 'true', 'delta.enableDeletionVectors' = 'true')")
	run("INSERT INTO k SELECT id, 'a' FROM range(20)")
	run("INSERT INTO k SELECT id + 20, 'b' FROM range(20)")
	run("UPDATE k SET v = 'c' WHERE id % 7 = 0")
	run("DELETE FROM k WHERE id % 5 = 1")
	for _, q := range []string{"OPTIMIZE k", "OPTIMIZE k ZORDER BY (v)", "DELETE FROM k WHERE id = 2", "REORG TABLE k APPLY (PURGE)"} {
		run(q)
		if strings.HasPrefix(q, "DELETE") {
			continue
		}
		snap := snapshotOf(t, dir)
		rows := 0
		for a := range snap.All() {
			n, known := trackedRows(t, dir+"/"+a.Path)
			if n != known {
				t.Errorf("after %s %d of %d rows of %s are known by what they were", q, known, n, a.Path)
			}
			rows += n
		}
		if want := len(strings.Fields(first(t, s, "SELECT string_agg(id, ' ') AS r FROM k", "r"))); rows != want {
			t.Errorf("after %s the files hold %d rows, the table %d", q, rows, want)
		}
	}
	run("INSERT INTO k VALUES (100, 'new')")
	l, _ := log.Open(dir)
	snap, err := l.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	high := int64(-1)
	for a := range snap.All() {
		if a.BaseRowID == nil || *a.BaseRowID == high {
			t.Error("files share identifiers")
			continue
		}
		high = *a.BaseRowID
	}
}

// trackedRows counts a file's rows and those with the right identifier and version: they were inserted in the order of their ids, by versions 1 and 2, and
// some updated by version 3.
func trackedRows(t *testing.T, path string) (n, known int) {
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := parquet.NewReader(f)
	defer r.Close()
	rows := make([]parquet.Row, 16)
	for {
		k, err := r.ReadRows(rows)
		for _, row := range rows[:k] {
			id, version := row[0].Int64(), int64(2)
			switch {
			case id%7 == 0:
				version = 3
			case id < 20:
				version = 1
			}
			n++
			if len(row) == 4 && row[2].Int64() == id && row[3].Int64() == version {
				known++
			}
		}
		if errors.Is(err, io.EOF) {
			return n, known
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
