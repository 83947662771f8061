package sortkey

import (
	"millrace/types"
	"millrace/vector"
)

// Order is rows in order.
type Order struct {
	Rows   []uint32
	words  []uint64 // the rows' only word, in order, where that has fields
	fields []field
}

// field is the place of a key's values in words from which they can be told: those of whole numbers without nulls.
type field struct {
	key   int
	up    uint // bits below it
	width int
	base  uint64 // what was taken from the values, whose lowest bits were left out
	shift uint
	flip  bool
}

// readable reports whether a piece of a column is its values.
func (p *part) readable(v *vector.Vector) bool {
	return p.table == nil && p.of == nil && p.bits <= 64 && vector.Width(v.Type) <= 8 && !vector.Storage(v.Type).IsFloating()
}

// Values makes out the values of key i in rows from..from+n-1 of the order, or reports that they have to be gathered. In order of the rows this reads
// memory in its order, too.
func (o *Order) Values(i, from, n int, t *types.Type, out *vector.Vector) bool {
	for f := range o.fields {
		if o.fields[f].key == i {
			o.fields[f].values(o.words[from:from+n], t, out)
			return true
		}
	}
	return false
}

func (f *field) values(words []uint64, t *types.Type, out *vector.Vector) {
	out.Reset(t, len(words))
	turn := sign(vector.Storage(t))
	switch vector.Width(t) {
	case 1:
		fieldValues(f, words, turn, vector.Values[uint8](out))
	case 2:
		fieldValues(f, words, turn, vector.Values[int16](out))
	case 4:
		fieldValues(f, words, turn, vector.Values[int32](out))
	default:
		fieldValues(f, words, turn, vector.Values[int64](out))
	}
}

func fieldValues[T uint8 | int16 | int32 | int64](f *field, words []uint64, turn uint64, out []T) {
	mask := uint64(1)<<f.width - 1
	flip := uint64(0)
	if f.flip {
		flip = mask
	}
	out = out[:len(words)]
	for k, w := range words {
		out[k] = T(((w>>f.up&mask^flip)<<f.shift + f.base) ^ turn)
	}
}
