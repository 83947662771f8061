package javaregex

import (
	"errors"
	"fmt"
	"strconv"
)

// Template is a replacement taken apart: texts and groups in turn.
type Template struct {
	texts  [][]byte // texts[i] stands before groups[i]; the last one after all
	groups []int
}

// Template reads a replacement: $1 and ${name} are groups, \ takes away the meaning of what follows it.
func (re *Regexp) Template(s string) (*Template, error) {
	t := &Template{}
	var text []byte
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			if i++; i == len(s) {
				return nil, errors.New("character to be escaped is missing")
			}
			text = append(text, s[i])
		case '$':
			group, next, err := re.reference(s, i+1)
			if err != nil {
				return nil, err
			}
			t.texts, t.groups, text = append(t.texts, text), append(t.groups, group), nil
			i = next - 1
		default:
			text = append(text, s[i])
		}
	}
	t.texts = append(t.texts, text)
	return t, nil
}

// reference reads a group's number or {name}; further digits belong to the number while there is such a group.
func (re *Regexp) reference(s string, i int) (group, next int, err error) {
	if i == len(s) {
		return 0, 0, errors.New("illegal group reference: group index is missing")
	}
	if s[i] == '{' {
		end := i + 1
		for end < len(s) && s[end] != '}' {
			end++
		}
		n, ok := re.names[s[i+1:min(end, len(s))]]
		if !ok || end == len(s) {
			return 0, 0, fmt.Errorf("no group with name %s", s[i:])
		}
		return n, end + 1, nil
	}
	if s[i] < '0' || s[i] > '9' {
		return 0, 0, errors.New("illegal group reference")
	}
	end := i + 1
	for end < len(s) && s[end] >= '0' && s[end] <= '9' {
		if n, err := strconv.Atoi(s[i : end+1]); err != nil || n > re.groups {
			break
		}
		end++
	}
	n, _ := strconv.Atoi(s[i:end])
	if n > re.groups {
		return 0, 0, fmt.Errorf("no group %d", n)
	}
	return n, end, nil
}

// Replace appends s to dst with every match from byte offset from on replaced.
func (re *Regexp) Replace(dst, s []byte, from int, t *Template) ([]byte, error) {
	done := 0
	err := re.Find(s, from, func(m []int) bool {
		dst = append(dst, s[done:m[0]]...)
		for k, g := range t.groups {
			dst = append(dst, t.texts[k]...)
			if m[2*g] >= 0 {
				dst = append(dst, s[m[2*g]:m[2*g+1]]...)
			}
		}
		dst = append(dst, t.texts[len(t.groups)]...)
		done = m[1]
		return true
	})
	return append(dst, s[done:]...), err
}

// Split calls f with the parts of s between matches, at most limit of them if it is positive. An empty match at the beginning parts
// nothing.
func (re *Regexp) Split(s []byte, limit int, f func([]byte)) error {
	done, n := 0, 1
	err := re.Find(s, 0, func(m []int) bool {
		if limit > 0 && n == limit {
			return false
		}
		if m[1] == 0 {
			return true
		}
		f(s[done:m[0]])
		done = m[1]
		n++
		return true
	})
	f(s[done:])
	return err
}
