package ml

import (
	"strings"

	"millrace/errs"
	"millrace/vector/linalg"
)

// ParamType is the type of a parameter's values.
type ParamType uint8

// The types of parameters and the Go types of their values.
const (
	StringParam  ParamType = iota // string
	BoolParam                     // bool
	IntParam                      // int64
	LongParam                     // int64
	DoubleParam                   // float64
	FloatParam                    // float64
	StringsParam                  // []string
	DoublesParam                  // []float64
	IntsParam                     // []int64
	RowsParam                     // [][]float64
	VectorParam                   // linalg.Vector
	MatrixParam                   // linalg.Matrix
)

// Param declares a parameter.
type Param struct {
	Name string
	Type ParamType
	// Default is the value without a set one, or nil. A function of type func(uid string) any is called with the object's uid.
	Default any
	// Valid refuses values that do not fit; nil takes all.
	Valid func(v any) bool
}

// Params are an object's uid and the values of its parameters.
type Params struct {
	Class *Class
	UID   string
	set   map[string]any
}

// NewParams are a class's parameters with some values set, each in one of the forms of plan.Literal or of its type.
func NewParams(c *Class, uid string, values map[string]any) (*Params, error) {
	p := &Params{Class: c, UID: uid, set: map[string]any{}}
	return p, p.assign(values)
}

// With is p with further values set.
func (p *Params) With(values map[string]any) (*Params, error) {
	q := &Params{Class: p.Class, UID: p.UID, set: make(map[string]any, len(p.set)+len(values))}
	for k, v := range p.set {
		q.set[k] = v
	}
	return q, q.assign(values)
}

// of gives another class the values of those parameters that it has too: a model takes over its estimator's.
func (p *Params) of(c *Class) *Params {
	q := &Params{Class: c, UID: p.UID, set: map[string]any{}}
	for name, v := range p.set {
		if c.param(name) != nil {
			q.set[name] = v
		}
	}
	return q
}

func (c *Class) param(name string) *Param {
	for i := range c.Params {
		if c.Params[i].Name == name {
			return &c.Params[i]
		}
	}
	return nil
}

func (p *Params) assign(values map[string]any) error {
	for name, v := range values {
		d := p.Class.param(name)
		if d == nil {
			e := errs.Newf(errs.Invalid, "Param %s does not exist.", name)
			e.Class = errs.ClassNoSuchElement
			return e
		}
		v, ok := coerce(v, d.Type)
		if !ok {
			return illegal("%s parameter %s given a value of the wrong type.", p.UID, name)
		}
		if d.Valid != nil && !d.Valid(v) {
			return illegal("%s parameter %s given invalid value %s.", p.UID, name, showParam(v))
		}
		p.set[name] = v
	}
	return nil
}

// illegal is Java's IllegalArgumentException with a text that has no condition.
func illegal(format string, args ...any) error {
	e := errs.Newf(errs.Invalid, format, args...)
	e.Class = errs.ClassIllegalArgument
	return e
}

// required is the error of Scala's require.
func required(format string, args ...any) error {
	return illegal("requirement failed: "+format, args...)
}

// coerce brings a value into the Go type of a parameter's type.
func coerce(v any, t ParamType) (any, bool) {
	switch t {
	case StringParam:
		s, ok := v.(string)
		return s, ok
	case BoolParam:
		b, ok := v.(bool)
		return b, ok
	case IntParam, LongParam:
		return integer(v)
	case DoubleParam, FloatParam:
		return double(v)
	case StringsParam:
		return listOf(v, func(v any) (string, bool) { s, ok := v.(string); return s, ok })
	case DoublesParam:
		return listOf(v, double)
	case IntsParam:
		return listOf(v, integer)
	case RowsParam:
		return listOf(v, func(v any) ([]float64, bool) {
			row, ok := listOf(v, double)
			list, _ := row.([]float64)
			return list, ok
		})
	case VectorParam:
		x, ok := v.(linalg.Vector)
		return x, ok
	case MatrixParam:
		x, ok := v.(linalg.Matrix)
		return x, ok
	}
	return nil, false
}

func integer(v any) (int64, bool) {
	switch v := v.(type) {
	case int64:
		return v, true
	case int:
		return int64(v), true
	}
	return 0, false
}

func double(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case int64:
		return float64(v), true
	case int:
		return float64(v), true
	}
	return 0, false
}

func listOf[T any](v any, of func(any) (T, bool)) (any, bool) {
	if list, ok := v.([]T); ok {
		return list, true
	}
	list, ok := v.([]any)
	if !ok {
		return nil, false
	}
	out := make([]T, len(list))
	for i, x := range list {
		if out[i], ok = of(x); !ok {
			return nil, false
		}
	}
	return out, true
}

// Set are the values that were set, by name; they must not be changed.
func (p *Params) Set() map[string]any { return p.set }

// IsSet reports whether a value was set.
func (p *Params) IsSet(name string) bool { _, ok := p.set[name]; return ok }

// Get is a parameter's value, set or default; nil when it has neither.
func (p *Params) Get(name string) any {
	if v, ok := p.set[name]; ok {
		return v
	}
	d := p.Class.param(name)
	if d == nil {
		return nil
	}
	return d.value(p.UID)
}

// value is the default for an object.
func (d *Param) value(uid string) any {
	if f, ok := d.Default.(func(uid string) any); ok {
		return f(uid)
	}
	if d.Default == nil {
		return nil
	}
	v, ok := coerce(d.Default, d.Type)
	if !ok {
		panic("ml: the default of " + d.Name + " has another type")
	}
	return v
}

// Has reports whether a parameter has a value, set or default.
func (p *Params) Has(name string) bool { return p.Get(name) != nil }

// String is a parameter's value or empty.
func (p *Params) String(name string) string { s, _ := p.Get(name).(string); return s }

// Strings is a parameter's value or nil.
func (p *Params) Strings(name string) []string { s, _ := p.Get(name).([]string); return s }

// Bool is a parameter's value or false.
func (p *Params) Bool(name string) bool { b, _ := p.Get(name).(bool); return b }

// Int is a parameter's value or 0.
func (p *Params) Int(name string) int { n, _ := p.Get(name).(int64); return int(n) }

// Float is a parameter's value or 0.
func (p *Params) Float(name string) float64 { x, _ := p.Get(name).(float64); return x }

// Floats is a parameter's value or nil.
func (p *Params) Floats(name string) []float64 { x, _ := p.Get(name).([]float64); return x }

// Need is an error unless the parameter has a value.
func (p *Params) Need(name string) error {
	if p.Has(name) {
		return nil
	}
	e := errs.Newf(errs.Invalid, "Failed to find a default value for %s", name)
	e.Class = errs.ClassNoSuchElement
	return e
}

// InArray accepts the strings of a list.
func InArray(list ...string) func(any) bool {
	return func(v any) bool {
		for _, s := range list {
			if v == s {
				return true
			}
		}
		return false
	}
}

// InArrayFold is InArray without regard to case.
func InArrayFold(list ...string) func(any) bool {
	return func(v any) bool {
		x, _ := v.(string)
		for _, s := range list {
			if strings.EqualFold(x, s) {
				return true
			}
		}
		return false
	}
}

// AtLeast accepts numbers from least on.
func AtLeast(least float64) func(any) bool {
	return func(v any) bool { x, ok := double(v); return ok && x >= least }
}

// Above accepts numbers greater than bound.
func Above(bound float64) func(any) bool {
	return func(v any) bool { x, ok := double(v); return ok && x > bound }
}

// Within accepts numbers from least to most.
func Within(least, most float64) func(any) bool {
	return func(v any) bool { x, ok := double(v); return ok && x >= least && x <= most }
}

// The parameters that many classes share.
var (
	inputCol   = Param{Name: "inputCol", Type: StringParam}
	inputCols  = Param{Name: "inputCols", Type: StringsParam}
	outputCols = Param{Name: "outputCols", Type: StringsParam}
	outputCol  = Param{Name: "outputCol", Type: StringParam, Default: func(uid string) any { return uid + "__output" }}
)

// ColumnParam declares a parameter that names a column.
func ColumnParam(name, fallback string) Param {
	p := Param{Name: name, Type: StringParam}
	if fallback != "" {
		p.Default = fallback
	}
	return p
}
