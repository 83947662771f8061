package txn

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"millrace/delta"
	"millrace/delta/log"
	"millrace/errs"
)

// A commit that was made from a table which has been dropped since is none of the table that lies there now, whatever its versions are.
func TestCommitToADroppedTable(t *testing.T) {
	c := New(log.NewCache(), NewMemoryHeads(), Options{Spacing: -1})
	defer c.Close()
	url := t.TempDir()
	id := func() string {
		t.Helper()
		table, err := c.logs.Table(url)
		if err != nil {
			t.Fatal(err)
		}
		s, err := table.Snapshot(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		return s.Metadata.ID
	}
	create(t, c, url)
	old := Request{Table: url, ReadVersion: 0, TableID: id(), TxnID: "late", Actions: []delta.Action{addFile("late.parquet", 1)}, Info: writeInfo(1)}
	refused := func(when string) {
		t.Helper()
		if _, err := c.Commit(context.Background(), old); errs.ConditionOf(err) != "DELTA_METADATA_CHANGED" {
			t.Fatal(when, err)
		}
	}
	if err := c.Drop(context.Background(), url, func() error { return os.RemoveAll(filepath.Join(url, delta.LogDir)) }); err != nil {
		t.Fatal(err)
	}
	refused("after the drop")
	create(t, c, url)
	refused("at the same version")
	if _, err := appendOne(c, url, "new", 0); err != nil {
		t.Fatal(err)
	}
	refused("at a later version")
	other := t.TempDir()
	create(t, c, other)
	part := Request{Table: other, ReadVersion: 0, Actions: []delta.Action{addFile("part.parquet", 1)}, Info: writeInfo(1)}
	if _, err := c.CommitAll(context.Background(), "both", []Request{part, old}); errs.ConditionOf(err) != "DELTA_METADATA_CHANGED" {
		t.Fatal("with another table", err)
	}
	audit(t, url, map[string]bool{"new": true})
}
