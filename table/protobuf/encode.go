package protobuf

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"millrace/errs"
	"millrace/types"
	"millrace/vector"
)

// encoder appends a row of a column, which is not null, without its field's tag.
type encoder func(dst []byte, v *vector.Vector, row int) ([]byte, error)

// Encoder writes structs as messages.
type Encoder struct{ encode encoder }

// NewEncoder compiles the writing of structs of a type; fields are found by name, with regard to case or without.
func (m *Message) NewEncoder(t *types.Type, caseSensitive bool) (*Encoder, error) {
	w := writing{same: strings.EqualFold}
	if caseSensitive {
		w.same = func(a, b string) bool { return a == b }
	}
	e, err := w.message(t, m.desc, nil, nil)
	if err != nil {
		wrong := errs.New("UNABLE_TO_CONVERT_TO_PROTOBUF_MESSAGE_TYPE", "protobufType", string(m.desc.Name()), "toType", `"`+t.SQL()+`"`)
		wrong.Cause = err
		return nil, wrong
	}
	return &Encoder{e}, nil
}

// Append writes a row, which is not null.
func (e *Encoder) Append(dst []byte, v *vector.Vector, row int) ([]byte, error) {
	return plain(e.encode, dst, v, row)
}

// plain calls an encoder with a vector that is neither constant nor a dictionary's.
func plain(e encoder, dst []byte, v *vector.Vector, row int) ([]byte, error) {
	row = v.Row(row)
	if v.Dict != nil {
		v, row = v.Dict, int(vector.Codes(v)[row])
	}
	return e(dst, v, row)
}

type writing struct{ same func(a, b string) bool }

// member is a struct's field and what writes it, tag and all.
type member struct {
	fd     protoreflect.FieldDescriptor
	at     int
	later  []int // members of the same oneof behind it, which take its place
	encode encoder
	zero   []byte // what stands for null
}

func place(path []string) string {
	if len(path) == 0 {
		return "top-level record"
	}
	return "field '" + strings.Join(path, ".") + "'"
}

func below(path []string, name string) []string { return append(path[:len(path):len(path)], name) }

// find is the descriptor's field of a name.
func (w writing) find(d protoreflect.MessageDescriptor, name string, path []string) (found protoreflect.FieldDescriptor, err error) {
	var names []string
	for i := range d.Fields().Len() {
		if fd := d.Fields().Get(i); w.same(string(fd.Name()), name) {
			found, names = fd, append(names, string(fd.Name()))
		}
	}
	if len(names) > 1 {
		return nil, errs.New("PROTOBUF_FIELD_MISSING", "field", name, "protobufSchema", place(path), "matchSize", strconv.Itoa(len(names)),
			"matches", "["+strings.Join(names, ", ")+"]")
	}
	return found, nil
}

// message writes a struct as a message, field by field in the order of their numbers.
func (w writing) message(t *types.Type, d protoreflect.MessageDescriptor, path, protoPath []string) (encoder, error) {
	var members []*member
	for at, f := range t.Fields {
		fd, err := w.find(d, f.Name, protoPath)
		if err != nil {
			return nil, err
		}
		if fd == nil {
			return nil, errs.New("NO_SQL_TYPE_IN_PROTOBUF_SCHEMA", "catalystFieldPath", place(below(path, f.Name)))
		}
		m := &member{fd: fd, at: at}
		for _, earlier := range members {
			if one := fd.ContainingOneof(); one != nil && earlier.fd.ContainingOneof() == one {
				earlier.later = append(earlier.later, at)
			}
		}
		members = append(members, m)
	}
	for i := range d.RequiredNumbers().Len() {
		n := d.RequiredNumbers().Get(i)
		if !slices.ContainsFunc(members, func(m *member) bool { return m.fd.Number() == n }) {
			return nil, errs.New("PROTOBUF_FIELD_MISSING_IN_SQL_SCHEMA", "field", place(below(protoPath, string(d.Fields().ByNumber(n).Name()))))
		}
	}
	for _, m := range members {
		f := t.Fields[m.at]
		e, err := w.field(f.Type, m.fd, below(path, f.Name), below(protoPath, string(m.fd.Name())))
		if err != nil {
			return nil, err
		}
		m.encode = e
		if m.fd.Cardinality() == protoreflect.Required && m.fd.Message() == nil {
			m.zero = appendDefault(protowire.AppendTag(nil, m.fd.Number(), wireOf(m.fd.Kind())), m.fd)
		}
	}
	slices.SortStableFunc(members, func(a, b *member) int { return int(a.fd.Number() - b.fd.Number()) })
	return func(dst []byte, v *vector.Vector, row int) ([]byte, error) {
		var err error
		for _, m := range members {
			c := v.Children[m.at]
			switch {
			case c.IsNull(row):
				if m.fd.Cardinality() == protoreflect.Required && m.zero == nil {
					return nil, errs.Newf(errs.Invalid, "The Protobuf message %s lacks the required field %s.", d.Name(), m.fd.Name())
				}
				dst = append(dst, m.zero...)
			case !slices.ContainsFunc(m.later, func(at int) bool { return !v.Children[at].IsNull(row) }):
				if dst, err = plain(m.encode, dst, c, row); err != nil {
					return nil, err
				}
			}
		}
		return dst, nil
	}, nil
}

func appendDefault(dst []byte, fd protoreflect.FieldDescriptor) []byte {
	v := defaultOf(fd)
	switch wireOf(fd.Kind()) {
	case protowire.Fixed32Type:
		return protowire.AppendFixed32(dst, uint32(v.bits))
	case protowire.Fixed64Type:
		return protowire.AppendFixed64(dst, v.bits)
	case protowire.BytesType:
		return protowire.AppendBytes(dst, v.text)
	}
	return protowire.AppendVarint(dst, zigzag(fd.Kind(), int64(v.bits)))
}

// zigzag is the form of a number in the wire's varint.
func zigzag(k protoreflect.Kind, n int64) uint64 {
	switch k {
	case protoreflect.Sint32Kind, protoreflect.Sint64Kind:
		return protowire.EncodeZigZag(n)
	case protoreflect.Uint32Kind:
		return uint64(uint32(n))
	}
	return uint64(n)
}

// field writes all of a field: tag and value, a list's elements, or a map's entries.
func (w writing) field(t *types.Type, fd protoreflect.FieldDescriptor, path, protoPath []string) (encoder, error) {
	switch {
	case t.Kind == types.KindNull:
		return func(dst []byte, _ *vector.Vector, _ int) ([]byte, error) { return dst, nil }, nil
	case t.Kind == types.KindMap && fd.IsMap():
		return w.entries(t, fd, path, protoPath)
	case t.Kind == types.KindArray && fd.IsList():
		return w.list(t, fd, path, protoPath)
	case fd.IsMap() || fd.IsList():
		return nil, cannotWrite(t, fd, path, protoPath)
	}
	return w.tagged(t, fd, !fd.HasPresence(), path, protoPath)
}

// tagged writes a tag and a value; sparing leaves out zeroes.
func (w writing) tagged(t *types.Type, fd protoreflect.FieldDescriptor, sparing bool, path, protoPath []string) (encoder, error) {
	e, err := w.value(t, fd, path, protoPath)
	if err != nil {
		return nil, err
	}
	tag := protowire.AppendTag(nil, fd.Number(), wireOf(fd.Kind()))
	var zero []byte
	if sparing && fd.Message() == nil {
		zero = appendDefault(nil, fd)
	}
	return func(dst []byte, v *vector.Vector, row int) ([]byte, error) {
		start := len(dst)
		dst = append(dst, tag...)
		dst, err := e(dst, v, row)
		if err == nil && zero != nil && string(dst[start+len(tag):]) == string(zero) {
			dst = dst[:start]
		}
		return dst, err
	}, nil
}

func (w writing) list(t *types.Type, fd protoreflect.FieldDescriptor, path, protoPath []string) (encoder, error) {
	path, protoPath = below(path, "element"), below(protoPath, "element")
	if t.Elem.Kind == types.KindArray || t.Elem.Kind == types.KindMap {
		return nil, cannotWrite(t.Elem, fd, path, protoPath)
	}
	e, err := w.value(t.Elem, fd, path, protoPath)
	if err != nil {
		return nil, err
	}
	tag := protowire.AppendTag(nil, fd.Number(), wireOf(fd.Kind()))
	packed := fd.IsPacked()
	if packed {
		tag = protowire.AppendTag(nil, fd.Number(), protowire.BytesType)
	}
	return func(dst []byte, v *vector.Vector, row int) ([]byte, error) {
		from, to := int(v.Offsets[row]), int(v.Offsets[row+1])
		if from == to {
			return dst, nil
		}
		start := 0
		if packed {
			dst = append(dst, tag...)
			start = len(dst)
		}
		var err error
		for i := from; i < to; i++ {
			if v.Children[0].IsNull(i) {
				return nil, errs.Newf(errs.Invalid, "An element of the array %s is null, for which Protobuf has no place.", strings.Join(path[:len(path)-1], "."))
			}
			if !packed {
				dst = append(dst, tag...)
			}
			if dst, err = plain(e, dst, v.Children[0], i); err != nil {
				return nil, err
			}
		}
		if packed {
			dst = prefixed(dst, start)
		}
		return dst, nil
	}, nil
}

// prefixed puts the length of what is behind start before it.
func prefixed(dst []byte, start int) []byte {
	n := len(dst) - start
	size := protowire.SizeVarint(uint64(n))
	dst = append(dst, make([]byte, size)...)
	copy(dst[start+size:], dst[start:start+n])
	protowire.AppendVarint(dst[:start], uint64(n))
	return dst
}

func (w writing) entries(t *types.Type, fd protoreflect.FieldDescriptor, path, protoPath []string) (encoder, error) {
	sparing := !fd.MapKey().HasPresence()
	key, err := w.tagged(t.Key, fd.MapKey(), sparing, below(path, "key"), below(protoPath, "key"))
	if err != nil {
		return nil, err
	}
	val, err := w.tagged(t.Elem, fd.MapValue(), sparing, below(path, "value"), below(protoPath, "value"))
	if err != nil {
		return nil, err
	}
	tag := protowire.AppendTag(nil, fd.Number(), protowire.BytesType)
	var none []byte // the value that stands for null
	if !sparing || fd.MapValue().Message() != nil {
		none = protowire.AppendTag(nil, fd.MapValue().Number(), wireOf(fd.MapValue().Kind()))
		none = appendDefault(none, fd.MapValue())
	}
	return func(dst []byte, v *vector.Vector, row int) ([]byte, error) {
		var err error
		for i := int(v.Offsets[row]); i < int(v.Offsets[row+1]); i++ {
			dst = append(dst, tag...)
			start := len(dst)
			dst, err = plain(key, dst, v.Children[0], i)
			switch {
			case err != nil:
			case v.Children[1].IsNull(i):
				dst = append(dst, none...)
			default:
				dst, err = plain(val, dst, v.Children[1], i)
			}
			if err != nil {
				return nil, err
			}
			dst = prefixed(dst, start)
		}
		return dst, nil
	}, nil
}

func cannotWrite(t *types.Type, fd protoreflect.FieldDescriptor, path, protoPath []string) error {
	return errs.New("CANNOT_CONVERT_SQL_TYPE_TO_PROTOBUF_FIELD_TYPE", "sqlColumn", types.QuoteParts(path...), "protobufColumn", place(protoPath),
		"sqlType", `"`+t.SQL()+`"`, "protobufType", fmt.Sprintf("%s %s %s", fd.FullName(), fd.Cardinality(), fd.Kind()))
}

// value writes single values without the tag.
func (w writing) value(t *types.Type, fd protoreflect.FieldDescriptor, path, protoPath []string) (encoder, error) {
	if t.Kind == types.KindUDT {
		t = t.Elem
	}
	var e encoder
	if d := fd.Message(); d == nil {
		e = scalarEncoder(t, fd, path, protoPath)
	} else {
		inner, err := w.inner(t, d, path, protoPath)
		if err != nil {
			return nil, err
		}
		if inner != nil {
			e = nested(inner, fd)
		}
	}
	if e == nil {
		return nil, cannotWrite(t, fd, path, protoPath)
	}
	return e, nil
}

func nested(inner encoder, fd protoreflect.FieldDescriptor) encoder {
	if fd.Kind() == protoreflect.GroupKind {
		end := protowire.AppendTag(nil, fd.Number(), protowire.EndGroupType)
		return func(dst []byte, v *vector.Vector, row int) ([]byte, error) {
			dst, err := inner(dst, v, row)
			return append(dst, end...), err
		}
	}
	return func(dst []byte, v *vector.Vector, row int) ([]byte, error) {
		start := len(dst)
		dst, err := inner(dst, v, row)
		if err != nil {
			return nil, err
		}
		return prefixed(dst, start), nil
	}
}

// inner writes what is in a message, for a struct or what stands for a well-known message; nil: the type does not.
func (w writing) inner(t *types.Type, d protoreflect.MessageDescriptor, path, protoPath []string) (encoder, error) {
	switch {
	case t.Kind == types.KindStruct:
		return w.message(t, d, path, protoPath)
	case t.Kind == types.KindTimestamp && isMoment(d, "Timestamp"), t.Kind == types.KindDayTime && isMoment(d, "Duration"):
		return moment(d), nil
	case isWrapper(d) && wraps(t, d.Fields().Get(0).Kind()):
		return w.tagged(t, d.Fields().Get(0), true, path, protoPath)
	}
	return nil, nil
}

// wraps are the types that Spark puts into wrappers.
func wraps(t *types.Type, k protoreflect.Kind) bool {
	switch t.Kind {
	case types.KindInteger:
		return k == protoreflect.Int32Kind || k == protoreflect.Uint32Kind
	case types.KindLong:
		return k == protoreflect.Int64Kind || k == protoreflect.Uint64Kind
	case types.KindBoolean, types.KindString, types.KindBinary, types.KindFloat, types.KindDouble:
		return t.Kind == map[protoreflect.Kind]types.Kind{protoreflect.BoolKind: types.KindBoolean, protoreflect.StringKind: types.KindString,
			protoreflect.BytesKind: types.KindBinary, protoreflect.FloatKind: types.KindFloat, protoreflect.DoubleKind: types.KindDouble}[k]
	}
	return false
}

// moment writes microseconds as seconds and nanoseconds of one sign; as in Spark, milliseconds count.
func moment(d protoreflect.MessageDescriptor) encoder {
	seconds, nanos := d.Fields().Get(0).Number(), d.Fields().Get(1).Number()
	return func(dst []byte, v *vector.Vector, row int) ([]byte, error) {
		micros := vector.Values[int64](v)[row]
		millis := micros / 1000
		if micros%1000 < 0 {
			millis--
		}
		if s := millis / 1000; s != 0 {
			dst = protowire.AppendVarint(protowire.AppendTag(dst, seconds, protowire.VarintType), uint64(s))
		}
		if n := millis % 1000 * 1e6; n != 0 {
			dst = protowire.AppendVarint(protowire.AppendTag(dst, nanos, protowire.VarintType), uint64(n))
		}
		return dst, nil
	}
}

func scalarEncoder(t *types.Type, fd protoreflect.FieldDescriptor, path, protoPath []string) encoder {
	kind := fd.Kind()
	switch kind {
	case protoreflect.BoolKind:
		if t.Kind == types.KindBoolean {
			return func(dst []byte, v *vector.Vector, row int) ([]byte, error) { return append(dst, v.Data[row]), nil }
		}
	case protoreflect.EnumKind:
		return enumEncoder(t, fd.Enum(), path, protoPath)
	case protoreflect.StringKind, protoreflect.BytesKind:
		if t.Kind == types.KindString && kind == protoreflect.StringKind || t.Kind == types.KindBinary && kind == protoreflect.BytesKind {
			return func(dst []byte, v *vector.Vector, row int) ([]byte, error) {
				return protowire.AppendBytes(dst, v.Str(row)), nil
			}
		}
	case protoreflect.FloatKind, protoreflect.DoubleKind:
		if t.Kind == types.KindFloat && kind == protoreflect.FloatKind || t.Kind == types.KindDouble && kind == protoreflect.DoubleKind {
			n := vector.Width(t)
			return func(dst []byte, v *vector.Vector, row int) ([]byte, error) {
				return append(dst, v.Data[row*n:(row+1)*n]...), nil
			}
		}
	default:
		if get := integerOf(t, kind); get != nil {
			return integer(get, kind)
		}
	}
	return nil
}

// integerOf reads the numbers that a column of a type gives to a field of a kind; nil: it gives none.
func integerOf(t *types.Type, k protoreflect.Kind) func(v *vector.Vector, row int) int64 {
	short := false
	switch k {
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Uint32Kind, protoreflect.Fixed32Kind, protoreflect.Sfixed32Kind:
		short = true
	}
	switch {
	case short && t.Kind == types.KindByte:
		return func(v *vector.Vector, row int) int64 { return int64(vector.Values[int8](v)[row]) }
	case short && t.Kind == types.KindShort:
		return func(v *vector.Vector, row int) int64 { return int64(vector.Values[int16](v)[row]) }
	case short && (t.Kind == types.KindInteger || t.Kind == types.KindDate):
		return func(v *vector.Vector, row int) int64 { return int64(vector.Values[int32](v)[row]) }
	case !short && t.Kind == types.KindLong, k == protoreflect.Uint32Kind && t.Kind == types.KindLong:
		return func(v *vector.Vector, row int) int64 { return vector.Values[int64](v)[row] }
	case k == protoreflect.Uint64Kind && t.Kind == types.KindDecimal && t.Scale == 0 && t.IsShortDecimal():
		return func(v *vector.Vector, row int) int64 { return vector.Values[int64](v)[row] }
	case k == protoreflect.Uint64Kind && t.Kind == types.KindDecimal && t.Scale == 0:
		return func(v *vector.Vector, row int) int64 { return int64(vector.Values[decimal128.Num](v)[row].LowBits()) }
	}
	return nil
}

func integer(get func(v *vector.Vector, row int) int64, k protoreflect.Kind) encoder {
	switch wireOf(k) {
	case protowire.Fixed32Type:
		return func(dst []byte, v *vector.Vector, row int) ([]byte, error) {
			return protowire.AppendFixed32(dst, uint32(get(v, row))), nil
		}
	case protowire.Fixed64Type:
		return func(dst []byte, v *vector.Vector, row int) ([]byte, error) {
			return protowire.AppendFixed64(dst, uint64(get(v, row))), nil
		}
	}
	return func(dst []byte, v *vector.Vector, row int) ([]byte, error) {
		return protowire.AppendVarint(dst, zigzag(k, get(v, row))), nil
	}
}

// enumEncoder writes names or numbers of an enum.
func enumEncoder(t *types.Type, e protoreflect.EnumDescriptor, path, protoPath []string) encoder {
	if t.Kind != types.KindString && t.Kind != types.KindInteger {
		return nil
	}
	var names, numbers []string
	for i := range e.Values().Len() {
		d := e.Values().Get(i)
		names, numbers = append(names, `"`+string(d.Name())+`"`), append(numbers, strconv.Itoa(int(d.Number())))
	}
	return func(dst []byte, v *vector.Vector, row int) ([]byte, error) {
		var d protoreflect.EnumValueDescriptor
		var data string
		all := names
		if t.Kind == types.KindString {
			data = string(v.Str(row))
			d = e.Values().ByName(protoreflect.Name(data))
		} else {
			n := vector.Values[int32](v)[row]
			data, all = strconv.Itoa(int(n)), numbers
			d = e.Values().ByNumber(protoreflect.EnumNumber(n))
		}
		if d == nil {
			return nil, errs.New("CANNOT_CONVERT_SQL_VALUE_TO_PROTOBUF_ENUM_TYPE", "sqlColumn", types.QuoteParts(path...), "protobufColumn", place(protoPath),
				"data", data, "enumString", strings.Join(all, ", "))
		}
		return protowire.AppendVarint(dst, uint64(d.Number())), nil
	}
}
