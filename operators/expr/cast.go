package expr

import (
	"millrace/errs"
	"millrace/types"
	"millrace/vector"
)

func init() { Register("cast", Func{Lazy: buildCast}) }

// castEnv is what a conversion depends on besides the value: the call, of which Args[0] and Out are the two types.
type castEnv struct {
	*Call
	from, to *types.Type
}

// caster converts rows, which are all valid unless the conversion is total. A row that cannot be converted is an error under ANSI, or null.
type caster func(in *vector.Vector, sel []uint32, n int, out *vector.Vector) error

// buildCast makes the evaluator of cast(x): x itself where nothing changes.
func buildCast(c *Call, args []Evaluator) (Evaluator, error) {
	return newCast(c, args[0])
}

func newCast(c *Call, arg Evaluator) (Evaluator, error) {
	from, to := arg.Type(), c.Out
	if sameStorage(from, to) {
		return withType(arg, to), nil
	}
	env := castEnv{c, from, to}
	convert, total, err := newCaster(env)
	if err != nil {
		return nil, err
	}
	convert = env.storing(convert)
	k := func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		in := args[0]
		if in.Const {
			sel, n = nil, 1
		}
		return convert(in, sel, n, out)
	}
	c.Args = []*types.Type{from}
	return newCall(c, Func{Strict: true, Pure: true, Total: total}, k, []Evaluator{arg}), nil
}

// sameStorage reports whether a value of one type is one of the other as it stands. Lengths of strings are checked when they are stored.
func sameStorage(from, to *types.Type) bool {
	if from.Kind == types.KindString && to.Kind == types.KindString {
		return true
	}
	if from.Kind == to.Kind && (from.Kind == types.KindYearMonth || from.Kind == types.KindArray && sameStorage(from.Elem, to.Elem)) {
		return true
	}
	return from.SameData(to)
}

// newCaster finds the conversion; total when it cannot fail and may be run on null rows too.
func newCaster(e castEnv) (c caster, total bool, err error) {
	from, to := e.from, e.to
	switch {
	case from.Kind == types.KindNull:
		return func(*vector.Vector, []uint32, int, *vector.Vector) error { return nil }, true, nil
	case from.Kind == types.KindVariant:
		c, err = castFromVariant(e)
		return c, false, err
	case to.Kind == types.KindVariant:
		return castToVariant(e), false, nil
	case to.Kind == types.KindString:
		return castToString(e), false, nil
	case from.Kind == types.KindString:
		c, err = castFromString(e)
		return c, false, err
	case from.IsNested() || to.IsNested():
		c, err = castNested(e)
		return c, false, err
	case from.IsFloating() && to.IsFloating(), from.IsIntegral() && to.IsFloating(), from.IsIntegral() && to.IsIntegral() && from.Kind < to.Kind:
		return castPlainNumber(e), true, nil
	case from.Kind == types.KindDecimal && to.Kind == types.KindDecimal && from.IsShortDecimal() && to.IsShortDecimal() && fitsDecimal(from, to):
		return castUpShort(e), true, nil
	}
	if c = castTime(e); c == nil {
		c = castNumber(e)
	}
	if c == nil {
		c = castTemporal(e)
	}
	if c == nil {
		return nil, false, errs.Newf(errs.Internal, "cast from %s to %s has no kernel", from, to)
	}
	return c, false, nil
}

// overflow is a value that the target has no room for.
func (e castEnv) overflow(value string) error {
	return errs.New("CAST_OVERFLOW", "value", value, "sourceType", typeName(e.from), "targetType", typeName(e.to), "ansiConfig", `"spark.sql.ansi.enabled"`)
}

// malformed is a text that is not one of the target's.
func (e castEnv) malformed(value string) error {
	return errs.New("CAST_INVALID_INPUT", "expression", value, "sourceType", typeName(e.from), "targetType", typeName(e.to))
}

func typeName(t *types.Type) string { return `"` + t.SQL() + `"` }

// fitsDecimal reports whether every decimal of one type is one of the other.
func fitsDecimal(from, to *types.Type) bool {
	return to.Scale >= from.Scale && to.Precision-to.Scale >= from.Precision-from.Scale
}

// castNested converts the parts of arrays, maps and structs.
func castNested(e castEnv) (caster, error) {
	switch {
	case e.from.Kind != e.to.Kind:
		return nil, errs.Newf(errs.Internal, "cast from %s to %s has no kernel", e.from, e.to)
	case e.from.Kind == types.KindStruct:
		return castStruct(e)
	}
	pairs := [][2]*types.Type{{e.from.Elem, e.to.Elem}}
	if e.from.Kind == types.KindMap {
		pairs = [][2]*types.Type{{e.from.Key, e.to.Key}, {e.from.Elem, e.to.Elem}}
	}
	parts := make([]*partCast, len(pairs))
	for i, p := range pairs {
		var err error
		if parts[i], err = newPartCast(e, p[0], p[1]); err != nil {
			return nil, err
		}
	}
	return func(in *vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		copy(out.Offsets, in.Offsets[:n+1])
		var elems []uint32
		Rows(sel, n, func(i int) {
			for j := in.Offsets[i]; j < in.Offsets[i+1]; j++ {
				elems = append(elems, uint32(j))
			}
		})
		out.Children = out.Children[:0]
		for i, p := range parts {
			v, err := p.convert(in.Children[i], elems)
			if err != nil {
				return err
			}
			out.Children = append(out.Children, v)
		}
		return nil
	}, nil
}

func castStruct(e castEnv) (caster, error) {
	parts := make([]*partCast, len(e.to.Fields))
	for i, f := range e.to.Fields {
		var err error
		if parts[i], err = newFieldCast(e, e.from.Fields[i].Type, f); err != nil {
			return nil, err
		}
	}
	return func(in *vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		rows := everything(nil, sel, n)
		out.Children = out.Children[:0]
		for i, p := range parts {
			v, err := p.convert(in.Children[i], rows)
			if err != nil {
				return err
			}
			out.Children = append(out.Children, v)
		}
		return nil
	}, nil
}

// partCast converts a child column.
type partCast struct {
	to   *types.Type
	same bool
	cast caster
}

func newPartCast(e castEnv, from, to *types.Type) (*partCast, error) {
	p := &partCast{to: to, same: sameStorage(from, to)}
	if p.same {
		return p, nil
	}
	c := *e.Call
	c.Args, c.Out = []*types.Type{from}, to
	var err error
	p.cast, _, err = newCaster(castEnv{&c, from, to})
	return p, err
}

// newFieldCast is that of a struct's field, which a write takes for a column of its own.
func newFieldCast(e castEnv, from *types.Type, f types.Field) (*partCast, error) {
	if e.Options[columnOption] == "" {
		return newPartCast(e, from, f.Type)
	}
	c := *e.Call
	c.Options = map[string]string{columnOption: f.Name}
	p, err := newPartCast(castEnv{&c, e.from, e.to}, from, f.Type)
	if err == nil {
		p.cast = castEnv{&c, from, f.Type}.storing(p.cast)
	}
	return p, err
}

// convert makes a new column: the rows of in that exist are given, and those that are null stay so.
func (p *partCast) convert(in *vector.Vector, rows []uint32) (*vector.Vector, error) {
	if p.same {
		return in, nil
	}
	if in.Type.Kind == types.KindNull {
		return vector.NewNulls(p.to, in.Len), nil
	}
	out := &vector.Vector{}
	out.Reset(p.to, in.Len)
	var valid []uint32
	if in.HasNulls() {
		out.Valid = vector.NewBitmap(in.Len)
		valid = make([]uint32, 0, len(rows))
		for _, i := range rows {
			if in.IsNull(int(i)) {
				out.Valid.Clear(int(i))
			} else {
				valid = append(valid, i)
			}
		}
		rows = valid
	}
	if rows == nil {
		rows = []uint32{}
	}
	return out, p.cast(in, rows, in.Len, out)
}
