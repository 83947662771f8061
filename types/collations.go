package types

import (
	"encoding/json"
	"sort"
	"strings"
)

// collationsKey is where a field's metadata has the collations of its strings by their paths: NAME, NAME.element, NAME.key, NAME.value.
const collationsKey = "__COLLATIONS"

// eachCollated calls f for the strings of a type with their paths below path. Structs are left out: their fields have metadata of their own.
func eachCollated(t *Type, path string, f func(path string, t *Type)) {
	switch t.Kind {
	case KindString:
		f(path, t)
	case KindArray:
		eachCollated(t.Elem, path+".element", f)
	case KindMap:
		eachCollated(t.Key, path+".key", f)
		eachCollated(t.Elem, path+".value", f)
	}
}

// metadataWithCollations is a field's metadata as JSON has it, in which its type's collations stand.
func metadataWithCollations(f *Field) string {
	found := map[string]string{}
	eachCollated(f.Type, f.Name, func(path string, t *Type) {
		if t.Collation == "" {
			return
		}
		provider := "icu"
		if strings.HasPrefix(t.Collation, "UTF8_") {
			provider = "spark"
		}
		found[path] = provider + "." + t.Collation
	})
	if len(found) == 0 && !strings.Contains(f.Metadata, collationsKey) {
		if f.Metadata == "" {
			return "{}"
		}
		return f.Metadata
	}
	members := map[string]json.RawMessage{}
	if f.Metadata != "" && json.Unmarshal([]byte(f.Metadata), &members) != nil {
		return f.Metadata
	}
	delete(members, collationsKey)
	if len(found) > 0 {
		members[collationsKey], _ = json.Marshal(found)
	}
	names := make([]string, 0, len(members))
	for name := range members {
		names = append(names, name)
	}
	sort.Strings(names)
	parts := make([]string, len(names))
	for i, name := range names {
		parts[i] = quoteJSON(name) + ":" + string(members[name])
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// withCollations gives a field's strings the collations of its metadata, which then no longer has them.
func withCollations(f Field) Field {
	if !strings.Contains(f.Metadata, collationsKey) {
		return f
	}
	var m map[string]json.RawMessage
	var paths map[string]string
	if json.Unmarshal([]byte(f.Metadata), &m) != nil || json.Unmarshal(m[collationsKey], &paths) != nil {
		return f
	}
	f.Type = collate(f.Type, f.Name, paths)
	plain := f
	plain.Type = Null
	if f.Metadata = metadataWithCollations(&plain); f.Metadata == "{}" {
		f.Metadata = ""
	}
	return f
}

func collate(t *Type, path string, paths map[string]string) *Type {
	m := *t
	switch t.Kind {
	case KindString:
		name := paths[path]
		if i := strings.IndexByte(name, '.'); i >= 0 {
			name = name[i+1:]
		}
		if name == "" || name == "UTF8_BINARY" {
			return t
		}
		m.Collation = name
	case KindArray:
		m.Elem = collate(t.Elem, path+".element", paths)
	case KindMap:
		m.Key, m.Elem = collate(t.Key, path+".key", paths), collate(t.Elem, path+".value", paths)
	default:
		return t
	}
	return &m
}
