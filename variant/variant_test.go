package variant

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"pgregory.net/rapid"
)

// build makes a value of nested Go values: nil, bool, int64, string, []any and [][2]any with names first.
func build(b *Builder, v any) error {
	switch v := v.(type) {
	case nil:
		b.Null()
	case bool:
		b.Bool(v)
	case int64:
		b.Long(v)
	case string:
		b.String([]byte(v))
	case []any:
		m := b.Begin()
		for _, e := range v {
			b.Element()
			if err := build(b, e); err != nil {
				return err
			}
		}
		b.EndArray(m)
	case [][2]any:
		m := b.Begin()
		for _, f := range v {
			b.Name([]byte(f[0].(string)))
			if err := build(b, f[1]); err != nil {
				return err
			}
		}
		return b.EndObject(m)
	}
	return nil
}

// show writes a value as text.
func show(v Value) string {
	switch v.Kind() {
	case Null:
		return "null"
	case Boolean:
		return fmt.Sprint(v.Bool())
	case Long:
		return fmt.Sprint(v.Long())
	case String:
		return fmt.Sprintf("%q", v.Bytes())
	case Array, Object:
		s := "["
		for i := range v.Len() {
			if name, ok := v.Name(i); ok {
				s += string(name) + ":"
			}
			s += show(v.At(i)) + ","
		}
		return s + "]"
	}
	return "?"
}

// TestSparksBytes holds the bytes against those that Spark 4.2 makes of the same values.
func TestSparksBytes(t *testing.T) {
	for _, c := range []struct {
		value           any
		meta, want, txt string
	}{
		{[][2]any{{"b", int64(1)}, {"a", []any{int64(2), "x", nil}}}, "\x01\x02\x00\x01\x02ba",
			"\x02\x02\x01\x00\x02\x00\x0d\x0c\x01\x03\x03\x00\x02\x04\x05\x0c\x02\x05x\x00", `[a:[2,"x",null,],b:1,]`},
		{int64(-129), "\x01\x00\x00", "\x10\x7f\xff", "-129"},
		{[]any{}, "\x01\x00\x00", "\x03\x00\x00", "[]"},
	} {
		var b Builder
		b.Reset()
		if err := build(&b, c.value); err != nil {
			t.Fatal(err)
		}
		if meta := b.AppendMetadata(nil); string(meta) != c.meta || string(b.Value()) != c.want {
			t.Errorf("%v: metadata %q, value %q; want %q and %q", c.value, meta, b.Value(), c.meta, c.want)
		}
		if got := show(New([]byte(c.meta), []byte(c.want))); got != c.txt {
			t.Errorf("%v reads %s", c.value, got)
		}
	}
}

func TestDuplicateNames(t *testing.T) {
	twice := [][2]any{{"x", "long enough"}, {"y", int64(1)}, {"x", int64(2)}}
	var b Builder
	b.Reset()
	if err := build(&b, twice); err == nil {
		t.Error("two fields of a name are taken")
	}
	b = Builder{AllowDuplicates: true}
	b.Reset()
	if err := build(&b, twice); err != nil {
		t.Fatal(err)
	}
	if got := show(New(b.AppendMetadata(nil), b.Value())); got != "[x:2,y:1,]" {
		t.Errorf("the last one should count: %s", got)
	}
}

func TestNumber(t *testing.T) {
	for _, c := range []struct {
		digits                  int64
		scale, want, precision_ int
	}{{1000, 1, 0, 3}, {250, 2, 1, 2}, {1, 3, 3, 3}, {0, 2, 0, 1}, {-1050, 2, 1, 3}} {
		var b Builder
		b.Reset()
		b.Decimal(decimal128.FromI64(c.digits), c.scale)
		if _, precision, scale := New(nil, b.Value()).Number(); precision != c.precision_ || scale != c.want {
			t.Errorf("%d with scale %d: decimal(%d, %d)", c.digits, c.scale, precision, scale)
		}
	}
}

// TestCopies copies values with many names and elements into another variant, which must read the same.
func TestCopies(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var value func(depth int) any
		value = func(depth int) any {
			switch rapid.IntRange(0, 5).Draw(t, "kind") + max(0, depth-3)*-6 {
			case 0:
				return rapid.Int64().Draw(t, "n")
			case 1:
				return rapid.StringN(0, 100, 300).Draw(t, "s")
			case 2:
				var list []any
				for range rapid.SampledFrom([]int{0, 1, 3, 300}).Draw(t, "elements") {
					list = append(list, int64(len(list)))
				}
				return append(list, value(depth+1))
			case 3, 4:
				var fields [][2]any
				for i := range rapid.SampledFrom([]int{0, 2, 5, 260}).Draw(t, "fields") {
					fields = append(fields, [2]any{fmt.Sprintf("f%d", i*7%263), int64(i)})
				}
				return append(fields, [2]any{"last", value(depth + 1)})
			}
			return nil
		}
		var b, c Builder
		b.Reset()
		if err := build(&b, value(0)); err != nil {
			t.Fatal(err)
		}
		meta := b.AppendMetadata(nil)
		v := New(meta, b.Value())
		if !bytes.Equal(v.Raw(), b.Value()) {
			t.Fatalf("%d of %d bytes", len(v.Raw()), len(b.Value()))
		}
		c.Reset()
		if err := c.Append(v); err != nil {
			t.Fatal(err)
		}
		if x, y := show(v), show(New(c.AppendMetadata(nil), c.Value())); x != y {
			t.Fatalf("%s became %s", x, y)
		}
		if _, err := SchemaOf(v); err != nil {
			t.Fatal(err)
		}
	})
}

func TestPaths(t *testing.T) {
	var b Builder
	b.Reset()
	if err := build(&b, [][2]any{{"a", []any{int64(1), [][2]any{{"b c", "x"}}}}}); err != nil {
		t.Fatal(err)
	}
	v := New(b.AppendMetadata(nil), b.Value())
	for path, want := range map[string]string{"$.a[0]": "1", "$.a[1]['b c']": `"x"`, `$["a"][1].b c`: `"x"`, "$.a[2]": "", "$.a.b": "", "$[0]": "", "$": show(v)} {
		p, ok := ParsePath(path)
		if !ok {
			t.Errorf("%s is no path", path)
			continue
		}
		got := ""
		if f, found := p.Get(v); found {
			got = show(f)
		}
		if got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	for _, path := range []string{"", "a", "$a", "$.", "$[x]", "$[99999999999]", "$.a["} {
		if _, ok := ParsePath(path); ok {
			t.Errorf("%s is taken for a path", path)
		}
	}
}

// FuzzForeignBytes walks through bytes of any content: nothing may panic.
func FuzzForeignBytes(f *testing.F) {
	f.Add([]byte("\x01\x02\x00\x01\x02ba"), []byte("\x02\x02\x01\x00\x02\x00\x0d\x0c\x01\x03\x03\x00\x02\x04\x05\x0c\x02\x05x\x00"))
	f.Add([]byte("\x01\x00\x00"), []byte("\x03\x01\x00\x03\x03\x01\x00"))
	f.Add([]byte("\xc1"), []byte("\x42\xff\xff\xff\xff"))
	f.Add([]byte{1}, []byte{2, 9})
	f.Add([]byte{1}, []byte{20 << 2})
	f.Fuzz(func(t *testing.T, meta, value []byte) {
		v := New(meta, value)
		var b Builder
		b.Reset()
		copied := b.Append(v) == nil
		if _, err := SchemaOf(v); copied && err != nil {
			t.Errorf("%x is valid, but has no schema", value)
		}
		_ = b.ResetOver(meta)
	})
}
