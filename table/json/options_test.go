package json

import (
	"bytes"
	"strings"
	"testing"

	"millrace/table/internal/lines"
	"millrace/table/internal/rows"
	"millrace/types"
	"millrace/vector"
)

func options(t *testing.T, writing bool, pairs ...string) *Options {
	t.Helper()
	m := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	o, err := ParseOptions(m, "UTC", 0, writing)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// TestOptions reads texts that are JSON only to some options; without them they are malformed.
func TestOptions(t *testing.T) {
	for _, c := range []struct{ text, option, want string }{
		{"{/*c*/\"a\":1// d\n}", "allowComments", `["1"]`},
		{"{\"a\":[1/**/, {\"b\"//x\n:2}]}", "allowComments", `["[1/**/, {\"b\"//x\n:2}]"]`},
		{`{"a":"\$5\'"}`, "allowBackslashEscapingAnyCharacter", `["$5'"]`},
		{"{\"a\":\"x\ty\"}", "allowUnquotedControlChars", `["x\ty"]`},
		{`{a:1}`, "allowUnquotedFieldNames", `["1"]`},
		{`{"a":007}`, "allowNumericLeadingZeros", `["007"]`},
	} {
		for _, on := range []string{"true", "false"} {
			src := lines.Source{File: strings.NewReader(c.text), Path: "/t.json", Size: int64(len(c.text))}
			r, err := NewReader(src, options(t, false, c.option, on, "multiLine", "true"), []Column{{Name: "a", Type: types.String}}, false)
			if err != nil {
				t.Fatal(err)
			}
			b, err := r.Next()
			if err != nil {
				t.Fatal(err)
			}
			want := c.want
			if on == "false" {
				want = "[null]"
			}
			if got := strings.Join(rows.Lines(b), ""); got != want {
				t.Errorf("%s %s=%s: %s", c.text, c.option, on, got)
			}
		}
	}
}

// TestDetect reads files in encodings that they tell by a mark or by their zeros.
func TestDetect(t *testing.T) {
	const text = `{"a":"Ä€"}`
	for _, name := range []string{"", "UTF-16", "UTF-16LE", "UTF-16BE", "UTF-32"} {
		var file bytes.Buffer
		if name == "" {
			file.WriteString(text)
		} else {
			e := lines.Encode(&file, name)
			if _, err := e.Write([]byte(text)); err != nil {
				t.Fatal(err)
			}
			if err := e.Close(); err != nil {
				t.Fatal(err)
			}
		}
		src := lines.Source{File: bytes.NewReader(file.Bytes()), Path: "/t.json", Size: int64(file.Len())}
		s, err := Infer([]lines.Source{src}, options(t, false, "multiLine", "true"), false)
		if err != nil || s.String() != "struct<a:string>" {
			t.Errorf("%s: %s %v", name, s, err)
		}
		r, err := NewReader(src, options(t, false, "multiLine", "true"), []Column{{Name: "a", Type: types.String}}, false)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := r.Next(); err != nil || strings.Join(rows.Lines(b), "") != `["Ä€"]` {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestPretty is how Jackson prints over several lines.
func TestPretty(t *testing.T) {
	typ := types.Struct(types.Field{Name: "é", Type: types.ArrayOf(types.Struct(types.Field{Name: "x", Type: types.Long}), true)}, types.Field{Name: "e", Type: types.ArrayOf(types.Long, true)})
	inner := &vector.Vector{Type: typ.Fields[0].Type.Elem, Len: 2, Children: []*vector.Vector{vector.FromSlice(types.Long, []int64{1, 2})}}
	list := &vector.Vector{Type: typ.Fields[0].Type, Len: 1, Offsets: []int32{0, 2}, Children: []*vector.Vector{inner}}
	empty := &vector.Vector{Type: typ.Fields[1].Type, Len: 1, Offsets: []int32{0, 0}, Children: []*vector.Vector{vector.FromSlice(types.Long, []int64{})}}
	var out bytes.Buffer
	w, err := NewWriter(&out, typ, options(t, true, "pretty", "true", "writeNonAsciiCharacterAsCodePoint", "true"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(&vector.Batch{N: 1, Cols: []*vector.Vector{list, empty}}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	want := "{\n  \"\\u00E9\" : [ {\n    \"x\" : 1\n  }, {\n    \"x\" : 2\n  } ],\n  \"e\" : [ ]\n}\n"
	if out.String() != want {
		t.Errorf("%s", out.String())
	}
}
