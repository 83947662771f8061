package operators

import (
	"testing"

	"millrace/memory"
	"millrace/types"
	"millrace/vector"
)

// TestPartitionsOfPartitions divides rows by hash, and each part again: every depth has to take apart what the one before has brought together.
func TestPartitionsOfPartitions(t *testing.T) {
	const rows = 1 << 16
	values := make([]int64, rows)
	for i := range values {
		values[i] = int64(i)
	}
	cols := []*vector.Vector{vector.FromSlice(types.Long, values)}
	ctx := &Ctx{Memory: memory.NewPool("test", 1<<30), TempDir: t.TempDir()}
	for depth, expected := 0, rows/radixParts; depth < 3; depth, expected = depth+1, expected/radixParts {
		p := newPartitioner(ctx, []*types.Type{types.Long}, depth)
		if err := p.add(cols, cols, nil, cols[0].Len); err != nil {
			t.Fatal(err)
		}
		for i, part := range p.rows {
			if n := len(part); n < expected/2 || n > 2*expected {
				t.Errorf("part %d at depth %d has %d rows of %d", i, depth, n, cols[0].Len)
			}
		}
		kept := vector.NewEmpty(types.Long)
		kept.Append(cols[0], p.rows[0])
		cols = []*vector.Vector{kept}
		p.close()
	}
}
