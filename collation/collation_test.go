package collation

import (
	"bytes"
	"testing"
)

func TestKeysCompareAsSparkDoes(t *testing.T) {
	for _, c := range []struct {
		name, a, b string
		want       int
	}{
		{"UTF8_LCASE", "aBc", "AbC", 0}, {"UTF8_LCASE", "İ", "i̇", 0}, {"UTF8_LCASE", "ς", "Σ", 0}, {"UTF8_LCASE", "a", "B", -1},
		{"UTF8_BINARY_RTRIM", "a  ", "a", 0}, {"UNICODE", "a", "A", -1}, {"UNICODE", "A", "b", -1}, {"UNICODE_CI", "a", "A", 0},
		{"UNICODE_AI", "a", "å", 0}, {"UNICODE_AI", "a", "Å", -1}, {"UNICODE_AI", "ae", "æ", 0}, {"UNICODE_CI_AI", "a", "Å", 0},
		{"sv", "Kypper", "Köpfe", -1}, {"de", "Kypper", "Köpfe", 1}, {"tr_CI", "I", "ı", 0}, {"UNICODE_CI_RTRIM", "A ", "a", 0},
	} {
		by, err := Find(c.name)
		if err != nil {
			t.Fatal(c.name, err)
		}
		if got := bytes.Compare(by.Key(nil, []byte(c.a)), by.Key(nil, []byte(c.b))); got != c.want {
			t.Errorf("%s: %q and %q compare as %d, not %d", c.name, c.a, c.b, got, c.want)
		}
	}
}

func TestNames(t *testing.T) {
	for name, want := range map[string]string{"unicode_ai_ci": "UNICODE_CI_AI", "unicode_rtrim_ci": "UNICODE_CI_RTRIM", "sr_cyrl_srb_ai": "sr_Cyrl_SRB_AI", "EN_usa": "en_USA", "utf8_lcase_rtrim": "UTF8_LCASE_RTRIM",
		"foo": "", "unicode_ci_cs": "", "utf8_binary_ci": "", "en_USA_x": ""} {
		c, err := Find(name)
		if got := ""; err == nil {
			if got = c.Name; got != want {
				t.Errorf("%s is %s, not %s", name, got, want)
			}
		} else if want != "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSearch(t *testing.T) {
	by, _ := Find("UTF8_LCASE")
	for _, c := range []struct {
		text, part string
		at, length int
	}{{"aBc", "b", 1, 1}, {"xİo", "i̇", 1, 2}, {"xi̇o", "İ", 1, 3}, {"İo", "i", -1, 0}, {"abc", "", 0, 0}} {
		p, err := by.Pattern([]byte(c.part))
		if err != nil {
			t.Fatal(err)
		}
		if at, length := p.Index([]byte(c.text), 0); at != c.at || length != c.length {
			t.Errorf("%q in %q: %d, %d", c.part, c.text, at, length)
		}
	}
	icu, _ := Find("UNICODE_CI")
	if _, err := icu.Pattern([]byte("ä")); err == nil {
		t.Error("a search by Unicode's rules beyond ASCII should be refused")
	}
}

func TestSuggestions(t *testing.T) {
	for name, want := range map[string]string{"foo": "fo, blo, bo", "xyz": "az, cy, dz", "zzzz": "az", "": "af, am, ar", "en_us_ci": "en_USA_CI", "UNICODE_CS_CI": "UNICODE_CS", "de_DE": "de",
		"utf8_binary_lcase": "fr_CAN", "UTF8_BINARI": "UTF8_BINARY", "UTF8_LCASE_CI": "UTF8_LCASE", "UNICODE_RTRIM_RTRIM": "UNICODE_RTRIM", "sr_Cyrl_SR": "sr_Cyrl_SRB"} {
		if got := Suggest(name); got != want {
			t.Errorf("%s: %s, not %s", name, got, want)
		}
	}
}
