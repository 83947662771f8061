package jobs

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"strings"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"

	"millrace/errs"
	"millrace/session"
)

// Options are what a Manager stands on.
type Options struct {
	Etcd     *clientv3.Client
	Sessions *session.Manager
	Remote   string   // the Spark Connect address that scripts are given
	Env      []string // what else their environment needs for it
	Dir      string   // scripts run in folders below it
	Self     string   // this coordinator, for logs
	AtOnce   int      // jobs that run at once; 0: 8
	Log      *slog.Logger
}

// leaseSeconds is how long a dead coordinator's jobs wait for another at most.
const leaseSeconds = 3

// Manager runs jobs and answers for them. It is safe for concurrent use.
type Manager struct {
	o     Options
	store store
	slots chan struct{}

	mu      sync.Mutex
	running map[string]context.CancelCauseFunc
}

// New makes a manager; Run makes it run jobs.
func New(o Options) *Manager {
	if o.AtOnce == 0 {
		o.AtOnce = 8
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Manager{o: o, store: store{o.Etcd}, slots: make(chan struct{}, o.AtOnce), running: map[string]context.CancelCauseFunc{}}
}

// Submit checks a job and queues it.
func (m *Manager) Submit(ctx context.Context, s Spec) (Job, error) {
	if err := s.Check(); err != nil {
		return Job{}, err
	}
	for {
		j := Job{ID: newID(time.Now()), Spec: s, State: Queued, Submitted: time.Now().UTC()}
		err := m.store.create(ctx, j)
		if !errs.Is(err, errs.Transient) {
			return j, err
		}
	}
}

// newID is a time that people can read and sort by, and six digits that keep two jobs apart.
func newID(now time.Time) string {
	var b [3]byte
	_, _ = rand.Read(b[:]) // never fails
	return now.UTC().Format("20060102-150405-") + hex.EncodeToString(b[:])
}

// List gives the jobs that are kept, newest first.
func (m *Manager) List(ctx context.Context) ([]Job, error) {
	all, _, err := m.store.list(ctx)
	return all, err
}

// Get is one job. Its error has the kind NotFound if there is none.
func (m *Manager) Get(ctx context.Context, id string) (Job, error) { return m.store.get(ctx, id) }

// Cancel asks whoever runs the job to stop it.
func (m *Manager) Cancel(ctx context.Context, id string) (Job, error) {
	j, err := m.store.get(ctx, id)
	if err != nil || j.State.Ended() {
		return j, err
	}
	if _, err := m.o.Etcd.Put(ctx, wishes+id, ""); err != nil {
		return j, errs.Wrap(err, "cancel the job %s", id)
	}
	return j, nil
}

// Logs calls f with what the job has written, and with follow goes on until the job has ended.
func (m *Manager) Logs(ctx context.Context, id string, follow bool, f func(text string) error) error {
	if _, err := m.store.get(ctx, id); err != nil {
		return err
	}
	r, err := m.o.Etcd.Get(ctx, lines+id+"/", clientv3.WithPrefix())
	if err != nil {
		return errs.Wrap(err, "read the log of the job %s", id)
	}
	for _, kv := range r.Kvs {
		if err := f(string(kv.Value)); err != nil {
			return err
		}
	}
	if !follow {
		return nil
	}
	return m.follow(ctx, id, r.Header.Revision+1, f)
}

// follow hands on log lines as they come. The record is watched too: a job's last lines are written before its end.
func (m *Manager) follow(ctx context.Context, id string, from int64, f func(text string) error) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	events := m.o.Etcd.Watch(ctx, root, clientv3.WithPrefix(), clientv3.WithRev(from))
	if j, err := m.store.get(ctx, id); err != nil || j.State.Ended() {
		return err
	}
	for w := range events {
		if err := w.Err(); err != nil {
			return errs.Wrap(err, "watch the job %s", id)
		}
		for _, e := range w.Events {
			key := string(e.Kv.Key)
			if strings.HasPrefix(key, lines+id+"/") && e.Type == clientv3.EventTypePut {
				if err := f(string(e.Kv.Value)); err != nil {
					return err
				}
			}
			if key != records+id {
				continue
			}
			if j, err := decode(e.Kv.Value); err != nil || e.Type == clientv3.EventTypeDelete || j.State.Ended() {
				return err
			}
		}
	}
	return ctx.Err()
}

// Run runs jobs that nobody runs until ctx ends; those that run then are left for another coordinator.
func (m *Manager) Run(ctx context.Context) {
	for ctx.Err() == nil {
		s, err := concurrency.NewSession(m.o.Etcd, concurrency.WithTTL(leaseSeconds), concurrency.WithContext(ctx))
		if err == nil {
			err = m.watch(ctx, s)
			_ = s.Close() // its lease ends, if not now then by itself
		}
		if err != nil && ctx.Err() == nil {
			m.o.Log.Warn("jobs: etcd", "error", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// watch starts every job that waits, and again when a claim has ended. It returns when the session has.
func (m *Manager) watch(ctx context.Context, s *concurrency.Session) error {
	ctx, stop := context.WithCancel(ctx)
	var jobs sync.WaitGroup
	defer jobs.Wait()
	defer stop()
	all, revision, err := m.store.list(ctx)
	if err != nil {
		return err
	}
	events := m.o.Etcd.Watch(ctx, root, clientv3.WithPrefix(), clientv3.WithRev(revision+1), clientv3.WithFilterPut(), clientv3.WithPrevKV())
	puts := m.o.Etcd.Watch(ctx, root, clientv3.WithPrefix(), clientv3.WithRev(revision+1), clientv3.WithFilterDelete())
	start := func(id string) { jobs.Go(func() { m.try(ctx, s, id) }) }
	for _, j := range all {
		if !j.State.Ended() {
			start(j.ID)
		}
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.Done():
			return errs.Newf(errs.Lost, "the lease has expired")
		case w, ok := <-events: // a claim has ended
			if !ok || w.Err() != nil {
				return w.Err()
			}
			for _, e := range w.Events {
				if id, ok := strings.CutPrefix(string(e.Kv.Key), claims); ok {
					start(id)
				}
			}
		case w, ok := <-puts:
			if !ok || w.Err() != nil {
				return w.Err()
			}
			for _, e := range w.Events {
				m.notice(e, start)
			}
		}
	}
}

// notice starts new jobs and stops those that are no longer wanted.
func (m *Manager) notice(e *clientv3.Event, start func(id string)) {
	key := string(e.Kv.Key)
	if id, ok := strings.CutPrefix(key, records); ok && e.IsCreate() {
		start(id)
	}
	if id, ok := strings.CutPrefix(key, wishes); ok {
		m.mu.Lock()
		if cancel := m.running[id]; cancel != nil {
			cancel(errs.New("OPERATION_CANCELED"))
		}
		m.mu.Unlock()
	}
}

// try runs a job if nobody else does.
func (m *Manager) try(ctx context.Context, s *concurrency.Session, id string) {
	select {
	case m.slots <- struct{}{}:
		defer func() { <-m.slots }()
	case <-ctx.Done():
		return
	}
	j, err := m.store.get(ctx, id)
	if err != nil || j.State.Ended() {
		return
	}
	c, err := m.store.take(ctx, id, s.Lease(), m.o.Self)
	if err != nil || c == nil {
		return
	}
	if j, err = m.store.get(ctx, id); err != nil || j.State.Ended() { // as whoever held the claim before has left it
		c.release(ctx)
		return
	}
	m.hold(ctx, c, &j)
}

// hold runs a claimed job and records how it ended.
func (m *Manager) hold(ctx context.Context, c *claim, j *Job) {
	run, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	m.mu.Lock()
	m.running[j.ID] = cancel
	m.mu.Unlock()
	defer func() {
		m.mu.Lock()
		delete(m.running, j.ID)
		m.mu.Unlock()
	}()
	if r, err := m.o.Etcd.Get(ctx, wishes+j.ID); err == nil && len(r.Kvs) > 0 {
		cancel(errs.New("OPERATION_CANCELED"))
	}
	err := m.attempt(run, c, j)
	if ctx.Err() != nil || errs.Is(err, errs.Lost) && c.write(context.WithoutCancel(ctx)) != nil {
		return // the claim is gone or goes with this process: the job waits for another
	}
	if err := m.conclude(ctx, c, j, err); err != nil {
		m.o.Log.Warn("jobs: record the end", "job", j.ID, "error", err)
	}
	c.release(ctx)
	if err := m.store.forget(ctx); err != nil {
		m.o.Log.Warn("jobs: forget old ones", "error", err)
	}
}

// conclude writes a job's final state.
func (m *Manager) conclude(ctx context.Context, c *claim, j *Job, err error) error {
	j.Ended = time.Now().UTC()
	switch {
	case err == nil:
		j.State = Succeeded
	case errs.Is(err, errs.Cancelled):
		j.State = Cancelled
	default:
		j.State, j.Error, j.Condition = Failed, err.Error(), errs.ConditionOf(err)
	}
	line := "-- " + string(j.State) + " after " + j.Ended.Sub(j.Started).Round(time.Millisecond).String()
	if j.Error != "" {
		line += ": " + j.Error
	}
	if err := c.log(ctx, line); err != nil {
		return err
	}
	return c.save(ctx, *j)
}
