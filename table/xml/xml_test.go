package xml

import "testing"

// FuzzDocuments reads texts of any content: nothing may panic, and what is a document has a schema.
func FuzzDocuments(f *testing.F) {
	f.Add(`<p id="5"><a>1</a><b x="1">te</b><c><d>1</d></c><e/><!-- c --></p>`)
	f.Add(`<?xml version="1.0" encoding="UTF-16"?><a:b xmlns:a="u"><![CDATA[<x>]]>&lt;</a:b>`)
	f.Add(`<a><b></a></b>`)
	f.Add(`</a>`)
	o, err := ParseOptions(nil, "UTC", 0, false)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		_, bad := parse([]byte(text))
		schema, err := TypeOf([]byte(text), o)
		if (bad == nil) != (err == nil) {
			t.Fatalf("%q: %v, %v", text, bad, err)
		}
		if err != nil {
			return
		}
		p, err := NewParser(schema, o)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Add([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if v := p.Vector(); v.Len != 1 || v.IsNull(0) {
			t.Fatalf("%q gives %d rows", text, v.Len)
		}
	})
}

// TestPaths evaluates paths over a document; node sets are shown by the first node.
func TestPaths(t *testing.T) {
	doc := []byte(`<a x="1"><b>one</b><b y="2">two</b><!-- no --><c>3<d>4</d></c></a>`)
	for path, want := range map[string]any{"a/b[2]": "two", "//@y": "2", "count(//b)": 2.0, "a/c": "34", "a/b[@y='2']/text()": "two", "a/z": "", "a/b = 'two'": true,
		"string(a/d)": "", "number(a/c/d)": 4.0, "a/b[last()]/preceding-sibling::b": "one", "a/c/d/../../@x": "1"} {
		p, err := ParsePath(path)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		v, err := p.Value(doc)
		if nodes, ok := v.([]Node); ok {
			if v = ""; len(nodes) > 0 {
				v = nodes[0].Text
			}
		}
		if err != nil || v != want {
			t.Errorf("%s: %v, %v; want %v", path, v, err, want)
		}
	}
	if _, err := ParsePath("a["); err == nil {
		t.Error("an unfinished path is taken")
	}
	for _, bad := range []string{"", "<a>", "<a></b>", "<a/><b/>", "x<a/>", "<a>&nope;</a>"} {
		p, _ := ParsePath("a")
		if _, err := p.Value([]byte(bad)); err == nil {
			t.Errorf("%q is taken for a document", bad)
		}
	}
}
