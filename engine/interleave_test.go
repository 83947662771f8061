package engine_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"millrace/delta/log"
	"millrace/engine"
	"millrace/session"
	"millrace/storage"
	"millrace/storage/faultstore"
	"millrace/txn"
)

// TestInterleavings has a writer that shares nothing with a statement's coordinator, as Spark does not, change its table at any one of the moments at which
// the statement looks at the table's log or writes to it. What comes out is what one after the other gives. A seed's statements and moment are always the same:
// MILLRACE_SEEDS=N tries N, MILLRACE_SEED=S begins with one.
func TestInterleavings(t *testing.T) {
	seeds, from := 120, 0
	if testing.Short() {
		seeds = 25
	}
	if n, err := strconv.Atoi(os.Getenv("MILLRACE_SEEDS")); err == nil {
		seeds = 100 * n
	}
	if n, err := strconv.Atoi(os.Getenv("MILLRACE_SEED")); err == nil {
		from = n
	}
	met := 0
	for seed := from; seed < from+seeds; seed++ {
		t.Run(fmt.Sprint("seed-", seed), func(t *testing.T) {
			if interleaved(t, seed) {
				met++
			}
		})
	}
	if met < seeds/3 {
		t.Errorf("of %d statements only %d were interrupted", seeds, met)
	}
}

// interleaved runs two statements, the second in the midst of the first, unless that has ended before.
func interleaved(t *testing.T, seed int) (met bool) {
	h := newTimeline(t, seed%24) // of tables of all kinds
	h.seed = seed
	c := h.c
	h.c = c.stranger()
	rng := rand.New(rand.NewPCG(uint64(seed), 3))
	mine, other := c.session(), h.session(0)
	mine.Conf.Set("spark.sql.insertIntoReplaceUsingByName.enabled", "true")
	h.begin(other)
	store, err := storage.Open(h.place("a"))
	if err != nil {
		t.Fatal(err)
	}
	pick := func(kinds []string) *work {
		return &work{steps: []*step{h.step(rng, kinds[rng.IntN(len(kinds))], 'a')}}
	}
	first, second := pick(singles), pick(singles)
	first.tag, second.tag = "first", "second"
	var once sync.Once
	var moments atomic.Int64
	moments.Store(1 + rng.Int64N(18))
	c.logs.Add(log.NewTable(faultstore.New(store, func(faultstore.Op) faultstore.Fault {
		if moments.Add(-1) == 0 {
			once.Do(func() {
				met = true
				h.do(other, second)
			})
		}
		return faultstore.None
	})))
	h.do(mine, first)
	once.Do(func() { h.do(other, second) })
	h.replay("a")
	h.replay("b")
	h.answers()
	return met
}

// stranger is an engine over the same names and files whose commits the cluster's own learns of by the logs alone.
func (c *cluster) stranger() *cluster {
	d := *c
	d.logs = log.NewCache()
	committer := txn.New(d.logs, txn.NewMemoryHeads(), txn.Options{Engine: "stranger"})
	c.t.Cleanup(committer.Close)
	d.engine = engine.New(engine.Options{Runner: c.runner, Committer: committer, Logs: d.logs, Catalog: c.catalog, Version: "stranger", SmallRows: 1})
	d.sessions = session.NewManager(session.Options{Engine: d.engine, Catalog: c.catalog, Conf: map[string]string{"spark.sql.session.timeZone": "UTC"}, Dir: c.dir + "/strangers"})
	return &d
}
