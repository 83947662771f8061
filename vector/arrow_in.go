package vector

import (
	"math"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"millrace/errs"
	"millrace/types"
)

// FromArrow is an Arrow record as a batch of columns of these types, which TypeFromArrow gives for its schema (decimals may
// be of another precision and timestamps of the other kind). Columns share the record's memory where they are laid out alike: the batch is valid as long as it is.
func FromArrow(rec arrow.RecordBatch, columns []*types.Type) (*Batch, error) {
	return NewArrowDecoder(columns).Decode(rec)
}

// ArrowDecoder makes batches of a stream's records and gives the batches that share an Arrow dictionary the same Dict. Not
// for concurrent use.
type ArrowDecoder struct {
	types []*types.Type
	dicts []seenDict
}

type seenDict struct {
	data arrow.ArrayData
	dict *Vector
}

// NewArrowDecoder makes a decoder into columns of these types.
func NewArrowDecoder(columns []*types.Type) *ArrowDecoder {
	return &ArrowDecoder{types: columns, dicts: make([]seenDict, len(columns))}
}

// Decode is FromArrow. A dictionary's memory is copied, so that it may outlive its record.
func (d *ArrowDecoder) Decode(rec arrow.RecordBatch) (*Batch, error) {
	if int(rec.NumCols()) != len(d.types) {
		return nil, errs.Newf(errs.Invalid, "an Arrow record of %d columns was expected to have %d", rec.NumCols(), len(d.types))
	}
	b := &Batch{Cols: make([]*Vector, len(d.types)), N: int(rec.NumRows())}
	for i, t := range d.types {
		v, err := fromArrow(rec.Column(i), t, &d.dicts[i])
		if err != nil {
			return nil, errs.Wrap(err, "column %s", rec.ColumnName(i))
		}
		b.Cols[i] = v
	}
	return b, nil
}

func fromArrow(a arrow.Array, t *types.Type, seen *seenDict) (*Vector, error) {
	if e, ok := a.(array.ExtensionArray); ok {
		return fromArrow(e.Storage(), t, seen)
	}
	v := &Vector{Type: t, Len: a.Len()}
	if a.NullN() > 0 && a.DataType().ID() != arrow.NULL {
		v.Valid = validFromArrow(a)
	}
	if d, ok := a.(*array.Dictionary); ok {
		return v, v.fromDictionary(d, t, seen)
	}
	st := Storage(t)
	switch {
	case st.Kind == types.KindNull:
		return v, nil
	case st.IsStringLike():
		return v, v.fromStrings(a)
	case st.Kind == types.KindArray || st.Kind == types.KindMap:
		return v, v.fromList(a, st)
	case st.Kind == types.KindStruct || st.Kind == types.KindVariant:
		return v, v.fromStruct(a, st)
	}
	return v, v.fromFixed(a, st)
}

func mismatch(a arrow.Array, t *types.Type) error {
	return errs.Newf(errs.Invalid, "Arrow values of type %s cannot be read as %s", a.DataType(), t)
}

func validFromArrow(a arrow.Array) Bitmap {
	raw, from, n := a.NullBitmapBytes(), a.Data().Offset(), a.Len()
	if len(raw) == 0 {
		return nil
	}
	words := make([]uint64, (from+n+63)/64)
	copy(bytesOf(words), raw)
	return sliceBitmap(words, from, n)
}

// slots views or, when it is not aligned, copies the values buffer of an array of w-byte slots.
func slots(a arrow.Array, w int) []byte {
	buf := a.Data().Buffers()[1]
	from := a.Data().Offset()
	if buf == nil || buf.Len() < (from+a.Len())*w { // a column of nulls may come without values
		b := extend(nil, a.Len()*w)
		clear(b)
		return b
	}
	b := buf.Bytes()[from*w : (from+a.Len())*w]
	if uintptr(unsafe.Pointer(unsafe.SliceData(b)))%uintptr(min(w, 8)) != 0 {
		c := extend(nil, len(b))
		copy(c, b)
		return c
	}
	return b
}

func (v *Vector) fromFixed(a arrow.Array, t *types.Type) error {
	switch x := a.(type) {
	case *array.Boolean:
		v.Data = make([]byte, x.Len())
		for i := range v.Data {
			if x.Value(i) {
				v.Data[i] = 1
			}
		}
		return kindIs(a, t, t.Kind == types.KindBoolean)
	case *array.Decimal128:
		return v.fromDecimal(x, t)
	case *array.MonthDayNanoInterval:
		return v.setCalendars(x.MonthDayNanoIntervalValues())
	case *array.Timestamp:
		return v.fromTicks(a, ticks(x.DataType().(*arrow.TimestampType).Unit, arrow.Microsecond))
	case *array.Duration:
		return v.fromTicks(a, ticks(x.DataType().(*arrow.DurationType).Unit, arrow.Microsecond))
	case *array.Time64:
		return v.fromTicks(a, ticks(x.DataType().(*arrow.Time64Type).Unit, arrow.Nanosecond))
	case *array.Time32:
		setFrom[int64](v, x.Time32Values(), ticks(x.DataType().(*arrow.Time32Type).Unit, arrow.Nanosecond).mul)
		return nil
	case *array.Date64:
		setFrom[int32](v, divided(x.Date64Values(), 86_400_000), 1)
		return nil
	case *array.Uint8:
		setFrom[int16](v, x.Uint8Values(), 1)
		return kindIs(a, t, t.Kind == types.KindShort)
	case *array.Uint16:
		setFrom[int32](v, x.Uint16Values(), 1)
		return kindIs(a, t, t.Kind == types.KindInteger)
	case *array.Uint32:
		setFrom[int64](v, x.Uint32Values(), 1)
		return kindIs(a, t, t.Kind == types.KindLong)
	case *array.Uint64:
		out := make([]decimal128.Num, x.Len())
		for i, u := range x.Uint64Values() {
			out[i] = decimal128.New(0, u)
		}
		v.Data = bytesOf(out)
		return kindIs(a, t, t.Kind == types.KindDecimal && t.Precision > types.MaxShortDecimal)
	case *array.Float16:
		out := make([]float32, x.Len())
		for i, f := range x.Values() {
			out[i] = f.Float32()
		}
		v.Data = bytesOf(out)
		return kindIs(a, t, t.Kind == types.KindFloat)
	}
	w, ok := a.DataType().(arrow.FixedWidthDataType)
	if !ok || w.Bytes() != Width(t) {
		return mismatch(a, t)
	}
	v.Data = slots(a, w.Bytes())
	return nil
}

func kindIs(a arrow.Array, t *types.Type, ok bool) error {
	if !ok {
		return mismatch(a, t)
	}
	return nil
}

type scaling struct{ mul, div int64 }

// ticks is how a value of unit from becomes one of unit to.
func ticks(from, to arrow.TimeUnit) scaling {
	f, t := int64(from.Multiplier()), int64(to.Multiplier())
	if f >= t {
		return scaling{f / t, 1}
	}
	return scaling{1, t / f}
}

func (v *Vector) fromTicks(a arrow.Array, s scaling) error {
	v.Data = slots(a, 8)
	switch {
	case s.mul > 1:
		setFrom[int64](v, view[int64](v.Data), s.mul)
	case s.div > 1:
		setFrom[int64](v, divided(view[int64](v.Data), s.div), 1)
	}
	return nil
}

func setFrom[T, S ~int8 | ~int16 | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32](v *Vector, values []S, mul int64) {
	out := make([]T, len(values))
	for i, x := range values {
		out[i] = T(int64(x) * mul)
	}
	v.Data = bytesOf(out)
}

func divided[T ~int64](values []T, by int64) []int64 {
	out := make([]int64, len(values))
	for i, x := range values {
		q := int64(x) / by
		if int64(x)%by < 0 {
			q--
		}
		out[i] = q
	}
	return out
}

func (v *Vector) fromDecimal(x *array.Decimal128, t *types.Type) error {
	if t.Kind != types.KindDecimal || x.DataType().(*arrow.Decimal128Type).Scale != int32(t.Scale) {
		return mismatch(x, t)
	}
	if !t.IsShortDecimal() {
		v.Data = slots(x, 16)
		return nil
	}
	out := make([]int64, x.Len())
	for i, d := range view[decimal128.Num](slots(x, 16)) {
		out[i] = int64(d.LowBits())
	}
	v.Data = bytesOf(out)
	return nil
}

func (v *Vector) setCalendars(values []arrow.MonthDayNanoInterval) error {
	out := make([]CalendarInterval, len(values))
	for i, x := range values {
		out[i] = CalendarInterval{x.Months, x.Days, x.Nanoseconds / 1000}
	}
	v.Data = bytesOf(out)
	return nil
}

func (v *Vector) fromStrings(a arrow.Array) error {
	switch x := a.(type) {
	case *array.String:
		v.Offsets, v.Bytes = offsets32(x.ValueOffsets(), x.Len()), bufferBytes(x.Data(), 2)
	case *array.Binary:
		v.Offsets, v.Bytes = offsets32(x.ValueOffsets(), x.Len()), bufferBytes(x.Data(), 2)
	case *array.LargeString:
		return v.fromLarge(x.ValueOffsets(), bufferBytes(x.Data(), 2))
	case *array.LargeBinary:
		return v.fromLarge(x.ValueOffsets(), bufferBytes(x.Data(), 2))
	case *array.StringView:
		return v.fromValues(x.Len(), func(i int) []byte { s := x.Value(i); return unsafe.Slice(unsafe.StringData(s), len(s)) }, x)
	case *array.BinaryView:
		return v.fromValues(x.Len(), x.Value, x)
	case *array.FixedSizeBinary:
		return v.fromValues(x.Len(), x.Value, x)
	default:
		return mismatch(a, v.Type)
	}
	return nil
}

func bufferBytes(d arrow.ArrayData, i int) []byte {
	if b := d.Buffers()[i]; b != nil {
		return b.Bytes()
	}
	return nil
}

// offsets32 completes the offsets of an array of no rows, which may have none.
func offsets32(o []int32, n int) []int32 {
	if n == 0 {
		return []int32{0}
	}
	if uintptr(unsafe.Pointer(unsafe.SliceData(o)))%4 != 0 {
		c := make([]byte, 4*len(o), 4*len(o)+8)
		copy(c, bytesOf(o))
		return view[int32](c)
	}
	return o[:n+1]
}

func (v *Vector) fromLarge(offsets []int64, bytes []byte) error {
	v.Offsets = make([]int32, v.Len+1)
	if v.Len == 0 {
		return nil
	}
	first, last := offsets[0], offsets[v.Len]
	if last-first > math.MaxInt32 {
		return errs.Newf(errs.Invalid, "a column of %d bytes of text in one Arrow record is too large: send smaller records", last-first)
	}
	for i, o := range offsets[:v.Len+1] {
		v.Offsets[i] = int32(o - first)
	}
	v.Bytes = bytes[first:last]
	return nil
}

func (v *Vector) fromValues(n int, value func(int) []byte, a arrow.Array) error {
	v.Offsets = make([]int32, n+1)
	for i := range n {
		if a.IsNull(i) {
			v.Offsets[i+1] = v.Offsets[i]
			continue
		}
		v.Bytes = append(v.Bytes, value(i)...)
		checkOffset(len(v.Bytes))
		v.Offsets[i+1] = int32(len(v.Bytes))
	}
	return nil
}

func (v *Vector) fromDictionary(d *array.Dictionary, t *types.Type, seen *seenDict) error {
	values := d.Dictionary()
	if seen.dict == nil || !sameData(seen.data, values.Data()) {
		dict, err := fromArrow(values, t, &seenDict{})
		if err != nil {
			return err
		}
		own := NewEmpty(t)
		own.AppendPlain(dict, nil)
		values.Data().Retain() // so that its memory is not another dictionary's next time
		if seen.data != nil {
			seen.data.Release()
		}
		seen.dict, seen.data = own, values.Data()
	}
	v.Dict = seen.dict
	indices := d.Indices()
	if x, ok := indices.(*array.Int32); ok {
		v.Data = slots(x, 4)
		return nil
	}
	codes := make([]int32, v.Len)
	for i := range codes {
		if indices.IsValid(i) {
			codes[i] = int32(d.GetValueIndex(i))
		}
	}
	v.Data = bytesOf(codes)
	return nil
}

// sameData reports whether two arrays are the same memory.
func sameData(a, b arrow.ArrayData) bool {
	if a == b {
		return true
	}
	if a.Len() != b.Len() || a.Offset() != b.Offset() || len(a.Buffers()) != len(b.Buffers()) {
		return false
	}
	for i, x := range a.Buffers() {
		if !sameBuffer(x, b.Buffers()[i]) {
			return false
		}
	}
	return len(a.Children()) == 0
}

func sameBuffer(a, b *memory.Buffer) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Len() == b.Len() && unsafe.SliceData(a.Bytes()) == unsafe.SliceData(b.Bytes())
}

func (v *Vector) fromList(a arrow.Array, t *types.Type) error {
	if m, ok := a.(*array.Map); ok && t.Kind == types.KindMap {
		v.Offsets = offsets32(offsetsOf(m), m.Len())
		return v.setChildren([]arrow.Array{m.Keys(), m.Items()}, t)
	}
	if t.Kind != types.KindArray {
		return mismatch(a, t)
	}
	switch x := a.(type) {
	case *array.List:
		v.Offsets = offsets32(offsetsOf(x), x.Len())
	case array.ListLike:
		v.Offsets = make([]int32, v.Len+1)
		first := int64(0)
		for i := range v.Len {
			from, to := x.ValueOffsets(i)
			if i == 0 {
				first = from
			}
			if x.IsNull(i) {
				to = max(from, int64(v.Offsets[i]))
			} else if int64(v.Offsets[i]) != from && i > 0 {
				return errs.Unsupportedf("Arrow %s with elements out of order", a.DataType())
			}
			v.Offsets[i], v.Offsets[i+1] = int32(max(from, first)), int32(to)
		}
	default:
		return mismatch(a, t)
	}
	return v.setChildren([]arrow.Array{a.(array.ListLike).ListValues()}, t)
}

func offsetsOf(a arrow.Array) []int32 {
	b := bufferBytes(a.Data(), 1)
	if len(b) == 0 {
		return nil
	}
	return view[int32](b)[a.Data().Offset():]
}

func (v *Vector) fromStruct(a arrow.Array, t *types.Type) error {
	x, ok := a.(*array.Struct)
	if !ok || x.NumField() != len(ChildTypes(t)) {
		return mismatch(a, t)
	}
	fields := make([]arrow.Array, x.NumField())
	for i := range fields {
		fields[i] = x.Field(i)
	}
	return v.setChildren(fields, t)
}

func (v *Vector) setChildren(arrays []arrow.Array, t *types.Type) error {
	for i, k := range ChildTypes(t) {
		c, err := fromArrow(arrays[i], k, &seenDict{})
		if err != nil {
			return err
		}
		v.Children = append(v.Children, c)
	}
	return nil
}
