package stream

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"millrace/engine"
	"millrace/plan"
	"millrace/session"
	"millrace/storage"
	"millrace/stream/checkpoint"
	"millrace/stream/source"
	"millrace/types"
)

// ticks is a source that has one thing more every so often.
type ticks struct {
	source.Source // what is not needed here
	start         time.Time
	every         time.Duration
	frozen        string
}

func (s *ticks) now() string { return fmt.Sprint(int64(time.Since(s.start) / s.every)) }

func (s *ticks) Latest(_ context.Context, _ string, _ bool) (string, error) {
	if s.frozen != "" {
		return s.frozen, nil
	}
	return s.now(), nil
}

func (s *ticks) Freeze(context.Context) error { s.frozen = s.now(); return nil }

func (s *ticks) Wait(ctx context.Context, after string) error {
	var n int64
	fmt.Sscan(after, &n)
	return sleep(ctx, time.Until(s.start.Add(time.Duration(n+1)*s.every)))
}

func (s *ticks) Description() string { return "ticks" }
func (s *ticks) Schema() *types.Type { return types.Struct() }
func (s *ticks) Forget(string)       {}
func (s *ticks) Close()              {}

// diary is a sink that notes when its batches ran, and takes its time.
type diary struct {
	start time.Time
	takes time.Duration
	lines []string
}

func (d *diary) description() string { return "diary" }
func (d *diary) overlaps() bool      { return true }

func (d *diary) write(ctx context.Context, _ engine.MicroBatch, id int64, ready func(context.Context) error) (written, error) {
	if err := ready(ctx); err != nil {
		return written{}, err
	}
	d.lines = append(d.lines, fmt.Sprintf("%d@%v", id, time.Since(d.start)))
	return written{}, sleep(ctx, d.takes)
}

// play runs a query for a while and gives its sink's diary.
func play(t *testing.T, trigger session.StreamTrigger, takes, runFor time.Duration) string {
	var text string
	dir := t.TempDir()
	store, err := storage.Local(dir)
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		m := &Manager{o: Options{Log: slog.New(slog.DiscardHandler), Store: func(string) (storage.Store, error) { return store, nil }, Engine: engine.New(engine.Options{Runner: slots(1)})},
			running: map[string]*query{}, seen: map[session.Key]*watchers{}}
		m.ctx, m.stop = context.WithCancel(context.Background())
		q := m.newQuery(session.NewManager(session.Options{}).Detached("test", nil, nil), nil)
		d := &diary{start: time.Now(), takes: takes}
		q.id, q.runID, q.log, q.sink, q.trigger = "id", "run", checkpoint.New(store), d, trigger
		q.sources = []source.Source{&ticks{start: time.Now(), every: 3 * time.Second}}
		q.opened = q.sources
		m.begin(q)
		time.Sleep(runFor)
		if err := q.Stop(context.Background()); err != nil {
			t.Error(err)
		}
		if q.Err() != nil {
			t.Error(q.Err())
		}
		m.Close()
		text = strings.Join(d.lines, " ")
	})
	return text
}

// slots is a runner that runs nothing.
type slots int

func (s slots) Slots() int { return int(s) }

func (s slots) Run(context.Context, engine.Query) (engine.Rows, error) { return nil, nil }

var _ plan.StreamTable = (*ticks)(nil)

// TestTriggers tells when batches run, by a simulated clock that starts at a whole number of seconds. The source has something at first,
// and something more every three seconds.
func TestTriggers(t *testing.T) {
	for _, c := range []struct {
		name    string
		trigger session.StreamTrigger
		takes   time.Duration
		want    string
	}{
		{"as data comes", session.StreamTrigger{}, time.Second, "0@0s 1@3s 2@6s 3@9s"},
		{"batches that take long", session.StreamTrigger{}, 4 * time.Second, "0@0s 1@4s 2@8s"},
		{"every 5 s", session.StreamTrigger{Every: 5 * time.Second}, time.Second, "0@0s 1@5s 2@10s"},
		{"every 5 s, batches of 6 s", session.StreamTrigger{Every: 5 * time.Second}, 6 * time.Second, "0@0s 1@6s"},
		{"every s", session.StreamTrigger{Every: time.Second}, 0, "0@0s 1@3s 2@6s 3@9s"},
		{"once", session.StreamTrigger{Once: true}, time.Second, "0@0s"},
		{"available now", session.StreamTrigger{AvailableNow: true}, 10 * time.Second, "0@0s"},
	} {
		if got := play(t, c.trigger, c.takes, 11*time.Second); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
