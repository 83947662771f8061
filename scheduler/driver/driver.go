package driver

import (
	"context"
	"log/slog"
	"sort"
	"sync"
	"time"

	"google.golang.org/grpc"

	"millrace/errs"
	workerpb "millrace/proto/millrace/worker/v1"
	"millrace/scheduler"
	"millrace/shuffle"
)

// Config is how a driver works. Zero fields take the defaults.
type Config struct {
	ID        string // of this coordinator
	Version   string // which workers must have too
	Scheduler scheduler.Config
	Lease     time.Duration // a worker that is silent for so long is lost; default 8 s. One that dies breaks its stream at once
	HoldBytes int64         // of a result, before rows are handed out; default 16 MiB
	Dial      []grpc.DialOption
	Log       *slog.Logger
}

// Driver runs queries. Safe for concurrent use.
type Driver struct {
	cfg    Config
	client *shuffle.Client
	begin  time.Time
	ctx    context.Context
	cancel context.CancelFunc
	group  sync.WaitGroup

	mu       sync.Mutex
	core     *scheduler.Scheduler
	members  map[string]*member  // by id
	sessions map[string]*session // by the name that the scheduler knows
	joined   int                 // sessions so far
	queries  map[string]*query
	ended    []Record // oldest first
	states   affinities
	out      []scheduler.Decision // reused
}

// New makes a driver without workers.
func New(cfg Config) *Driver {
	if cfg.Lease == 0 {
		cfg.Lease = 8 * time.Second
	}
	if cfg.HoldBytes == 0 {
		cfg.HoldBytes = 16 << 20
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	d := &Driver{cfg: cfg, begin: time.Now(), core: scheduler.New(cfg.Scheduler), members: map[string]*member{}, sessions: map[string]*session{},
		queries: map[string]*query{}, client: shuffle.NewClient(nil, "", cfg.Dial...)}
	d.ctx, d.cancel = context.WithCancel(context.Background())
	d.group.Add(1)
	go d.tick()
	return d
}

// Close ends all queries and leaves the workers.
func (d *Driver) Close() {
	d.mu.Lock()
	var ids []string
	for id := range d.queries {
		ids = append(ids, id)
	}
	d.mu.Unlock()
	for _, id := range ids {
		d.apply(scheduler.Cancel{Job: id, Err: errs.Newf(errs.Cancelled, "the coordinator is shutting down")})
	}
	d.cancel()
	d.group.Wait()
	d.client.Close()
}

// tick tells the scheduler the time.
func (d *Driver) tick() {
	defer d.group.Done()
	t := time.NewTicker(100 * time.Millisecond)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			d.apply(scheduler.Tick{Now: time.Since(d.begin)})
		case <-d.ctx.Done():
			return
		}
	}
}

// apply gives an event to the scheduler and does what it decides. Nothing in it blocks.
func (d *Driver) apply(events ...scheduler.Event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.applyLocked(events...)
}

func (d *Driver) applyLocked(events ...scheduler.Event) {
	for _, ev := range events {
		d.out = d.core.Step(ev, d.out[:0])
		for _, decision := range d.out {
			d.obey(decision)
		}
	}
}

func (d *Driver) obey(decision scheduler.Decision) {
	switch x := decision.(type) {
	case scheduler.Launch:
		d.launch(x)
	case scheduler.Adapted:
		if q := d.queries[x.Job]; q != nil {
			q.adapt(x)
		}
	case scheduler.CancelTask:
		if s := d.sessions[x.Worker]; s != nil {
			s.send(&workerpb.Command{Kind: &workerpb.Command_Cancel{Cancel: refOf(x.Ref).PB()}})
		}
	case scheduler.ResultReady:
		if q := d.queries[x.Ref.Job]; q != nil {
			q.setReady(x.Ref, x.Worker, d.address(x.Worker))
		}
	case scheduler.ResultGranted:
		if q := d.queries[x.Ref.Job]; q != nil {
			q.granted[x.Ref] = true
		}
	case scheduler.JobSucceeded:
		d.end(x.Job, nil)
	case scheduler.JobFailed:
		d.end(x.Job, x.Err)
	case scheduler.Waiting:
		d.cfg.Log.Warn("query waits", "query", x.Job, "reason", x.Reason)
		if q := d.queries[x.Job]; q != nil {
			q.waiting.Store(&x.Reason)
		}
	}
}

// address is where a worker is; empty when it has gone.
func (d *Driver) address(worker string) string {
	if s := d.sessions[worker]; s != nil {
		return s.m.address
	}
	return ""
}

// end closes a query and has all workers forget it.
func (d *Driver) end(id string, err error) {
	q := d.queries[id]
	if q == nil {
		return
	}
	delete(d.queries, id)
	for name := range q.prepared {
		if s := d.sessions[name]; s != nil {
			s.send(&workerpb.Command{Kind: &workerpb.Command_Release{Release: id}})
		}
	}
	q.finish(err)
	d.keep(q)
}

func refOf(r scheduler.Ref) shuffle.Ref {
	return shuffle.Ref{Query: r.Job, Stage: r.Stage, Task: r.Task, Attempt: r.Attempt}
}

func eventRef(r *workerpb.Ref) scheduler.Ref {
	return scheduler.Ref{Job: r.GetQuery(), Stage: r.GetStage(), Task: int(r.GetTask()), Attempt: int(r.GetAttempt())}
}

// Worker is what the driver knows of a worker.
type Worker struct {
	ID, Address string
	Connected   bool
	Draining    bool
	Slots       int
	Memory      int64
	MemoryUsed  int64
	Running     int
	Cached      Cached
	LastHeard   time.Time
	Error       string // why it is not connected
}

// Cached is what a worker holds of cached frames.
type Cached struct {
	Blocks       int
	Memory, Disk int64 // bytes
}

// Workers lists the workers by id.
func (d *Driver) Workers() []Worker {
	d.mu.Lock()
	defer d.mu.Unlock()
	list := make([]Worker, 0, len(d.members))
	for _, m := range d.members {
		w := Worker{ID: m.id, Address: m.address, Error: m.lastErr}
		if s := m.session; s != nil {
			s.describe(&w)
		}
		list = append(list, w)
	}
	sort.Slice(list, func(i, k int) bool { return list[i].ID < list[k].ID })
	return list
}

// Slots is the number of task slots of all connected workers.
func (d *Driver) Slots() int {
	n := 0
	for _, w := range d.Workers() {
		if w.Connected && !w.Draining {
			n += w.Slots
		}
	}
	return n
}

// Usable reports whether a worker, as Result.Worker names it, takes tasks.
func (d *Driver) Usable(worker string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.sessions[worker]
	return s != nil && !s.m.leaving.Load()
}

// Forget has all workers drop the blocks of a filling of a cached frame.
func (d *Driver) Forget(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, s := range d.sessions {
		s.send(&workerpb.Command{Kind: &workerpb.Command_Forget{Forget: id}})
	}
}

// Running is the number of queries that have not ended.
func (d *Driver) Running() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.queries)
}
