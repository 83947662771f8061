package source

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"millrace/delta"
	"millrace/delta/log"
	"millrace/errs"
	"millrace/txn"
)

// watch learns of a table's new versions: of those of writers that share our heads at once, of others' by looking for the next commit's file.
type watch struct {
	log       *log.Table
	committer *txn.Committer
	once      sync.Once
	ctx       context.Context
	close     context.CancelFunc
	head      atomic.Int64
	moved     chan struct{} // holds a token after head rose
	checked   time.Time
	busy      time.Time // when a version was found last
}

func newWatch(l *log.Table, c *txn.Committer) *watch {
	w := &watch{log: l, committer: c, moved: make(chan struct{}, 1)}
	w.head.Store(-1)
	w.ctx, w.close = context.WithCancel(context.Background())
	return w
}

// follow listens to our own writers.
func (w *watch) follow() {
	if w.committer == nil {
		return
	}
	versions, err := w.committer.Watch(w.ctx, w.log.URL())
	if err != nil {
		return // looking for files finds them too
	}
	go func() {
		for v := range versions {
			w.head.Store(v)
			select {
			case w.moved <- struct{}{}:
			default:
			}
		}
	}()
}

// How often the next commit's file is looked for: a local look costs a few microseconds, a remote one a request.
const (
	pollLocal      = 4 * time.Millisecond
	pollLocalIdle  = 20 * time.Millisecond
	pollRemote     = 100 * time.Millisecond
	pollRemoteIdle = time.Second
	idleAfter      = 10 * time.Second
	checkEvery     = time.Second // whether the table is still the same one
)

func (w *watch) pause() time.Duration {
	idle := time.Since(w.busy) > idleAfter
	switch local := strings.HasPrefix(w.log.URL(), "file:"); {
	case local && idle:
		return pollLocalIdle
	case local:
		return pollLocal
	case idle:
		return pollRemoteIdle
	}
	return pollRemote
}

// wait returns when a version exists, or when check gives an error.
func (w *watch) wait(ctx context.Context, version int64, check func(context.Context) error) error {
	w.once.Do(w.follow)
	w.checked = time.Now()
	timer := time.NewTimer(w.pause())
	defer timer.Stop()
	for {
		if w.head.Load() >= version {
			w.busy = time.Now()
			return nil
		}
		if _, err := w.log.Store().Stat(ctx, delta.CommitPath(version)); err == nil {
			w.busy = time.Now()
			return nil
		} else if !errs.Is(err, errs.NotFound) && !errs.Is(err, errs.Transient) {
			return err
		}
		if time.Since(w.checked) > checkEvery {
			w.checked = time.Now()
			if err := check(ctx); err != nil {
				return err
			}
		}
		select {
		case <-timer.C:
			timer.Reset(w.pause())
		case <-w.moved:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Wait implements Source.
func (d *Delta) Wait(ctx context.Context, after string) error {
	at, ok, err := d.begin(ctx, after)
	if err != nil || !ok {
		return err
	}
	if at.Initial || at.Version <= d.base.Version {
		return nil
	}
	if d.last >= 0 && at.Version > d.last {
		<-ctx.Done()
		return ctx.Err()
	}
	return d.watch.wait(ctx, at.Version, d.same)
}

// same checks that the table is still the one that the stream reads.
func (d *Delta) same(ctx context.Context) error {
	s, err := d.log.Snapshot(ctx)
	switch {
	case errs.Is(err, errs.NotFound):
		return errs.Newf(errs.Invalid, "The Delta table %s was removed while a stream was reading it.", d.log.URL())
	case err != nil:
		return nil // the next look tells
	case s.Metadata.ID != d.base.Metadata.ID:
		return d.otherTable(d.base.Metadata.ID, s.Metadata.ID)
	}
	return nil
}
