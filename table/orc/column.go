package orc

import (
	"encoding/binary"
	"math"
	"slices"

	"millrace/errs"
	"millrace/types"
	"millrace/vector"
)

// reader decodes a column, field, element or part of a map.
type reader interface {
	// begin takes a stripe's streams.
	begin(s *stripe) error
	// read makes v the next n rows. Where outer is not set the value around is null, and the streams have nothing. v is valid until the next call.
	read(v *vector.Vector, n int, outer vector.Bitmap) error
	// seek goes to a row group's beginning; entry says where a column's is.
	seek(entry func(column uint64) (*positions, error)) error
	column() *Column
	inner() []reader // of fields, elements, keys and values; nil for a field that the file lacks
}

// numbers is a stream of whole numbers.
type numbers interface {
	read(dst []int64) error
	seek(p *positions) error
}

// base is what all readers have.
type base struct {
	col     *Column
	typ     *types.Type
	present *bools // nil: no nulls
	bits    vector.Bitmap
	scratch []int64
}

func (b *base) column() *Column { return b.col }
func (b *base) inner() []reader { return nil }

func (b *base) begin(s *stripe) error {
	b.present = nil
	if in := s.stream(b.col, present); in != nil {
		b.present = &bools{in: byteRuns{in: in}}
	}
	return nil
}

func (b *base) places(entry func(uint64) (*positions, error)) (*positions, error) {
	p, err := entry(b.col.id)
	if err == nil && b.present != nil {
		err = b.present.seek(p)
	}
	return p, err
}

// rows finds which of n rows have values, and how many do.
func (b *base) rows(n int, outer vector.Bitmap) (vector.Bitmap, int, error) {
	if b.present == nil {
		return outer, n - outer.CountNulls(n), nil
	}
	words := (n + 63) / 64
	if cap(b.bits) < words {
		b.bits = make(vector.Bitmap, words)
	}
	b.bits = b.bits[:words]
	clear(b.bits)
	if err := b.present.valid(b.bits, n, outer); err != nil {
		return nil, 0, err
	}
	nulls := b.bits.CountNulls(n)
	if nulls == 0 {
		return nil, n, nil
	}
	return b.bits, n - nulls, nil
}

func (b *base) dense(n int) []int64 {
	if cap(b.scratch) < n {
		b.scratch = make([]int64, max(n, vector.BatchRows))
	}
	return b.scratch[:n]
}

// spread puts values into the slots of the rows that have one.
func spread[T vector.Fixed](dst []T, valid vector.Bitmap, value func(k int) T) {
	if valid == nil {
		for i := range dst {
			dst[i] = value(i)
		}
		return
	}
	var none T
	k := 0
	for i := range dst {
		if !valid.Get(i) {
			dst[i] = none
			continue
		}
		dst[i] = value(k)
		k++
	}
}

func spreadInts[T int8 | int16 | int32 | int64](dst []T, valid vector.Bitmap, values []int64) {
	if valid == nil {
		for i, v := range values {
			dst[i] = T(v)
		}
		return
	}
	spread(dst, valid, func(k int) T { return T(values[k]) })
}

// wholes reads integers, booleans and dates.
type wholes struct {
	base
	in   numbers
	date func(int64) int64 // nil: as it is
	fit  *[2]int64         // what the wanted type holds; nil: everything. Other values are null, as in ORC's own readers.
}

func (r *wholes) begin(s *stripe) error {
	if err := r.base.begin(s); err != nil {
		return err
	}
	in := s.need(r.col, data)
	switch r.col.Kind {
	case Boolean:
		r.in = &bools{in: byteRuns{in: in}}
	case Byte:
		r.in = &byteRuns{in: in}
	default:
		v2, err := s.version2(r.col)
		r.in = newInts(in, v2, true)
		return err
	}
	return nil
}

func (r *wholes) seek(entry func(uint64) (*positions, error)) error {
	p, err := r.places(entry)
	if err != nil {
		return err
	}
	return r.in.seek(p)
}

func (r *wholes) read(v *vector.Vector, n int, outer vector.Bitmap) error {
	valid, m, err := r.rows(n, outer)
	if err != nil {
		return err
	}
	dense := r.dense(m)
	if err := r.in.read(dense); err != nil {
		return err
	}
	if r.date != nil {
		for i, d := range dense {
			dense[i] = r.date(d)
		}
	}
	v.Reset(r.typ, n)
	v.Valid = valid
	switch r.typ.Kind {
	case types.KindBoolean:
		spread(v.Data[:n], valid, func(k int) uint8 {
			if dense[k] != 0 {
				return 1
			}
			return 0
		})
	case types.KindByte:
		spreadInts(vector.Values[int8](v), valid, dense)
	case types.KindShort:
		spreadInts(vector.Values[int16](v), valid, dense)
	case types.KindInteger, types.KindDate, types.KindYearMonth:
		spreadInts(vector.Values[int32](v), valid, dense)
	case types.KindFloat:
		spread(vector.Values[float32](v), valid, func(k int) float32 { return float32(dense[k]) })
	case types.KindDouble:
		spread(vector.Values[float64](v), valid, func(k int) float64 { return float64(dense[k]) })
	default:
		spreadInts(vector.Values[int64](v), valid, dense)
	}
	if r.fit != nil {
		r.refuse(v, valid, dense)
	}
	return nil
}

// refuse makes the values null that the wanted type does not hold.
func (r *wholes) refuse(v *vector.Vector, valid vector.Bitmap, dense []int64) {
	k := 0
	for i := range v.Len {
		if valid != nil && !valid.Get(i) {
			continue
		}
		if d := dense[k]; d < r.fit[0] || d > r.fit[1] {
			drop(v, valid, i)
		}
		k++
	}
}

// drop makes row i null; valid, which v begins with, may be others' too and stays as it is.
func drop(v *vector.Vector, valid vector.Bitmap, i int) {
	if v.Valid == nil {
		v.Valid = vector.NewBitmap(v.Len)
	} else if valid != nil && &v.Valid[0] == &valid[0] {
		v.Valid = slices.Clone(valid)
	}
	v.Valid.Clear(i)
}

// floats reads float and double.
type floats struct {
	base
	in *stream
}

func (r *floats) begin(s *stripe) error {
	r.in = s.need(r.col, data)
	return r.base.begin(s)
}

func (r *floats) seek(entry func(uint64) (*positions, error)) error {
	p, err := r.places(entry)
	if err != nil {
		return err
	}
	return r.in.seek(p)
}

func (r *floats) read(v *vector.Vector, n int, outer vector.Bitmap) error {
	valid, m, err := r.rows(n, outer)
	if err != nil {
		return err
	}
	v.Reset(r.typ, n)
	v.Valid = valid
	width := 8
	if r.col.Kind == Float {
		width = 4
	}
	b, err := r.in.take(m * width)
	if err != nil {
		return err
	}
	switch {
	case valid == nil && width == vector.Width(r.typ):
		copy(v.Data, b)
	case width == 4 && r.typ.Kind == types.KindFloat:
		spread(vector.Values[uint32](v), valid, func(k int) uint32 { return binary.LittleEndian.Uint32(b[4*k:]) })
	case width == 4:
		spread(vector.Values[float64](v), valid, func(k int) float64 { return float64(math.Float32frombits(binary.LittleEndian.Uint32(b[4*k:]))) })
	case r.typ.Kind == types.KindFloat:
		spread(vector.Values[float32](v), valid, func(k int) float32 { return float32(math.Float64frombits(binary.LittleEndian.Uint64(b[8*k:]))) })
	default:
		spread(vector.Values[uint64](v), valid, func(k int) uint64 { return binary.LittleEndian.Uint64(b[8*k:]) })
	}
	return nil
}

// builder makes readers.
type builder struct {
	file    *File
	options *ReadOptions
}

func (b *builder) mismatch(c *Column, want *types.Type) error {
	return errs.Unsupportedf("Reading the ORC type %s as %s is not supported (%s).", c.Kind, want.SQL(), b.file.Path)
}

var fits = map[types.Kind]*[2]int64{types.KindByte: {math.MinInt8, math.MaxInt8}, types.KindShort: {math.MinInt16, math.MaxInt16}, types.KindInteger: {math.MinInt32, math.MaxInt32}}

// reader makes the reader of a column as the wanted type. Below arrays and maps texts are plain.
func (b *builder) reader(c *Column, want *types.Type, plain bool) (reader, error) {
	if want.Kind == types.KindUDT {
		want = want.Elem
	}
	common := base{col: c, typ: want}
	switch c.Kind {
	case Boolean:
		if want.Kind == types.KindBoolean {
			return &wholes{base: common}, nil
		}
	case Byte, Short, Int, Long:
		return b.wholes(c, want)
	case Date:
		if want.Kind == types.KindDate {
			return &wholes{base: common, date: b.dates()}, nil
		}
	case Float, Double:
		if want.IsFloating() {
			return &floats{base: common}, nil
		}
	case String, Varchar, Char, Binary:
		if want.Kind == types.KindString && c.Kind != Binary || want.Kind == types.KindBinary {
			return &texts{base: common, plain: plain}, nil
		}
	case Decimal:
		if want.Kind == types.KindDecimal {
			return &decimals{base: common}, nil
		}
	case Timestamp, TimestampInstant:
		if want.Kind == types.KindTimestamp {
			return b.times(c, want)
		}
	case List, Map:
		if c.Kind == List && want.Kind == types.KindArray || c.Kind == Map && want.Kind == types.KindMap {
			return b.lists(c, want)
		}
	case Struct:
		if want.Kind == types.KindStruct {
			return b.fields(c, want, plain)
		}
	}
	return nil, b.mismatch(c, want)
}

func (b *builder) wholes(c *Column, want *types.Type) (reader, error) {
	r := &wholes{base: base{col: c, typ: want}}
	width := map[Kind]int{Byte: 1, Short: 2, Int: 4, Long: 8}[c.Kind]
	switch want.Kind {
	case types.KindTimestampNTZ:
		if c.Kind == Long {
			return r, nil
		}
	case types.KindByte, types.KindShort, types.KindInteger, types.KindLong, types.KindYearMonth, types.KindDayTime, types.KindTime:
		if width > vector.Width(want) {
			r.fit = fits[want.Kind]
		}
		return r, nil
	case types.KindFloat, types.KindDouble:
		return r, nil
	}
	return nil, b.mismatch(c, want)
}
