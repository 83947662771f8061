package javaregex

import (
	"strings"
	"testing"
)

func TestReplace(t *testing.T) {
	for _, tt := range []struct{ pattern, text, by, want string }{
		{`b`, "abc", "[$0]", "a[b]c"},
		{`a*`, "baaac", "-", "-b--c-"},
		{`x*`, "abc", "-", "-a-b-c-"},
		{`(\d+)-(\d+)`, "100-200", "$2-$1", "200-100"},
		{` months`, "36 months", "", "36"},
		{`(?<=a)b`, "abcb", "X", "aXcb"},
		{`(a)\1`, "aab", "x", "xb"},
		{`a++b`, "aaab", "x", "x"},
		{`[a-z&&[^b]]`, "abc", "x", "xbx"},
		{`[a-c&&bd]`, "abc", "x", "axc"},
		{`\p{Punct}`, "a.b!", "", "ab"},
		{`\Qa.b\E`, "a.b axb", "x", "x axb"},
		{`o$`, "foo\n", "x", "fox\n"},
		{`o$`, "foo", "x", "fox"},
		{`.`, "a\nb\r", "x", "x\nx\r"},
		{`(?s).`, "a\n", "x", "xx"},
		{`(?i)ABC`, "xabC", "y", "xy"},
		{`^a`, "aaa", "x", "xaa"},
		{`\bfoo\b`, "foo foobar foo", "x", "x foobar x"},
		{`(?<n>\w)=`, "a=b", "${n}:", "a:b"},
		{`a`, "a", `\$\\`, `$\`},
		{`[\d\s]+`, "a1 2b", "", "ab"},
		{`[^\w]`, "a-b", "", "ab"},
		{`\S`, "a b", "x", "x x"},
		{`(a)(b)?`, "ac", "[$2]", "[]c"},
		{`(a)`, "a", "$12", "a2"},
		{`\u00e9`, "é", "e", "e"},
		{`[[a-b]d]`, "abcd", "x", "xxcx"},
		{`a{2}`, "aaa", "x", "xa"},
	} {
		re, err := Compile(tt.pattern)
		if err != nil {
			t.Errorf("%s: %v", tt.pattern, err)
			continue
		}
		tpl, err := re.Template(tt.by)
		if err != nil {
			t.Errorf("%s: %v", tt.by, err)
			continue
		}
		got, err := re.Replace(nil, []byte(tt.text), 0, tpl)
		if err != nil || string(got) != tt.want {
			t.Errorf("%s in %q by %q: %q, want %q (%v)", tt.pattern, tt.text, tt.by, got, tt.want, err)
		}
	}
}

func TestSplit(t *testing.T) {
	for _, tt := range []struct {
		pattern, text string
		limit         int
		want          string
	}{{",", "a,b,,c,", -1, "a|b||c|"}, {"X", "aXbXc", 2, "a|bXc"}, {"[ab]", "1a2b3", 0, "1|2|3"}, {"", "abc", -1, "a|b|c|"}, {"a", "", -1, ""}, {"(?=b)", "abab", -1, "a|ba|b"}} {
		re, err := Compile(tt.pattern)
		if err != nil {
			t.Fatal(err)
		}
		var parts []string
		if err := re.Split([]byte(tt.text), tt.limit, func(b []byte) { parts = append(parts, string(b)) }); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(parts, "|"); got != tt.want {
			t.Errorf("split %q by %q: %q, want %q", tt.text, tt.pattern, got, tt.want)
		}
	}
}

func TestFrom(t *testing.T) {
	for _, pattern := range []string{"b", "[b]", "(?=b)b", `\bb`} {
		re, err := Compile(pattern)
		if err != nil {
			t.Fatal(err)
		}
		var at []int
		if err := re.Find([]byte("éb b"), 2, func(m []int) bool { at = append(at, m[0]); return true }); err != nil || len(at) != 2 || at[0] != 2 {
			t.Errorf("%s: %v %v", pattern, at, err)
		}
	}
}

func TestInvalid(t *testing.T) {
	for _, pattern := range []string{"(b", "[a", "a{", `\`, "(?<a", "*a", `[b-a]`, `\p{Nope}`, "a)"} {
		if _, err := Compile(pattern); err == nil {
			t.Errorf("%q was accepted", pattern)
		}
	}
}

func FuzzCompile(f *testing.F) {
	for _, s := range []string{`(a|b)*c$`, `[a-z&&[^b]]`, `(?<n>x)\k<n>`, `\Qa\E\p{Lu}`, `(?i:a)(?s).`} {
		f.Add(s, "abc")
	}
	f.Fuzz(func(t *testing.T, pattern, text string) {
		re, err := Compile(pattern)
		if err != nil || len(pattern) > 30 || len(text) > 30 {
			return
		}
		re.Match([]byte(text))
		if tpl, err := re.Template("$0"); err == nil {
			re.Replace(nil, []byte(text), 0, tpl)
		}
	})
}
