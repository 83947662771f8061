package lines

import (
	"bytes"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"
	"golang.org/x/text/transform"

	"millrace/errs"
)

// encodings are those that Spark allows besides UTF-8. Written with its mark UTF-16 is big-endian, as Java has it.
var encodings = map[string]encoding.Encoding{
	"ISO-8859-1": charmap.ISO8859_1, "UTF-16": unicode.UTF16(unicode.BigEndian, unicode.UseBOM), "UTF-16BE": unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM),
	"UTF-16LE": unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), "UTF-32": utf32.UTF32(utf32.BigEndian, utf32.UseBOM),
}

// Charset is an encoding by its name, in the form that Source.Encoding wants: empty for UTF-8. It refuses what Spark refuses; where is the class of
// options that Spark names.
func Charset(name, where string) (string, error) {
	switch upper := strings.ToUpper(name); {
	case upper == "UTF-8":
		return "", nil
	case upper == "US-ASCII" || encodings[upper] != nil:
		return upper, nil
	}
	return "", errs.New("INVALID_PARAMETER_VALUE.CHARSET", "parameter", "`charset`", "functionName", "`"+where+"`", "charset", name,
		"charsets", "iso-8859-1, us-ascii, utf-16, utf-16be, utf-16le, utf-32, utf-8")
}

// Repaired is a text with U+FFFD in the place of bytes that are no UTF-8, as Java decodes it.
func Repaired(b []byte) []byte {
	out := make([]byte, 0, len(b)+16)
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r != utf8.RuneError || n > 1 {
			out = append(out, b[:n]...)
			b = b[n:]
			continue
		}
		out = utf8.AppendRune(out, utf8.RuneError)
		b = b[broken(b):]
	}
	return out
}

// broken is how many of the first bytes are the beginning of one character that does not end.
func broken(b []byte) int {
	n, low, high := 1, byte(0x80), byte(0xbf) // of the second byte
	switch c := b[0]; {
	case c >= 0xe0 && c <= 0xef:
		n = 2
		if c == 0xe0 {
			low = 0xa0
		} else if c == 0xed {
			high = 0x9f
		}
	case c >= 0xf0 && c <= 0xf4:
		n = 3
		if c == 0xf0 {
			low = 0x90
		} else if c == 0xf4 {
			high = 0x8f
		}
	}
	k := 1
	for ; k < n && k < len(b) && b[k] >= low && b[k] <= high; k++ {
		low, high = 0x80, 0xbf
	}
	return k
}

// Decode turns a text in an encoding into UTF-8.
func Decode(in io.Reader, name string) io.Reader {
	switch name {
	case "":
		return in
	case "US-ASCII":
		return transform.NewReader(in, ascii{})
	}
	return transform.NewReader(in, encodings[name].NewDecoder())
}

// Encode writes UTF-8 in an encoding; its Close leaves out open.
func Encode(out io.Writer, name string) io.WriteCloser {
	var t transform.Transformer
	switch name {
	case "US-ASCII":
		t = narrow{limit: 0x7f}
	case "ISO-8859-1":
		t = narrow{limit: 0xff}
	case "UTF-32": // without a mark
		t = utf32.UTF32(utf32.BigEndian, utf32.IgnoreBOM).NewEncoder()
	default:
		t = encodings[name].NewEncoder()
	}
	return transform.NewWriter(out, t)
}

// Detect finds out the encoding of a JSON text by its mark, or by where its first two characters have zeros.
func Detect(data []byte) string {
	zero := func(at ...int) bool {
		for i := range 4 {
			want := false
			for _, k := range at {
				want = want || k == i
			}
			if (data[i] == 0) != want {
				return false
			}
		}
		return true
	}
	switch {
	case bytes.HasPrefix(data, []byte{0, 0, 0xfe, 0xff}), bytes.HasPrefix(data, []byte{0xff, 0xfe, 0, 0}):
		return "UTF-32"
	case bytes.HasPrefix(data, []byte{0xfe, 0xff}), bytes.HasPrefix(data, []byte{0xff, 0xfe}):
		return "UTF-16"
	case len(data) < 4:
	case zero(0, 1, 2):
		return "UTF-32"
	case zero(0, 2), zero(0):
		return "UTF-16BE"
	case zero(1, 3), zero(1):
		return "UTF-16LE"
	}
	return ""
}

// ascii reads bytes beyond ASCII as U+FFFD.
type ascii struct{ transform.NopResetter }

func (ascii) Transform(dst, src []byte, _ bool) (n, read int, err error) {
	for ; read < len(src); read++ {
		r := rune(src[read])
		if r >= utf8.RuneSelf {
			r = utf8.RuneError
		}
		if n+utf8.RuneLen(r) > len(dst) {
			return n, read, transform.ErrShortDst
		}
		n += utf8.EncodeRune(dst[n:], r)
	}
	return n, read, nil
}

// narrow writes characters up to a limit as bytes, and question marks for all others.
type narrow struct {
	transform.NopResetter
	limit rune
}

func (t narrow) Transform(dst, src []byte, atEOF bool) (n, read int, err error) {
	for read < len(src) {
		if !utf8.FullRune(src[read:]) && !atEOF {
			return n, read, transform.ErrShortSrc
		}
		if n == len(dst) {
			return n, read, transform.ErrShortDst
		}
		r, size := utf8.DecodeRune(src[read:])
		if r > t.limit {
			r = '?'
		}
		dst[n] = byte(r)
		n, read = n+1, read+size
	}
	return n, read, nil
}
