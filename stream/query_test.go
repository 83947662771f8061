package stream_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"millrace/plan"
	"millrace/session"
)

func table(path string) string {
	return "SELECT count(*), sum(id), count(DISTINCT id) FROM delta.`" + path + "`"
}

func TestDeltaToDelta(t *testing.T) {
	dir := t.TempDir()
	c := newCluster(t, dir, nil)
	s := c.session()
	src, sink := filepath.Join(dir, "src"), filepath.Join(dir, "sink")
	c.append(s, src, 0, 10)
	q := c.start(s, toDelta(read(src), sink))
	c.processAll(q)
	if got := c.text(s, table(sink)); got != "10|45|10" {
		t.Errorf("after the first batch: %s", got)
	}
	c.append(s, src, 10, 20)
	c.append(s, src, 20, 30)
	c.processAll(q)
	if got := c.text(s, table(sink)); got != "30|435|30" {
		t.Errorf("after more: %s", got)
	}
	if err := q.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	if st := q.Status(); st.Message != "Stopped" || st.Active {
		t.Errorf("status after the stop: %+v", st)
	}
	c.append(s, src, 30, 40)
	again := c.start(s, availableNow(toDelta(read(src), sink)))
	if err := c.finish(again); err != nil {
		t.Fatal(err)
	}
	if got := c.text(s, table(sink)); got != "40|780|40" {
		t.Errorf("after a restart: %s", got)
	}
	if again.ID() != q.ID() || again.RunID() == q.RunID() {
		t.Error("a restart keeps the id and gets a new run id")
	}
	for _, p := range q.Progress(0) {
		t.Log(p)
	}
	entries, err := os.ReadDir(sink + "_cp/commits")
	if err != nil || len(entries) < 2 {
		t.Errorf("%d commits entries, %v", len(entries), err)
	}
}

func TestBatchBounds(t *testing.T) {
	dir := t.TempDir()
	c := newCluster(t, dir, nil)
	s := c.session()
	src, sink := filepath.Join(dir, "src"), filepath.Join(dir, "sink")
	for i := range int64(5) {
		c.append(s, src, 10*i, 10*i+10)
	}
	q := c.start(s, availableNow(toDelta(read(src, "maxFilesPerTrigger", "2"), sink)))
	if err := c.finish(q); err != nil {
		t.Fatal(err)
	}
	if n := len(q.Progress(0)); n != 3 {
		t.Errorf("%d batches, want 3", n)
	}
	if got := c.text(s, table(sink)); got != "50|1225|50" {
		t.Error(got)
	}
}

func TestPlans(t *testing.T) {
	dir := t.TempDir()
	c := newCluster(t, dir, nil)
	s := c.session()
	src, sink, names := filepath.Join(dir, "src"), filepath.Join(dir, "sink"), filepath.Join(dir, "names")
	c.append(s, src, 0, 10)
	c.run(s, "CREATE TABLE names USING delta LOCATION '"+names+"' AS SELECT id AS k, concat('n', id) AS name FROM range(2)")
	n := &plan.Filter{Input: read(src), Condition: plan.Fn(">", plan.Col("id"), plan.BigInt(3))}
	join := &plan.Join{Left: n, Right: &plan.UnresolvedRelation{Parts: []string{"delta", names}}, Type: plan.InnerJoin, Using: []string{"k"}}
	if err := c.finish(c.start(s, availableNow(toDelta(join, sink)))); err != nil {
		t.Fatal(err)
	}
	if got := c.text(s, "SELECT id, name FROM delta.`"+sink+"` ORDER BY id"); got != "4|n1 6|n0 7|n1 9|n0" {
		t.Error(got)
	}
}

func TestSinks(t *testing.T) {
	dir := t.TempDir()
	c := newCluster(t, dir, nil)
	s := c.session()
	src := filepath.Join(dir, "src")
	c.append(s, src, 0, 10)
	q := c.start(s, session.StreamStart{Query: read(src), Format: "memory", Name: "seen"})
	c.processAll(q)
	c.append(s, src, 10, 12)
	c.processAll(q)
	if got := c.text(s, "SELECT count(*), sum(id) FROM seen"); got != "12|66" {
		t.Error(got)
	}
	if err := q.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"console", "noop"} {
		if err := c.finish(c.start(s, availableNow(session.StreamStart{Query: read(src), Format: format}))); err != nil {
			t.Errorf("%s: %v", format, err)
		}
	}
	var batches []string
	call := session.StreamStart{Query: read(src, "maxFilesPerTrigger", "1"), Batch: func(ctx context.Context, rows plan.Node, id int64) error {
		for range 2 { // a batch may be run as often as one likes
			tab, err := s.Fetch(ctx, &plan.Aggregate{Input: rows, Exprs: []plan.Expr{plan.Fn("sum", plan.Col("id"))}}, 10)
			if err != nil {
				return err
			}
			batches = append(batches, tab.Rows[0][0])
		}
		return nil
	}}
	if err := c.finish(c.start(s, availableNow(call))); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(batches, " "); got != "45 45 21 21" {
		t.Error(got)
	}
}

// TestRunningSums keeps sums by group up to date in another table, over restarts.
func TestRunningSums(t *testing.T) {
	dir := t.TempDir()
	src, sink := filepath.Join(dir, "src"), filepath.Join(dir, "sink")
	rows := int64(0)
	for run := range 3 {
		c := newCluster(t, dir, nil)
		s := c.session()
		c.append(s, src, rows, rows+30)
		sums := &plan.Aggregate{Input: read(src), DataFrame: true, Groups: []plan.Expr{plan.Col("k")},
			Exprs: []plan.Expr{&plan.Alias{Child: plan.Fn("sum", plan.Col("id")), Names: []string{"total"}}, &plan.Alias{Child: plan.Fn("count", plan.Col("id")), Names: []string{"n"}}}}
		start := toDelta(sums, sink)
		start.OutputMode = "complete"
		q := c.start(s, start)
		c.processAll(q)
		c.append(s, src, rows+30, rows+60)
		c.processAll(q)
		rows += 60
		got := c.text(s, "SELECT k, total, n FROM delta.`"+sink+"` ORDER BY k")
		if want := c.text(s, "SELECT k, sum(id), count(id) FROM delta.`"+src+"` GROUP BY k ORDER BY k"); got != want {
			t.Errorf("run %d: %s, want %s", run, got, want)
		}
		if p := q.Progress(1); len(p) != 1 || !strings.Contains(p[0], `"numRowsTotal":3`) {
			t.Errorf("progress without the state: %v", p)
		}
		if err := q.Stop(context.Background()); err != nil {
			t.Fatal(err)
		}
		c.close()
	}
}

// TestLatency measures nothing by itself: it logs what a small batch takes from the source's commit to the sink's.
func TestLatency(t *testing.T) {
	dir := t.TempDir()
	c := newCluster(t, dir, nil)
	s := c.session()
	src, sink := filepath.Join(dir, "src"), filepath.Join(dir, "sink")
	c.append(s, src, 0, 100)
	q := c.start(s, toDelta(read(src), sink))
	c.processAll(q)
	var took []time.Duration
	for i := range int64(10) {
		c.append(s, src, 100+100*i, 200+100*i)
		start := time.Now()
		name := filepath.Join(sink, "_delta_log", strings.Repeat("0", 19)+string(rune('1'+i))+".json")
		if i == 9 {
			break
		}
		for {
			if _, err := os.Stat(name); err == nil {
				break
			}
			time.Sleep(200 * time.Microsecond)
		}
		took = append(took, time.Since(start))
	}
	t.Log(took)
	if p := q.Progress(1); len(p) > 0 {
		t.Log(p[0])
	}
}
