package engine

import (
	"bytes"
	"context"
	"sort"

	"github.com/apache/arrow-go/v18/arrow/ipc"

	"millrace/operators/expr"
	"millrace/physical"
	"millrace/planconv"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/types"
	"millrace/vector"
)

// sample runs a sampling query and cuts its keys into parts of about equal numbers of rows.
func (st *statement) sample(ctx context.Context, r physical.SampleRequest) ([]byte, int, error) {
	rows, err := st.e.o.Runner.Run(ctx, Query{Stages: r.Stages, Settings: st.settings, Pipelined: true})
	if err != nil {
		return nil, 0, err
	}
	defer rows.Close()
	columns := make([]*types.Type, len(r.Keys))
	fields := make([]types.Field, len(r.Keys))
	for i, k := range r.Keys {
		columns[i] = planconv.Type(k.Expr.Type)
		fields[i] = types.Field{Name: "key", Type: columns[i], Nullable: true}
	}
	b := vector.NewBuilder(columns)
	for {
		batch, err := rows.Next(ctx)
		if err != nil {
			return nil, 0, err
		}
		if batch == nil {
			break
		}
		b.Append(batch, batch.Sel)
	}
	return st.ends(b.Take(), fields, r.Keys, r.Parts)
}

// ends are the upper ends of all ranges but the last into which keys are to be cut, as an Arrow IPC stream, and how many they are.
func (st *statement) ends(keys *vector.Batch, fields []types.Field, order []*planpb.SortKey, parts int) ([]byte, int, error) {
	places := cut(keys, order, parts)
	if len(places) == 0 {
		return nil, 0, nil
	}
	schema := vector.ArrowSchema(fields, st.settings.TimeZone)
	rec := vector.ToArrow(rowsAt(keys, places), schema)
	defer rec.Release()
	var out bytes.Buffer
	w := ipc.NewWriter(&out, ipc.WithSchema(schema))
	if err := w.Write(rec); err != nil {
		return nil, 0, err
	}
	return out.Bytes(), len(places), w.Close()
}

// cut orders the rows and returns those at the ends of the first parts-1 parts, each key once.
func cut(keys *vector.Batch, order []*planpb.SortKey, parts int) []int {
	n := 0
	if keys != nil {
		n = keys.N
	}
	at := make([]int, n)
	for i := range at {
		at[i] = i
	}
	sort.SliceStable(at, func(i, j int) bool { return compareKeys(keys, order, at[i], at[j]) < 0 })
	var ends []int
	for p := 1; p < parts && n > 0; p++ {
		row := at[(p*n+parts-1)/parts-1]
		if len(ends) == 0 || compareKeys(keys, order, ends[len(ends)-1], row) < 0 {
			ends = append(ends, row)
		}
	}
	// The last row of all bounds nothing.
	if len(ends) > 0 && compareKeys(keys, order, ends[len(ends)-1], at[n-1]) == 0 {
		ends = ends[:len(ends)-1]
	}
	return ends
}

// rowsAt are the rows of a batch as a small batch of their own.
func rowsAt(keys *vector.Batch, at []int) *vector.Batch {
	out := &vector.Batch{N: len(at)}
	for _, col := range keys.Cols {
		values := make([]any, len(at))
		for i, row := range at {
			values[i] = planconv.At(col, row)
		}
		out.Cols = append(out.Cols, planconv.FromValues(col.Type, values))
	}
	return out
}

// compareKeys orders rows i and j as a sort does.
func compareKeys(b *vector.Batch, order []*planpb.SortKey, i, j int) int {
	for k, o := range order {
		v := b.Cols[k]
		x, y := v.IsNull(i), v.IsNull(j)
		c := 0
		switch {
		case x && y:
		case x != y && x == o.NullsFirst:
			return -1
		case x != y:
			return 1
		default:
			if c = expr.CompareRows(v, i, v, j); o.Descending {
				c = -c
			}
		}
		if c != 0 {
			return c
		}
	}
	return 0
}
