package sortkey

import (
	"bytes"

	"millrace/operators/expr"
	"millrace/types"
	"millrace/vector"
)

// Key is how one column orders rows.
type Key struct {
	Type       *types.Type
	Descending bool
	NullsFirst bool
}

// Compare orders row i of columns a against row j of columns b: negative, 0 or positive. Not for hot loops.
func Compare(keys []Key, a []*vector.Vector, i int, b []*vector.Vector, j int) int {
	for k := range keys {
		if c := keys[k].compare(a[k], i, b[k], j); c != 0 {
			return c
		}
	}
	return 0
}

func (k *Key) compare(a *vector.Vector, i int, b *vector.Vector, j int) int {
	x, y := a.IsNull(i), b.IsNull(j)
	switch {
	case x && y:
		return 0
	case x == k.NullsFirst && x != y:
		return -1
	case x != y:
		return 1
	}
	c := Values(a, i, b, j)
	if k.Descending {
		return -c
	}
	return c
}

// Values orders two values that are not null, looking through dictionaries.
func Values(a *vector.Vector, i int, b *vector.Vector, j int) int {
	if a.Type.IsStringLike() {
		return bytes.Compare(a.Str(i), b.Str(j))
	}
	i, j = a.Row(i), b.Row(j)
	if a.Dict != nil {
		a, i = a.Dict, int(vector.Codes(a)[i])
	}
	if b.Dict != nil {
		b, j = b.Dict, int(vector.Codes(b)[j])
	}
	return expr.CompareRows(a, i, b, j)
}
