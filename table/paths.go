package table

import "strings"

// displayPath is a file's path as Spark shows it in messages: a URL with three slashes, escaped.
func displayPath(p string) string {
	scheme, authority, rest := splitURL(p)
	return scheme + "://" + authority + escapePath(rest)
}

// metadataPath is a file's path as _metadata.file_path shows it.
func metadataPath(p string) string {
	scheme, authority, rest := splitURL(p)
	if authority == "" {
		return scheme + ":" + escapePath(rest)
	}
	return scheme + "://" + authority + escapePath(rest)
}

// plainPath is a file's path as Spark's binaryFile shows it: not escaped.
func plainPath(p string) string {
	scheme, authority, rest := splitURL(p)
	if authority == "" {
		return scheme + ":" + rest
	}
	return scheme + "://" + authority + rest
}

// splitURL takes a plain path or a URL apart.
func splitURL(p string) (scheme, authority, rest string) {
	scheme, rest, found := strings.Cut(p, ":")
	if !found || strings.Contains(scheme, "/") {
		return "file", "", p
	}
	after, ok := strings.CutPrefix(rest, "//")
	if !ok {
		return scheme, "", rest
	}
	if i := strings.IndexByte(after, '/'); i >= 0 {
		return scheme, after[:i], after[i:]
	}
	return scheme, after, ""
}

const hex = "0123456789ABCDEF"

// escapePath escapes what Java's URI does not allow in a path; letters beyond ASCII stay.
func escapePath(p string) string {
	return escape(p, func(c byte) bool { return c <= ' ' || c == 0x7f || strings.IndexByte("\"#%<>?[]\\^`{|}", c) >= 0 })
}

// hiveEscape escapes a partition's name or value as Hive does in directory names.
func hiveEscape(s string) string {
	return escape(s, func(c byte) bool { return c < ' ' || c == 0x7f || strings.IndexByte("\"#%'*/:=?\\{[]^", c) >= 0 })
}

func escape(s string, illegal func(c byte) bool) string {
	var b []byte
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !illegal(c) {
			if b != nil {
				b = append(b, c)
			}
			continue
		}
		if b == nil {
			b = append(make([]byte, 0, len(s)+16), s[:i]...)
		}
		b = append(b, '%', hex[c>>4], hex[c&15])
	}
	if b == nil {
		return s
	}
	return string(b)
}

// hiveUnescape undoes hiveEscape.
func hiveUnescape(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			hi, lo := unhex(s[i+1]), unhex(s[i+2])
			if hi >= 0 && lo >= 0 {
				b = append(b, byte(hi<<4|lo))
				i += 2
				continue
			}
		}
		b = append(b, s[i])
	}
	return string(b)
}

func unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
