package engine_test

import (
	"context"
	"io/fs"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"millrace/session"
	"millrace/sql"
)

// TestNothingStays runs queries to their ends, into errors and until somebody cancels them, with memory that is plenty and with little. After each one nothing is reserved, no
// file of a task or an exchange is left and no goroutine; after all of them the heap is where it was.
func TestNothingStays(t *testing.T) {
	queries := []string{
		"SELECT count(DISTINCT v), count(DISTINCT w), max(w) FROM b",
		"SELECT v, count(*), max(w) FROM b GROUP BY v ORDER BY 2 DESC, 1 LIMIT 10",
		"SELECT * FROM b ORDER BY w, id",
		"SELECT count(*) FROM b x JOIN b y ON x.v = y.v AND x.w < y.w",
		"SELECT count(*) FROM (SELECT * FROM b WHERE id < 300) x LEFT JOIN b y ON x.v < y.v AND x.id > y.id",
		"SELECT max(s), max(r) FROM (SELECT sum(v) OVER (PARTITION BY k ORDER BY id) AS s, rank() OVER (ORDER BY w) AS r FROM b)",
		"SELECT w FROM b EXCEPT SELECT concat('s', id) FROM b WHERE id % 2 = 0",
		"SELECT k, size(collect_set(v)) FROM b GROUP BY k",
		"SELECT sum(1 / (id - 19999)) FROM b",
		"SELECT v, sum(CAST(w AS INT)) FROM b GROUP BY v",
		"SELECT count(*) FROM b x, b y, b z WHERE x.v < y.v + z.v",
	}
	for _, s := range []setup{{4, false, plenty, true}, {4, true, scarce, false}, {2, false, scarce, true}} {
		t.Run(s.String(), func(t *testing.T) {
			c := newCluster(t, s)
			ses := c.session()
			mustRun(t, ses, "CREATE TABLE b USING delta AS SELECT id, id % 3 AS k, id * 7 % 10007 AS v, concat('s', id * 11 % 7001) AS w FROM range(20000)")
			round := func(check bool) {
				for _, q := range queries {
					for _, after := range []time.Duration{300 * time.Millisecond, 0, 2 * time.Millisecond, 20 * time.Millisecond} {
						before := runtime.NumGoroutine()
						interrupted(ses, q, after)
						if check {
							c.nothingStays(t, q, before)
						}
					}
				}
			}
			round(false) // caches fill
			base := heap()
			round(true)
			round(true)
			if grown := heap() - base; grown > 4<<20 {
				t.Errorf("the heap has grown by %d bytes", grown)
			}
		})
	}
}

// interrupted runs a query and cancels it after a while, unless it ends before. How it ends does not matter here.
func interrupted(s *session.Session, text string, after time.Duration) {
	n, err := sql.ParseStatement(text)
	if err != nil {
		panic(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), after)
	defer cancel()
	r, err := s.Run(ctx, n)
	if err != nil {
		return
	}
	defer r.Close()
	for {
		rec, err := r.Next(ctx)
		if err != nil || rec == nil {
			return
		}
		rec.Release()
	}
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func (c *cluster) nothingStays(t *testing.T, text string, goroutines int) {
	t.Helper()
	var left []string
	ended := func() bool { // what a cancelled query has begun may take a moment to notice
		left = nil
		_ = filepath.WalkDir(c.runner.Files, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				left = append(left, path)
			}
			return nil
		})
		return c.runner.Pool.Used() == 0 && len(left) == 0 && c.runner.Store.Queries() == 0 && runtime.NumGoroutine() <= goroutines
	}
	for deadline := time.Now().Add(5 * time.Second); !ended(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Errorf("%s\nleaves %d bytes reserved, the files %v, %d queries' outputs, %d goroutines instead of %d", text, c.runner.Pool.Used(), left, c.runner.Store.Queries(),
				runtime.NumGoroutine(), goroutines)
			return
		}
	}
}
