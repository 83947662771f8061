package numberformat

import (
	"math/big"
	"testing"
)

func TestFormatsAndBack(t *testing.T) {
	for _, c := range []struct {
		pattern, unscaled string
		scale             int
		text              string
	}{
		{"999", "454", 0, "454"},
		{"000D00", "45400", 2, "454.00"},
		{"99,999", "12454", 0, "12,454"},
		{"$99.99", "7812", 2, "$78.12"},
		{"99,999.9S", "-124548", 1, "12,454.8-"},
		{"999999MI", "-5", 0, "     5-"},
		{"999PR", "-5", 0, "  <5>"},
		{"9.9", "123", 0, "#.#"},
	} {
		f, problem := New(c.pattern)
		if problem != nil {
			t.Fatalf("%s: %v", c.pattern, problem)
		}
		v, _ := new(big.Int).SetString(c.unscaled, 10)
		if got := string(f.Append(nil, v, c.scale)); got != c.text {
			t.Errorf("%s of %s: %q, not %q", c.pattern, c.unscaled, got, c.text)
		}
	}
}

func TestParse(t *testing.T) {
	for _, c := range []struct{ pattern, text, want string }{
		{"$99.99", "$78.12", "7812"}, {"99,999.9S", "12,454.8-", "-124548"}, {"999", "1234", ""}, {"000", "12", ""},
		{"999PR", "<12>", "-12"}, {"9,999", "1,2345", ""}, {"999", "   ", ""},
	} {
		f, problem := New(c.pattern)
		if problem != nil {
			t.Fatalf("%s: %v", c.pattern, problem)
		}
		got := ""
		if v, ok := f.Parse(c.text); ok {
			got = v.String()
		}
		if got != c.want {
			t.Errorf("%s reads %q as %q, not %q", c.pattern, c.text, got, c.want)
		}
	}
}

func TestProblems(t *testing.T) {
	for pattern, want := range map[string]string{"": "EMPTY", "S": "WRONG_NUM_DIGIT", "9$": "CUR_MUST_BEFORE_DIGIT", ",9": "CONT_THOUSANDS_SEPS",
		"9.9,9": "THOUSANDS_SEPS_MUST_BEFORE_DEC", "9.9.9": "WRONG_NUM_TOKEN", "99a": "UNEXPECTED_TOKEN"} {
		if _, problem := New(pattern); problem == nil || problem.Subclass != want {
			t.Errorf("%q: %v, not %s", pattern, problem, want)
		}
	}
}
