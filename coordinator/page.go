package coordinator

import (
	"context"
	"strings"
	"sync"
	"time"

	"millrace/cluster"
	"millrace/delta"
	"millrace/delta/log"
	"millrace/engine"
	"millrace/errs"
	"millrace/gateway/web"
	"millrace/jobs"
	"millrace/operators"
	"millrace/physical"
	"millrace/scheduler/driver"
	"millrace/session"
	"millrace/txn"
	"millrace/types"
)

// newPage makes the web page of what newConnect has made.
func newPage(c *Coordinator, sessions *session.Manager, tables *pageTables, detached *jobs.Manager) *web.Server {
	return web.New(web.Options{Version: cluster.Version, Address: c.Address, Token: string(c.token), Cluster: pageCluster{c},
		Operations: pageOperations{sessions.Activity(), sessions}, Tables: tables, Reader: web.NewReader(sessions), Streams: pageStreams{c},
		Jobs: pageJobs{detached}, Log: c.Log})
}

// pageStreams are the streaming queries.
type pageStreams struct{ c *Coordinator }

func (p pageStreams) Streams() []session.StreamingQuery { return p.c.Streams.Queries() }

// pageJobs are the detached jobs.
type pageJobs struct{ m *jobs.Manager }

func (p pageJobs) Jobs(ctx context.Context) ([]web.Job, error) {
	found, err := p.m.List(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]web.Job, len(found))
	for i, j := range found {
		list[i] = web.Job{ID: j.ID, Name: j.Name, User: j.User, State: strings.ToLower(string(j.State)), Submitted: j.Submitted,
			Started: instant(j.Started), Ended: instant(j.Ended), Steps: len(j.Steps), Done: j.Done}
		if j.Error != "" {
			list[i].Error = &web.Problem{Condition: j.Condition, Message: j.Error}
		}
	}
	return list, nil
}

func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// pageCluster shows the driver's workers and queries.
type pageCluster struct{ c *Coordinator }

var _ web.Cluster = pageCluster{}

func (p pageCluster) Leader() bool { return p.c.Leader() }

func (p pageCluster) Workers() []web.Worker {
	var list []web.Worker
	for _, w := range p.c.Driver.Workers() {
		state := "connected"
		switch {
		case !w.Connected:
			state = "lost"
		case w.Draining:
			state = "draining"
		}
		list = append(list, web.Worker{ID: w.ID, Address: w.Address, State: state, Slots: w.Slots, Running: w.Running, Memory: w.Memory,
			MemoryUsed: w.MemoryUsed, Error: w.Error})
	}
	return list
}

func (p pageCluster) Runs() (running, ended []web.Run) {
	now, before := p.c.Driver.Records()
	for _, r := range now {
		running = append(running, runOf(r))
	}
	for _, r := range before {
		ended = append(ended, runOf(r))
	}
	return running, ended
}

func (p pageCluster) Run(id string) (web.Run, bool) {
	r, ok := p.c.Driver.Record(id)
	if !ok {
		return web.Run{}, false
	}
	run := runOf(r)
	n, _ := r.Note.(note)
	for _, l := range n.plan {
		line := web.PlanLine{Stage: int(l.Stage), Depth: l.Depth, Text: l.Text}
		for _, s := range r.Stages {
			if l.Depth == 0 && s.ID == l.Stage && s.Adapted != nil {
				line.Text += ", run by " + s.Adapted.String()
			}
		}
		if m := r.Operators[l.Operator]; m != nil && l.Depth > 0 {
			count(&line, m)
		}
		run.Plan = append(run.Plan, line)
	}
	return run, true
}

func count(l *web.PlanLine, m *operators.OperatorMetrics) {
	rows, ms := m.RowsOut, m.Nanos/int64(time.Millisecond)
	l.Rows, l.Milliseconds = &rows, &ms
	l.Spilled, l.BytesRead, l.Files, l.FilesSkipped = m.SpilledBytes, m.BytesRead, m.Files, m.FilesSkipped
}

func (p pageCluster) Cancel(id string) bool { return p.c.Driver.Cancel(id) }

// note is what a run on the driver keeps for the page.
type note struct {
	purpose session.Purpose
	plan    []physical.Line
}

func noteOf(ctx context.Context, q engine.Query) note {
	return note{session.PurposeOf(ctx), physical.Lines(&physical.Query{Stages: q.Stages, Pipelined: q.Pipelined})}
}

func runOf(r driver.Record) web.Run {
	n, _ := r.Note.(note)
	run := web.Run{ID: r.ID, Purpose: n.purpose, Pipelined: r.Pipelined, Started: r.Started, Ended: r.Ended, Err: r.Err, Waiting: r.Waiting}
	for _, s := range r.Stages {
		run.Stages = append(run.Stages, web.Stage{ID: int(s.ID), Tasks: s.Tasks, Done: s.Done, Running: s.Running, Retries: s.Retries, Rows: s.Rows,
			Bytes: s.Bytes, Milliseconds: s.Nanos / int64(time.Millisecond), MemoryPeak: s.MemoryPeak})
	}
	return run
}

// pageOperations are the sessions' operations.
type pageOperations struct {
	*session.Activity
	sessions *session.Manager
}

func (p pageOperations) Cancel(id string) bool { return p.sessions.Cancel(id) }

// pageTables finds tables in the catalog and by their places.
type pageTables struct {
	catalog   *engine.Catalog
	logs      *log.Cache
	committer *txn.Committer

	mu   sync.Mutex
	turn int // of the table that is looked at again next
}

var _ web.Tables = (*pageTables)(nil)

const (
	looksAtOnce = 8  // tables whose logs a listing looks at
	shownPaths  = 30 // tables without a name that are listed
)

func (p *pageTables) List(ctx context.Context) ([]web.Table, error) {
	spaces, err := p.catalog.Namespaces(ctx)
	if err != nil {
		return nil, err
	}
	var list []web.Table
	named := map[string]bool{}
	for _, n := range spaces {
		tables, err := p.catalog.Tables(ctx, n.Name)
		if err != nil {
			return nil, err
		}
		for _, t := range tables {
			e, err := p.catalog.Lookup(ctx, n.Name, t.Name)
			if err != nil {
				return nil, err
			}
			if e != nil {
				list = append(list, tableOf(*e))
				named[p.url(e.Location)] = true
			}
		}
	}
	list = append(list, p.unnamed(named)...)
	p.look(ctx, list)
	for i := range list {
		list[i].Detail = p.known(list[i])
	}
	return list, nil
}

// unnamed are tables that were used by their places only.
func (p *pageTables) unnamed(named map[string]bool) []web.Table {
	var list []web.Table
	for _, l := range p.logs.Tables() {
		if !named[l.URL()] && l.Cached() != nil && len(list) < shownPaths {
			list = append(list, web.Table{Kind: "PATH", Format: "delta", Location: strings.TrimPrefix(l.URL(), "file:")})
		}
	}
	return list
}

// look asks the logs of a few tables for newer versions, others each time. What cannot be read stays as it was.
func (p *pageTables) look(ctx context.Context, list []web.Table) {
	p.mu.Lock()
	from := p.turn
	p.turn += looksAtOnce
	p.mu.Unlock()
	for i := range min(looksAtOnce, len(list)) {
		if t := list[(from+i)%len(list)]; t.Format == "delta" {
			_, _ = p.Detail(ctx, t.Location)
		}
	}
}

// known is what was last read of a table's log.
func (p *pageTables) known(t web.Table) *web.Detail {
	if t.Format != "delta" {
		return nil
	}
	l, err := p.logs.Table(t.Location)
	if err != nil {
		return nil
	}
	s := l.Cached()
	if s == nil {
		return nil
	}
	return detailOf(s)
}

func (p *pageTables) url(location string) string {
	l, err := p.logs.Table(location)
	if err != nil {
		return location
	}
	return l.URL()
}

func tableOf(e engine.Entry) web.Table {
	kind := "EXTERNAL"
	switch {
	case e.View != "":
		kind = "VIEW"
	case e.Managed:
		kind = "MANAGED"
	}
	return web.Table{Namespace: e.Namespace, Name: e.Name, Kind: kind, Format: e.Provider, Location: e.Location, Comment: e.Comment}
}

func (p *pageTables) Find(ctx context.Context, name []string) (web.Table, error) {
	parts := name
	if len(parts) == 3 && strings.EqualFold(parts[0], session.DefaultCatalog) {
		parts = parts[1:]
	}
	namespace := "default"
	if len(parts) == 2 {
		namespace = parts[0]
	}
	if len(parts) == 1 || len(parts) == 2 {
		e, err := p.catalog.Lookup(ctx, namespace, parts[len(parts)-1])
		if err != nil {
			return web.Table{}, err
		}
		if e != nil {
			return tableOf(*e), nil
		}
	}
	return web.Table{}, errs.New("TABLE_OR_VIEW_NOT_FOUND", "relationName", types.QuoteParts(name...))
}

func (p *pageTables) Detail(ctx context.Context, location string) (*web.Detail, error) {
	l, err := p.logs.Table(location)
	if err != nil {
		return nil, err
	}
	s, err := l.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	return detailOf(s), nil
}

func detailOf(s *delta.Snapshot) *web.Detail {
	return &web.Detail{Version: s.Version, Changed: time.UnixMilli(s.Timestamp).UTC(), Files: s.NumFiles(), Bytes: s.SizeInBytes(), Schema: s.Schema(),
		PartitionBy: s.PartitionColumns()}
}

func (p *pageTables) History(ctx context.Context, location string, limit int) ([]web.Commit, error) {
	l, err := p.logs.Table(location)
	if err != nil {
		return nil, err
	}
	entries, err := l.History(ctx, limit)
	if err != nil {
		return nil, err
	}
	list := make([]web.Commit, len(entries))
	for i, h := range entries {
		list[i] = web.Commit{Version: h.Version, Time: time.UnixMilli(h.Timestamp).UTC(), Operation: value(h.Operation), Metrics: h.OperationMetrics,
			User: value(h.UserName), Engine: value(h.EngineInfo), Note: value(h.UserMetadata), Parameters: map[string]string{}}
		for k, v := range h.OperationParameters {
			list[i].Parameters[k] = value(v)
		}
	}
	return list, nil
}

func value(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func (p *pageTables) Watch(ctx context.Context, location string) (<-chan int64, error) {
	return p.committer.Watch(ctx, location)
}
