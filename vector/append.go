package vector

import (
	"math"
	"strings"
	"sync"
	"unsafe"

	"millrace/types"
)

// NoRow in a list of row numbers stands for a row of null, as an outer join makes them.
const NoRow = math.MaxUint32

// Storage is the type whose layout a type has: itself, except for a UDT.
func Storage(t *types.Type) *types.Type {
	for t.Kind == types.KindUDT {
		t = t.Elem
	}
	return t
}

// ChildTypes are the types of a nested vector's Children: an array's element, a map's key and value, a struct's fields, a
// variant's value and metadata.
func ChildTypes(t *types.Type) []*types.Type {
	switch t = Storage(t); t.Kind {
	case types.KindArray:
		return []*types.Type{t.Elem}
	case types.KindMap:
		return []*types.Type{t.Key, t.Elem}
	case types.KindStruct:
		list := make([]*types.Type, len(t.Fields))
		for i, f := range t.Fields {
			list[i] = f.Type
		}
		return list
	case types.KindVariant:
		return []*types.Type{types.Binary, types.Binary}
	}
	return nil
}

// NewEmpty makes a plain vector of type t without rows, to be appended to.
func NewEmpty(t *types.Type) *Vector {
	v := &Vector{}
	v.Clear(t)
	return v
}

// Clear makes v an empty plain vector of type t that it owns, children too, reusing its memory.
func (v *Vector) Clear(t *types.Type) {
	v.Reset(t, 0)
	kids := ChildTypes(t)
	if len(v.Children) != len(kids) {
		v.Children = make([]*Vector, len(kids))
	}
	for i, k := range kids {
		if v.Children[i] == nil {
			v.Children[i] = &Vector{}
		}
		v.Children[i].Clear(k)
	}
}

// Append appends rows idx of src (nil: all of its rows) to v, which the caller owns and which has src's type. NoRow appends a
// null. An empty v takes over src's dictionary; afterwards it stays one as long as the dictionary is the same.
func (v *Vector) Append(src *Vector, idx []uint32) { v.append(src, idx, true) }

// AppendPlain is Append, except that v is never a dictionary vector.
func (v *Vector) AppendPlain(src *Vector, idx []uint32) { v.append(src, idx, false) }

// Gather makes v the rows idx of src; NoRow makes a null.
func (v *Vector) Gather(src *Vector, idx []uint32) {
	v.Clear(src.Type)
	v.Append(src, idx)
}

// Retain forgets the rows of v, which the caller owns, that are not among idx, which ascends. Most vectors keep their buffers.
func (v *Vector) Retain(idx []uint32) {
	n, w := len(idx), Width(v.Type)
	if n == 0 {
		*v = *NewEmpty(v.Type)
		return
	}
	if v.Dict != nil {
		w = 4
	}
	switch {
	case v.Const || len(v.Children) > 0 || w == 0 && v.Offsets == nil:
		kept := &Vector{}
		kept.Gather(v, idx)
		*v = *kept
		return
	case w > 0:
		src := *v
		v.Len = 0
		v.appendFixed(&src, idx, n, w)
	default:
		v.retainBytes(idx)
	}
	v.Len = n
	if v.Valid == nil {
		return
	}
	if gatherBits(v.Valid, 0, v.Valid, idx, false) {
		v.Valid = nil
	} else {
		v.Valid = v.Valid[:(n+63)/64]
	}
}

func (v *Vector) retainBytes(idx []uint32) {
	at := int32(0)
	for k, r := range idx {
		from, to := v.Offsets[r], v.Offsets[r+1]
		v.Offsets[k] = at
		at += int32(copy(v.Bytes[at:], v.Bytes[from:to]))
	}
	v.Offsets[len(idx)] = at
	v.Offsets, v.Bytes = v.Offsets[:len(idx)+1], v.Bytes[:at]
}

// Flatten decodes a dictionary vector in place.
func (v *Vector) Flatten() {
	if v.Dict == nil {
		return
	}
	plain := NewEmpty(v.Type)
	plain.AppendPlain(v, nil)
	*v = *plain
}

func (v *Vector) append(src *Vector, idx []uint32, keep bool) {
	if src.Const {
		v.appendConst(src, idx, keep)
		return
	}
	if src.Dict != v.Dict || !keep {
		switch {
		case keep && v.Len == 0 && src.Dict != nil:
			v.ResetDict(src.Dict, 0)
		case src.Dict != nil:
			v.Flatten()
			v.appendDecoded(src, idx)
			return
		default:
			v.Flatten()
		}
	}
	n := src.Len
	if idx != nil {
		n = len(idx)
	}
	if n == 0 {
		return
	}
	v.appendValid(src, idx, n)
	v.appendSlots(src, idx, n)
	v.Len += n
}

// appendConst appends the one value of src as often as idx or src.Len says.
func (v *Vector) appendConst(src *Vector, idx []uint32, keep bool) {
	n := src.Len
	if idx != nil {
		n = len(idx)
	}
	one := *src
	one.Const, one.Len = false, 1
	rows := borrowRows(n)
	clear(*rows)
	for i, r := range idx {
		if r == NoRow {
			(*rows)[i] = NoRow
		}
	}
	v.append(&one, *rows, keep)
	returnRows(rows)
}

// appendDecoded appends the dictionary entries that rows idx of src name.
func (v *Vector) appendDecoded(src *Vector, idx []uint32) {
	n := src.Len
	if idx != nil {
		n = len(idx)
	}
	rows, codes := borrowRows(n), Codes(src)
	for i := range *rows {
		r := uint32(i)
		if idx != nil {
			r = idx[i]
		}
		if r == NoRow || src.Valid != nil && !src.Valid.Get(int(r)) {
			(*rows)[i] = NoRow
		} else {
			(*rows)[i] = uint32(codes[r])
		}
	}
	v.append(src.Dict, *rows, false)
	returnRows(rows)
}

// appendValid extends the validity bitmap by the rows to come.
func (v *Vector) appendValid(src *Vector, idx []uint32, n int) {
	outer := idx != nil && hasNoRow(idx)
	if src.Valid == nil && v.Valid == nil && !outer {
		return
	}
	from, none := v.Len, v.Valid == nil
	v.Valid = growBitmap(v.Valid, from, from+n)
	switch {
	case idx == nil && src.Valid != nil:
		copyBits(v.Valid, from, src.Valid, 0, n)
	case src.Valid == nil && !outer:
		setBits(v.Valid, from, n)
	case gatherBits(v.Valid, from, src.Valid, idx, outer) && none:
		v.Valid = nil // the nulls are not among the rows
	}
}

// hasNoRow looks for NoRow, the largest number, along four chains that do not wait for each other.
func hasNoRow(idx []uint32) bool {
	var a, b, c, d uint32
	for ; len(idx) >= 4; idx = idx[4:] {
		a, b, c, d = max(a, idx[0]), max(b, idx[1]), max(c, idx[2]), max(d, idx[3])
	}
	for _, r := range idx {
		a = max(a, r)
	}
	return max(a, b, c, d) == NoRow
}

func (v *Vector) appendSlots(src *Vector, idx []uint32, n int) {
	w := Width(src.Type)
	if src.Dict != nil {
		w = 4
	}
	switch {
	case w > 0:
		v.appendFixed(src, idx, n, w)
	case src.Offsets != nil && len(v.Children) == 0:
		v.appendBytes(src, idx, n)
	case src.Offsets != nil:
		v.appendLists(src, idx, n)
	default:
		for i, c := range src.Children {
			if idx == nil {
				c = Slice(c, 0, n)
			}
			v.Children[i].Append(c, idx)
		}
		for _, c := range v.Children[len(src.Children):] { // a struct of nulls may have been made without children
			c.AppendNulls(n)
		}
	}
}

func (v *Vector) appendFixed(src *Vector, idx []uint32, n, w int) {
	from := v.Len * w
	v.Data = extend(v.Data[:from], n*w)
	dst := v.Data[from:]
	if idx == nil {
		copy(dst, src.Data[:n*w])
		return
	}
	switch w {
	case 1:
		gather(dst, src.Data, idx)
	case 2:
		gather(view[uint16](dst), view[uint16](src.Data), idx)
	case 4:
		gather(view[uint32](dst), view[uint32](src.Data), idx)
	case 8:
		gather(view[uint64](dst), view[uint64](src.Data), idx)
	default:
		gather(view[[2]uint64](dst), view[[2]uint64](src.Data), idx)
	}
}

func gather[T any](dst, src []T, idx []uint32) {
	var zero T
	dst = dst[:len(idx)]
	for k, r := range idx {
		if uint(r) < uint(len(src)) { // false for NoRow
			dst[k] = src[r]
		} else {
			dst[k] = zero
		}
	}
}

func (v *Vector) appendBytes(src *Vector, idx []uint32, n int) {
	start := len(v.Bytes)
	if idx == nil {
		first, last := src.Offsets[0], src.Offsets[n]
		v.Bytes = append(v.Bytes, src.Bytes[first:last]...)
		v.shiftOffsets(src.Offsets[:n+1], start)
		return
	}
	end := v.gatherOffsets(src, idx, start)
	v.Bytes = extend(v.Bytes, end-start)
	at, bytes := start, v.Bytes
	for _, r := range idx {
		if r != NoRow {
			at += copy(bytes[at:], src.Bytes[src.Offsets[r]:src.Offsets[r+1]])
		}
	}
}

// shiftOffsets appends the ends of contiguous ranges that now begin at start.
func (v *Vector) shiftOffsets(offsets []int32, start int) {
	checkOffset(start + int(offsets[len(offsets)-1]-offsets[0]))
	n, delta := len(offsets)-1, int32(start)-offsets[0]
	v.Offsets = extendInt32(v.Offsets[:v.Len+1], n)
	dst := v.Offsets[v.Len+1:]
	for i, o := range offsets[1:] {
		dst[i] = o + delta
	}
}

// gatherOffsets appends the ends of the ranges of rows idx laid one after another from start, and returns the last end.
func (v *Vector) gatherOffsets(src *Vector, idx []uint32, start int) int {
	v.Offsets = extendInt32(v.Offsets[:v.Len+1], len(idx))
	dst, at := v.Offsets[v.Len+1:][:len(idx)], start
	for k, r := range idx {
		if r != NoRow {
			at += int(src.Offsets[r+1] - src.Offsets[r])
		}
		dst[k] = int32(at)
	}
	checkOffset(at)
	return at
}

func checkOffset(n int) {
	if n > math.MaxInt32 {
		panic("vector: a column of strings, arrays or maps outgrew 2 GiB; its owner must start a new batch before")
	}
}

func (v *Vector) appendLists(src *Vector, idx []uint32, n int) {
	start := v.Children[0].Len
	if idx == nil {
		first, last := int(src.Offsets[0]), int(src.Offsets[n])
		v.shiftOffsets(src.Offsets[:n+1], start)
		for i, c := range src.Children {
			v.Children[i].Append(Slice(c, first, last-first), nil)
		}
		return
	}
	total := v.gatherOffsets(src, idx, start) - start
	rows := borrowRows(total)
	at := 0
	for _, r := range idx {
		if r == NoRow {
			continue
		}
		for e := src.Offsets[r]; e < src.Offsets[r+1]; e++ {
			(*rows)[at] = uint32(e)
			at++
		}
	}
	for i, c := range src.Children {
		v.Children[i].Append(c, *rows)
	}
	returnRows(rows)
}

// AppendNulls appends n nulls to a vector that the caller owns.
func (v *Vector) AppendNulls(n int) {
	rows := borrowRows(n)
	for i := range *rows {
		(*rows)[i] = NoRow
	}
	src := &Vector{Type: v.Type, Dict: v.Dict, Len: 1}
	if v.Offsets != nil {
		src.Offsets = []int32{0, 0}
	}
	for _, c := range v.Children {
		src.Children = append(src.Children, NewNull(c.Type, 1))
	}
	v.Append(src, *rows)
	returnRows(rows)
}

var rowPool = sync.Pool{New: func() any { return new([]uint32) }}

func borrowRows(n int) *[]uint32 {
	p := rowPool.Get().(*[]uint32)
	if cap(*p) <= n { // never nil, which would mean all rows
		*p = make([]uint32, n+n/4+1)
	}
	*p = (*p)[:n]
	return p
}

func returnRows(p *[]uint32) { rowPool.Put(p) }

// extend lengthens b by n bytes of any content, doubling its memory when it is full; it stays 8-byte aligned.
func extend(b []byte, n int) []byte {
	need := len(b) + n
	if need <= cap(b) {
		return b[:need]
	}
	g := uncleared(max(need, 2*len(b)))[:need]
	copy(g, b)
	return g
}

// uncleared returns n bytes of any content, 8-byte aligned, for who writes all that he shows.
func uncleared(n int) []byte {
	if n < clearedBytes {
		words := make([]uint64, (n+15)/8)
		return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), len(words)*8)
	}
	var b strings.Builder // clears nothing, and nobody else sees its memory
	b.Grow(n)
	b.WriteByte(0)
	return unsafe.Slice(unsafe.StringData(b.String()), n)
}

// clearedBytes is up to how many bytes clearing costs nothing to speak of.
const clearedBytes = 4096

func extendInt32(b []int32, n int) []int32 {
	need := len(b) + n
	if need <= cap(b) {
		return b[:need]
	}
	g := make([]int32, need, max(need, 2*len(b)))
	copy(g, b)
	return g
}
