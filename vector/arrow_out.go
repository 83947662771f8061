package vector

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"millrace/types"
)

// ToArrow is the rows of b that exist as an Arrow record of schema, which ArrowSchema or DictionarySchema made. Columns share b's
// memory where they are laid out alike and b has no selection, so that the record is valid as long as b is. A column that the schema
// makes a dictionary keeps its codes; any other is decoded.
func ToArrow(b *Batch, schema *arrow.Schema) arrow.RecordBatch {
	cols := make([]arrow.Array, schema.NumFields()) // a batch may hold more: rows without columns are counted by one
	for i, c := range b.Cols[:len(cols)] {
		data := columnToArrow(c, b.Sel, b.N, schema.Field(i).Type)
		cols[i] = array.MakeFromData(data)
		data.Release()
	}
	rec := array.NewRecordBatch(schema, cols, int64(b.Rows()))
	for _, c := range cols {
		c.Release()
	}
	return rec
}

func columnToArrow(v *Vector, sel []uint32, n int, t arrow.DataType) arrow.ArrayData {
	d, isDict := t.(*arrow.DictionaryType)
	if sel != nil || v.Const || v.Dict != nil && !isDict {
		c := NewEmpty(v.Type)
		if v.Const && sel == nil {
			v = Slice(v, 0, n)
		}
		c.append(v, sel, isDict)
		v = c
	}
	if v.Len != n && sel == nil {
		v = Slice(v, 0, n)
	}
	if isDict {
		return dictToArrow(v, d)
	}
	return plainToArrow(v, t)
}

func dictToArrow(v *Vector, t *arrow.DictionaryType) arrow.ArrayData {
	codes, values := v.Data, v.Dict
	valid := v.Valid
	if values == nil { // every row is its own entry
		ids := make([]int32, v.Len)
		for i := range ids {
			ids[i] = int32(i)
		}
		codes, values, valid = bytesOf(ids), v, nil
	}
	dict := plainToArrow(values, t.ValueType)
	defer dict.Release()
	return array.NewDataWithDictionary(t, v.Len, []*memory.Buffer{validBuffer(valid), buffer(codes)}, nullCount(valid, v.Len), 0, dict.(*array.Data))
}

func nullCount(b Bitmap, n int) int { return b.CountNulls(n) }

func buffer(b []byte) *memory.Buffer { return memory.NewBufferBytes(b) }

func validBuffer(b Bitmap) *memory.Buffer {
	if b == nil {
		return nil
	}
	return buffer(bytesOf([]uint64(b)))
}

// plainToArrow makes Arrow data of a vector that is neither constant nor a dictionary at its top.
func plainToArrow(v *Vector, t arrow.DataType) arrow.ArrayData {
	nulls := v.Valid.CountNulls(v.Len)
	bufs := []*memory.Buffer{validBuffer(v.Valid)}
	var kids []arrow.ArrayData
	switch st := Storage(v.Type); {
	case st.Kind == types.KindNull:
		nulls = v.Len
	case st.Kind == types.KindBoolean:
		bufs = append(bufs, buffer(packBools(v.Data[:v.Len])))
	case st.IsShortDecimal():
		bufs = append(bufs, buffer(bytesOf(widen(Values[int64](v)[:v.Len]))))
	case st.Kind == types.KindCalendar:
		bufs = append(bufs, buffer(bytesOf(calendarToArrow(Values[CalendarInterval](v)[:v.Len]))))
	case v.Offsets == nil && len(v.Children) == 0:
		bufs = append(bufs, buffer(v.Data))
	case st.IsStringLike():
		bufs = append(bufs, buffer(bytesOf(v.Offsets[:v.Len+1])), buffer(v.Bytes))
	case st.Kind == types.KindArray:
		bufs = append(bufs, buffer(bytesOf(v.Offsets[:v.Len+1])))
		kids = []arrow.ArrayData{childToArrow(v.Children[0], t.(arrow.ListLikeType).Elem())}
	case st.Kind == types.KindMap:
		bufs = append(bufs, buffer(bytesOf(v.Offsets[:v.Len+1])))
		kids = []arrow.ArrayData{entriesToArrow(v, t.(*arrow.MapType))}
	default:
		for i, c := range v.Children {
			kids = append(kids, columnToArrow(c, nil, v.Len, t.(*arrow.StructType).Field(i).Type))
		}
	}
	data := array.NewData(t, v.Len, bufs, kids, nulls, 0)
	for _, k := range kids {
		k.Release()
	}
	return data
}

func childToArrow(c *Vector, t arrow.DataType) arrow.ArrayData {
	return columnToArrow(c, nil, c.Len, t)
}

func entriesToArrow(v *Vector, t *arrow.MapType) arrow.ArrayData {
	keys, items := v.Children[0], v.Children[1]
	kids := []arrow.ArrayData{childToArrow(keys, t.KeyType()), childToArrow(items, t.ItemType())}
	entries := array.NewData(t.Elem(), keys.Len, []*memory.Buffer{nil}, kids, 0, 0)
	for _, k := range kids {
		k.Release()
	}
	return entries
}

func packBools(data []byte) []byte {
	bits := make(Bitmap, (len(data)+63)/64)
	for i, x := range data {
		bits[i/64] |= uint64(x&1) << (uint(i) % 64)
	}
	return bytesOf([]uint64(bits))
}

func widen(values []int64) []decimal128.Num {
	out := make([]decimal128.Num, len(values))
	for i, x := range values {
		out[i] = decimal128.FromI64(x)
	}
	return out
}

func calendarToArrow(values []CalendarInterval) []arrow.MonthDayNanoInterval {
	out := make([]arrow.MonthDayNanoInterval, len(values))
	for i, x := range values {
		out[i] = arrow.MonthDayNanoInterval{Months: x.Months, Days: x.Days, Nanoseconds: x.Micros * 1000}
	}
	return out
}
