package expr

import (
	"encoding/hex"
	"math"

	"millrace/errs"
	"millrace/types"
	"millrace/variant"
	"millrace/vector"
)

// variantCast makes columns of a type of values in variants. What cannot be converted is an error, or null in TRY_CAST.
type variantCast struct {
	env   castEnv
	parts []*variantCast // of an array's elements, a map's values, a struct's fields
	casts map[variantSource]*partCast
	text  Formatter
	build variant.Builder
}

// variantSource is what a scalar is converted from.
type variantSource struct {
	kind             variant.Kind
	precision, scale int
}

func castFromVariant(e castEnv) (caster, error) {
	c, err := newVariantCast(e)
	return func(in *vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		values := make([]variant.Value, n)
		Rows(sel, n, func(i int) { values[i] = Variant(in, i) })
		return c.into(out, values)
	}, err
}

func newVariantCast(e castEnv) (*variantCast, error) {
	c := &variantCast{env: e, casts: map[variantSource]*partCast{}, text: Formatter{Zone: Zone(e.Settings), Plain: true}}
	var parts []*types.Type
	switch e.to.Kind {
	case types.KindArray, types.KindMap:
		parts = []*types.Type{e.to.Elem}
	case types.KindStruct:
		for _, f := range e.to.Fields {
			parts = append(parts, f.Type)
		}
	}
	for _, t := range parts {
		p, err := newVariantCast(castEnv{e.Call, e.from, t})
		if err != nil {
			return nil, err
		}
		c.parts = append(c.parts, p)
	}
	return c, nil
}

// into makes out the column of the values, of which those that are zero are null.
func (c *variantCast) into(out *vector.Vector, values []variant.Value) error {
	v, err := c.column(values)
	if err != nil {
		return err
	}
	t := out.Type
	*out = *v
	out.Type = t
	return nil
}

func (c *variantCast) column(values []variant.Value) (*vector.Vector, error) {
	switch c.env.to.Kind {
	case types.KindVariant:
		return c.variants(values)
	case types.KindArray:
		return c.arrays(values)
	case types.KindMap:
		return c.maps(values)
	case types.KindStruct:
		return c.structs(values)
	}
	return c.scalars(values)
}

// fail is what comes of a value that cannot be converted.
func (c *variantCast) fail(v variant.Value) error {
	switch {
	case v.Kind() == variant.Malformed:
		return malformedVariant()
	case c.env.Mode == modeTry:
		return nil
	}
	text, err := c.text.appendVariant(nil, v, 0)
	if err != nil {
		return err
	}
	return errs.New("INVALID_VARIANT_CAST", "value", string(text), "dataType", typeName(c.env.to))
}

func (c *variantCast) empty(n int) *vector.Vector {
	v := &vector.Vector{}
	v.Reset(c.env.to, n)
	return v
}

// variants are made anew, so that they have the names that are in them and no other.
func (c *variantCast) variants(values []variant.Value) (*vector.Vector, error) {
	out := c.empty(len(values))
	w := NewVariantWriter(out, len(values))
	defer w.Close()
	for i, v := range values {
		if v.IsZero() {
			out.SetNull(i)
			continue
		}
		c.build.Reset()
		if c.build.Append(v) != nil {
			return nil, malformedVariant()
		}
		if err := w.Append(i, &c.build); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// inside reports whether a value is of that kind. What is none, or another one in TRY_CAST, is a null row of out.
func (c *variantCast) inside(v variant.Value, kind variant.Kind, out *vector.Vector, i int) (bool, error) {
	if !v.IsZero() && v.Kind() == kind {
		return true, nil
	}
	out.SetNull(i)
	if v.IsZero() || v.Kind() == variant.Null {
		return false, nil
	}
	return false, c.fail(v)
}

// element is a part of a value that has it.
func element(v variant.Value, i int) (variant.Value, error) {
	e := v.At(i)
	if e.IsZero() {
		return e, malformedVariant()
	}
	return e, nil
}

func (c *variantCast) arrays(values []variant.Value) (*vector.Vector, error) {
	out := c.empty(len(values))
	var elements []variant.Value
	for i, v := range values {
		ok, err := c.inside(v, variant.Array, out, i)
		if err != nil {
			return nil, err
		}
		for k := 0; ok && k < v.Len(); k++ {
			e, err := element(v, k)
			if err != nil {
				return nil, err
			}
			elements = append(elements, e)
		}
		out.Offsets[i+1] = int32(len(elements))
	}
	child, err := c.parts[0].column(elements)
	out.Children = []*vector.Vector{child}
	return out, err
}

func (c *variantCast) maps(values []variant.Value) (*vector.Vector, error) {
	out := c.empty(len(values))
	keys := vector.NewEmpty(c.env.to.Key)
	keys.Offsets = append(keys.Offsets[:0], 0)
	var elements []variant.Value
	for i, v := range values {
		ok, err := c.inside(v, variant.Object, out, i)
		if err != nil {
			return nil, err
		}
		for k := 0; ok && k < v.Len(); k++ {
			name, named := v.Name(k)
			e, err := element(v, k)
			if err != nil || !named {
				return nil, malformedVariant()
			}
			keys.Bytes = append(keys.Bytes, name...)
			keys.Offsets = append(keys.Offsets, int32(len(keys.Bytes)))
			elements = append(elements, e)
		}
		out.Offsets[i+1] = int32(len(elements))
	}
	keys.Len = len(elements)
	child, err := c.parts[0].column(elements)
	out.Children = []*vector.Vector{keys, child}
	return out, err
}

func (c *variantCast) structs(values []variant.Value) (*vector.Vector, error) {
	out := c.empty(len(values))
	fields := make([][]variant.Value, len(c.parts))
	for k := range fields {
		fields[k] = make([]variant.Value, len(values))
	}
	for i, v := range values {
		ok, err := c.inside(v, variant.Object, out, i)
		if err != nil {
			return nil, err
		}
		for k, f := range c.env.to.Fields {
			if !ok {
				break
			}
			if e, found := v.Field(f.Name); found && e.IsZero() {
				return nil, malformedVariant()
			} else if found {
				fields[k][i] = e
			}
		}
	}
	for k, p := range c.parts {
		child, err := p.column(fields[k])
		if err != nil {
			return nil, err
		}
		out.Children = append(out.Children[:k], child)
	}
	return out, nil
}

// scalars converts the values kind by kind.
func (c *variantCast) scalars(values []variant.Value) (*vector.Vector, error) {
	groups := map[variantSource][]int{}
	var order []variantSource
	for i, v := range values {
		if v.IsZero() || v.Kind() == variant.Null {
			continue
		}
		s := variantSource{kind: v.Kind()}
		if s.kind == variant.Decimal {
			_, s.precision, s.scale = v.Number()
		}
		if groups[s] == nil {
			order = append(order, s)
		}
		groups[s] = append(groups[s], i)
	}
	all, at := vector.NewEmpty(c.env.to), make([]uint32, len(values))
	for i := range at {
		at[i] = vector.NoRow
	}
	for _, s := range order {
		rows := groups[s]
		v, err := c.group(s, values, rows)
		if err != nil {
			return nil, err
		}
		for k, i := range rows {
			if v == nil || v.IsNull(k) {
				if err := c.fail(values[i]); err != nil {
					return nil, err
				}
				continue
			}
			at[i] = uint32(all.Len + k)
		}
		if v != nil {
			all.AppendPlain(v, nil)
		}
	}
	out := &vector.Vector{}
	out.Gather(all, at)
	return out, nil
}

// group converts the values of one kind; nil if there is no conversion.
func (c *variantCast) group(s variantSource, values []variant.Value, rows []int) (*vector.Vector, error) {
	from := s.scalarType()
	if s.kind == variant.Malformed || from == nil && c.env.to.Kind != types.KindString {
		return nil, nil
	}
	if from == nil {
		from = types.String
	}
	if !sameStorage(from, c.env.to) && !variantCasts(from, c.env.to) {
		return nil, nil
	}
	p := c.casts[s]
	if p == nil {
		try := *c.env.Call
		try.Mode, try.Options = modeTry, nil
		var err error
		if p, err = newPartCast(castEnv{&try, from, c.env.to}, from, c.env.to); err != nil {
			return nil, err
		}
		c.casts[s] = p
	}
	v, err := c.source(from, values, rows)
	if err != nil {
		return nil, err
	}
	every := make([]uint32, len(rows))
	for k := range every {
		every[k] = uint32(k)
	}
	v, err = p.convert(v, every)
	if err == nil {
		v.Type = c.env.to
	}
	return v, err
}

// scalarType is the column type of a kind of scalars; nil for objects and arrays.
func (s variantSource) scalarType() *types.Type {
	switch s.kind {
	case variant.Boolean:
		return types.Boolean
	case variant.Long:
		return types.Long
	case variant.Double:
		return types.Double
	case variant.Float:
		return types.Float
	case variant.Decimal:
		return types.Decimal(s.precision, s.scale)
	case variant.Date:
		return types.Date
	case variant.Timestamp:
		return types.Timestamp
	case variant.TimestampNTZ:
		return types.TimestampNTZ
	case variant.Binary:
		return types.Binary
	case variant.String, variant.UUID:
		return types.String
	}
	return nil
}

// variantCasts reports whether ANSI's rules have a conversion.
func variantCasts(from, to *types.Type) bool {
	switch {
	case to.Kind == types.KindString || from.Kind == types.KindString:
		return true
	case from.Kind == types.KindBoolean:
		return to.IsNumeric()
	case from.IsNumeric():
		return to.IsNumeric() || to.Kind == types.KindBoolean || to.Kind == types.KindTimestamp
	case from.Kind == types.KindTimestamp:
		return to.IsDateTime() || to.IsNumeric()
	}
	return from.IsDateTime() && to.IsDateTime()
}

// source makes the column of scalars that is to be converted; of objects and arrays it is their JSON.
func (c *variantCast) source(t *types.Type, values []variant.Value, rows []int) (*vector.Vector, error) {
	v := &vector.Vector{}
	v.Reset(t, len(rows))
	switch t.Kind {
	case types.KindString, types.KindBinary:
		return v, c.texts(v, values, rows)
	case types.KindBoolean:
		for k, i := range rows {
			vector.Values[bool](v)[k] = values[i].Bool()
		}
	case types.KindDouble:
		for k, i := range rows {
			vector.Values[float64](v)[k] = values[i].Double()
		}
	case types.KindFloat:
		for k, i := range rows {
			vector.Values[float32](v)[k] = values[i].Float()
		}
	case types.KindDecimal:
		w := writeDecimals(v)
		for k, i := range rows {
			digits, _, _ := values[i].Number()
			w.set(k, digits)
		}
	case types.KindDate:
		for k, i := range rows {
			vector.Values[int32](v)[k] = int32(values[i].Long())
		}
	default:
		for k, i := range rows {
			n := values[i].Long()
			if vector.Values[int64](v)[k] = n; t.Kind == types.KindLong && c.env.to.Kind == types.KindTimestamp && (n > math.MaxInt64/1_000_000 || n < math.MinInt64/1_000_000) {
				v.SetNull(k) // too many seconds
			}
		}
	}
	return v, nil
}

func (c *variantCast) texts(out *vector.Vector, values []variant.Value, rows []int) error {
	w := NewStringWriter(out, len(rows))
	defer w.Close()
	for k, i := range rows {
		switch v := values[i]; v.Kind() {
		case variant.String, variant.Binary:
			w.Append(k, v.Bytes())
		case variant.UUID:
			w.Commit(k, appendUUID(w.Buffer(), v.Bytes()))
		default:
			buf, err := c.text.appendVariant(w.Buffer(), v, 0)
			if err != nil {
				return err
			}
			w.Commit(k, buf)
		}
	}
	return nil
}

func appendUUID(dst, id []byte) []byte {
	for k, b := range id {
		if k == 4 || k == 6 || k == 8 || k == 10 {
			dst = append(dst, '-')
		}
		dst = hex.AppendEncode(dst, []byte{b})
	}
	return dst
}
