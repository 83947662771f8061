package orc

import (
	"bytes"
	"math"
	"unicode/utf8"

	"millrace/vector"
)

// texts reads strings and binaries, with and without dictionaries.
type texts struct {
	base
	plain   bool // dictionaries are not handed on
	data    *stream
	lengths *ints // of each value, without a dictionary
	codes   *ints // nil without a dictionary
	dict    *vector.Vector
}

func (r *texts) begin(s *stripe) error {
	if err := r.base.begin(s); err != nil {
		return err
	}
	e, err := s.encoding(r.col)
	if err != nil {
		return err
	}
	lengths := newInts(s.need(r.col, length), e.version2(), false)
	r.data, r.lengths, r.codes, r.dict = nil, nil, nil, nil
	if e.kind == direct || e.kind == directV2 {
		r.data, r.lengths = s.need(r.col, data), lengths
		return nil
	}
	r.codes = newInts(s.need(r.col, data), e.version2(), false)
	return r.dictionary(s.need(r.col, dictionaryData), lengths, e.size)
}

// dictionary reads a stripe's dictionary. Its size is a promise that the streams must keep.
func (r *texts) dictionary(in *stream, lengths *ints, size uint64) error {
	d := &vector.Vector{Type: r.typ, Offsets: []int32{0}}
	var piece [maxRun]int64
	for size > 0 {
		n := min(size, maxRun)
		if err := lengths.read(piece[:n]); err != nil {
			return err
		}
		for _, k := range piece[:n] {
			if k < 0 || k > math.MaxInt32-int64(len(d.Bytes)) {
				return corrupt("a dictionary is too long")
			}
			var err error
			if d.Bytes, err = in.appendTo(d.Bytes, int(k)); err != nil {
				return err
			}
			d.Bytes = d.Bytes[:int(d.Offsets[d.Len])+r.kept(d.Bytes[d.Offsets[d.Len]:])]
			d.Offsets = append(d.Offsets, int32(len(d.Bytes)))
			d.Len++
		}
		size -= n
	}
	if d.Len == 0 { // for the codes of nulls
		d.Offsets, d.Len = append(d.Offsets, 0), 1
	}
	r.dict = d
	return nil
}

// kept is how much of a value a column of a fixed length keeps: char and varchar are cut, and char loses the spaces at its end.
func (r *texts) kept(b []byte) int {
	limit := int(min(r.col.info.length, math.MaxInt32))
	if r.col.Kind != Char && r.col.Kind != Varchar || limit == 0 {
		return len(b)
	}
	if len(b) > limit {
		at := 0
		for ; limit > 0 && at < len(b); limit-- {
			_, w := utf8.DecodeRune(b[at:])
			at += w
		}
		b = b[:at]
	}
	if r.col.Kind == Char {
		b = bytes.TrimRight(b, " ")
	}
	return len(b)
}

func (r *texts) seek(entry func(uint64) (*positions, error)) error {
	p, err := r.places(entry)
	if err != nil {
		return err
	}
	if r.codes != nil {
		return r.codes.seek(p)
	}
	if err := r.data.seek(p); err != nil {
		return err
	}
	return r.lengths.seek(p)
}

func (r *texts) read(v *vector.Vector, n int, outer vector.Bitmap) error {
	valid, m, err := r.rows(n, outer)
	if err != nil {
		return err
	}
	dense := r.dense(m)
	if r.codes != nil {
		return r.readCodes(v, n, valid, dense)
	}
	if err := r.lengths.read(dense); err != nil {
		return err
	}
	v.Reset(r.typ, n)
	v.Valid = valid
	cut := r.col.Kind == Char || r.col.Kind == Varchar
	total, k := int64(0), 0
	for i := range n {
		if valid == nil || valid.Get(i) {
			if total += dense[k]; dense[k] < 0 || total > math.MaxInt32 {
				return corrupt("a batch has texts of more than 2 GiB")
			}
			if cut {
				if v.Bytes, err = r.data.appendTo(v.Bytes, int(dense[k])); err != nil {
					return err
				}
				v.Bytes = v.Bytes[:int(v.Offsets[i])+r.kept(v.Bytes[v.Offsets[i]:])]
				total = int64(len(v.Bytes))
			}
			k++
		}
		v.Offsets[i+1] = int32(total)
	}
	if !cut {
		v.Bytes, err = r.data.appendTo(v.Bytes, int(total))
	}
	return err
}

func (r *texts) readCodes(v *vector.Vector, n int, valid vector.Bitmap, dense []int64) error {
	if err := r.codes.read(dense); err != nil {
		return err
	}
	for _, c := range dense {
		if uint64(c) >= uint64(r.dict.Len) {
			return corrupt("a dictionary of %d values has no value %d", r.dict.Len, c)
		}
	}
	if !r.plain {
		v.ResetDict(r.dict, n)
		v.Valid = valid
		spreadInts(vector.Codes(v), valid, dense)
		return nil
	}
	v.Reset(r.typ, n)
	v.Valid = valid
	k := 0
	for i := range n {
		if valid == nil || valid.Get(i) {
			if len(v.Bytes) > math.MaxInt32-1<<24 {
				return corrupt("a batch has texts of more than 2 GiB")
			}
			v.Bytes = append(v.Bytes, r.dict.Str(int(dense[k]))...)
			k++
		}
		v.Offsets[i+1] = int32(len(v.Bytes))
	}
	return nil
}
