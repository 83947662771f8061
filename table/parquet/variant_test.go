package parquet

import (
	"bytes"
	"testing"

	"millrace/types"
	"millrace/vector"
)

// TestRebuildVariant puts shredded objects, arrays and primitives together again.
func TestRebuildVariant(t *testing.T) {
	leaf := func(name string, typ *types.Type) *Column { return &Column{Name: name, Type: typ} }
	group := func(name string, fields ...*Column) *Column {
		c := &Column{Name: name, Type: types.Struct(), Children: fields}
		for _, f := range fields {
			c.Type.Fields = append(c.Type.Fields, types.Field{Name: f.Name, Type: f.Type, Nullable: true})
		}
		return c
	}
	binary := func(v ...string) *vector.Vector {
		b := vector.FromStrings(types.Binary, v, vector.NewBitmap(len(v)))
		for i, s := range v {
			if s == "" {
				b.Valid.Clear(i)
			}
		}
		return b
	}
	structOf := func(c *Column, n int, children ...*vector.Vector) *vector.Vector {
		return &vector.Vector{Type: c.Type, Len: n, Children: children}
	}
	// {"a": int or anything, "b": anything}, of which a is shredded
	field := group("a", leaf("value", types.Binary), leaf("typed_value", types.Integer))
	typed := group("typed_value", field)
	top := group("v", leaf("metadata", types.Binary), leaf("value", types.Binary), typed)
	meta := "\x01\x02\x00\x01\x02ab" // a dictionary of a and b
	restB := "\x02\x01\x01\x00\x02\x0c\x07"
	ints := vector.FromSlice(types.Integer, []int32{7, 0, 70000})
	ints.Valid = vector.NewBitmap(3)
	ints.Valid.Clear(1)
	a := structOf(field, 3, binary("", "\x04", ""), ints)
	v := structOf(top, 3, binary(meta, meta, meta), binary(restB, "", ""), structOf(typed, 3, a))
	want := []string{
		"\x02\x02\x00\x01\x02\x00\x04\x0c\x07\x0c\x07", // {"a":7,"b":7}, of which b was written first
		"\x02\x01\x00\x00\x01\x04",                     // {"a":true}
		"\x02\x01\x00\x00\x05\x14\x70\x11\x01\x00",     // {"a":70000}
	}
	for i, w := range want {
		var b variantBuilder
		if err := b.begin([]byte(meta)); err != nil {
			t.Fatal(err)
		}
		if there, err := b.rebuild(v, top, i); err != nil || !there || !bytes.Equal(b.b.Value(), []byte(w)) {
			t.Errorf("row %d: %x, %v; want %x", i, b.b.Value(), err, w)
		}
	}
	if err := new(variantBuilder).begin([]byte{1}); err == nil {
		t.Error("a dictionary that ends early is taken")
	}
}

// TestVariantRoundTrip writes variants and reads them again, in lists too.
func TestVariantRoundTrip(t *testing.T) {
	variant := func(n int) *vector.Vector {
		values, metas := make([]string, n), make([]string, n)
		for i := range values {
			values[i], metas[i] = "\x0c"+string(rune('a'+i)), "\x01\x00\x00"
		}
		return &vector.Vector{Type: types.Variant, Len: n, Children: []*vector.Vector{vector.FromStrings(types.Binary, values, nil), vector.FromStrings(types.Binary, metas, nil)}}
	}
	list := &vector.Vector{Type: types.ArrayOf(types.Variant, true), Len: 2, Offsets: []int32{0, 1, 3}, Children: []*vector.Vector{variant(3)}}
	schema := types.Struct(types.Field{Name: "v", Type: types.Variant, Nullable: true}, types.Field{Name: "l", Type: list.Type, Nullable: true})
	var file bytes.Buffer
	w, err := NewWriter(&file, schema, WriteOptions{})
	if err != nil {
		t.Fatal(err)
	}
	v := variant(2)
	v.Valid = vector.NewBitmap(2)
	v.Valid.Clear(0)
	if err := w.Write(&vector.Batch{N: 2, Cols: []*vector.Vector{v, list}}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := Open(bytes.NewReader(file.Bytes()), int64(file.Len()), "x")
	if err != nil {
		t.Fatal(err)
	}
	r, err := f.NewReader(bytes.NewReader(file.Bytes()), ReadOptions{Columns: []ReadColumn{{Name: "v", Type: types.Variant}, {Name: "l", Type: list.Type}}})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	got, in := b.Cols[0], b.Cols[1].Children[0]
	if !got.IsNull(0) || string(got.Children[0].Str(1)) != "\x0cb" || in.Len != 3 || string(in.Children[0].Str(2)) != "\x0cc" {
		t.Fatalf("read %v and %v", got, in)
	}
	if s := w.Statistics(); len(s) != 2 || s[0].Nulls != 1 || s[0].Min != nil {
		t.Errorf("statistics %+v: a variant is one column without bounds", s)
	}
}
