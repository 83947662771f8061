package protobuf

import (
	"bytes"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/apipb"
	"google.golang.org/protobuf/types/known/sourcecontextpb"
	"google.golang.org/protobuf/types/known/typepb"

	"millrace/table/internal/rows"
	"millrace/types"
)

// api describes google.protobuf.Api, which has nested and repeated messages, enums and texts.
func api(t testing.TB) (*Message, *types.Type) {
	var set descriptorpb.FileDescriptorSet
	for _, m := range []proto.Message{&anypb.Any{}, &sourcecontextpb.SourceContext{}, &typepb.Type{}, &apipb.Api{}} {
		set.File = append(set.File, protodesc.ToFileDescriptorProto(m.ProtoReflect().Descriptor().ParentFile()))
	}
	raw, err := proto.Marshal(&set)
	if err != nil {
		t.Fatal(err)
	}
	m, err := Find(raw, "Api")
	if err != nil {
		t.Fatal(err)
	}
	typ, err := m.Type(&Options{depth: -1})
	if err != nil {
		t.Fatal(err)
	}
	return m, typ
}

func sample(t testing.TB) []byte {
	raw, err := proto.Marshal(&apipb.Api{Name: "n", Version: "1", Syntax: typepb.Syntax_SYNTAX_PROTO3, SourceContext: &sourcecontextpb.SourceContext{FileName: "f"},
		Methods: []*apipb.Method{{Name: "a", RequestStreaming: true}, {}, {Name: "c", ResponseTypeUrl: "r"}}, Mixins: []*apipb.Mixin{{Name: "x", Root: "y"}}})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// What is read and written again is the same message.
func TestRoundTrip(t *testing.T) {
	m, typ := api(t)
	d, err := m.NewDecoder(typ, &Options{})
	if err != nil {
		t.Fatal(err)
	}
	e, err := m.NewEncoder(typ, true)
	if err != nil {
		t.Fatal(err)
	}
	v := d.Values()
	raw := sample(t)
	for _, row := range [][]byte{raw, {}, raw} {
		if err := v.Add(row); err != nil {
			t.Fatal(err)
		}
	}
	v.Null()
	out := v.Vector()
	if out.Len != 4 || !out.IsNull(3) {
		t.Fatalf("%d rows", out.Len)
	}
	for i, want := range [][]byte{raw, {}, raw} {
		got, err := e.Append(nil, out, i)
		var a, b apipb.Api
		if err != nil || proto.Unmarshal(got, &a) != nil || proto.Unmarshal(want, &b) != nil || !proto.Equal(&a, &b) {
			t.Errorf("row %d: %x %v, want %x", i, got, err, want)
		}
	}
}

// What is read of any bytes is what Google's library reads, and a bad message leaves the rows before it as they are.
func FuzzDecoder(f *testing.F) {
	m, typ := api(f)
	raw := sample(f)
	e, err := m.NewEncoder(typ, true)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add(raw[:len(raw)-3])
	f.Add([]byte{0x12, 0x03, 0x0a, 0x01, 0xff})
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := m.NewDecoder(typ, &Options{permissive: true})
		if err != nil {
			t.Fatal(err)
		}
		v := d.Values()
		for _, row := range [][]byte{raw, data, raw} {
			if err := v.Add(row); err != nil {
				t.Fatal(err)
			}
		}
		out := v.Vector()
		if !out.IsNull(1) {
			again, err := e.Append(nil, out, 1)
			var a, b apipb.Api
			if err != nil { // a number that its enum does not have
				return
			}
			if proto.Unmarshal(again, &a) != nil {
				t.Fatalf("%x became %x", data, again)
			}
			if proto.Unmarshal(data, &b) == nil && (a.Name != b.Name || len(a.Methods) != len(b.Methods) || a.Syntax != b.Syntax) {
				t.Errorf("%x was read as %v", data, rows.Value(out, 1))
			}
		}
		if !bytes.Equal([]byte(rows.JSON(rows.Value(out, 0))), []byte(rows.JSON(rows.Value(out, 2)))) {
			t.Errorf("%x changed its neighbours", data)
		}
	})
}
