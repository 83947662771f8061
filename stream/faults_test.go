package stream_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"millrace/errs"
	"millrace/storage"
	"millrace/storage/faultstore"
)

// doom makes the stores of one run of a query die, or stand still, at one of their operations.
type doom struct {
	mu      sync.Mutex
	left    int  // operations until then
	after   bool // the fatal operation takes effect
	zombie  bool // it waits for woken instead of failing, and all go on afterwards
	dead    bool
	reached chan struct{} // closed at the fatal operation
	woken   chan struct{}
}

func newDoom(r *rand.Rand) *doom {
	return &doom{left: 1 + r.IntN(70), after: r.IntN(2) == 0, zombie: r.IntN(3) == 0, reached: make(chan struct{}), woken: make(chan struct{})}
}

func (d *doom) open(location string) (storage.Store, error) {
	s, err := storage.Open(location)
	if err != nil {
		return nil, err
	}
	return faultstore.New(s, d.decide), nil
}

func (d *doom) decide(faultstore.Op) faultstore.Fault {
	d.mu.Lock()
	if d.dead && !d.zombie {
		d.mu.Unlock()
		return faultstore.FailBefore
	}
	d.left--
	if d.left != 0 {
		d.mu.Unlock()
		return faultstore.None
	}
	d.dead = true
	close(d.reached)
	d.mu.Unlock()
	switch {
	case d.zombie:
		<-d.woken
		return faultstore.None
	case d.after:
		return faultstore.FailAfter
	}
	return faultstore.FailBefore
}

// lift ends the wait of a zombie, or lets it never begin.
func (d *doom) lift() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.zombie {
		d.left = 0
		close(d.woken)
	}
}

// seeds is how many random histories TestExactlyOnce tells.
func seeds(t *testing.T) int {
	if text := os.Getenv("MILLRACE_SEEDS"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatalf("MILLRACE_SEEDS is no number: %s", text)
		}
		return n
	}
	if testing.Short() {
		return 5
	}
	return 140 // more than 200 deaths and 80 zombies
}

// TestExactlyOnce runs a query again and again in processes that die, or stand still and go on when others have taken over, at any
// operation on a store, while rows are appended. In the end each row is in the sink once.
func TestExactlyOnce(t *testing.T) {
	died, slept := 0, 0
	for seed := range seeds(t) {
		d, s := history(t, uint64(seed))
		died, slept = died+d, slept+s
	}
	t.Logf("%d deaths, %d zombies", died, slept)
	if died == 0 || slept == 0 {
		t.Error("nothing died or nothing slept: the test tests nothing")
	}
}

// history is one seed's.
func history(t *testing.T, seed uint64) (died, slept int) {
	r := rand.New(rand.NewPCG(seed, 20))
	dir := t.TempDir()
	src, sink := filepath.Join(dir, "src"), filepath.Join(dir, "sink")
	writer := newCluster(t, dir, nil)
	session := writer.session()
	rows := int64(0)
	more := func() {
		n := int64(1 + r.IntN(20))
		writer.append(session, src, rows, rows+n)
		rows += n
	}
	more()
	options := []string{"maxFilesPerTrigger", strconv.Itoa(1 + r.IntN(3))}
	var zombies []*doom
	var waits []func()
	for range 4 + r.IntN(4) {
		for range r.IntN(4) {
			more()
		}
		d := newDoom(r)
		c := clusterOn(t, dir, nil, d.open)
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			q, err := c.streams.Start(context.Background(), c.session(), availableNow(toDelta(read(src, options...), sink)))
			if err == nil {
				_, _ = q.Await(context.Background(), time.Minute) // how it ends is its own affair
			}
		}()
		select {
		case <-ended: // something in the background, which close waits for, may still reach it
			d.lift()
			c.close()
		case <-d.reached:
			if d.zombie {
				slept++
				zombies = append(zombies, d)
				waits = append(waits, func() { <-ended; c.close() })
			} else {
				died++
				<-ended
				c.close()
			}
		}
		if len(zombies) > 0 && r.IntN(2) == 0 {
			close(zombies[0].woken)
			zombies = zombies[1:]
		}
	}
	for _, z := range zombies[:len(zombies)/2] { // before the last run
		close(z.woken)
	}
	last := newCluster(t, dir, nil)
	for try := 0; ; try++ {
		err := last.finish(last.start(last.session(), availableNow(toDelta(read(src), sink))))
		if err == nil {
			break
		}
		// A zombie that has just woken may take an entry of the checkpoint from this run, which then ends as Spark's would.
		if errs.ConditionOf(errors.Unwrap(err)) != "CONCURRENT_STREAM_LOG_UPDATE" || try > 10 {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
	for _, z := range zombies[len(zombies)/2:] {
		close(z.woken)
	}
	for _, wait := range waits {
		wait()
	}
	audit := newCluster(t, dir, nil)
	want := strconv.FormatInt(rows, 10) + "|" + strconv.FormatInt(rows*(rows-1)/2, 10) + "|" + strconv.FormatInt(rows, 10)
	if got := audit.text(audit.session(), table(sink)); got != want {
		t.Errorf("seed %d: the sink has %s, want %s", seed, got, want)
	}
	return died, slept
}
