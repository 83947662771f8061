package txn

import (
	"fmt"
	"testing"
	"time"

	"millrace/delta"
	"millrace/delta/log"
	"millrace/errs"
	"millrace/storage"
)

// TestTravelAndRestore goes back in time on a table whose commits carry their own times, by a clock that stands still.
func TestTravelAndRestore(t *testing.T) {
	url := t.TempDir()
	now := time.UnixMilli(1_700_000_000_000)
	logs := log.NewCache()
	c := New(logs, NewMemoryHeads(), Options{Now: func() time.Time { return now }})
	defer c.Close()
	table := newTable()
	table[0].Metadata.Configuration["delta.enableInCommitTimestamps"] = "true"
	if _, err := c.Commit(t.Context(), Request{Table: url, ReadVersion: -1, TxnID: "c", Actions: table,
		Info: delta.CreateInfo(false, false, false, false, table[0].Metadata, nil)}); err != nil {
		t.Fatal(err)
	}
	store, _ := storage.Open(url)
	for i := range 3 {
		id := fmt.Sprint("f", i)
		if err := store.Put(t.Context(), id+".parquet", []byte("x")); err != nil {
			t.Fatal(err)
		}
		res, err := appendOne(c, url, id, int64(i))
		if err != nil || res.Timestamp != now.UnixMilli()+int64(i)+1 {
			t.Fatal(res, err)
		}
	}
	l, _ := logs.Table(url)
	fresh, _ := log.Open(url)
	for _, l := range []*log.Table{l, fresh} {
		if s, err := l.AtTime(t.Context(), now.UnixMilli()+2, nil); err != nil || s.Version != 2 || !s.Protocol.Supports("inCommitTimestamp") {
			t.Fatal(s, err)
		}
		if _, err := l.AtTime(t.Context(), now.UnixMilli()+9, nil); errs.ConditionOf(err) != "DELTA_TIMESTAMP_GREATER_THAN_COMMIT" {
			t.Error(err)
		}
		if _, err := l.AtTime(t.Context(), 5, nil); errs.ConditionOf(err) != "DELTA_TIMESTAMP_EARLIER_THAN_COMMIT_RETENTION" {
			t.Error(err)
		}
		if _, err := l.At(t.Context(), 7); errs.ConditionOf(err) != "DELTA_VERSION_NOT_FOUND" {
			t.Error(err)
		}
	}
	restore(t, c, l)
	h, err := fresh.History(t.Context(), 2)
	if err != nil || len(h) != 2 || h[0].Version != 4 || *h[0].Operation != "RESTORE" || *h[0].OperationParameters["version"] != "1" ||
		h[0].OperationParameters["timestamp"] != nil || h[0].OperationMetrics["numRemovedFiles"] != "2" || *h[1].IsBlindAppend != true {
		t.Fatalf("%+v %v", h, err)
	}
	for i := range 3 {
		store.Delete(t.Context(), fmt.Sprint("f", i, ".parquet"))
	}
	if _, err := restoration(t, l, 3); !errs.Is(err, errs.NotFound) {
		t.Error("restored files that are gone: ", err)
	}
}

func restoration(t *testing.T, l *log.Table, version int64) (*delta.Restoration, error) {
	s, err := l.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return l.Restore(t.Context(), s, version, 77)
}

func restore(t *testing.T, c *Committer, l *log.Table) {
	version := int64(1)
	r, err := restoration(t, l, version)
	if err != nil || r.NumRemoved != 2 || r.NumRestored != 0 || r.NumFiles != 1 {
		t.Fatalf("%+v %v", r, err)
	}
	info := delta.RestoreInfo(&version, "")
	info.OperationMetrics = r.Metrics()
	res, err := c.Commit(t.Context(), Request{Table: l.URL(), ReadVersion: 3, TxnID: "r", ReadTable: true, Actions: r.Actions, Info: info})
	if err != nil || res.Snapshot.NumFiles() != 1 || res.Snapshot.File("f0.parquet", nil) == nil {
		t.Fatal(res, err)
	}
	if _, err := restoration(t, l, 9); errs.ConditionOf(err) != "DELTA_CANNOT_RESTORE_TABLE_VERSION" {
		t.Error(err)
	}
}
