package expr

import (
	"bytes"
	"math"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"

	"millrace/types"
)

func init() {
	registerText(map[string]toText{
		"upper": upper, "lower": lower, "initcap": initcap,
		"trim": trimmer(true, true), "ltrim": trimmer(true, false), "rtrim": trimmer(false, true), "btrim": btrim,
		"substring_index": substringIndex, "translate": translate, "repeat": repeat, "space": space,
		"replace": replaceText, "overlay": overlay, "left": left, "right": right, "split_part": splitPart,
	})
	registerFixed(map[string]func(in *inputs, i int) (int32, error){
		"octet_length": func(in *inputs, i int) (int32, error) { return int32(len(in.str(0, i))), nil },
		"bit_length":   func(in *inputs, i int) (int32, error) { return int32(8 * len(in.str(0, i))), nil },
		"instr":        instr, "locate": locate, "find_in_set": findInSet,
	})
	registerFixed(map[string]func(in *inputs, i int) (bool, error){
		"startswith": func(in *inputs, i int) (bool, error) { return bytes.HasPrefix(in.str(0, i), in.str(1, i)), nil },
		"endswith":   func(in *inputs, i int) (bool, error) { return bytes.HasSuffix(in.str(0, i), in.str(1, i)), nil },
		"contains":   func(in *inputs, i int) (bool, error) { return bytes.Contains(in.str(0, i), in.str(1, i)), nil },
	})
	Register("length", Func{Strict: true, Pure: true, Build: buildLength})
	Register("substring", Func{Strict: true, Pure: true, Build: buildSubstring})
	Register("lpad", Func{Strict: true, Pure: true, Build: buildPad})
	Register("rpad", Func{Strict: true, Pure: true, Build: buildPad})
	Register("reverse", Func{Strict: true, Pure: true, Build: buildReverse})
}

func isASCII(s []byte) bool {
	for _, c := range s {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// charCount is the number of characters: of bytes that do not continue one.
func charCount(s []byte) int {
	n := 0
	for _, c := range s {
		n += b2i(c&0xC0 != 0x80)
	}
	return n
}

// charOffset is where character n begins, or the end; n is not negative.
func charOffset(s []byte, n int) int {
	if n >= len(s) {
		return len(s)
	}
	for i, c := range s {
		if c&0xC0 != 0x80 {
			if n == 0 {
				return i
			}
			n--
		}
	}
	return len(s)
}

func buildLength(c *Call) (Kernel, error) {
	if c.Args[0].Kind == types.KindBinary {
		return fixedKernel(func(in *inputs, i int) (int32, error) { return int32(len(in.str(0, i))), nil }), nil
	}
	return fixedKernel(func(in *inputs, i int) (int32, error) { return int32(charCount(in.str(0, i))), nil }), nil
}

func upper(in *inputs, i int, dst []byte) ([]byte, error) { return appendUpper(dst, in.str(0, i)), nil }
func lower(in *inputs, i int, dst []byte) ([]byte, error) { return appendLower(dst, in.str(0, i)), nil }

func appendUpper(dst, s []byte) []byte {
	if !isASCII(s) {
		return append(dst, cases.Upper(language.Und).Bytes(s)...)
	}
	for _, c := range s {
		if c-'a' < 26 {
			c -= 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst
}

func appendLower(dst, s []byte) []byte {
	if !isASCII(s) {
		return append(dst, cases.Lower(language.Und).Bytes(s)...)
	}
	for _, c := range s {
		if c-'A' < 26 {
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst
}

// initcap makes the first letter of each word large and all others small; words are parted by spaces alone.
func initcap(in *inputs, i int, dst []byte) ([]byte, error) {
	start := len(dst)
	dst = appendLower(dst, in.str(0, i))
	if isASCII(dst[start:]) {
		for k := start; k < len(dst); k++ {
			if (k == start || dst[k-1] == ' ') && dst[k]-'a' < 26 {
				dst[k] -= 'a' - 'A'
			}
		}
		return dst, nil
	}
	low := append([]byte(nil), dst[start:]...)
	dst = dst[:start]
	k := 0
	for _, r := range string(in.str(0, i)) {
		_, size := utf8.DecodeRune(low[k:])
		if r == 'İ' {
			size = len(dottedSmallI)
		}
		switch starts := k == 0 || low[k-1] == ' '; {
		case starts && r == 'İ':
			dst = append(dst, "İ"...)
		case starts:
			dst = append(dst, cases.Title(language.Und, cases.NoLower).Bytes(low[k:k+size])...)
		default:
			dst = append(dst, low[k:k+size]...)
		}
		k += size
	}
	return dst, nil
}

// dottedSmallI is İ in lower case: two characters, where any other one becomes one.
const dottedSmallI = "i\u0307"

// trimmer is trim(text) of spaces, and trim(chars, text) of any of chars, at one end or both.
func trimmer(start, end bool) toText {
	return func(in *inputs, i int, dst []byte) ([]byte, error) {
		if len(in.vec) == 1 {
			return append(dst, trimSpaces(in.str(0, i), start, end)...), nil
		}
		return append(dst, trimAny(in.str(1, i), in.str(0, i), start, end)...), nil
	}
}

func btrim(in *inputs, i int, dst []byte) ([]byte, error) {
	if len(in.vec) == 1 {
		return append(dst, trimSpaces(in.str(0, i), true, true)...), nil
	}
	return append(dst, trimAny(in.str(0, i), in.str(1, i), true, true)...), nil
}

func trimSpaces(s []byte, start, end bool) []byte {
	for start && len(s) > 0 && s[0] == ' ' {
		s = s[1:]
	}
	for end && len(s) > 0 && s[len(s)-1] == ' ' {
		s = s[:len(s)-1]
	}
	return s
}

func trimAny(s, chars []byte, start, end bool) []byte {
	for start && len(s) > 0 {
		_, n := utf8.DecodeRune(s)
		if !bytes.Contains(chars, s[:n]) {
			break
		}
		s = s[n:]
	}
	for end && len(s) > 0 {
		_, n := utf8.DecodeLastRune(s)
		if !bytes.Contains(chars, s[len(s)-n:]) {
			break
		}
		s = s[:len(s)-n]
	}
	return s
}

// bounds is SQL's substring(pos, length) as a range of units of a text that has count of them (asked only for a position from the
// end). Positions count from 1, 0 is taken as 1, negative ones count from the end.
func bounds(pos, length int64, count func() int) (from, to int64) {
	switch {
	case pos > 0:
		from = pos - 1
	case pos < 0:
		from = int64(count()) + pos
	}
	to = from + length
	return max(from, 0), max(to, 0)
}

func buildSubstring(c *Call) (Kernel, error) {
	length := func(in *inputs, i int) int64 { return math.MaxInt32 }
	if len(c.Args) == 3 {
		length = func(in *inputs, i int) int64 { return in.num(2, i) }
	}
	part := substringChars
	if c.Args[0].Kind == types.KindBinary {
		part = substringBytes
	}
	return textKernel(func(in *inputs, i int, dst []byte) ([]byte, error) {
		return append(dst, part(in.str(0, i), in.num(1, i), length(in, i))...), nil
	}), nil
}

func substringBytes(s []byte, pos, length int64) []byte {
	from, to := bounds(pos, length, func() int { return len(s) })
	to = min(to, int64(len(s)))
	if from >= to {
		return nil
	}
	return s[from:to]
}

func substringChars(s []byte, pos, length int64) []byte {
	from, to := bounds(pos, length, func() int { return charCount(s) })
	if from >= to || from >= int64(len(s)) {
		return nil
	}
	start := charOffset(s, int(from))
	return s[start : start+charOffset(s[start:], int(to-from))]
}

func left(in *inputs, i int, dst []byte) ([]byte, error) {
	s, n := in.str(0, i), in.num(1, i)
	if n <= 0 {
		return dst, nil
	}
	if in.vec[0].Type.Kind == types.KindBinary {
		return append(dst, substringBytes(s, 1, n)...), nil
	}
	return append(dst, s[:charOffset(s, int(n))]...), nil
}

func right(in *inputs, i int, dst []byte) ([]byte, error) {
	s, n := in.str(0, i), in.num(1, i)
	if n <= 0 {
		return dst, nil
	}
	if in.vec[0].Type.Kind == types.KindBinary {
		return append(dst, substringBytes(s, -n, math.MaxInt32)...), nil
	}
	return append(dst, s[charOffset(s, max(charCount(s)-int(n), 0)):]...), nil
}

// substringIndex is the text before the count-th delimiter, or after it when counted from the end.
func substringIndex(in *inputs, i int, dst []byte) ([]byte, error) {
	s, delim, count := in.str(0, i), in.str(1, i), in.num(2, i)
	if len(delim) == 0 || count == 0 {
		return dst, nil
	}
	if count > 0 {
		end := 0
		for ; count > 0; count-- {
			k := bytes.Index(s[end:], delim)
			if k < 0 {
				return append(dst, s...), nil
			}
			if count == 1 {
				return append(dst, s[:end+k]...), nil
			}
			end += k + 1
		}
	}
	end := len(s)
	for ; count < 0; count++ {
		k := bytes.LastIndex(s[:end], delim)
		if k < 0 {
			return append(dst, s...), nil
		}
		if count == -1 {
			return append(dst, s[k+len(delim):]...), nil
		}
		end = min(k+len(delim)-1, len(s))
	}
	return dst, nil
}

func replaceText(in *inputs, i int, dst []byte) ([]byte, error) {
	s, search := in.str(0, i), in.str(1, i)
	if len(search) == 0 {
		return append(dst, s...), nil
	}
	var by []byte
	if len(in.vec) > 2 {
		by = in.str(2, i)
	}
	for {
		k := bytes.Index(s, search)
		if k < 0 {
			return append(dst, s...), nil
		}
		dst = append(append(dst, s[:k]...), by...)
		s = s[k+len(search):]
	}
}

// translate replaces each character of from by the one at its place in to, or drops it where to is shorter.
func translate(in *inputs, i int, dst []byte) ([]byte, error) {
	return translateAs(in, i, dst, func(a, b rune) bool { return a == b }), nil
}

// translateAs is translate for characters that may be the same to a collation.
func translateAs(in *inputs, i int, dst []byte, same func(a, b rune) bool) []byte {
	from, to := []rune(string(in.str(1, i))), []rune(string(in.str(2, i)))
	for _, r := range string(in.str(0, i)) {
		k := 0
		for k < len(from) && !same(from[k], r) {
			k++
		}
		switch {
		case k == len(from):
			dst = utf8.AppendRune(dst, r)
		case k < len(to):
			dst = utf8.AppendRune(dst, to[k])
		}
	}
	return dst
}

// overlay puts a text in the place of length characters from pos on; of as many as it has if length is negative.
func overlay(in *inputs, i int, dst []byte) ([]byte, error) {
	s, by, pos, length := in.str(0, i), in.str(1, i), in.num(2, i), int64(-1)
	if len(in.vec) > 3 {
		length = in.num(3, i)
	}
	part, size := substringChars, charCount
	if in.vec[0].Type.Kind == types.KindBinary {
		part, size = substringBytes, func(b []byte) int { return len(b) }
	}
	if length < 0 {
		length = int64(size(by))
	}
	dst = append(dst, part(s, 1, pos-1)...)
	dst = append(dst, by...)
	return append(dst, part(s, pos+length, math.MaxInt32)...), nil
}

func buildReverse(c *Call) (Kernel, error) {
	if c.Args[0].Kind == types.KindArray {
		return reverseArrays, nil
	}
	return textKernel(func(in *inputs, i int, dst []byte) ([]byte, error) {
		for s := in.str(0, i); len(s) > 0; {
			_, n := utf8.DecodeLastRune(s)
			dst = append(dst, s[len(s)-n:]...)
			s = s[:len(s)-n]
		}
		return dst, nil
	}), nil
}

func repeat(in *inputs, i int, dst []byte) ([]byte, error) {
	s := in.str(0, i)
	for range max(in.num(1, i), 0) {
		dst = append(dst, s...)
	}
	return dst, nil
}

func space(in *inputs, i int, dst []byte) ([]byte, error) {
	for range max(in.num(0, i), 0) {
		dst = append(dst, ' ')
	}
	return dst, nil
}

// buildPad makes lpad and rpad; the padding of binaries is zero bytes unless given.
func buildPad(c *Call) (Kernel, error) {
	binary := c.Args[0].Kind == types.KindBinary
	size, cut, filler := charCount, charOffset, []byte(" ")
	if binary {
		size, cut, filler = func(b []byte) int { return len(b) }, func(b []byte, n int) int { return min(len(b), n) }, []byte{0}
	}
	onLeft := c.Name == "lpad"
	return textKernel(func(in *inputs, i int, dst []byte) ([]byte, error) {
		s, n, pad := in.str(0, i), int(max(in.num(1, i), 0)), filler
		if len(in.vec) > 2 {
			pad = in.str(2, i)
		}
		missing := n - size(s)
		if missing <= 0 || len(pad) == 0 {
			return append(dst, s[:cut(s, n)]...), nil
		}
		if !onLeft {
			dst = append(dst, s...)
		}
		for width := size(pad); missing > 0; missing -= width {
			dst = append(dst, pad[:cut(pad, missing)]...)
		}
		if onLeft {
			dst = append(dst, s...)
		}
		return dst, nil
	}), nil
}

// charIndex is the place of part in s, from 1, looking from character from (0 is the first) on; 0 if it is not there.
func charIndex(s, part []byte, from int) int32 {
	start := charOffset(s, from)
	if start == len(s) && from > 0 && len(part) > 0 {
		return 0
	}
	k := bytes.Index(s[start:], part)
	if k < 0 {
		return 0
	}
	return int32(charCount(s[:start+k])) + 1
}

func instr(in *inputs, i int) (int32, error) { return charIndex(in.str(0, i), in.str(1, i), 0), nil }

func locate(in *inputs, i int) (int32, error) {
	from := int64(1)
	if len(in.vec) > 2 {
		from = in.num(2, i)
	}
	if from < 1 {
		return 0, nil
	}
	return charIndex(in.str(1, i), in.str(0, i), int(from-1)), nil
}

// findInSet is the place of a text in a list with commas.
func findInSet(in *inputs, i int) (int32, error) {
	s, list := in.str(0, i), in.str(1, i)
	if bytes.IndexByte(s, ',') >= 0 {
		return 0, nil
	}
	for n := int32(1); ; n++ {
		item, rest, more := bytes.Cut(list, []byte{','})
		if bytes.Equal(item, s) {
			return n, nil
		}
		if !more {
			return 0, nil
		}
		list = rest
	}
}
