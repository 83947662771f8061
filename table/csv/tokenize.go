package csv

import (
	"bytes"
	"math"

	"millrace/errs"
)

// span is the text of a value: n bytes of the block from off on or, when off is negative, of the extra bytes from ^off on.
// n is missing for a value that is absent or empty without quotes.
type span struct{ off, n int32 }

const missing = -1

// tokenizer cuts records into the cells of the wanted columns.
type tokenizer struct {
	*Options
	want  []int32  // per place in the file: the wanted column, or -1
	cells [][]span // per wanted column, a cell a record
	extra []byte   // values that differ from their text in the file
	count int      // values in the last record
	err   error    // what the options do not allow, in any record

	short byte // the separator, when it is one byte
}

func newTokenizer(o *Options, want []int32, columns int) *tokenizer {
	t := &tokenizer{Options: o, want: want, cells: make([][]span, columns)}
	if len(o.Separator) == 1 {
		t.short = o.Separator[0]
	}
	return t
}

func (t *tokenizer) reset() {
	t.extra = t.extra[:0]
	for i := range t.cells {
		t.cells[i] = t.cells[i][:0]
	}
}

// put adds a value to its column, if that is wanted.
func (t *tokenizer) put(place int, c span) {
	if place < len(t.want) {
		if col := t.want[place]; col >= 0 {
			t.cells[col] = append(t.cells[col], c)
		}
	}
}

// record cuts the record that starts at pos of data and returns where the next one starts. end is where the record's line
// ends, without its separator; in multi-line mode it is the data's end, and the record ends at a line break outside quotes.
func (t *tokenizer) record(data []byte, pos, end int) int {
	place := 0
	for {
		c, next, more := t.value(data, pos, end)
		if t.MaxChars >= 0 && int(c.n) > t.MaxChars {
			t.err = errs.Newf(errs.Invalid, "A value has %d bytes; the option maxCharsPerColumn allows %d.", c.n, t.MaxChars)
		}
		t.put(place, c)
		place++
		if pos = next; !more {
			break
		}
	}
	t.count = place
	for ; place < len(t.want); place++ {
		t.put(place, span{0, missing})
	}
	return pos
}

// value reads one value from pos on; more says that a separator followed it.
func (t *tokenizer) value(data []byte, pos, end int) (c span, next int, more bool) {
	start := pos
	if t.TrimLeading {
		for start < end && (data[start] == ' ' || data[start] == '\t') && !t.separatorAt(data, start, end) {
			start++
		}
	}
	if t.Quote != 0 && start < end && data[start] == t.Quote {
		return t.quoted(data, start, end)
	}
	stop, next, more := t.findSeparator(data, start, end)
	return t.plain(data, start, stop), next, more
}

func (t *tokenizer) plain(data []byte, start, stop int) span {
	if t.TrimTrailing {
		for stop > start && (data[stop-1] == ' ' || data[stop-1] == '\t') {
			stop--
		}
	}
	if stop == start {
		return span{0, missing}
	}
	return span{int32(start), int32(stop - start)}
}

// findSeparator finds where the value that starts at pos stops, and where the next one begins.
func (t *tokenizer) findSeparator(data []byte, pos, end int) (stop, next int, more bool) {
	if t.MultiLine {
		return t.findBreak(data, pos, end)
	}
	if t.short != 0 {
		for i := pos; i < end; i++ {
			if data[i] == t.short {
				return i, i + 1, true
			}
		}
		return end, end, false
	}
	if i := bytes.Index(data[pos:end], t.Separator); i >= 0 {
		return pos + i, pos + i + len(t.Separator), true
	}
	return end, end, false
}

// findBreak also stops at the end of a line.
func (t *tokenizer) findBreak(data []byte, pos, end int) (stop, next int, more bool) {
	for i := pos; i < end; i++ {
		if t.separatorAt(data, i, end) {
			return i, i + len(t.Separator), true
		}
		if n := t.lineBreak(data, i, end); n > 0 {
			return i, i + n, false
		}
	}
	return end, end, false
}

func (t *tokenizer) separatorAt(data []byte, i, end int) bool {
	if t.short != 0 {
		return data[i] == t.short
	}
	return bytes.HasPrefix(data[i:end], t.Separator)
}

// lineBreak is the length of the line break at i, or 0.
func (t *tokenizer) lineBreak(data []byte, i, end int) int {
	switch {
	case t.LineSeparator != nil:
		if bytes.HasPrefix(data[i:end], t.LineSeparator) {
			return len(t.LineSeparator)
		}
	case data[i] == '\n':
		return 1
	case data[i] == '\r':
		if i+1 < end && data[i+1] == '\n' {
			return 2
		}
		return 1
	}
	return 0
}

// quoted reads a value in quotes. What follows the closing quote may be white space; otherwise the quotes were part of the
// value, and it goes on to the next separator.
func (t *tokenizer) quoted(data []byte, open, end int) (c span, next int, more bool) {
	i := open + 1
	copied := -1 // where the value begins among the extra bytes, once it differs from the file's
	from := i
	for ; i < end; i++ {
		b := data[i]
		switch {
		case i+1 < end && t.escapes(b, data[i+1]):
			if copied < 0 {
				copied = len(t.extra)
			}
			t.extra = append(append(t.extra, data[from:i]...), data[i+1])
			i++
			from = i + 1
		case b == t.Quote:
			if c, next, more, ok := t.closeQuote(data, from, i, end, copied); ok {
				return c, next, more
			}
			if t.StrayQuotes == UntilClosingQuote {
				continue
			}
			return t.strayQuote(data, open, from, i, end, copied)
		}
	}
	return t.content(data, from, end, copied), end, false // the quote was never closed
}

// escapes reports whether in a quoted value b only escapes the character behind it: the escape character a quote, and what escapes that the escape.
func (t *tokenizer) escapes(b, next byte) bool {
	return t.Escape != 0 && (b == t.Escape && next == t.Quote || t.Escape != t.Quote && b == t.EscapeEscape && b != 0 && next == t.Escape)
}

// content is the value from..to, behind what was already copied.
func (t *tokenizer) content(data []byte, from, to, copied int) span {
	if copied < 0 {
		return span{int32(from), int32(to - from)}
	}
	t.extra = append(t.extra, data[from:to]...)
	return span{^int32(copied), int32(len(t.extra) - copied)}
}

// closeQuote accepts the quote at i as the closing one if only white space stands between it and the separator.
func (t *tokenizer) closeQuote(data []byte, from, i, end, copied int) (c span, next int, more, ok bool) {
	for j := i + 1; ; j++ {
		switch {
		case j == end:
			return t.content(data, from, i, copied), end, false, true
		case t.separatorAt(data, j, end):
			return t.content(data, from, i, copied), j + len(t.Separator), true, true
		case t.MultiLine && t.lineBreak(data, j, end) > 0:
			return t.content(data, from, i, copied), j + t.lineBreak(data, j, end), false, true
		case data[j] != ' ' && data[j] != '\t':
			return c, 0, false, false
		}
	}
}

// strayQuote takes the quotes for a part of the value.
func (t *tokenizer) strayQuote(data []byte, open, from, i, end, copied int) (c span, next int, more bool) {
	stop, next, more := t.findSeparator(data, i+1, end)
	switch t.StrayQuotes {
	case SkipValue:
		return span{0, missing}, next, more
	case RaiseError:
		t.err = errs.Newf(errs.Invalid, "A quoted value has a quote inside that is not escaped, which the option unescapedQuoteHandling does not allow.")
	}
	if copied < 0 {
		return t.plain(data, open, stop), next, more
	}
	at := len(t.extra)
	t.extra = append(append(append(t.extra, t.Quote), t.extra[copied:at]...), data[from:stop]...)
	return span{^int32(at), int32(len(t.extra) - at)}, next, more
}

// bytes is a cell's text.
func (t *tokenizer) bytes(data []byte, c span) []byte {
	if c.off < 0 {
		return t.extra[^c.off : ^c.off+c.n]
	}
	return data[c.off : c.off+c.n]
}

const maxBlock = math.MaxInt32
