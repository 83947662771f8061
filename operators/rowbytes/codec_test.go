package rowbytes

import (
	"math"
	"math/rand/v2"
	"testing"

	"millrace/operators/hashtable"
	"millrace/types"
	"millrace/vector"
)

var kinds = []*types.Type{types.Boolean, types.Byte, types.Short, types.Integer, types.Long, types.Float, types.Double, types.String, types.Binary,
	types.Date, types.Timestamp, types.Decimal(10, 2), types.Decimal(38, 10), types.ArrayOf(types.String, true), types.MapOf(types.Integer, types.Double, true),
	types.Struct(types.Field{Name: "a", Type: types.Long, Nullable: true}, types.Field{Name: "b", Type: types.ArrayOf(types.Integer, true), Nullable: true})}

// randomBytes appends a row's bytes of a type, by the form that doc.go gives.
func randomBytes(r *rand.Rand, t *types.Type, to []byte) []byte {
	if r.IntN(5) == 0 {
		return append(to, 0)
	}
	to = append(to, 1)
	if w := vector.Width(t); w > 0 {
		for range w {
			to = append(to, byte(r.IntN(2)))
		}
		return to
	}
	n := r.IntN(4)
	switch t.Kind {
	case types.KindStruct:
		for _, f := range t.Fields {
			to = randomBytes(r, f.Type, to)
		}
	case types.KindArray:
		to = append(to, byte(n))
		for range n {
			to = randomBytes(r, t.Elem, to)
		}
	case types.KindMap:
		to = append(to, byte(n))
		for range n {
			to = randomBytes(r, t.Elem, randomBytes(r, t.Key, to))
		}
	default:
		to = append(append(to, byte(n)), "abcdefgh"[:n]...)
	}
	return to
}

func TestRowsComeBack(t *testing.T) {
	for seed := range 200 {
		r := rand.New(rand.NewPCG(uint64(seed), 1))
		columns := make([]*types.Type, 1+r.IntN(5))
		for i := range columns {
			columns[i] = kinds[r.IntN(len(kinds))]
		}
		c := New(columns)
		d := c.Decoder()
		for range 2 { // a decoder is used again
			d.Reset()
			var rows [][]byte
			for range r.IntN(100) {
				var row []byte
				for _, k := range columns {
					row = randomBytes(r, k, row)
				}
				if err := d.Add(row); err != nil {
					t.Fatal(err)
				}
				rows = append(rows, row)
			}
			for i, want := range rows {
				if got := c.Append(nil, d.Columns(), i); string(got) != string(want) {
					t.Fatalf("seed %d, %v: row %d is %x, want %x", seed, columns, i, got, want)
				}
			}
			checkCopies(t, c, d, rows)
		}
	}
}

// checkCopies holds the columns against other code that reads them.
func checkCopies(t *testing.T, c *Codec, d *Decoder, rows [][]byte) {
	for k, v := range d.Columns() {
		copied := vector.NewEmpty(v.Type)
		copied.Append(v, nil)
		for i := range rows {
			if !hashtable.Equal(v, i, copied, i) {
				t.Fatalf("column %d of %v, row %d is not as its copy", k, c.types, i)
			}
		}
	}
}

func TestDamagedRowsAreErrors(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for range 2000 {
		c := New([]*types.Type{kinds[r.IntN(len(kinds))], kinds[r.IntN(len(kinds))]})
		row := randomBytes(r, c.types[1], randomBytes(r, c.types[0], nil))
		if err := c.Decoder().Add(row[:r.IntN(len(row))]); err == nil {
			t.Fatalf("a part of %x was read as %v", row, c.types)
		}
		if err := c.Decoder().Add(append(row, 1)); err == nil {
			t.Fatal("bytes behind a row were not noticed")
		}
	}
}

func TestEqualKeysHaveEqualBytes(t *testing.T) {
	c := Key([]*types.Type{types.Double})
	odd := math.Float64frombits(math.Float64bits(math.NaN()) ^ 1)
	v := []*vector.Vector{vector.FromSlice(types.Double, []float64{0, math.Copysign(0, -1), math.NaN(), odd})}
	for i := 0; i < 4; i += 2 {
		if a, b := c.Append(nil, v, i), c.Append(nil, v, i+1); string(a) != string(b) {
			t.Errorf("%x and %x", a, b)
		}
	}
}
