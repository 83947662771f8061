package avro

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"millrace/errs"
)

// Resolve makes of the schema that values were written by one that is read as a reader's schema: fields have the names that the reader gives them, also by its aliases,
// and those that were not written are there with their defaults. What is between the two besides is the decoder's.
func Resolve(written, reader *Schema) (*Schema, error) { return resolve(written, reader, nil) }

func resolve(w, r *Schema, around []*Schema) (*Schema, error) {
	if r == nil {
		return w, nil
	}
	if slices.Contains(around, w) {
		return nil, errs.Unsupportedf("Avro records within themselves (%s) are not read by another schema.", w.Name)
	}
	around = append(around[:len(around):len(around)], w)
	switch {
	case w.Kind == "union":
		out := *w
		out.Branches = slices.Clone(w.Branches)
		for i, b := range w.Branches {
			var err error
			if out.Branches[i], err = resolve(b, r.branchLike(b), around); err != nil {
				return nil, err
			}
		}
		return &out, nil
	case r.Kind == "union":
		return resolve(w, r.branchLike(w), around)
	case w.Kind != r.Kind:
		return w, nil
	case w.Kind == "array" || w.Kind == "map":
		items, err := resolve(w.Items, r.Items, around)
		out := *w
		out.Items = items
		return &out, err
	case w.Kind == "record":
		return resolveRecord(w, r, around)
	}
	return w, nil
}

// branchLike is what a value of a kind is read as: the schema itself, or its branch of that kind, and of that name where there are several.
func (s *Schema) branchLike(w *Schema) *Schema {
	if s.Kind != "union" {
		if s.Kind == w.Kind {
			return s
		}
		return nil
	}
	var found *Schema
	for _, b := range s.Branches {
		if b.Kind == w.Kind && (found == nil || b.named(w.Name)) {
			found = b
		}
	}
	return found
}

// named reports whether values of a name are read as this schema.
func (s *Schema) named(name string) bool {
	return baseName(s.Name) == baseName(name) || slices.ContainsFunc(s.Aliases, func(a string) bool { return baseName(a) == baseName(name) })
}

func resolveRecord(w, r *Schema, around []*Schema) (*Schema, error) {
	out := *w
	out.Fields = slices.Clone(w.Fields)
	taken := make([]bool, len(w.Fields))
	for _, f := range r.Fields {
		at := slices.IndexFunc(w.Fields, func(x Field) bool { return x.Name == f.Name })
		for i := 0; at < 0 && i < len(f.Aliases); i++ {
			at = slices.IndexFunc(w.Fields, func(x Field) bool { return x.Name == f.Aliases[i] })
		}
		if at < 0 {
			if f.Default == nil {
				return nil, errs.Newf(errs.Invalid, "Found %s, expecting %s, missing required field %s", w.Name, r.Name, f.Name)
			}
			value, err := f.Schema.encodeDefault(f.Default)
			if err != nil {
				return nil, errs.Newf(errs.Invalid, "The default %s of the Avro field %s is not of its type: %v", f.Default, f.Name, err)
			}
			out.Fields = append(out.Fields, Field{Name: f.Name, Schema: f.Schema, absent: true, value: value})
			continue
		}
		s, err := resolve(w.Fields[at].Schema, f.Schema, around)
		if err != nil {
			return nil, err
		}
		out.Fields[at].Name, out.Fields[at].Schema, taken[at] = f.Name, s, true
	}
	for i := range taken {
		if !taken[i] { // no column is to find it by chance
			out.Fields[i].Name = ""
		}
	}
	return &out, nil
}

// encodeDefault writes a default's JSON as a value of the schema.
func (s *Schema) encodeDefault(text json.RawMessage) (out []byte, err error) {
	switch s.Kind {
	case "null":
		if string(bytes.TrimSpace(text)) != "null" {
			err = fmt.Errorf("it is not null")
		}
		return nil, err
	case "boolean":
		var v bool
		if err = json.Unmarshal(text, &v); v {
			return []byte{1}, err
		}
		return []byte{0}, err
	case "int":
		var v int32
		err = json.Unmarshal(text, &v)
		return appendLong(nil, int64(v)), err
	case "long":
		var v int64
		err = json.Unmarshal(text, &v)
		return appendLong(nil, v), err
	case "float", "double":
		return s.defaultFloat(text)
	case "string", "bytes", "fixed", "enum":
		return s.defaultText(text)
	case "union": // by the first branch that it fits
		for i, b := range s.Branches {
			if out, err = b.encodeDefault(text); err == nil {
				return append(appendLong(nil, int64(i)), out...), nil
			}
		}
		return nil, err
	}
	return s.defaultNested(text)
}

func (s *Schema) defaultFloat(text json.RawMessage) ([]byte, error) {
	var v float64
	if json.Unmarshal(text, &v) != nil {
		var word string
		if err := json.Unmarshal(text, &word); err != nil {
			return nil, err
		}
		switch word {
		case "NaN":
			v = math.NaN()
		case "Infinity":
			v = math.Inf(1)
		case "-Infinity":
			v = math.Inf(-1)
		default:
			return nil, fmt.Errorf("%q is no number", word)
		}
	}
	if s.Kind == "float" {
		return binary.LittleEndian.AppendUint32(nil, math.Float32bits(float32(v))), nil
	}
	return binary.LittleEndian.AppendUint64(nil, math.Float64bits(v)), nil
}

func (s *Schema) defaultText(text json.RawMessage) ([]byte, error) {
	var v string
	if err := json.Unmarshal(text, &v); err != nil || string(bytes.TrimSpace(text)) == "null" {
		return nil, fmt.Errorf("it is no text")
	}
	b := []byte(v)
	switch s.Kind {
	case "enum":
		i := slices.Index(s.Symbols, v)
		if i < 0 {
			return nil, fmt.Errorf("the enum has no symbol %q", v)
		}
		return appendLong(nil, int64(i)), nil
	case "bytes", "fixed": // a character for each byte
		b = b[:0]
		for _, c := range v {
			if c > 255 {
				return nil, fmt.Errorf("%q is no byte", c)
			}
			b = append(b, byte(c))
		}
		if s.Kind == "fixed" {
			if len(b) != s.Size {
				return nil, fmt.Errorf("there are %d bytes instead of %d", len(b), s.Size)
			}
			return b, nil
		}
	}
	return appendBytes(nil, b), nil
}

func (s *Schema) defaultNested(text json.RawMessage) (out []byte, err error) {
	if s.Kind == "array" {
		var list []json.RawMessage
		if err := json.Unmarshal(text, &list); err != nil || list == nil {
			return nil, fmt.Errorf("it is no array")
		}
		if len(list) > 0 {
			out = appendLong(out, int64(len(list)))
		}
		for _, v := range list {
			item, err := s.Items.encodeDefault(v)
			if err != nil {
				return nil, err
			}
			out = append(out, item...)
		}
		return append(out, 0), nil
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(text, &object); err != nil || object == nil {
		return nil, fmt.Errorf("it is no object")
	}
	if s.Kind == "map" {
		if len(object) > 0 {
			out = appendLong(out, int64(len(object)))
		}
		for k, v := range object {
			item, err := s.Items.encodeDefault(v)
			if err != nil {
				return nil, err
			}
			out = append(appendBytes(out, []byte(k)), item...)
		}
		return append(out, 0), nil
	}
	for _, f := range s.Fields {
		v := object[f.Name]
		if v == nil {
			v = f.Default
		}
		if v == nil {
			return nil, fmt.Errorf("the field %s lacks", f.Name)
		}
		item, err := f.Schema.encodeDefault(v)
		if err != nil {
			return nil, err
		}
		out = append(out, item...)
	}
	return out, nil
}
