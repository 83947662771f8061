package expr

import (
	"bytes"
	"cmp"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"millrace/types"
	"millrace/vector"
)

// CompareRows orders row i of a against row j of b, of one type and not null: -1, 0 or 1. NaN equals itself and is the largest, -0.0
// equals 0.0, strings go by bytes, nested values by their parts, in which null comes first. Not for hot loops over fixed-width types.
func CompareRows(a *vector.Vector, i int, b *vector.Vector, j int) int {
	t := a.Type
	if t.Kind == types.KindUDT {
		t = t.Elem
	}
	if t.IsStringLike() {
		return bytes.Compare(a.Str(i), b.Str(j))
	}
	i, j = a.Row(i), b.Row(j)
	switch t.Kind {
	case types.KindArray:
		return compareLists(a, i, b, j)
	case types.KindStruct:
		for f, c := range a.Children {
			if r := compareNullable(c, i, b.Children[f], j); r != 0 {
				return r
			}
		}
		return 0
	case types.KindFloat:
		return compareFloats(vector.Values[float32](a)[i], vector.Values[float32](b)[j])
	case types.KindDouble:
		return compareFloats(vector.Values[float64](a)[i], vector.Values[float64](b)[j])
	case types.KindBoolean:
		return cmp.Compare(vector.Values[uint8](a)[i], vector.Values[uint8](b)[j])
	}
	switch vector.Width(t) {
	case 1:
		return cmp.Compare(vector.Values[int8](a)[i], vector.Values[int8](b)[j])
	case 2:
		return cmp.Compare(vector.Values[int16](a)[i], vector.Values[int16](b)[j])
	case 4:
		return cmp.Compare(vector.Values[int32](a)[i], vector.Values[int32](b)[j])
	case 8:
		return cmp.Compare(vector.Values[int64](a)[i], vector.Values[int64](b)[j])
	case 16:
		return vector.Values[decimal128.Num](a)[i].Cmp(vector.Values[decimal128.Num](b)[j])
	}
	return 0
}

func compareFloats[T float32 | float64](x, y T) int {
	switch {
	case x < y || x == x && y != y:
		return -1
	case x == y || x != x && y != y:
		return 0
	}
	return 1
}

func compareNullable(a *vector.Vector, i int, b *vector.Vector, j int) int {
	switch x, y := a.IsNull(i), b.IsNull(j); {
	case x && y:
		return 0
	case x:
		return -1
	case y:
		return 1
	}
	return CompareRows(a, i, b, j)
}

func compareLists(a *vector.Vector, i int, b *vector.Vector, j int) int {
	x, xEnd, y, yEnd := int(a.Offsets[i]), int(a.Offsets[i+1]), int(b.Offsets[j]), int(b.Offsets[j+1])
	for ; x < xEnd && y < yEnd; x, y = x+1, y+1 {
		if r := compareNullable(a.Children[0], x, b.Children[0], y); r != 0 {
			return r
		}
	}
	return cmp.Compare(xEnd-x, yEnd-y)
}
