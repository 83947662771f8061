package engine_test

import (
	"bytes"
	"context"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"millrace/plan"
	"millrace/types"
)

// localRows are rows 1, 2, 3 as a client sends them.
func localRows(t *testing.T) *plan.LocalRelation {
	schema := arrow.NewSchema([]arrow.Field{{Name: "x", Type: arrow.PrimitiveTypes.Int64, Nullable: true}}, nil)
	b := array.NewInt64Builder(memory.DefaultAllocator)
	defer b.Release()
	b.AppendValues([]int64{1, 2, 3}, nil)
	rec := array.NewRecordBatch(schema, []arrow.Array{b.NewArray()}, 3)
	defer rec.Release()
	var out bytes.Buffer
	w := ipc.NewWriter(&out, ipc.WithSchema(schema))
	if err := w.Write(rec); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return &plan.LocalRelation{Arrow: out.Bytes(), Rows: 3, T: types.Struct(types.Field{Name: "x", Type: types.Long, Nullable: true})}
}

// TestLocalRowsInUnion unites a client's rows with a relation that several tasks make: they must not come once a task.
func TestLocalRowsInUnion(t *testing.T) {
	for _, s := range setups {
		c := newCluster(t, s)
		n := &plan.SetOp{Kind: plan.UnionOp, All: true, Left: &plan.Range{Start: 0, End: 100, Step: 1, Partitions: 4}, Right: localRows(t)}
		r, err := c.session().Run(context.Background(), n)
		if err != nil {
			t.Fatal(err)
		}
		rows := 0
		for {
			rec, err := r.Next(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			if rec == nil {
				break
			}
			rows += int(rec.NumRows())
			rec.Release()
		}
		if rows != 103 {
			t.Errorf("%v: %d rows", s, rows)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}
