package txn

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"millrace/delta"
	"millrace/delta/log"
	"millrace/storage"
)

// TestBackfillByAnybody has a committer die between the ratification of a managed table's commit and its publication. Its commit is a version at once, the
// backlog stays bounded while every committer dies there, and whoever looks after the tables publishes what is left, without a writer.
func TestBackfillByAnybody(t *testing.T) {
	t.Run("memory", func(t *testing.T) { backfill(t, NewMemoryHeads()) })
	t.Run("etcd", func(t *testing.T) {
		if testing.Short() {
			t.Skip("starts an etcd")
		}
		client := dial(t, startEtcd(t))
		t.Cleanup(func() { client.Close() })
		backfill(t, NewEtcdHeads(client, "/backfill", time.Second))
	})
}

func backfill(t *testing.T, heads Heads) {
	ctx := t.Context()
	b := New(log.NewCache(), heads)
	defer b.Close()
	urls := pair(t, b, true)
	store, err := storage.Open(urls[0])
	if err != nil {
		t.Fatal(err)
	}
	published := func() (last int64) {
		for f, err := range store.List(ctx, delta.LogDir+"/0", "") {
			if err != nil {
				t.Fatal(err)
			}
			if f.Name == delta.CommitPath(last) {
				last++
			}
		}
		return last - 1
	}
	const n = 3 * backlogLimit
	most := int64(0)
	for i := range n {
		dying := New(log.NewCache(), heads, Options{NoCheckpoints: true, Step: func(s Step) error {
			if s == AfterRatify {
				return errDied
			}
			return nil
		}})
		id := fmt.Sprint("t", i)
		if _, err := appendOne(dying, urls[0], id, int64(i)); !errors.Is(err, errDied) {
			t.Fatal(err)
		}
		dying.Close()
		if v, found, err := b.Outcome(ctx, urls[0], id, int64(i)); err != nil || !found || v != int64(i+1) {
			t.Fatalf("the outcome of %s: version %d, %v, %v", id, v, found, err)
		}
		most = max(most, int64(i+1)-published())
	}
	if most > backlogLimit || most < 2 {
		t.Errorf("up to %d commits were not published", most)
	}
	if tables, err := heads.Backlog(ctx); err != nil || len(tables) != 1 || published() == n {
		t.Fatalf("%v, %v: version %d is published", tables, err, published())
	}
	watch, stop := context.WithCancel(ctx)
	defer stop()
	go b.Watchdog(watch, 20*time.Millisecond)
	for end := time.Now().Add(time.Minute); published() < n; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("only version %d of %d is published", published(), n)
		}
	}
	for end := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		tables, err := heads.Backlog(ctx)
		_, staged, _, err2 := heads.Ratified(ctx, b.queueURL(t, urls[0]), -1)
		if err == nil && err2 == nil && len(tables) == 0 && len(staged) == 0 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("the backlog is %v, %v, of commits %v, %v", tables, err, staged, err2)
		}
	}
	if got := files(t, b, urls[0]); len(got) != n {
		t.Errorf("%d files", len(got))
	}
}

// queueURL is a table's name among heads.
func (c *Committer) queueURL(t *testing.T, location string) string {
	table, err := c.logs.Table(location)
	if err != nil {
		t.Fatal(err)
	}
	return table.URL()
}
