package expr

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/bits"
	"strings"
	"unicode"
	"unicode/utf8"

	"millrace/errs"
	"millrace/types"
	"millrace/vector"
)

func init() {
	registerText(map[string]toText{
		"to_binary": toBinary,
		"try_to_binary": func(in *inputs, i int, dst []byte) ([]byte, error) {
			out, err := toBinary(in, i, dst)
			if err != nil {
				return nil, errNull
			}
			return out, nil
		},
		"validate_utf8": func(in *inputs, i int, dst []byte) ([]byte, error) {
			s := in.str(0, i)
			if !utf8.Valid(s) {
				shown := ""
				for _, c := range s {
					shown += fmt.Sprintf(`\x%02X`, c)
				}
				return nil, errs.New("INVALID_UTF8_STRING", "str", shown)
			}
			return append(dst, s...), nil
		},
		"try_validate_utf8": func(in *inputs, i int, dst []byte) ([]byte, error) {
			if s := in.str(0, i); utf8.Valid(s) {
				return append(dst, s...), nil
			}
			return nil, errNull
		},
		"make_valid_utf8": func(in *inputs, i int, dst []byte) ([]byte, error) {
			return append(dst, bytes.ToValidUTF8(in.str(0, i), []byte("\uFFFD"))...), nil
		},
	})
	const bitmapBits = 8 * 4096
	registerFixed(map[string]func(in *inputs, i int) (int64, error){
		"bitmap_bit_position": func(in *inputs, i int) (int64, error) {
			if x := in.num(0, i); x <= 0 {
				return -x % bitmapBits, nil
			} else {
				return (x - 1) % bitmapBits, nil
			}
		},
		"bitmap_bucket_number": func(in *inputs, i int) (int64, error) {
			x := in.num(0, i)
			if x > 0 {
				return 1 + (x-1)/bitmapBits, nil
			}
			return x / bitmapBits, nil
		},
		"bitmap_count": func(in *inputs, i int) (int64, error) {
			n := 0
			for _, c := range in.str(0, i) {
				n += bits.OnesCount8(c)
			}
			return int64(n), nil
		},
	})
	Register("sentences", Func{Strict: true, Pure: true, Build: func(*Call) (Kernel, error) { return sentences, nil }})
}

// toBinary decodes a text by a format, hex if it is not given.
func toBinary(in *inputs, i int, dst []byte) ([]byte, error) {
	s, format := string(in.str(0, i)), "hex"
	if len(in.vec) > 1 {
		format = strings.ToLower(string(in.str(1, i)))
	}
	var out []byte
	var err error
	switch format {
	case "utf-8", "utf8":
		return append(dst, s...), nil
	case "base64":
		clean := strings.Map(func(r rune) rune {
			if r == '\r' || r == '\n' || r == ' ' || r == '\t' {
				return -1
			}
			return r
		}, s)
		out, err = base64.StdEncoding.DecodeString(clean)
		if err != nil && !strings.Contains(clean, "=") {
			out, err = base64.RawStdEncoding.DecodeString(clean)
		}
	default:
		if text := s; len(text)%2 == 1 {
			s = "0" + text
		}
		out, err = hex.DecodeString(s)
	}
	if err != nil {
		return nil, errs.New("CONVERSION_INVALID_INPUT", "str", "'"+string(in.str(0, i))+"'", "fmt", "'"+strings.ToUpper(format)+"'", "targetType", `"BINARY"`, "suggestion", "`try_to_binary`")
	}
	return append(dst, out...), nil
}

// sentences lists the words of each sentence; a sentence ends at . ! or ? before white space or the end.
func sentences(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
	words := vector.NewEmpty(types.String)
	lists := &vector.Vector{Type: out.Type.Elem, Offsets: []int32{0}}
	next := 0
	Rows(sel, n, func(i int) {
		for ; next < i; next++ {
			out.Offsets[next+1] = out.Offsets[next]
		}
		for _, s := range splitSentences(string(args[0].Str(i))) {
			for _, w := range s {
				appendText(words, []byte(w), false)
			}
			lists.Offsets = append(lists.Offsets, int32(words.Len))
		}
		out.Offsets[i+1] = int32(len(lists.Offsets) - 1)
		next = i + 1
	})
	for ; next < n; next++ {
		out.Offsets[next+1] = out.Offsets[next]
	}
	lists.Len, lists.Children = len(lists.Offsets)-1, []*vector.Vector{words}
	out.Children = []*vector.Vector{lists}
	return nil
}

func splitSentences(s string) (all [][]string) {
	var words []string
	runes := []rune(s)
	start := -1
	endWord := func(i int) {
		if start >= 0 {
			words = append(words, string(runes[start:i]))
			start = -1
		}
	}
	for i, r := range runes {
		inside := (r == '\'' || r == '.' || r == ',') && start >= 0 && i+1 < len(runes) && (unicode.IsLetter(runes[i+1]) || unicode.IsDigit(runes[i+1]))
		if unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' || inside || start >= 0 && unicode.Is(unicode.M, r) {
			if start < 0 {
				start = i
			}
			continue
		}
		endWord(i)
		if (r == '.' || r == '!' || r == '?') && (i+1 == len(runes) || unicode.IsSpace(runes[i+1])) {
			all, words = append(all, words), nil
		}
	}
	endWord(len(runes))
	if words != nil {
		all = append(all, words)
	}
	return all
}
