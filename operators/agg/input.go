package agg

import (
	"millrace/vector"
)

// Arranger makes the dense Inputs of a batch. Arguments that several functions share are gathered once.
type Arranger struct {
	Groups []uint32 // of the batch's rows, by place in Sel; nil: one group
	Sel    []uint32
	N      int // the rows of Sel

	made []arranged
	used int
}

type arranged struct {
	args   []*vector.Vector
	drop   bool
	in     Input
	rows   []uint32
	groups []uint32
	cols   []*vector.Vector
}

// Begin starts a batch: groups[k] is the group of the k-th row of sel (nil: of row k), n rows in all.
func (a *Arranger) Begin(groups, sel []uint32, n int) {
	a.Groups, a.Sel, a.N, a.used = groups, sel, n, 0
}

// Input is the rows of the batch for a function with these arguments, which are aligned with the batch; drop leaves out rows
// in which one is null. It is valid until the next Begin.
func (a *Arranger) Input(args []*vector.Vector, drop bool) *Input {
	for i := range a.made[:a.used] {
		if m := &a.made[i]; m.drop == drop && sameArgs(m.args, args) {
			return &m.in
		}
	}
	if a.used == len(a.made) {
		a.made = append(a.made, arranged{})
	}
	m := &a.made[a.used]
	a.used++
	m.args, m.drop = append(m.args[:0], args...), drop
	m.arrange(a)
	return &m.in
}

func sameArgs(a, b []*vector.Vector) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func (m *arranged) arrange(a *Arranger) {
	rows, groups, n := a.Sel, a.Groups, a.N
	if m.drop {
		for _, v := range m.args {
			if v.HasNulls() {
				rows, groups = m.dropNulls(v, rows, groups, n)
				n = len(rows)
			}
		}
	}
	m.in = Input{N: n, Groups: groups, Args: m.in.Args[:0]}
	for i, v := range m.args {
		if rows != nil || v.Const || v.Dict != nil && !v.Type.IsStringLike() || v.Len != n {
			v = m.gather(i, v, rows, n)
		}
		m.in.Args = append(m.in.Args, v)
	}
}

func (m *arranged) gather(i int, v *vector.Vector, rows []uint32, n int) *vector.Vector {
	for len(m.cols) <= i {
		m.cols = append(m.cols, &vector.Vector{})
	}
	c := m.cols[i]
	c.Clear(v.Type)
	if rows == nil {
		v = vector.Slice(v, 0, n)
	}
	if v.Type.IsStringLike() {
		c.Append(v, rows)
	} else {
		c.AppendPlain(v, rows)
	}
	if m.drop {
		c.Valid = nil
	}
	return c
}

// dropNulls narrows rows and groups to those in which v is not null. Rows is not nil afterwards.
func (m *arranged) dropNulls(v *vector.Vector, rows, groups []uint32, n int) ([]uint32, []uint32) {
	if cap(m.rows) < n {
		m.rows, m.groups = make([]uint32, 0, n+n/4), make([]uint32, 0, n+n/4)
	}
	keptRows, keptGroups := m.rows[:0], m.groups[:0]
	simple := !v.Const && v.Dict == nil && v.Valid != nil
	for k := range n {
		r := k
		if rows != nil {
			r = int(rows[k])
		}
		if simple && !v.Valid.Get(r) || !simple && v.IsNull(r) {
			continue
		}
		keptRows = append(keptRows, uint32(r))
		if groups != nil {
			keptGroups = append(keptGroups, groups[k])
		}
	}
	m.rows, m.groups = keptRows, keptGroups
	if groups == nil {
		keptGroups = nil
	}
	return keptRows, keptGroups
}

// withoutNulls is in without the rows in which its first argument is null.
func withoutNulls(in *Input) *Input {
	if !in.Args[0].HasNulls() {
		return in
	}
	var a Arranger
	a.Begin(in.Groups, nil, in.N)
	return a.Input(in.Args, true)
}
