package txn

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"millrace/delta"
	"millrace/delta/log"
)

// TestEtcdAllOrNothing has a coordinator die at each step of a transaction of two tables: it holds its locks, its connection to etcd is gone, and it never
// comes back. Readers through another coordinator see both parts or none, at any time, and whoever comes upon the transaction finishes it.
func TestEtcdAllOrNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("starts an etcd")
	}
	addr := startEtcd(t)
	finders := []string{"writer", "same", "watchdog", "outcome"}
	for m, managed := range [][]bool{{false, false}, {true, false}} {
		for i, step := range []Step{AfterBegin, AfterPart, BeforeDecision, AfterDecision} {
			who := finders[(i+m)%len(finders)]
			t.Run(fmt.Sprint(managed, step, who), func(t *testing.T) {
				t.Parallel()
				takeOver(t, addr, "/"+t.Name(), managed, step, who)
			})
		}
	}
}

func takeOver(t *testing.T, addr, prefix string, managed []bool, step Step, who string) {
	mine, dying := dial(t, addr), dial(t, addr)
	b := New(log.NewCache(), NewEtcdHeads(mine, prefix, time.Second))
	defer mine.Close()
	defer b.Close()
	dead, buried := make(chan struct{}), make(chan struct{})
	var once sync.Once
	a := New(log.NewCache(), NewEtcdHeads(dying, prefix, time.Second), Options{Step: func(s Step) error {
		if s == step {
			once.Do(func() {
				dying.Close()
				close(dead)
			})
			<-buried
			return errDied
		}
		return nil
	}})
	urls := pair(t, b, managed...)
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := a.CommitAll(context.Background(), "x", both(urls, "x")); err == nil {
			t.Error("the transaction of the dead survived")
		}
	})
	<-dead
	stop := make(chan struct{})
	wg.Go(func() { // a reader through the other coordinator
		for {
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
			}
			if n := len(bothFiles(t, b, urls, "x")); n == 1 {
				t.Error("a reader sees half of the transaction")
				return
			}
		}
	})
	switch who {
	case "writer":
		if _, err := appendOne(b, urls[1], "y", 0); err != nil {
			t.Error(err)
		}
	case "same":
		if res, err := b.CommitAllSurely(t.Context(), "x", both(urls, "x")); err != nil || len(res) != 2 || res[0].Version != 1 || res[1].Version != 1 {
			t.Error(res, err)
		}
	case "watchdog":
		for try := 0; len(bothFiles(t, b, urls, "x")) < 2 && try < 100; try++ {
			if err := b.Recover(t.Context()); err != nil {
				t.Log(err)
			}
		}
	case "outcome":
		if v, found, err := b.Outcome(t.Context(), urls[0], "x", 0); err != nil || !found || v != 1 {
			t.Error(v, found, err)
		}
	}
	if n := len(bothFiles(t, b, urls, "x")); n != 2 {
		t.Errorf("%d parts of the transaction are there", n)
	}
	close(stop)
	close(buried)
	wg.Wait()
	a.Close()
	for i, u := range urls {
		s := consistentWith(t, b, u)
		n := 0
		for v := int64(1); v <= s.Version; v++ {
			table, _ := b.logs.Table(u)
			actions, err := table.Commit(t.Context(), v)
			if err != nil {
				t.Fatal(err)
			}
			if NewWinner(v, actions).has("x") {
				n++
			}
		}
		if n != 1 {
			t.Errorf("part %d is in the log %d times", i, n)
		}
	}
}

func consistentWith(t testing.TB, c *Committer, url string) *delta.Snapshot {
	t.Helper()
	table, err := c.logs.Table(url)
	if err != nil {
		t.Fatal(err)
	}
	s, err := table.Snapshot(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// bothFiles are the tables in which a query over both sees a transaction's file.
func bothFiles(t testing.TB, c *Committer, urls [2]string, id string) (in []int) {
	snaps := []*delta.Snapshot{consistentWith(t, c, urls[0]), consistentWith(t, c, urls[1])}
	for {
		stale, err := c.Consistent(context.Background(), snaps)
		if err != nil {
			t.Error(err)
			return nil
		}
		if len(stale) == 0 {
			break
		}
		for _, i := range stale {
			snaps[i] = consistentWith(t, c, urls[i])
		}
	}
	for i, s := range snaps {
		for a := range s.All() {
			if a.Path == fmt.Sprint(id, "-", i, ".parquet") {
				in = append(in, i)
			}
		}
	}
	return in
}
