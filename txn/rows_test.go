package txn

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"millrace/delta"
	"millrace/delta/log"
	"millrace/errs"
)

// vectorTable makes a table with deletion vectors and one file of a hundred rows.
func vectorTable(t testing.TB, c *Committer, url string) *delta.Snapshot {
	t.Helper()
	actions := newTable()
	actions[0].Metadata.Configuration["delta.enableDeletionVectors"] = "true"
	file := addFile("a.parquet", 100)
	file.Add.Stats = `{"numRecords":100,"minValues":{"id":0},"maxValues":{"id":99},"nullCount":{"id":0}}`
	res, err := c.Commit(context.Background(), Request{Table: url, ReadVersion: -1, TxnID: "create", Actions: append(actions, file), Info: delta.CommitInfo{Operation: "CREATE TABLE"}})
	if err != nil {
		t.Fatal(err)
	}
	return res.Snapshot
}

// deleteRows is a DELETE of some rows of a snapshot's file a.parquet.
func deleteRows(t testing.TB, c *Committer, s *delta.Snapshot, id string, rows ...uint64) Request {
	t.Helper()
	table, err := c.logs.Table(s.Table)
	if err != nil {
		t.Fatal(err)
	}
	var file *delta.Add
	for a := range s.All() {
		if a.Path == "a.parquet" {
			file = a
		}
	}
	gone := roaring64.New()
	if file.DeletionVector != nil {
		if gone, err = log.DeletedRows(context.Background(), s.Table, file.DeletionVector); err != nil {
			t.Fatal(err)
		}
	}
	gone.AddMany(rows)
	dv, err := log.WriteDeletionVector(context.Background(), table.Store(), gone)
	if err != nil {
		t.Fatal(err)
	}
	add := *file
	add.DeletionVector, add.DataChange = dv, true
	low, high := int64(rows[0]), int64(rows[len(rows)-1])
	return Request{Table: s.Table, ReadVersion: s.Version, TxnID: id, RowLevel: true, ReadFiles: []string{file.Path},
		Reads:   []delta.Filter{{{Column: []string{"id"}, Op: delta.Ge, Value: low}, {Column: []string{"id"}, Op: delta.Le, Value: high}}},
		Actions: []delta.Action{{Remove: file.Remove(1, true)}, {Add: &add}}, Info: delta.CommitInfo{Operation: "DELETE"}}
}

func liveRows(t testing.TB, s *delta.Snapshot) (n int64, gone *roaring64.Bitmap) {
	t.Helper()
	gone = roaring64.New()
	for a := range s.All() {
		records, _ := delta.ReadStats(a.Stats).Records()
		if a.DeletionVector != nil {
			b, err := log.DeletedRows(context.Background(), s.Table, a.DeletionVector)
			if err != nil {
				t.Fatal(err)
			}
			records -= int64(b.GetCardinality())
			gone.Or(b)
		}
		n += records
	}
	return n, gone
}

// TestRowLevel has transactions that read the same version delete rows of the same file.
func TestRowLevel(t *testing.T) {
	url := t.TempDir()
	c := New(log.NewCache(), NewMemoryHeads())
	defer c.Close()
	s := vectorTable(t, c, url)
	commit := func(r Request, want string) *delta.Snapshot {
		t.Helper()
		res, err := c.Commit(t.Context(), r)
		if errs.ConditionOf(err) != want {
			t.Fatalf("%s: %v, want %q", r.TxnID, err, want)
		}
		return res.Snapshot
	}
	commit(deleteRows(t, c, s, "one", 1, 2, 3), "")
	s1 := commit(deleteRows(t, c, s, "others", 10, 11), "")
	if n, gone := liveRows(t, s1); n != 95 || gone.String() != "{1,2,3,10,11}" {
		t.Fatal(n, gone)
	}
	commit(deleteRows(t, c, s, "same row", 3, 4), "DELTA_CONCURRENT_APPEND.WITHOUT_HINT")
	blunt := deleteRows(t, c, s, "file", 40)
	blunt.RowLevel = false
	commit(blunt, "DELTA_CONCURRENT_APPEND.WITHOUT_HINT")

	update := deleteRows(t, c, s, "update", 20) // writes the row anew, with an id that others look for
	moved := addFile("b.parquet", 1)
	moved.Add.Stats = `{"numRecords":1,"minValues":{"id":50},"maxValues":{"id":50},"nullCount":{"id":0}}`
	update.Actions = append(update.Actions, moved)
	commit(update, "")
	commit(deleteRows(t, c, s, "missed the new row", 50), "DELTA_CONCURRENT_APPEND.WITHOUT_HINT")
	last := commit(deleteRows(t, c, s, "elsewhere", 60, 61), "")
	if n, gone := liveRows(t, last); n != 93 || gone.GetCardinality() != 8 {
		t.Fatal(n, gone)
	}

	restore, now := deleteRows(t, c, last, "undelete", 99), (*delta.Add)(nil) // gives all rows back
	for a := range last.All() {
		if a.Path == "a.parquet" {
			now = a
		}
	}
	whole := *now
	whole.DeletionVector = nil
	restore.Actions = []delta.Action{{Remove: now.Remove(1, true)}, {Add: &whole}}
	restore.ReadTable = true
	commit(restore, "")
	commit(deleteRows(t, c, last, "after undelete", 70), "DELTA_CONCURRENT_APPEND.WITHOUT_HINT")

	all := make([]uint64, 0, 100)
	s = commit(addRequest(url, "x"), "")
	for i := range uint64(50) {
		all = append(all, i)
	}
	commit(deleteRows(t, c, s, "half", all...), "")
	for i := range all {
		all[i] += 50
	}
	end := commit(deleteRows(t, c, s, "other half", all...), "")
	if end.NumFiles() != 2 { // b and x
		t.Error("a file without rows is kept:", end.NumFiles())
	}
}

func addRequest(url, id string) Request {
	return Request{Table: url, ReadVersion: 0, TxnID: id, Actions: []delta.Action{addFile(id+".parquet", 1)}, Info: writeInfo(1)}
}

// TestRowLevelRandom has many deleters of random rows at once; each row is deleted by exactly one of those that succeed, and all
// of theirs are gone.
func TestRowLevelRandom(t *testing.T) {
	for seed := range uint64(4) {
		url := t.TempDir()
		heads := NewMemoryHeads()
		var cs [2]*Committer
		for i := range cs {
			cs[i] = New(log.NewCache(), heads)
			defer cs[i].Close()
		}
		vectorTable(t, cs[0], url)
		var mu sync.Mutex
		by := map[uint64]string{}
		var wg sync.WaitGroup
		for g := range 4 {
			wg.Go(func() {
				rng := rand.New(rand.NewPCG(seed, uint64(g)))
				for i := range 8 {
					table, _ := cs[g%2].logs.Table(url)
					s, err := table.Snapshot(context.Background())
					if err != nil {
						t.Error(err)
						return
					}
					_, gone := liveRows(t, s)
					var rows []uint64
					for range 1 + rng.IntN(3) {
						if r := uint64(rng.IntN(100)); !gone.Contains(r) {
							rows = append(rows, r)
						}
					}
					if len(rows) == 0 {
						continue
					}
					r := deleteRows(t, cs[g%2], s, fmt.Sprint("d", g, "-", i), rows...)
					r.Reads = []delta.Filter{{{Column: []string{"id"}, Op: delta.Lt, Value: int64(0)}}}
					_, err = cs[g%2].Commit(context.Background(), r)
					if err != nil && !errs.Is(err, errs.Conflict) {
						t.Error(err)
					}
					if err == nil {
						mu.Lock()
						for _, x := range roaring64.BitmapOf(rows...).ToArray() {
							if by[x] != "" {
								t.Errorf("seed %d: row %d is deleted by %s and %s", seed, x, by[x], r.TxnID)
							}
							by[x] = r.TxnID
						}
						mu.Unlock()
					}
				}
			})
		}
		wg.Wait()
		table, _ := log.Open(url)
		s, err := table.Snapshot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		n, gone := liveRows(t, s)
		if int(gone.GetCardinality()) != len(by) || n != 100-int64(len(by)) {
			t.Errorf("seed %d: %d rows are gone, %d were deleted", seed, gone.GetCardinality(), len(by))
		}
	}
}
