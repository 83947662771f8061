package engine_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"millrace/delta"
	"millrace/errs"
	"millrace/session"
)

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
