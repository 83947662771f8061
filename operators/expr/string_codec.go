package expr

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"millrace/errs"
)

func init() {
	registerText(map[string]toText{
		"chr": chr, "base64": encode64, "unbase64": decode64, "encode": encodeText, "decode": decodeText, "soundex": soundex,
		"url_encode": urlEncode, "url_decode": urlDecode, "quote": quoteText,
		"try_url_decode": orNull(urlDecode),
	})
	registerFixed(map[string]func(in *inputs, i int) (int32, error){"ascii": ascii, "levenshtein": levenshtein})
	registerFixed(map[string]func(in *inputs, i int) (bool, error){"luhn_check": luhnCheck,
		"is_valid_utf8": func(in *inputs, i int) (bool, error) { return utf8.Valid(in.str(0, i)), nil }})
	Register("mask", Func{Pure: true, Build: func(*Call) (Kernel, error) { return textKernel(mask), nil }})
	for _, name := range []string{"parse_url", "try_parse_url"} {
		Register(name, Func{Strict: true, Pure: true, Build: func(c *Call) (Kernel, error) { return textKernel(parseURL(c)), nil }})
	}
}

// orNull makes null of a row function's errors.
func orNull(f toText) toText {
	return func(in *inputs, i int, dst []byte) ([]byte, error) {
		out, err := f(in, i, dst)
		if err != nil {
			return nil, errNull
		}
		return out, nil
	}
}

func ascii(in *inputs, i int) (int32, error) {
	s := in.str(0, i)
	if len(s) == 0 {
		return 0, nil
	}
	r, _ := utf8.DecodeRune(s)
	return r, nil
}

// chr is the character of a number's low byte.
func chr(in *inputs, i int, dst []byte) ([]byte, error) {
	n := in.num(0, i)
	if n < 0 {
		return dst, nil
	}
	return utf8.AppendRune(dst, rune(n&0xff)), nil
}

func encode64(in *inputs, i int, dst []byte) ([]byte, error) {
	return base64.StdEncoding.AppendEncode(dst, in.str(0, i)), nil
}

// decode64 reads base64 as Java's MIME decoder does: other characters are passed over.
func decode64(in *inputs, i int, dst []byte) ([]byte, error) {
	var clean []byte
	for _, c := range in.str(0, i) {
		if c == '+' || c == '/' || c-'0' < 10 || c-'a' < 26 || c-'A' < 26 {
			clean = append(clean, c)
		}
	}
	if len(clean)%4 == 1 {
		return nil, errs.New("CONVERSION_INVALID_INPUT", "str", "'"+string(in.str(0, i))+"'", "fmt", "'BASE64'", "targetType", `"BINARY"`, "suggestion", "`try_to_binary`")
	}
	return base64.RawStdEncoding.AppendDecode(dst, clean)
}

const charsets = "iso-8859-1, us-ascii, utf-16, utf-16be, utf-16le, utf-32, utf-8"

func badCharset(function string, name []byte) error {
	return errs.New("INVALID_PARAMETER_VALUE.CHARSET", "functionName", "`"+function+"`", "parameter", "`charset`", "charset", string(name), "charsets", charsets)
}

func badCoding(function string, name []byte) error {
	return errs.New("MALFORMED_CHARACTER_CODING", "function", "`"+function+"`", "charset", string(name))
}

func encodeText(in *inputs, i int, dst []byte) ([]byte, error) {
	s, name := in.str(0, i), in.str(1, i)
	charset := strings.ToLower(string(name))
	switch charset {
	case "utf-8":
		return append(dst, s...), nil
	case "us-ascii", "iso-8859-1":
		limit := map[string]rune{"us-ascii": 0x7f, "iso-8859-1": 0xff}[charset]
		for _, r := range string(s) {
			if r > limit {
				return nil, badCoding("encode", name)
			}
			dst = append(dst, byte(r))
		}
		return dst, nil
	case "utf-16", "utf-16be", "utf-16le":
		if charset == "utf-16" {
			dst = append(dst, 0xfe, 0xff)
		}
		for _, u := range utf16.Encode([]rune(string(s))) {
			if charset == "utf-16le" {
				dst = binary.LittleEndian.AppendUint16(dst, u)
			} else {
				dst = binary.BigEndian.AppendUint16(dst, u)
			}
		}
		return dst, nil
	case "utf-32":
		for _, r := range string(s) {
			dst = binary.BigEndian.AppendUint32(dst, uint32(r))
		}
		return dst, nil
	}
	return nil, badCharset("encode", name)
}

func decodeText(in *inputs, i int, dst []byte) ([]byte, error) {
	s, name := in.str(0, i), in.str(1, i)
	switch charset := strings.ToLower(string(name)); charset {
	case "utf-8":
		if !utf8.Valid(s) {
			return nil, badCoding("decode", name)
		}
		return append(dst, s...), nil
	case "us-ascii", "iso-8859-1":
		for _, c := range s {
			if c > 0x7f && charset == "us-ascii" {
				return nil, badCoding("decode", name)
			}
			dst = utf8.AppendRune(dst, rune(c))
		}
		return dst, nil
	case "utf-16", "utf-16be", "utf-16le":
		return decodeUTF16(dst, s, charset, name)
	case "utf-32":
		if len(s)%4 != 0 {
			return nil, badCoding("decode", name)
		}
		for ; len(s) > 0; s = s[4:] {
			dst = utf8.AppendRune(dst, rune(binary.BigEndian.Uint32(s)))
		}
		return dst, nil
	}
	return nil, badCharset("decode", name)
}

func decodeUTF16(dst, s []byte, charset string, name []byte) ([]byte, error) {
	var order binary.ByteOrder = binary.BigEndian
	if charset == "utf-16le" {
		order = binary.LittleEndian
	}
	if charset == "utf-16" && len(s) >= 2 && (s[0] == 0xff && s[1] == 0xfe || s[0] == 0xfe && s[1] == 0xff) {
		if s[0] == 0xff {
			order = binary.LittleEndian
		}
		s = s[2:]
	}
	if len(s)%2 != 0 {
		return nil, badCoding("decode", name)
	}
	units := make([]uint16, len(s)/2)
	for k := range units {
		units[k] = order.Uint16(s[2*k:])
	}
	return append(dst, string(utf16.Decode(units))...), nil
}

// soundexCodes are the digits of the letters from A: 7 for letters that are passed over, and do not part equal digits, 0 for vowels.
const soundexCodes = "01230127022455012623017202"

func soundex(in *inputs, i int, dst []byte) ([]byte, error) {
	s := in.str(0, i)
	if len(s) == 0 || !isLetter(s[0]) {
		return append(dst, s...), nil
	}
	code := [4]byte{s[0] &^ 0x20, '0', '0', '0'}
	last, n := soundexCodes[code[0]-'A'], 1
	for _, c := range s[1:] {
		if !isLetter(c) {
			last = '0'
			continue
		}
		d := soundexCodes[c&^0x20-'A']
		if d == '7' {
			continue
		}
		if d != '0' && d != last {
			code[n] = d
			if n++; n == 4 {
				break
			}
		}
		last = d
	}
	return append(dst, code[:]...), nil
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// levenshtein counts the edits between two texts; -1 if they are more than the third argument.
func levenshtein(in *inputs, i int) (int32, error) {
	a, b := []rune(string(in.str(0, i))), []rune(string(in.str(1, i)))
	row := make([]int32, len(b)+1)
	for k := range row {
		row[k] = int32(k)
	}
	for x, r := range a {
		diagonal := row[0]
		row[0] = int32(x + 1)
		for y, q := range b {
			cost := diagonal
			if r != q {
				cost = min(diagonal, row[y], row[y+1]) + 1
			}
			diagonal, row[y+1] = row[y+1], cost
		}
	}
	d := row[len(b)]
	if len(in.vec) > 2 && int64(d) > in.num(2, i) {
		return -1, nil
	}
	return d, nil
}

func luhnCheck(in *inputs, i int) (bool, error) {
	s := in.str(0, i)
	sum, double := 0, false
	for k := len(s) - 1; k >= 0; k-- {
		d := int(s[k]) - '0'
		if d < 0 || d > 9 {
			return false, nil
		}
		if double {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum, double = sum+d, !double
	}
	return len(s) > 0 && sum%10 == 0, nil
}

func quoteText(in *inputs, i int, dst []byte) ([]byte, error) {
	dst = append(dst, '\'')
	for _, c := range in.str(0, i) {
		if c == '\'' || c == '\\' {
			dst = append(dst, '\\')
		}
		dst = append(dst, c)
	}
	return append(dst, '\''), nil
}

// mask replaces upper-case letters, lower-case letters, digits and other characters; a null replacement leaves a kind as it is.
func mask(in *inputs, i int, dst []byte) ([]byte, error) {
	if in.null(0, i) {
		return nil, errNull
	}
	by := [4]rune{'X', 'x', 'n', -1}
	for k := range by {
		if k+1 >= len(in.vec) {
			break
		}
		if by[k] = -1; !in.null(k+1, i) {
			by[k], _ = utf8.DecodeRune(in.str(k+1, i))
		}
	}
	for _, r := range string(in.str(0, i)) {
		kind := 3
		switch {
		case unicode.IsUpper(r):
			kind = 0
		case unicode.IsLower(r):
			kind = 1
		case unicode.IsDigit(r):
			kind = 2
		}
		if by[kind] >= 0 {
			r = by[kind]
		}
		dst = utf8.AppendRune(dst, r)
	}
	return dst, nil
}

// urlEncode writes a form's encoding as Java does: * stays and ~ does not.
func urlEncode(in *inputs, i int, dst []byte) ([]byte, error) {
	s := url.QueryEscape(string(in.str(0, i)))
	return append(dst, strings.NewReplacer("%2A", "*", "~", "%7E").Replace(s)...), nil
}

func urlDecode(in *inputs, i int, dst []byte) ([]byte, error) {
	s, err := url.QueryUnescape(string(in.str(0, i)))
	if err != nil {
		return nil, errs.New("CANNOT_DECODE_URL", "url", string(in.str(0, i)))
	}
	return append(dst, s...), nil
}

// parseURL gives a part of a URL, or one value of its query.
func parseURL(c *Call) toText {
	return func(in *inputs, i int, dst []byte) ([]byte, error) {
		raw, part := in.str(0, i), string(in.str(1, i))
		u, err := url.Parse(string(raw))
		if err != nil || bytes.ContainsAny(raw, " ") {
			if c.Name == "try_parse_url" || !c.Settings.GetAnsi() {
				return nil, errNull
			}
			return nil, errs.New("INVALID_URL", "url", string(raw))
		}
		if len(in.vec) > 2 {
			if part != "QUERY" {
				return nil, errNull
			}
			return queryValue(dst, u.RawQuery, string(in.str(2, i)))
		}
		v, ok := urlPart(u, part)
		if !ok {
			return nil, errNull
		}
		return append(dst, v...), nil
	}
}

func queryValue(dst []byte, query, key string) ([]byte, error) {
	for pair := range strings.SplitSeq(query, "&") {
		if k, v, ok := strings.Cut(pair, "="); ok && k == key {
			return append(dst, v...), nil
		}
	}
	return nil, errNull
}

// urlPart is a part by Hive's name.
func urlPart(u *url.URL, part string) (string, bool) {
	file := u.EscapedPath()
	if u.RawQuery != "" || u.ForceQuery {
		file += "?" + u.RawQuery
	}
	switch part {
	case "HOST":
		return u.Hostname(), u.Hostname() != ""
	case "PATH":
		return u.EscapedPath(), true
	case "QUERY":
		return u.RawQuery, u.RawQuery != ""
	case "REF":
		return u.EscapedFragment(), u.Fragment != ""
	case "PROTOCOL":
		return u.Scheme, u.Scheme != ""
	case "FILE":
		return file, true
	case "AUTHORITY":
		a := u.Host
		if u.User != nil {
			a = u.User.String() + "@" + a
		}
		return a, a != ""
	case "USERINFO":
		return u.User.String(), u.User != nil
	}
	return "", false
}
