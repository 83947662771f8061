package driver

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"

	"millrace/errs"
	workerpb "millrace/proto/millrace/worker/v1"
	"millrace/scheduler"
	"millrace/scheduler/adaptive"
	"millrace/shuffle/wire"
)

// member is a worker that the gossip knows.
type member struct {
	id, address string
	cancel      context.CancelFunc
	suspected   atomic.Bool // the gossip says that it is gone
	leaving     atomic.Bool // it said itself that it drains
	session     *session    // when connected
	count       int         // sessions so far
	lastErr     string
}

// session is one control stream.
type session struct {
	d      *Driver
	m      *member
	name   string // that the scheduler knows
	cancel context.CancelFunc
	heard  atomic.Int64 // unix nanoseconds

	mu       sync.Mutex
	outbox   []*workerpb.Command
	wake     chan struct{}
	slots    int
	memory   int64
	used     int64
	running  int
	cached   Cached
	draining bool
}

// Join tells the driver of a worker; it connects, and again whenever the connection breaks, until Leave.
func (d *Driver) Join(id, address string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ctx.Err() != nil {
		return
	}
	if m := d.members[id]; m != nil {
		m.suspected.Store(false)
		return
	}
	ctx, cancel := context.WithCancel(d.ctx)
	m := &member{id: id, address: address, cancel: cancel}
	d.members[id] = m
	d.group.Add(1)
	go d.attend(ctx, m)
}

// Leave tells the driver that the gossip holds a worker for gone. When it is not, it may finish what it runs.
func (d *Driver) Leave(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	m := d.members[id]
	if m == nil {
		return
	}
	m.suspected.Store(true)
	if m.session == nil {
		d.remove(m)
	}
}

// remove forgets a member that has no session.
func (d *Driver) remove(m *member) {
	delete(d.members, m.id)
	m.cancel()
}

// attend keeps a session with a member.
func (d *Driver) attend(ctx context.Context, m *member) {
	defer d.group.Done()
	pause := 20 * time.Millisecond
	for ctx.Err() == nil {
		begin, before := time.Now(), m.count
		err := d.serve(ctx, m)
		if ctx.Err() != nil {
			return
		}
		level := slog.LevelDebug // another try that failed
		switch {
		case m.count > before && m.leaving.Load():
			level = slog.LevelInfo
		case m.count > before, errs.ConditionOf(err) != "":
			level = slog.LevelWarn
		}
		d.cfg.Log.Log(ctx, level, "no connection with worker", "worker", m.id, "address", m.address, "error", err)
		d.mu.Lock()
		m.lastErr = err.Error()
		if m.suspected.Load() {
			d.remove(m)
		}
		d.mu.Unlock()
		if time.Since(begin) > time.Second {
			pause = 20 * time.Millisecond
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
		pause = min(2*pause, 2*time.Second)
	}
}

// serve runs one session from connecting to its end.
func (d *Driver) serve(ctx context.Context, m *member) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	options := append([]grpc.DialOption{grpc.WithConnectParams(grpc.ConnectParams{MinConnectTimeout: time.Second,
		Backoff: backoff.Config{BaseDelay: 20 * time.Millisecond, Multiplier: 2, MaxDelay: time.Second}})}, d.cfg.Dial...)
	conn, err := grpc.NewClient("passthrough:///"+m.address, options...)
	if err != nil {
		return errs.Wrap(err, "connect")
	}
	defer conn.Close()
	s := &session{d: d, m: m, cancel: cancel, wake: make(chan struct{}, 1)}
	s.heard.Store(time.Now().UnixNano())
	go s.watch(ctx)
	stream, err := workerpb.NewWorkerClient(conn).Control(ctx)
	if err != nil {
		return errs.Wrap(err, "open the control stream")
	}
	if err := s.greet(stream); err != nil {
		return err
	}
	d.admit(s)
	defer d.dismiss(s)
	sent := make(chan struct{})
	go func() { defer close(sent); s.sendAll(ctx, stream) }()
	err = s.receiveAll(stream)
	cancel()
	<-sent
	return err
}

// greet exchanges Hello and Welcome.
func (s *session) greet(stream workerpb.Worker_ControlClient) error {
	hello := &workerpb.Hello{Coordinator: s.d.cfg.ID, Version: s.d.cfg.Version}
	if err := stream.Send(&workerpb.Command{Kind: &workerpb.Command_Hello{Hello: hello}}); err != nil {
		return errs.Wrap(err, "greet")
	}
	ev, err := stream.Recv()
	if err != nil {
		return errs.Wrap(err, "greet")
	}
	w := ev.GetWelcome()
	if w == nil || w.Worker != s.m.id {
		return errs.Newf(errs.Lost, "another worker (%s) answers at %s", w.GetWorker(), s.m.address)
	}
	if w.Version != s.d.cfg.Version {
		return errs.New("CLUSTER_VERSION_MISMATCH", "role", "worker", "name", s.m.id, "version", w.Version, "clusterVersion", s.d.cfg.Version)
	}
	s.slots, s.memory = int(w.Slots), int64(w.Memory)
	s.heard.Store(time.Now().UnixNano())
	return nil
}

// admit makes a session known to the scheduler.
func (d *Driver) admit(s *session) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s.m.count++
	d.joined++
	s.name = fmt.Sprintf("%s#%d", s.m.id, d.joined) // never used again, also when the member goes and another one of its identifier comes
	s.m.session, s.m.lastErr = s, ""
	d.sessions[s.name] = s
	d.cfg.Log.Info("worker joined", "worker", s.m.id, "address", s.m.address, "slots", s.slots)
	d.applyLocked(scheduler.WorkerJoined{Worker: s.name, Slots: s.slots})
}

// dismiss tells the scheduler that the worker is lost.
func (d *Driver) dismiss(s *session) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s.m.session = nil
	delete(d.sessions, s.name)
	d.applyLocked(scheduler.WorkerLost{Worker: s.name})
	d.client.Forget(s.m.address)
}

// watch ends the session when nothing was heard for the time of the lease, or a quarter of it when the gossip has lost the
// worker too.
func (s *session) watch(ctx context.Context) {
	t := time.NewTicker(s.d.cfg.Lease / 20)
	defer t.Stop()
	for {
		select {
		case <-t.C:
		case <-ctx.Done():
			return
		}
		lease := s.d.cfg.Lease
		if s.m.suspected.Load() {
			lease /= 4
		}
		if time.Since(time.Unix(0, s.heard.Load())) > lease {
			s.d.cfg.Log.Warn("worker's lease has ended", "worker", s.m.id)
			s.cancel()
			return
		}
	}
}

// send queues a command; it never blocks.
func (s *session) send(c *workerpb.Command) {
	s.mu.Lock()
	s.outbox = append(s.outbox, c)
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *session) sendAll(ctx context.Context, stream workerpb.Worker_ControlClient) {
	for {
		s.mu.Lock()
		list := s.outbox
		s.outbox = nil
		s.mu.Unlock()
		for _, c := range list {
			if stream.Send(c) != nil {
				return // receiveAll sees why
			}
		}
		if len(list) > 0 {
			continue
		}
		select {
		case <-s.wake:
		case <-ctx.Done():
			return
		}
	}
}

func (s *session) receiveAll(stream workerpb.Worker_ControlClient) error {
	for {
		ev, err := stream.Recv()
		if err != nil {
			return err
		}
		s.heard.Store(time.Now().UnixNano())
		switch k := ev.Kind.(type) {
		case *workerpb.Event_Heartbeat:
			s.mu.Lock()
			s.running, s.used = int(k.Heartbeat.Running), int64(k.Heartbeat.MemoryUsed)
			s.cached = Cached{int(k.Heartbeat.CachedBlocks), int64(k.Heartbeat.CachedMemory), int64(k.Heartbeat.CachedDisk)}
			s.mu.Unlock()
		case *workerpb.Event_Finished:
			s.d.taskFinished(s.name, k.Finished)
		case *workerpb.Event_Failed:
			s.d.taskFailed(k.Failed)
		case *workerpb.Event_Draining:
			s.mu.Lock()
			s.draining = true
			s.mu.Unlock()
			s.m.leaving.Store(true)
			s.d.apply(scheduler.WorkerDraining{Worker: s.name})
		}
	}
}

func (d *Driver) taskFinished(worker string, f *workerpb.Finished) {
	ref := eventRef(f.Ref)
	d.mu.Lock()
	defer d.mu.Unlock()
	if q := d.queries[ref.Job]; q != nil {
		q.report(ref, f.Report)
		q.landed(ref)
		d.states.learn(q.stages[ref.Stage], ref, worker)
	}
	out := &adaptive.Output{Partitions: f.Report.GetPartitionBytes(), Memory: f.Report.GetMemoryBytes()}
	d.applyLocked(scheduler.TaskFinished{Ref: ref, Output: out})
}

func (d *Driver) taskFailed(f *workerpb.Failed) {
	ref, err := eventRef(f.Ref), wire.FromError(f.Error)
	d.cfg.Log.Info("task failed", "query", ref.Job, "stage", ref.Stage, "task", ref.Task, "attempt", ref.Attempt, "error", err)
	d.mu.Lock()
	defer d.mu.Unlock()
	if q := d.queries[ref.Job]; q != nil {
		q.landed(ref)
	}
	if f.Lost != nil {
		d.applyLocked(scheduler.InputLost{Ref: eventRef(f.Lost)})
	}
	d.applyLocked(scheduler.TaskFailed{Ref: ref, Kind: errs.KindOf(err), Err: err})
}

func (s *session) describe(w *Worker) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Connected, w.Draining, w.Slots, w.Memory, w.MemoryUsed, w.Running = true, s.draining, s.slots, s.memory, s.used, s.running
	w.Cached = s.cached
	w.LastHeard = time.Unix(0, s.heard.Load())
}
