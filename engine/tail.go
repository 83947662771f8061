package engine

import (
	"context"

	"millrace/plan"
	"millrace/session"
	"millrace/types"
	"millrace/vector"
)

// tail runs a relation and keeps its last rows.
func (st *statement) tail(n *plan.Tail) (session.Result, error) {
	r, err := st.query(n.Input)
	if err != nil {
		return nil, err
	}
	in := r.(*result)
	t := &tailRows{Rows: in.rows, count: int(n.Count)}
	for _, f := range in.schema.Fields {
		t.types = append(t.types, f.Type)
	}
	in.rows = t
	return in, nil
}

// tailRows are the last rows of others, once those have ended.
type tailRows struct {
	Rows
	types []*types.Type
	count int
	kept  []*vector.Batch // copies in order; without the first of them they would be fewer than count
	rows  int
	done  bool
}

// Next implements Rows.
func (r *tailRows) Next(ctx context.Context) (*vector.Batch, error) {
	for !r.done {
		b, err := r.Rows.Next(ctx)
		if err != nil {
			return nil, err
		}
		if r.done = b == nil; !r.done {
			r.keep(b)
		}
	}
	if len(r.kept) == 0 {
		return nil, nil
	}
	b := r.kept[0]
	r.kept = r.kept[1:]
	if over := r.rows - r.count; over > 0 {
		r.rows = r.count
		return vector.SliceBatch(b, over, b.N-over), nil
	}
	return b, nil
}

func (r *tailRows) keep(b *vector.Batch) {
	if b.Rows() == 0 || r.count == 0 {
		return
	}
	copied := vector.NewBuilder(r.types)
	copied.Append(b, b.Sel)
	r.kept = append(r.kept, copied.Take())
	r.rows += b.Rows()
	for r.rows-r.kept[0].N >= r.count {
		r.rows -= r.kept[0].N
		r.kept = r.kept[1:]
	}
}
