package csv

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"millrace/errs"
	"millrace/table/internal/lines"
	"millrace/table/internal/rows"
	"millrace/types"
)

func source(text string) lines.Source {
	return lines.Source{File: strings.NewReader(text), Path: "/t.csv", Size: int64(len(text))}
}

// read reads a text with a schema in JSON-free shorthand ("a int, b string"), or an inferred one.
func read(text, schema string, options ...string) (got string, err error) {
	m := map[string]string{}
	for i := 0; i < len(options); i += 2 {
		m[options[i]] = options[i+1]
	}
	o, err := ParseOptions(m, "UTC", 0, false)
	if err != nil {
		return "", err
	}
	s := shorthand(schema)
	if schema == "" {
		if s, err = Infer([]lines.Source{source(text)}, o, false); err != nil {
			return "", err
		}
		for _, f := range s.Fields {
			got += f.Name + " " + f.Type.String() + ","
		}
	}
	var columns []Column
	var names []string
	for _, f := range s.Fields {
		place := len(names)
		if f.Name == o.CorruptRecord {
			place = -1
		} else {
			names = append(names, f.Name)
		}
		columns = append(columns, Column{f.Name, place, f.Type})
	}
	r, err := NewReader(source(text), o, columns, names)
	if err != nil {
		return "", err
	}
	defer r.Close()
	for {
		b, err := r.Next()
		if err != nil || b == nil {
			return got, err
		}
		got += strings.Join(rows.Lines(b), "")
	}
}

func shorthand(s string) *types.Type {
	var fields []types.Field
	for _, part := range strings.Split(s, ", ") {
		name, form, ok := strings.Cut(part, " ")
		if !ok {
			continue
		}
		t, err := types.ParseJSON(fmt.Appendf(nil, "%q", form))
		if err != nil {
			panic(err)
		}
		fields = append(fields, types.Field{Name: name, Type: t, Nullable: true})
	}
	return types.Struct(fields...)
}

// The expectations are what Spark 4.2 answers to the same texts and options.
func TestRead(t *testing.T) {
	for _, c := range []struct {
		text, schema, want string
		options            []string
	}{
		{"a,b\n1,x\n2,\"y, z\"\n3,\"q\"\"r\"\n4,\n5,\"\"\n", "", `a string,b string,["1","x"]["2","y, z"]["3","\"q\"\"r\""]["4",null]["5",null]`, []string{"header", "true"}},
		{"a,b\n3,\"q\\\"r\"\n", "", `a string,b string,["3","q\"r"]`, []string{"header", "true"}},
		{" a , b \n 1 , x \n", "", `a string,b string,["1","x"]`, []string{"header", "true", "ignoreLeadingWhiteSpace", "true", "ignoreTrailingWhiteSpace", "true"}},
		{"1,2\n3\n4,5,6\n", "", `_c0 string,_c1 string,["1","2"]["3",null]["4","5"]`, nil},
		{"1,2\nx,5\n4,5,6\n", "a integer, b integer, c string, _corrupt_record string", `[1,2,null,"1,2"][null,5,null,"x,5"][4,5,"6",null]`, nil},
		{"1,2\nx,5\n4,5,6\n", "a integer, b integer", `[1,2]`, []string{"mode", "DROPMALFORMED"}},
		{"a,b,c,d,e,f,g,h,i\n1,3000000000,1.5,2020-01-01,2020-01-01 10:00:00,true,x,,99999999999999999999\n2,1,2,2020-01-02,2020-01-02T10:00:00Z,FALSE,1,,1\n", "",
			`a int,b bigint,c double,d date,e timestamp,f boolean,g string,h string,i decimal(20,0),[1,3000000000,1.5,18262,1577872800000000,true,"x",null,"99999999999999999999"][2,1,2,18263,1577959200000000,false,"1",null,"1"]`, []string{"header", "true", "inferSchema", "true"}},
		{"a,b,c,d,e,f\nNaN,Inf,1e5,1.,.5,-\n-Inf,1,2,3,4,5\n", "", `a double,b double,c double,d decimal(1,0),e double,f string,["float ","float ",100000,"1",0.5,"-"]["float ",1,2,"3",4,"5"]`, []string{"header", "true", "inferSchema", "true"}},
		{"a,b,c\n2020-01-01,2020-01-01,2020-01-01 10:00:00\n2020-01-01 10:00:00,x,2020-01-01\n", "", `a timestamp,b string,c timestamp,[1577836800000000,"2020-01-01",1577872800000000][1577872800000000,"x",1577836800000000]`, []string{"header", "true", "inferSchema", "true"}},
		{"a,a,B,b\n1,2,3,4\n", "", `a0 string,a1 string,B2 string,b3 string,["1","2","3","4"]`, []string{"header", "true"}},
		{"a,,c\n1,2,3\n", "", `a string,_c1 string,c string,["1","2","3"]`, []string{"header", "true"}},
		{"\n\na,b\n\n1,2\n\n", "", `a string,b string,["1","2"]`, []string{"header", "true"}},
		{"#x\na,b\n#y\n1,2\n", "", `a string,b string,["1","2"]`, []string{"header", "true", "comment", "#"}},
		{"a||b\n1||2\n", "", `a string,b string,["1","2"]`, []string{"header", "true", "sep", "||"}},
		{"a\tb\n1\t2\n", "", `a string,b string,["1","2"]`, []string{"header", "true", "sep", `\t`}},
		{"a,b\n1,NA\nNA,2\n", "", `a int,b int,[1,null][null,2]`, []string{"header", "true", "nullValue", "NA", "inferSchema", "true"}},
		{"a,b\n1,\"l1\nl2\"\n2,z\n", "", `a string,b string,["1","l1\nl2"]["2","z"]`, []string{"header", "true", "multiLine", "true"}},
		{"a,b\n1,\"l1\nl2\"\n2,z\n", "", `a string,b string,["1","l1"]["l2\"",null]["2","z"]`, []string{"header", "true"}},
		{"a,b\r1,2\r3,4\r", "", `a string,b string,["1","2"]["3","4"]`, []string{"header", "true"}},
		{"a,b\n1,'x,y'\n", "", `a string,b string,["1","x,y"]`, []string{"header", "true", "quote", "'"}},
		{"1,2.50,12345678901234567890.5\n", "a decimal(5,1), b decimal(3,1), c decimal(38,2)", `["1.0","2.5","12345678901234567890.50"]`, nil},
		{"01/02/2020,01/02/2020 10:11\n", "a date, b timestamp", `[18293,1580551860000000]`, []string{"dateFormat", "dd/MM/yyyy", "timestampFormat", "dd/MM/yyyy HH:mm"}},
		{"\"a\"b,c\n\"x\"\n", "", `_c0 string,_c1 string,["\"a\"b","c"]["x",null]`, nil},
		{"\"abc,d\n1,2\n", "", `_c0 string,["abc,d"]["1"]`, nil},
		{"300,true\n1 ,false\n +2,x\n", "a byte, b boolean", `[null,true][null,false][null,null]`, nil},
		{"\ufeffa,b\n1,2\n", "", `a string,b string,["1","2"]`, []string{"header", "true"}},
		{"\"a\\\\b\",x\n\"a\\nb\",y\n\"c\\\\\",z\n", "", `_c0 string,_c1 string,["a\\b","x"]["a\\nb","y"]["c\\","z"]`, nil},
		{"\"a\"\"b\",x\n\"\"\"\",z\n\"a\"\" b\"\"c\",w\n", "", `_c0 string,_c1 string,["a\"b","x"]["\"","z"]["a\" b\"c","w"]`, []string{"escape", `"`}},
		{"\"a\" ,x\n \"b\",y\n\"c\"  d,z\n", "", `_c0 string,_c1 string,["a","x"][" \"b\"","y"]["\"c\"  d","z"]`, nil},
		{"\"a, b\"c,d\n", "", `_c0 string,_c1 string,["\"a, b\"c","d"]`, nil},
		{"1.5,1e3, 7,0x1F,1f,1_0\n", "a double, b double, c double, d double, e double, f double", `[1.5,1000,7,null,1,null]`, nil},
		{"1.235,1.245,99.99,1e1,x, 1\n", "a decimal(4,2), b decimal(4,2), c decimal(4,2), d decimal(4,2), e decimal(4,2), f decimal(4,2)", `["1.24","1.25","99.99","10.00",null,null]`, nil},
		{"a,b\n\"\",\n", "", `a string,b string,["E",null]`, []string{"header", "true", "emptyValue", "E", "nullValue", "N"}},
		{"", "", ``, []string{"header", "true", "inferSchema", "true"}},
		{"a,b\n", "", `a string,b string,`, []string{"header", "true", "inferSchema", "true"}},
	} {
		got, err := read(c.text, c.schema, c.options...)
		if err != nil {
			t.Errorf("%q %v: %v", c.text, c.options, err)
		} else if got != c.want {
			t.Errorf("%q %v:\ngot  %s\nwant %s", c.text, c.options, got, c.want)
		}
	}
}

func TestFailFast(t *testing.T) {
	_, err := read("1,2\nx,5\n", "a integer, b integer", "mode", "FAILFAST")
	if errs.ConditionOf(err) != "FAILED_READ_FILE.NO_HINT" {
		t.Fatal(err)
	}
}

// TestParts reads a file in parts of every size: together they are the file.
func TestParts(t *testing.T) {
	text := "a,b\n1,\"x\"\r\n22,yy\n\n333,zzz\n4,\n"
	o, _ := ParseOptions(map[string]string{"header": "true"}, "UTC", 0, false)
	for size := int64(1); size < int64(len(text)); size++ {
		got := ""
		for at := int64(0); at < int64(len(text)); at += size {
			s := source(text)
			s.Start, s.Length = at, min(size, int64(len(text))-at)
			r, err := NewReader(s, o, []Column{{"b", 1, types.String}, {"a", 0, types.Integer}}, []string{"a", "b"})
			if err != nil {
				t.Fatal(err)
			}
			for {
				b, err := r.Next()
				if err != nil {
					t.Fatal(err)
				}
				if b == nil {
					break
				}
				got += strings.Join(rows.Lines(b), "")
			}
		}
		if want := `["x",1]["yy",22]["zzz",333][null,4]`; got != want {
			t.Fatalf("parts of %d: %s", size, got)
		}
	}
}

// FuzzRead must neither panic nor fail on any text, and what is written from what was read must read the same.
func FuzzRead(f *testing.F) {
	for _, s := range []string{"a,b\n1,2\n", "\"a\"\"b\",\\\"\n", "\"x\ny\",,\r\n", "\"\\\\\"\",\"", "\xff,\"\x00\""} {
		f.Add(s, false)
		f.Add(s, true)
	}
	f.Fuzz(func(t *testing.T, text string, multi bool) {
		o, err := ParseOptions(map[string]string{"multiLine": fmt.Sprint(multi)}, "UTC", 0, false)
		if err != nil {
			t.Fatal(err)
		}
		columns := []Column{{"a", 0, types.String}, {"b", 1, types.Integer}, {"c", 2, types.Double}, {"_corrupt_record", -1, types.String}}
		r, err := NewReader(source(text), o, columns, []string{"a", "b", "c"})
		if err != nil {
			t.Fatal(err)
		}
		wo, _ := ParseOptions(nil, "UTC", 0, true)
		var out bytes.Buffer
		w, err := NewWriter(&out, types.Struct(types.Field{Name: "a", Type: types.String}, types.Field{Name: "b", Type: types.Integer},
			types.Field{Name: "c", Type: types.Double}, types.Field{Name: "d", Type: types.String}), wo)
		if err != nil {
			t.Fatal(err)
		}
		for {
			b, err := r.Next()
			if err != nil {
				t.Fatal(err)
			}
			if b == nil {
				break
			}
			rows.Lines(b)
			if err := w.Write(b); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	})
}
