package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestKillWorker kills a worker with SIGKILL in the middle of each step: the result is that of an undisturbed run.
func TestKillWorker(t *testing.T) {
	loans := generated(t)
	for _, step := range []string{"ingest", "clean", "group", "many_groups", "join", "order", "append", "restore", "merge"} {
		t.Run(step, func(t *testing.T) {
			calm := up(t)
			began := time.Now()
			want := python(t, client, "step.py", calm.Remote, step, t.TempDir(), loans)
			took := time.Since(began)
			calm.stop()
			for i := range 2 {
				seed := uint64(time.Now().UnixNano())
				rng := rand.New(rand.NewPCG(seed, uint64(i)))
				c := up(t)
				// Importing the client takes the first part of a run; the step is in what follows.
				delay := took/4 + time.Duration(rng.Int64N(int64(took)*3/4))
				go func() {
					time.Sleep(delay)
					if w := c.workers(); len(w) > 0 {
						_ = syscall.Kill(w[rng.IntN(len(w))], syscall.SIGKILL)
					}
				}()
				got, err := tryPython(client, "step.py", c.Remote, step, t.TempDir(), loans)
				if err != nil || got != want {
					t.Errorf("a worker killed after %v (seed %d): %v\ngot  %s\nwant %s", delay, seed, err, tail(got), want)
				}
				c.stop()
			}
		})
	}
}

// TestKillEverythingInCommit kills the whole cluster at a random moment of a series of appends: what a fresh cluster reads is a
// whole number of appends, at least those that were acknowledged.
func TestKillEverythingInCommit(t *testing.T) {
	for i := range 4 {
		dir, lake := t.TempDir(), t.TempDir()
		c := start(t, dir)
		delay := 900*time.Millisecond + time.Duration(rand.Int64N(int64(1500*time.Millisecond)))
		out := make(chan string)
		go func() {
			s, _ := tryPython(client, "appends.py", c.Remote, filepath.Join(lake, "t"), "200")
			out <- s
		}()
		time.Sleep(delay)
		for _, p := range append(children(c.cmd.Process.Pid), c.cmd.Process.Pid) {
			_ = syscall.Kill(p, syscall.SIGKILL)
		}
		_ = c.cmd.Wait()
		acknowledged := strings.Count(<-out, "acknowledged")
		d := start(t, dir)
		got := 0
		if _, err := os.Stat(filepath.Join(lake, "t", "_delta_log", "00000000000000000000.json")); err == nil {
			if _, err := fmt.Sscan(python(t, client, "count.py", d.Remote, filepath.Join(lake, "t")), &got); err != nil {
				t.Fatal(err)
			}
		}
		if got%100 != 0 || got/100 < acknowledged || got/100 > acknowledged+1 {
			t.Errorf("run %d, killed after %v: %d appends were acknowledged and %d rows of 100 each are there", i, delay, acknowledged, got)
		}
		d.stop()
	}
}
