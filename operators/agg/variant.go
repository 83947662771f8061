package agg

import (
	"google.golang.org/protobuf/proto"

	"millrace/errs"
	"millrace/operators/expr"
	"millrace/planconv"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/types"
	"millrace/variant"
	"millrace/vector"
)

func init() {
	register(builder{func(*Call) []*types.Type { return []*types.Type{types.Binary} }, func(*Call) (Function, error) { return &variantSchema{}, nil }},
		"schema_of_variant_agg")
}

// variantSchema is the type that all variants of a group have, as schema_of_variant writes it. States are types in the plan's form.
type variantSchema struct {
	of    []*types.Type
	bytes int64
}

func (f *variantSchema) TakesNulls() bool { return false }

func (f *variantSchema) Resize(n int) {
	for len(f.of) < n {
		f.of = append(f.of, types.Null)
	}
	f.of = f.of[:n]
}

func (f *variantSchema) Update(in *Input) error {
	for k := range in.N {
		t, err := variant.SchemaOf(expr.Variant(in.Args[0], k))
		if err != nil {
			return errs.New("MALFORMED_VARIANT")
		}
		f.merge(int(in.group(k)), t)
	}
	return nil
}

func (f *variantSchema) merge(group int, t *types.Type) {
	before := f.of[group]
	f.of[group] = variant.MergeSchemas(before, t)
	f.bytes += schemaBytes(f.of[group]) - schemaBytes(before)
}

// schemaBytes is about the memory of a type.
func schemaBytes(t *types.Type) int64 {
	n := int64(0)
	if t.Elem != nil {
		n += 200 + schemaBytes(t.Elem)
	}
	for _, f := range t.Fields {
		n += 300 + int64(len(f.Name)) + schemaBytes(f.Type)
	}
	return n
}

func (f *variantSchema) Merge(in *Input) error {
	for k := range in.N {
		if in.Args[0].IsNull(k) {
			continue
		}
		var t planpb.Type
		if err := proto.Unmarshal(in.Args[0].Str(k), &t); err != nil {
			return errs.Wrap(err, "read the schema of variants")
		}
		f.merge(int(in.group(k)), planconv.Type(&t))
	}
	return nil
}

func (f *variantSchema) States(out []*vector.Vector, from, n int) {
	v := &vector.Vector{}
	v.Reset(types.Binary, n)
	for g := range n {
		b, err := proto.Marshal(planconv.TypePB(f.of[from+g]))
		if err != nil {
			panic(err) // names are UTF-8 and all else are numbers
		}
		v.AppendStr(g, b)
	}
	out[0].Append(v, nil)
}

func (f *variantSchema) Result(out *vector.Vector, from, n int) error {
	v := &vector.Vector{}
	v.Reset(types.String, n)
	for g := range n {
		v.AppendStr(g, []byte(variant.SchemaText(f.of[from+g])))
	}
	out.Append(v, nil)
	return nil
}

func (f *variantSchema) MemSize() int64 { return f.bytes + 8*int64(cap(f.of)) }

func (f *variantSchema) Reset() { f.of, f.bytes = nil, 0 }
