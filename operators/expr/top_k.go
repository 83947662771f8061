package expr

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"millrace/errs"
	"millrace/planconv"
	"millrace/sketch"
	"millrace/types"
	"millrace/vector"
)

func init() {
	Register("approx_top_k_estimate", Func{Strict: false, Pure: true, Build: func(c *Call) (Kernel, error) {
		k, err := strconv.Atoi(c.Options["k"])
		return topKKernel(c.Args[0].Fields[2].Type, k), err
	}})
}

// TopKItems is how a sketch of frequent items holds values of a type.
func TopKItems(t *types.Type) sketch.Items {
	kind := sketch.Longs
	switch t.Kind {
	case types.KindBoolean:
		kind = sketch.Bools
	case types.KindByte:
		kind = sketch.Bytes
	case types.KindShort:
		kind = sketch.Shorts
	case types.KindInteger, types.KindDate:
		kind = sketch.Ints
	case types.KindFloat:
		kind = sketch.Floats
	case types.KindDouble:
		kind = sketch.Doubles
	case types.KindString:
		kind = sketch.Texts
	case types.KindDecimal:
		switch {
		case t.Precision <= 9:
			kind = sketch.ShortDecimals
		case t.Precision <= 18:
			kind = sketch.LongDecimals
		default:
			kind = sketch.Decimals
		}
	}
	return sketch.Items{Kind: kind, Scale: t.Scale}
}

// TopKDDL is a type as a state of approx_top_k tells it.
func TopKDDL(t *types.Type) string {
	if t.Kind == types.KindString {
		return "item string not null"
	}
	return "item " + t.SQL() + " NOT NULL"
}

// TopKType is the type that a state tells.
func TopKType(ddl string) (*types.Type, error) {
	if words := strings.Fields(strings.ToUpper(ddl)); len(words) > 1 {
		for _, t := range []*types.Type{types.Boolean, types.Byte, types.Short, types.Integer, types.Long, types.Float, types.Double, types.Date, types.Timestamp,
			types.TimestampNTZ, types.String} {
			if words[1] == t.SQL() {
				return t, nil
			}
		}
		var precision, scale int
		if n, err := fmt.Sscanf(words[1], "DECIMAL(%d,%d)", &precision, &scale); err == nil && n == 2 && precision > 0 && precision <= types.MaxPrecision && scale >= 0 && scale <= precision {
			return types.Decimal(precision, scale), nil
		}
	}
	return nil, errs.Newf(errs.Invalid, "%q is not the type of a sketch's items.", ddl)
}

// AppendTopKItem appends row i of a column as a sketch holds it.
func AppendTopKItem(dst []byte, t sketch.Items, v *vector.Vector, i int) []byte {
	if t.Kind == sketch.Texts {
		return t.AppendText(dst, v.Str(i))
	}
	v, i = slotOf(v, i)
	switch t.Kind {
	case sketch.Bools:
		return t.AppendLong(dst, int64(v.Data[i]))
	case sketch.Floats:
		return t.AppendDouble(dst, float64(vector.Values[float32](v)[i]))
	case sketch.Doubles:
		return t.AppendDouble(dst, vector.Values[float64](v)[i])
	case sketch.Decimals:
		x := vector.Values[decimal128.Num](v)[i]
		return t.AppendWide(dst, x.HighBits(), x.LowBits())
	}
	return t.AppendLong(dst, intAt(v, i))
}

// TopK is the list of a sketch's k most frequent items with their counts, as values. Nulls come behind items that are as frequent.
func TopK(f *sketch.Frequent, k int) []any {
	list := []any{}
	null := f.Nulls > 0
	for _, c := range f.Top() {
		if null && f.Nulls > c.Count && len(list) < k {
			list, null = append(list, []any{nil, f.Nulls}), false
		}
		if len(list) == k {
			return list
		}
		list = append(list, []any{topKValue(f.Items, c.Item), c.Count})
	}
	if null && len(list) < k {
		list = append(list, []any{nil, f.Nulls})
	}
	return list
}

func topKValue(t sketch.Items, item string) any {
	switch t.Kind {
	case sketch.Bools:
		return t.Long(item) != 0
	case sketch.Floats, sketch.Doubles:
		return t.Double(item)
	case sketch.Texts:
		return t.Text(item)
	case sketch.Decimals:
		return decimal128.New(t.Wide(item))
	}
	return t.Long(item)
}

// ReadTopK reads a sketch.
func ReadTopK(name string, t sketch.Items, b []byte) (*sketch.Frequent, error) {
	f, err := sketch.ReadFrequent(t, b)
	if err != nil {
		return nil, errs.Newf(errs.Invalid, "Invalid call to `%s`: the bytes are no sketch of frequent items of the type that stands beside them.", name)
	}
	return f, nil
}

func topKKernel(item *types.Type, k int) Kernel {
	items := TopKItems(item)
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		lists := make([]any, n)
		for i := range lists {
			lists[i] = []any{}
		}
		err := RowsErr(sel, n, func(i int) error {
			if args[0].IsNull(i) {
				return errs.Newf(errs.Invalid, "Invalid call to `approx_top_k_estimate`: the state is null.")
			}
			state, i2 := slotOf(args[0], i)
			sketch, tracked := state.Children[0], state.Children[1]
			if sketch.IsNull(i2) || tracked.IsNull(i2) {
				return errs.Newf(errs.Invalid, "Invalid call to `approx_top_k_estimate`: a part of the state is null.")
			}
			if size := int(numAt(tracked, i2)); size < k {
				return errs.New("APPROX_TOP_K_MAX_ITEMS_TRACKED_LESS_THAN_K", "maxItemsTracked", strconv.Itoa(size), "k", strconv.Itoa(k))
			}
			f, err := ReadTopK("approx_top_k_estimate", items, sketch.Str(i2))
			if err == nil {
				lists[i] = TopK(f, k)
			}
			return err
		})
		if err == nil {
			*out = *planconv.FromValues(out.Type, lists)
		}
		return err
	}
}
