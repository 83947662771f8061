package variant

import (
	"regexp"
	"strconv"
)

// Path leads to a value inside of another one.
type Path []step

type step struct {
	name  string
	index int // of an array's element; -1 where the name is that of an object's field
}

var pathStep = regexp.MustCompile(`^(?:\[(\d+)\]|\.([^.\[]+)|\['([^'?]+)'\]|\["([^"?]+)"\])`)

// ParsePath reads a path as variant_get takes it: $ and any number of [123], .name, ['name'] and ["name"]; false if it is none.
func ParsePath(text string) (Path, bool) {
	if text == "" || text[0] != '$' {
		return nil, false
	}
	var p Path
	for text = text[1:]; text != ""; {
		m := pathStep.FindStringSubmatch(text)
		if m == nil {
			return nil, false
		}
		text = text[len(m[0]):]
		if m[1] == "" {
			p = append(p, step{m[2] + m[3] + m[4], -1})
			continue
		}
		n, err := strconv.ParseInt(m[1], 10, 32)
		if err != nil {
			return nil, false
		}
		p = append(p, step{index: int(n)})
	}
	return p, true
}

// Get follows the path; false where it leads nowhere.
func (p Path) Get(v Value) (Value, bool) {
	for _, s := range p {
		switch {
		case s.index < 0:
			f, ok := v.Field(s.name)
			if !ok {
				return Value{}, false
			}
			v = f
		case v.Kind() == Array && s.index < v.Len():
			v = v.At(s.index)
		default:
			return Value{}, false
		}
	}
	return v, true
}
