package expr

import (
	"millrace/errs"
	"millrace/types"
	"millrace/variant"
	"millrace/vector"
)

func init() {
	Register("is_variant_null", Func{Pure: true, Build: isVariantNull})
	Register("is_valid_variant", Func{Pure: true, Build: isValidVariant})
	Register("schema_of_variant", Func{Strict: true, Pure: true, Build: schemaOfVariant})
	Register("variant_get", Func{Strict: true, Pure: true, Build: variantGet})
	Register("to_variant_object", Func{Strict: true, Pure: true, Build: func(c *Call) (Kernel, error) { return toVariant(c.Args[0]), nil }})
	Register("variant_items", Func{Strict: true, Pure: true, Build: variantItems})
}

// Variant is row i of a column of variants.
func Variant(v *vector.Vector, i int) variant.Value {
	v, i = slotOf(v, i)
	return variant.New(v.Children[1].Str(i), v.Children[0].Str(i))
}

// malformedVariant is the error of a value that does not follow the format, which a file may hold.
func malformedVariant() error { return errs.New("MALFORMED_VARIANT") }

// VariantWriter makes a column of variants whose rows come in ascending order, perhaps with gaps.
type VariantWriter struct{ value, metadata StringWriter }

// NewVariantWriter starts writing out, which has n rows.
func NewVariantWriter(out *vector.Vector, n int) *VariantWriter {
	out.Children = []*vector.Vector{{}, {}}
	for _, c := range out.Children {
		c.Reset(types.Binary, n)
	}
	return &VariantWriter{NewStringWriter(out.Children[0], n), NewStringWriter(out.Children[1], n)}
}

// Append sets row i to what was built.
func (w *VariantWriter) Append(i int, b *variant.Builder) error {
	w.value.Append(i, b.Value())
	w.metadata.Commit(i, b.AppendMetadata(w.metadata.Buffer()))
	if len(b.Value()) > variant.MaxSize {
		return errs.New("VARIANT_SIZE_LIMIT", "sizeLimit", "128.0 MiB", "functionName", "`parse_json`")
	}
	return nil
}

// Share sets row i to a part of another variant, with all of the names of that.
func (w *VariantWriter) Share(i int, metadata, value []byte) {
	w.value.Append(i, value)
	w.metadata.Append(i, metadata)
}

// Close ends writing.
func (w *VariantWriter) Close() {
	w.value.Close()
	w.metadata.Close()
}

func isVariantNull(*Call) (Kernel, error) {
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		r := vector.Values[bool](out)
		Rows(sel, n, func(i int) { r[i] = !args[0].IsNull(i) && Variant(args[0], i).Kind() == variant.Null })
		return nil
	}, nil
}

// isValidVariant looks at all of a value; a null is none that is invalid, but null.
func isValidVariant(*Call) (Kernel, error) {
	var b variant.Builder
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		r := vector.Values[bool](out)
		Rows(sel, n, func(i int) {
			if args[0].IsNull(i) {
				out.SetNull(i)
				return
			}
			b.Reset()
			r[i] = b.Append(Variant(args[0], i)) == nil
		})
		return nil
	}, nil
}

func schemaOfVariant(*Call) (Kernel, error) {
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		w := NewStringWriter(out, n)
		err := RowsErr(sel, n, func(i int) error {
			t, err := variant.SchemaOf(Variant(args[0], i))
			if err != nil {
				return malformedVariant()
			}
			w.Append(i, []byte(variant.SchemaText(t)))
			return nil
		})
		w.Close()
		return err
	}, nil
}

// variantGet follows a path and converts what it finds.
func variantGet(c *Call) (Kernel, error) {
	convert, err := newVariantCast(castEnv{c, types.Variant, c.Out})
	if err != nil {
		return nil, err
	}
	var path variant.Path
	last, known := "", false
	name := "`variant_get`"
	if c.Mode == modeTry {
		name = "`try_variant_get`"
	}
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		values := make([]variant.Value, n)
		err := RowsErr(sel, n, func(i int) error {
			if text := args[1].Str(i); !known || last != string(text) {
				last = string(text)
				if path, known = variant.ParsePath(last); !known {
					return errs.New("INVALID_VARIANT_GET_PATH", "path", last, "functionName", name)
				}
			}
			if v, ok := path.Get(Variant(args[0], i)); ok && v.IsZero() {
				return malformedVariant()
			} else if ok {
				values[i] = v
			}
			return nil
		})
		if err != nil {
			return err
		}
		return convert.into(out, values)
	}, nil
}

// variantItems lists the elements of an array and the fields of an object, as variant_explode wants them.
func variantItems(c *Call) (Kernel, error) {
	item := c.Out.Elem
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		var places []int32
		var owners []int // the row of each item
		next := 0
		Rows(sel, n, func(i int) {
			for ; next < i; next++ {
				out.Offsets[next+1] = int32(len(places))
			}
			if v := Variant(args[0], i); v.Kind() == variant.Object || v.Kind() == variant.Array {
				for k := range v.Len() {
					places, owners = append(places, int32(k)), append(owners, i)
				}
			}
			out.Offsets[i+1], next = int32(len(places)), i+1
		})
		for ; next < n; next++ {
			out.Offsets[next+1] = int32(len(places))
		}
		items := &vector.Vector{Type: item, Len: len(places), Children: []*vector.Vector{vector.FromSlice(types.Integer, places), {}, {}}}
		key, value := items.Children[1], items.Children[2]
		key.Reset(types.String, len(places))
		value.Reset(types.Variant, len(places))
		keys, values := NewStringWriter(key, len(places)), NewVariantWriter(value, len(places))
		for k, place := range places {
			metadata := slotBytes(args[0], owners[k])
			v := Variant(args[0], owners[k])
			raw := v.At(int(place)).Raw()
			name, named := v.Name(int(place))
			if raw == nil || !named && v.Kind() == variant.Object {
				return malformedVariant()
			}
			if values.Share(k, metadata, raw); named {
				keys.Append(k, name)
			} else {
				key.SetNull(k)
			}
		}
		keys.Close()
		values.Close()
		out.Children = []*vector.Vector{items}
		return nil
	}, nil
}

// slotBytes is the metadata of row i.
func slotBytes(v *vector.Vector, i int) []byte {
	v, i = slotOf(v, i)
	return v.Children[1].Str(i)
}
