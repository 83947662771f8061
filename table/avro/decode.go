package avro

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/big"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"millrace/errs"
	"millrace/javatime"
	"millrace/table/internal/column"
	"millrace/types"
)

var errShort = errors.New("an Avro block ends in the middle of a value")

// input is the text of values, read from its beginning.
type input struct {
	data  []byte
	pos   int
	depth int // of records within themselves
}

// maxDepth is how deep a record may be in itself.
const maxDepth = 10000

func (in *input) long() (int64, error) {
	u, n := binary.Uvarint(in.data[in.pos:])
	if n <= 0 {
		return 0, errShort
	}
	in.pos += n
	return int64(u>>1) ^ -int64(u&1), nil
}

func (in *input) take(n int64) ([]byte, error) {
	if n < 0 || n > int64(len(in.data)-in.pos) {
		return nil, errShort
	}
	b := in.data[in.pos : in.pos+int(n)]
	in.pos += int(n)
	return b, nil
}

func (in *input) bytes() ([]byte, error) {
	n, err := in.long()
	if err != nil {
		return nil, err
	}
	return in.take(n)
}

// decoder appends one value of a schema to a column.
type decoder func(in *input, c *column.Column) error

// rebase is how dates and times of files that Spark 2 wrote are read.
type rebase struct {
	hybrid bool
	zone   *javatime.Zone
}

func (r rebase) day(d int64) int64 {
	if r.hybrid && javatime.OldDay(d) {
		return javatime.HybridDay(d)
	}
	return d
}

func (r rebase) moment(t int64) int64 {
	if r.hybrid && javatime.OldMoment(t) {
		return javatime.HybridMoment(t, r.zone)
	}
	return t
}

// compiler makes decoders.
type compiler struct {
	rebase rebase
	same   func(a, b string) bool // of fields' names
}

func mismatch(s *Schema, t *types.Type, path string) error {
	return errs.Newf(errs.Invalid, "Cannot convert Avro field '%s' to SQL field '%s' because schema is incompatible (avroType = %s, sqlType = %s).", path, path, s.describe(), t.SQL())
}

func (s *Schema) describe() string {
	if s.Name != "" {
		return s.Kind + " " + s.Name
	}
	return `"` + s.Kind + `"`
}

// decoder compiles the reading of a schema's values as a type.
func (k *compiler) decoder(s *Schema, t *types.Type, path string) (decoder, error) {
	if t.Kind == types.KindUDT {
		t = t.Elem
	}
	switch s.Kind {
	case "null":
		return func(_ *input, c *column.Column) error { c.Null(); return nil }, nil
	case "union":
		return k.union(s, t, path)
	case "record":
		if t.Kind == types.KindStruct {
			return k.record(s, t, path)
		}
	case "array":
		if t.Kind == types.KindArray {
			return k.array(s, t, path)
		}
	case "map":
		if t.Kind == types.KindMap && t.Key.Kind == types.KindString {
			return k.mapOf(s, t, path)
		}
	case "boolean":
		if t.Kind == types.KindBoolean {
			return boolean, nil
		}
	case "int", "long":
		if d := k.integer(s, t); d != nil {
			return d, nil
		}
	case "float", "double":
		if d := floating(s, t); d != nil {
			return d, nil
		}
	default:
		if d := text(s, t); d != nil {
			return d, nil
		}
	}
	return nil, mismatch(s, t, path)
}

func boolean(in *input, c *column.Column) error {
	b, err := in.take(1)
	if err != nil {
		return err
	}
	c.Fixed(int64(b[0] & 1))
	return nil
}

// integer reads int and long.
func (k *compiler) integer(s *Schema, t *types.Type) decoder {
	own, err := s.integral()
	if err != nil {
		return nil
	}
	convert := func(v int64) int64 { return v }
	switch {
	case t.Kind == types.KindDate && own.Kind == types.KindDate:
		convert = k.rebase.day
	case (t.Kind == types.KindTimestamp || t.Kind == types.KindTimestampNTZ) && s.Kind == "long":
		move := k.rebase.moment
		if t.Kind == types.KindTimestampNTZ {
			move = convert
		}
		convert = move
		if s.Logical != "timestamp-micros" && s.Logical != "local-timestamp-micros" { // Spark takes numbers without a unit for milliseconds too
			convert = func(v int64) int64 { return move(v * 1000) }
		}
	case t.Equal(own), s.Kind == "int" && (t.Kind == types.KindByte || t.Kind == types.KindShort || t.Kind == types.KindInteger), t.Kind == types.KindLong:
	case t.Kind == types.KindInteger && own.Kind == types.KindYearMonth, t.Kind == types.KindFloat && s.Kind == "int":
		if t.Kind == types.KindFloat {
			return number(s, func(v int64) int64 { return int64(math.Float32bits(float32(v))) })
		}
	case t.Kind == types.KindDouble:
		return number(s, func(v int64) int64 { return int64(math.Float64bits(float64(v))) })
	default:
		return nil
	}
	return number(s, convert)
}

func number(s *Schema, convert func(int64) int64) decoder {
	short := s.Kind == "int"
	return func(in *input, c *column.Column) error {
		v, err := in.long()
		if err == nil && short && v != int64(int32(v)) {
			err = errors.New("an int has more than 32 bits")
		}
		if err != nil {
			return err
		}
		c.Fixed(convert(v))
		return nil
	}
}

func floating(s *Schema, t *types.Type) decoder {
	switch {
	case s.Kind == "float" && t.Kind == types.KindFloat:
		return raw(4, func(b []byte) int64 { return int64(binary.LittleEndian.Uint32(b)) })
	case s.Kind == "float" && t.Kind == types.KindDouble:
		return raw(4, func(b []byte) int64 {
			return int64(math.Float64bits(float64(math.Float32frombits(binary.LittleEndian.Uint32(b)))))
		})
	case s.Kind == "double" && t.Kind == types.KindDouble:
		return raw(8, func(b []byte) int64 { return int64(binary.LittleEndian.Uint64(b)) })
	}
	return nil
}

func raw(n int64, value func([]byte) int64) decoder {
	return func(in *input, c *column.Column) error {
		b, err := in.take(n)
		if err != nil {
			return err
		}
		c.Fixed(value(b))
		return nil
	}
}

// text reads string, bytes, fixed and enum.
func text(s *Schema, t *types.Type) decoder {
	read := (*input).bytes
	if s.Kind == "fixed" {
		read = func(in *input) ([]byte, error) { return in.take(int64(s.Size)) }
	}
	switch {
	case s.Kind == "enum" && t.Kind == types.KindString:
		return func(in *input, c *column.Column) error {
			i, err := in.long()
			if err == nil && (i < 0 || i >= int64(len(s.Symbols))) {
				err = fmt.Errorf("the enum %s has no symbol %d", s.Name, i)
			}
			if err != nil {
				return err
			}
			c.Str([]byte(s.Symbols[i]))
			return nil
		}
	case t.Kind == types.KindDecimal && s.isDecimal() && s.Scale == t.Scale && s.Precision <= t.Precision:
		return decimals(read, t)
	case t.Kind == types.KindString && (s.Kind == "string" || s.Kind == "bytes"), t.Kind == types.KindBinary && s.Kind != "enum":
		return func(in *input, c *column.Column) error {
			b, err := read(in)
			if err != nil {
				return err
			}
			c.Str(b)
			return nil
		}
	}
	return nil
}

func decimals(read func(*input) ([]byte, error), t *types.Type) decoder {
	short := t.IsShortDecimal()
	return func(in *input, c *column.Column) error {
		b, err := read(in)
		if err != nil {
			return err
		}
		n := decimal128.FromBigInt(bigEndian(b))
		if short {
			c.Fixed(int64(n.LowBits()))
		} else {
			c.Wide(n.LowBits(), n.HighBits())
		}
		return nil
	}
}

// bigEndian is a number in two's complement; what does not fit into 16 bytes is cut, which no decimal that was written well needs.
func bigEndian(b []byte) *big.Int {
	n := new(big.Int)
	if len(b) > 16 {
		b = b[len(b)-16:]
	}
	n.SetBytes(b)
	if len(b) > 0 && b[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return n
}

func (k *compiler) array(s *Schema, t *types.Type, path string) (decoder, error) {
	elem, err := k.decoder(s.Items, t.Elem, path+".element")
	if err != nil {
		return nil, err
	}
	return func(in *input, c *column.Column) error {
		err := blocks(in, func() error { return elem(in, c.Children[0]) })
		if err == nil {
			c.List()
		}
		return err
	}, nil
}

func (k *compiler) mapOf(s *Schema, t *types.Type, path string) (decoder, error) {
	value, err := k.decoder(s.Items, t.Elem, path+".value")
	if err != nil {
		return nil, err
	}
	return func(in *input, c *column.Column) error {
		err := blocks(in, func() error {
			key, err := in.bytes()
			if err != nil {
				return err
			}
			c.Children[0].Str(key)
			return value(in, c.Children[1])
		})
		if err == nil {
			c.List()
		}
		return err
	}, nil
}

// blocks calls item for each item of an array or map, which is written in blocks, each behind its count; a negative count has the block's size behind it.
func blocks(in *input, item func() error) error {
	for {
		n, err := in.long()
		if err != nil || n == 0 {
			return err
		}
		if n < 0 {
			if n = -n; n < 0 {
				return errShort
			}
			if _, err := in.long(); err != nil {
				return err
			}
		}
		for ; n > 0; n-- {
			at := in.pos
			if err := item(); err != nil {
				return err
			}
			if in.pos == at && n > 1<<20 {
				return fmt.Errorf("a block of %d items has no text", n)
			}
		}
	}
}

// union reads the branch's number and its value.
func (k *compiler) union(s *Schema, t *types.Type, path string) (decoder, error) {
	rest, _ := s.alternatives()
	member := -1 // of a struct with a member for each branch
	asStruct := len(rest) > 1 && widened(rest) == nil
	branches := make([]decoder, len(s.Branches))
	for i, b := range s.Branches {
		want := t
		if b.Kind != "null" && asStruct {
			member++
			if t.Kind != types.KindStruct || member >= len(t.Fields) {
				return nil, mismatch(s, t, path)
			}
			want = t.Fields[member].Type
		}
		d, err := k.decoder(b, want, path)
		if err != nil {
			return nil, err
		}
		if b.Kind != "null" && asStruct {
			d = only(member, d)
		}
		branches[i] = d
	}
	return func(in *input, c *column.Column) error {
		i, err := in.long()
		if err != nil {
			return err
		}
		if i < 0 || i >= int64(len(branches)) {
			return fmt.Errorf("a union has no branch %d", i)
		}
		return branches[i](in, c)
	}, nil
}

// only makes a struct of whose members one has a value.
func only(member int, d decoder) decoder {
	return func(in *input, c *column.Column) error {
		for i, m := range c.Children {
			if i != member {
				m.Null()
			} else if err := d(in, m); err != nil {
				return err
			}
		}
		c.Done(true)
		return nil
	}
}

// record reads the wanted fields and passes over the others; wanted ones that it lacks are null.
func (k *compiler) record(s *Schema, t *types.Type, path string) (decoder, error) {
	steps := make([]decoder, len(s.Fields))
	places := make([]int, len(s.Fields))
	missing := make([]bool, len(t.Fields))
	for i := range missing {
		missing[i] = true
	}
	for i, f := range s.Fields {
		places[i] = -1
		for j, w := range t.Fields {
			if missing[j] && k.same(f.Name, w.Name) {
				places[i], missing[j] = j, false
				break
			}
		}
		var err error
		switch {
		case places[i] < 0 && f.absent:
			steps[i] = func(*input, *column.Column) error { return nil }
		case places[i] < 0:
			steps[i], err = skip(f.Schema, map[*Schema]*decoder{})
		default:
			steps[i], err = k.decoder(f.Schema, t.Fields[places[i]].Type, join(path, f.Name))
			if f.absent {
				steps[i] = constant(steps[i], f.value)
			}
		}
		if err != nil {
			return nil, err
		}
	}
	return func(in *input, c *column.Column) error {
		for i, step := range steps {
			var into *column.Column
			if places[i] >= 0 {
				into = c.Children[places[i]]
			}
			if err := step(in, into); err != nil {
				return err
			}
		}
		for j, m := range missing {
			if m {
				c.Children[j].Null()
			}
		}
		c.Done(true)
		return nil
	}, nil
}

// constant reads a value that the text does not have.
func constant(d decoder, value []byte) decoder {
	return func(in *input, c *column.Column) error {
		rest := *in
		*in = input{data: value}
		err := d(in, c)
		*in = rest
		return err
	}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// skip passes over a value; known are the records that are being compiled, since a record may be in itself.
func skip(s *Schema, known map[*Schema]*decoder) (decoder, error) {
	if s.Kind == "record" {
		if d := known[s]; d != nil {
			return func(in *input, c *column.Column) error {
				if in.depth++; in.depth > maxDepth {
					return fmt.Errorf("a record is more than %d deep in itself", maxDepth)
				}
				err := (*d)(in, c)
				in.depth--
				return err
			}, nil
		}
		known[s] = new(decoder)
	}
	switch s.Kind {
	case "null":
		return func(*input, *column.Column) error { return nil }, nil
	case "boolean":
		return skipBytes(1), nil
	case "int", "long", "enum":
		return func(in *input, _ *column.Column) error { _, err := in.long(); return err }, nil
	case "float":
		return skipBytes(4), nil
	case "double":
		return skipBytes(8), nil
	case "fixed":
		return skipBytes(int64(s.Size)), nil
	case "bytes", "string":
		return func(in *input, _ *column.Column) error { _, err := in.bytes(); return err }, nil
	case "array", "map":
		item, err := skip(s.Items, known)
		keyed := s.Kind == "map"
		return func(in *input, _ *column.Column) error {
			return blocks(in, func() error {
				if keyed {
					if _, err := in.bytes(); err != nil {
						return err
					}
				}
				return item(in, nil)
			})
		}, err
	}
	var parts []decoder
	list := s.Branches[:len(s.Branches):len(s.Branches)]
	for _, f := range s.Fields {
		list = append(list, f.Schema)
	}
	for _, p := range list {
		d, err := skip(p, known)
		if err != nil {
			return nil, err
		}
		parts = append(parts, d)
	}
	if s.Kind == "union" {
		return func(in *input, _ *column.Column) error {
			i, err := in.long()
			if err == nil && (i < 0 || i >= int64(len(parts))) {
				err = fmt.Errorf("a union has no branch %d", i)
			}
			if err != nil {
				return err
			}
			return parts[i](in, nil)
		}, nil
	}
	*known[s] = func(in *input, _ *column.Column) error {
		for _, p := range parts {
			if err := p(in, nil); err != nil {
				return err
			}
		}
		return nil
	}
	return *known[s], nil
}

func skipBytes(n int64) decoder {
	return func(in *input, _ *column.Column) error { _, err := in.take(n); return err }
}
