package json

import (
	"runtime"
	"strings"
	"sync"
	"unicode/utf8"

	"millrace/errs"
	"millrace/table/csv"
	"millrace/table/internal/lines"
	"millrace/table/internal/scalar"
	"millrace/types"
)

// Infer finds the schema of files from all of their records: fields in order of their names, and the column for malformed
// records if there is one in permissive mode.
func Infer(files []lines.Source, o *Options, caseSensitive bool) (*types.Type, error) {
	if err := o.CheckSample(); err != nil {
		return nil, err
	}
	if o.VariantColumn != "" {
		return types.Struct(types.Field{Name: o.VariantColumn, Type: types.Variant, Nullable: true}), nil
	}
	files = parts(files, o)
	found := make([]*types.Type, len(files))
	failures := make([]error, len(files))
	var wg sync.WaitGroup
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i := range files {
		slots <- struct{}{}
		wg.Go(func() {
			found[i], failures[i] = inferFile(files[i], i, o)
			<-slots
		})
	}
	wg.Wait()
	var schema *types.Type
	for i := range files {
		if failures[i] != nil {
			return nil, failures[i]
		}
		schema = compatible(schema, found[i], o)
	}
	if schema = canonical(schema, o); schema == nil {
		return types.Struct(), nil
	}
	return schema, duplicates(schema, caseSensitive)
}

func duplicates(schema *types.Type, caseSensitive bool) error {
	seen := map[string]bool{}
	for _, n := range schema.Names() {
		if !caseSensitive {
			n = strings.ToLower(n)
		}
		if seen[n] {
			return errs.New("COLUMN_ALREADY_EXISTS", "columnName", "`"+n+"`")
		}
		seen[n] = true
	}
	return nil
}

// inferPart is how much of a file one goroutine looks at.
const inferPart = 32 << 20

// parts cuts files of a record a line for several goroutines.
func parts(files []lines.Source, o *Options) []lines.Source {
	var list []lines.Source
	for _, f := range files {
		f.Start, f.Length = 0, 0
		if o.MultiLine || f.Size <= inferPart {
			list = append(list, f)
			continue
		}
		for at := int64(0); at < f.Size; at += inferPart {
			p := f
			p.Start, p.Length = at, min(inferPart, f.Size-at)
			list = append(list, p)
		}
	}
	return list
}

func inferFile(f lines.Source, part int, o *Options) (*types.Type, error) {
	r, err := NewReader(f, o, nil, true)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	if o.Sample != nil && !o.MultiLine {
		r.draw = o.Sample(part)
	}
	var all shape
	for {
		record, err := r.record()
		if err != nil || record == nil {
			return all.schema(o), r.failed(err)
		}
		// A malformed record must not leave its first fields in the schema: look at it twice.
		r.data, r.pos, r.depth = record, 0, 0
		if utf8.Valid(record) && r.records() == nil && r.skip() == nil {
			r.pos, r.depth = 0, 0
			_ = r.observeRecord(&all) // it was checked
			if all.duplicate != "" {
				return nil, errs.New("COLUMN_ALREADY_EXISTS", "columnName", "`"+lower(all.duplicate)+"`")
			}
			continue
		}
		switch o.Mode {
		case csv.FailFast:
			return nil, errs.New("MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION", "badRecord", string(record), "failFastMode", "FAILFAST")
		case csv.Permissive:
			all.fields().field([]byte(o.CorruptRecord)).merge(types.String, o)
		}
	}
}

// records checks that a record is an object or an array of objects.
func (r *Reader) records() error {
	switch r.peek() {
	case '{':
		return nil
	case '[':
		at := r.pos
		defer func() { r.pos, r.depth = at, 0 }()
		return r.array(func() error {
			if r.peek() != '{' {
				return errSyntax
			}
			return r.skip()
		})
	}
	return errSyntax
}

func (r *Reader) observeRecord(all *shape) error {
	if r.peek() == '[' {
		return r.array(func() error { return r.observe(all) })
	}
	return r.observe(all)
}

// compatible is the type that holds both types' values; nil stands for nothing known.
func compatible(a, b *types.Type, o *Options) *types.Type {
	switch {
	case a == nil || a.Kind == types.KindNull && b != nil:
		return b
	case b == nil || b.Kind == types.KindNull || a.Equal(b):
		return a
	case a.Kind == types.KindStruct && b.Kind == types.KindStruct:
		return mergeFields(a, b, o)
	case a.Kind == types.KindArray && b.Kind == types.KindArray:
		return types.ArrayOf(compatible(a.Elem, b.Elem, o), true)
	case a.IsNumeric() && b.IsNumeric():
		return scalar.WiderNumber(a, b)
	}
	return types.String
}

// mergeFields merges two lists of fields, both in order of names.
func mergeFields(a, b *types.Type, o *Options) *types.Type {
	var fields []types.Field
	i, j := 0, 0
	for i < len(a.Fields) || j < len(b.Fields) {
		switch {
		case j == len(b.Fields) || i < len(a.Fields) && a.Fields[i].Name < b.Fields[j].Name:
			fields = append(fields, a.Fields[i])
			i++
		case i == len(a.Fields) || b.Fields[j].Name < a.Fields[i].Name:
			fields = append(fields, b.Fields[j])
			j++
		default:
			f := a.Fields[i]
			f.Type = compatible(f.Type, b.Fields[j].Type, o)
			fields = append(fields, f)
			i, j = i+1, j+1
		}
	}
	return types.Struct(fields...)
}

// canonical makes strings of what was always null, or leaves it out where the options say so, and leaves out empty structs; nil if nothing is left.
func canonical(t *types.Type, o *Options) *types.Type {
	switch {
	case t == nil:
		return nil
	case t.Kind == types.KindNull && o.DropAllNull:
		return nil
	case t.Kind == types.KindNull:
		return types.String
	case t.Kind == types.KindArray:
		elem := canonical(t.Elem, o)
		if elem == nil {
			return nil
		}
		return types.ArrayOf(elem, true)
	case t.Kind == types.KindStruct:
		var fields []types.Field
		for _, f := range t.Fields {
			if f.Type = canonical(f.Type, o); f.Type != nil {
				fields = append(fields, f)
			}
		}
		if len(fields) == 0 {
			return nil
		}
		return types.Struct(fields...)
	}
	return t
}
