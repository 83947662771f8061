package txn_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"millrace/delta"
	"millrace/delta/log"
	"millrace/errs"
	"millrace/txn"
)

// grown makes a table of n versions of a file each, without any checkpoint.
func grown(t *testing.T, dir string, n int, configuration map[string]string) *log.Table {
	t.Helper()
	ctx := context.Background()
	logs := log.NewCache()
	c := txn.New(logs, txn.NewMemoryHeads(), txn.Options{NoCheckpoints: true})
	defer c.Close()
	m := &delta.Metadata{ID: "m", Format: delta.Format{Provider: "parquet"}, SchemaString: `{"type":"struct","fields":[{"name":"a","type":"long","nullable":true,"metadata":{}}]}`,
		Configuration: configuration}
	p, err := m.Complete(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for v := range n {
		actions := []delta.Action{{Add: &delta.Add{Path: fmt.Sprint("f", v), PartitionValues: delta.PartitionValues{}, Size: int64(v + 1), DataChange: true, Stats: `{"numRecords":1}`}}}
		if v == 0 {
			actions = append([]delta.Action{{Protocol: p}, {Metadata: m}}, actions...)
		}
		if v == 3 {
			actions = append(actions, delta.Action{Remove: &delta.Remove{Path: "f1", DeletionTimestamp: time.Now().UnixMilli(), DataChange: true}})
		}
		r := txn.Request{Table: dir, ReadVersion: int64(v - 1), TxnID: fmt.Sprint("t", v), Actions: actions, Info: delta.Info("WRITE")}
		if _, err := c.Commit(ctx, r); err != nil {
			t.Fatal(err)
		}
	}
	table, err := logs.Table(dir)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// TestCheckpointForms reads tables from checkpoints of both forms, with nothing else of the versions before.
func TestCheckpointForms(t *testing.T) {
	for _, policy := range []string{"classic", "v2"} {
		t.Run(policy, func(t *testing.T) {
			ctx := context.Background()
			table := grown(t, t.TempDir(), 6, map[string]string{"delta.checkpointPolicy": policy})
			want, err := table.Snapshot(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if err := txn.WriteCheckpoint(ctx, table.Store(), want, time.Now()); err != nil {
				t.Fatal(err)
			}
			if n, err := txn.CleanLog(ctx, table.Store(), want, time.Now()); n != 0 || err != nil {
				t.Fatalf("a young log loses %d files: %v", n, err)
			}
			later := time.Now().Add(40 * 24 * time.Hour)
			if n, err := txn.CleanLog(ctx, table.Store(), want, later); n != 5 || err != nil {
				t.Fatalf("an old log loses %d files: %v; it has 5 commits before its checkpoint", n, err)
			}
			got, err := log.NewTable(table.Store()).Snapshot(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if got.Version != 5 || got.NumFiles() != 5 || got.SizeInBytes() != want.SizeInBytes() || got.File("f1", nil) != nil || got.File("f2", nil) == nil {
				t.Fatalf("version %d with %d files", got.Version, got.NumFiles())
			}
			tombs := 0
			for range got.Tombstones() {
				tombs++
			}
			if tombs != 1 {
				t.Errorf("%d tombstones", tombs)
			}
			if _, err := log.NewTable(table.Store()).At(ctx, 3); err == nil {
				t.Error("a version that is gone can be read")
			}
		})
	}
}

// TestProtectedHistory keeps checkpoints that a dropped feature needs.
func TestProtectedHistory(t *testing.T) {
	ctx := context.Background()
	table := grown(t, t.TempDir(), 4, map[string]string{"delta.requireCheckpointProtectionBeforeVersion": "9", "delta.feature.checkpointProtection": "supported"})
	s, err := table.Snapshot(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := txn.WriteCheckpoint(ctx, table.Store(), s, time.Now()); err != nil {
		t.Fatal(err)
	}
	if n, err := txn.CleanLog(ctx, table.Store(), s, time.Now().Add(100*24*time.Hour)); n != 0 || err != nil {
		t.Fatalf("%d files of a protected history are gone: %v", n, err)
	}
}

// TestChecksum notices a log whose state is not what its writer saw, and ignores what another table has left.
func TestChecksum(t *testing.T) {
	ctx := context.Background()
	table := grown(t, t.TempDir(), 3, nil)
	s, err := table.Snapshot(ctx)
	if err != nil {
		t.Fatal(err)
	}
	put := func(change func(*delta.Checksum)) error {
		c := s.Checksum("t2")
		change(c)
		data, err := c.JSON()
		if err != nil {
			t.Fatal(err)
		}
		if !json.Valid(data) || !strings.Contains(string(data), `"tableSizeBytes"`) {
			t.Fatalf("%s", data)
		}
		if err := table.Store().Put(ctx, delta.LogDir+"/"+delta.ChecksumName(2), data); err != nil {
			t.Fatal(err)
		}
		_, err = log.NewTable(table.Store()).Snapshot(ctx)
		return err
	}
	if err := put(func(*delta.Checksum) {}); err != nil {
		t.Fatal(err)
	}
	wrong := int64(7)
	if err := put(func(c *delta.Checksum) { c.NumFiles = &wrong }); errs.ConditionOf(err) != "DELTA_TXN_LOG_FAILED_INTEGRITY" {
		t.Fatalf("%v", err)
	}
	if err := put(func(c *delta.Checksum) { c.NumFiles = &wrong; m := *c.Metadata; m.ID = "other"; c.Metadata = &m }); err != nil {
		t.Fatal(err)
	}
}

// TestCompaction reads a table from what its commits come to, and leaves the commits themselves unread.
func TestCompaction(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	logs := log.NewCache()
	c := txn.New(logs, txn.NewMemoryHeads(), txn.Options{CompactEvery: 4})
	m := &delta.Metadata{ID: "m", Format: delta.Format{Provider: "parquet"}, SchemaString: `{"type":"struct","fields":[{"name":"a","type":"long","nullable":true,"metadata":{}}]}`,
		Configuration: map[string]string{"delta.checkpointInterval": "10"}}
	now := time.Now().UnixMilli()
	for v := range int64(17) {
		actions := []delta.Action{{Add: &delta.Add{Path: fmt.Sprint("f", v), PartitionValues: delta.PartitionValues{}, Size: v + 1, DataChange: true, Stats: `{"numRecords":1}`}}}
		if v == 0 {
			actions = append([]delta.Action{{Protocol: &delta.Protocol{MinReaderVersion: 1, MinWriterVersion: 2}}, {Metadata: m}}, actions...)
		} else {
			actions = append(actions, delta.Action{Txn: &delta.SetTransaction{AppID: "app", Version: v, LastUpdated: &now}})
		}
		if v%2 == 1 {
			actions = append(actions, delta.Action{Remove: &delta.Remove{Path: fmt.Sprint("f", v/2), DeletionTimestamp: now, DataChange: true}})
		}
		if _, err := c.Commit(ctx, txn.Request{Table: dir, ReadVersion: v - 1, TxnID: fmt.Sprint("t", v), Actions: actions, Info: delta.Info("WRITE"), ReadTable: v > 0}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond) // what follows a commit is left out while that of another is under way
	}
	c.Close()
	table, err := logs.Table(dir)
	if err != nil {
		t.Fatal(err)
	}
	want, err := table.Snapshot(ctx)
	if err != nil {
		t.Fatal(err)
	}
	store := table.Store()
	var found []string
	for info, err := range store.List(ctx, "_delta_log/0", "") {
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(info.Name, ".compacted.json") {
			found = append(found, info.Name)
		}
	}
	if len(found) == 0 {
		t.Fatal("nothing was compacted")
	}
	for _, name := range found { // a checkpoint at 10 leaves none from 8 to 11
		if strings.Contains(name, "00008.") {
			t.Errorf("%s lies around a checkpoint", name)
		}
	}
	if err := txn.WriteCompaction(ctx, table, 12, 15); err != nil {
		t.Fatal(err)
	}
	data, err := store.Get(ctx, "_delta_log/"+delta.CompactedName(12, 15))
	if err != nil || strings.Contains(string(data), "commitInfo") || strings.Count(string(data), `"txn"`) != 1 {
		t.Fatalf("%v: %s", err, data)
	}
	for v := int64(12); v < 15; v++ { // they are listed, as readers want them, but not read
		if err := store.Put(ctx, delta.CommitPath(v), []byte("broken")); err != nil {
			t.Fatal(err)
		}
	}
	got, err := log.NewTable(store).Snapshot(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if a, _ := got.Txn("app"); a != 16 || got.Version != want.Version || got.NumFiles() != want.NumFiles() || got.SizeInBytes() != want.SizeInBytes() {
		t.Fatalf("version %d with %d files of %d bytes", got.Version, got.NumFiles(), got.SizeInBytes())
	}
}

// TestOldTransactionsGo leaves applications that have long written nothing out of a checkpoint, where the table says how long they are remembered.
func TestOldTransactionsGo(t *testing.T) {
	ctx := context.Background()
	table := grown(t, t.TempDir(), 2, map[string]string{"delta.setTransactionRetentionDuration": "interval 2 days"})
	s, err := table.Snapshot(ctx)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	at := func(age time.Duration) *int64 { n := now.Add(-age).UnixMilli(); return &n }
	if s, err = s.Apply(s.Version, s.Timestamp, []delta.Action{{Txn: &delta.SetTransaction{AppID: "old", Version: 1, LastUpdated: at(72 * time.Hour)}},
		{Txn: &delta.SetTransaction{AppID: "new", Version: 1, LastUpdated: at(time.Hour)}}, {Txn: &delta.SetTransaction{AppID: "unknown", Version: 1}}}); err != nil {
		t.Fatal(err)
	}
	if err := txn.WriteCheckpoint(ctx, table.Store(), s, now); err != nil {
		t.Fatal(err)
	}
	got, err := log.NewTable(table.Store()).Snapshot(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for app, want := range map[string]bool{"old": false, "new": true, "unknown": true} {
		if _, ok := got.Txn(app); ok != want {
			t.Errorf("%s: %v", app, ok)
		}
	}
}
