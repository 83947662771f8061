package web

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"millrace/errs"
	"millrace/session"
	"millrace/types"
)

var begin = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

type fakeCluster struct {
	running, ended []Run
	cancelled      []string
}

func (f *fakeCluster) Leader() bool { return true }
func (f *fakeCluster) Workers() []Worker {
	return []Worker{{ID: "w1", Address: "h:1", State: "connected", Slots: 2, Running: 1, Memory: 100, MemoryUsed: 40},
		{ID: "w2", Address: "h:2", State: "lost", Error: "refused"}}
}
func (f *fakeCluster) Runs() (running, ended []Run) { return f.running, f.ended }
func (f *fakeCluster) Run(id string) (Run, bool) {
	for _, r := range append(f.running, f.ended...) {
		if r.ID == id {
			n, ms := int64(5), int64(2)
			r.Plan = []PlanLine{{Text: "Stage 0"}, {Depth: 1, Text: "Range", Rows: &n, Milliseconds: &ms, Spilled: 3}}
			return r, true
		}
	}
	return Run{}, false
}
func (f *fakeCluster) Cancel(id string) bool {
	f.cancelled = append(f.cancelled, id)
	for _, r := range f.running {
		if r.ID == id {
			return true
		}
	}
	return false
}

type fakeOperations struct{ running, ended []session.Doing }

func (f fakeOperations) List() (running, ended []session.Doing) { return f.running, f.ended }
func (f fakeOperations) Find(id string) (session.Doing, bool) {
	for _, d := range append(f.running, f.ended...) {
		if d.ID == id {
			return d, true
		}
	}
	return session.Doing{}, false
}
func (f fakeOperations) Cancel(id string) bool { return len(f.running) > 0 && f.running[0].ID == id }

// fakeTables is one Delta table, loans by state, which is also its own reader: the sums grow by the version.
type fakeTables struct {
	mu       sync.Mutex
	version  int64
	watchers []chan int64
	broken   error
	asked    []string
	silent   bool // commits are not told to watchers, as an outside writer's are not
}

var loans = types.Struct(types.Field{Name: "addr_state", Type: types.String, Nullable: true}, types.Field{Name: "count", Type: types.Long})

func (f *fakeTables) table() Table {
	return Table{Namespace: "default", Name: "loans", Kind: "MANAGED", Format: "delta", Location: "/lake/lo`ans", Detail: f.detail()}
}

func (f *fakeTables) detail() *Detail {
	return &Detail{Version: f.version, Changed: begin, Files: 1, Bytes: 10, Schema: loans, PartitionBy: []string{"addr_state"}}
}

func (f *fakeTables) List(context.Context) ([]Table, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return []Table{f.table()}, nil
}

func (f *fakeTables) Find(_ context.Context, name []string) (Table, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if name[len(name)-1] != "loans" {
		return Table{}, errs.New("TABLE_OR_VIEW_NOT_FOUND", "relationName", types.QuoteParts(name...))
	}
	return f.table(), nil
}

func (f *fakeTables) Detail(_ context.Context, location string) (*Detail, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if location != "/lake/lo`ans" {
		return nil, errs.New("DELTA_TABLE_NOT_FOUND", "tableName", location)
	}
	return f.detail(), nil
}

func (f *fakeTables) History(_ context.Context, _ string, limit int) ([]Commit, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var list []Commit
	for v := f.version; v >= 0 && len(list) < limit; v-- {
		list = append(list, Commit{Version: v, Time: begin, Operation: "WRITE", Metrics: map[string]string{"numOutputRows": "2"}, Engine: "test"})
	}
	return list, nil
}

func (f *fakeTables) Watch(ctx context.Context, _ string) (<-chan int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	ch := make(chan int64, 100)
	f.watchers = append(f.watchers, ch)
	context.AfterFunc(ctx, func() { close(ch) })
	return ch, nil
}

// commit makes the next version.
func (f *fakeTables) commit() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.version++
	if f.silent {
		return
	}
	for _, ch := range f.watchers {
		ch <- f.version
	}
}

func (f *fakeTables) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.broken = err
}

func (f *fakeTables) Fetch(_ context.Context, text string, rows int) (*session.Table, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, text)
	if f.broken != nil {
		return nil, f.broken
	}
	if strings.HasPrefix(text, "SELECT * ") {
		return &session.Table{Columns: loans.Names(), Rows: [][]string{{"CA", "1"}, {"NY", "2"}}}, nil
	}
	return &session.Table{Columns: []string{"key", "value", "nokey", "novalue"}, Rows: [][]string{
		{"CA", fmt.Sprint(10 + f.version), "false", "false"}, {"NY", "2.5", "false", "false"}, {"NULL", "1", "true", "false"}, {"TX", "NULL", "false", "true"}}}, nil
}

func (f *fakeTables) Schema(context.Context, string) (*types.Type, error) { return loans, nil }

// aggregates is how often the table was summed up.
func (f *fakeTables) aggregates() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, text := range f.asked {
		if strings.Contains(text, "GROUP BY") {
			n++
		}
	}
	return n
}

type fakeStream struct {
	session.StreamingQuery
	err error
}

func (fakeStream) ID() string    { return "s" }
func (fakeStream) RunID() string { return "r" }
func (fakeStream) Name() string  { return "gold" }
func (f fakeStream) Status() session.StreamStatus {
	return session.StreamStatus{Message: "Waiting for data to arrive", Active: f.err == nil}
}
func (f fakeStream) Err() error { return f.err }
func (fakeStream) Progress(int) []string {
	return []string{"not JSON", `{"timestamp":"2026-03-01T12:00:00.000Z","batchId":6,"numInputRows":40,"durationMs":{"triggerExecution":20}}`,
		`{"timestamp":"2026-03-01T12:00:01.000Z","batchId":7,"numInputRows":100,"inputRowsPerSecond":50.5,"processedRowsPerSecond":200.25,
		"durationMs":{"triggerExecution":500},"sources":[{"description":"DeltaSource[/lake/bronze]"}],"sink":{"description":"DeltaSink[/lake/gold]"}}`}
}

type fakeStreams []session.StreamingQuery

func (f fakeStreams) Streams() []session.StreamingQuery { return f }

type fakeJobs struct{}

func (fakeJobs) Jobs(context.Context) ([]Job, error) {
	return []Job{{ID: "j1", Name: "report", State: "running", Submitted: begin, Started: &begin, Steps: 3, Done: 1}}, nil
}

func doing(id string, state session.State, started time.Duration, text string) session.Doing {
	op := session.Operation{ID: id, State: state, Started: begin.Add(started), Text: text}
	if state != session.Running {
		op.Ended = op.Started.Add(time.Second)
	}
	if state == session.Failed {
		op.Err = errs.New("DIVIDE_BY_ZERO", "config", "c")
	}
	return session.Doing{Session: session.Key{User: "ann", ID: "s1"}, Operation: op}
}

// page is a server of fakes.
func page(t *testing.T, change ...func(*Options)) (*Server, *fakeTables) {
	t.Helper()
	tables := &fakeTables{}
	run := func(id, of string, started time.Duration, ended bool) Run {
		r := Run{ID: id, Purpose: session.Purpose{Kind: "operation", ID: of}, Started: begin.Add(started), Stages: []Stage{
			{ID: 0, Tasks: 4, Done: 2, Running: 1, Retries: 1, Rows: 50, Bytes: 500}, {ID: 1, Tasks: 1, Rows: 3, Bytes: 30}}}
		if ended {
			r.Ended = r.Started.Add(time.Second)
		}
		return r
	}
	o := Options{Version: "v1", Address: "h:15002", Tables: tables, Reader: tables, Jobs: fakeJobs{}, Now: func() time.Time { return begin.Add(time.Minute) },
		Streams: fakeStreams{fakeStream{}, fakeStream{err: errs.New("DIVIDE_BY_ZERO", "config", "c")}},
		Cluster: &fakeCluster{running: []Run{run("x1", "op1", time.Second, false)}, ended: []Run{run("x0", "op1", 0, true),
			{ID: "hidden", Purpose: session.Purpose{Kind: "page"}, Started: begin, Ended: begin}, {ID: "alone", Started: begin, Ended: begin.Add(time.Second), Err: errs.New("OPERATION_CANCELED")}}},
		Operations: fakeOperations{running: []session.Doing{doing("op1", session.Running, 0, "SELECT 1")},
			ended: []session.Doing{doing("op2", session.Failed, -time.Minute, "SELECT 1/0")}}}
	for _, c := range change {
		c(&o)
	}
	s := New(o)
	t.Cleanup(s.Close)
	return s, tables
}

func get(t *testing.T, s *Server, target string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, target, nil)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}
