package plan

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"sync"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"millrace/errs"
	"millrace/types"
)

// Encode writes a plan that is not analysed as JSON, to be kept and read again by any millrace of the same version or a later one: each node
// and expression is {"": its type, its fields…}, of which those that are zero are left out. Plans of open tables (Scan, StreamScan) are
// refused.
func Encode(n Node) ([]byte, error) {
	var v any
	var err error
	if n != nil {
		v, err = encodeStruct(reflect.ValueOf(n).Elem())
	}
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, errs.Newf(errs.Internal, "a plan cannot be encoded: %v", err)
	}
	return bytes.TrimSpace(b.Bytes()), nil
}

// Decode reads what Encode wrote.
func Decode(data []byte) (Node, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, badPlan("%v", err)
	}
	var n Node
	if err := decode(v, reflect.ValueOf(&n).Elem()); err != nil {
		return nil, err
	}
	return n, nil
}

func badPlan(format string, args ...any) error {
	return errs.Newf(errs.Invalid, "a kept plan cannot be read: %s", fmt.Sprintf(format, args...))
}

// kindByName maps a node's or expression's name to its struct type.
var kindByName = sync.OnceValue(func() map[string]reflect.Type {
	m := map[string]reflect.Type{}
	for _, k := range kinds {
		t := reflect.TypeOf(k).Elem()
		m[t.Name()] = t
	}
	return m
})

const kindKey = "" // the member that holds a struct's type

var (
	typeOfType  = reflect.TypeFor[*types.Type]()
	typeOfTable = reflect.TypeFor[Table]()
	typeOfAny   = reflect.TypeFor[any]()
)

func encodeStruct(v reflect.Value) (any, error) {
	out := map[string]any{}
	t := v.Type()
	if kindByName()[t.Name()] == t {
		out[kindKey] = t.Name()
	}
	for i := range t.NumField() {
		f := v.Field(i)
		if f.IsZero() {
			continue
		}
		if f.Type() == typeOfTable || f.Type().Implements(typeOfTable) {
			return nil, errs.Newf(errs.Internal, "a plan with an open table cannot be kept")
		}
		e, err := encode(f)
		if err != nil {
			return nil, err
		}
		out[t.Field(i).Name] = e
	}
	return out, nil
}

// encode turns a field's value into what encoding/json writes.
func encode(v reflect.Value) (any, error) {
	if v.Type() == typeOfType {
		if v.IsNil() {
			return nil, nil
		}
		return json.RawMessage(v.Interface().(*types.Type).JSON()), nil
	}
	switch v.Kind() {
	case reflect.Interface:
		if v.IsNil() {
			return nil, nil
		}
		if v.Type() == typeOfAny {
			return encodeValue(v.Interface())
		}
		return encode(v.Elem())
	case reflect.Pointer:
		switch {
		case v.IsNil():
			return nil, nil
		case v.Elem().Kind() == reflect.Struct:
			return encodeStruct(v.Elem())
		}
		return encode(v.Elem())
	case reflect.Struct:
		return encodeStruct(v)
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return v.Bytes(), nil
		}
		return encodeList(v)
	case reflect.Map:
		out := map[string]any{}
		for it := v.MapRange(); it.Next(); {
			e, err := encode(it.Value())
			if err != nil {
				return nil, err
			}
			out[it.Key().String()] = e
		}
		return out, nil
	case reflect.Float64:
		return encodeFloat(v.Float()), nil
	}
	return v.Interface(), nil
}

func encodeList(v reflect.Value) (any, error) {
	out := make([]any, v.Len())
	for i := range out {
		e, err := encode(v.Index(i))
		if err != nil {
			return nil, err
		}
		out[i] = e
	}
	return out, nil
}

// encodeFloat writes all of a number's bits.
func encodeFloat(f float64) string { return strconv.FormatUint(math.Float64bits(f), 16) }

// encodeValue writes a value of any type as [its type, the value].
func encodeValue(v any) (any, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case bool:
		return []any{"bool", v}, nil
	case int64:
		return []any{"int64", v}, nil
	case int:
		return []any{"int", v}, nil
	case float64:
		return []any{"float64", encodeFloat(v)}, nil
	case string:
		return []any{"string", v}, nil
	case []byte:
		return []any{"bytes", v}, nil
	case decimal128.Num:
		return []any{"decimal", strconv.FormatInt(v.HighBits(), 10), strconv.FormatUint(v.LowBits(), 10)}, nil
	case []string:
		return []any{"strings", v}, nil
	case []any:
		out := []any{"list"}
		for _, e := range v {
			w, err := encodeValue(e)
			if err != nil {
				return nil, err
			}
			out = append(out, w)
		}
		return out, nil
	}
	r := reflect.ValueOf(v)
	if r.Kind() == reflect.Pointer && !r.IsNil() && kindByName()[r.Type().Elem().Name()] == r.Type().Elem() {
		n, err := encodeStruct(r.Elem())
		return []any{"node", n}, err
	}
	return nil, errs.Unsupportedf("A plan with a constant of %T cannot be kept.", v)
}

// decode puts a value that encoding/json read into a field.
func decode(v any, to reflect.Value) error {
	if v == nil {
		return nil
	}
	if to.Type() == typeOfType {
		text, err := json.Marshal(v)
		if err != nil {
			return badPlan("%v", err)
		}
		t, err := types.ParseJSON(text)
		if err != nil {
			return badPlan("%v", err)
		}
		to.Set(reflect.ValueOf(t))
		return nil
	}
	switch to.Kind() {
	case reflect.Interface:
		if to.Type() == typeOfAny {
			x, err := decodeValue(v)
			if err == nil && x != nil {
				to.Set(reflect.ValueOf(x))
			}
			return err
		}
		n, err := decodeKind(v)
		if err != nil {
			return err
		}
		if !n.Type().Implements(to.Type()) {
			return badPlan("a %s where a %s belongs", n.Type(), to.Type())
		}
		to.Set(n)
		return nil
	case reflect.Pointer:
		p := reflect.New(to.Type().Elem())
		if err := decode(v, p.Elem()); err != nil {
			return err
		}
		to.Set(p)
		return nil
	case reflect.Struct:
		return decodeStruct(v, to)
	case reflect.Slice, reflect.Map:
		return decodeMany(v, to)
	}
	return decodePlain(v, to)
}

// decodeKind makes the node or expression that an object says it is.
func decodeKind(v any) (reflect.Value, error) {
	m, ok := v.(map[string]any)
	name, _ := m[kindKey].(string)
	t := kindByName()[name]
	if !ok || t == nil {
		return reflect.Value{}, badPlan("there is no node %q", name)
	}
	p := reflect.New(t)
	return p, decodeStruct(v, p.Elem())
}

func decodeStruct(v any, to reflect.Value) error {
	m, ok := v.(map[string]any)
	if !ok {
		return badPlan("%T where a %s belongs", v, to.Type())
	}
	for name, e := range m {
		if name == kindKey {
			continue
		}
		f := to.FieldByName(name)
		if !f.IsValid() {
			return badPlan("%s has no field %s", to.Type(), name)
		}
		if err := decode(e, f); err != nil {
			return err
		}
	}
	return nil
}

func decodeMany(v any, to reflect.Value) error {
	switch v := v.(type) {
	case string: // []byte
		return decodePlain(v, to)
	case []any:
		list := reflect.MakeSlice(to.Type(), len(v), len(v))
		for i, e := range v {
			if err := decode(e, list.Index(i)); err != nil {
				return err
			}
		}
		to.Set(list)
		return nil
	case map[string]any:
		m := reflect.MakeMap(to.Type())
		for k, e := range v {
			x := reflect.New(to.Type().Elem()).Elem()
			if err := decode(e, x); err != nil {
				return err
			}
			m.SetMapIndex(reflect.ValueOf(k), x)
		}
		to.Set(m)
		return nil
	}
	return badPlan("%T where a %s belongs", v, to.Type())
}

// decodePlain leaves numbers, texts and bytes to encoding/json.
func decodePlain(v any, to reflect.Value) error {
	if to.Kind() == reflect.Float64 {
		s, _ := v.(string)
		bits, err := strconv.ParseUint(s, 16, 64)
		if err != nil {
			return badPlan("%v", err)
		}
		to.SetFloat(math.Float64frombits(bits))
		return nil
	}
	text, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(text, to.Addr().Interface())
	}
	if err != nil {
		return badPlan("%v", err)
	}
	return nil
}

// decodeValue reads what encodeValue wrote.
func decodeValue(v any) (any, error) {
	l, ok := v.([]any)
	if !ok || len(l) == 0 {
		return nil, badPlan("a constant without its type")
	}
	kind, _ := l[0].(string)
	if kind == "list" {
		out := make([]any, len(l)-1)
		for i, e := range l[1:] {
			if e == nil {
				continue
			}
			var err error
			if out[i], err = decodeValue(e); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	if len(l) < 2 {
		return nil, badPlan("a constant without its value")
	}
	return decodeConstant(kind, l[1:])
}

func decodeConstant(kind string, l []any) (any, error) {
	plain := func(to any) (any, error) {
		r := reflect.ValueOf(to).Elem()
		err := decodePlain(l[0], r)
		return r.Interface(), err
	}
	switch kind {
	case "bool":
		return plain(new(bool))
	case "int64":
		return plain(new(int64))
	case "int":
		return plain(new(int))
	case "float64":
		return plain(new(float64))
	case "string":
		return plain(new(string))
	case "bytes":
		return plain(new([]byte))
	case "strings":
		return plain(new([]string))
	case "decimal":
		if len(l) == 2 {
			hi, err1 := strconv.ParseInt(strings.TrimSpace(fmt.Sprint(l[0])), 10, 64)
			lo, err2 := strconv.ParseUint(strings.TrimSpace(fmt.Sprint(l[1])), 10, 64)
			if err1 == nil && err2 == nil {
				return decimal128.New(hi, lo), nil
			}
		}
	case "node":
		n, err := decodeKind(l[0])
		if err != nil {
			return nil, err
		}
		return n.Interface(), nil
	}
	return nil, badPlan("there is no constant of type %q", kind)
}
