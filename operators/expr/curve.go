package expr

import (
	"encoding/binary"
	"encoding/hex"
	"math"
	"sort"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"millrace/errs"
	"millrace/types"
	"millrace/vector"
)

// Kernels that put rows in the order of a space-filling curve. order_key maps a value to a bigint of the same order, as far as 64 bits
// tell; curve_key makes of several such keys, by the bounds that cut each column into parts of about as many rows, the place on the curve.
func init() {
	Register("order_key", Func{Build: buildOrderKey})
	Register("curve_key", Func{Build: buildCurveKey})
}

// buildOrderKey makes the key of one column; null is the least.
func buildOrderKey(c *Call) (Kernel, error) {
	t := c.Args[0]
	key := orderKey(t)
	if key == nil {
		return nil, errs.Newf(errs.Internal, "order_key of %s", t)
	}
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		v := args[0]
		dst := vector.Values[int64](out)
		Rows(sel, n, func(i int) {
			if v.IsNull(i) {
				dst[i] = math.MinInt64
				return
			}
			row, w := v.Row(i), v
			if v.Dict != nil {
				row, w = int(vector.Codes(v)[row]), v.Dict
			}
			dst[i] = key(w, row)
		})
		return nil
	}, nil
}

func orderKey(t *types.Type) func(v *vector.Vector, i int) int64 {
	switch t.Kind {
	case types.KindBoolean, types.KindByte:
		return func(v *vector.Vector, i int) int64 { return int64(vector.Values[int8](v)[i]) }
	case types.KindShort:
		return func(v *vector.Vector, i int) int64 { return int64(vector.Values[int16](v)[i]) }
	case types.KindInteger, types.KindDate:
		return func(v *vector.Vector, i int) int64 { return int64(vector.Values[int32](v)[i]) }
	case types.KindLong, types.KindTimestamp, types.KindTimestampNTZ:
		return func(v *vector.Vector, i int) int64 { return vector.Values[int64](v)[i] }
	case types.KindFloat:
		return func(v *vector.Vector, i int) int64 { return floatKey(float64(vector.Values[float32](v)[i])) }
	case types.KindDouble:
		return func(v *vector.Vector, i int) int64 { return floatKey(vector.Values[float64](v)[i]) }
	case types.KindDecimal:
		if t.IsShortDecimal() {
			return func(v *vector.Vector, i int) int64 { return vector.Values[int64](v)[i] }
		}
		return func(v *vector.Vector, i int) int64 { return floatKey(vector.Values[decimal128.Num](v)[i].ToFloat64(0)) }
	case types.KindString:
		return func(v *vector.Vector, i int) int64 {
			var b [8]byte
			copy(b[:], v.Str(i))
			return int64(binary.BigEndian.Uint64(b[:]) ^ 1<<63)
		}
	}
	return nil
}

func floatKey(f float64) int64 {
	bits := int64(math.Float64bits(f))
	return bits ^ int64(uint64(bits>>63)>>1)
}

// buildCurveKey takes order keys. Option bounds has for each the keys that begin its parts, ascending, as 16 hexadecimal digits, the columns
// separated by commas; option curve is zorder or hilbert.
func buildCurveKey(c *Call) (Kernel, error) {
	var bounds [][]int64
	for _, text := range strings.Split(c.Options["bounds"], ",") {
		raw, err := hex.DecodeString(text)
		if err != nil || len(raw)%8 != 0 {
			return nil, errs.Newf(errs.Internal, "curve_key with the bounds %q", text)
		}
		list := make([]int64, len(raw)/8)
		for i := range list {
			list[i] = int64(binary.BigEndian.Uint64(raw[8*i:]))
		}
		bounds = append(bounds, list)
	}
	k := len(c.Args)
	if len(bounds) != k || k == 0 {
		return nil, errs.Newf(errs.Internal, "curve_key of %d columns with bounds of %d", k, len(bounds))
	}
	bits := min(62/k, 16)
	curve := zOrder
	if c.Options["curve"] == "hilbert" {
		curve = hilbert
	}
	place := make([]uint32, k)
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		dst := vector.Values[int64](out)
		Rows(sel, n, func(i int) {
			for j, v := range args {
				place[j] = partOf(bounds[j], vector.Values[int64](v)[v.Row(i)], bits)
			}
			dst[i] = int64(curve(place, bits))
		})
		return nil
	}, nil
}

// partOf is the number of the part that a key lies in, scaled to so many bits.
func partOf(bounds []int64, key int64, bits int) uint32 {
	i := sort.Search(len(bounds), func(i int) bool { return bounds[i] > key })
	return uint32(uint64(i) * (1<<bits - 1) / uint64(max(len(bounds), 1)))
}

// zOrder interleaves the bits of the coordinates, the first one's in front.
func zOrder(x []uint32, bits int) uint64 {
	var out uint64
	for b := bits - 1; b >= 0; b-- {
		for _, v := range x {
			out = out<<1 | uint64(v>>b&1)
		}
	}
	return out
}

// hilbert is a point's place on the Hilbert curve, by Skilling's transformation ("Programming the Hilbert curve", 2004), which
// works in place.
func hilbert(x []uint32, bits int) uint64 {
	n := len(x)
	for q := uint32(1) << (bits - 1); q > 1; q >>= 1 {
		for i := range n {
			if x[i]&q != 0 {
				x[0] ^= q - 1
			} else {
				t := (x[0] ^ x[i]) & (q - 1)
				x[0] ^= t
				x[i] ^= t
			}
		}
	}
	for i := 1; i < n; i++ {
		x[i] ^= x[i-1]
	}
	var t uint32
	for q := uint32(1) << (bits - 1); q > 1; q >>= 1 {
		if x[n-1]&q != 0 {
			t ^= q - 1
		}
	}
	for i := range x {
		x[i] ^= t
	}
	return zOrder(x, bits)
}
