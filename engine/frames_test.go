package engine_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"millrace/engine"
	"millrace/plan"
	"millrace/session"
	"millrace/sql"
)

// cached is a cluster with a Delta table of 1,000 rows, t, in four files.
func cached(t *testing.T, s setup) (*cluster, *session.Session) {
	c := newCluster(t, s)
	u := c.session()
	mustAll(t, u, "CREATE TABLE t USING delta AS SELECT id, id % 7 AS k, concat('v', id % 5) AS s FROM range(0, 250)")
	for i := 1; i < 4; i++ {
		mustAll(t, u, fmt.Sprintf("INSERT INTO t SELECT id, id %% 7, concat('v', id %% 5) FROM range(%d, %d)", i*250, i*250+250))
	}
	return c, u
}

func mustAll(t testing.TB, s *session.Session, texts ...string) []string {
	t.Helper()
	var rows []string
	for _, text := range texts {
		_, got, err := query(s, text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		rows = got
	}
	slices.Sort(rows)
	return rows
}

func parse(t testing.TB, text string) plan.Node {
	t.Helper()
	n, err := sql.ParseStatement(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func persist(t testing.TB, s *session.Session, text string, l session.StorageLevel) {
	t.Helper()
	if err := s.Persist(context.Background(), parse(t, text), l); err != nil {
		t.Fatal(err)
	}
}

// TestCachedFrames runs the same queries with and without the frames cached, in every way in which queries are run.
func TestCachedFrames(t *testing.T) {
	queries := []string{
		"SELECT count(*), sum(id), min(s) FROM (SELECT * FROM t WHERE id % 3 = 0)",
		"SELECT k, count(*), sum(id) FROM (SELECT * FROM t WHERE id % 3 = 0) GROUP BY k",
		"SELECT * FROM (SELECT * FROM t WHERE id % 3 = 0) WHERE s = 'v2' ORDER BY id LIMIT 5",
		"SELECT a.id, b.s FROM (SELECT * FROM t WHERE id % 3 = 0) a JOIN (SELECT * FROM t WHERE id % 3 = 0) b ON a.id = b.id + 3",
		"SELECT id FROM (SELECT * FROM t WHERE id % 3 = 0) UNION ALL SELECT id FROM t",
		"SELECT id FROM (SELECT * FROM t WHERE id % 3 = 0) UNION ALL SELECT k FROM (SELECT id % 10 AS k FROM t)",
		"SELECT count(*) FROM t WHERE id IN (SELECT id FROM t WHERE id % 3 = 0)",
		"SELECT (SELECT max(id) FROM (SELECT * FROM t WHERE id % 3 = 0)), k FROM (SELECT id % 10 AS k FROM t) WHERE k < 3",
		"SELECT s, id FROM (SELECT * FROM t WHERE id % 3 = 0) a CROSS JOIN (SELECT 1 AS one)",
	}
	for _, s := range setups {
		t.Run(s.String(), func(t *testing.T) {
			c, u := cached(t, s)
			want := map[string][]string{}
			for _, q := range queries {
				want[q] = mustAll(t, u, q)
			}
			persist(t, u, "SELECT * FROM t WHERE id % 3 = 0", session.DefaultLevel)
			persist(t, u, "SELECT id % 10 AS k FROM t", session.StorageLevel{Disk: true, Replication: 1})
			for range 2 {
				for _, q := range queries {
					if got := mustAll(t, u, q); !slices.Equal(got, want[q]) {
						t.Errorf("%s\n%q\nnot %q", q, got, want[q])
					}
				}
			}
			if n := c.engine.Fillings(); n != 2 {
				t.Errorf("%d fillings, not 2", n)
			}
			c.sessions.Close(u.Key, true)
			if k := c.runner.Kept(); k.Blocks+int(k.Memory+k.Disk) != 0 {
				t.Errorf("after the session's end the workers keep %+v", k)
			}
		})
	}
}

// TestCacheReads counts the files that are read.
func TestCacheReads(t *testing.T) {
	c, u := cached(t, setup{tasks: 3, memory: plenty, broadcast: true})
	scans := func(texts ...string) int64 {
		t.Helper()
		n := c.runner.Scans.Load()
		mustAll(t, u, texts...)
		return c.runner.Scans.Load() - n
	}
	const frame = "SELECT id, id + 1 AS next FROM t WHERE k > 2"
	persist(t, u, frame, session.DefaultLevel)
	if scans("SELECT count(*) FROM ("+frame+")") == 0 {
		t.Error("the first use read no files")
	}
	for _, q := range []string{frame, "SELECT x.next FROM (SELECT id, id + 1 AS other FROM t WHERE k > 2) AS x(id, next)", "WITH w AS (" + frame + ") SELECT sum(next) FROM w"} {
		if n := scans(q); n != 0 {
			t.Errorf("%s read files in %d tasks", q, n)
		}
	}
	for _, q := range []string{"SELECT id, id + 1 AS next FROM t WHERE k > 3", "SELECT id FROM t WHERE k > 2", "SELECT * FROM (" + strings.Replace(frame, "FROM t", "FROM t VERSION AS OF 3", 1) + ")"} {
		if scans(q) == 0 {
			t.Errorf("%s was taken for what is cached", q)
		}
	}
	other := c.session()
	n := c.runner.Scans.Load()
	mustAll(t, other, frame)
	if c.runner.Scans.Load() == n {
		t.Error("another session read this one's frame")
	}
	// A write through the engine makes the rows anew, once.
	before := mustAll(t, u, "SELECT count(*) FROM ("+frame+")")
	mustAll(t, u, "INSERT INTO t VALUES (5000, 6, 'v')")
	if after := mustAll(t, u, "SELECT count(*) FROM ("+frame+")"); slices.Equal(before, after) {
		t.Errorf("the frame still has %q rows after a write", after)
	}
	if n := scans(frame); n != 0 {
		t.Errorf("%d scans after it was filled again", n)
	}
	if err := u.Unpersist(context.Background(), parse(t, frame)); err != nil {
		t.Fatal(err)
	}
	if k := c.runner.Kept(); k.Blocks != 0 {
		t.Errorf("after unpersist the workers keep %+v", k)
	}
	if scans(frame) == 0 {
		t.Error("after unpersist the frame is still read from memory")
	}
}

// TestCacheTable runs the statements.
func TestCacheTable(t *testing.T) {
	c, u := cached(t, setup{tasks: 2, memory: plenty, broadcast: true})
	level := func(text string) string {
		l, err := u.StorageLevel(context.Background(), parse(t, text))
		if err != nil {
			t.Fatal(err)
		}
		return l.String()
	}
	mustAll(t, u, "CACHE TABLE t")
	if k := c.runner.Kept(); k.Rows != 1000 {
		t.Errorf("CACHE TABLE keeps %d rows at once, not 1000", k.Rows)
	}
	if got := level("TABLE t"); got != "StorageLevel(disk, memory, deserialized, 1 replicas)" {
		t.Error(got)
	}
	mustAll(t, u, "UNCACHE TABLE t", "UNCACHE TABLE t", "UNCACHE TABLE IF EXISTS nope")
	if got := level("TABLE t"); got != "StorageLevel(, 1 replicas)" {
		t.Error(got)
	}
	mustAll(t, u, "CACHE LAZY TABLE t OPTIONS ('storageLevel' = 'DISK_ONLY')")
	if k := c.runner.Kept(); k.Rows != 0 {
		t.Errorf("CACHE LAZY TABLE keeps %d rows at once", k.Rows)
	}
	mustAll(t, u, "SELECT count(s) FROM t")
	if k := c.runner.Kept(); k.Rows != 1000 || k.Memory != 0 || k.Disk == 0 {
		t.Errorf("DISK_ONLY keeps %+v", k)
	}
	mustAll(t, u, "CACHE TABLE v AS SELECT k, count(*) AS n FROM t GROUP BY k")
	explain := strings.Join(mustAll(t, u, "EXPLAIN SELECT * FROM v"), "")
	if !strings.Contains(explain, "InMemoryTableScan InMemoryRelation, StorageLevel(disk, memory, deserialized, 1 replicas)") || strings.Contains(explain, "FileScan") {
		t.Error(explain)
	}
	mustAll(t, u, "DROP VIEW v")
	mustAll(t, u, "CLEAR CACHE")
	if k := c.runner.Kept(); k.Blocks != 0 {
		t.Errorf("after CLEAR CACHE the workers keep %+v", k)
	}
	mustAll(t, u, "CACHE TABLE t", "DROP TABLE t")
	if k := c.runner.Kept(); k.Blocks != 0 {
		t.Errorf("after DROP TABLE the workers keep %+v", k)
	}
	for text, want := range map[string]string{"CACHE TABLE nope": "TABLE_OR_VIEW_NOT_FOUND", "UNCACHE TABLE nope": "TABLE_OR_VIEW_NOT_FOUND",
		"CACHE TABLE x OPTIONS ('storageLevel' = 'BAD') AS SELECT 1": "invalid"} {
		if _, _, err := query(u, text); err == nil || condition(err) != want {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestCacheLoss kills workers between queries and as they begin: the rows are made again, in their places, and are the same.
func TestCacheLoss(t *testing.T) {
	for _, frame := range []string{
		"SELECT id, rand(7) AS r FROM t",                                             // one stage: partition by partition
		"SELECT /*+ REPARTITION(5) */ id, k FROM t",                                  // two
		"SELECT k, sum(id) AS total, count(*) AS n FROM t GROUP BY k",                // an aggregation
		"SELECT q.id, rand(3) AS r FROM (SELECT id FROM t WHERE k = 1) q",            // over another frame
		"SELECT id, s, rand() AS r FROM t",                                           // a seed that stays
		"SELECT * FROM (SELECT id, s FROM t UNION ALL SELECT id, 'x' FROM range(9))", // several inputs
	} {
		t.Run(frame, func(t *testing.T) {
			c, u := cached(t, setup{tasks: 4, memory: plenty, broadcast: true})
			persist(t, u, "SELECT id FROM t WHERE k = 1", session.DefaultLevel)
			mustAll(t, u, "CREATE TEMP VIEW frame AS "+frame)
			persist(t, u, "TABLE frame", session.DefaultLevel)
			want := mustAll(t, u, "SELECT * FROM frame")
			for i := range 6 {
				c.runner.Kill(i % 4)
				if i%2 == 0 {
					c.runner.Kill((i + 1) % 4)
				}
				if got := mustAll(t, u, "SELECT * FROM frame"); !slices.Equal(got, want) {
					t.Fatalf("after a loss: %d rows such as %q, not %d such as %q", len(got), got[:1], len(want), want[:1])
				}
			}
			// The worker dies when the query has been planned.
			deaths := 3
			c.runner.Before = func(engine.Query) {
				if deaths > 0 {
					deaths--
					c.runner.Kill(deaths)
				}
			}
			// No row is out before all tasks have ended.
			if got := mustAll(t, u, "SELECT * FROM frame ORDER BY 1"); !slices.Equal(got, want) {
				t.Fatalf("after a loss in mid-query: %d rows such as %q, not %d such as %q", len(got), got[:1], len(want), want[:1])
			}
		})
	}
}

// TestCacheOnce has many queries need a frame at the same time.
func TestCacheOnce(t *testing.T) {
	c, u := cached(t, setup{tasks: 4, memory: plenty, broadcast: true})
	mustAll(t, u, "CACHE LAZY TABLE t")
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			if _, rows, err := query(u, "SELECT count(*) FROM t"); err != nil || !slices.Equal(rows, []string{"1000"}) {
				t.Error(rows, err)
			}
		})
	}
	all.Wait()
	if n := c.engine.Fillings(); n != 1 {
		t.Errorf("%d fillings for queries at the same time", n)
	}
}

// TestMaterialize uses a frame as a leaf of plans.
func TestMaterialize(t *testing.T) {
	c, u := cached(t, setup{tasks: 4, memory: plenty, broadcast: true})
	ctx := context.Background()
	for _, text := range []string{"SELECT id, array(id, k) AS a, s FROM t", "SELECT max(id) AS id, collect_list(k) AS a, 'x' AS s FROM t"} {
		want := mustAll(t, u, "SELECT sum(id), count(*), max(s) FROM ("+text+")")
		frame, release, err := c.engine.Materialize(ctx, u, parse(t, text))
		if err != nil {
			t.Fatal(err)
		}
		if got := c.runner.Kept().Blocks; got < 4 {
			t.Errorf("%d partitions for 4 slots", got)
		}
		leaf := func() plan.Node { return frame }
		sum := &plan.Aggregate{Input: leaf(), Exprs: []plan.Expr{plan.Fn("sum", plan.Col("id")), plan.Fn("count", plan.Int(1)), plan.Fn("max", plan.Col("s"))}}
		twice := &plan.SetOp{Kind: plan.UnionOp, All: true, Left: leaf(), Right: leaf()}
		for range 2 {
			if got := rowsOfNode(t, c, u, sum); !slices.Equal(got, want) {
				t.Errorf("%s: %q, not %q", text, got, want)
			}
		}
		if got := rowsOfNode(t, c, u, twice); len(got) != 2*len(mustAll(t, u, text)) {
			t.Errorf("%s: a union of the frame with itself has %d rows", text, len(got))
		}
		c.runner.Kill(1)
		if got := rowsOfNode(t, c, u, sum); !slices.Equal(got, want) {
			t.Errorf("%s: after a loss %q, not %q", text, got, want)
		}
		release()
		if k := c.runner.Kept(); k.Blocks != 0 {
			t.Errorf("after release the workers keep %+v", k)
		}
	}
}

func rowsOfNode(t testing.TB, c *cluster, s *session.Session, n plan.Node) []string {
	t.Helper()
	r, err := c.engine.Execute(context.Background(), s, n)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var rows []string
	for {
		rec, err := r.Next(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if rec == nil {
			return rows
		}
		rows = append(rows, rowsOf(rec)...)
		rec.Release()
	}
}
