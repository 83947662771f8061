package engine_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"millrace/errs"
	"millrace/session"
)

// TestHistories has sessions run random statements and transactions over two tables at the same time, and then replays the tables' logs: every
// version has to be what its statements make of the version before it, computed here from rows in a map. A statement that was answered is in
// the log once, or had nothing to do at some version that was there while it ran; one that failed is not in it. MILLRACE_SEEDS=N tries N histories, MILLRACE_SEED=S
// begins with that seed; what runs is the same for a seed, who comes first is not.
func TestHistories(t *testing.T) {
	seeds, from, each := 6, 0, 10
	if testing.Short() {
		seeds = 2
	}
	if n, err := strconv.Atoi(os.Getenv("MILLRACE_SEEDS")); err == nil {
		seeds, each = n, 25
	}
	if n, err := strconv.Atoi(os.Getenv("MILLRACE_SEED")); err == nil {
		from = n
	}
	for seed := from; seed < from+seeds; seed++ {
		t.Run(fmt.Sprint("seed-", seed), func(t *testing.T) { newTimeline(t, seed).run(each) })
	}
}

// timeline is a history that is being made.
type timeline struct {
	t         *testing.T
	c         *cluster
	seed      int
	level     string // of isolation
	split     bool   // the tables are partitioned by k
	table     string // what CREATE TABLE says after the columns
	next      atomic.Int64
	mu        sync.Mutex
	works     map[string]*work       // by the tag that its commits carry
	before    map[*work]view         // of a, for transactions that b learns by
	histories map[string][]*contents // of each table by version
}

// work is a statement, or a transaction of several.
type work struct {
	tag      string
	steps    []*step
	several  bool
	rollback bool
	failed   error
	began    map[string]int64 // the newest versions when it began, and when it had ended
	ended    map[string]int64
	at       map[string]int64 // of its commits
}

// step is a statement and what it is about.
type step struct {
	kind, on string
	lo, hi   int64 // ids
	ids      []int64
	k        int64
	version  int64 // that a RESTORE goes back to
	saw      int64 // the answer of a query
}

func newTimeline(t *testing.T, seed int) *timeline {
	h := &timeline{t: t, c: newCluster(t, setups[seed%2]), seed: seed, level: "Serializable", split: seed%3 == 1, works: map[string]*work{},
		before: map[*work]view{}, histories: map[string][]*contents{}}
	if seed%4 == 3 {
		h.level = "WriteSerializable"
	}
	if h.split {
		h.table = "PARTITIONED BY (k) "
	}
	h.table += fmt.Sprintf("TBLPROPERTIES ('delta.enableDeletionVectors' = '%t', 'delta.isolationLevel' = '%s', 'delta.enableChangeDataFeed' = '%t', 'delta.autoOptimize.autoCompact' = '%t', 'delta.enableRowTracking' = '%t')",
		seed&1 == 0, h.level, seed%5 == 2, seed%7 == 4, seed%5 == 4)
	return h
}

func (h *timeline) run(each int) {
	h.begin(h.session(0))
	var wg sync.WaitGroup
	for g := range 5 {
		wg.Go(func() {
			s, rng := h.session(g), rand.New(rand.NewPCG(uint64(h.seed), uint64(g)))
			for i := range each {
				h.do(s, h.plan(rng, fmt.Sprintf("work %d-%d", g, i)))
			}
		})
	}
	wg.Wait()
	h.replay("a")
	h.replay("b")
	h.answers()
}

// begin makes the tables, with some rows.
func (h *timeline) begin(s *session.Session) {
	for _, on := range []string{"a", "b"} {
		if err := try(s, "CREATE TABLE "+on+" (id BIGINT, v BIGINT, k INT) USING delta "+h.table); err != nil {
			h.t.Fatal(err)
		}
		for i := range 3 {
			h.do(s, &work{tag: fmt.Sprint("first ", on, i), steps: []*step{{kind: "append", on: on, ids: h.fresh(4), k: int64(i)}}})
		}
	}
}

func (h *timeline) session(g int) *session.Session {
	s := h.c.session()
	s.Conf.Set("spark.sql.insertIntoReplaceUsingByName.enabled", "true")
	if g%2 == 1 {
		s.Conf.Set("millrace.commit.maxReruns", "0")
	}
	return s
}

// fresh are even ids that no row has had. Odd ones are of rows that merges insert.
func (h *timeline) fresh(n int) []int64 {
	ids := make([]int64, n)
	for i := range ids {
		ids[i] = 2 * h.next.Add(1)
	}
	return ids
}

var (
	singles = []string{"append", "append", "append", "count", "shift", "update", "update", "max", "delete", "delete k", "upsert", "upsert", "insert new", "by source", "merge self",
		"replace where", "dynamic", "using", "optimize", "column", "restore", "replace table"}
	inTransactions = []string{"append", "append", "count", "update", "update", "max", "delete", "delete k", "upsert", "insert new", "merge self", "replace where", "using", "shift", "noted", "noted", "column"}
)

// plan makes a statement, or a transaction.
func (h *timeline) plan(rng *rand.Rand, tag string) *work {
	w := &work{tag: tag}
	if rng.IntN(4) > 0 {
		w.steps = []*step{h.step(rng, singles[rng.IntN(len(singles))], "ab"[rng.IntN(2)])}
		return w
	}
	w.several, w.rollback = true, rng.IntN(8) == 0
	for range 1 + rng.IntN(3) {
		w.steps = append(w.steps, h.step(rng, inTransactions[rng.IntN(len(inTransactions))], "ab"[rng.IntN(2)]))
	}
	if rng.IntN(3) == 0 { // b learns of a, which the transaction writes, too
		w.steps = append(w.steps, h.step(rng, "other", 'b'), h.step(rng, "append", 'a'))
	}
	return w
}

func (h *timeline) step(rng *rand.Rand, kind string, on byte) *step {
	top := 2*h.next.Load() + 2
	s := &step{kind: kind, on: string(on), lo: max(0, top-rng.Int64N(30)), k: rng.Int64N(3), version: rng.Int64N(1 << 30)}
	s.hi = s.lo + rng.Int64N(12)
	switch kind {
	case "append":
		s.ids = h.fresh(1 + rng.IntN(3))
	case "count", "noted", "other":
		s.ids = h.fresh(1)
	case "upsert", "insert new", "by source":
		for range 1 + rng.IntN(3) { // which others may insert as well
			if id := max(1, s.lo|1+2*rng.Int64N(4)); !slices.Contains(s.ids, id) {
				s.ids = append(s.ids, id)
			}
		}
	}
	return s
}

func (s *step) between() string { return fmt.Sprintf("id BETWEEN %d AND %d", s.lo, s.hi) }

// source is the step's ids as a relation.
func (s *step) source() string {
	var rows []string
	for _, id := range s.ids {
		rows = append(rows, fmt.Sprintf("(%dL, %d)", id, s.k))
	}
	return "(VALUES " + strings.Join(rows, ", ") + ") AS s(id, k)"
}

// text is the step's statement.
func (h *timeline) text(w *work, s *step) string {
	t := s.on
	switch s.kind {
	case "append":
		return fmt.Sprintf("INSERT INTO %s BY NAME SELECT id, 0L AS v, k FROM %s", t, s.source())
	case "count", "other":
		return fmt.Sprintf("INSERT INTO %s BY NAME SELECT %dL AS id, count(*) AS v, %d AS k FROM %s WHERE %s", t, s.ids[0], s.k, map[string]string{"count": t, "other": "a"}[s.kind], s.between())
	case "noted":
		return fmt.Sprintf("INSERT INTO %s BY NAME SELECT %dL AS id, %dL AS v, %d AS k", t, s.ids[0], s.saw, s.k)
	case "shift":
		return fmt.Sprintf("INSERT OVERWRITE %s BY NAME SELECT id, v + 1 AS v, k FROM %[1]s WHERE id %% 5 <> %d", t, s.k)
	case "dynamic":
		return fmt.Sprintf("INSERT OVERWRITE %s BY NAME SELECT id, v + 1 AS v, k FROM %[1]s WHERE k = %d AND id %% 5 <> 0", t, s.k)
	case "update":
		return fmt.Sprintf("UPDATE %s SET v = v + 1 WHERE %s", t, s.between())
	case "max":
		return fmt.Sprintf("UPDATE %s SET v = (SELECT max(v) + 1 FROM %[1]s) WHERE %s", t, s.between())
	case "delete":
		return fmt.Sprintf("DELETE FROM %s WHERE %s", t, s.between())
	case "delete k":
		return fmt.Sprintf("DELETE FROM %s WHERE k = %d", t, s.k)
	case "upsert":
		return fmt.Sprintf("MERGE INTO %s AS t USING %s ON t.id = s.id WHEN MATCHED THEN UPDATE SET v = t.v + 1 WHEN NOT MATCHED THEN INSERT (id, v, k) VALUES (s.id, 0, s.k)", t, s.source())
	case "insert new":
		return fmt.Sprintf("MERGE INTO %s AS t USING %s ON t.id = s.id WHEN NOT MATCHED THEN INSERT (id, v, k) VALUES (s.id, 7, s.k)", t, s.source())
	case "by source":
		return fmt.Sprintf("MERGE INTO %s AS t USING %s ON t.id = s.id WHEN MATCHED THEN UPDATE SET v = t.v + 1 WHEN NOT MATCHED BY SOURCE AND t.%s THEN DELETE", t, s.source(), s.between())
	case "merge self":
		return fmt.Sprintf("MERGE INTO %s AS t USING (SELECT max(v) AS m, count(*) AS n FROM %[1]s) AS s ON t.%s WHEN MATCHED THEN UPDATE SET v = s.m + s.n", t, s.between())
	case "replace where":
		return fmt.Sprintf("INSERT INTO %s BY NAME REPLACE WHERE %s SELECT id, v + 10 AS v, k FROM %[1]s WHERE %[2]s AND id %% 3 <> 0", t, s.between())
	case "using":
		return fmt.Sprintf("INSERT INTO %s BY NAME REPLACE USING (id) SELECT id, v + 10 AS v, k FROM %[1]s WHERE %s", t, s.between())
	case "optimize":
		return "OPTIMIZE " + t
	case "column":
		return fmt.Sprintf("ALTER TABLE %s ADD COLUMNS (%s INT)", t, s.column(w))
	case "restore":
		return fmt.Sprintf("RESTORE TABLE %s TO VERSION AS OF %d", t, s.version)
	case "replace table":
		return fmt.Sprintf("CREATE OR REPLACE TABLE %s USING delta %s AS SELECT id, v + 1 AS v, k FROM %[1]s", t, h.table)
	}
	panic(s.kind)
}

func (s *step) column(w *work) string {
	return strings.NewReplacer(" ", "_", "-", "_").Replace(w.tag) + fmt.Sprint("_", slices.Index(w.steps, s))
}

// do carries out what was planned.
func (h *timeline) do(s *session.Session, w *work) {
	h.mu.Lock()
	h.works[w.tag] = w
	h.mu.Unlock()
	s.Conf.Set("spark.databricks.delta.commitInfo.userMetadata", w.tag)
	w.began, w.at = h.newest(), map[string]int64{}
	w.failed = h.carryOut(s, w)
	w.ended = h.newest()
	if w.failed != nil && !errs.Is(w.failed, errs.Conflict) {
		h.t.Errorf("seed %d: %s %v: %v", h.seed, w.tag, h.kinds(w), w.failed)
	}
}

func (h *timeline) carryOut(s *session.Session, w *work) error {
	if w.several {
		if err := try(s, "BEGIN TRANSACTION"); err != nil {
			return err
		}
	}
	for _, p := range w.steps {
		if err := h.carry(s, w, p); err != nil {
			if w.several {
				_ = try(s, "ROLLBACK")
			}
			return err
		}
	}
	switch {
	case w.rollback:
		return try(s, "ROLLBACK")
	case w.several:
		return try(s, "COMMIT")
	}
	return nil
}

func (h *timeline) carry(s *session.Session, w *work, p *step) error {
	mode := "static"
	switch p.kind {
	case "dynamic":
		mode = "dynamic"
	case "restore":
		p.version %= w.began[p.on] + 1
	case "noted":
		_, rows, err := query(s, fmt.Sprintf("SELECT count(*) FROM %s WHERE %s", p.on, p.between()))
		if err != nil {
			return err
		}
		p.saw, _ = strconv.ParseInt(rows[0], 10, 64)
	}
	s.Conf.Set("spark.sql.sources.partitionOverwriteMode", mode)
	return try(s, h.text(w, p))
}

func (h *timeline) place(on string) string { return filepath.Join(h.c.dir, "warehouse", on) }

func (h *timeline) newest() map[string]int64 {
	out := map[string]int64{}
	for _, on := range []string{"a", "b"} {
		l, err := h.c.logs.Table(h.place(on))
		if err != nil {
			h.t.Error(err)
			continue
		}
		if s, err := l.Snapshot(context.Background()); err == nil {
			out[on] = s.Version
		}
	}
	return out
}
