package txn

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"

	"millrace/delta"
	"millrace/delta/log"
	"millrace/errs"
	"millrace/storage"
	"millrace/storage/faultstore"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const oneColumn = `{"type":"struct","fields":[{"name":"id","type":"long","nullable":true,"metadata":{}},{"name":"p","type":"string","nullable":true,"metadata":{}}]}`

func newTable(partitions ...string) []delta.Action {
	return []delta.Action{{Metadata: &delta.Metadata{SchemaString: oneColumn, PartitionColumns: append([]string{}, partitions...), Configuration: map[string]string{}}}}
}

func addFile(path string, rows int) delta.Action {
	return delta.Action{Add: &delta.Add{Path: path, PartitionValues: delta.PartitionValues{}, Size: 100, ModificationTime: 1, DataChange: true,
		Stats: fmt.Sprintf(`{"numRecords":%d}`, rows)}}
}

func writeInfo(files int) delta.CommitInfo {
	return delta.CommitInfo{Operation: "WRITE", OperationMetrics: map[string]string{"numFiles": fmt.Sprint(files)}}
}

func create(t testing.TB, c *Committer, url string, partitions ...string) {
	t.Helper()
	res, err := c.Commit(context.Background(), Request{Table: url, ReadVersion: -1, TxnID: "create", Actions: newTable(partitions...), Info: delta.CommitInfo{Operation: "CREATE TABLE"}})
	if err != nil || res.Version != 0 {
		t.Fatal(res, err)
	}
}

func appendOne(c *Committer, url, id string, read int64) (Result, error) {
	return c.Commit(context.Background(), Request{Table: url, ReadVersion: read, TxnID: id, Actions: []delta.Action{addFile(id+".parquet", 1)}, Info: writeInfo(1)})
}

// audit reads a table afresh and checks that it holds each wanted transaction once.
func audit(t testing.TB, url string, want map[string]bool) *delta.Snapshot {
	t.Helper()
	table, err := log.Open(url)
	if err != nil {
		t.Fatal(err)
	}
	s, err := table.Snapshot(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for v := int64(0); v <= s.Version; v++ {
		actions, err := table.Commit(context.Background(), v)
		if err != nil {
			t.Fatal(err)
		}
		adds, counted := 0, 0
		for _, a := range actions {
			if a.Add != nil {
				seen[a.Add.Path]++
				adds++
			}
			if a.CommitInfo != nil {
				fmt.Sscan(a.CommitInfo.OperationMetrics["numFiles"], &counted)
			}
		}
		if v > 0 && adds != counted {
			t.Errorf("version %d adds %d files and counts %d", v, adds, counted)
		}
	}
	for id := range want {
		if n := seen[id+".parquet"]; n != 1 {
			t.Errorf("%s is in the log %d times", id, n)
		}
	}
	if len(want) != len(seen) || s.NumFiles() != len(want) {
		t.Errorf("%d files, %d live, want %d", len(seen), s.NumFiles(), len(want))
	}
	return s
}

func TestManyWriters(t *testing.T) {
	url := t.TempDir()
	heads := NewMemoryHeads()
	var cs [2]*Committer
	for i := range cs {
		cs[i] = New(log.NewCache(), heads)
		defer cs[i].Close()
	}
	create(t, cs[0], url)
	want := map[string]bool{}
	var wg sync.WaitGroup
	for g := range 16 {
		for i := range 25 {
			want[fmt.Sprintf("w%d-%d", g, i)] = true
		}
		wg.Go(func() {
			for i := range 25 {
				if _, err := appendOne(cs[g%2], url, fmt.Sprintf("w%d-%d", g, i), 0); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	s := audit(t, url, want)
	t.Logf("400 appends in %d versions", s.Version)
}

// TestForeignWriters races with writers that know nothing of us but the protocol.
func TestForeignWriters(t *testing.T) {
	url := t.TempDir()
	c := New(log.NewCache(), NewMemoryHeads(), Options{Group: 4})
	defer c.Close()
	create(t, c, url)
	store, _ := storage.Open(url)
	want := map[string]bool{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 20 {
				id := fmt.Sprintf("f%d-%d", g, i)
				mu.Lock()
				want[id] = true
				mu.Unlock()
				if g%2 == 0 {
					if _, err := appendOne(c, url, id, 0); err != nil {
						t.Error(err)
					}
					continue
				}
				foreign(t, store, id)
			}
		})
	}
	wg.Wait()
	audit(t, url, want)
}

func foreign(t *testing.T, store storage.Store, id string) {
	info := writeInfo(1)
	data, err := delta.EncodeCommit([]delta.Action{{CommitInfo: &info}, addFile(id+".parquet", 1)})
	if err != nil {
		t.Error(err)
	}
	for v := int64(1); ; v++ {
		err := store.PutIfAbsent(context.Background(), delta.CommitPath(v), data)
		if err == nil {
			return
		}
		if !errs.Is(err, errs.Conflict) {
			t.Error(err)
			return
		}
	}
}

var errDied = errors.New("died")

// TestDeathAtEveryStep ends a commit at each of its steps; asking again, of another process, gives the truth and one commit.
func TestDeathAtEveryStep(t *testing.T) {
	for _, step := range []Step{BeforePut, AfterPut, AfterPublish, BeforeReplies} {
		t.Run(string(step), func(t *testing.T) {
			url := t.TempDir()
			heads := NewMemoryHeads()
			armed := atomic.Bool{}
			a := New(log.NewCache(), heads, Options{Step: func(s Step) error {
				if armed.Load() && s == step {
					return errDied
				}
				return nil
			}})
			defer a.Close()
			create(t, a, url)
			armed.Store(true)
			if _, err := appendOne(a, url, "x", 0); err == nil {
				t.Fatal("the commit survived")
			}
			b := New(log.NewCache(), heads)
			defer b.Close()
			v, found, err := b.Outcome(t.Context(), url, "x", 0)
			if err != nil || found != (step != BeforePut) || found && v != 1 {
				t.Fatalf("outcome %d %v %v", v, found, err)
			}
			if _, err := appendOne(b, url, "y", 0); err != nil {
				t.Fatal(err)
			}
			res, err := appendOne(b, url, "x", 0)
			if err != nil || res.Known != found {
				t.Fatalf("asked again: %+v %v", res, err)
			}
			audit(t, url, map[string]bool{"x": true, "y": true})
		})
	}
}

// TestFaults commits through a store that fails at random before or after it acts.
func TestFaults(t *testing.T) {
	for seed := range uint64(20) {
		dir := t.TempDir()
		inner, _ := storage.Open(dir)
		rng := rand.New(rand.NewPCG(seed, 1))
		var mu sync.Mutex
		store := faultstore.New(inner, func(op faultstore.Op) faultstore.Fault {
			mu.Lock()
			defer mu.Unlock()
			if op.Kind == "Stat" || rng.IntN(4) > 0 {
				return faultstore.None
			}
			return faultstore.Fault(1 + rng.IntN(2))
		})
		logs := log.NewCache()
		logs.Add(log.NewTable(store))
		c := New(logs, NewMemoryHeads(), Options{Attempts: 50})
		clean := New(log.NewCache(), NewMemoryHeads())
		create(t, clean, dir)
		want := map[string]bool{}
		var wg sync.WaitGroup
		for g := range 4 {
			for i := range 5 {
				want[fmt.Sprintf("s%d-%d", g, i)] = true
			}
			wg.Go(func() {
				for i := range 5 {
					id := fmt.Sprintf("s%d-%d", g, i)
					for {
						_, err := appendOne(c, dir, id, 0)
						if err == nil {
							break
						}
						if !errs.Is(err, errs.Transient) {
							t.Errorf("seed %d: %v", seed, err)
							break
						}
					}
				}
			})
		}
		wg.Wait()
		c.Close()
		clean.Close()
		audit(t, dir, want)
	}
}

func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	inner, _ := storage.Open(dir)
	full := atomic.Bool{}
	store := faultstore.New(inner, func(op faultstore.Op) faultstore.Fault {
		if full.Load() && op.Kind == "PutIfAbsent" {
			return faultstore.Full
		}
		return faultstore.None
	})
	logs := log.NewCache()
	logs.Add(log.NewTable(store))
	c := New(logs, NewMemoryHeads())
	defer c.Close()
	create(t, c, dir)
	full.Store(true)
	if _, err := appendOne(c, dir, "x", 0); !errs.Is(err, errs.Exhausted) {
		t.Fatal(err)
	}
	full.Store(false)
	if res, err := appendOne(c, dir, "x", 0); err != nil || res.Version != 1 {
		t.Fatal(res, err)
	}
}

func TestApplicationVersions(t *testing.T) {
	url := t.TempDir()
	c := New(log.NewCache(), NewMemoryHeads())
	defer c.Close()
	create(t, c, url)
	commit := func(id string, read, version int64) (Result, error) {
		return c.Commit(t.Context(), Request{Table: url, ReadVersion: read, TxnID: id, AppID: "app", AppVersion: version,
			Actions: []delta.Action{addFile(id+".parquet", 1)}, Info: writeInfo(1)})
	}
	if res, err := commit("a", 0, 7); err != nil || res.Version != 1 {
		t.Fatal(res, err)
	}
	if res, err := commit("b", 1, 7); err != nil || !res.Skipped {
		t.Fatal(res, err)
	}
	if _, err := commit("c", 0, 8); errs.ConditionOf(err) != "DELTA_CONCURRENT_TRANSACTION" {
		t.Fatal(err)
	}
	if res, err := commit("d", 1, 8); err != nil || res.Version != 2 {
		t.Fatal(res, err)
	}
	told := addFile("e.parquet", 1) // who says it twice is noted once
	res, err := c.Commit(t.Context(), Request{Table: url, ReadVersion: 2, TxnID: "e", AppID: "app", AppVersion: 9, Info: writeInfo(1),
		Actions: []delta.Action{told, {Txn: &delta.SetTransaction{AppID: "app", Version: 9}}}})
	if err != nil {
		t.Fatal(err)
	}
	table, _ := c.logs.Table(url)
	actions, err := table.Commit(t.Context(), res.Version)
	n := 0
	for _, a := range actions {
		if a.Txn != nil {
			n++
		}
	}
	if err != nil || n != 1 {
		t.Error(n, err)
	}
	audit(t, url, map[string]bool{"a": true, "d": true, "e": true})
}

func TestCheckpointsAreWrittenAndRead(t *testing.T) {
	url := t.TempDir()
	c := New(log.NewCache(), NewMemoryHeads())
	create(t, c, url)
	want := map[string]bool{}
	for i := range 23 {
		id := fmt.Sprint("c", i)
		want[id] = true
		if _, err := appendOne(c, url, id, int64(i)); err != nil {
			t.Fatal(err)
		}
		c.busy.Wait()
	}
	c.Close()
	store, _ := storage.Open(url)
	for _, name := range []string{delta.CheckpointName(10), delta.CheckpointName(20), "_last_checkpoint"} {
		if ok, err := storage.Exists(t.Context(), store, delta.LogDir+"/"+name); !ok {
			t.Error(name, err)
		}
	}
	audit(t, url, want)
	for v := range int64(15) { // what the checkpoint holds is not needed any more
		store.Delete(t.Context(), delta.CommitPath(v))
	}
	table, _ := log.Open(url)
	if s, err := table.Snapshot(t.Context()); err != nil || s.NumFiles() != 23 || s.Version != 23 {
		t.Fatal(s, err)
	}
	if _, err := table.At(t.Context(), 12); err == nil {
		t.Error("a version that was cleaned up could be read")
	}
}
