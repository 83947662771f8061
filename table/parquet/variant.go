package parquet

import (
	"millrace/types"
	"millrace/vector"
)

// variantField makes variants of a group of metadata, value and, where they are shredded, typed_value, as Parquet's
// VariantShredding.md lays them out.
type variantField struct {
	group *nested // reads the group as it stands in the file
	value variantBuilder
}

// variantGroup finds the members of a group that holds variants; -1 for one that is not there.
func variantGroup(c *Column) (metadata, value, typed int, ok bool) {
	metadata, value, typed = -1, -1, -1
	for i, f := range c.Children {
		switch f.Name {
		case "metadata":
			metadata = i
		case "value":
			value = i
		case "typed_value":
			typed = i
		}
	}
	return metadata, value, typed, metadata >= 0 && (value >= 0 || typed >= 0)
}

// variant makes the reader of a variant's group, which stands in the tree of nested columns as a struct does.
func (b *fieldBuilder) variant(c *Column) (*nested, error) {
	_, _, _, ok := variantGroup(c)
	if !ok || c.Type.Kind != types.KindStruct {
		return nil, mismatch(b.file.Path, b.column, types.Variant, c)
	}
	group, err := b.nested(c, c.Type)
	if err != nil {
		return nil, err
	}
	n := &nested{col: c, typ: types.Variant, levels: group.levels, children: []*nested{group}}
	n.variant = &variantField{group: group}
	return n, nil
}

// build makes the variants of the rows that were read.
func (f *variantField) build() (*vector.Vector, error) {
	g, err := f.group.build()
	if err != nil {
		return nil, err
	}
	metadata, value, typed, _ := variantGroup(f.group.col)
	if typed < 0 {
		return f.finish(g, g.Children[value], g.Children[metadata]), nil
	}
	values := vector.NewEmpty(types.Binary)
	values.Reset(types.Binary, g.Len)
	for i := range g.Len {
		if g.IsNull(i) {
			values.AppendStr(i, nil)
			continue
		}
		if err := f.value.begin(g.Children[metadata].Str(i)); err != nil {
			return nil, err
		}
		if there, err := f.value.rebuild(g, f.group.col, i); err != nil {
			return nil, err
		} else if !there {
			f.value.b.Null()
		}
		values.AppendStr(i, f.value.b.Value())
	}
	return f.finish(g, values, g.Children[metadata]), nil
}

// finish makes the vector. A variant that is there has both parts, and one that is null has empty ones.
func (f *variantField) finish(g, value, metadata *vector.Vector) *vector.Vector {
	parts := [2]vector.Vector{*value, *metadata}
	parts[0].Valid, parts[1].Valid = nil, nil
	return &vector.Vector{Type: types.Variant, Len: g.Len, Valid: g.Valid, Children: []*vector.Vector{&parts[0], &parts[1]}}
}
