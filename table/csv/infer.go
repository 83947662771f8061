package csv

import (
	"fmt"
	"runtime"
	"strings"
	"sync"

	"millrace/table/internal/lines"
	"millrace/table/internal/scalar"
	"millrace/types"
)

// Infer finds the schema of files: names from the first one's header, and types from all records if the options ask for it.
// The column for malformed records is not part of it.
func Infer(files []lines.Source, o *Options, caseSensitive bool) (*types.Type, error) {
	var first []string
	for _, f := range files {
		record, err := firstRecord(f, o)
		if err != nil {
			return nil, err
		}
		if record != nil {
			first = record
			break
		}
	}
	if first == nil {
		return types.Struct(), nil
	}
	names := header(first, o, caseSensitive)
	kinds := make([]*types.Type, len(names))
	if o.InferSchema {
		if err := o.CheckSample(); err != nil {
			return nil, err
		}
		var err error
		if kinds, err = inferTypes(files, o, names); err != nil {
			return nil, err
		}
	}
	fields := make([]types.Field, len(names))
	for i, n := range names {
		t := kinds[i]
		if t == nil || t.Kind == types.KindNull {
			t = types.String
		}
		fields[i] = types.Field{Name: n, Type: t, Nullable: true}
	}
	return types.Struct(fields...), nil
}

// firstRecord is a file's first record, or nil if it has none.
func firstRecord(f lines.Source, o *Options) ([]string, error) {
	f.Start, f.Length = 0, 0
	plain := *o
	plain.Header = false
	r, err := NewReader(f, &plain, nil, nil)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	for {
		more, err := r.nextBlock()
		if err != nil || !more {
			return nil, r.failed(err)
		}
		if err := r.cut(); err != nil {
			return nil, r.failed(err)
		}
		if len(r.spans) > 0 {
			s := r.spans[0]
			return splitRecord(r.block[s.off:s.off+s.n], o), nil
		}
	}
}

// header makes column names of a first record: _c0 and so on without a header; with one, unnamed columns get such a name and
// duplicates their place.
func header(first []string, o *Options, caseSensitive bool) []string {
	names := make([]string, len(first))
	count := map[string]int{}
	key := func(s string) string {
		if caseSensitive {
			return s
		}
		return strings.ToLower(s)
	}
	for _, s := range first {
		count[key(s)]++
	}
	for i, s := range first {
		switch {
		case !o.Header || s == "" || s == o.Null:
			names[i] = fmt.Sprintf("_c%d", i)
		case count[key(s)] > 1:
			names[i] = fmt.Sprintf("%s%d", s, i)
		default:
			names[i] = s
		}
	}
	return names
}

// inferPart is how much of a file one goroutine looks at.
const inferPart = 32 << 20

// inferTypes looks at all records, several files and parts at once.
func inferTypes(files []lines.Source, o *Options, names []string) ([]*types.Type, error) {
	var parts []lines.Source
	for _, f := range files {
		f.Start, f.Length = 0, 0
		if o.MultiLine || f.Size <= inferPart {
			parts = append(parts, f)
			continue
		}
		for at := int64(0); at < f.Size; at += inferPart {
			p := f
			p.Start, p.Length = at, min(inferPart, f.Size-at)
			parts = append(parts, p)
		}
	}
	found := make([][]*types.Type, len(parts))
	failures := make([]error, len(parts))
	var wg sync.WaitGroup
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i := range parts {
		slots <- struct{}{}
		wg.Go(func() {
			found[i], failures[i] = inferPartTypes(parts[i], i, o, names)
			<-slots
		})
	}
	wg.Wait()
	merged := make([]*types.Type, len(names))
	for i := range parts {
		if failures[i] != nil {
			return nil, failures[i]
		}
		for c := range merged {
			merged[c] = compatible(merged[c], found[i][c])
		}
	}
	return merged, nil
}

func inferPartTypes(f lines.Source, part int, o *Options, names []string) ([]*types.Type, error) {
	columns := make([]Column, len(names))
	for i, n := range names {
		columns[i] = Column{n, i, types.String}
	}
	r, err := NewReader(f, o, columns, names)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	if o.Sample != nil && !o.MultiLine {
		r.draw = o.Sample(part)
	}
	found := make([]*types.Type, len(names))
	for {
		if r.pos >= len(r.block) {
			more, err := r.nextBlock()
			if err != nil || !more {
				return found, r.failed(err)
			}
		}
		if err := r.cut(); err != nil {
			return nil, r.failed(err)
		}
		for c := range found {
			for _, cl := range r.tokens.cells[c] {
				if found[c] != nil && found[c].Kind == types.KindString {
					break
				}
				if b, ok := r.text(cl); ok {
					found[c] = compatible(found[c], r.inferValue(found[c], b))
				}
			}
		}
	}
}

// inferValue is the type of a value, none narrower than the column's so far (nil: nothing known).
func (r *Reader) inferValue(soFar *types.Type, b []byte) *types.Type {
	kind := types.KindNull
	if soFar != nil {
		kind = soFar.Kind
	}
	switch kind {
	case types.KindNull, types.KindInteger:
		if _, ok := scalar.Int(b, 32); ok {
			return types.Integer
		}
		fallthrough
	case types.KindLong:
		if _, ok := scalar.Int(b, 64); ok {
			return types.Long
		}
		fallthrough
	case types.KindDecimal:
		if n, scale, ok := scalar.BigDecimal(Ungrouped(b)); ok && scale == 0 {
			if digits := len(n.Text(10)) - (1-n.Sign())/2; digits <= types.MaxPrecision {
				return types.Decimal(max(digits, 1), 0)
			}
		}
		fallthrough
	case types.KindDouble:
		if _, ok := scalar.Float(b, 64); ok {
			return types.Double
		}
		if _, ok := r.special(string(b)); ok {
			return types.Double
		}
		fallthrough
	case types.KindDate:
		if r.isDate(b) {
			return types.Date
		}
		fallthrough
	case types.KindTimestamp:
		if _, ok := FormattedMoment(b, r.Options); ok {
			return types.Timestamp
		}
		fallthrough
	case types.KindBoolean:
		if _, ok := scalar.Bool(b); ok {
			return types.Boolean
		}
	}
	return types.String
}

// isDate holds a text against the date format, strictly.
func (r *Reader) isDate(b []byte) bool {
	if !r.PreferDate {
		return false
	}
	_, ok := formattedDay(b, r.Options)
	return ok
}

// compatible is the type that holds both types' values.
func compatible(a, b *types.Type) *types.Type {
	switch {
	case a == nil:
		return b
	case b == nil || a.Equal(b):
		return a
	case a.IsNumeric() && b.IsNumeric():
		return widerNumber(a, b)
	case a.Kind == types.KindDate && b.Kind == types.KindTimestamp, a.Kind == types.KindTimestamp && b.Kind == types.KindDate:
		return types.Timestamp
	}
	return types.String
}

func widerNumber(a, b *types.Type) *types.Type {
	digits := map[types.Kind]int{types.KindInteger: 10, types.KindLong: 20}
	switch {
	case a.Kind == types.KindDouble || b.Kind == types.KindDouble:
		return types.Double
	case a.Kind != types.KindDecimal && b.Kind != types.KindDecimal:
		return types.Long
	}
	precision := 0
	for _, t := range []*types.Type{a, b} {
		if t.Kind == types.KindDecimal {
			precision = max(precision, t.Precision)
		} else {
			precision = max(precision, digits[t.Kind])
		}
	}
	return types.Decimal(precision, 0)
}
