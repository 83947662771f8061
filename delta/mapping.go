package delta

import (
	"encoding/json"
	"strconv"

	"github.com/google/uuid"

	"millrace/types"
)

// assignMapping gives the fields that have none an identifier and a physical name when the table maps columns, and
// raises the table's largest identifier.
func (m *Metadata) assignMapping(schema *types.Type) *types.Type {
	mode := m.Configuration["delta.columnMapping.mode"]
	if mode == "" || mode == "none" {
		return schema
	}
	last := int64(0)
	WalkFields(schema, func(f types.Field) {
		last = max(last, int64(FieldID(f)))
		for _, id := range NestedIDs(f) {
			last = max(last, int64(id))
		}
	})
	if n, err := strconv.ParseInt(m.Configuration["delta.columnMapping.maxColumnId"], 10, 64); err == nil {
		last = max(last, n)
	}
	schema = mapFields(schema, func(f types.Field) types.Field {
		if FieldID(f) != 0 {
			return f
		}
		last++
		add := map[string]any{"delta.columnMapping.id": last}
		if FieldMetadata(f, "delta.columnMapping.physicalName") == nil {
			add["delta.columnMapping.physicalName"] = "col-" + uuid.NewString()
		}
		return withMetadata(f, add)
	})
	if m.isTrue("delta.enableIcebergCompatV2") || m.isTrue("delta.enableIcebergCompatV3") {
		schema = mapFields(schema, func(f types.Field) types.Field {
			ids := NestedIDs(f)
			if ids == nil {
				ids = map[string]int32{}
			}
			nest(f.Type, PhysicalName(f), func(path string) {
				if ids[path] == 0 {
					last++
					ids[path] = int32(last)
				}
			})
			return withMetadata(f, map[string]any{nestedIDs: ids})
		})
	}
	m.Configuration["delta.columnMapping.maxColumnId"] = itoa(last)
	return schema
}

const nestedIDs = "delta.columnMapping.nested.ids"

// NestedIDs are the identifiers in data files of the elements, keys and values of a field that is an array or a map, by their paths from it: its physical
// name, and "element", "key" or "value" for each level. Nil where it has none.
func NestedIDs(f types.Field) map[string]int32 {
	var ids map[string]int32
	_ = json.Unmarshal(FieldMetadata(f, nestedIDs), &ids)
	return ids
}

// nest visits the elements, keys and values of a type down to structs, whose fields have identifiers of their own.
func nest(t *types.Type, path string, visit func(path string)) {
	switch t.Kind {
	case types.KindArray:
		visit(path + ".element")
		nest(t.Elem, path+".element", visit)
	case types.KindMap:
		visit(path + ".key")
		visit(path + ".value")
		nest(t.Key, path+".key", visit)
		nest(t.Elem, path+".value", visit)
	}
}

// mapFields replaces the fields of a type at any depth, outer ones first.
func mapFields(t *types.Type, change func(types.Field) types.Field) *types.Type {
	if t == nil || !t.IsNested() {
		return t
	}
	n := *t
	n.Key, n.Elem = mapFields(t.Key, change), mapFields(t.Elem, change)
	n.Fields = make([]types.Field, len(t.Fields))
	for i, f := range t.Fields {
		f = change(f)
		f.Type = mapFields(f.Type, change)
		n.Fields[i] = f
	}
	return &n
}

// WithFieldMetadata is a field with more members in its metadata.
func WithFieldMetadata(f types.Field, add map[string]any) types.Field { return withMetadata(f, add) }

func withMetadata(f types.Field, add map[string]any) types.Field {
	all := map[string]json.RawMessage{}
	if f.Metadata != "" {
		_ = json.Unmarshal([]byte(f.Metadata), &all) // a schema that was read is well formed
	}
	for k, v := range add {
		all[k], _ = compact(v)
	}
	text, _ := compact(all)
	f.Metadata = string(text)
	return f
}

// Stored is a type as data files hold it: the metadata of its fields says their physical names and, when ids are asked for, the
// field ids by which to find or write them.
func Stored(t *types.Type, ids bool) *types.Type {
	return mapFields(t, func(f types.Field) types.Field {
		add := map[string]any{"delta.columnMapping.physicalName": PhysicalName(f)}
		if id := FieldID(f); ids && id != 0 {
			add["parquet.field.id"] = id
			if nested := NestedIDs(f); len(nested) > 0 {
				add["parquet.field.nested.ids"] = nested
			}
		}
		f.Metadata = ""
		return withMetadata(f, add)
	})
}

// Leaf is a column without fields of its own, by its path from the table.
type Leaf struct {
	Path     []string // logical names
	Physical []string
	Type     *types.Type
}

// Leaves are the leaf columns of a schema in order. Arrays and maps are leaves.
func Leaves(schema *types.Type) []Leaf {
	var out []Leaf
	var walk func(path, physical []string, t *types.Type)
	walk = func(path, physical []string, t *types.Type) {
		for _, f := range t.Fields {
			p := append(path[:len(path):len(path)], f.Name)
			q := append(physical[:len(physical):len(physical)], PhysicalName(f))
			if f.Type.Kind == types.KindStruct {
				walk(p, q, f.Type)
			} else {
				out = append(out, Leaf{p, q, f.Type})
			}
		}
	}
	walk(nil, nil, schema)
	return out
}

// WithoutMapping is a schema without the numbers and physical names of its columns.
func WithoutMapping(schema *types.Type) *types.Type {
	return mapFields(schema, func(f types.Field) types.Field {
		return SetFieldMetadata(f, map[string]any{"delta.columnMapping.id": nil, "delta.columnMapping.physicalName": nil, nestedIDs: nil, "delta.typeChanges": nil,
			"delta.identity.highWaterMark": nil})
	})
}

// WithoutTypeChanges is a schema that has forgotten which types its columns once had.
func WithoutTypeChanges(schema *types.Type) *types.Type { return without(schema, "delta.typeChanges") }

func without(schema *types.Type, keys ...string) *types.Type {
	drop := map[string]any{}
	for _, k := range keys {
		drop[k] = nil
	}
	return mapFields(schema, func(f types.Field) types.Field { return SetFieldMetadata(f, drop) })
}
