package txn

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"millrace/delta/log"
	"millrace/errs"
	"millrace/storage"
	"millrace/storage/faultstore"
)

// TestSurely asks committers that lose answers, over a store that does, on behalf of callers who may leave at any time: what is called committed is in
// the log once, and what is not is not there.
func TestSurely(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint("seed", seed), func(t *testing.T) {
			url := t.TempDir()
			inner, err := storage.Open(url)
			if err != nil {
				t.Fatal(err)
			}
			rng := rand.New(rand.NewPCG(seed, 3))
			var mu sync.Mutex
			chance := func(n int) bool { mu.Lock(); defer mu.Unlock(); return rng.IntN(n) == 0 }
			store := faultstore.New(inner, func(faultstore.Op) faultstore.Fault {
				switch {
				case !chance(15):
					return faultstore.None
				case chance(2):
					return faultstore.FailAfter
				}
				return faultstore.FailBefore
			})
			logs := log.NewCache()
			logs.Add(log.NewTable(store))
			heads := NewMemoryHeads()
			clean := New(log.NewCache(), heads)
			defer clean.Close()
			create(t, clean, url)
			c := New(logs, heads, Options{Attempts: 3, NoCheckpoints: true, Step: func(Step) error {
				if chance(8) {
					return errs.Newf(errs.Transient, "injected: died")
				}
				return nil
			}})
			want, left := map[string]bool{}, 0
			var wg sync.WaitGroup
			for g := range 4 {
				wg.Go(func() {
					for i := range 8 {
						id := fmt.Sprintf("s%d-%d", g, i)
						ctx, cancel := context.WithTimeout(context.Background(), time.Duration(1+i%4*20)*time.Millisecond)
						_, err := c.CommitSurely(ctx, Request{Table: url, TxnID: id, Actions: addRequest(url, id).Actions, Info: writeInfo(1)})
						cancel()
						mu.Lock()
						switch {
						case err == nil:
							want[id] = true
						case errors.Is(err, context.DeadlineExceeded):
							left++
						default:
							t.Errorf("%s: %v", id, err)
						}
						mu.Unlock()
					}
				})
			}
			wg.Wait()
			c.Close()
			audit(t, url, want)
			t.Logf("%d are there, %d callers left before", len(want), left)
		})
	}
}

// TestSentTwice has the same transaction wait twice in one queue.
func TestSentTwice(t *testing.T) {
	url := t.TempDir()
	c := New(log.NewCache(), NewMemoryHeads())
	defer c.Close()
	create(t, c, url)
	table, err := c.logs.Table(url)
	if err != nil {
		t.Fatal(err)
	}
	release, err := c.own(t.Context(), c.queue(table))
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			if res, err := appendOne(c, url, "x", 0); err != nil || res.Version != 1 {
				t.Error(res, err)
			}
		})
	}
	time.Sleep(20 * time.Millisecond) // all wait
	release()
	wg.Wait()
	audit(t, url, map[string]bool{"x": true})
}
