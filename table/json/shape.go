package json

import (
	"math/big"
	"sort"

	"millrace/table/csv"
	"millrace/table/internal/scalar"
	"millrace/types"
)

// shape is what was seen of a value so far. It is a scalar's type, or an object's fields, or an array's elements; what was
// of several kinds is a string.
type shape struct {
	scalar    *types.Type // nil: nothing but null was seen, or it is an object or array
	members   []*shape    // of an object, in the order in which they were seen
	name      string
	elem      *shape
	object    bool
	index     map[string]*shape
	next      int
	seen      int // the number of the object in which the member was seen last
	objects   int
	duplicate string
}

// fields makes the shape an object's, unless it is a scalar's or an array's, which makes it a string.
func (s *shape) fields() *shape {
	if s.scalar == nil && s.elem == nil {
		s.object = true
		if s.index == nil {
			s.index = map[string]*shape{}
		}
		s.objects++
		s.next = 0
		return s
	}
	s.text()
	return s
}

// text makes the shape a string's for good.
func (s *shape) text() {
	*s = shape{scalar: types.String, name: s.name, seen: s.seen, duplicate: s.duplicate}
}

// field is an object's member; members mostly come in the same order.
func (s *shape) field(name []byte) *shape {
	if s.next < len(s.members) && s.members[s.next].name == string(name) {
		s.next++
		return s.members[s.next-1]
	}
	m := s.index[string(name)]
	if m == nil {
		m = &shape{name: string(name)}
		s.index[m.name] = m
		s.members = append(s.members, m)
	}
	for i, o := range s.members {
		if o == m {
			s.next = i + 1
			break
		}
	}
	return m
}

// merge adds a scalar.
func (s *shape) merge(t *types.Type, o *Options) {
	switch {
	case s.object || s.elem != nil:
		s.text()
	case s.scalar != t:
		s.scalar = compatible(s.scalar, t, o)
	}
}

// schema is the type of what was seen; nil if there was nothing.
func (s *shape) schema(o *Options) *types.Type {
	switch {
	case s.object:
		fields := make([]types.Field, len(s.members))
		for i, m := range s.members {
			fields[i] = types.Field{Name: m.name, Type: m.schema(o), Nullable: true}
			if fields[i].Type == nil {
				fields[i].Type = types.Null
			}
		}
		sort.Slice(fields, func(i, j int) bool { return fields[i].Name < fields[j].Name })
		return types.Struct(fields...)
	case s.elem != nil:
		elem := s.elem.schema(o)
		if elem == nil {
			elem = types.Null
		}
		return types.ArrayOf(elem, true)
	}
	return s.scalar
}

// observe reads a value into a shape. The value has been checked to be JSON.
func (r *Reader) observe(s *shape) error {
	switch c := r.peek(); {
	case s.scalar != nil && s.scalar.Kind == types.KindString && s.index == nil:
		return r.skip()
	case c == '{':
		return r.observeObject(s)
	case c == '[':
		if s.object || s.scalar != nil {
			s.text()
			return r.skip()
		}
		if s.elem == nil {
			s.elem = &shape{}
		}
		return r.array(func() error { return r.observe(s.elem) })
	case r.isQuote(c):
		text, err := r.text()
		if len(text) > 0 { // an empty one may stand for null
			s.merge(r.textType(text), r.Options)
		}
		return err
	case c == 't', c == 'f':
		s.merge(r.primitive(types.Boolean), r.Options)
		return r.skip()
	case c == 'n':
		return r.skip()
	}
	text, integer, err := r.number()
	if err == nil {
		s.merge(r.numberType(text, integer), r.Options)
	}
	return err
}

func (r *Reader) observeObject(s *shape) error {
	s.fields()
	if !s.object {
		return r.skip()
	}
	serial := s.objects
	return r.object(func(name []byte) error {
		m := s.field(name)
		if m.seen == serial {
			s.duplicate = m.name
		}
		m.seen = serial
		err := r.observe(m)
		if m.duplicate != "" {
			s.duplicate = m.duplicate
		}
		return err
	})
}

func (r *Reader) textType(text []byte) *types.Type {
	if r.InferTimestamp && !r.PrimitivesText {
		if _, ok := csv.FormattedMoment(text, r.Options.Options); ok {
			return types.Timestamp
		}
	}
	return types.String
}

func (r *Reader) primitive(t *types.Type) *types.Type {
	if r.PrimitivesText {
		return types.String
	}
	return t
}

func (r *Reader) numberType(text []byte, integer bool) *types.Type {
	if r.PrimitivesText {
		return types.String
	}
	if integer {
		if _, ok := scalar.Int(text, 64); ok {
			return types.Long
		}
	}
	if integer || r.PreferDecimal {
		if n, scale, ok := scalar.BigDecimal(text); ok && scale >= 0 {
			digits := max(len(new(big.Int).Abs(n).Text(10)), scale)
			if digits <= types.MaxPrecision {
				return types.Decimal(digits, scale)
			}
		}
	}
	return types.Double
}
