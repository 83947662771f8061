package orc

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"millrace/javatime"
	"millrace/planconv"
	"millrace/table/internal/rows"
	"millrace/types"
	"millrace/vector"
)

var writtenTypes = []*types.Type{types.Long, types.Boolean, types.Byte, types.Short, types.Integer, types.Float, types.Double, types.String, types.Binary, types.Date,
	types.Timestamp, types.TimestampNTZ, types.Decimal(9, 2), types.Decimal(38, 10), types.ArrayOf(types.Integer, true), types.MapOf(types.String, types.Double, true),
	types.Struct(types.Field{Name: "x", Type: types.Boolean, Nullable: true}, types.Field{Name: "l", Type: types.ArrayOf(types.ArrayOf(types.String, true), true), Nullable: true})}

// anything is a value of a type; texts are of few kinds or of many.
func anything(r *rand.Rand, t *types.Type, few bool) any {
	if r.IntN(8) == 0 {
		return nil
	}
	switch t.Kind {
	case types.KindBoolean:
		return r.IntN(2) == 0
	case types.KindByte:
		return int64(int8(r.Uint32()))
	case types.KindShort:
		return int64(int16(r.Uint32()))
	case types.KindInteger, types.KindDate:
		return int64(int32(r.Uint32()) >> r.IntN(32))
	case types.KindLong, types.KindTimestampNTZ:
		return int64(r.Uint64()) >> r.IntN(64)
	case types.KindTimestamp:
		if v := r.Int64N(4e15) - 2e15; v >= 0 || v < -1e6 {
			return v
		}
		return int64(0)
	case types.KindFloat:
		return float64(float32(r.NormFloat64()))
	case types.KindDouble:
		return r.NormFloat64() * 1e100
	case types.KindString, types.KindBinary:
		text := fmt.Sprint(r.IntN(9))
		if !few {
			text = strings.Repeat(fmt.Sprint(r.Uint64()), r.IntN(4))
		}
		if t.Kind == types.KindBinary {
			return []byte(text)
		}
		return text
	case types.KindDecimal:
		if t.IsShortDecimal() {
			return r.Int64N(1e9) - 5e8
		}
		return decimal128.New(r.Int64N(1<<61)-1<<60, r.Uint64())
	case types.KindArray:
		list := make([]any, r.IntN(4))
		for i := range list {
			list[i] = anything(r, t.Elem, few)
		}
		return list
	case types.KindMap:
		entries := []any{}
		for i := range r.IntN(3) {
			entries = append(entries, fmt.Sprint("k", i), anything(r, t.Elem, few))
		}
		return entries
	case types.KindStruct:
		row := make([]any, len(t.Fields))
		for i, f := range t.Fields {
			row[i] = anything(r, f.Type, few)
		}
		return row
	}
	panic(t.SQL())
}

// written makes a file of rows whose first column counts.
func written(t *testing.T, o WriteOptions, n int) (data []byte, want []string) {
	t.Helper()
	schema := types.Struct()
	for i, typ := range writtenTypes {
		schema.Fields = append(schema.Fields, types.Field{Name: fmt.Sprint("c", i), Type: typ, Nullable: true})
	}
	var out bytes.Buffer
	w, err := NewWriter(&out, schema, o)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for at := 0; at < n; at += 700 {
		list := make([]any, min(700, n-at))
		for i := range list {
			row := anything(r, schema, at%1400 == 0)
			if row == nil {
				row = make([]any, len(schema.Fields))
			}
			row.([]any)[0] = int64(at + i)
			list[i] = row
		}
		b := &vector.Batch{Cols: planconv.FromValues(schema, list).Children, N: len(list)}
		if err := w.Write(b); err != nil {
			t.Fatal(err)
		}
		want = append(want, rows.Lines(b)...)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if w.Rows() != int64(n) {
		t.Fatal(w.Rows())
	}
	return out.Bytes(), want
}

// What is written is read again: all types, by every codec, of one stripe and of many, whole and in row groups.
func TestWrite(t *testing.T) {
	for codec := range codecs {
		for _, stripe := range []int64{0, 1 << 20} {
			if stripe == 0 && codec != "" {
				continue
			}
			o := WriteOptions{Codec: codec, StripeBytes: stripe, Zone: zone(t, "America/New_York")}
			data, want := written(t, o, 12000)
			f, err := Open(bytes.NewReader(data), int64(len(data)), "written")
			if err != nil {
				t.Fatal(err)
			}
			for i, field := range f.Root.Children {
				if got, err := field.sparkType(); err != nil || !got.SameData(writtenTypes[i]) {
					t.Fatal(got, err)
				}
			}
			ro, err := every(f)
			if err != nil {
				t.Fatal(err)
			}
			ro.Zone = o.Zone
			got, _, err := read(data, f, ro)
			if err != nil || !slices.Equal(got, want) {
				t.Fatalf("%q %d: %v, %d rows of %d", codec, stripe, err, len(got), len(want))
			}
			low, high := int64(10500), int64(11000)
			ro.Skip = func(bounds func(int) (Bounds, bool)) bool {
				b, ok := bounds(0)
				return ok && b.Min != nil && (b.Min.(int64) > high || b.Max.(int64) < low)
			}
			part, r, err := read(data, f, ro)
			if err != nil || r.Stats.RowsSkipped+r.Stats.GroupsSkipped == 0 {
				t.Fatal(err, r.Stats)
			}
			at := slices.Index(want, part[0])
			if at < 0 || at > int(low) || at+len(part) < int(high) || !slices.Equal(part, want[at:at+len(part)]) {
				t.Fatalf("%q %d: of a part, %d rows at %d are others", codec, stripe, len(part), at)
			}
		}
	}
}

// Numbers of every width and step come back.
func TestWrittenRuns(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	d, err := newDeflater(uncompressed)
	if err != nil {
		t.Fatal(err)
	}
	for round := range 3000 {
		values := make([]int64, 1+r.IntN(1500))
		signed := r.IntN(2) == 0
		step, shift := r.Int64N(7)-3, r.IntN(64)
		for i := range values {
			switch round % 4 {
			case 0:
				values[i] = int64(r.Uint64()) >> shift
			case 1:
				values[i] = step * int64(i/(1+round%5))
			case 2:
				values[i] = 1000 - int64(i)*step - r.Int64N(3)
			case 3:
				values[i] = []int64{math.MaxInt64, math.MinInt64, 0, -1, 7, 7, 7, 7}[r.IntN(8)]
			}
			if !signed {
				values[i] &= math.MaxInt64
			}
		}
		s := &outStream{deflater: d}
		s.ints(values, signed)
		got := make([]int64, len(values))
		in := newInts(&stream{inflater: &inflater{}, raw: s.out}, true, signed)
		if err := in.read(got); err != nil || !slices.Equal(got, values) {
			t.Fatalf("round %d: %v\n%v\n%v", round, err, got, values)
		}
	}
}

func TestTimesThatCannotBeWritten(t *testing.T) {
	schema := types.Struct(types.Field{Name: "at", Type: types.Timestamp})
	for micros, fits := range map[int64]bool{-1: false, -999000: false, -999001: true, -1000000: true, -1500000: true, 0: true} {
		var out bytes.Buffer
		w, err := NewWriter(&out, schema, WriteOptions{Zone: javatime.UTC})
		if err != nil {
			t.Fatal(err)
		}
		if err = w.Write(&vector.Batch{Cols: []*vector.Vector{vector.FromSlice(types.Timestamp, []int64{micros})}, N: 1}); err == nil {
			err = w.Close()
		}
		if (err == nil) != fits {
			t.Errorf("%d: %v", micros, err)
		}
	}
}
