package worker

import (
	"context"
	"errors"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"millrace/errs"
	planpb "millrace/proto/millrace/plan/v1"
	workerpb "millrace/proto/millrace/worker/v1"
	"millrace/shuffle"
	"millrace/shuffle/wire"
)

// heartbeat is how often a coordinator hears from the worker at least.
const heartbeat = 250 * time.Millisecond

// Register adds the worker's control service to a server.
func (r *Runtime) Register(g *grpc.Server) {
	r.drain = make(chan struct{})
	workerpb.RegisterWorkerServer(g, &control{r: r})
}

// Drain tells all coordinators to launch nothing here any more.
func (r *Runtime) Drain() {
	if r.draining.CompareAndSwap(false, true) {
		close(r.drain)
	}
}

// Idle reports whether nothing runs and no query's output is kept.
func (r *Runtime) Idle() bool { return r.running.Load() == 0 && r.Store.Queries() == 0 }

// Controlled reports whether a coordinator holds a control stream to this worker.
func (r *Runtime) Controlled() bool { return r.streams.Load() > 0 }

type control struct {
	workerpb.UnimplementedWorkerServer
	r *Runtime
}

// session is one coordinator's stream.
type session struct {
	r      *Runtime
	ctx    context.Context
	out    chan *workerpb.Event
	tasks  sync.WaitGroup
	mu     sync.Mutex
	states map[string]*queryState
	cached map[string]bool // fillings of cached frames that came through this stream
}

// queryState is a query as far as this worker takes part.
type queryState struct {
	prepare *workerpb.Prepare
	stages  map[uint32]*planpb.Stage
	readers map[uint32]int // by stage
	ctx     context.Context
	cancel  context.CancelFunc

	mu        sync.Mutex
	locations map[uint64]*workerpb.Locations
	tasks     map[shuffle.Ref]*task
	running   sync.WaitGroup
}

func (q *queryState) location(id uint64) *workerpb.Locations {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.locations[id]
}

// Control serves a coordinator. When it returns, nothing of what came through the stream is left.
func (c *control) Control(stream workerpb.Worker_ControlServer) error {
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	hello := first.GetHello()
	if hello == nil {
		return status.Error(codes.InvalidArgument, "a control stream begins with Hello")
	}
	r := c.r
	welcome := &workerpb.Welcome{Worker: r.ID, Version: r.Version, Slots: uint32(r.Slots), Memory: uint64(r.Pool.Limit())}
	if err := stream.Send(&workerpb.Event{Kind: &workerpb.Event_Welcome{Welcome: welcome}}); err != nil {
		return err
	}
	r.streams.Add(1)
	defer r.streams.Add(-1)
	ctx, cancel := context.WithCancel(stream.Context())
	s := &session{r: r, ctx: ctx, out: make(chan *workerpb.Event, 64), states: map[string]*queryState{}, cached: map[string]bool{}}
	sent := make(chan struct{})
	go func() { defer close(sent); s.sendAll(stream); cancel() }()
	r.Log.Info("coordinator connected", "coordinator", hello.Coordinator)
	err = s.receiveAll(ctx, stream)
	r.Log.Info("coordinator disconnected", "coordinator", hello.Coordinator, "error", err)
	cancel()
	for id := range s.states {
		s.release(id)
	}
	s.tasks.Wait()
	for id := range s.cached {
		s.forget(id)
	}
	<-sent
	return nil
}

func (s *session) receiveAll(ctx context.Context, stream workerpb.Worker_ControlServer) error {
	for ctx.Err() == nil {
		c, err := stream.Recv()
		if err != nil {
			return err
		}
		switch k := c.Kind.(type) {
		case *workerpb.Command_Prepare:
			s.prepare(k.Prepare)
		case *workerpb.Command_Locations:
			if q := s.state(k.Locations.Query); q != nil {
				q.mu.Lock()
				q.locations[k.Locations.Id] = k.Locations
				q.mu.Unlock()
			}
		case *workerpb.Command_Launch:
			s.launch(k.Launch)
		case *workerpb.Command_Cancel:
			s.cancel(shuffle.RefOf(k.Cancel))
		case *workerpb.Command_Release:
			s.release(k.Release)
		case *workerpb.Command_Forget:
			s.forget(k.Forget)
		}
	}
	return ctx.Err()
}

// sendAll sends events and heartbeats until the session ends.
func (s *session) sendAll(stream workerpb.Worker_ControlServer) {
	t := time.NewTicker(heartbeat)
	defer t.Stop()
	drain := s.r.drain
	for {
		var ev *workerpb.Event
		select {
		case ev = <-s.out:
		case <-t.C:
			ev = &workerpb.Event{Kind: &workerpb.Event_Heartbeat{Heartbeat: s.r.heartbeat()}}
		case <-drain:
			drain = nil
			ev = &workerpb.Event{Kind: &workerpb.Event_Draining{Draining: true}}
		case <-s.ctx.Done():
			return
		}
		if stream.Send(ev) != nil {
			return
		}
	}
}

func (s *session) state(query string) *queryState {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.states[query]
}

func (s *session) prepare(p *workerpb.Prepare) {
	q := &queryState{prepare: p, stages: map[uint32]*planpb.Stage{}, readers: shuffle.Readers(p.Stages), locations: map[uint64]*workerpb.Locations{}, tasks: map[shuffle.Ref]*task{}}
	for _, st := range p.Stages {
		q.stages[st.Id] = st
		if sink := st.Root.GetCacheSink(); sink != nil {
			s.cached[sink.Id] = true
		}
	}
	q.ctx, q.cancel = context.WithCancel(s.ctx)
	s.mu.Lock()
	s.states[p.Query] = q
	s.mu.Unlock()
}

// heartbeat is what the worker says of itself.
func (r *Runtime) heartbeat() *workerpb.Heartbeat {
	h := &workerpb.Heartbeat{Running: uint32(r.running.Load()), MemoryUsed: uint64(r.Pool.Used()), MemoryLimit: uint64(r.Pool.Limit())}
	if r.Cache != nil {
		t := r.Cache.Stats()
		h.CachedMemory, h.CachedDisk, h.CachedBlocks = uint64(t.Memory), uint64(t.Disk), uint32(t.Blocks)
	}
	return h
}

// forget drops a filling of a cached frame.
func (s *session) forget(id string) {
	delete(s.cached, id)
	if s.r.Cache != nil {
		s.r.Cache.Forget(id)
	}
}

// launch starts a task.
func (s *session) launch(l *workerpb.Launch) {
	ref := shuffle.RefOf(l.Ref)
	q := s.state(ref.Query)
	if q == nil || q.stages[ref.Stage] == nil {
		s.r.Log.Error("launch of an unknown query or stage", "query", ref.Query, "stage", ref.Stage)
		err := errs.Newf(errs.Internal, "worker %s was not told of stage %d of query %s", s.r.ID, ref.Stage, ref.Query)
		s.send(&workerpb.Event{Kind: &workerpb.Event_Failed{Failed: &workerpb.Failed{Ref: l.Ref, Error: wire.Error(err)}}})
		return
	}
	t := &task{q: q, stage: q.stages[ref.Stage], ref: ref, launch: l}
	t.ctx, t.cancel = context.WithCancel(q.ctx)
	q.mu.Lock()
	q.tasks[ref] = t
	q.mu.Unlock()
	s.tasks.Add(1)
	q.running.Add(1)
	go func() {
		defer s.tasks.Done()
		defer q.running.Done()
		report, err := s.r.run(t)
		q.mu.Lock()
		delete(q.tasks, ref)
		q.mu.Unlock()
		cancelled := t.ctx.Err() != nil
		t.cancel()
		if !cancelled {
			s.report(t, report, err)
		}
	}()
}

// report tells the coordinator how a task ended.
func (s *session) report(t *task, report *workerpb.TaskReport, err error) {
	ev := &workerpb.Event{Kind: &workerpb.Event_Finished{Finished: &workerpb.Finished{Ref: t.launch.Ref, Report: report}}}
	if err != nil {
		failed := &workerpb.Failed{Ref: t.launch.Ref, Error: wire.Error(err), Report: report}
		var lost *shuffle.LostInput
		if errors.As(err, &lost) {
			failed.Lost = lost.Output.PB()
		}
		if errs.Is(err, errs.Cancelled) { // nobody cancelled it: something below gave up
			failed.Error.Kind = uint32(errs.Transient)
		}
		ev = &workerpb.Event{Kind: &workerpb.Event_Failed{Failed: failed}}
	}
	s.send(ev)
}

func (s *session) send(ev *workerpb.Event) {
	select {
	case s.out <- ev:
	case <-s.ctx.Done():
	}
}

// cancel stops a task and forgets its output.
func (s *session) cancel(ref shuffle.Ref) {
	q := s.state(ref.Query)
	if q == nil {
		return
	}
	q.mu.Lock()
	if t := q.tasks[ref]; t != nil {
		t.cancel()
	}
	q.mu.Unlock()
	s.r.Store.Drop(ref)
}

// release ends a query here: its tasks are cancelled and what they hold is freed.
func (s *session) release(query string) {
	s.mu.Lock()
	q := s.states[query]
	delete(s.states, query)
	s.mu.Unlock()
	if q == nil {
		return
	}
	q.cancel()
	s.r.Store.Release(query)
	s.tasks.Add(1)
	go func() {
		defer s.tasks.Done()
		q.running.Wait()
		s.r.Store.Sweep(query)
	}()
}
