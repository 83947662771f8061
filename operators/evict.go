package operators

import (
	"math"

	planpb "millrace/proto/millrace/plan/v1"
	"millrace/state"
	"millrace/types"
	"millrace/vector"
)

// noWatermark is a watermark that nothing is below.
const noWatermark = math.MinInt64

// timed reports whether the groups have an event time that watermarks are compared with. A complete result keeps all groups.
func (o *statefulAggregate) timed() bool {
	return o.pb.Time > 0 && o.pb.Mode != planpb.StatefulAggregate_COMPLETE
}

// evicts reports whether groups may have become final.
func (o *statefulAggregate) evicts() bool { return o.timed() && o.pb.Evict != noWatermark }

// times tells of the rows of key columns which are late, and which become final with this batch; nil: none.
func (o *statefulAggregate) times(keys []*vector.Vector) (late, final func(k int) bool) {
	if !o.timed() {
		return nil, nil
	}
	end := endOf(keys[o.pb.Time-1])
	if w := o.pb.Late; w != noWatermark {
		late = func(k int) bool { t, ok := end(k); return ok && t <= w }
	}
	if w := o.pb.Evict; w != noWatermark {
		final = func(k int) bool { t, ok := end(k); return ok && t <= w }
	}
	return late, final
}

// endOf reads a column of times, or of windows, whose time is their end; false for null.
func endOf(v *vector.Vector) func(k int) (int64, bool) {
	return func(k int) (int64, bool) {
		c, i := v, k
		if c.IsNull(i) {
			return 0, false
		}
		if c.Type.Kind == types.KindStruct {
			c, i = c.Children[1], c.Row(i)
			if c.IsNull(i) {
				return 0, false
			}
		}
		if i = c.Row(i); c.Dict != nil {
			c, i = c.Dict, int(vector.Codes(c)[i])
		}
		return vector.Values[int64](c)[i], true
	}
}

// evict removes the groups that no row may reach any more and that the batch has not touched.
func (o *statefulAggregate) evict(t *state.Txn) error {
	var keys, values [][]byte
	flush := func() error {
		o.keyRows.Reset()
		for _, k := range keys {
			if err := o.keyRows.Add(k); err != nil {
				return err
			}
		}
		_, final := o.times(o.keyRows.Columns())
		for i, k := range keys {
			if final(i) {
				t.Change(state.Change{Key: k, Value: values[i], Removed: true}, len(values[i]))
			}
		}
		keys, values = keys[:0], values[:0]
		return o.mem.must(t.Size())
	}
	err := t.Scan(func(key, value []byte) error {
		if o.touched[string(key)] {
			return nil
		}
		keys, values = append(keys, append([]byte(nil), key...)), append(values, append([]byte(nil), value...))
		if len(keys) < vector.BatchRows {
			return nil
		}
		if err := o.ctx.Err(); err != nil {
			return err
		}
		return flush()
	})
	if err != nil {
		return err
	}
	return flush()
}

// watermark passes rows and finds the greatest event time.
type watermark struct {
	in     Operator
	column int
	seen   EventTime
	m      *OperatorMetrics
}

func newWatermark(pb *planpb.Watermark, in Operator) *watermark {
	return &watermark{in: in, column: int(pb.Column), seen: EventTime{Operator: int(pb.Operator), Max: math.MinInt64, Min: math.MaxInt64}}
}

func (o *watermark) Output() []*types.Type         { return o.in.Output() }
func (o *watermark) Open(ctx *Ctx) error           { return o.in.Open(ctx) }
func (o *watermark) Close() error                  { return o.in.Close() }
func (o *watermark) setMetrics(m *OperatorMetrics) { o.m = m }

func (o *watermark) Next() (*vector.Batch, error) {
	b, err := o.in.Next()
	if b == nil || err != nil {
		if o.m != nil && err == nil && o.seen.Count > 0 {
			seen := o.seen
			o.m.EventTime = &seen
		}
		return b, err
	}
	end := endOf(b.Cols[o.column])
	for k := range b.Rows() {
		if b.Sel != nil {
			k = int(b.Sel[k])
		}
		if t, ok := end(k); ok {
			o.seen.Count++
			o.seen.Max, o.seen.Min = max(o.seen.Max, t), min(o.seen.Min, t)
			o.seen.Sum += float64(t)
		}
	}
	return b, nil
}
