package expr

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"millrace/types"
	"millrace/vector"
)

func init() {
	Register("in", Func{Lazy: in})
}

// in is x IN (list): true when an item equals x; else null when x or an item is null; else false.
func in(c *Call, args []Evaluator) (Evaluator, error) {
	if len(args) == 1 { // in no list is nothing, null neither
		return newCall(c, Func{Pure: true}, func(_ *Ctx, _ []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
			r := vector.Values[bool](out)
			Rows(sel, n, func(i int) { r[i] = false })
			return nil
		}, args), nil
	}
	for _, k := range c.Consts[1:] {
		if k == nil {
			return newCall(c, Func{Pure: true}, inColumns, args), nil
		}
	}
	return newCall(c, Func{Strict: true, Pure: true}, inList(c), args[:1]), nil
}

// inList looks x, which is not null, up among literals.
func inList(c *Call) Kernel {
	items, hasNull := make([]*vector.Vector, 0, len(c.Consts)), false
	for _, k := range c.Consts[1:] {
		if k.IsNull(0) {
			hasNull = true
		} else {
			items = append(items, k)
		}
	}
	test := memberTest(c.Args[0], items)
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		r := vector.Values[bool](out)
		test(args[0], sel, n, r)
		if hasNull {
			Rows(sel, n, func(i int) {
				if !r[i] {
					out.SetNull(i)
				}
			})
		}
		return nil
	}
}

// member sets r for the rows of sel, which are not null, to whether x's value is in a list.
type member func(x *vector.Vector, sel []uint32, n int, r []bool)

func memberTest(t *types.Type, items []*vector.Vector) member {
	switch {
	case t.IsStringLike():
		return memberStrings(items)
	case t.Kind == types.KindFloat:
		return memberOf(items, func(x float32) uint64 { return uint64(math.Float32bits(canonical(x))) })
	case t.Kind == types.KindDouble:
		return memberOf(items, func(x float64) uint64 { return math.Float64bits(canonical(x)) })
	}
	switch vector.Width(t) {
	case 1:
		return memberOf(items, func(x int8) int8 { return x })
	case 2:
		return memberOf(items, func(x int16) int16 { return x })
	case 4:
		return memberOf(items, func(x int32) int32 { return x })
	case 8:
		return memberOf(items, func(x int64) int64 { return x })
	case 16:
		return memberOf(items, func(x decimal128.Num) decimal128.Num { return x })
	}
	return func(x *vector.Vector, sel []uint32, n int, r []bool) {
		Rows(sel, n, func(i int) {
			r[i] = false
			for _, item := range items {
				r[i] = r[i] || CompareRows(x, i, item, 0) == 0
			}
		})
	}
}

// javaNaN is the NaN whose bits Java's doubleToLongBits gives; as a float it is that of floatToIntBits.
var javaNaN = math.Float64frombits(0x7ff8 << 48)

// canonical makes one NaN of all and 0.0 of -0.0.
func canonical[T float32 | float64](x T) T {
	switch {
	case x != x:
		return T(javaNaN)
	case x == 0:
		return 0
	}
	return x
}

// fewItems is how many items are compared one by one rather than hashed.
const fewItems = 6

func memberOf[T vector.Fixed, K comparable](items []*vector.Vector, key func(T) K) member {
	list, set := make([]K, len(items)), make(map[K]struct{}, len(items))
	for i, item := range items {
		list[i] = key(vector.Values[T](item)[0])
		set[list[i]] = struct{}{}
	}
	return func(x *vector.Vector, sel []uint32, n int, r []bool) {
		a, m := vector.Values[T](x), stride(x)
		if len(list) > fewItems {
			Rows(sel, n, func(i int) { _, r[i] = set[key(a[i&m])] })
			return
		}
		Rows(sel, n, func(i int) {
			k, hit := key(a[i&m]), false
			for _, item := range list {
				hit = hit || k == item
			}
			r[i] = hit
		})
	}
}

func memberStrings(items []*vector.Vector) member {
	set := make(map[string]struct{}, len(items))
	for _, item := range items {
		set[string(item.Str(0))] = struct{}{}
	}
	return func(x *vector.Vector, sel []uint32, n int, r []bool) {
		Rows(sel, n, func(i int) { _, r[i] = set[string(x.Str(i))] })
	}
}

// inColumns compares with items that are not all literals.
func inColumns(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
	x, r := args[0], vector.Values[bool](out)
	Rows(sel, n, func(i int) {
		r[i] = false
		unknown := x.IsNull(i)
		for _, item := range args[1:] {
			if unknown || r[i] {
				break
			}
			r[i] = !item.IsNull(i) && CompareRows(x, i, item, i) == 0
		}
		for _, item := range args[1:] {
			unknown = unknown || !r[i] && item.IsNull(i)
		}
		if unknown {
			out.SetNull(i)
		}
	})
	return nil
}
