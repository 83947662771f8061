package delta

import (
	"encoding/json"
	"slices"
	"strings"

	"millrace/errs"
	"millrace/types"
)

// Place is where a column goes: at the end, first, or after another.
type Place struct {
	First bool
	After string
}

// String is the place as the history shows it.
func (p Place) String() string {
	switch {
	case p.First:
		return "FIRST"
	case p.After != "":
		return "AFTER " + p.After
	}
	return ""
}

// inStruct changes the struct that holds the column of a path. Lists are passed by "element", maps by "key" and "value".
func inStruct(t *types.Type, path []string, change func(*types.Type) (*types.Type, error)) (*types.Type, error) {
	if len(path) == 1 {
		if t.Kind != types.KindStruct {
			return nil, notFound(path)
		}
		return change(t)
	}
	n := *t
	var err error
	switch step := strings.ToLower(path[0]); {
	case t.Kind == types.KindStruct:
		_, i := t.Field(path[0], false)
		if i < 0 {
			return nil, notFound(path)
		}
		n.Fields = slices.Clone(t.Fields)
		n.Fields[i].Type, err = inStruct(t.Fields[i].Type, path[1:], change)
	case t.Kind == types.KindArray && step == "element", t.Kind == types.KindMap && step == "value":
		n.Elem, err = inStruct(t.Elem, path[1:], change)
	case t.Kind == types.KindMap && step == "key":
		n.Key, err = inStruct(t.Key, path[1:], change)
	default:
		return nil, notFound(path)
	}
	return &n, err
}

func notFound(path []string) error {
	return errs.New("UNRESOLVED_COLUMN.WITHOUT_SUGGESTION", "objectName", types.QuoteParts(path...))
}

// FindField is the column of a path, and its path in the table's spelling.
func FindField(schema *types.Type, path []string) (f types.Field, spelled []string, ok bool) {
	t := schema
	for _, name := range path {
		switch step := strings.ToLower(name); {
		case t.Kind == types.KindStruct:
			var i int
			if f, i = t.Field(name, false); i < 0 {
				return f, nil, false
			}
			spelled = append(spelled, f.Name)
		case t.Kind == types.KindArray && step == "element":
			f = types.Field{Name: "element", Type: t.Elem, Nullable: t.ElemNull}
			spelled = append(spelled, "element")
		case t.Kind == types.KindMap && step == "key":
			f = types.Field{Name: "key", Type: t.Key}
			spelled = append(spelled, "key")
		case t.Kind == types.KindMap && step == "value":
			f = types.Field{Name: "value", Type: t.Elem, Nullable: t.ElemNull}
			spelled = append(spelled, "value")
		default:
			return f, nil, false
		}
		t = f.Type
	}
	return f, spelled, true
}

func put(t *types.Type, f types.Field, at Place) (*types.Type, error) {
	n := *t
	n.Fields = slices.Clone(t.Fields)
	i := len(n.Fields)
	switch {
	case at.First:
		i = 0
	case at.After != "":
		_, k := t.Field(at.After, false)
		if k < 0 {
			return nil, errs.New("FIELD_NOT_FOUND", "fieldName", types.Quote(at.After), "fields", strings.Join(t.Names(), ", "))
		}
		i = k + 1
	}
	n.Fields = slices.Insert(n.Fields, i, f)
	return &n, nil
}

// AddColumn puts a new column into a schema; path ends with its name.
func AddColumn(schema *types.Type, path []string, f types.Field, at Place) (*types.Type, error) {
	if _, _, there := FindField(schema, path); there {
		return nil, alreadyThere("add", path, schema)
	}
	return inStruct(schema, path, func(t *types.Type) (*types.Type, error) { return put(t, f, at) })
}

func alreadyThere(op string, path []string, schema *types.Type) error {
	return errs.New("FIELD_ALREADY_EXISTS", "op", op, "fieldNames", types.QuoteParts(path...), "struct", `"`+schema.SQL()+`"`)
}

// RenameColumn gives a column another name.
func RenameColumn(schema *types.Type, path []string, to string) (*types.Type, error) {
	renamed := append(slices.Clone(path[:len(path)-1]), to)
	if old, _, _ := FindField(schema, path); !strings.EqualFold(old.Name, to) {
		if _, _, there := FindField(schema, renamed); there {
			return nil, alreadyThere("rename", renamed, schema)
		}
	}
	return ChangeColumn(schema, path, func(f types.Field) (types.Field, error) { f.Name = to; return f, nil })
}

// DropColumn takes a column out of a schema.
func DropColumn(schema *types.Type, path []string) (*types.Type, error) {
	return inStruct(schema, path, func(t *types.Type) (*types.Type, error) {
		_, i := t.Field(path[len(path)-1], false)
		switch {
		case i < 0:
			return nil, notFound(path)
		case len(t.Fields) == 1:
			return nil, errs.New("DELTA_DROP_COLUMN_ON_SINGLE_FIELD_SCHEMA", "schema", TreeString(t))
		}
		n := *t
		n.Fields = slices.Delete(slices.Clone(t.Fields), i, i+1)
		return &n, nil
	})
}

// MoveColumn puts a column to another place of its struct.
func MoveColumn(schema *types.Type, path []string, at Place) (*types.Type, error) {
	return inStruct(schema, path, func(t *types.Type) (*types.Type, error) {
		f, i := t.Field(path[len(path)-1], false)
		if i < 0 {
			return nil, notFound(path)
		}
		n := *t
		n.Fields = slices.Delete(slices.Clone(t.Fields), i, i+1)
		return put(&n, f, at)
	})
}

// ChangeColumn replaces a field of a struct.
func ChangeColumn(schema *types.Type, path []string, change func(types.Field) (types.Field, error)) (*types.Type, error) {
	return inStruct(schema, path, func(t *types.Type) (*types.Type, error) {
		f, i := t.Field(path[len(path)-1], false)
		if i < 0 {
			return nil, notFound(path)
		}
		n := *t
		n.Fields = slices.Clone(t.Fields)
		var err error
		n.Fields[i], err = change(f)
		return &n, err
	})
}

// typeChange is an entry of a field's delta.typeChanges.
type typeChange struct {
	To   json.RawMessage `json:"toType"`
	From json.RawMessage `json:"fromType"`
	Path string          `json:"fieldPath,omitempty"`
}

// WidenColumn gives a column, which may be an element, key or value, a wider type, and notes the change in the nearest field.
func WidenColumn(schema *types.Type, path []string, to *types.Type) (*types.Type, error) {
	n := len(path)
	for n > 1 { // the field above steps into lists and maps
		parent, _, ok := FindField(schema, path[:n-1])
		if !ok || parent.Type.Kind == types.KindStruct {
			break
		}
		n--
	}
	inside := path[n:]
	return ChangeColumn(schema, path[:n], func(f types.Field) (types.Field, error) {
		from := f.Type
		for _, step := range inside {
			from = within(from, step)
		}
		f.Type = withWithin(f.Type, inside, to)
		if from.SameData(to) {
			return f, nil
		}
		var changes []typeChange
		_ = json.Unmarshal(FieldMetadata(f, "delta.typeChanges"), &changes)
		lower := make([]string, len(inside))
		for i, s := range inside {
			lower[i] = strings.ToLower(s)
		}
		changes = append(changes, typeChange{json.RawMessage(to.JSON()), json.RawMessage(from.JSON()), strings.Join(lower, ".")})
		return withMetadata(f, map[string]any{"delta.typeChanges": changes}), nil
	})
}

func within(t *types.Type, step string) *types.Type {
	if strings.EqualFold(step, "key") {
		return t.Key
	}
	return t.Elem
}

func withWithin(t *types.Type, path []string, to *types.Type) *types.Type {
	if len(path) == 0 {
		return to
	}
	n := *t
	if strings.EqualFold(path[0], "key") {
		n.Key = withWithin(t.Key, path[1:], to)
	} else {
		n.Elem = withWithin(t.Elem, path[1:], to)
	}
	return &n
}

// Widens reports whether type widening allows a column of one type to become another.
func Widens(from, to *types.Type) bool {
	digits := map[types.Kind]int{types.KindByte: 10, types.KindShort: 10, types.KindInteger: 10, types.KindLong: 20}
	switch {
	case from.SameData(to):
		return true
	case from.IsIntegral() && to.IsIntegral():
		return from.Kind < to.Kind
	case from.IsIntegral() && to.Kind == types.KindDouble:
		return from.Kind != types.KindLong
	case from.IsIntegral() && to.Kind == types.KindDecimal:
		return to.Precision-to.Scale >= digits[from.Kind]
	case from.Kind == types.KindFloat:
		return to.Kind == types.KindDouble
	case from.Kind == types.KindDate:
		return to.Kind == types.KindTimestampNTZ
	case from.Kind == types.KindDecimal && to.Kind == types.KindDecimal:
		return to.Scale >= from.Scale && to.Precision-to.Scale >= from.Precision-from.Scale
	}
	return false
}

// SetFieldMetadata adds members to a field's metadata; a nil value takes one out.
func SetFieldMetadata(f types.Field, members map[string]any) types.Field {
	all := map[string]json.RawMessage{}
	if f.Metadata != "" {
		_ = json.Unmarshal([]byte(f.Metadata), &all) // a schema that was read is well formed
	}
	for k, v := range members {
		if v == nil {
			delete(all, k)
		} else {
			all[k], _ = compact(v)
		}
	}
	f.Metadata = ""
	if len(all) > 0 {
		text, _ := compact(all)
		f.Metadata = string(text)
	}
	return f
}

// UserField is a field as a user sees it: without what Delta keeps in its metadata for itself, at any depth.
func UserField(f types.Field) types.Field {
	f.Type = mapFields(f.Type, ownMetadata)
	return ownMetadata(f)
}

// UserSchema is a schema as a user sees it.
func UserSchema(schema *types.Type) *types.Type { return mapFields(schema, ownMetadata) }

func ownMetadata(f types.Field) types.Field {
	if !strings.Contains(f.Metadata, "delta.") {
		return f
	}
	drop := map[string]any{}
	var all map[string]json.RawMessage
	_ = json.Unmarshal([]byte(f.Metadata), &all)
	for k := range all {
		if strings.HasPrefix(k, "delta.") {
			drop[k] = nil
		}
	}
	return SetFieldMetadata(f, drop)
}
