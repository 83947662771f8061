package json

import (
	"math"
	"unsafe"

	"millrace/table/internal/scalar"
)

func (b *builder) float(s []byte) bool {
	switch string(s) {
	case "INF", "+INF":
		s = []byte("Infinity")
	case "-INF":
		s = []byte("-Infinity")
	}
	if b.slots.width == 4 {
		f, ok := scalar.Float(s, 32)
		return b.number(int64(math.Float32bits(float32(f))), ok)
	}
	f, ok := scalar.Float(s, 64)
	return b.number(int64(math.Float64bits(f)), ok)
}

// aligned returns data at an address that typed views may be taken of: what append allocates in one piece is aligned already.
func aligned(data []byte) []byte {
	if len(data) == 0 || uintptr(unsafe.Pointer(unsafe.SliceData(data)))&7 == 0 {
		return data
	}
	words := make([]uint64, (len(data)+7)/8)
	out := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), len(data))
	copy(out, data)
	return out
}
