package javaregex

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// properties are Java's names of classes for \p{…}, as the inside of a class.
var properties = map[string]string{"Lower": "a-z", "Upper": "A-Z", "ASCII": `\x00-\x7F`, "Alpha": "a-zA-Z", "Digit": "0-9", "Alnum": "a-zA-Z0-9",
	"Punct": `!-/:-@\[-` + "`" + `{-~`, "Graph": "!-~", "Print": " -~", "Blank": ` \t`, "Cntrl": `\x00-\x1F\x7F`, "XDigit": "0-9a-fA-F",
	"Space": ` \t\n\x0B\f\r`, "javaLowerCase": `\p{Ll}`, "javaUpperCase": `\p{Lu}`, "javaWhitespace": ` \t\n\x0B\f\r\x1c-\x1f`,
	"IsAlphabetic": `\p{L}\p{Nl}`, "IsLetter": `\p{L}`, "IsDigit": `\p{Nd}`, "IsPunctuation": `\p{P}`, "IsUppercase": `\p{Lu}`, "IsLowercase": `\p{Ll}`,
	"IsWhite_Space": `\s\x{85}\p{Z}`}

// property reads \p{Name}, \pL and \P{Name} as a class.
func (t *translator) property() (string, error) {
	inside, negated, err := t.propertyInside()
	if err != nil {
		return "", err
	}
	if negated {
		return "[^" + inside + "]", nil
	}
	return "[" + inside + "]", nil
}

func (t *translator) propertyInside() (inside string, negated bool, err error) {
	negated = t.peek(1) == 'P'
	t.pos += 2
	name := string(t.peek(0))
	if t.peek(0) == '{' {
		end := t.pos
		for end < len(t.in) && t.in[end] != '}' {
			end++
		}
		if end == len(t.in) {
			return "", false, errors.New("unclosed character family")
		}
		name = string(t.in[t.pos+1 : end])
		t.pos = end
	}
	t.pos++
	if set, ok := properties[name]; ok {
		return t.wide(set), negated, nil
	}
	for _, prefix := range []string{"script=", "sc=", "general_category=", "gc=", "Is", ""} {
		if short, ok := strings.CutPrefix(name, prefix); ok {
			if unicode.Scripts[short] != nil || unicode.Categories[short] != nil {
				return `\p{` + short + `}`, negated, nil
			}
		}
	}
	return "", false, fmt.Errorf("unknown character property name {%s}", name)
}

// class reads [...]. Java's classes may hold classes (their union) and && (an intersection), which is left to the backtracking
// engine as a look-ahead.
func (t *translator) class() (string, error) {
	t.pos++
	negated := t.peek(0) == '^'
	if negated {
		t.pos++
	}
	var b, nested strings.Builder
	first := true
	for {
		c := t.peek(0)
		switch {
		case c == -1:
			return "", errors.New("unclosed character class")
		case c == ']' && !first:
			t.pos++
			return joinClass(negated, b.String(), nested.String())
		case c == '&' && t.peek(1) == '&':
			return t.intersection(negated, b.String(), nested.String())
		case c == '[':
			inner, err := t.class()
			if err != nil {
				return "", err
			}
			if strings.HasPrefix(inner, "[^") || strings.HasPrefix(inner, "(") {
				nested.WriteString("|" + inner)
			} else {
				b.WriteString(inner[1 : len(inner)-1])
			}
		default:
			part, err := t.classPart()
			if err != nil {
				return "", err
			}
			if strings.HasPrefix(part, "[^") {
				nested.WriteString("|" + part)
			} else {
				b.WriteString(part)
			}
		}
		first = false
	}
}

func joinClass(negated bool, set, nested string) (string, error) {
	switch {
	case nested == "" && negated:
		return "[^" + set + "]", nil
	case nested == "":
		return "[" + set + "]", nil
	}
	alternatives := strings.TrimPrefix(nested, "|")
	if set != "" {
		alternatives = "[" + set + "]|" + alternatives
	}
	if negated {
		return "", errors.New("negated union of negated classes")
	}
	return "(?:" + alternatives + ")", nil
}

// intersection reads what follows && in a class.
func (t *translator) intersection(negated bool, set, nested string) (string, error) {
	if !t.full {
		return "", errNeedsBacktracking
	}
	left, err := joinClass(false, set, nested)
	if err != nil {
		return "", err
	}
	t.pos += 2
	if t.peek(0) != '[' { // [a-z&&bc]: the rest is a class of its own
		t.pos--
		t.in[t.pos] = '['
		right, err := t.class()
		if negated {
			return "(?!(?=" + left + ")" + right + `)[\s\S]`, err
		}
		return "(?:(?=" + left + ")" + right + ")", err
	}
	right, err := t.class()
	if err != nil || t.peek(0) != ']' {
		return "", errors.Join(err, errNeedsBacktracking)
	}
	t.pos++
	if negated {
		return "(?!(?=" + left + ")" + right + `)[\s\S]`, nil
	}
	return "(?:(?=" + left + ")" + right + ")", nil
}

// classPart reads a character, a range or a shorthand inside a class.
func (t *translator) classPart() (string, error) {
	low, set, err := t.classItem()
	if err != nil || set != "" {
		return set, err
	}
	if t.peek(0) != '-' || t.peek(1) == ']' || t.peek(1) == '[' || t.peek(1) == -1 {
		return inClass(low), nil
	}
	t.pos++
	high, set, err := t.classItem()
	if err != nil {
		return "", err
	}
	if set != "" {
		return inClass(low) + `\-` + set, nil
	}
	if high < low {
		return "", errors.New("illegal character range")
	}
	return inClass(low) + "-" + inClass(high), nil
}

// classItem is a character, or the inside of a shorthand's class.
func (t *translator) classItem() (rune, string, error) {
	c := t.peek(0)
	if c != '\\' {
		t.pos++
		return c, "", nil
	}
	e := t.peek(1)
	if set, ok := shorthand[e|0x20]; ok && e != -1 {
		t.pos += 2
		if e < 'a' {
			return 0, "[^" + t.wide(set) + "]", nil
		}
		return 0, t.wide(set), nil
	}
	if e == 'p' || e == 'P' {
		inside, negated, err := t.propertyInside()
		if negated {
			inside = "[^" + inside + "]"
		}
		return 0, inside, err
	}
	if e == -1 {
		return 0, "", errors.New("unclosed character class")
	}
	r, err := t.character()
	return r, "", err
}

func inClass(r rune) string {
	if strings.ContainsRune(`\[]^-&~`, r) {
		return `\` + string(r)
	}
	return string(r)
}
