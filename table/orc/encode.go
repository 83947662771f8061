package orc

import (
	"encoding/binary"
	"math/bits"

	"google.golang.org/protobuf/encoding/protowire"
)

// Lengths of runs, by the format.
const (
	minRun      = 3 // of equal values
	shortRun    = 10
	maxByteRun  = 130
	maxLiterals = 128
)

// ints appends numbers in the run-length encoding of version 2. Runs never go on behind a call, so that a row group may begin after each.
func (s *outStream) ints(values []int64, signed bool) {
	for len(values) > 0 {
		if n := steady(values); n >= minRun {
			s.run(values[:n], signed)
			values = values[n:]
			continue
		}
		n := 1
		for n < min(len(values), maxRun) && steady(values[n:]) < shortRun {
			n++
		}
		s.literals(values[:n], signed)
		values = values[n:]
	}
}

// steady is how many of the first values have the same step; 1 if a run of them saves nothing.
func steady(values []int64) int {
	if len(values) < minRun || steps(values[1], values[0]) || values[2]-values[1] != values[1]-values[0] {
		return 1
	}
	step, n := values[1]-values[0], 2
	for n < min(len(values), maxRun) && values[n]-values[n-1] == step && !steps(values[n], values[n-1]) {
		n++
	}
	return n
}

// steps reports whether the difference of two numbers has more than 64 bits.
func steps(b, a int64) bool { d := b - a; return (b >= a) != (d >= 0) }

func (s *outStream) number(v int64, signed bool) {
	u := uint64(v)
	if signed {
		u = protowire.EncodeZigZag(v)
	}
	s.uvarint(u)
}

// run writes values of the same step.
func (s *outStream) run(values []int64, signed bool) {
	n := len(values)
	if values[1] == values[0] && n <= shortRun {
		u := uint64(values[0])
		if signed {
			u = protowire.EncodeZigZag(values[0])
		}
		width := max(1, (bits.Len64(u)+7)/8)
		s.append(byte((width-1)<<3 | (n - minRun)))
		for i := width - 1; i >= 0; i-- {
			s.append(byte(u >> (8 * i)))
		}
		return
	}
	s.append(3<<6|byte((n-1)>>8), byte(n-1))
	s.number(values[0], signed)
	s.number(values[1]-values[0], true)
}

// literals writes any values: as their steps where they go one way and that is shorter, else packed.
func (s *outStream) literals(values []int64, signed bool) {
	n := len(values)
	wide, all := uint64(0), uint64(0) // the bits of values and of steps
	up, down := true, true
	for i, v := range values {
		u := uint64(v)
		if signed {
			u = protowire.EncodeZigZag(v)
		}
		wide |= u
		if i == 0 {
			continue
		}
		step := v - values[i-1]
		if steps(v, values[i-1]) {
			up, down = false, false
		}
		up, down = up && step >= 0, down && step <= 0
		if i > 1 {
			all |= uint64(max(step, -step))
		}
	}
	code, stepCode := widthCode(bits.Len64(wide)), max(1, widthCode(bits.Len64(all)))
	if n > 2 && (up || down && values[1] < values[0]) && widths[stepCode] < widths[code] {
		s.append(3<<6|byte(stepCode)<<1|byte((n-1)>>8), byte(n-1))
		s.number(values[0], signed)
		s.number(values[1]-values[0], true)
		s.pack(n-2, widths[stepCode], func(i int) uint64 {
			step := values[i+2] - values[i+1]
			return uint64(max(step, -step))
		})
		return
	}
	s.append(1<<6|byte(code)<<1|byte((n-1)>>8), byte(n-1))
	s.pack(n, widths[code], func(i int) uint64 {
		if signed {
			return protowire.EncodeZigZag(values[i])
		}
		return uint64(values[i])
	})
}

// widthCode is the place, among the widths, of the least one with so many bits.
func widthCode(n int) int {
	for code, w := range widths {
		if w >= n {
			return code
		}
	}
	return len(widths) - 1
}

// pack writes n numbers of a width, the first bit first.
func (s *outStream) pack(n, width int, number func(int) uint64) {
	var hold byte
	free := 8
	for i := range n {
		v := number(i)
		for left := width; left > 0; {
			k := min(left, free)
			left, free = left-k, free-k
			hold |= byte(v>>left&(1<<k-1)) << free
			if free == 0 {
				s.append(hold)
				hold, free = 0, 8
			}
		}
	}
	if free < 8 {
		s.append(hold)
	}
}

// bytes appends bytes in run-length encoding; as with ints runs end with the call.
func (s *outStream) bytes(b []byte) {
	equal := func(at int) int {
		n := 1
		for at+n < len(b) && n < maxByteRun && b[at+n] == b[at] {
			n++
		}
		return n
	}
	for i := 0; i < len(b); {
		if n := equal(i); n >= minRun {
			s.append(byte(n-minRun), b[i])
			i += n
			continue
		}
		start := i
		for i++; i < len(b) && i-start < maxLiterals && equal(i) < minRun; {
			i++
		}
		s.append(byte(start - i))
		s.append(b[start:i]...)
	}
}

// bitRuns writes bits, eight to a byte, in run-length encoding.
type bitRuns struct {
	to   *outStream
	full []byte
	last byte
	n    int // bits of last
}

func (w *bitRuns) add(bit bool) {
	if bit {
		w.last |= 0x80 >> w.n
	}
	if w.n++; w.n == 8 {
		w.full, w.last, w.n = append(w.full, w.last), 0, 0
	}
}

// position appends where the next bit will be: of its byte, no values into its run, so many bits into it.
func (w *bitRuns) position(list []uint64) []uint64 {
	w.to.bytes(w.full)
	w.full = w.full[:0]
	return append(w.to.position(list), 0, uint64(w.n))
}

func (w *bitRuns) end() {
	if w.n > 0 {
		w.full = append(w.full, w.last)
	}
	w.to.bytes(w.full)
}

// fixed appends the low bytes of a number, the lowest first.
func (s *outStream) fixed(v uint64, width int) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], v)
	s.append(b[:width]...)
}
