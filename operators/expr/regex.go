package expr

import (
	"unicode/utf8"

	"millrace/errs"
	"millrace/javaregex"
)

func init() {
	for name, build := range map[string]func(*Call) (Kernel, error){"rlike": buildRLike, "regexp_replace": buildRegexpReplace,
		"regexp_extract": buildRegexpExtract, "regexp_extract_all": buildRegexpExtractAll, "regexp_count": buildRegexpCount,
		"regexp_instr": buildRegexpInstr, "regexp_substr": buildRegexpSubstr, "split": buildSplit} {
		Register(name, Func{Strict: true, Pure: true, Build: build})
	}
}

// pattern compiles the patterns that a call is given; almost always there is one.
type pattern struct {
	name string
	fold bool // case does not count
	last lastPattern[*javaregex.Regexp]
}

func newPattern(name string, c *Call) *pattern {
	return &pattern{name: name, fold: c.Options["collation"] == "UTF8_LCASE"}
}

func (p *pattern) get(text []byte) (*javaregex.Regexp, error) {
	return p.last.get(text, func(text []byte) (*javaregex.Regexp, error) {
		flags := ""
		if p.fold {
			flags = "(?ui)"
		}
		re, err := javaregex.Compile(flags + string(text))
		if err != nil {
			return nil, errs.New("INVALID_PARAMETER_VALUE.PATTERN", "parameter", "`regexp`", "functionName", "`"+p.name+"`", "value", "'"+string(text)+"'")
		}
		return re, nil
	})
}

// timedOut names what ended a match: nothing else can.
func timedOut(name string, err error) error {
	if err == nil {
		return nil
	}
	return errs.Newf(errs.Exhausted, "%s: a match took more than %s: %v", name, javaregex.Timeout, err)
}

func buildRLike(c *Call) (Kernel, error) {
	p := newPattern("rlike", c)
	return fixedKernel(func(in *inputs, i int) (bool, error) {
		re, err := p.get(in.str(1, i))
		if err != nil {
			return false, err
		}
		ok, err := re.Match(in.str(0, i))
		return ok, timedOut("rlike", err)
	}), nil
}

// buildRegexpReplace replaces matches from a character on, which counts from 1.
func buildRegexpReplace(c *Call) (Kernel, error) {
	p := newPattern("regexp_replace", c)
	var by lastPattern[*javaregex.Template]
	var used *javaregex.Regexp
	return textKernel(func(in *inputs, i int, dst []byte) ([]byte, error) {
		s, from := in.str(0, i), int64(1)
		if len(in.vec) > 3 {
			if from = in.num(3, i); from < 1 {
				return nil, errs.New("DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", "sqlExpr", `"regexp_replace"`, "exprName", "`position`", "valueRange", "(0, 2147483647]", "currentValue", itoa(from)+"L")
			}
		}
		re, err := p.get(in.str(1, i))
		if err != nil {
			return nil, err
		}
		if re != used {
			used, by.set = re, false
		}
		t, err := by.get(in.str(2, i), func(text []byte) (*javaregex.Template, error) { return re.Template(string(text)) })
		if from > 1 && int(from-1) >= charCount(s) {
			return append(dst, s...), nil
		}
		if err != nil { // an error only where there is a match
			if found, _ := re.Match(s); !found {
				return append(dst, s...), nil
			}
			return nil, errs.New("INVALID_REGEXP_REPLACE", "source", string(s), "pattern", string(in.str(1, i)), "replacement", string(in.str(2, i)), "position", itoa(from))
		}
		start := 0
		if from > 1 {
			start = charOffset(s, int(from-1))
		}
		dst, err = re.Replace(dst, s, start, t)
		return dst, timedOut("regexp_replace", err)
	}), nil
}

// groupIndex is the group that argument k asks for, 1 if it is not given.
func groupIndex(name string, re *javaregex.Regexp, in *inputs, k, i int) (int, error) {
	g := int64(1)
	if len(in.vec) > k {
		g = in.num(k, i)
	}
	if g < 0 || g > int64(re.Groups()) {
		return 0, errs.New("INVALID_PARAMETER_VALUE.REGEX_GROUP_INDEX", "parameter", "`idx`", "functionName", "`"+name+"`",
			"groupCount", itoa(int64(re.Groups())), "groupIndex", itoa(g))
	}
	return int(g), nil
}

func buildRegexpExtract(c *Call) (Kernel, error) {
	p := newPattern("regexp_extract", c)
	return textKernel(func(in *inputs, i int, dst []byte) ([]byte, error) {
		re, err := p.get(in.str(1, i))
		if err != nil {
			return nil, err
		}
		s, found, bad := in.str(0, i), dst, error(nil)
		err = re.Find(s, 0, func(m []int) bool {
			g, err := groupIndex("regexp_extract", re, in, 2, i)
			if bad = err; err == nil && m[2*g] >= 0 {
				found = append(found, s[m[2*g]:m[2*g+1]]...)
			}
			return false
		})
		if bad != nil {
			return nil, bad
		}
		return found, timedOut("regexp_extract", err)
	}), nil
}

func buildRegexpExtractAll(c *Call) (Kernel, error) {
	p := newPattern("regexp_extract_all", c)
	return listKernel(func(in *inputs, i int, add func([]byte)) error {
		re, err := p.get(in.str(1, i))
		if err != nil {
			return err
		}
		var bad error
		s := in.str(0, i)
		err = re.Find(s, 0, func(m []int) bool {
			g, err := groupIndex("regexp_extract_all", re, in, 2, i)
			if bad = err; err != nil {
				return false
			}
			if m[2*g] < 0 {
				add(nil)
			} else {
				add(s[m[2*g]:m[2*g+1]])
			}
			return true
		})
		if bad != nil {
			return bad
		}
		return timedOut("regexp_extract_all", err)
	}), nil
}

func buildRegexpCount(c *Call) (Kernel, error) {
	p := newPattern("regexp_count", c)
	return fixedKernel(func(in *inputs, i int) (int32, error) {
		re, err := p.get(in.str(1, i))
		if err != nil {
			return 0, err
		}
		n := int32(0)
		err = re.Find(in.str(0, i), 0, func([]int) bool { n++; return true })
		return n, timedOut("regexp_count", err)
	}), nil
}

func buildRegexpInstr(c *Call) (Kernel, error) {
	p := newPattern("regexp_instr", c)
	return fixedKernel(func(in *inputs, i int) (int32, error) {
		re, err := p.get(in.str(1, i))
		if err != nil {
			return 0, err
		}
		at, s := int32(0), in.str(0, i)
		err = re.Find(s, 0, func(m []int) bool {
			at = int32(utf8.RuneCount(s[:m[0]])) + 1
			return false
		})
		return at, timedOut("regexp_instr", err)
	}), nil
}

// buildRegexpSubstr gives the first match, or null where there is none.
func buildRegexpSubstr(c *Call) (Kernel, error) {
	p := newPattern("regexp_substr", c)
	return textKernel(func(in *inputs, i int, dst []byte) ([]byte, error) {
		re, err := p.get(in.str(1, i))
		if err != nil {
			return nil, err
		}
		s, found := in.str(0, i), false
		err = re.Find(s, 0, func(m []int) bool {
			dst, found = append(dst, s[m[0]:m[1]]...), m[1] > m[0]
			return false
		})
		if err == nil && !found {
			return nil, errNull
		}
		return dst, timedOut("regexp_substr", err)
	}), nil
}

// buildSplit parts a text by a pattern. An empty pattern parts it into characters.
func buildSplit(c *Call) (Kernel, error) {
	p := newPattern("split", c)
	return listKernel(func(in *inputs, i int, add func([]byte)) error {
		s, sep, limit := in.str(0, i), in.str(1, i), int64(-1)
		if len(in.vec) > 2 {
			limit = in.num(2, i)
		}
		if len(sep) == 0 && len(s) > 0 {
			splitChars(s, int(limit), add)
			return nil
		}
		re, err := p.get(sep)
		if err != nil {
			return err
		}
		return timedOut("split", re.Split(s, int(limit), add))
	}), nil
}

func splitChars(s []byte, limit int, add func([]byte)) {
	for n := 1; len(s) > 0 && n != limit; n++ {
		_, size := utf8.DecodeRune(s)
		add(s[:size])
		s = s[size:]
	}
	if len(s) > 0 {
		add(s)
	}
}
