package expr

import (
	"bytes"
	"cmp"
	"unicode/utf8"

	"millrace/collation"
	"millrace/errs"
	"millrace/types"
	"millrace/vector"
)

func init() {
	Register("collate", Func{Lazy: func(c *Call, args []Evaluator) (Evaluator, error) { return withType(args[0], c.Out), nil }})
	Register("collation_key", Func{Strict: true, Pure: true, Build: buildCollationKey})
	texts := map[string]func(*searcher) toText{"substring_index": (*searcher).substringIndex, "split_part": (*searcher).splitPart, "replace": (*searcher).replace,
		"translate": (*searcher).translate, "trim": trimBy(true, true), "ltrim": trimBy(true, false), "rtrim": trimBy(false, true),
		"btrim": trimBy(true, true)}
	for name, make := range texts {
		registerSearch(name, func(s *searcher) Kernel { return textKernel(make(s)) })
	}
	numbers := map[string]func(*searcher) func(*inputs, int) (int32, error){"instr": (*searcher).instr, "locate": (*searcher).locate, "find_in_set": (*searcher).findInSet}
	for name, make := range numbers {
		registerSearch(name, func(s *searcher) Kernel { return fixedKernel(make(s)) })
	}
	Register("collated_str_to_map", Func{Strict: true, Pure: true, Build: func(c *Call) (Kernel, error) {
		found, err := callCollation(c)
		if err != nil {
			return nil, err
		}
		between, within := &searcher{by: found}, &searcher{by: found}
		return strToMap(c, between.split, within.split), nil
	}})
	tests := map[string]func(p *collation.Pattern, s []byte) bool{
		"contains":   func(p *collation.Pattern, s []byte) bool { at, _ := p.Index(s, 0); return at >= 0 },
		"startswith": func(p *collation.Pattern, s []byte) bool { return p.Len(s) >= 0 },
		"endswith":   func(p *collation.Pattern, s []byte) bool { return p.Suffix(s) >= 0 },
	}
	for name, test := range tests {
		registerSearch(name, func(s *searcher) Kernel {
			return fixedKernel(func(in *inputs, i int) (bool, error) {
				p, err := s.pattern(in.str(0, i), in.str(1, i))
				if err != nil {
					return false, err
				}
				return test(p, s.by.Trimmed(in.str(0, i))), nil
			})
		})
	}
}

// typed is an evaluator whose values are of another type with the same bytes.
type typed struct {
	Evaluator
	t *types.Type
}

func (e *typed) Type() *types.Type { return e.t }

// withType has an evaluator say the collations of a type, by which functions compare.
func withType(e Evaluator, t *types.Type) Evaluator {
	if e.Type().Collation == t.Collation || e.Type().Kind != types.KindString {
		return e
	}
	return &typed{e, t}
}

func callCollation(c *Call) (*collation.Collation, error) {
	found, err := collation.Find(cmp.Or(c.Options["collation"], c.Args[0].Collation))
	if err != nil {
		return nil, errs.Newf(errs.Internal, "collation %q", c.Options["collation"])
	}
	return found, nil
}

// buildCollationKey makes keys of strings, or of nested values with strings. The type of the result says which strings become keys: where they
// are bytes.
func buildCollationKey(c *Call) (Kernel, error) {
	if c.Args[0].Kind != types.KindString {
		name, from, to := c.Options["collation"], c.Args[0], c.Out
		return func(_ *Ctx, args []*vector.Vector, _ []uint32, n int, out *vector.Vector) error {
			v := args[0]
			if v.Const {
				v = gathered(v, make([]uint32, n))
			}
			v, err := rekeyed(v, from, to, name)
			if err != nil {
				return err
			}
			if out.Type.Kind != types.KindStruct {
				copy(out.Offsets, v.Offsets)
			}
			out.Children = v.Children
			return nil
		}, nil
	}
	found, err := callCollation(c)
	if err != nil {
		return nil, err
	}
	return textKernel(func(in *inputs, i int, dst []byte) ([]byte, error) { return found.Key(dst, in.str(0, i)), nil }), nil
}

// keysOf is a column in which every collated string of a type is the key that its collation compares; the column itself if there is none.
func keysOf(v *vector.Vector, t *types.Type) (*vector.Vector, error) { return rekeyed(v, t, nil, "") }

// rekeyed is a column of one type as one of another, which is nil if all collated strings are to be keys. A collation that is named counts instead
// of those of the type. Maps whose keys change are in their order.
func rekeyed(v *vector.Vector, from, to *types.Type, name string) (*vector.Vector, error) {
	switch by := cmp.Or(name, from.Collation); {
	case from.Kind == types.KindString && by != "" && (to == nil || to.Kind != from.Kind):
		return keyTexts(v, by)
	case from.Kind == types.KindVariant && to != nil && to.Kind != from.Kind:
		c := *plainNested(v)
		c.Type = to
		return &c, nil
	case !from.IsNested():
		return v, nil
	}
	v = plainNested(v)
	if v.Type.Kind == types.KindNull {
		return v, nil
	}
	c := *v
	c.Children = make([]*vector.Vector, len(v.Children))
	changed := false
	for i, child := range v.Children {
		f, t := childType(from, i), (*types.Type)(nil)
		if to != nil {
			t = childType(to, i)
		}
		k, err := rekeyed(child, f, t, name)
		if err != nil {
			return nil, err
		}
		c.Children[i] = k
		changed = changed || i == 0 && k != child
	}
	if from.Kind == types.KindMap && changed {
		inOrder(&c)
	}
	return &c, nil
}

// childType is the type of a nested column's i-th child.
func childType(t *types.Type, i int) *types.Type {
	switch {
	case t.Kind == types.KindStruct:
		return t.Fields[i].Type
	case t.Kind == types.KindMap && i == 0:
		return t.Key
	}
	return t.Elem
}

func keyTexts(v *vector.Vector, name string) (*vector.Vector, error) {
	by, err := collation.Find(name)
	if err != nil {
		return nil, errs.Newf(errs.Internal, "collation %q", name)
	}
	keys := &vector.Vector{Type: types.Binary, Offsets: make([]int32, 1, v.Len+1)}
	for i := range v.Len {
		null := v.IsNull(i)
		if !null {
			keys.Bytes = by.Key(keys.Bytes, v.Str(i))
		}
		keys.Offsets = append(keys.Offsets, int32(len(keys.Bytes)))
		if keys.Len = i + 1; null {
			keys.SetNull(i)
		}
	}
	return keys, nil
}

// searcher searches by one collation.
type searcher struct {
	by      *collation.Collation
	last    lastPattern[*collation.Pattern]
	trimmed int // which argument of a trim is the text
}

func registerSearch(name string, kernel func(*searcher) Kernel) {
	Register("collated_"+name, Func{Strict: true, Pure: true, Build: func(c *Call) (Kernel, error) {
		found, err := callCollation(c)
		if err != nil {
			return nil, err
		}
		s := &searcher{by: found}
		switch name {
		case "replace": // Spark looks for the spaces too
			whole := *found
			whole.RTrim = false
			s.by = &whole
		case "trim", "ltrim", "rtrim":
			s.trimmed = 1
		}
		return kernel(s), nil
	}})
}

// pattern prepares what is to be looked for in s.
func (s *searcher) pattern(text, part []byte) (*collation.Pattern, error) {
	p, err := s.last.get(part, func(part []byte) (*collation.Pattern, error) {
		p, err := s.by.Pattern(part)
		return &p, err
	})
	if err == nil {
		err = s.by.Searchable(text)
	}
	if err != nil {
		return nil, errs.Unsupportedf("searching in texts of other characters than those of ASCII by the collation %s is not supported", s.by.Name)
	}
	return p, nil
}

// index is the place of a match counted in characters from 1; 0 if there is none.
func (s *searcher) index(text, part []byte, from int) (int32, error) {
	p, err := s.pattern(text, part)
	if err != nil {
		return 0, err
	}
	start := charOffset(text, from)
	if start == len(text) && from > 0 && len(part) > 0 {
		return 0, nil
	}
	at, _ := p.Index(text, start)
	if at < 0 {
		return 0, nil
	}
	return int32(charCount(text[:at])) + 1, nil
}

func (s *searcher) instr() func(*inputs, int) (int32, error) {
	return func(in *inputs, i int) (int32, error) { return s.index(in.str(0, i), in.str(1, i), 0) }
}

func (s *searcher) locate() func(*inputs, int) (int32, error) {
	return func(in *inputs, i int) (int32, error) {
		from := int64(1)
		if len(in.vec) > 2 {
			from = in.num(2, i)
		}
		if from < 1 {
			return 0, nil
		}
		return s.index(in.str(1, i), in.str(0, i), int(from-1))
	}
}

func (s *searcher) findInSet() func(*inputs, int) (int32, error) {
	return func(in *inputs, i int) (int32, error) {
		word, list := in.str(0, i), in.str(1, i)
		if bytes.IndexByte(word, ',') >= 0 {
			return 0, nil
		}
		key := s.by.Key(nil, word)
		for n := int32(1); ; n++ {
			item, rest, more := bytes.Cut(list, []byte{','})
			if bytes.Equal(s.by.Key(nil, item), key) {
				return n, nil
			}
			if !more {
				return 0, nil
			}
			list = rest
		}
	}
}

func (s *searcher) substringIndex() toText {
	return func(in *inputs, i int, dst []byte) ([]byte, error) {
		text, delim, count := in.str(0, i), s.by.Trimmed(in.str(1, i)), in.num(2, i)
		if len(delim) == 0 || count == 0 {
			return dst, nil
		}
		p, err := s.pattern(text, delim)
		if err != nil {
			return nil, err
		}
		for from := 0; count > 0; count-- {
			at, _ := p.Index(text, from)
			switch {
			case at < 0:
				return append(dst, text...), nil
			case count == 1:
				return append(dst, text[:at]...), nil
			}
			_, n := utf8.DecodeRune(text[at:])
			from = at + n
		}
		for end := len(text); count < 0; count++ {
			at, n := p.LastIndex(text, end)
			switch {
			case at < 0:
				return append(dst, text...), nil
			case count == -1:
				return append(dst, text[at+n:]...), nil
			}
			_, last := utf8.DecodeLastRune(text[:at+n])
			end = at + n - last
		}
		return dst, nil
	}
}

func (s *searcher) splitPart() toText {
	return func(in *inputs, i int, dst []byte) ([]byte, error) {
		text, delim, n := in.str(0, i), s.by.Trimmed(in.str(1, i)), in.num(2, i)
		if n == 0 {
			return nil, errs.New("INVALID_INDEX_OF_ZERO")
		}
		if len(delim) == 0 {
			if n == 1 || n == -1 {
				return append(dst, text...), nil
			}
			return dst, nil
		}
		p, err := s.pattern(text, delim)
		if err != nil {
			return nil, err
		}
		parts := cut(text, p, -1)
		if n < 0 {
			n += int64(len(parts)) + 1
		}
		if n < 1 || n > int64(len(parts)) {
			return dst, nil
		}
		return append(dst, parts[n-1]...), nil
	}
}

// cut parts a text where a pattern stands, into so many parts at most if limit is positive.
func cut(text []byte, p *collation.Pattern, limit int) (parts [][]byte) {
	for len(parts)+1 != limit {
		at, length := p.Index(text, 0)
		if at < 0 {
			break
		}
		parts, text = append(parts, text[:at]), text[at+length:]
	}
	return append(parts, text)
}

// split parts a text at another one.
func (s *searcher) split(text, sep []byte, limit int) ([][]byte, error) {
	if len(sep) == 0 {
		return [][]byte{text}, nil
	}
	p, err := s.pattern(text, sep)
	if err != nil {
		return nil, err
	}
	return cut(text, p, limit), nil
}

func (s *searcher) replace() toText {
	return func(in *inputs, i int, dst []byte) ([]byte, error) {
		text, part := in.str(0, i), s.by.Trimmed(in.str(1, i))
		if len(part) == 0 {
			return append(dst, text...), nil
		}
		p, err := s.pattern(text, part)
		if err != nil {
			return nil, err
		}
		var by []byte
		if len(in.vec) > 2 {
			by = in.str(2, i)
		}
		for {
			at, length := p.Index(text, 0)
			if at < 0 {
				return append(dst, text...), nil
			}
			dst = append(append(dst, text[:at]...), by...)
			text = text[at+length:]
		}
	}
}

// translate looks for characters one by one.
func (s *searcher) translate() toText {
	same := func(a, b rune) bool { return s.fold(a) == s.fold(b) }
	return func(in *inputs, i int, dst []byte) ([]byte, error) {
		if _, err := s.pattern(in.str(0, i), in.str(1, i)); err != nil {
			return nil, err
		}
		return translateAs(in, i, dst, same), nil
	}
}

// trimBy takes characters off the ends, comparing one by one.
func trimBy(start, end bool) func(*searcher) toText {
	return func(s *searcher) toText {
		return func(in *inputs, i int, dst []byte) ([]byte, error) {
			text, chars := in.str(s.trimmed, i), in.str(1-s.trimmed, i)
			if _, err := s.pattern(text, chars); err != nil {
				return nil, err
			}
			set := map[rune]bool{}
			for _, r := range string(chars) {
				set[s.fold(r)] = true
			}
			for start && len(text) > 0 {
				r, n := utf8.DecodeRune(text)
				if !set[s.fold(r)] {
					break
				}
				text = text[n:]
			}
			for end && len(text) > 0 {
				r, n := utf8.DecodeLastRune(text)
				if !set[s.fold(r)] {
					break
				}
				text = text[:len(text)-n]
			}
			return append(dst, text...), nil
		}
	}
}

// fold is a character as the collation compares single ones.
func (s *searcher) fold(r rune) rune {
	if r != 'İ' && (s.by.LCase || s.by.FoldCI) {
		return collation.LowerRune(r)
	}
	return r
}
