package operators

import (
	"millrace/operators/sortkey"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/types"
	"millrace/vector"
)

// merger merges sorted inputs into one sorted output.
type merger struct {
	ctx   *Ctx
	in    []*cursor
	order ordering
	types []*types.Type
	heap  []*cursor

	taken   []*cursor // the input of every row of the output being made
	places  []uint32
	gathers *vector.Builder
	out     vector.Batch
	started bool
}

// cursor is a merger's place in one input.
type cursor struct {
	op    Operator
	index int
	batch *vector.Batch
	keys  []*vector.Vector
	own   *vector.Builder // of computed keys: what evaluated them is shared by all cursors
	enc   *sortkey.Encoder
	at, n int
	rows  []uint32 // taken for the output being made
	first uint32   // where they start among all gathered ones
}

var _ Operator = (*merger)(nil)

// NewMerge merges inputs that are sorted by keys, as a reader of sorted exchange inputs does. Equal rows come in the order of
// the inputs.
func NewMerge(in []Operator, keys []*planpb.SortKey, out []*types.Type, s *planpb.Settings) (Operator, error) {
	order, err := newOrdering(keys, out, s)
	if err != nil {
		return nil, err
	}
	return newMerger(in, order, out), nil
}

func newMerger(in []Operator, order ordering, out []*types.Type) *merger {
	m := &merger{order: order, types: out, gathers: vector.NewBuilder(out)}
	for i, op := range in {
		m.in = append(m.in, &cursor{op: op, index: i, enc: sortkey.NewEncoder(order.keys, true)})
	}
	return m
}

func (m *merger) Output() []*types.Type { return m.types }

func (m *merger) Open(ctx *Ctx) error {
	m.ctx = ctx
	for _, c := range m.in {
		if err := c.op.Open(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (m *merger) Close() error {
	var first error
	for _, c := range m.in {
		if err := c.op.Close(); err != nil && first == nil {
			first = err
		}
	}
	m.in, m.heap = nil, nil
	return first
}

// fill reads a cursor's next batch; false at the end.
func (m *merger) fill(c *cursor) (bool, error) {
	b, err := c.op.Next()
	if b == nil || err != nil {
		return false, err
	}
	c.batch, c.at, c.n = b, 0, b.Rows()
	keys, err := m.order.eval(m.ctx, b, nil)
	if err != nil {
		return false, err
	}
	c.keys = keys
	c.enc.Encode(keys, b.Sel, c.n)
	if m.order.columns == nil && !c.enc.Exact {
		if c.own == nil {
			c.own = vector.NewBuilder(m.order.types())
		}
		c.own.Reset()
		c.own.AppendColumns(keys, b.Sel, b.N)
		c.keys = c.own.Columns()
	}
	return true, nil
}

// keyRow is the place of the next row among the keys.
func (c *cursor) keyRow() int {
	if c.own != nil {
		return c.at
	}
	return c.row()
}

func (c *cursor) row() int {
	if c.batch.Sel != nil {
		return int(c.batch.Sel[c.at])
	}
	return c.at
}

// less orders the next rows of two inputs.
func (m *merger) less(a, b *cursor) bool {
	for w := range a.enc.Words {
		if x, y := a.enc.Words[w][a.at], b.enc.Words[w][b.at]; x != y {
			return x < y
		}
	}
	if !a.enc.Exact {
		if c := sortkey.Compare(m.order.keys, a.keys, a.keyRow(), b.keys, b.keyRow()); c != 0 {
			return c < 0
		}
	}
	return a.index < b.index
}

func (m *merger) down(i int) {
	for {
		least := i
		for c := 2*i + 1; c <= 2*i+2 && c < len(m.heap); c++ {
			if m.less(m.heap[c], m.heap[least]) {
				least = c
			}
		}
		if least == i {
			return
		}
		m.heap[i], m.heap[least] = m.heap[least], m.heap[i]
		i = least
	}
}

func (m *merger) start() error {
	m.started = true
	for _, c := range m.in {
		ok, err := m.fill(c)
		if err != nil {
			return err
		}
		if ok {
			m.heap = append(m.heap, c)
		}
	}
	for i := len(m.heap)/2 - 1; i >= 0; i-- {
		m.down(i)
	}
	return nil
}

// refill replaces the least input's batch, which is used up.
func (m *merger) refill() error {
	ok, err := m.fill(m.heap[0])
	if err != nil {
		return err
	}
	if !ok {
		m.heap[0] = m.heap[len(m.heap)-1]
		m.heap = m.heap[:len(m.heap)-1]
	}
	m.down(0)
	return nil
}

// Next takes rows until the output is full or an input's batch is used up, and gathers them.
func (m *merger) Next() (*vector.Batch, error) {
	if !m.started {
		if err := m.start(); err != nil {
			return nil, err
		}
	}
	for len(m.heap) > 0 && m.heap[0].at == m.heap[0].n {
		if err := m.refill(); err != nil {
			return nil, err
		}
	}
	if len(m.heap) == 0 {
		return nil, nil
	}
	m.taken = m.taken[:0]
	for len(m.taken) < vector.BatchRows {
		c := m.heap[0]
		c.rows = append(c.rows, uint32(c.row()))
		m.taken = append(m.taken, c)
		if c.at++; c.at == c.n {
			break
		}
		m.down(0)
	}
	return m.gather(), nil
}

// gather copies the taken rows input by input and then puts them in order.
func (m *merger) gather() *vector.Batch {
	m.gathers.Reset()
	used, at := 0, uint32(0)
	for _, c := range m.in {
		if len(c.rows) == 0 {
			continue
		}
		used++
		c.first = at
		at += uint32(len(c.rows))
		m.gathers.AppendColumns(c.batch.Cols, c.rows, 0)
		c.rows = c.rows[:0]
	}
	if used == 1 {
		return m.gathers.Batch()
	}
	m.places = m.places[:0]
	for _, c := range m.taken {
		m.places = append(m.places, c.first)
		c.first++
	}
	gatherInto(&m.out, m.gathers.Columns(), m.places)
	return &m.out
}
