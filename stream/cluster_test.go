package stream_test

import (
	"context"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"millrace/delta/log"
	"millrace/engine"
	"millrace/engine/enginetest"
	"millrace/plan"
	"millrace/session"
	"millrace/sql"
	"millrace/state"
	"millrace/storage"
	"millrace/stream"
	"millrace/stream/source"
	"millrace/txn"
)

// cluster is a coordinator's streaming part over a runner in this process.
type cluster struct {
	t        testing.TB
	runner   *enginetest.Runner
	engine   *engine.Engine
	sessions *session.Manager
	streams  *stream.Manager
	commits  *txn.Committer
	close    func()
}

// newCluster makes one over tables below dir. Several on the same directory and records are coordinators that share a lake.
func newCluster(t *testing.T, dir string, records stream.Records) *cluster {
	return clusterOn(t, dir, records, storage.Open)
}

// clusterOn makes one whose logs (of the tables src and sink below dir) and checkpoints lie in stores of the test's.
func clusterOn(t *testing.T, dir string, records stream.Records, open func(string) (storage.Store, error)) *cluster {
	c := &cluster{t: t, runner: enginetest.NewRunner(t, 2, false, 1<<30)}
	states, err := state.NewProvider(filepath.Join(t.TempDir(), "states"), state.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c.runner.States = states
	logs := log.NewCache()
	for _, name := range []string{"src", "sink"} {
		s, err := open(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		logs.Add(log.NewTable(s))
	}
	committer := txn.New(logs, txn.NewMemoryHeads(), txn.Options{Engine: "test", Patience: time.Millisecond})
	catalog := engine.NewCatalog(enginetest.NewKV(), filepath.Join(dir, "warehouse"))
	env := source.Env{Logs: logs, Committer: committer}
	c.engine = engine.New(engine.Options{Runner: c.runner, Committer: committer, Logs: logs, Catalog: catalog, Version: "test",
		StreamTable: func(ctx context.Context, s *session.Session, r *plan.UnresolvedSource) (plan.StreamTable, error) {
			return source.Open(ctx, env, s, r)
		}})
	c.commits = committer
	c.sessions = session.NewManager(session.Options{Engine: c.engine, Catalog: catalog, Conf: map[string]string{"spark.sql.session.timeZone": "UTC"},
		Dir: filepath.Join(dir, "sessions")})
	c.streams = stream.New(stream.Options{Engine: c.engine, Sessions: c.sessions, Sources: env, Records: records, Dir: filepath.Join(dir, "temporary"),
		Console: io.Discard, Log: slog.New(slog.DiscardHandler), Store: open})
	var once sync.Once
	c.close = func() { once.Do(func() { c.streams.Close(); committer.Close(); states.Close() }) }
	t.Cleanup(c.close)
	return c
}

func (c *cluster) session() *session.Session {
	s, err := c.sessions.Get(session.Key{User: "test", ID: uuid.NewString()}, "")
	if err != nil {
		c.t.Fatal(err)
	}
	return s
}

// run runs a statement to its end.
func (c *cluster) run(s *session.Session, text string) {
	c.t.Helper()
	n, err := sql.ParseStatement(text)
	if err == nil {
		err = drain(s, n)
	}
	if err != nil {
		c.t.Fatalf("%s: %v", text, err)
	}
}

func drain(s *session.Session, n plan.Node) error {
	r, err := s.Run(context.Background(), n)
	if err != nil {
		return err
	}
	defer r.Close()
	for {
		rec, err := r.Next(context.Background())
		if err != nil || rec == nil {
			return err
		}
		rec.Release()
	}
}

// text is a query's rows as df.show draws them.
func (c *cluster) text(s *session.Session, query string) string {
	c.t.Helper()
	n, err := sql.ParseStatement(query)
	if err != nil {
		c.t.Fatal(err)
	}
	tab, err := s.Fetch(context.Background(), n, 100)
	if err != nil {
		c.t.Fatalf("%s: %v", query, err)
	}
	var lines []string
	for _, row := range tab.Rows {
		lines = append(lines, strings.Join(row, "|"))
	}
	return strings.Join(lines, " ")
}

// append adds rows id from first to last-1 to a Delta table.
func (c *cluster) append(s *session.Session, path string, first, last int64) {
	c.t.Helper()
	rows := &plan.Project{Input: &plan.Range{Start: first, End: last, Step: 1, Partitions: 1}, Exprs: []plan.Expr{plan.Col("id"),
		&plan.Alias{Child: plan.Fn("%", plan.Col("id"), plan.BigInt(3)), Names: []string{"k"}}}}
	if err := drain(s, &plan.Write{Input: rows, Format: "delta", Path: path, Mode: plan.SaveAppend}); err != nil {
		c.t.Fatal(err)
	}
}

// read is readStream of a Delta table.
func read(path string, options ...string) plan.Node {
	o := map[string]string{}
	for i := 0; i+1 < len(options); i += 2 {
		o[options[i]] = options[i+1]
	}
	return &plan.UnresolvedSource{Format: "delta", Paths: []string{path}, Options: o, Streaming: true}
}

// start starts a query into a Delta table.
func (c *cluster) start(s *session.Session, q session.StreamStart) session.StreamingQuery {
	c.t.Helper()
	x, err := c.streams.Start(context.Background(), s, q)
	if err != nil {
		c.t.Fatal(err)
	}
	return x
}

func toDelta(n plan.Node, path string) session.StreamStart {
	return session.StreamStart{Query: n, Format: "delta", Path: path, Options: map[string]string{"checkpointLocation": path + "_cp"}}
}

func availableNow(q session.StreamStart) session.StreamStart {
	q.Trigger.AvailableNow = true
	return q
}

// finish waits for a query's end.
func (c *cluster) finish(q session.StreamingQuery) error {
	c.t.Helper()
	ended, err := q.Await(context.Background(), time.Minute)
	if !ended {
		c.t.Fatalf("the query does not end: %+v", q.Status())
	}
	return err
}

func (c *cluster) processAll(q session.StreamingQuery) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := q.ProcessAllAvailable(ctx); err != nil {
		c.t.Fatalf("%v; %+v", err, q.Status())
	}
}
