package vector

import (
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"millrace/types"
)

// BatchRows is the usual number of rows in a pipeline's batch.
const BatchRows = 2048

// Fixed is any type that a vector stores as fixed-width slots.
type Fixed interface {
	bool | int8 | int16 | int32 | int64 | uint8 | uint32 | uint64 | float32 | float64 | decimal128.Num | CalendarInterval
}

// CalendarInterval is Spark's legacy interval of three independent parts.
type CalendarInterval struct {
	Months, Days int32
	Micros       int64
}

// Vector is one column. Rows are 0..Len-1; a Const vector has one physical row that stands for all.
type Vector struct {
	Type     *types.Type
	Len      int
	Const    bool
	Valid    Bitmap // nil when no row is null
	Data     []byte
	Offsets  []int32
	Bytes    []byte
	Dict     *Vector // when set, Data holds int32 codes into it; Dict itself is plain, and may hold nulls
	Children []*Vector
}

// Batch is a set of columns of equal length. N is the number of physical rows.
type Batch struct {
	Cols []*Vector
	N    int
	Sel  []uint32 // nil: all rows
}

// Rows is the number of rows that exist: all, or the selected ones.
func (b *Batch) Rows() int {
	if b.Sel != nil {
		return len(b.Sel)
	}
	return b.N
}

// Width is the number of bytes of a slot in Data for a type, or 0 where values are not fixed-width.
func Width(t *types.Type) int {
	switch t.Kind {
	case types.KindBoolean, types.KindByte:
		return 1
	case types.KindShort:
		return 2
	case types.KindInteger, types.KindFloat, types.KindDate, types.KindYearMonth:
		return 4
	case types.KindLong, types.KindDouble, types.KindTimestamp, types.KindTimestampNTZ, types.KindTime, types.KindDayTime:
		return 8
	case types.KindDecimal:
		if t.Precision <= types.MaxShortDecimal {
			return 8
		}
		return 16
	case types.KindCalendar:
		return 16
	case types.KindUDT:
		return Width(t.Elem)
	}
	return 0
}

// Values views a vector's Data as typed slots; writing through it writes the vector. T must have the slot's width.
func Values[T Fixed](v *Vector) []T { return view[T](v.Data) }

// Codes views a dictionary vector's codes.
func Codes(v *Vector) []int32 { return view[int32](v.Data) }

func view[T any](data []byte) []T {
	var zero T
	size := int(unsafe.Sizeof(zero))
	if len(data) < size {
		return nil
	}
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(data))), len(data)/size)
}

// FromSlice makes a vector without nulls that shares values' memory.
func FromSlice[T Fixed](t *types.Type, values []T) *Vector {
	return &Vector{Type: t, Len: len(values), Data: bytesOf(values)}
}

func bytesOf[T any](values []T) []byte {
	if len(values) == 0 {
		return nil
	}
	var zero T
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(values))), len(values)*int(unsafe.Sizeof(zero)))
}

// FromStrings makes a string or binary vector; valid may be nil.
func FromStrings(t *types.Type, values []string, valid Bitmap) *Vector {
	v := &Vector{Type: t, Len: len(values), Valid: valid, Offsets: make([]int32, len(values)+1)}
	for i, s := range values {
		v.Bytes = append(v.Bytes, s...)
		v.Offsets[i+1] = int32(len(v.Bytes))
	}
	return v
}

// NewNull makes a constant null of a type.
func NewNull(t *types.Type, n int) *Vector {
	v := &Vector{}
	v.Reset(t, 1)
	v.Len, v.Const, v.Valid = n, true, Bitmap{0}
	clear(v.Data)
	for _, k := range ChildTypes(t) {
		if v.Offsets != nil {
			v.Children = append(v.Children, NewEmpty(k))
		} else {
			v.Children = append(v.Children, NewNull(k, 1))
		}
	}
	return v
}

// NewNulls makes n nulls of a type, each a slot of its own.
func NewNulls(t *types.Type, n int) *Vector {
	v := &Vector{}
	v.Reset(t, n)
	v.Valid = make(Bitmap, (n+63)/64)
	clear(v.Data)
	clear(v.Offsets)
	slots := n
	if v.Offsets != nil {
		slots = 0
	}
	for _, k := range ChildTypes(t) {
		v.Children = append(v.Children, NewNulls(k, slots))
	}
	return v
}

// Reset makes v an empty plain vector of type t and n rows, reusing its memory. Slots hold anything; all rows are
// valid; strings and nested values are to be appended (Offsets[0] is 0 and the rest is not set).
func (v *Vector) Reset(t *types.Type, n int) {
	v.Type, v.Len, v.Const, v.Valid, v.Dict = t, n, false, nil, nil
	if w := Width(t); w > 0 {
		v.Data = grow(v.Data, n*w)
		return
	}
	v.Data = v.Data[:0]
	v.Bytes = v.Bytes[:0]
	switch base := Storage(t); {
	case base.IsStringLike(), base.Kind == types.KindArray, base.Kind == types.KindMap:
		v.Offsets = growInt32(v.Offsets, n+1)
		v.Offsets[0] = 0
	}
}

// ResetDict makes v a vector of n codes into dict.
func (v *Vector) ResetDict(dict *Vector, n int) {
	v.Type, v.Len, v.Const, v.Valid, v.Dict = dict.Type, n, false, nil, dict
	v.Data = grow(v.Data, n*4)
}

// grow returns a slice of n bytes, 8-byte aligned, keeping no content.
func grow(b []byte, n int) []byte {
	if cap(b) >= n {
		return b[:n]
	}
	words := make([]uint64, (n+n/4+15)/8)
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), len(words)*8)[:n]
}

func growInt32(b []int32, n int) []int32 {
	if cap(b) >= n {
		return b[:n]
	}
	return make([]int32, n, n+n/4+8)
}

// Row is the physical row of row i: 0 for a constant.
func (v *Vector) Row(i int) int {
	if v.Const {
		return 0
	}
	return i
}

// IsNull reports whether row i is null, looking through a dictionary. Not for hot loops.
func (v *Vector) IsNull(i int) bool {
	i = v.Row(i)
	if v.Type.Kind == types.KindNull || v.Valid != nil && !v.Valid.Get(i) {
		return true
	}
	return v.Dict != nil && v.Dict.IsNull(int(Codes(v)[i]))
}

// HasNulls reports whether a row may be null.
func (v *Vector) HasNulls() bool {
	return v.Valid != nil || v.Type.Kind == types.KindNull || v.Dict != nil && v.Dict.Valid != nil
}

// Str is the bytes of row i of a string or binary vector, looking through a dictionary; they belong to the vector.
func (v *Vector) Str(i int) []byte {
	i = v.Row(i)
	if v.Dict != nil {
		v, i = v.Dict, int(Codes(v)[i])
	}
	return v.Bytes[v.Offsets[i]:v.Offsets[i+1]]
}

// AppendStr sets row i, the next one, of a plain string vector being built.
func (v *Vector) AppendStr(i int, s []byte) {
	v.Bytes = append(v.Bytes, s...)
	v.Offsets[i+1] = int32(len(v.Bytes))
}

// SetNull marks row i null; all n rows must already have been counted in Len.
func (v *Vector) SetNull(i int) {
	if v.Valid == nil {
		v.Valid = NewBitmap(v.Len)
	}
	v.Valid.Clear(i)
}

// MemSize is the number of bytes that the vector's buffers hold, dictionaries not counted.
func (v *Vector) MemSize() int64 {
	n := int64(cap(v.Data) + cap(v.Bytes) + 4*cap(v.Offsets) + 8*cap(v.Valid))
	for _, c := range v.Children {
		n += c.MemSize()
	}
	return n
}

// size is the number of bytes of the vector's rows, dictionaries not counted.
func (v *Vector) size() int64 {
	n := int64(len(v.Data) + len(v.Bytes) + 4*len(v.Offsets) + 8*len(v.Valid))
	for _, c := range v.Children {
		n += c.size()
	}
	return n
}
