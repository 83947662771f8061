package json

import (
	"bytes"
	"strings"
	"testing"

	"millrace/table/internal/lines"
	"millrace/table/internal/rows"
	"millrace/types"
)

func source(text string) lines.Source {
	return lines.Source{File: strings.NewReader(text), Path: "/t.json", Size: int64(len(text))}
}

func parse(t *testing.T, text string, schema *types.Type, options map[string]string) (string, []string) {
	t.Helper()
	o, err := ParseOptions(options, "UTC", 0, false)
	if err != nil {
		t.Fatal(err)
	}
	if schema == nil {
		if schema, err = Infer([]lines.Source{source(text)}, o, false); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	var columns []Column
	for _, f := range schema.Fields {
		columns = append(columns, Column{f.Name, f.Type, f.Name == o.CorruptRecord})
	}
	r, err := NewReader(source(text), o, columns, false)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	wo, _ := ParseOptions(nil, "UTC", 0, true)
	var out bytes.Buffer
	w, err := NewWriter(&out, schema, wo, nil)
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	for {
		b, err := r.Next()
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if b == nil {
			break
		}
		got += strings.Join(rows.Lines(b), "")
		if err := w.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return schema.String() + got, strings.Split(strings.TrimSpace(out.String()), "\n")
}

func field(name string, t *types.Type) types.Field {
	return types.Field{Name: name, Type: t, Nullable: true}
}

// The expectations are what Spark 4.2 answers to the same texts and options.
func TestRead(t *testing.T) {
	aInt := types.Struct(field("a", types.Integer))
	withCorrupt := types.Struct(field("a", types.Integer), field("_corrupt_record", types.String))
	for _, c := range []struct {
		text    string
		schema  *types.Type
		want    string
		options map[string]string
	}{
		{`{"a":1,"b":"x","c":1.5,"d":true,"e":null,"f":[1,2],"g":{"x":1,"y":[{"z":"q"}]}}` + "\n" + `{"a":3000000000,"b":2,"h":"2020-01-01"}` + "\n", nil,
			`struct<a:bigint,b:string,c:double,d:boolean,e:string,f:array<bigint>,g:struct<x:bigint,y:array<struct<z:string>>>,h:string>[1,"x",1.5,true,null,[1,2],[1,[["q"]]],null][3000000000,"2",null,null,null,null,null,"2020-01-01"]`, nil},
		{"{\"a\":1}\n{\"a\":\n{\"a\":3}\n", nil, `struct<_corrupt_record:string,a:bigint>[null,1]["{\"a\":",null][null,3]`, nil},
		{"{\"a\":1}\n{\"a\":\n{\"a\":3}\n", nil, `struct<a:bigint>[1][3]`, map[string]string{"mode": "DROPMALFORMED"}},
		{"{\"a\":1}\n{\"a\":\n{\"a\":3}\n", aInt, `struct<a:int>[1][null][3]`, nil},
		{"{\"a\":1}\n{\"a\":\"x\"}\n{\"a\":1.5}\n{\"a\":{}}\n", withCorrupt, `struct<a:int,_corrupt_record:string>[1,null][null,"{\"a\":\"x\"}"][null,"{\"a\":1.5}"][null,"{\"a\":{}}"]`, nil},
		{"{\"a\":[1,2,\n{\"a\":[3]}\n", types.Struct(field("a", types.ArrayOf(types.Integer, true))), `struct<a:array<int>>[null][[3]]`, nil},
		{"[{\"a\":1},{\"a\":2}]\n{\"a\":3}\n", nil, `struct<a:bigint>[1][2][3]`, nil},
		{"[{\"a\":1},\n{\"a\":2}]", nil, `struct<a:bigint>[1][2]`, map[string]string{"multiLine": "true"}},
		{"{\"a\":1}{\"a\":2}\n", nil, `struct<a:bigint>[1]`, nil},
		{"{\"a\":1} x\n", withCorrupt, `struct<a:int,_corrupt_record:string>[1,null]`, nil},
		{`{"a":99999999999999999999,"c":1e2,"d":123456789012345678901234567890123456789012}`, nil, `struct<a:decimal(20,0),c:double,d:double>["99999999999999999999",100,1.2345678901234568e+41]`, nil},
		{`{"a":"1","b":1,"c":true,"d":{"x":1},"e":[1, "a"]}`, types.Struct(field("a", types.Integer), field("b", types.String), field("c", types.String), field("d", types.String), field("e", types.String)),
			`struct<a:int,b:string,c:string,d:string,e:string>[null,"1","true","{\"x\":1}","[1, \"a\"]"]`, nil},
		{`{"a":[1,null,2.5]}` + "\n" + `{"a":[]}`, nil, `struct<a:array<double>>[[1,null,2.5]][[]]`, nil},
		{`{"a":[]}`, nil, `struct<a:array<string>>[[]]`, nil},
		{`{"a":{"k":1,"l":2}}`, types.Struct(field("a", types.MapOf(types.String, types.Integer, true))), `struct<a:map<string,int>>[[["k",1],["l",2]]]`, nil},
		{`{"a":"x\u00e9\n\"y\ud83d\ude00"}`, nil, `struct<a:string>["xé\n\"y😀"]`, nil},
		{`{"a":1.0,"b":2.5}`, nil, `struct<a:string,b:string>["1.0","2.5"]`, map[string]string{"primitivesAsString": "true"}},
		{`{"a":1.1,"b":2.50}`, nil, `struct<a:decimal(2,1),b:decimal(3,2)>["1.1","2.50"]`, map[string]string{"prefersDecimal": "true"}},
		{"1\n\"x\"\n{\"a\":1}\n", nil, `struct<_corrupt_record:string,a:bigint>["1",null]["\"x\"",null][null,1]`, nil},
		{`{"a":"YWJj"}`, types.Struct(field("a", types.Binary)), `struct<a:binary>["616263"]`, nil},
		{"{\"a\":300,\"b\":1}\n{\"a\":1,\"b\":\"z\"}", types.Struct(field("a", types.Byte), field("b", types.Boolean)), `struct<a:tinyint,b:boolean>[null,null][1,null]`, nil},
		{"{\"a\":{\"x\":1}}\n{\"a\":2}\n", nil, `struct<a:string>["{\"x\":1}"]["2"]`, nil},
		{"{\"b\":1,\"a\":2}\n{\"c\":1}", nil, `struct<a:bigint,b:bigint,c:bigint>[2,1,null][null,null,1]`, nil},
		{`{"f":"12.345","g":12.345,"d":1577836800}`, types.Struct(field("f", types.Decimal(5, 2)), field("g", types.Decimal(5, 2)), field("d", types.Timestamp)), `struct<f:decimal(5,2),g:decimal(5,2),d:timestamp>["12.35","12.35",1577836800000000]`, nil},
	} {
		if got, _ := parse(t, c.text, c.schema, c.options); got != c.want {
			t.Errorf("%s %v:\ngot  %s\nwant %s", c.text, c.options, got, c.want)
		}
	}
}

func TestWrite(t *testing.T) {
	text := `{"a":1,"s":"x\"\n/é","d":1.5,"arr":[1,null],"st":{"x":1},"b":true,"e":1.0E10}`
	_, lines := parse(t, text, types.Struct(field("a", types.Integer), field("n", types.Integer), field("s", types.String), field("d", types.Double),
		field("arr", types.ArrayOf(types.Long, true)), field("st", types.Struct(field("x", types.Integer), field("y", types.Integer))),
		field("b", types.Boolean), field("e", types.Double)), nil)
	if len(lines) != 1 || lines[0] != text {
		t.Errorf("got  %s\nwant %s", lines, text)
	}
}

// FuzzRead must neither panic nor fail on any text.
func FuzzRead(f *testing.F) {
	for _, s := range []string{`{"a":1,"b":[1,{"c":"x"}]}`, `[{"a":"\u00e9\\"},{}]`, `{"a":NaN,'b':-1e5}`, `{"b":[[[`, `{"a":1,"a":[2]}`} {
		f.Add(s)
	}
	schema := types.Struct(field("a", types.Long), field("b", types.ArrayOf(types.Struct(field("c", types.String)), true)),
		field("m", types.MapOf(types.String, types.Double, true)), field("_corrupt_record", types.String))
	f.Fuzz(func(t *testing.T, text string) {
		parse(t, text, schema, nil)
		parse(t, text, schema, map[string]string{"multiLine": "true", "mode": "DROPMALFORMED"})
	})
}
