package expr

import (
	"math"
	"strconv"

	"millrace/vector"
)

func init() {
	Register("hex", Func{Strict: true, Pure: true, Build: func(*Call) (Kernel, error) { return hexKernel, nil }})
	Register("unhex", Func{Strict: true, Pure: true, Build: func(*Call) (Kernel, error) { return unhex, nil }})
	Register("bin", Func{Strict: true, Pure: true, Build: func(*Call) (Kernel, error) { return binKernel, nil }})
	Register("conv", Func{Strict: true, Pure: true, Build: func(c *Call) (Kernel, error) { return conv(c), nil }})
}

const upperHex = "0123456789ABCDEF"

func hexKernel(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
	v, w := args[0], NewStringWriter(out, n)
	Rows(sel, n, func(i int) {
		buf := w.Buffer()
		if v.Type.IsStringLike() {
			for _, b := range v.Str(i) {
				buf = append(buf, upperHex[b>>4], upperHex[b&15])
			}
		} else {
			x := uint64(intAt(v, v.Row(i)))
			digits := 1
			for y := x >> 4; y > 0; y >>= 4 {
				digits++
			}
			for d := digits - 1; d >= 0; d-- {
				buf = append(buf, upperHex[x>>(4*d)&15])
			}
		}
		w.Commit(i, buf)
	})
	w.Close()
	return nil
}

func binKernel(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
	v, w := args[0], NewStringWriter(out, n)
	Rows(sel, n, func(i int) { w.Commit(i, strconv.AppendUint(w.Buffer(), uint64(intAt(v, v.Row(i))), 2)) })
	w.Close()
	return nil
}

// digitValue is a digit's value in bases up to 36, or 255.
func digitValue(c byte) uint64 {
	switch {
	case c >= '0' && c <= '9':
		return uint64(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'z':
		return uint64(c|0x20-'a') + 10
	}
	return 255
}

// unhex is null for text that is not hexadecimal; an odd first digit is a byte of its own.
func unhex(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
	w := NewStringWriter(out, n)
	Rows(sel, n, func(i int) {
		s, buf := args[0].Str(i), w.Buffer()
		start := len(buf)
		var high uint64
		for k, c := range s {
			d := digitValue(c)
			if d > 15 {
				out.SetNull(i)
				buf = buf[:start]
				break
			}
			if (len(s)-k)%2 == 0 {
				high = d
			} else {
				buf = append(buf, byte(high<<4|d))
				high = 0
			}
		}
		w.Commit(i, buf)
	})
	w.Close()
	return nil
}

// conv writes a number of one base in another; a negative target base makes the result signed.
func conv(c *Call) Kernel {
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		w := NewStringWriter(out, n)
		err := RowsErr(sel, n, func(i int) error {
			from, to := intAt(args[1], args[1].Row(i)), intAt(args[2], args[2].Row(i))
			s := trimBlanks(args[0].Str(i))
			base := to
			if base < 0 {
				base = -base
			}
			if len(s) == 0 || from < 2 || from > 36 || base < 2 || base > 36 {
				out.SetNull(i)
				return nil
			}
			x, negative, over := readDigits(s, uint64(from))
			if over && c.Mode == modeANSI {
				return overflowError("Overflow in function conv()", "")
			}
			w.Commit(i, appendBase(w.Buffer(), x, negative, over, to))
			return nil
		})
		w.Close()
		return err
	}
}

func trimBlanks(s []byte) []byte {
	for len(s) > 0 && s[0] == ' ' {
		s = s[1:]
	}
	for len(s) > 0 && s[len(s)-1] == ' ' {
		s = s[:len(s)-1]
	}
	return s
}

// readDigits reads digits up to the first that is none; over tells that 64 bits did not suffice.
func readDigits(s []byte, base uint64) (x uint64, negative, over bool) {
	if negative = s[0] == '-'; negative {
		s = s[1:]
	}
	for _, c := range s {
		d := digitValue(c)
		if d >= base {
			break
		}
		if x > (math.MaxUint64-d)/base {
			return math.MaxUint64, negative, true
		}
		x = x*base + d
	}
	return x, negative, false
}

func appendBase(dst []byte, x uint64, negative, over bool, to int64) []byte {
	if negative && to > 0 {
		if int64(x) < 0 {
			x = math.MaxUint64
		} else {
			x = -x
		}
	}
	if to < 0 {
		if !negative && int64(x) < 0 {
			x, negative = -x, true
		}
		to = -to
		if negative && x != 0 {
			dst = append(dst, '-')
		}
	}
	start := len(dst)
	dst = strconv.AppendUint(dst, x, int(to))
	for i, c := range dst[start:] {
		if c >= 'a' {
			dst[start+i] = c - 'a' + 'A'
		}
	}
	return dst
}
