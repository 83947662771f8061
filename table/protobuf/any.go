package protobuf

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"
	"google.golang.org/protobuf/types/known/anypb"

	"millrace/operators/expr"
	"millrace/table/internal/column"
)

// printer writes messages as JSON, as Java's JsonFormat does: fields by number under their own names, without white space.
type printer struct {
	m       *Message
	numbers bool // of enums
	out     []byte
}

// anyText appends what an Any holds as JSON.
func (m *Message) anyText(o *Options) func(v value, c *column.Column) error {
	return func(v value, c *column.Column) error {
		var a anypb.Any
		if err := proto.Unmarshal(v.text, &a); err != nil {
			return err
		}
		p := &printer{m: m, numbers: o.enumNumbers}
		if err := p.any(&a); err != nil {
			return err
		}
		c.Str(p.out)
		return nil
	}
}

func (p *printer) text(s string) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(true)
	_ = e.Encode(s)
	p.out = append(p.out, strings.NewReplacer("=", `\u003d`, "'", `\u0027`).Replace(strings.TrimSuffix(b.String(), "\n"))...)
}

func (p *printer) any(a *anypb.Any) error {
	if a.TypeUrl == "" && len(a.Value) == 0 {
		p.out = append(p.out, "{}"...)
		return nil
	}
	name := protoreflect.FullName(a.TypeUrl[strings.LastIndexByte(a.TypeUrl, '/')+1:])
	found, err := p.m.files.FindDescriptorByName(name)
	d, ok := found.(protoreflect.MessageDescriptor)
	if err != nil || !ok {
		return fmt.Errorf("cannot find the type for the url: %s", a.TypeUrl)
	}
	inner := dynamicpb.NewMessage(d)
	if err := proto.Unmarshal(a.Value, inner); err != nil {
		return err
	}
	p.out = append(p.out, `{"@type":`...)
	p.text(a.TypeUrl)
	if special[name] || name == anyName {
		p.out = append(p.out, `,"value":`...)
		if err := p.message(inner); err != nil {
			return err
		}
		p.out = append(p.out, '}')
		return nil
	}
	return p.rest(inner)
}

// special are the messages that have a form of their own in JSON.
var special = map[protoreflect.FullName]bool{"google.protobuf.Timestamp": true, "google.protobuf.Duration": true, "google.protobuf.FieldMask": true,
	"google.protobuf.Struct": true, "google.protobuf.Value": true, "google.protobuf.ListValue": true}

func (p *printer) message(m protoreflect.Message) error {
	d := m.Descriptor()
	switch {
	case d.FullName() == anyName:
		raw, err := proto.Marshal(m.Interface())
		var a anypb.Any
		if err == nil {
			err = proto.Unmarshal(raw, &a)
		}
		if err != nil {
			return err
		}
		return p.any(&a)
	case isWrapper(d):
		f := d.Fields().Get(0)
		return p.value(f, m.Get(f))
	case special[d.FullName()]:
		raw, err := protojson.Marshal(m.Interface())
		if err != nil {
			return err
		}
		var b bytes.Buffer
		err = json.Compact(&b, raw)
		p.out = append(p.out, b.Bytes()...)
		return err
	}
	p.out = append(p.out, '{')
	return p.rest(m)
}

// rest writes a message's fields and its closing brace.
func (p *printer) rest(m protoreflect.Message) error {
	var fields []protoreflect.FieldDescriptor
	m.Range(func(f protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
		fields = append(fields, f)
		return true
	})
	slices.SortFunc(fields, func(a, b protoreflect.FieldDescriptor) int { return int(a.Number() - b.Number()) })
	for _, f := range fields {
		if last := p.out[len(p.out)-1]; last != '{' {
			p.out = append(p.out, ',')
		}
		p.text(string(f.Name()))
		p.out = append(p.out, ':')
		if err := p.field(f, m.Get(f)); err != nil {
			return err
		}
	}
	p.out = append(p.out, '}')
	return nil
}

func (p *printer) field(f protoreflect.FieldDescriptor, v protoreflect.Value) error {
	switch {
	case f.IsMap():
		return p.entries(f, v.Map())
	case f.IsList():
		p.out = append(p.out, '[')
		for i := range v.List().Len() {
			if i > 0 {
				p.out = append(p.out, ',')
			}
			if err := p.value(f, v.List().Get(i)); err != nil {
				return err
			}
		}
		p.out = append(p.out, ']')
		return nil
	}
	return p.value(f, v)
}

// entries writes a map, by keys: their order in the message is not known here.
func (p *printer) entries(f protoreflect.FieldDescriptor, m protoreflect.Map) error {
	var keys []protoreflect.MapKey
	m.Range(func(k protoreflect.MapKey, _ protoreflect.Value) bool {
		keys = append(keys, k)
		return true
	})
	slices.SortFunc(keys, func(a, b protoreflect.MapKey) int { return strings.Compare(a.String(), b.String()) })
	p.out = append(p.out, '{')
	for i, k := range keys {
		if i > 0 {
			p.out = append(p.out, ',')
		}
		p.text(k.String())
		p.out = append(p.out, ':')
		if err := p.value(f.MapValue(), m.Get(k)); err != nil {
			return err
		}
	}
	p.out = append(p.out, '}')
	return nil
}

func (p *printer) value(f protoreflect.FieldDescriptor, v protoreflect.Value) error {
	switch f.Kind() {
	case protoreflect.MessageKind, protoreflect.GroupKind:
		return p.message(v.Message())
	case protoreflect.StringKind:
		p.text(v.String())
	case protoreflect.BytesKind:
		p.out = append(base64.StdEncoding.AppendEncode(append(p.out, '"'), v.Bytes()), '"')
	case protoreflect.EnumKind:
		p.enum(f.Enum(), v.Enum())
	case protoreflect.FloatKind, protoreflect.DoubleKind:
		p.number(f.Kind() == protoreflect.FloatKind, v.Float())
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind, protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		p.out = append(p.out, '"')
		p.out = append(append(p.out, v.String()...), '"')
	default:
		p.out = append(p.out, v.String()...)
	}
	return nil
}

func (p *printer) enum(e protoreflect.EnumDescriptor, n protoreflect.EnumNumber) {
	d := e.Values().ByNumber(n)
	switch {
	case e.FullName() == "google.protobuf.NullValue":
		p.out = append(p.out, "null"...)
	case d == nil || p.numbers:
		p.out = strconv.AppendInt(p.out, int64(n), 10)
	default:
		p.text(string(d.Name()))
	}
}

func (p *printer) number(short bool, x float64) {
	switch {
	case math.IsNaN(x) || math.IsInf(x, 0):
		p.out = append(expr.AppendDouble(append(p.out, '"'), x), '"')
	case short:
		p.out = expr.AppendFloat(p.out, float32(x))
	default:
		p.out = expr.AppendDouble(p.out, x)
	}
}
