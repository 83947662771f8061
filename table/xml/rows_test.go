package xml

import (
	"bytes"
	"strings"
	"testing"

	"millrace/table/internal/lines"
	"millrace/table/internal/rows"
	"millrace/types"
	"millrace/vector"
)

func source(text string) lines.Source {
	return lines.Source{File: strings.NewReader(text), Path: "/f.xml", Size: int64(len(text))}
}

func readRows(t testing.TB, text string, o *Options, schema *types.Type) (string, error) {
	var columns []Column
	for _, f := range schema.Fields {
		columns = append(columns, Column{Name: f.Name, Type: f.Type, Corrupt: f.Name == o.CorruptRecord})
	}
	r, err := NewReader(source(text), o, columns)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	out := ""
	for {
		b, err := r.Next()
		if err != nil || b == nil {
			return out, err
		}
		out += strings.Join(rows.Lines(b), "")
	}
}

func optionsOf(t testing.TB, m map[string]string) *Options {
	t.Helper()
	o, err := ParseOptions(m, "UTC", 0, false)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestRowsOfFiles(t *testing.T) {
	schema := types.Struct(types.Field{Name: "a", Type: types.String}, types.Field{Name: "_corrupt_record", Type: types.String})
	for _, c := range []struct{ text, want string }{
		{"<rs><r><a>1</a></r><x><r><a>2</a><r><a>3</a></r></r></x></rs>", `["1",null]["2",null]`},
		{"\xef\xbb\xbf<r><a>1</a></r>", `["1",null]`},
		{"<rs><!-- <r><a>1</a></r> --><![CDATA[<r/>]]><r/></rs>", `[null,null]`},
		{"<rs><r><a>1 &</a></r><r><a>2</a></r></rs>", `[null,"<rs><r><a>1 &</a></r><r><a>2</a></r></rs>"]["2",null]`},
		{"<r><a>1</a></r><r/>", `["1",null][null,"<r><a>1</a></r><r/>"]`},
		{"<rs><r><a>1", `[null,"<rs><r><a>1"]`},
		{"", ""},
	} {
		if got, err := readRows(t, c.text, optionsOf(t, map[string]string{"rowTag": "r"}), schema); err != nil || got != c.want {
			t.Errorf("%s: %s %v", c.text, got, err)
		}
	}
}

// TestFileWriter writes rows as Spark does and reads them again.
func TestFileWriter(t *testing.T) {
	schema := types.Struct(types.Field{Name: "_id", Type: types.Long}, types.Field{Name: "s", Type: types.String})
	b := &vector.Batch{N: 2, Cols: []*vector.Vector{vector.FromSlice(types.Long, []int64{1, 2}), vector.FromStrings(types.String, []string{"x<", ""}, nil)}}
	o := optionsOf(t, map[string]string{"rowTag": "r", "rootTag": "all k='v'"})
	var out bytes.Buffer
	w, err := NewFileWriter(&out, schema, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	const want = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<all k=\"v\">\n    <r id=\"1\">\n        <s>x&lt;</s>\n    </r>\n    <r id=\"2\">\n        <s></s>\n    </r>\n</all>"
	if out.String() != want {
		t.Errorf("%s", out.String())
	}
	if got, err := readRows(t, out.String(), o, schema); err != nil || got != `[1,"x<"][2,""]` {
		t.Error(got, err)
	}
	for _, bad := range []map[string]string{{"rowTag": "a b"}, {"rowTag": "r", "rootTag": ""}, {"rowTag": "r", "rootTag": "<x>"}} {
		if _, err := NewFileWriter(&out, schema, optionsOf(t, bad)); err == nil {
			t.Errorf("%v was taken", bad)
		}
	}
	if _, err := NewFileWriter(&out, types.Struct(types.Field{Name: "a b", Type: types.Long}), o); err == nil {
		t.Error("a name with a space was taken")
	}
}

func FuzzRows(f *testing.F) {
	f.Add("<rs><r><a>1 &</a></r><r><a>2</a></r></rs>")
	o := optionsOf(f, map[string]string{"rowTag": "r"})
	f.Fuzz(func(t *testing.T, text string) {
		_, _ = readRows(t, text, o, types.Struct(types.Field{Name: "a", Type: types.Long}))
	})
}
