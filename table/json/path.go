package json

import (
	"bytes"
	"math"
	"regexp"
	"strconv"

	"millrace/delta"
	"millrace/operators/expr"
)

// step is a part of a path: a field's name, an index, or every element.
type step struct {
	name  string
	index int // -1: every element
	field bool
	never bool // .*, which matches nothing
}

// Path is a compiled JSONPath, of the kind that get_json_object takes.
type Path struct {
	steps []step
	scan  scanner
}

var pathStep = regexp.MustCompile(`^(?:(\.\*|\['\*'\])|\.([^.\[]+)|\['([^'?]+)'\]|\[(\*)\]|\[(\d+)\])`)

// ParsePath compiles a path; false if it is none.
func ParsePath(text string) (*Path, bool) {
	p := &Path{scan: scanner{Options: &Options{SingleQuotes: true, ControlChars: true}}}
	if text == "" || text[0] != '$' {
		return nil, false
	}
	for text = text[1:]; text != ""; {
		m := pathStep.FindStringSubmatch(text)
		if m == nil {
			return nil, false
		}
		text = text[len(m[0]):]
		switch {
		case m[1] != "":
			p.steps = append(p.steps, step{never: true})
		case m[2] != "" || m[3] != "":
			p.steps = append(p.steps, step{name: m[2] + m[3], field: true})
		case m[4] != "":
			p.steps = append(p.steps, step{index: -1})
		default:
			n, err := strconv.Atoi(m[5])
			if err != nil {
				return nil, false
			}
			p.steps = append(p.steps, step{index: n})
		}
	}
	return p, true
}

// style is how matches are written: a lone string bare, values as JSON, or arrays without their brackets.
type style uint8

const (
	bare style = iota
	quoted
	flat
)

// Append appends what the path finds in a text; false if there is nothing, or the text is not JSON.
func (p *Path) Append(dst, text []byte) ([]byte, bool) {
	p.scan.data, p.scan.pos, p.scan.depth = text, 0, 0
	e := &extractor{scanner: &p.scan, out: dst}
	found, err := e.eval(p.steps, bare)
	if err != nil || !found {
		return dst, false
	}
	return e.out, true
}

// extractor copies matches to out. comma says that the list being written has an element already.
type extractor struct {
	*scanner
	out   []byte
	comma bool
	list  int // how many lists out is in
}

// begin writes what separates a value from the one before it in the list.
func (e *extractor) begin() {
	if e.list > 0 && e.comma {
		e.out = append(e.out, ',')
	}
	e.comma = true
}

func (e *extractor) eval(path []step, how style) (bool, error) {
	c := e.peek()
	if len(path) == 0 {
		return e.match(c, how)
	}
	s := path[0]
	switch {
	case c == '{' && s.field:
		return e.member(s.name, path[1:], how)
	case c == '[' && !s.field && !s.never && s.index < 0:
		return e.elements(path, how)
	case c == '[' && !s.field && !s.never:
		if len(path) > 1 && path[1].index < 0 && !path[1].field {
			how = quoted
		}
		return e.element(s.index, path[1:], how)
	}
	return false, e.skip()
}

// match copies a value.
func (e *extractor) match(c byte, how style) (bool, error) {
	switch {
	case c == 0:
		return false, errSyntax
	case how == bare && e.isQuote(c):
		s, err := e.text()
		e.out = append(e.out, s...)
		return true, err
	case how == flat && c == '[':
		found := false
		err := e.array(func() error {
			ok, err := e.eval(nil, how)
			found = found || ok
			return err
		})
		return found, err
	}
	e.begin()
	return true, e.copyValue(c)
}

// copyValue writes a value as Jackson does: without white space, fractions as doubles.
func (e *extractor) copyValue(c byte) error {
	switch {
	case e.isQuote(c):
		s, err := e.text()
		e.out = expr.AppendJSONString(e.out, s, false)
		return err
	case c == '{':
		return e.copyObject()
	case c == '[':
		e.out = append(e.out, '[')
		first := true
		err := e.array(func() error {
			if !first {
				e.out = append(e.out, ',')
			}
			first = false
			return e.copyValue(e.peek())
		})
		e.out = append(e.out, ']')
		return err
	case c == 't' || c == 'f' || c == 'n':
		start := e.pos
		err := e.skip()
		e.out = append(e.out, e.data[start:e.pos]...)
		return err
	}
	text, integer, err := e.number()
	if err != nil || integer {
		e.out = append(e.out, text...)
		return err
	}
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil && f == 0 {
		return errSyntax
	}
	if math.IsInf(f, 0) {
		e.out = expr.AppendJSONString(e.out, []byte(delta.JavaDouble(f, false)), false)
		return nil
	}
	e.out = append(e.out, delta.JavaDouble(f, false)...)
	return nil
}

func (e *extractor) copyObject() error {
	e.out = append(e.out, '{')
	first := true
	err := e.object(func(name []byte) error {
		if !first {
			e.out = append(e.out, ',')
		}
		first = false
		e.out = append(expr.AppendJSONString(e.out, name, false), ':')
		return e.copyValue(e.peek())
	})
	e.out = append(e.out, '}')
	return err
}

// member goes on with the first field of that name that has a match.
func (e *extractor) member(name string, rest []step, how style) (found bool, err error) {
	err = e.object(func(field []byte) error {
		if found || string(field) != name || e.peek() == 'n' {
			return e.skip()
		}
		ok, err := e.eval(rest, how)
		found = ok
		return err
	})
	return found, err
}

func (e *extractor) element(index int, rest []step, how style) (found bool, err error) {
	i := 0
	err = e.array(func() error {
		i++
		if i-1 != index {
			return e.skip()
		}
		ok, err := e.eval(rest, how)
		found = ok
		return err
	})
	return found, err
}

// elements goes on with every element. Matches stand in a list of their own, unless there is just one.
func (e *extractor) elements(path []step, how style) (bool, error) {
	rest := path[1:]
	twice := len(rest) > 0 && rest[0].index < 0 && !rest[0].field && !rest[0].never
	next := quoted
	switch {
	case twice:
		next, rest = flat, rest[1:]
	case how == flat:
		next = flat
	}
	start, comma := len(e.out), e.comma
	e.begin()
	open := len(e.out)
	e.out, e.comma = append(e.out, '['), false
	e.list++
	found := 0
	err := e.array(func() error {
		ok, err := e.eval(rest, next)
		if ok {
			found++
		}
		return err
	})
	e.list--
	e.out, e.comma = append(e.out, ']'), true
	switch {
	case twice || how == quoted:
	case found == 0:
		e.out, e.comma = e.out[:start], comma
	case found == 1: // without brackets
		copy(e.out[open:], e.out[open+1:len(e.out)-1])
		e.out = e.out[:len(e.out)-2]
	}
	return found > 0, err
}

// Length is the number of elements of an array; false for other values and what is not JSON.
func Length(text []byte) (n int, ok bool) {
	s := scanner{Options: &Options{SingleQuotes: true, ControlChars: true}, data: text}
	if s.peek() != '[' {
		return 0, false
	}
	err := s.array(func() error { n++; return s.skip() })
	return n, err == nil
}

// Keys calls add for each of an object's keys; false for other values and what is not JSON.
func Keys(text []byte, add func([]byte)) bool {
	s := scanner{Options: &Options{SingleQuotes: true, ControlChars: true}, data: text}
	if s.peek() != '{' {
		return false
	}
	return s.object(func(name []byte) error {
		add(bytes.Clone(name))
		return s.skip()
	}) == nil
}

// Tuple finds fields of objects by their names.
type Tuple struct {
	scan   scanner
	Values [][]byte // of the names given to Find, valid until its next call
	Found  []bool
}

// NewTuple is for so many names.
func NewTuple(names int) *Tuple {
	return &Tuple{scan: scanner{Options: &Options{SingleQuotes: true, ControlChars: true}}, Values: make([][]byte, names), Found: make([]bool, names)}
}

// Find looks for the names in a text: strings bare, other values as JSON. Of fields of the same name the last that is not null counts, and
// what stands behind the object does not matter. A text that is not an object has none of them. A nil name is never found.
func (t *Tuple) Find(text []byte, names [][]byte) {
	clear(t.Found)
	t.scan.data, t.scan.pos, t.scan.depth = text, 0, 0
	if t.scan.peek() != '{' {
		return
	}
	err := t.scan.object(func(name []byte) error {
		first := -1
		for i, n := range names {
			if n != nil && bytes.Equal(n, name) {
				first = i
				break
			}
		}
		c := t.scan.peek()
		if first < 0 || c == 'n' {
			return t.scan.skip()
		}
		e := &extractor{scanner: &t.scan, out: t.Values[first][:0]}
		_, err := e.match(c, bare)
		t.Values[first], t.Found[first] = e.out, true
		for i := first + 1; i < len(names); i++ {
			if names[i] != nil && bytes.Equal(names[i], names[first]) {
				t.Values[i], t.Found[i] = append(t.Values[i][:0], e.out...), true
			}
		}
		return err
	})
	if err != nil {
		clear(t.Found)
	}
}
