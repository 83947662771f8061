package engine_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"millrace/delta"
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

// contents are a table's rows by id, and the columns that statements have added.
type contents struct {
	rows    map[int64]cells
	columns map[string]bool
	blind   map[int64]int64 // the version of the blind append that brought a row
}

type cells struct{ v, k int64 }

// view is a version as a statement that commits after it has seen it.
type view struct {
	*contents
	sees func(id int64) bool
}

func (c *contents) clone() *contents {
	return &contents{maps.Clone(c.rows), maps.Clone(c.columns), maps.Clone(c.blind)}
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

// apply is what a step does to a table. sees tells whether it has seen a row; of a transaction's step that reads the other table, that is given.
func (h *timeline) apply(w *work, p *step, c *contents, sees func(id int64) bool, a *contents) {
	in := func(id int64) bool { return id >= p.lo && id <= p.hi && sees(id) }
	count, most := int64(0), int64(0)
	for id, r := range c.rows {
		if sees(id) {
			most = max(most, r.v)
		}
		if in(id) {
			count++
		}
	}
	all := int64(0)
	for id := range c.rows {
		if sees(id) {
			all++
		}
	}
	change := func(which func(id int64, r cells) bool, f func(id int64, r cells) (cells, bool)) {
		for id, r := range c.rows {
			if !sees(id) || !which(id, r) {
				continue
			}
			if next, stays := f(id, r); stays {
				c.rows[id] = next
			} else {
				delete(c.rows, id)
			}
		}
	}
	within := func(id int64, _ cells) bool { return in(id) }
	any := func(int64, cells) bool { return true }
	add := func(n int64) func(int64, cells) (cells, bool) {
		return func(_ int64, r cells) (cells, bool) { return cells{r.v + n, r.k}, true }
	}
	gone := func(int64, cells) (cells, bool) { return cells{}, false }
	named := func(id int64, _ cells) bool { return slices.Contains(p.ids, id) }
	switch p.kind {
	case "append":
		for _, id := range p.ids {
			c.rows[id] = cells{0, p.k}
		}
	case "count":
		c.rows[p.ids[0]] = cells{count, p.k}
	case "noted":
		if p.saw != count {
			h.t.Errorf("seed %d: %s saw %d rows of %s with %s; there are %d when it commits", h.seed, w.tag, p.saw, p.on, p.between(), count)
		}
		c.rows[p.ids[0]] = cells{p.saw, p.k}
	case "other":
		n := int64(0)
		for id := range a.rows {
			if id >= p.lo && id <= p.hi {
				n++
			}
		}
		c.rows[p.ids[0]] = cells{n, p.k}
	case "shift":
		change(any, func(id int64, r cells) (cells, bool) { return cells{r.v + 1, r.k}, id%5 != p.k })
	case "dynamic":
		some := false
		for id, r := range c.rows {
			some = some || sees(id) && r.k == p.k && id%5 != 0
		}
		if some || !h.split {
			change(func(_ int64, r cells) bool { return !h.split || r.k == p.k }, func(id int64, r cells) (cells, bool) { return cells{r.v + 1, r.k}, r.k == p.k && id%5 != 0 })
		}
	case "update":
		change(within, add(1))
	case "max":
		change(within, func(_ int64, r cells) (cells, bool) { return cells{most + 1, r.k}, true })
	case "delete":
		change(within, gone)
	case "delete k":
		change(func(_ int64, r cells) bool { return r.k == p.k }, gone)
	case "upsert", "insert new":
		start := int64(7)
		if p.kind == "upsert" {
			start = 0
			change(named, add(1))
		}
		for _, id := range p.ids {
			if _, there := c.rows[id]; !there {
				c.rows[id] = cells{start, p.k}
			} else if p.kind == "upsert" && start == 0 && !sees(id) {
				c.rows[id] = cells{-1, 0}
			}
		}
	case "by source":
		change(func(id int64, r cells) bool { return !named(id, r) && in(id) }, gone)
		change(named, add(1))
	case "merge self":
		change(within, func(_ int64, r cells) (cells, bool) { return cells{most + all, r.k}, true })
	case "replace where":
		change(within, func(id int64, r cells) (cells, bool) { return cells{r.v + 10, r.k}, id%3 != 0 })
	case "using":
		change(within, add(10))
	case "optimize":
	case "column":
		c.columns[p.column(w)] = true
	case "restore":
		old := h.histories[p.on][p.version].clone()
		c.rows, c.columns = old.rows, old.columns
	case "replace table":
		change(any, add(1))
		c.columns = map[string]bool{}
	default:
		panic(p.kind)
	}
}

// play is what a statement or transaction does to one of its tables.
func (h *timeline) play(w *work, on string, c *contents, sees func(id int64) bool) *contents {
	out := c.clone()
	for i, p := range w.steps {
		if p.on != on {
			continue
		}
		var a *contents
		if p.kind == "other" {
			seen, there := h.before[w]
			if !there {
				h.t.Fatalf("seed %d: %s is in b and not in a", h.seed, w.tag)
			}
			a = seen.clone()
			for _, earlier := range w.steps[:i] {
				if earlier.on == "a" {
					h.apply(w, earlier, a, seen.sees, nil)
				}
			}
			maps.DeleteFunc(a.rows, func(id int64, _ cells) bool { return !seen.sees(id) })
		}
		h.apply(w, p, out, sees, a)
	}
	return out
}

// replay goes through a table's log.
func (h *timeline) replay(on string) {
	l, err := h.c.logs.Table(h.place(on))
	if err != nil {
		h.t.Fatal(err)
	}
	s := h.c.session()
	now := &contents{map[int64]cells{}, map[string]bool{}, map[int64]int64{}}
	for v := int64(0); ; v++ {
		actions, err := l.Commit(context.Background(), v)
		if errs.Is(err, errs.NotFound) {
			return
		}
		if err != nil {
			h.t.Fatal(err)
		}
		info := commitInfo(actions)
		if v > 0 {
			now = h.version(on, v, info, now)
		}
		if got := h.read(s, on, v); !maps.Equal(got.rows, now.rows) || !maps.Equal(got.columns, now.columns) {
			h.t.Fatalf("seed %d: version %d of %s, %s by %s, holds\n%v\n%v\nand should hold\n%v\n%v\n", h.seed, v, on, info.Operation, strings.Join(h.described(info), "; "), got.rows, got.columns, now.rows, now.columns)
		}
		h.histories[on] = append(h.histories[on], now)
	}
}

func commitInfo(actions []delta.Action) *delta.CommitInfo {
	for i := range actions {
		if c := actions[i].CommitInfo; c != nil {
			return c
		}
	}
	return &delta.CommitInfo{}
}

func tags(info *delta.CommitInfo) (out []string) {
	for _, m := range info.Group {
		out = append(out, m.UserMetadata)
	}
	if out == nil {
		out = []string{info.UserMetadata}
	}
	return out
}

func (h *timeline) described(info *delta.CommitInfo) (out []string) {
	for _, tag := range tags(info) {
		w := h.works[tag]
		if w == nil {
			out = append(out, tag)
			continue
		}
		for _, p := range w.steps {
			out = append(out, fmt.Sprintf("%s: %s %+v", tag, h.text(w, p), *p))
		}
	}
	return out
}

// version is what a commit makes of the version before.
func (h *timeline) version(on string, v int64, info *delta.CommitInfo, now *contents) *contents {
	for _, tag := range tags(info) {
		w := h.works[tag]
		if w == nil {
			h.t.Fatalf("seed %d: version %d of %s is %s by nobody: %q", h.seed, v, on, info.Operation, tag)
		}
		if info.Operation == "OPTIMIZE" && w.steps[0].kind != "optimize" {
			continue // after the statement
		}
		if first, twice := w.at[on]; twice {
			h.t.Errorf("seed %d: %s is in %s twice, as versions %d and %d", h.seed, tag, on, first, v)
		}
		w.at[on] = v
		sees := func(int64) bool { return true }
		if h.level == "WriteSerializable" && info.ReadVersion != nil {
			read, blind := *info.ReadVersion, now.blind
			sees = func(id int64) bool { since, is := blind[id]; return !is || since <= read }
		}
		if on == "a" {
			h.before[w] = view{now, sees}
		}
		next := h.play(w, on, now, sees)
		if info.IsBlindAppend != nil && *info.IsBlindAppend {
			for id := range next.rows {
				if _, old := now.rows[id]; !old {
					next.blind[id] = v
				}
			}
		}
		now = next
	}
	return now
}

// read is a version as the engine reads it. A row that is there twice has a value that none has.
func (h *timeline) read(s *session.Session, on string, v int64) *contents {
	schema, rows, err := query(s, fmt.Sprintf("SELECT * FROM %s VERSION AS OF %d", on, v))
	if err != nil {
		h.t.Fatalf("seed %d: version %d of %s: %v", h.seed, v, on, err)
	}
	out := &contents{rows: map[int64]cells{}, columns: map[string]bool{}}
	for _, f := range schema.Fields[3:] {
		out.columns[f.Name] = true
	}
	for _, row := range rows {
		var id int64
		var r cells
		if _, err := fmt.Sscanf(row, "%d | %d | %d", &id, &r.v, &r.k); err != nil {
			h.t.Fatalf("%q: %v", row, err)
		}
		if _, twice := out.rows[id]; twice {
			r.v = -1000
		}
		out.rows[id] = r
	}
	return out
}

func (h *timeline) kinds(w *work) (out []string) {
	for _, p := range w.steps {
		out = append(out, p.kind+" "+p.on)
	}
	return out
}

// answers holds what sessions were told against the logs.
func (h *timeline) answers() {
	ends := map[string]int{}
	for _, w := range h.works {
		kind := "transaction"
		if !w.several {
			kind = w.steps[0].kind
		}
		if w.failed != nil || w.rollback {
			ends[kind+" failed"]++
			if len(w.at) > 0 {
				h.t.Errorf("seed %d: %s %v is in the log as %v, and ended with %v", h.seed, w.tag, h.kinds(w), w.at, w.failed)
			}
			continue
		}
		ends[kind]++
		for _, on := range []string{"a", "b"} {
			if !slices.ContainsFunc(w.steps, func(p *step) bool { return p.on == on }) {
				continue
			}
			v, there := w.at[on]
			switch {
			case there && (v <= w.began[on] || v > w.ended[on]):
				h.t.Errorf("seed %d: %s %v is version %d of %s, and ran between versions %d and %d", h.seed, w.tag, h.kinds(w), v, on, w.began[on], w.ended[on])
			case !there && !h.idle(w, on):
				h.t.Errorf("seed %d: %s %v was answered and is not in %s", h.seed, w.tag, h.kinds(w), on)
			}
		}
	}
	h.t.Logf("%d and %d versions: %v", len(h.histories["a"]), len(h.histories["b"]), ends)
}

// idle reports whether there was nothing to do for a statement at a version that was there while it ran.
func (h *timeline) idle(w *work, on string) bool {
	for v := w.began[on]; v <= w.ended[on]; v++ {
		old := h.histories[on][v]
		if next := h.play(w, on, old, func(int64) bool { return true }); maps.Equal(next.rows, old.rows) && maps.Equal(next.columns, old.columns) {
			return true
		}
	}
	return false
}
