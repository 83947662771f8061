package fn

import (
	"millrace/types"
)

// TightestCommonType is the type to which two types widen without loss and without converting strings or mixing decimals; nil if none.
func TightestCommonType(c *Context, a, b *types.Type) *types.Type {
	switch {
	case a.SameData(b):
		return mergeNulls(a, b)
	case a.Kind == types.KindNull:
		return b
	case b.Kind == types.KindNull:
		return a
	case a.IsIntegral() && b.Kind == types.KindDecimal:
		return integralInDecimal(a, b)
	case b.IsIntegral() && a.Kind == types.KindDecimal:
		return integralInDecimal(b, a)
	case a.Kind == types.KindDecimal || b.Kind == types.KindDecimal:
		return nil
	case a.IsNumeric() && b.IsNumeric():
		return widerNumber(c, a, b)
	case a.IsDateTime() && b.IsDateTime():
		return widerDateTime(a, b)
	case a.Kind == b.Kind && a.IsInterval():
		return &types.Type{Kind: a.Kind, Start: min(a.Start, b.Start), End: max(a.End, b.End)}
	}
	return nil
}

// mergeNulls is two types that differ in nullability only: a part is nullable if it is in either.
func mergeNulls(a, b *types.Type) *types.Type {
	if a.Equal(b) {
		return a
	}
	m := *a
	m.ElemNull = a.ElemNull || b.ElemNull
	if a.Elem != nil {
		m.Elem = mergeNulls(a.Elem, b.Elem)
	}
	if a.Key != nil {
		m.Key = mergeNulls(a.Key, b.Key)
	}
	m.Fields = make([]types.Field, len(a.Fields))
	for i, f := range a.Fields {
		m.Fields[i] = types.Field{Name: f.Name, Type: mergeNulls(f.Type, b.Fields[i].Type), Nullable: f.Nullable || b.Fields[i].Nullable, Metadata: f.Metadata}
	}
	return &m
}

func integralInDecimal(integral, decimal *types.Type) *types.Type {
	if d := DecimalFor(integral); decimal.Precision-decimal.Scale >= d.Precision {
		return decimal
	}
	return nil
}

// widerNumber follows the order byte, short, int, bigint, float, double; under ANSI an integer and a float make a double.
func widerNumber(c *Context, a, b *types.Type) *types.Type {
	w, n := a, b
	if b.Kind > a.Kind {
		w, n = b, a
	}
	if c.ANSI && w.Kind == types.KindFloat && n.IsIntegral() {
		return types.Double
	}
	return w
}

func widerDateTime(a, b *types.Type) *types.Type {
	if a.Kind == types.KindTimestamp || b.Kind == types.KindTimestamp {
		return types.Timestamp
	}
	return types.TimestampNTZ
}

// CommonType is the type to which all of the types widen, as for the branches of a CASE, the elements of an array, the two
// sides of a UNION; false if there is none.
func CommonType(c *Context, ts ...*types.Type) (*types.Type, bool) {
	if len(ts) == 0 {
		return types.Null, true
	}
	if !c.ANSI { // strings are taken first: the rule is not associative for them
		ts = stringsFirst(ts)
	}
	t := ts[0]
	for _, u := range ts[1:] {
		if t = widerOfTwo(c, t, u); t == nil {
			return nil, false
		}
	}
	return t, true
}

func stringsFirst(ts []*types.Type) []*types.Type {
	var first, rest []*types.Type
	for _, t := range ts {
		if t.Kind == types.KindString {
			first = append(first, t)
		} else {
			rest = append(rest, t)
		}
	}
	return append(first, rest...)
}

func widerOfTwo(c *Context, a, b *types.Type) *types.Type {
	if t := TightestCommonType(c, a, b); t != nil {
		return t
	}
	if t := widerWithDecimal(a, b); t != nil {
		return t
	}
	if t := widerWithString(c, a, b); t != nil {
		return t
	}
	return widerNested(c, a, b, widerOfTwo)
}

func widerWithDecimal(a, b *types.Type) *types.Type {
	if a.Kind != types.KindDecimal && b.Kind != types.KindDecimal || !a.IsNumeric() || !b.IsNumeric() {
		return nil
	}
	if a.IsFloating() || b.IsFloating() {
		return types.Double
	}
	return WiderDecimal(DecimalFor(a), DecimalFor(b))
}

// widerWithString is Spark's promotion of strings: under ANSI to the other type (integers to bigint, fractions to double), before
// ANSI of the other type to string.
func widerWithString(c *Context, a, b *types.Type) *types.Type {
	s, o := a, b
	if s.Kind != types.KindString {
		s, o = b, a
	}
	if s.Kind != types.KindString || o.IsNested() {
		return nil
	}
	if !c.ANSI {
		if o.Kind == types.KindBinary || o.Kind == types.KindBoolean || o.Kind == types.KindVariant {
			return nil
		}
		return plainString(s)
	}
	return PromoteString(s, o)
}

// plainString is a string type without a length.
func plainString(s *types.Type) *types.Type {
	if s.Length > 0 {
		return types.String
	}
	return s
}

// PromoteString is ANSI's type for a string and another atomic type; nil for intervals and differing collations.
func PromoteString(s, o *types.Type) *types.Type {
	switch {
	case o.IsIntegral():
		return types.Long
	case o.IsNumeric():
		return types.Double
	case o.Kind == types.KindString:
		if s.Collation != o.Collation {
			return nil
		}
		return plainString(s)
	case o.IsInterval(), o.Kind == types.KindCalendar:
		return nil
	}
	return o
}

// widerNested applies a rule to the parts of two nested types of the same shape.
func widerNested(c *Context, a, b *types.Type, rule func(*Context, *types.Type, *types.Type) *types.Type) *types.Type {
	if a.Kind != b.Kind {
		return nil
	}
	switch a.Kind {
	case types.KindArray:
		if e := rule(c, a.Elem, b.Elem); e != nil {
			return types.ArrayOf(e, a.ElemNull || b.ElemNull || CastNullable(a.Elem, e) || CastNullable(b.Elem, e))
		}
	case types.KindMap:
		k, v := rule(c, a.Key, b.Key), rule(c, a.Elem, b.Elem)
		if k != nil && v != nil && !CastNullable(a.Key, k) && !CastNullable(b.Key, k) {
			return types.MapOf(k, v, a.ElemNull || b.ElemNull || CastNullable(a.Elem, v) || CastNullable(b.Elem, v))
		}
	case types.KindStruct:
		return widerStruct(c, a, b, rule)
	}
	return nil
}

func widerStruct(c *Context, a, b *types.Type, rule func(*Context, *types.Type, *types.Type) *types.Type) *types.Type {
	if len(a.Fields) != len(b.Fields) {
		return nil
	}
	w := &types.Type{Kind: types.KindStruct, Fields: make([]types.Field, len(a.Fields))}
	for i, f := range a.Fields {
		g := b.Fields[i]
		t := rule(c, f.Type, g.Type)
		if t == nil || !sameName(c, f.Name, g.Name) {
			return nil
		}
		w.Fields[i] = types.Field{Name: f.Name, Type: t, Nullable: f.Nullable || g.Nullable || CastNullable(f.Type, t) || CastNullable(g.Type, t)}
	}
	return w
}

// ComparisonType is the type to which the two sides of a comparison are converted; false if they cannot be compared.
func ComparisonType(c *Context, a, b *types.Type) (*types.Type, bool) {
	if t := TightestCommonType(c, a, b); t != nil {
		return t, true
	}
	if t := widerWithDecimal(a, b); t != nil {
		return t, true
	}
	if !c.ANSI {
		if t := legacyComparison(a, b); t != nil {
			return t, true
		}
	} else if t := widerWithString(c, a, b); t != nil {
		return t, true
	}
	t := widerNested(c, a, b, func(c *Context, a, b *types.Type) *types.Type {
		if t := TightestCommonType(c, a, b); t != nil {
			return t
		}
		return widerWithDecimal(a, b)
	})
	return t, t != nil
}

// legacyComparison converts a string to the type that it is compared with.
func legacyComparison(a, b *types.Type) *types.Type {
	if a.Kind != types.KindString {
		a, b = b, a
	}
	switch {
	case a.Kind == types.KindString && !b.IsNested() && !b.IsInterval() && b.Kind != types.KindCalendar:
		return b
	}
	return nil
}

// equalityType is ComparisonType for = and <=>, which before ANSI also compare booleans with numbers.
func equalityType(c *Context, a, b *types.Type) (*types.Type, bool) {
	switch {
	case !c.ANSI && a.Kind == types.KindBoolean && b.IsNumeric():
		return b, true
	case !c.ANSI && b.Kind == types.KindBoolean && a.IsNumeric():
		return a, true
	}
	return ComparisonType(c, a, b)
}
