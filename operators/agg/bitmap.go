package agg

import (
	"strconv"

	"millrace/errs"
	"millrace/types"
	"millrace/vector"
)

func init() {
	for _, name := range []string{"bitmap_construct_agg", "bitmap_or_agg", "bitmap_and_agg"} {
		register(builder{one(types.Binary), func(c *Call) (Function, error) { return &bitmaps{name: c.Name}, nil }}, name)
	}
}

// bitmapBytes is the length of a bitmap: 32,768 bits.
const bitmapBytes = 4096

// bitmaps sets bits, or combines bitmaps by OR or AND.
type bitmaps struct {
	name string
	bits []byte // bitmapBytes a group
	n    int
}

func (f *bitmaps) TakesNulls() bool { return false }
func (f *bitmaps) MemSize() int64   { return int64(cap(f.bits)) }
func (f *bitmaps) Reset()           { f.bits, f.n = f.bits[:0], 0 }

func (f *bitmaps) Resize(n int) {
	f.bits = resize(f.bits, n*bitmapBytes)
	if f.name == "bitmap_and_agg" {
		for i := f.n * bitmapBytes; i < n*bitmapBytes; i++ {
			f.bits[i] = 0xff
		}
	}
	f.n = n
}

func (f *bitmaps) of(g uint32) []byte { return f.bits[int(g)*bitmapBytes:][:bitmapBytes] }

func (f *bitmaps) Update(in *Input) error {
	if f.name != "bitmap_construct_agg" {
		f.combine(in)
		return nil
	}
	for k, at := range vector.Values[int64](in.Args[0])[:in.N] {
		if at < 0 || at >= 8*bitmapBytes {
			return errs.New("INVALID_BITMAP_POSITION", "bitPosition", strconv.FormatInt(at, 10), "bitmapNumBytes", strconv.Itoa(bitmapBytes),
				"bitmapNumBits", strconv.Itoa(8*bitmapBytes))
		}
		f.of(in.group(k))[at/8] |= 1 << (at % 8)
	}
	return nil
}

func (f *bitmaps) combine(in *Input) {
	for k := range in.N {
		own, other := f.of(in.group(k)), in.Args[0].Str(k)
		for i := range min(len(own), len(other)) {
			if f.name == "bitmap_and_agg" {
				own[i] &= other[i]
			} else {
				own[i] |= other[i]
			}
		}
		if f.name == "bitmap_and_agg" {
			for i := len(other); i < len(own); i++ {
				own[i] = 0
			}
		}
	}
}

func (f *bitmaps) Merge(in *Input) error {
	f.combine(in)
	return nil
}

func (f *bitmaps) States(out []*vector.Vector, from, n int) { _ = f.Result(out[0], from, n) }

func (f *bitmaps) Result(out *vector.Vector, from, n int) error {
	v := &vector.Vector{}
	v.Reset(types.Binary, n)
	for i := range n {
		v.AppendStr(i, f.of(uint32(from+i)))
	}
	out.Append(v, nil)
	return nil
}
