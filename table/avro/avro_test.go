package avro

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"millrace/table/internal/rows"
	"millrace/types"
	"millrace/vector"
)

// raw builds a file of one block from a schema and the text of its rows.
func rawFile(schema string, count int64, data string) []byte {
	sync := strings.Repeat("s", syncLen)
	b := appendLong([]byte(magic), 1)
	b = append(appendBytes(appendBytes(b, []byte("avro.schema")), []byte(schema)), 0)
	b = append(b, sync...)
	b = append(appendBytes(appendLong(b, count), []byte(data)), sync...)
	return b
}

func readAll(t *testing.T, data []byte, want *types.Type, start, length int64) (string, error) {
	t.Helper()
	f, err := Open(bytes.NewReader(data), int64(len(data)), "/t.avro")
	if err != nil {
		return "", err
	}
	if want == nil {
		if want, _, err = f.Schema.Type(); err != nil {
			return "", err
		}
	}
	var columns []Column
	for _, f := range want.Fields {
		columns = append(columns, Column{f.Name, f.Type})
	}
	r, err := f.NewReader(bytes.NewReader(data), columns, start, length, Options{})
	if err != nil {
		return "", err
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

// TestForeign reads what Avro allows and Spark does not write.
func TestForeign(t *testing.T) {
	for _, c := range []struct{ schema, data, typ, want string }{
		{`{"type":"record","name":"r","fields":[{"name":"a","type":["null","int","long"]},{"name":"e","type":{"type":"enum","name":"E","symbols":["X","Y"]}}]}`,
			"\x02\x04\x02", "struct<a:bigint,e:string>", `[2,"Y"]`},
		{`{"type":"record","name":"r","fields":[{"name":"u","type":["int","string"]}]}`, "\x02\x04hi", "struct<u:struct<member0:int,member1:string>>", `[[null,"hi"]]`},
		{`{"type":"record","name":"r","fields":[{"name":"m","type":{"type":"map","values":"double"}},{"name":"t","type":{"type":"long","logicalType":"timestamp-millis"}}]}`,
			"\x01\x14\x02k\x00\x00\x00\x00\x00\x00\xf8\x3f\x00\x02", "struct<m:map<string,double>,t:timestamp>", `[[["k",1.5]],1000]`},
		{`{"type":"record","name":"r","fields":[{"name":"d","type":{"type":"bytes","logicalType":"decimal","precision":4,"scale":2}},{"name":"f","type":{"type":"fixed","name":"F","size":2}}]}`,
			"\x04\xff\x38xy", "struct<d:decimal(4,2),f:binary>", `["-2.00","7879"]`},
	} {
		f := rawFile(c.schema, 1, c.data)
		s, err := ParseSchema([]byte(c.schema))
		if err != nil {
			t.Fatal(err)
		}
		typ, _, err := s.Type()
		if err != nil || typ.String() != c.typ {
			t.Errorf("%s: %s %v", c.schema, typ, err)
		}
		if got, err := readAll(t, f, nil, 0, 0); err != nil || got != c.want {
			t.Errorf("%s: %s %v", c.schema, got, err)
		}
	}
}

// TestParts reads a file in parts of every size, and only some of its columns: together they are the file.
func TestParts(t *testing.T) {
	typ := types.Struct(types.Field{Name: "a", Type: types.Long}, types.Field{Name: "s", Type: types.String, Nullable: true})
	for _, codec := range []string{"uncompressed", "snappy", "deflate", "zstandard"} {
		var out bytes.Buffer
		w, err := NewWriter(&out, typ, WriteOptions{Codec: codec})
		if err != nil {
			t.Fatal(err)
		}
		want := ""
		for block := range 3 {
			n := int64(block)
			v := vector.FromSlice(types.Long, []int64{n, n + 10})
			s := vector.FromStrings(types.String, []string{"", fmt.Sprint("x", n)}, vector.Bitmap{2})
			if err := w.Write(&vector.Batch{N: 2, Cols: []*vector.Vector{v, s}}); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			want += fmt.Sprintf(`[null,%d]["x%d",%d]`, n, n, n+10)
		}
		swapped := types.Struct(typ.Fields[1], typ.Fields[0])
		for size := int64(1); size < int64(out.Len()); size++ {
			got := ""
			for at := int64(0); at < int64(out.Len()); at += size {
				part, err := readAll(t, out.Bytes(), swapped, at, size)
				if err != nil {
					t.Fatal(err)
				}
				got += part
			}
			if got != want {
				t.Fatalf("%s, parts of %d: %s", codec, size, got)
			}
		}
	}
}

// TestSchemaJSON is the schema that Spark writes.
func TestSchemaJSON(t *testing.T) {
	typ := types.Struct(types.Field{Name: "d", Type: types.Decimal(9, 2), Nullable: true},
		types.Field{Name: "s", Type: types.Struct(types.Field{Name: "x", Type: types.ArrayOf(types.Date, true)})})
	got, err := SchemaJSON(typ, "topLevelRecord", "")
	want := `{"type":"record","name":"topLevelRecord","fields":[{"name":"d","type":[{"type":"fixed","name":"fixed","namespace":"topLevelRecord.d","size":4,"logicalType":"decimal","precision":9,"scale":2},"null"]},
		{"name":"s","type":{"type":"record","name":"s","namespace":"topLevelRecord","fields":[{"name":"x","type":{"type":"array","items":[{"type":"int","logicalType":"date"},"null"]}}]}}]}`
	var a, b any
	if err != nil || json.Unmarshal(got, &a) != nil || json.Unmarshal([]byte(want), &b) != nil || fmt.Sprint(a) != fmt.Sprint(b) {
		t.Fatalf("%s %v", got, err)
	}
}

// FuzzOpen must neither panic nor fail to end on any bytes.
func FuzzOpen(f *testing.F) {
	f.Add(rawFile(`{"type":"record","name":"r","fields":[{"name":"a","type":["null","int"]},{"name":"l","type":{"type":"array","items":"string"}}]}`, 1, "\x02\x04\x02\x02x\x00"))
	f.Fuzz(func(t *testing.T, data []byte) { _, _ = readAll(t, data, nil, 0, 0) })
}

// TestReaderSchemas reads values by a schema that renames, leaves out and adds fields.
func TestReaderSchemas(t *testing.T) {
	written := `{"type":"record","name":"r","fields":[{"name":"a","type":"int"},{"name":"b","type":"string"},{"name":"c","type":{"type":"array","items":{"type":"record","name":"s","fields":[{"name":"x","type":"int"}]}}}]}`
	const text = "\x04\x02b\x04\x02\x04\x00" // {2, b, [{1}, {2}]}
	record := func(fields string) string {
		return `{"type":"record","name":"q","aliases":["z.r"],"fields":[` + fields + `]}`
	}
	for schema, want := range map[string]string{
		record(`{"name":"n","type":"long","aliases":["k","a"]}`):                                                                                                                       "[2]",
		record(`{"name":"b","type":"string"},{"name":"i","type":"int","default":-7},{"name":"a","type":"int"}`):                                                                        `["b",-7,2]`,
		record(`{"name":"t","type":"string","default":"é"},{"name":"u","type":"bytes","default":"\u00ff"}`):                                                                            `["é","ff"]`,
		record(`{"name":"d","type":["double","null"],"default":1.5},{"name":"e","type":["null","int"],"default":null}`):                                                                `[1.5,null]`,
		record(`{"name":"l","type":{"type":"array","items":"int"},"default":[1,2]},{"name":"g","type":"boolean","default":true}`):                                                      `[[1,2],true]`,
		record(`{"name":"m","type":{"type":"map","values":"int"},"default":{"k":3}}`):                                                                                                  `[[["k",3]]]`,
		record(`{"name":"o","type":{"type":"record","name":"o","fields":[{"name":"p","type":"int","default":4},{"name":"q","type":"float"}]},"default":{"q":0.5}}`):                    `[[4,0.5]]`,
		record(`{"name":"c","type":{"type":"array","items":{"type":"record","name":"s","fields":[{"name":"y","type":"int","aliases":["x"]},{"name":"z","type":"int","default":9}]}}}`): `[[[1,9],[2,9]]]`,
		record(`{"name":"missing","type":"int"}`):                   "missing required field missing",
		record(`{"name":"i","type":"int","default":"x"}`):           "not of its type",
		record(`{"name":"A","type":["null","int"],"default":null}`): "[null]",
	} {
		var v *Values
		c, err := ParseConversion("from_avro", written, map[string]string{"avroSchema": schema})
		if err == nil {
			var d *Decoder
			if d, err = c.Decoder(nil); err == nil {
				v = d.Values()
				err = v.Add([]byte(text))
			}
		}
		got := ""
		if err == nil {
			got = rows.JSON(rows.Value(v.Vector(), 0))
		} else if strings.Contains(err.Error(), want) {
			continue
		}
		if got != want {
			t.Errorf("%s: %s %v, want %s", schema, got, err, want)
		}
	}
}

// TestEndlessRecords: a record that is in itself without end is no value, and does not end the process.
func TestEndlessRecords(t *testing.T) {
	c, err := ParseConversion("from_avro", `{"type":"record","name":"r","fields":[{"name":"n","type":"r"}]}`, map[string]string{"recursiveFieldMaxDepth": "1"})
	if err != nil {
		t.Fatal(err)
	}
	d, err := c.Decoder(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Values().Add([]byte{2}); err == nil {
		t.Fatal("it was read")
	}
}

func TestValuesThatFailLeaveNothing(t *testing.T) {
	schema := `{"type":"record","name":"r","fields":[{"name":"a","type":{"type":"array","items":"string"}},{"name":"d","type":["null","double"]},{"name":"n","type":"long"}]}`
	c, err := ParseConversion("from_avro", schema, map[string]string{"MODE": "permissive"})
	if err != nil {
		t.Fatal(err)
	}
	d, err := c.Decoder(nil)
	if err != nil {
		t.Fatal(err)
	}
	v := d.Values()
	good := "\x02\x02x\x00\x00\x04"
	for i := range 200 {
		text := good
		if i%3 == 1 {
			text = good[:i%len(good)] // each prefix of it lacks something
		}
		if i%7 == 6 {
			v.Null()
		} else if err := v.Add([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	out := v.Vector()
	for i := range 200 {
		n := out.Children[2]
		bad := i%7 == 6 || i%3 == 1
		if out.IsNull(i) != (i%7 == 6) || n.IsNull(i) != bad || out.Children[0].IsNull(i) != bad || !bad && vector.Values[int64](n)[i] != 2 {
			t.Fatalf("row %d: null %v, its fields %v %v", i, out.IsNull(i), out.Children[0].IsNull(i), n.IsNull(i))
		}
	}
	if list := out.Children[0].Children[0]; list.Len != int(out.Children[0].Offsets[200]) {
		t.Fatalf("%d elements are left, %d belong to rows", list.Len, out.Children[0].Offsets[200])
	}
}

func TestSchemasThatDoNotEvolve(t *testing.T) {
	record := func(fields string) string { return `{"type":"record","name":"r","fields":[` + fields + `]}` }
	for _, c := range [][3]string{
		{`"int"`, `"long"`, ""},
		{`"int"`, `["null","long"]`, ""},
		{`"long"`, `"int"`, "not supported"},
		{`["null","int"]`, `"int"`, "not supported"},
		{`["int","string"]`, `["string","int"]`, "not supported"},
		{`"long"`, `{"type":"long","logicalType":"timestamp-micros"}`, "not supported"},
		{record(`{"name":"a","type":"int"}`), record(`{"name":"a","type":"double"}`), ""},
		{record(`{"name":"a","type":"int"}`), record(`{"name":"b","type":"int"}`), "missing required field b"},
		{record(`{"name":"a","type":"int"}`), record(`{"name":"b","type":"int","default":1}`), ""},
		{record(`{"name":"a","type":"int"}`), `{"type":"record","name":"q","fields":[]}`, "not supported"},
	} {
		conversion, err := ParseConversion("from_avro", c[0], map[string]string{"avroSchema": c[1]})
		if err == nil {
			_, err = conversion.Decoder(nil)
		}
		if c[2] == "" && err != nil || c[2] != "" && (err == nil || !strings.Contains(err.Error(), c[2])) {
			t.Errorf("%s as %s: %v", c[0], c[1], err)
		}
	}
}
