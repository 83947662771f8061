package txn

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"millrace/delta"
	"millrace/delta/log"
	"millrace/errs"
	"millrace/storage"
	"millrace/storage/faultstore"
)

// pair makes two tables.
func pair(t testing.TB, c *Committer, managed ...bool) (urls [2]string) {
	t.Helper()
	for i := range urls {
		urls[i] = t.TempDir()
		actions := newTable()
		if i < len(managed) && managed[i] {
			for k, v := range map[string]string{"delta.feature.catalogManaged": "supported", "delta.enableInCommitTimestamps": "true"} {
				actions[0].Metadata.Configuration[k] = v
			}
		}
		if _, err := c.Commit(context.Background(), Request{Table: urls[i], ReadVersion: -1, TxnID: "create", Actions: actions, Info: delta.CommitInfo{Operation: "CREATE TABLE"}}); err != nil {
			t.Fatal(err)
		}
	}
	return urls
}

func both(urls [2]string, id string) []Request {
	var parts []Request
	for i, u := range urls {
		r := addRequest(u, fmt.Sprint(id, "-", i))
		r.TxnID = ""
		parts = append(parts, r)
	}
	return parts
}

// files are the live files of a table as this cluster's readers see it.
func files(t testing.TB, c *Committer, url string) map[string]bool {
	t.Helper()
	table, err := c.logs.Table(url)
	if err != nil {
		t.Fatal(err)
	}
	s, err := table.Snapshot(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]bool{}
	for a := range s.All() {
		out[a.Path] = true
	}
	return out
}

// TestAllOrNothingAtEveryStep ends a transaction of two tables at each of its steps. Readers see none of it until it is decided, and
// whoever comes next finishes it.
func TestAllOrNothingAtEveryStep(t *testing.T) {
	for _, managed := range [][]bool{{false, false}, {true, false}, {true, true}} {
		for _, step := range []Step{AfterBegin, AfterPart, BeforeDecision, AfterDecision} {
			for _, who := range []string{"writer", "same", "watchdog", "outcome"} {
				t.Run(fmt.Sprint(managed, step, who), func(t *testing.T) {
					heads := NewMemoryHeads()
					a := New(log.NewCache(), heads, Options{Step: func(s Step) error {
						if s == step {
							return errDied
						}
						return nil
					}})
					defer a.Close()
					b := New(log.NewCache(), heads)
					defer b.Close()
					urls := pair(t, b, managed...)
					if _, err := a.CommitAll(t.Context(), "x", both(urls, "x")); err == nil {
						t.Fatal("the transaction survived")
					}
					for i, u := range urls {
						if got := files(t, b, u); got[fmt.Sprint("x-", i, ".parquet")] != (step == AfterDecision) {
							t.Error("an undecided transaction is seen, or a decided one is not:", got)
						}
					}
					switch who {
					case "writer":
						if _, err := appendOne(b, urls[1], "y", 0); err != nil {
							t.Fatal(err)
						}
					case "same":
						res, err := b.CommitAll(t.Context(), "x", both(urls, "x"))
						if err != nil || len(res) != 2 || res[0].Version != 1 {
							t.Fatal(res, err)
						}
					case "watchdog":
						if err := b.Recover(t.Context()); err != nil {
							t.Fatal(err)
						}
					case "outcome":
						if v, found, err := b.Outcome(t.Context(), urls[0], "x", 0); err != nil || !found || v != 1 {
							t.Fatal(v, found, err)
						}
					}
					for i, u := range urls {
						if got := files(t, b, u); !got[fmt.Sprint("x-", i, ".parquet")] {
							t.Error("lost:", got)
						}
					}
					if res, err := b.CommitAll(t.Context(), "x", both(urls, "x")); err != nil || res[1].Version < 1 {
						t.Error(res, err)
					}
				})
			}
		}
	}
}

// TestAbort has another engine take away what the second part needs, after the first part was published.
func TestAbort(t *testing.T) {
	for _, step := range []Step{"", AfterPart, BeforeDecision, AfterDecision, AfterUndo} {
		t.Run(string(step), func(t *testing.T) {
			heads := NewMemoryHeads()
			b := New(log.NewCache(), heads)
			defer b.Close()
			urls := pair(t, b)
			for _, u := range urls {
				if _, err := appendOne(b, u, "old", 0); err != nil {
					t.Fatal(err)
				}
			}
			var once sync.Once
			armed := false
			a := New(log.NewCache(), heads, Options{Step: func(s Step) error {
				if s == AfterPart {
					once.Do(func() {
						store, _ := storage.Open(urls[1])
						info := writeInfo(0)
						data, _ := delta.EncodeCommit([]delta.Action{{CommitInfo: &info}, {Remove: &delta.Remove{Path: "old.parquet", DataChange: true}}})
						if err := store.PutIfAbsent(context.Background(), delta.CommitPath(2), data); err != nil {
							t.Error(err)
						}
						armed = true
					})
				}
				if armed && s == step {
					return errDied
				}
				return nil
			}})
			defer a.Close()
			parts := both(urls, "x")
			for i := range parts {
				parts[i].ReadVersion, parts[i].ReadFiles = 1, []string{"old.parquet"}
				parts[i].Actions = append(parts[i].Actions, delta.Action{Remove: &delta.Remove{Path: "old.parquet", DataChange: true}})
			}
			_, err := a.CommitAll(t.Context(), "x", parts)
			if err == nil || step == "" && errs.ConditionOf(err) != "MILLRACE_TRANSACTION_ABORTED" {
				t.Fatal(err)
			}
			if got := files(t, b, urls[0]); len(got) != 1 || !got["old.parquet"] {
				t.Error("half of it is seen:", got)
			}
			if _, err := b.CommitAll(t.Context(), "x", parts); errs.ConditionOf(err) != "MILLRACE_TRANSACTION_ABORTED" {
				t.Fatal(err)
			}
			if got := files(t, b, urls[0]); len(got) != 1 || !got["old.parquet"] {
				t.Error("not undone:", got)
			}
			if got := files(t, b, urls[1]); len(got) != 0 {
				t.Error(got)
			}
			for _, u := range urls {
				if _, err := appendOne(b, u, "y", 1); err != nil {
					t.Error(err)
				}
				if v, found, err := b.Outcome(t.Context(), u, "x", 1); err != nil || found {
					t.Error("an aborted transaction counts as committed", v, err)
				}
			}
		})
	}
}

// TestTransfers moves files between two tables by several committers, with deaths at random steps and stores that fail, while readers
// check that each transaction is seen whole.
func TestTransfers(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			heads := NewMemoryHeads()
			clean := New(log.NewCache(), heads)
			defer clean.Close()
			urls := pair(t, clean, seed%2 == 1, seed%4 == 3)
			done := map[string]bool{}
			var mu sync.Mutex
			var wg sync.WaitGroup
			for g := range 3 {
				wg.Go(func() {
					rng := rand.New(rand.NewPCG(seed, uint64(g)))
					c := faulty(t, heads, urls, rng)
					defer c.Close()
					for i := range 10 {
						id := fmt.Sprintf("t%d-%d", g, i)
						var err error
						for range 200 {
							if i%3 == 2 {
								_, err = appendOne(c, urls[g%2], id, 0)
							} else {
								_, err = c.CommitAll(context.Background(), id, both(urls, id))
							}
							if err == nil || errs.Is(err, errs.Conflict) {
								break
							}
						}
						if err != nil {
							t.Errorf("%s: %v", id, err)
						}
						mu.Lock()
						done[id] = i%3 != 2
						mu.Unlock()
					}
				})
			}
			stop := make(chan struct{})
			var readers sync.WaitGroup
			readers.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
						whole(t, clean, urls)
					}
				}
			})
			wg.Wait()
			close(stop)
			readers.Wait()
			if err := clean.Recover(t.Context()); err != nil {
				t.Fatal(err)
			}
			x, y := files(t, clean, urls[0]), files(t, clean, urls[1])
			for id, shared := range done {
				if shared && (!x[id+"-0.parquet"] || !y[id+"-1.parquet"]) {
					t.Errorf("%s is lost or half", id)
				}
				if !shared && x[id+".parquet"] == y[id+".parquet"] {
					t.Errorf("%s is lost", id)
				}
			}
			if len(x)+len(y) != 3*(7*2+3) {
				t.Errorf("%d and %d files", len(x), len(y))
			}
		})
	}
}

// faulty is a committer whose stores fail and which dies at random; dying, it loses just the transaction at hand.
func faulty(t testing.TB, heads Heads, urls [2]string, rng *rand.Rand) *Committer {
	var mu sync.Mutex
	chance := func(n int) bool { mu.Lock(); defer mu.Unlock(); return rng.IntN(n) == 0 }
	logs := log.NewCache()
	for _, u := range urls {
		inner, err := storage.Open(u)
		if err != nil {
			t.Error(err)
		}
		logs.Add(log.NewTable(faultstore.New(inner, func(op faultstore.Op) faultstore.Fault {
			if op.Kind == "Stat" || op.Kind == "Delete" || !chance(12) {
				return faultstore.None
			}
			if chance(2) {
				return faultstore.FailAfter
			}
			return faultstore.FailBefore
		})))
	}
	return New(logs, heads, Options{NoCheckpoints: true, Step: func(s Step) error {
		if s != BeforePut && s != AfterPut && chance(8) {
			return errors.Join(errDied)
		}
		return nil
	}})
}

// whole reads both tables and checks that no transaction is seen in one only.
func whole(t testing.TB, c *Committer, urls [2]string) {
	var snaps []*delta.Snapshot
	for _, u := range urls {
		table, _ := c.logs.Table(u)
		s, err := table.Snapshot(context.Background())
		if err != nil {
			t.Error(err)
			return
		}
		snaps = append(snaps, s)
	}
	for {
		stale, err := c.Consistent(context.Background(), snaps)
		if err != nil {
			t.Error(err)
			return
		}
		if len(stale) == 0 {
			break
		}
		for _, i := range stale {
			table, _ := c.logs.Table(urls[i])
			if snaps[i], err = table.Snapshot(context.Background()); err != nil {
				t.Error(err)
				return
			}
		}
	}
	seen := map[string]int{}
	for i, s := range snaps {
		for a := range s.All() {
			var g, k, part int
			if n, _ := fmt.Sscanf(a.Path, "t%d-%d-%d.parquet", &g, &k, &part); n == 3 && part == i {
				seen[fmt.Sprint(g, "-", k)]++
			}
		}
	}
	for id, n := range seen {
		if n != 2 {
			t.Errorf("a reader sees half of %s", id)
		}
	}
}
