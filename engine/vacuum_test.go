package engine_test

import (
	"context"
	"fmt"
	"iter"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"millrace/delta/log"
	"millrace/storage"
)

// crowded is a store with many more files than are written to it, all of them old, which remembers what was deleted by number.
type crowded struct {
	storage.Store
	files   int
	deleted atomic.Int64
	atOnce  atomic.Int64
	most    atomic.Int64
	heap    atomic.Uint64 // most that was live while names were handed out
}

func (c *crowded) List(ctx context.Context, prefix, after string) iter.Seq2[storage.Info, error] {
	return func(yield func(storage.Info, error) bool) {
		for info, err := range c.Store.List(ctx, prefix, after) {
			if !yield(info, err) {
				return
			}
		}
		if prefix != "" {
			return
		}
		old := time.Now().Add(-30 * 24 * time.Hour)
		for i := range c.files {
			if i%200_000 == 199_999 {
				var m runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&m)
				c.heap.Store(max(c.heap.Load(), m.HeapAlloc))
			}
			if !yield(storage.Info{Name: fmt.Sprintf("stray=%03d/part-%09d.parquet", i%500, i), Size: 10, Modified: old}, nil) {
				return
			}
		}
	}
}

func (c *crowded) Delete(ctx context.Context, name string) error {
	if !strings.HasPrefix(name, "stray=") {
		return c.Store.Delete(ctx, name)
	}
	n := c.atOnce.Add(1)
	defer c.atOnce.Add(-1)
	for most := c.most.Load(); n > most && !c.most.CompareAndSwap(most, n); most = c.most.Load() {
	}
	c.deleted.Add(1)
	return nil
}

// TestVacuumStreams cleans a million files out of a small table's directory, and keeps none of their names meanwhile.
func TestVacuumStreams(t *testing.T) {
	c := newCluster(t, setups[0])
	s := c.session()
	dir := t.TempDir()
	if err := try(s, "CREATE TABLE crowd USING delta LOCATION '"+dir+"' AS SELECT id FROM range(10)"); err != nil {
		t.Fatal(err)
	}
	local, err := storage.Local(dir)
	if err != nil {
		t.Fatal(err)
	}
	store := &crowded{Store: local, files: 1_000_000}
	c.logs.Add(log.NewTable(store))
	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	if err := try(s, "VACUUM crowd"); err != nil {
		t.Fatal(err)
	}
	if n := store.deleted.Load(); n != 1_000_000 {
		t.Errorf("%d files were deleted", n)
	}
	if n := store.most.Load(); n > 16 {
		t.Errorf("%d files were deleted at once", n)
	}
	if grown := int64(store.heap.Load()) - int64(before.HeapAlloc); grown > 8<<20 {
		t.Errorf("%d MiB more were live while a million names went by", grown>>20)
	}
	if got := first(t, s, "SELECT count(*) AS r FROM crowd", "r"); got != "10" {
		t.Errorf("the table has %s rows", got)
	}
}
