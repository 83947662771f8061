package parquet

import (
	"bytes"
	"fmt"
	"math"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"millrace/planconv"
	"millrace/types"
	"millrace/vector"
)

var bloomTypes = []*types.Type{types.Long, types.Integer, types.Short, types.Byte, types.Date, types.Timestamp, types.TimestampNTZ, types.Float, types.Double, types.String,
	types.Binary, types.Decimal(30, 2)}

// bloomValue is a value of a type for a number, and the same in a predicate.
func bloomValue(t *types.Type, n int64) (value, wanted any) {
	switch t.Kind {
	case types.KindTimestamp:
		return n * 1000, n * 1000
	case types.KindFloat, types.KindDouble:
		return float64(n), float64(n)
	case types.KindString:
		return fmt.Sprint("v", n), fmt.Append(nil, "v", n)
	case types.KindBinary:
		return fmt.Append(nil, "v", n), fmt.Append(nil, "v", n)
	case types.KindDecimal:
		return decimal128.FromI64(n), decimal128.FromI64(n)
	}
	return n, n
}

// bloomed writes even numbers, the greater ones in the second row group.
func bloomed(t *testing.T, o WriteOptions) []byte {
	t.Helper()
	schema := types.Struct()
	for i, typ := range bloomTypes {
		schema.Fields = append(schema.Fields, types.Field{Name: fmt.Sprint("c", i), Type: typ, Nullable: true})
	}
	o.GroupRows = 30
	var out bytes.Buffer
	w, err := NewWriter(&out, schema, o)
	if err != nil {
		t.Fatal(err)
	}
	for part := range 2 {
		list := make([]any, 30)
		for i := range list {
			row := make([]any, len(bloomTypes))
			for c, typ := range bloomTypes {
				row[c], _ = bloomValue(typ, int64(part*30+i)*2)
			}
			list[i] = row
		}
		if err := w.Write(&vector.Batch{Cols: planconv.FromValues(schema, list).Children, N: len(list)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// Row groups are left out by Bloom filters where none of the values is there, and never where one is.
func TestBloom(t *testing.T) {
	always := func(string) *BloomOptions { return &BloomOptions{Values: 1000} }
	for _, plain := range []bool{false, true} {
		for _, stamps := range []Timestamps{Micros, Millis, Int96} {
			data := bloomed(t, WriteOptions{Bloom: always, NoDictionary: func(string) bool { return plain }, Timestamps: stamps})
			f, err := Open(bytes.NewReader(data), int64(len(data)), "bloom.parquet")
			if err != nil {
				t.Fatal(err)
			}
			skipped := func(column int, values ...any) int64 {
				r, err := f.NewReader(bytes.NewReader(data), ReadOptions{Columns: allColumns(f), Prune: &Prune{Op: In, Column: column, Values: values}})
				if err != nil {
					t.Fatal(err)
				}
				defer r.Close()
				return r.Stats.RowGroupsSkipped
			}
			for c, typ := range bloomTypes {
				_, first := bloomValue(typ, 10)
				_, second := bloomValue(typ, 70)
				_, odd := bloomValue(typ, 11)
				_, odder := bloomValue(typ, 71)
				if n := skipped(c, first, second); n != 0 {
					t.Errorf("%s %v: of what is there %d groups are left out", typ.SQL(), plain, n)
				}
				want := int64(2)
				if typ.Kind == types.KindDecimal || typ.Kind == types.KindTimestamp && stamps != Micros {
					want = 0
				}
				if n := skipped(c, odd, odder); n != want {
					t.Errorf("%s %v %v: of what is not there %d groups are left out, not %d", typ.SQL(), plain, stamps, n, want)
				}
			}
			if skipped(7, math.Copysign(0, -1)) > 1 || skipped(8, math.Copysign(0, -1)) > 1 {
				t.Error("a zero is not found by the other")
			}
		}
	}
}

func TestBloomSize(t *testing.T) {
	for _, c := range []struct {
		o    BloomOptions
		want int
	}{{BloomOptions{}, 1 << 20}, {BloomOptions{MaxBytes: 4096}, 4096}, {BloomOptions{Values: 1}, 32}, {BloomOptions{Values: 1000}, 2048},
		{BloomOptions{Values: 1000, Errors: 0.5}, 512}, {BloomOptions{Values: 1e9}, 1 << 20}} {
		if got := len(c.o.filter()) * 32; got != c.want {
			t.Errorf("%+v: %d bytes, not %d", c.o, got, c.want)
		}
	}
}
