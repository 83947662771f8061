package protobuf

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strconv"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"millrace/errs"
	"millrace/table/internal/column"
	"millrace/table/internal/lines"
	"millrace/types"
	"millrace/vector"
)

var errOtherType = errors.New("a field of the message has another type than in the descriptor")

// value is a field's value: the bits of a number, or a text, binary or message.
type value struct {
	bits uint64
	text []byte
}

// message reads the messages of one place in the type; its fields hold what was found so far in the one that is being read.
type message struct {
	fields   []*field // as in the descriptor
	byNumber map[protowire.Number]*field
	members  []*field // of the struct's members; nil: always null
	root     bool
	required bool // some fields are
}

type field struct {
	fd       protoreflect.FieldDescriptor
	wire     protowire.Type
	at       int      // member of the struct, or -1: it is not read, only checked
	list     bool     // repeated
	presence bool     // a zero is a value
	closed   bool     // other numbers than the enum's are no values
	strict   bool     // texts must be UTF-8
	rivals   []*field // of the same oneof
	standing *value   // what it has when it is not there; nil: null
	add      func(v value, c *column.Column) error

	seen bool
	now  value
}

// Decoder reads messages; it is used by one goroutine at a time.
type Decoder struct {
	root *message
	typ  *types.Type
	o    *Options
}

// NewDecoder compiles the reading of messages as a type, which is that of Type with the same options.
func (m *Message) NewDecoder(t *types.Type, o *Options) (*Decoder, error) {
	k := &compiler{o: o, m: m}
	root, err := k.message(m.desc, t)
	if err != nil {
		return nil, err
	}
	root.root = true
	return &Decoder{root, t, o}, nil
}

type compiler struct {
	o *Options
	m *Message
}

func (k *compiler) message(d protoreflect.MessageDescriptor, t *types.Type) (*message, error) {
	m := &message{byNumber: map[protowire.Number]*field{}, members: make([]*field, len(t.Fields))}
	for i := range d.Fields().Len() {
		fd := d.Fields().Get(i)
		f := newField(fd)
		m.fields, m.byNumber[fd.Number()] = append(m.fields, f), f
		m.required = m.required || fd.Cardinality() == protoreflect.Required
		f.at = slices.IndexFunc(t.Fields, func(w types.Field) bool { return w.Name == string(fd.Name()) })
		if f.at < 0 {
			continue
		}
		m.members[f.at] = f
		if !f.list && (fd.HasDefault() || !f.presence && k.o.defaults) {
			f.standing = defaultOf(fd)
		}
		if err := k.adding(f, t.Fields[f.at].Type); err != nil {
			return nil, err
		}
	}
	for _, f := range m.fields {
		if one := f.fd.ContainingOneof(); one != nil {
			for i := range one.Fields().Len() {
				if other := m.byNumber[one.Fields().Get(i).Number()]; other != f {
					f.rivals = append(f.rivals, other)
				}
			}
		}
	}
	return m, nil
}

func newField(fd protoreflect.FieldDescriptor) *field {
	old := fd.ParentFile().Syntax() == protoreflect.Proto2
	return &field{fd: fd, wire: wireOf(fd.Kind()), list: fd.Cardinality() == protoreflect.Repeated, presence: fd.HasPresence(),
		strict: fd.Kind() == protoreflect.StringKind && !old,
		closed: fd.Kind() == protoreflect.EnumKind && (old || fd.Enum().IsClosed())}
}

func wireOf(k protoreflect.Kind) protowire.Type {
	switch k {
	case protoreflect.Fixed32Kind, protoreflect.Sfixed32Kind, protoreflect.FloatKind:
		return protowire.Fixed32Type
	case protoreflect.Fixed64Kind, protoreflect.Sfixed64Kind, protoreflect.DoubleKind:
		return protowire.Fixed64Type
	case protoreflect.StringKind, protoreflect.BytesKind, protoreflect.MessageKind:
		return protowire.BytesType
	case protoreflect.GroupKind:
		return protowire.StartGroupType
	}
	return protowire.VarintType
}

// defaultOf is a field's value where there is none: of a message, an empty one.
func defaultOf(fd protoreflect.FieldDescriptor) *value {
	switch v := fd.Default(); fd.Kind() {
	case protoreflect.MessageKind, protoreflect.GroupKind:
		return &value{}
	case protoreflect.BoolKind:
		if v.Bool() {
			return &value{bits: 1}
		}
		return &value{}
	case protoreflect.StringKind:
		return &value{text: []byte(v.String())}
	case protoreflect.BytesKind:
		return &value{text: v.Bytes()}
	case protoreflect.FloatKind:
		return &value{bits: uint64(math.Float32bits(float32(v.Float())))}
	case protoreflect.DoubleKind:
		return &value{bits: math.Float64bits(v.Float())}
	case protoreflect.EnumKind:
		return &value{bits: uint64(v.Enum())}
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind, protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return &value{bits: v.Uint()}
	default:
		return &value{bits: uint64(v.Int())}
	}
}

// adding makes what appends a value of a field to its column: to the elements' if it is a list, to the map's own if it is one.
func (k *compiler) adding(f *field, t *types.Type) (err error) {
	if f.fd.IsMap() {
		return k.entries(f, t)
	}
	if f.list {
		t = t.Elem
	}
	d := f.fd.Message()
	switch {
	case d == nil:
		f.add = scalar(f, t)
	case t.Kind == types.KindStruct:
		var m *message
		if m, err = k.message(d, t); err == nil {
			f.add = func(v value, c *column.Column) error { return m.read(v.text, c) }
		}
	case isMoment(d, d.Name()):
		f.add, err = k.moment(d)
	case d.FullName() == anyName:
		f.add = k.m.anyText(k.o)
	default:
		err = k.wrapped(f, d, t)
	}
	return err
}

// entries makes a map's reading: an entry is a message of a key and a value, which have defaults.
func (k *compiler) entries(f *field, t *types.Type) error {
	pair := types.Struct(types.Field{Name: "key", Type: t.Key}, types.Field{Name: "value", Type: t.Elem})
	m, err := k.message(f.fd.Message(), pair)
	if err != nil {
		return err
	}
	key, val := m.members[0], m.members[1]
	key.standing, val.standing = defaultOf(key.fd), defaultOf(val.fd)
	f.add = func(v value, c *column.Column) error {
		if err := m.scan(v.text, nil); err != nil {
			return err
		}
		if err := key.append(c.Children[0]); err != nil {
			return err
		}
		return val.append(c.Children[1])
	}
	return nil
}

// moment reads a Timestamp or Duration as microseconds.
func (k *compiler) moment(d protoreflect.MessageDescriptor) (func(v value, c *column.Column) error, error) {
	m, err := k.message(d, types.Struct())
	if err != nil {
		return nil, err
	}
	seconds, nanos := m.fields[0], m.fields[1]
	if seconds.fd.Kind() != protoreflect.Int64Kind || nanos.fd.Kind() != protoreflect.Int32Kind || seconds.list || nanos.list {
		return nil, errs.Newf(errs.Invalid, "The Protobuf message %s has seconds and nanos of other types than int64 and int32.", d.FullName())
	}
	return func(v value, c *column.Column) error {
		if err := m.scan(v.text, nil); err != nil {
			return err
		}
		var s, micros, carry int64
		if seconds.seen {
			s = int64(seconds.now.bits)
		}
		if nanos.seen {
			carry = int64(int32(nanos.now.bits)) / 1000
		}
		hi, lo := bits.Mul64(uint64(max(s, -s)), 1e6)
		if micros = int64(lo); hi != 0 || micros < 0 || s == math.MinInt64 {
			return errors.New("long overflow")
		}
		if s < 0 {
			micros = -micros
		}
		c.Fixed(micros + carry)
		return nil
	}, nil
}

// wrapped reads the value inside of a wrapper, which is null if it is not there.
func (k *compiler) wrapped(f *field, d protoreflect.MessageDescriptor, t *types.Type) error {
	name := string(d.Fields().Get(0).Name())
	m, err := k.message(d, types.Struct(types.Field{Name: name, Type: t}))
	if err != nil {
		return err
	}
	f.add = func(v value, c *column.Column) error {
		if err := m.scan(v.text, nil); err != nil {
			return err
		}
		return m.members[0].append(c)
	}
	return nil
}

func scalar(f *field, t *types.Type) func(v value, c *column.Column) error {
	switch t.Kind {
	case types.KindString:
		if f.fd.Kind() == protoreflect.EnumKind {
			return enumName(f.fd.Enum())
		}
		return func(v value, c *column.Column) error { c.Str(lines.Repaired(v.text)); return nil }
	case types.KindBinary:
		return func(v value, c *column.Column) error { c.Str(v.text); return nil }
	case types.KindDecimal:
		return func(v value, c *column.Column) error { c.Wide(v.bits, 0); return nil }
	case types.KindLong:
		if f.fd.Kind() == protoreflect.Uint32Kind {
			return func(v value, c *column.Column) error { c.Fixed(int64(uint32(v.bits))); return nil }
		}
	}
	return func(v value, c *column.Column) error { c.Fixed(int64(v.bits)); return nil }
}

// enumName appends the name of an enum's number; one that has none gets the name that Java gives it.
func enumName(e protoreflect.EnumDescriptor) func(v value, c *column.Column) error {
	return func(v value, c *column.Column) error {
		n := protoreflect.EnumNumber(int32(v.bits))
		if d := e.Values().ByNumber(n); d != nil {
			c.Str([]byte(d.Name()))
		} else {
			c.Str([]byte("UNKNOWN_ENUM_VALUE_" + string(e.Name()) + "_" + strconv.Itoa(int(n))))
		}
		return nil
	}
}

// append appends what a field that is no list has in the message that was scanned.
func (f *field) append(c *column.Column) error {
	switch {
	case f.seen:
		return f.add(f.now, c)
	case f.standing != nil:
		return f.add(*f.standing, c)
	}
	c.Null()
	return nil
}

// read appends a message to the column of a struct.
func (m *message) read(data []byte, c *column.Column) error {
	if err := m.scan(data, c); err != nil {
		return err
	}
	for i, f := range m.members {
		child := c.Children[i]
		switch {
		case f == nil:
			child.Null()
		case f.list:
			child.List()
		default:
			if err := f.append(child); err != nil {
				return err
			}
		}
	}
	c.Done(true)
	return nil
}

// scan finds a message's fields. Elements of lists are appended to the children of c at once.
func (m *message) scan(data []byte, c *column.Column) error {
	for _, f := range m.fields {
		f.seen, f.now = false, value{}
	}
	for len(data) > 0 {
		number, typ, n := protowire.ConsumeTag(data)
		if n < 0 {
			return protowire.ParseError(n)
		}
		data = data[n:]
		f := m.byNumber[number]
		size := protowire.ConsumeFieldValue(number, typ, data)
		if size < 0 {
			return protowire.ParseError(size)
		}
		var err error
		switch {
		case f == nil:
		case typ == f.wire:
			_, err = m.take(f, data[:size], c)
		case f.list && typ == protowire.BytesType && f.wire != protowire.StartGroupType: // packed
			var packed []byte
			for packed, _ = protowire.ConsumeBytes(data); len(packed) > 0 && err == nil; packed = packed[n:] {
				n, err = m.take(f, packed, c)
			}
		case m.root:
			err = errOtherType
		}
		if err != nil {
			return err
		}
		data = data[size:]
	}
	for _, f := range m.fields {
		switch {
		case !f.seen && m.required && f.fd.Cardinality() == protoreflect.Required:
			return fmt.Errorf("the message lacks the required field %s", f.fd.Name())
		case f.seen && f.at < 0 && f.fd.Message() != nil:
			if err := check(f.fd.Message(), f.now.text); err != nil {
				return err
			}
		}
	}
	return nil
}

// take reads a value at the beginning of data and says how long it is.
func (m *message) take(f *field, data []byte, c *column.Column) (int, error) {
	v, n := consume(f.fd, data)
	if n < 0 {
		return 0, protowire.ParseError(n)
	}
	switch {
	case f.strict && !utf8.Valid(v.text):
		return 0, fmt.Errorf("the text of the field %s is not UTF-8", f.fd.Name())
	case f.closed && f.fd.Enum().Values().ByNumber(protoreflect.EnumNumber(int32(v.bits))) == nil:
		if m.root {
			return 0, errOtherType
		}
		return n, nil
	case !f.list:
		for _, r := range f.rivals {
			r.seen, r.now = false, value{}
		}
		if f.seen && f.fd.Message() != nil { // the parts of a message belong together
			v.text = append(slices.Clone(f.now.text), v.text...)
		}
		f.now, f.seen = v, f.presence || v.bits != 0 || len(v.text) > 0
		return n, nil
	case f.at < 0:
		if f.fd.Message() != nil {
			return n, check(f.fd.Message(), v.text)
		}
		return n, nil
	case f.fd.IsMap():
		return n, f.add(v, c.Children[f.at])
	}
	return n, f.add(v, c.Children[f.at].Children[0])
}

// consume reads a value of a field's own type.
func consume(fd protoreflect.FieldDescriptor, data []byte) (v value, n int) {
	switch kind := fd.Kind(); wireOf(kind) {
	case protowire.VarintType:
		v.bits, n = protowire.ConsumeVarint(data)
		switch kind {
		case protoreflect.BoolKind:
			v.bits = min(v.bits, 1)
		case protoreflect.Sint32Kind:
			v.bits = uint64(protowire.DecodeZigZag(v.bits & math.MaxUint32))
		case protoreflect.Sint64Kind:
			v.bits = uint64(protowire.DecodeZigZag(v.bits))
		case protoreflect.Int32Kind, protoreflect.Uint32Kind, protoreflect.EnumKind:
			v.bits = uint64(int64(int32(v.bits)))
		}
	case protowire.Fixed32Type:
		var u uint32
		u, n = protowire.ConsumeFixed32(data)
		v.bits = uint64(u)
	case protowire.Fixed64Type:
		v.bits, n = protowire.ConsumeFixed64(data)
	case protowire.BytesType:
		v.text, n = protowire.ConsumeBytes(data)
	default:
		v.text, n = protowire.ConsumeGroup(fd.Number(), data)
	}
	return v, n
}

// check reads a message that no column holds, since it must be one.
func check(d protoreflect.MessageDescriptor, data []byte) error {
	missing := d.RequiredNumbers().Len()
	var found map[protowire.Number]bool
	for len(data) > 0 {
		number, typ, n := protowire.ConsumeTag(data)
		if n < 0 {
			return protowire.ParseError(n)
		}
		data = data[n:]
		if n = protowire.ConsumeFieldValue(number, typ, data); n < 0 {
			return protowire.ParseError(n)
		}
		if fd := d.Fields().ByNumber(number); fd != nil && wireOf(fd.Kind()) == typ {
			v, _ := consume(fd, data)
			switch {
			case fd.Message() != nil:
				if err := check(fd.Message(), v.text); err != nil {
					return err
				}
			case newField(fd).strict && !utf8.Valid(v.text):
				return fmt.Errorf("the text of the field %s is not UTF-8", fd.Name())
			}
			if fd.Cardinality() == protoreflect.Required && !found[number] {
				if found == nil {
					found = map[protowire.Number]bool{}
				}
				found[number] = true
				missing--
			}
		}
		data = data[n:]
	}
	if missing > 0 {
		return fmt.Errorf("a message of %s lacks required fields", d.Name())
	}
	return nil
}

// Values gathers messages that are read.
type Values struct {
	*Decoder
	column *column.Column
}

// Values begins an empty column.
func (d *Decoder) Values() *Values { return &Values{d, column.New(d.typ)} }

// Null appends a row that has no message.
func (v *Values) Null() { v.column.Null() }

// Add appends a message. One that is none is null, or an error.
func (v *Values) Add(text []byte) error {
	n := v.column.N
	err := v.root.read(text, v.column)
	if err == nil {
		return nil
	}
	if v.o.permissive {
		v.column.Truncate(n)
		v.column.Null()
		return nil
	}
	e := errs.New("MALFORMED_PROTOBUF_MESSAGE", "failFastMode", "FAILFAST")
	e.Cause = err
	return e
}

// Vector is the rows so far.
func (v *Values) Vector() *vector.Vector { return v.column.Vector() }
