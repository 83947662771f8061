package orc

import (
	"encoding/binary"

	"google.golang.org/protobuf/encoding/protowire"

	"millrace/vector"
)

const maxRun = 512

// ints is a stream of numbers in run-length encoding.
type ints struct {
	in     *stream
	signed bool
	decode func(*ints) error // reads the next run
	run    [maxRun]int64
	n, at  int // values of the run, and how many of them are used up
}

func newInts(in *stream, v2, signed bool) *ints {
	r := &ints{in: in, signed: signed, decode: (*ints).runV1}
	if v2 {
		r.decode = (*ints).runV2
	}
	return r
}

// read fills dst with the next values.
func (r *ints) read(dst []int64) error {
	for len(dst) > 0 {
		if r.at == r.n {
			if err := r.decode(r); err != nil {
				return err
			}
			r.at = 0
		}
		k := copy(dst, r.run[r.at:r.n])
		dst = dst[k:]
		r.at += k
	}
	return nil
}

func (r *ints) seek(p *positions) error {
	if err := r.in.seek(p); err != nil {
		return err
	}
	skip, err := p.take()
	r.n, r.at = 0, 0
	for err == nil && skip > 0 { // a writer may break what it counts as a run in two
		if err = r.decode(r); err == nil {
			r.at = int(min(skip, uint64(r.n)))
			skip -= uint64(r.at)
		}
	}
	return err
}

func (r *ints) number() (int64, error) {
	u, err := r.in.uvarint()
	if r.signed {
		return protowire.DecodeZigZag(u), err
	}
	return int64(u), err
}

func (r *ints) runV1() error {
	head, err := r.in.byte()
	if err != nil {
		return err
	}
	if head < 0x80 {
		step, err := r.in.byte()
		if err != nil {
			return err
		}
		v, err := r.number()
		if err != nil {
			return err
		}
		r.n = int(head) + 3
		for i := range r.n {
			r.run[i] = v
			v += int64(int8(step))
		}
		return nil
	}
	r.n = 256 - int(head)
	for i := range r.n {
		if r.run[i], err = r.number(); err != nil {
			return err
		}
	}
	return nil
}

// widths are the bits that the five bits of a width mean.
var widths = [32]int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 26, 28, 30, 32, 40, 48, 56, 64}

// roundWidth is the least width of the table that has so many bits.
func roundWidth(bits int) int {
	for _, w := range widths {
		if w >= bits {
			return w
		}
	}
	return 64
}

func (r *ints) runV2() error {
	head, err := r.in.byte()
	if err != nil {
		return err
	}
	if head>>6 == 0 { // short repeat
		b, err := r.in.take(int(head>>3&7) + 1)
		if err != nil {
			return err
		}
		v := r.value(bigEndian(b))
		r.n = int(head&7) + 3
		for i := range r.n {
			r.run[i] = v
		}
		return nil
	}
	second, err := r.in.byte()
	if err != nil {
		return err
	}
	r.n = (int(head&1)<<8 | int(second)) + 1
	code := int(head >> 1 & 31)
	switch head >> 6 {
	case 1:
		if err := r.unpack(r.run[:r.n], widths[code]); err != nil {
			return err
		}
		if r.signed {
			for i, v := range r.run[:r.n] {
				r.run[i] = protowire.DecodeZigZag(uint64(v))
			}
		}
		return nil
	case 2:
		return r.patched(widths[code])
	}
	return r.delta(code)
}

func (r *ints) value(u uint64) int64 {
	if r.signed {
		return protowire.DecodeZigZag(u)
	}
	return int64(u)
}

func bigEndian(b []byte) (v uint64) {
	for _, x := range b {
		v = v<<8 | uint64(x)
	}
	return v
}

// patched reads values above a base, the greatest of which get their upper bits from a list of patches.
func (r *ints) patched(width int) error {
	head, err := r.in.take(2)
	if err != nil {
		return err
	}
	baseBytes, patchWidth := int(head[0]>>5)+1, widths[head[0]&31]
	gapWidth, patches := int(head[1]>>5)+1, int(head[1]&31)
	b, err := r.in.take(baseBytes)
	if err != nil {
		return err
	}
	u := bigEndian(b)
	sign := uint64(1) << (8*baseBytes - 1)
	base := int64(u &^ sign)
	if u&sign != 0 {
		base = -base
	}
	if err := r.unpack(r.run[:r.n], width); err != nil {
		return err
	}
	var list [32]int64
	if patchWidth+gapWidth > 64 {
		return corrupt("a patch has %d bits", patchWidth+gapWidth)
	}
	if err := r.unpack(list[:patches], roundWidth(patchWidth+gapWidth)); err != nil {
		return err
	}
	at := 0
	for _, p := range list[:patches] {
		at += int(uint64(p) >> patchWidth)
		patch := uint64(p) & (1<<patchWidth - 1)
		if patch == 0 {
			continue // a gap that is too long for one entry
		}
		if at >= r.n {
			return corrupt("a patch lies behind its run's end")
		}
		r.run[at] |= int64(patch << width)
	}
	for i := range r.n {
		r.run[i] += base
	}
	return nil
}

func (r *ints) delta(code int) error {
	v, err := r.number()
	if err != nil {
		return err
	}
	step, err := r.in.varint()
	if err != nil {
		return err
	}
	r.run[0] = v
	if code == 0 {
		for i := 1; i < r.n; i++ {
			v += step
			r.run[i] = v
		}
		return nil
	}
	if r.n < 2 {
		return nil
	}
	r.run[1] = v + step
	if err := r.unpack(r.run[2:r.n], widths[code]); err != nil {
		return err
	}
	v += step
	for i := 2; i < r.n; i++ {
		if step < 0 {
			v -= r.run[i]
		} else {
			v += r.run[i]
		}
		r.run[i] = v
	}
	return nil
}

// unpack reads numbers of a width, the first bit first.
func (r *ints) unpack(dst []int64, width int) error {
	b, err := r.in.take((len(dst)*width + 7) / 8)
	if err != nil {
		return err
	}
	switch width {
	case 8:
		for i := range dst {
			dst[i] = int64(b[i])
		}
		return nil
	case 16:
		for i := range dst {
			dst[i] = int64(binary.BigEndian.Uint16(b[2*i:]))
		}
		return nil
	case 64:
		for i := range dst {
			dst[i] = int64(binary.BigEndian.Uint64(b[8*i:]))
		}
		return nil
	}
	var bits uint64 // at most 56 + 7 of them count
	have, at := 0, 0
	mask := uint64(1)<<width - 1
	for i := range dst {
		for have < width {
			bits = bits<<8 | uint64(b[at])
			have, at = have+8, at+1
		}
		have -= width
		dst[i] = int64(bits >> have & mask)
	}
	return nil
}

// byteRuns is a stream of bytes in run-length encoding.
type byteRuns struct {
	in     *stream
	left   int // values of the run that are to come
	repeat bool
	value  byte
}

func (r *byteRuns) head() error {
	h, err := r.in.byte()
	if err != nil {
		return err
	}
	if r.repeat = h < 0x80; !r.repeat {
		r.left = 256 - int(h)
		return nil
	}
	r.left = int(h) + 3
	r.value, err = r.in.byte()
	return err
}

func (r *byteRuns) next() (byte, error) {
	if r.left == 0 {
		if err := r.head(); err != nil {
			return 0, err
		}
	}
	r.left--
	if r.repeat {
		return r.value, nil
	}
	return r.in.byte()
}

func (r *byteRuns) read(dst []int64) error {
	for i := range dst {
		b, err := r.next()
		if err != nil {
			return err
		}
		dst[i] = int64(int8(b))
	}
	return nil
}

func (r *byteRuns) seek(p *positions) error {
	if err := r.in.seek(p); err != nil {
		return err
	}
	skip, err := p.take()
	r.left = 0
	for ; skip > 0 && err == nil; skip-- {
		_, err = r.next()
		if skip > 1<<10 {
			return corrupt("a row group lies behind a run's end")
		}
	}
	return err
}

// bools is a stream of bits.
type bools struct {
	in   byteRuns
	bits byte
	left int
}

func (r *bools) next() (bool, error) {
	if r.left == 0 {
		b, err := r.in.next()
		if err != nil {
			return false, err
		}
		r.bits, r.left = b, 8
	}
	v := r.bits&0x80 != 0
	r.bits <<= 1
	r.left--
	return v, nil
}

func (r *bools) read(dst []int64) error {
	for i := range dst {
		v, err := r.next()
		if err != nil {
			return err
		}
		dst[i] = 0
		if v {
			dst[i] = 1
		}
	}
	return nil
}

// valid marks, among n rows of which those of outer exist, the rows that are not null.
func (r *bools) valid(dst vector.Bitmap, n int, outer vector.Bitmap) error {
	for i := 0; i < n; i++ {
		if outer != nil && !outer.Get(i) {
			continue
		}
		if outer == nil && r.left == 0 && r.in.left > 0 && r.in.repeat && r.in.value == 0xff && i%64 == 0 && n-i >= 64 && r.in.left >= 8 {
			dst[i/64] = ^uint64(0) // a stretch without nulls
			r.in.left -= 8
			i += 63
			continue
		}
		v, err := r.next()
		if err != nil {
			return err
		}
		if v {
			dst.Set(i)
		}
	}
	return nil
}

func (r *bools) seek(p *positions) error {
	if err := r.in.seek(p); err != nil {
		return err
	}
	skip, err := p.take()
	r.left = 0
	if skip > 8 {
		return corrupt("a row group lies behind a byte's end")
	}
	for ; skip > 0 && err == nil; skip-- {
		_, err = r.next()
	}
	return err
}
