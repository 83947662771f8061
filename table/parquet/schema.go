package parquet

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"

	"millrace/errs"
	"millrace/types"
)

// Column is a field of a file's schema as Spark sees it: lists and maps without their wrapping groups.
//
// Levels: a level entry of one of its leaves is a slot of this column when its definition level is at least slot and its
// repetition level at most rep; the slot is not null from definition level def on; a list or map has an entry from
// definition level entry on.
type Column struct {
	Name     string
	ID       int32 // the field id, or -1
	Type     *types.Type
	Children []*Column // element; key and value; fields

	leaf             int // ordinal of the first leaf below
	slot, def, entry uint8
	rep              uint8
	maxRep           uint8 // of a leaf
	physical         format.Type
	length           int // bytes of a fixed-length value
	elem             *schemaElement
	err              error // why the type cannot be read
}

func (c *Column) isLeaf() bool { return c.Type != nil && len(c.Children) == 0 && !c.Type.IsNested() }

// element is a node of the schema as it stands in the file.
type element struct {
	*schemaElement
	children []*element
	leaf     int
	def, rep uint8 // the levels at which the element itself exists
}

func (e *element) repeated() bool { return e.Repetition.V == format.Repeated }
func (e *element) optional() bool { return e.Repetition.V == format.Optional }

const maxSchemaDepth = 64

type schemaParser struct {
	elems  []schemaElement
	next   int
	leaves int
}

// columns turns the flat schema into the top-level columns and the list of leaves.
func columns(elems []schemaElement) (top, leaves []*Column, err error) {
	if len(elems) == 0 {
		return nil, nil, corrupt("no schema")
	}
	p := &schemaParser{elems: elems}
	root, err := p.parse(0, 0, 0)
	if err != nil {
		return nil, nil, err
	}
	if p.next != len(elems) {
		return nil, nil, corrupt("%d schema elements of %d belong to the root", p.next, len(elems))
	}
	b := &columnBuilder{leaves: make([]*Column, p.leaves)}
	for _, e := range root.children {
		top = append(top, b.field(e, 0, 0))
	}
	return top, b.leaves, nil
}

func (p *schemaParser) parse(def, rep uint8, depth int) (*element, error) {
	if p.next >= len(p.elems) || depth > maxSchemaDepth {
		return nil, corrupt("the schema ends early or is nested too deeply")
	}
	e := &element{schemaElement: &p.elems[p.next], leaf: p.leaves}
	p.next++
	if depth > 0 {
		switch {
		case e.optional():
			def++
		case e.repeated():
			def++
			rep++
		}
	}
	e.def, e.rep = def, rep
	if e.Type.Valid {
		p.leaves++
		return e, nil
	}
	for range e.NumChildren.V {
		c, err := p.parse(def, rep, depth+1)
		if err != nil {
			return nil, err
		}
		e.children = append(e.children, c)
	}
	return e, nil
}

type columnBuilder struct{ leaves []*Column }

// field makes the column of a field of a group: a repeated one without a list around it is a list of required elements.
func (b *columnBuilder) field(e *element, slot, rep uint8) *Column {
	if !e.repeated() {
		return b.value(e, slot, rep)
	}
	c := b.column(e, slot, rep)
	c.def, c.entry = e.def-1, e.def
	elem := b.value(e, e.def, e.rep)
	c.Children = []*Column{elem}
	c.Type, c.err = types.ArrayOf(elem.Type, false), elem.err
	return c
}

func (b *columnBuilder) column(e *element, slot, rep uint8) *Column {
	c := &Column{Name: e.Name, ID: -1, leaf: e.leaf, slot: slot, def: e.def, rep: rep, elem: e.schemaElement}
	if e.FieldID.Valid {
		c.ID = e.FieldID.V
	}
	return c
}

// value makes the column of an element whose own repetition is dealt with.
func (b *columnBuilder) value(e *element, slot, rep uint8) *Column {
	c := b.column(e, slot, rep)
	switch {
	case e.Type.Valid:
		c.maxRep = e.rep
		c.physical, c.length = e.Type.V, int(e.TypeLength.V)
		c.Type, c.err = leafType(e.schemaElement)
		if c.Type == nil {
			c.Type = types.Binary
		}
		b.leaves[e.leaf] = c
	case e.isList():
		b.list(c, e)
	case e.isMap():
		b.mapOf(c, e)
	default:
		b.structOf(c, e)
		if _, enum := e.Logical.Value.(*format.EnumType); enum || e.converted(deprecated.Enum) {
			c.err = errs.New("PARQUET_TYPE_NOT_RECOGNIZED", "field", "group "+e.Name+" (ENUM)")
		}
	}
	return c
}

func (e *element) converted(t deprecated.ConvertedType) bool {
	return e.Converted.Valid && e.Converted.V == t
}

func (e *element) isList() bool {
	_, logical := e.Logical.Value.(*format.ListType)
	return (logical || e.converted(deprecated.List)) && len(e.children) == 1 && e.children[0].repeated()
}

func (e *element) isMap() bool {
	_, logical := e.Logical.Value.(*format.MapType)
	return (logical || e.converted(deprecated.Map) || e.converted(deprecated.MapKeyValue)) && len(e.children) == 1 &&
		e.children[0].repeated() && len(e.children[0].children) == 2
}

// list follows the format's backward compatibility rules: the repeated group is the element itself unless it is a mere
// wrapper of one field.
func (b *columnBuilder) list(c *Column, e *element) {
	r := e.children[0]
	c.entry = r.def
	var elem *Column
	nullable := false
	if len(r.children) != 1 || r.Name == "array" || r.Name == e.Name+"_tuple" || r.children[0].repeated() {
		elem = b.value(r, r.def, r.rep)
	} else {
		elem = b.value(r.children[0], r.def, r.rep)
		nullable = r.children[0].optional()
	}
	c.Children = []*Column{elem}
	c.Type, c.err = types.ArrayOf(elem.Type, nullable), elem.err
}

func (b *columnBuilder) mapOf(c *Column, e *element) {
	r := e.children[0]
	c.entry = r.def
	key, value := b.field(r.children[0], r.def, r.rep), b.field(r.children[1], r.def, r.rep)
	c.Children = []*Column{key, value}
	c.Type = types.MapOf(key.Type, value.Type, r.children[1].optional())
	if c.err = key.err; c.err == nil {
		c.err = value.err
	}
}

func (b *columnBuilder) structOf(c *Column, e *element) {
	fields := make([]types.Field, len(e.children))
	for i, child := range e.children {
		f := b.field(child, c.slot, c.rep)
		c.Children = append(c.Children, f)
		fields[i] = types.Field{Name: f.Name, Type: f.Type, Nullable: child.optional()}
		if c.err == nil {
			c.err = f.err
		}
	}
	c.Type = types.Struct(fields...)
}

// typeNames are parquet-mr's names of physical types, as messages show them.
var typeNames = [...]string{"BOOLEAN", "INT32", "INT64", "INT96", "FLOAT", "DOUBLE", "BINARY", "FIXED_LEN_BYTE_ARRAY"}

func physicalName(t format.Type) string {
	if int(t) < len(typeNames) && t >= 0 {
		return typeNames[t]
	}
	return fmt.Sprintf("Type(%d)", t)
}

func illegalType(e *schemaElement) error {
	name := physicalName(e.Type.V)
	if e.Logical.Value != nil {
		name += " (" + e.Logical.String() + ")"
	}
	return errs.New("PARQUET_TYPE_ILLEGAL", "parquetType", name)
}

// stored is what a field's metadata says of its place in files.
type stored struct {
	Name   string           `json:"delta.columnMapping.physicalName,omitempty"` // of Delta's column mapping
	ID     int32            `json:"parquet.field.id,omitempty"`
	Nested map[string]int32 `json:"parquet.field.nested.ids,omitempty"` // of its elements, keys and values, by their paths from its name
}

// storedField is the name and the identifiers under which a field stands in files.
func storedField(f types.Field) stored {
	var s stored
	if f.Metadata != "" && json.Unmarshal([]byte(f.Metadata), &s) != nil {
		s = stored{}
	}
	if s.Name == "" {
		s.Name = f.Name
	}
	return s
}

// member is the element, key or value of that name of a field that is an array or a map.
func (s stored) member(name string, t *types.Type, nullable bool) types.Field {
	f := types.Field{Name: name, Type: t, Nullable: nullable}
	if id := s.Nested[s.Name+"."+name]; id != 0 {
		nested := map[string]int32{}
		for path, id := range s.Nested {
			if path, ok := strings.CutPrefix(path, s.Name+"."); ok {
				nested[path] = id
			}
		}
		f.Metadata = FieldIDs(id, nested)
	}
	return f
}

// FieldIDs is the metadata of a field that is to have an identifier in files. nested are those of its elements, keys and values, by their paths
// from its name: "name.element", "name.value.key".
func FieldIDs(id int32, nested map[string]int32) string {
	text, _ := json.Marshal(stored{ID: id, Nested: nested}) // of such a type there is no error
	return string(text)
}

// physicalField is the name and field id under which a struct's field stands in files: Delta's column mapping keeps
// them in the field's metadata.
func physicalField(f types.Field) (name string, id int32) {
	s := storedField(f)
	return s.Name, s.ID
}
