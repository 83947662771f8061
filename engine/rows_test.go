package engine_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"millrace/session"
)

// modelRow is a row of the naive table; nil is null.
type modelRow struct {
	id   int
	k    *string
	v    *int
	deep *int // the field s.x of a struct
}

func (r modelRow) String() string {
	return fmt.Sprintf("%d | %s | %s | %s", r.id, show(r.k), show(r.v), show(r.deep))
}

func show[T any](p *T) string {
	if p == nil {
		return "NULL"
	}
	return fmt.Sprint(*p)
}

func ptr[T any](x T) *T { return &x }

// dml makes random statements and does them to its own rows.
type dml struct {
	*rand.Rand
	rows []modelRow
	next int
}

// condition is a random condition over a table's alias, and what it means.
func (g *dml) condition(alias string) (string, func(modelRow) bool) {
	n, k := g.IntN(40), string(rune('a'+g.IntN(4)))
	switch g.IntN(7) {
	case 0:
		return fmt.Sprintf("%sid < %d", alias, n), func(r modelRow) bool { return r.id < n }
	case 1:
		return fmt.Sprintf("%sk = '%s'", alias, k), func(r modelRow) bool { return r.k != nil && *r.k == k }
	case 2:
		return alias + "v is null", func(r modelRow) bool { return r.v == nil }
	case 3:
		m := 2 + g.IntN(3)
		return fmt.Sprintf("%sv %% %d = 0", alias, m), func(r modelRow) bool { return r.v != nil && *r.v%m == 0 }
	case 4:
		return fmt.Sprintf("%ss.x > %d or %sid = %d", alias, n, alias, n), func(r modelRow) bool { return r.deep != nil && *r.deep > n || r.id == n }
	case 5:
		return fmt.Sprintf("%sid between %d and %d and %sk <> '%s'", alias, n, n+10, alias, k),
			func(r modelRow) bool { return r.id >= n && r.id <= n+10 && r.k != nil && *r.k != k }
	}
	return "true", func(modelRow) bool { return true }
}

// fresh is a random row, and the same as SQL.
func (g *dml) fresh(id int) (modelRow, string) {
	r := modelRow{id: id}
	k, v, x := "null", "null", "null"
	if g.IntN(5) > 0 {
		r.k = ptr(string(rune('a' + g.IntN(4))))
		k = "'" + *r.k + "'"
	}
	if g.IntN(5) > 0 {
		r.v = ptr(g.IntN(100))
		v = fmt.Sprint(*r.v)
	}
	if g.IntN(5) > 0 {
		r.deep = ptr(g.IntN(50))
		x = fmt.Sprint(*r.deep)
	}
	return r, fmt.Sprintf("select %dL id, %s k, cast(%s as int) v, named_struct('x', cast(%s as int)) s", id, k, v, x)
}

func (g *dml) insert(table string) (string, string) {
	var list []string
	for range 1 + g.IntN(12) {
		r, text := g.fresh(g.next)
		g.next++
		g.rows, list = append(g.rows, r), append(list, text)
	}
	return "insert into " + table + " " + strings.Join(list, " union all "), ""
}

func (g *dml) delete(table string) (string, string) {
	cond, is := g.condition("")
	n := len(g.rows)
	g.rows = slices.DeleteFunc(slices.Clone(g.rows), is)
	return fmt.Sprintf("delete from %s where %s", table, cond), fmt.Sprint(n - len(g.rows))
}

// assign is a random SET clause and what it does; source gives values of another row.
func (g *dml) assign(alias string, source bool) (string, func(t, s modelRow) modelRow) {
	n := g.IntN(10)
	switch g.IntN(5) {
	case 0:
		return fmt.Sprintf("v = %sv + %d", alias, n), func(t, _ modelRow) modelRow {
			if t.v != nil {
				t.v = ptr(*t.v + n)
			}
			return t
		}
	case 1:
		return fmt.Sprintf("k = null, s.x = %d", n), func(t, _ modelRow) modelRow {
			t.k, t.deep = nil, ptr(n)
			return t
		}
	case 2:
		if source {
			return "v = s_.v, s = s_.s", func(t, s modelRow) modelRow {
				t.v, t.deep = s.v, s.deep
				return t
			}
		}
	}
	k := string(rune('a' + g.IntN(4)))
	return fmt.Sprintf("k = '%s'", k), func(t, _ modelRow) modelRow {
		t.k = &k
		return t
	}
}

func (g *dml) update(table string) (string, string) {
	cond, is := g.condition("")
	set, do := g.assign("", false)
	n := 0
	rows := slices.Clone(g.rows)
	for i, r := range rows {
		if is(r) {
			rows[i] = do(r, modelRow{})
			n++
		}
	}
	g.rows = rows
	return fmt.Sprintf("update %s set %s where %s", table, set, cond), fmt.Sprint(n)
}

// merge is a random MERGE by id, sometimes with one more condition on the table.
func (g *dml) merge(table string) (string, string) {
	var source []modelRow
	var list []string
	for id := range 60 {
		if g.IntN(6) == 0 {
			r, text := g.fresh(id)
			source, list = append(source, r), append(list, text)
		}
	}
	if len(source) == 0 {
		return g.insert(table)
	}
	on, extra := "t_.id = s_.id", func(modelRow) bool { return true }
	if g.IntN(3) == 0 {
		var c string
		c, extra = g.condition("t_.")
		on += " and (" + c + ")"
	}
	var text strings.Builder
	fmt.Fprintf(&text, "merge into %s t_ using (%s) s_ on %s", table, strings.Join(list, " union all "), on)
	type act func(t, s modelRow) (*modelRow, bool) // false: the clause does not take the row
	var matched, unmatched, rest []act
	guard := func(last bool, alias string) (string, func(modelRow) bool) {
		if last {
			return "", func(modelRow) bool { return true }
		}
		c, is := g.condition(alias)
		return " and (" + c + ")", is
	}
	clauses := 0
	for n := g.IntN(3); n > 0; n-- {
		c, is := guard(n == 1 && g.IntN(2) == 0, "t_.")
		clauses++
		switch g.IntN(3) {
		case 0:
			fmt.Fprintf(&text, " when matched%s then delete", c)
			matched = append(matched, func(t, _ modelRow) (*modelRow, bool) { return nil, is(t) })
		case 1:
			fmt.Fprintf(&text, " when matched%s then update set *", c)
			matched = append(matched, func(t, s modelRow) (*modelRow, bool) { return &s, is(t) })
		default:
			set, do := g.assign("t_.", true)
			fmt.Fprintf(&text, " when matched%s then update set %s", c, set)
			matched = append(matched, func(t, s modelRow) (*modelRow, bool) { r := do(t, s); return &r, is(t) })
		}
	}
	for n := g.IntN(3); n > 0; n-- {
		c, is := guard(n == 1 && g.IntN(2) == 0, "s_.")
		clauses++
		if g.IntN(2) == 0 {
			fmt.Fprintf(&text, " when not matched%s then insert *", c)
			unmatched = append(unmatched, func(_, s modelRow) (*modelRow, bool) { return &s, is(s) })
		} else {
			fmt.Fprintf(&text, " when not matched%s then insert (id, v) values (s_.id, s_.v + 1)", c)
			unmatched = append(unmatched, func(_, s modelRow) (*modelRow, bool) {
				r := modelRow{id: s.id}
				if s.v != nil {
					r.v = ptr(*s.v + 1)
				}
				return &r, is(s)
			})
		}
	}
	for n := g.IntN(2); n > 0 || clauses == 0; n-- {
		c, is := guard(false, "t_.")
		clauses++
		if g.IntN(2) == 0 {
			fmt.Fprintf(&text, " when not matched by source%s then delete", c)
			rest = append(rest, func(t, _ modelRow) (*modelRow, bool) { return nil, is(t) })
		} else {
			set, do := g.assign("t_.", false)
			fmt.Fprintf(&text, " when not matched by source%s then update set %s", c, set)
			rest = append(rest, func(t, _ modelRow) (*modelRow, bool) { r := do(t, modelRow{}); return &r, is(t) })
		}
	}
	var out []modelRow
	var updated, deleted, inserted int
	found := map[int]bool{}
	for _, t := range g.rows {
		list, s := rest, modelRow{}
		if i := slices.IndexFunc(source, func(s modelRow) bool { return s.id == t.id }); i >= 0 && extra(t) {
			list, s = matched, source[i]
			found[t.id] = true
		}
		next := &t
		for _, a := range list {
			if r, takes := a(t, s); takes {
				if next = r; r == nil {
					deleted++
				} else {
					updated++
				}
				break
			}
		}
		if next != nil {
			out = append(out, *next)
		}
	}
	for _, s := range source {
		if found[s.id] {
			continue
		}
		for _, a := range unmatched {
			if r, takes := a(modelRow{}, s); takes {
				out = append(out, *r)
				inserted++
				break
			}
		}
	}
	g.rows = out
	return text.String(), fmt.Sprintf("%d | %d | %d | %d", updated+deleted+inserted, updated, deleted, inserted)
}

func (g *dml) table(s *session.Session, table string) (string, error) {
	_, rows, err := query(s, "select id, k, v, s.x from "+table)
	slices.Sort(rows)
	return strings.Join(rows, "\n"), err
}

func (g *dml) want() string {
	var rows []string
	for _, r := range g.rows {
		rows = append(rows, r.String())
	}
	slices.Sort(rows)
	return strings.Join(rows, "\n")
}

// TestRandomChanges does random statements to tables of every kind and holds them against rows in a slice.
func TestRandomChanges(t *testing.T) {
	steps, seeds := 12, 1
	if n, err := strconv.Atoi(os.Getenv("MILLRACE_SEEDS")); err == nil {
		steps, seeds = 40, n
	}
	for seed := range seeds {
		for i, s := range []setup{{1, false, plenty, true}, {4, false, plenty, true}, {4, true, plenty, false}, {3, true, scarce, false}} {
			for kind := range 8 {
				if testing.Short() && (seed > 0 || i > 1) {
					continue
				}
				t.Run(fmt.Sprintf("seed-%d-%s-%d", seed, s, kind), func(t *testing.T) { randomChanges(t, s, uint64(seed*100+i*10+kind), kind, steps) })
			}
		}
	}
}

func randomChanges(t *testing.T, s setup, seed uint64, kind, steps int) {
	g := &dml{Rand: rand.New(rand.NewPCG(seed, 1))}
	c := newCluster(t, s)
	ses := c.session()
	partitioned := ""
	if kind&1 != 0 {
		partitioned = " partitioned by (k)"
	}
	mapping := "none"
	if kind%3 == 2 {
		mapping = "name"
	}
	create := fmt.Sprintf("create table t (id bigint, k string, v int, s struct<x: int>) using delta%s tblproperties ('delta.enableDeletionVectors' = '%t', 'delta.enableChangeDataFeed' = '%t', 'delta.columnMapping.mode' = '%s')",
		partitioned, kind&2 != 0, kind&4 != 0, mapping)
	if _, _, err := query(ses, create); err != nil {
		t.Fatal(err)
	}
	var done []string
	for step := range steps {
		do := []func(string) (string, string){g.insert, g.delete, g.update, g.update, g.merge, g.merge, g.merge}[g.IntN(7)]
		if step == 0 || len(g.rows) < 5 {
			do = g.insert
		}
		text, want := do("t")
		done = append(done, text)
		_, rows, err := query(ses, text)
		if err != nil {
			t.Fatalf("step %d: %s\n%v", step, strings.Join(done, ";\n"), err)
		}
		if want != "" && strings.Join(rows, "") != want {
			t.Errorf("step %d: %s\nreports %v and should %s", step, text, rows, want)
		}
		got, err := g.table(ses, "t")
		if err != nil {
			t.Fatal(err)
		}
		if got != g.want() {
			t.Fatalf("step %d: after\n%s\nthe table is\n%s\nand should be\n%s", step, strings.Join(done, ";\n"), got, g.want())
		}
	}
	if kind&4 != 0 {
		g.replay(t, ses, strings.Join(done, ";\n"))
	}
	if used := c.runner.Pool.Used(); used != 0 {
		t.Errorf("%d bytes are still reserved", used)
	}
}

// replay does to an empty table what the change data feed says, and ends with the table.
func (g *dml) replay(t *testing.T, ses *session.Session, done string) {
	_, rows, err := query(ses, "select _commit_version, case when _change_type in ('delete', 'update_preimage') then 0 else 1 end, id, k, v, s.x from table_changes('t', 0)")
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(rows, func(a, b string) int {
		var va, oa, vb, ob int
		_, _ = fmt.Sscanf(a, "%d | %d", &va, &oa)
		_, _ = fmt.Sscanf(b, "%d | %d", &vb, &ob)
		return (va-vb)*2 + oa - ob
	})
	have := map[string]int{}
	for _, r := range rows {
		parts := strings.SplitN(r, " | ", 3)
		if parts[1] == "1" {
			have[parts[2]]++
			continue
		}
		if have[parts[2]]--; have[parts[2]] < 0 {
			t.Fatalf("version %s takes away %s, which is not there\n%s", parts[0], parts[2], done)
		}
	}
	var left []string
	for r, n := range have {
		for range n {
			left = append(left, r)
		}
	}
	slices.Sort(left)
	if got := strings.Join(left, "\n"); got != g.want() {
		t.Fatalf("after\n%s\nthe feed ends with\n%s\nand should with\n%s", done, got, g.want())
	}
}
