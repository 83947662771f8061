package operators

import (
	"time"

	"millrace/types"
	"millrace/vector"
)

// metered counts an operator's batches and its own time (its inputs' time left out), and ends a cancelled task.
type metered struct {
	Operator
	id     uint32
	inputs []Operator
	ctx    *Ctx
	m      *OperatorMetrics
	all    int64 // nanoseconds with the inputs'
}

// metrics are the counters of an operator id, made on first use.
func (c *Ctx) metrics(id uint32) *OperatorMetrics {
	if c.Metrics == nil {
		c.Metrics = &Metrics{}
	}
	if c.Metrics.ByOperator == nil {
		c.Metrics.ByOperator = map[uint32]*OperatorMetrics{}
	}
	m := c.Metrics.ByOperator[id]
	if m == nil {
		m = &OperatorMetrics{}
		c.Metrics.ByOperator[id] = m
	}
	return m
}

// spills is where an operator reports its spilled bytes.
type spills interface{ setMetrics(m *OperatorMetrics) }

// Lasting implements Lasting.
func (o *metered) Lasting() bool { return lasting(o.Operator) }

func (o *metered) Open(ctx *Ctx) error {
	o.ctx, o.m = ctx, ctx.metrics(o.id)
	if s, ok := o.Operator.(spills); ok {
		s.setMetrics(o.m)
	}
	start, below := time.Now(), o.below()
	err := o.Operator.Open(ctx)
	o.count(start, below)
	return err
}

func (o *metered) Next() (*vector.Batch, error) {
	if err := o.ctx.Err(); err != nil {
		return nil, err
	}
	start, below := time.Now(), o.below()
	b, err := o.Operator.Next()
	o.count(start, below)
	if b != nil {
		o.m.RowsOut += int64(b.Rows())
		o.m.BytesOut += usedBytes(b)
	}
	return b, err
}

func (o *metered) count(start time.Time, below int64) {
	spent := int64(time.Since(start))
	o.all += spent
	o.m.Nanos += spent - (o.below() - below)
}

func (o *metered) below() int64 {
	n := int64(0)
	for _, in := range o.inputs {
		if m, ok := in.(*metered); ok {
			n += m.all
		}
	}
	return n
}

// usedBytes estimates the bytes of the rows that exist.
func usedBytes(b *vector.Batch) int64 {
	if b.N == 0 {
		return 0
	}
	all := int64(0)
	for _, c := range b.Cols {
		all += columnBytes(c)
	}
	return all * int64(b.Rows()) / int64(b.N)
}

func columnBytes(c *vector.Vector) int64 {
	n := int64(c.Len * vector.Width(c.Type))
	switch {
	case c.Dict != nil:
		n = int64(4 * c.Len)
	case c.Const:
		n = 0
	case c.Type.Kind == types.KindString || c.Type.Kind == types.KindBinary:
		if len(c.Offsets) > c.Len {
			n = int64(4*c.Len) + int64(c.Offsets[c.Len]-c.Offsets[0])
		}
	}
	for _, k := range c.Children {
		n += columnBytes(k)
	}
	return n
}
