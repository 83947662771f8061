package vector

import "unsafe"

// Slice is rows [from, from+n) of v, sharing its memory (the validity bitmap is copied when it has to be shifted).
func Slice(v *Vector, from, n int) *Vector {
	if from == 0 && n == v.Len {
		return v
	}
	s := *v
	s.Len = n
	if v.Const {
		return &s
	}
	s.Valid = sliceBitmap(v.Valid, from, n)
	w := Width(v.Type)
	if v.Dict != nil {
		w = 4
	}
	switch {
	case w > 0:
		s.Data = v.Data[from*w : (from+n)*w : (from+n)*w]
	case v.Offsets != nil:
		s.Offsets = v.Offsets[from : from+n+1 : from+n+1]
	default:
		s.Children = make([]*Vector, len(v.Children))
		for i, c := range v.Children {
			s.Children[i] = Slice(c, from, n)
		}
	}
	return &s
}

func sliceBitmap(b Bitmap, from, n int) Bitmap {
	switch {
	case b == nil:
		return nil
	case from%64 == 0:
		return b[from/64 : (from+n+63)/64 : (from+n+63)/64]
	}
	s := make(Bitmap, (n+63)/64)
	copyBits(s, 0, b, from, n)
	return s
}

// SliceBatch is rows [from, from+n) of a batch without a selection, sharing its memory.
func SliceBatch(b *Batch, from, n int) *Batch {
	s := &Batch{Cols: make([]*Vector, len(b.Cols)), N: n}
	for i, c := range b.Cols {
		s.Cols[i] = Slice(c, from, n)
	}
	return s
}

// Fit gives back the memory that the buffers of v, which the caller owns, hold beyond an eighth of what they need.
func (v *Vector) Fit() {
	v.Data, v.Bytes = fitBytes(v.Data), fitBytes(v.Bytes)
	if cap(v.Offsets) > len(v.Offsets)+len(v.Offsets)/8+16 {
		v.Offsets = append(make([]int32, 0, len(v.Offsets)), v.Offsets...)
	}
	for _, c := range v.Children {
		c.Fit()
	}
}

// fitBytes copies a buffer to one of its own size; it stays aligned for values of eight bytes.
func fitBytes(b []byte) []byte {
	if cap(b) <= len(b)+len(b)/8+64 {
		return b
	}
	words := make([]uint64, (len(b)+7)/8)
	fresh := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), len(words)*8)[:len(b)]
	copy(fresh, b)
	return fresh
}
