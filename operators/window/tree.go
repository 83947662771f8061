package window

import (
	"millrace/operators/agg"
	"millrace/vector"
)

const (
	leafRows = 32
	fan      = 16 // nodes that a node of the next level merges
)

// tree holds states of an aggregate over a block's rows: of every leafRows rows, of every fan of those, and so on.
type tree struct {
	levels []level
	left   []nodes // by level: nodes before, and after, those of the levels above
	right  []nodes
	args   []*vector.Vector
}

type level struct {
	n      int
	states []*vector.Vector
}

// nodes are states to be merged: node of[k] into group groups[k].
type nodes struct{ at, groups []uint32 }

func (t *tree) memSize() int64 {
	n := int64(0)
	for _, l := range t.levels {
		for _, s := range l.states {
			n += s.MemSize()
		}
	}
	return n
}

func newTree(w *Windows, s *source) (*tree, error) {
	f, err := agg.New(s.call)
	if err != nil {
		return nil, err
	}
	n := (w.block.n + leafRows - 1) / leafRows
	f.Resize(n)
	err = w.pages(func(p *page) error {
		s.clear()
		for i := p.first; i < p.first+p.n; i++ {
			s.add(i, i+1, uint32(i/leafRows))
		}
		in, err := s.input(w, s.rows, s.of)
		if err != nil {
			return err
		}
		return f.Update(in)
	})
	if err != nil {
		return nil, err
	}
	t := &tree{}
	for _, st := range s.call.StateTypes() {
		t.args = append(t.args, vector.NewEmpty(st))
	}
	for {
		l := level{n: n}
		for _, st := range s.call.StateTypes() {
			l.states = append(l.states, vector.NewEmpty(st))
		}
		f.States(l.states, 0, n)
		t.levels = append(t.levels, l)
		if n <= fan {
			break
		}
		groups := make([]uint32, n)
		for i := range groups {
			groups[i] = uint32(i / fan)
		}
		n = (n + fan - 1) / fan
		f.Reset()
		f.Resize(n)
		if err := f.Merge(&agg.Input{N: l.n, Groups: groups, Args: l.states}); err != nil {
			return nil, err
		}
	}
	t.left, t.right = make([]nodes, len(t.levels)), make([]nodes, len(t.levels))
	return t, nil
}

// add aggregates rows lo[k]..hi[k]-1 into group k of f, in their order.
func (t *tree) add(w *Windows, s *source, f agg.Function, lo, hi []int) error {
	for i := range t.levels {
		t.left[i].clear()
		t.right[i].clear()
	}
	for k := range lo {
		if from, to := leaves(lo[k], hi[k]); from < to {
			t.choose(from, to, uint32(k))
		}
	}
	err := s.update(w, f, len(lo), func(k int) (int, int) {
		if from, to := leaves(lo[k], hi[k]); from < to {
			return lo[k], from * leafRows
		}
		return lo[k], hi[k]
	})
	if err != nil {
		return err
	}
	for i := range t.levels {
		if err := t.merge(f, i, &t.left[i]); err != nil {
			return err
		}
	}
	for i := len(t.levels) - 1; i >= 0; i-- {
		if err := t.merge(f, i, &t.right[i]); err != nil {
			return err
		}
	}
	return s.update(w, f, len(lo), func(k int) (int, int) {
		if from, to := leaves(lo[k], hi[k]); from < to {
			return to * leafRows, hi[k]
		}
		return 0, 0
	})
}

// leaves are those that rows lo..hi-1 cover whole.
func leaves(lo, hi int) (from, to int) { return (lo + leafRows - 1) / leafRows, hi / leafRows }

// choose picks the fewest nodes that cover the leaves from..to-1.
func (t *tree) choose(from, to int, group uint32) {
	for i := 0; from < to; i++ {
		up, down := (from+fan-1)/fan, to/fan
		if up >= down || i == len(t.levels)-1 {
			t.left[i].add(from, to, group)
			return
		}
		t.left[i].add(from, up*fan, group)
		t.right[i].add(down*fan, to, group)
		from, to = up, down
	}
}

func (n *nodes) clear() { n.at, n.groups = n.at[:0], n.groups[:0] }

func (n *nodes) add(from, to int, group uint32) {
	for i := from; i < to; i++ {
		n.at, n.groups = append(n.at, uint32(i)), append(n.groups, group)
	}
}

func (t *tree) merge(f agg.Function, level int, n *nodes) error {
	if len(n.at) == 0 {
		return nil
	}
	for i, v := range t.levels[level].states {
		t.args[i].Clear(v.Type)
		t.args[i].AppendPlain(v, n.at)
	}
	return f.Merge(&agg.Input{N: len(n.at), Groups: n.groups, Args: t.args})
}
