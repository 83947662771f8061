package orc

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"millrace/errs"
	"millrace/javatime"
	"millrace/table/internal/rows"
	"millrace/types"
)

func open(t testing.TB, path string) ([]byte, *File) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := Open(bytes.NewReader(data), int64(len(data)), path)
	if err != nil {
		t.Fatal(err)
	}
	return data, f
}

// every is the options by which all columns of a file are read.
func every(f *File) (o ReadOptions, err error) {
	typ, err := f.SparkType()
	if err != nil {
		return o, err
	}
	for _, c := range typ.Fields {
		o.Columns = append(o.Columns, ReadColumn{c.Name, c.Type, -1})
	}
	return o, nil
}

func read(data []byte, f *File, o ReadOptions) (list []string, r *Reader, err error) {
	if r, err = f.NewReader(bytes.NewReader(data), o); err != nil {
		return nil, nil, err
	}
	defer r.Close()
	for {
		b, err := r.Next()
		if err != nil || b == nil {
			return list, r, err
		}
		list = append(list, rows.Lines(b)...)
	}
}

func arrowFiles(t testing.TB) (files, want []string) {
	t.Helper()
	files, err := filepath.Glob("testdata/arrow-*.orc")
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	text, err := os.ReadFile("testdata/arrow.txt")
	if err != nil {
		t.Fatal(err)
	}
	return files, strings.Split(strings.TrimSpace(string(text)), "\n")
}

// same compares rows as JSON values.
func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d rows, not %d", what, len(got), len(want))
	}
	for i := range got {
		var a, b []any
		if err := json.Unmarshal([]byte(got[i]), &a); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(want[i]), &b); err != nil {
			t.Fatal(err)
		}
		for c := range b {
			x, _ := json.Marshal(a[c])
			y, _ := json.Marshal(b[c])
			if !bytes.Equal(x, y) {
				t.Fatalf("%s, row %d, column %d: %s, not %s", what, i, c, x, y)
			}
		}
	}
}

// TestArrow reads files of both versions of the encodings and of all codecs.
func TestArrow(t *testing.T) {
	files, want := arrowFiles(t)
	cut := 0
	for _, path := range files {
		data, f := open(t, path)
		o, err := every(f)
		if err != nil {
			t.Fatal(err)
		}
		got, r, err := read(data, f, o)
		if err != nil {
			t.Fatal(path, err)
		}
		same(t, path, got, want)
		if f.Rows() != int64(len(want)) {
			t.Errorf("%s: %d stripes, %d rows", path, r.Stats.Groups, f.Rows())
		}
		half := int64(len(data) / 2)
		o.Length = half
		first, _, err := read(data, f, o)
		if err != nil {
			t.Fatal(err)
		}
		o.Start, o.Length = half, half+1
		second, _, err := read(data, f, o)
		if err != nil {
			t.Fatal(err)
		}
		if len(first) > 0 && len(second) > 0 {
			cut++
		}
		same(t, path+" in halves", append(first, second...), want)
	}
	if cut == 0 {
		t.Error("no file has several stripes")
	}
}

// TestSkips leaves out stripes and row groups by what is known of one column, and finds the others' rows where they are.
func TestSkips(t *testing.T) {
	files, want := arrowFiles(t)
	for _, path := range files {
		data, f := open(t, path)
		o, err := every(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, wanted := range []int64{0, 150, 250, 399, 400, 420, 699, 700} {
			o.Skip = func(bounds func(int) (Bounds, bool)) bool {
				b, ok := bounds(0)
				return ok && b.Min != nil && (wanted < b.Min.(int64) || wanted > b.Max.(int64))
			}
			got, r, err := read(data, f, o)
			if err != nil {
				t.Fatal(path, err, errors.Unwrap(err))
			}
			if r.Stats.RowsSkipped+int64(len(got)) != int64(len(want)) || r.Stats.RowsSkipped == 0 {
				t.Errorf("%s: %d rows were skipped and %d read", path, r.Stats.RowsSkipped, len(got))
			}
			if wanted == 700 {
				if len(got) > 0 {
					t.Errorf("%s: %d rows", path, len(got))
				}
				continue
			}
			var row []any
			if err := json.Unmarshal([]byte(got[0]), &row); err != nil {
				t.Fatal(err)
			}
			first := int(row[0].(float64))
			if first > int(wanted) || first+len(got) <= int(wanted) || len(got) > 300 {
				t.Errorf("%s: rows %d to %d for %d", path, first, first+len(got), wanted)
			}
			same(t, path, got, want[first:first+len(got)])
		}
	}
}

// TestColumns reads columns that the file lacks, in another case, of other types and by their places.
func TestColumns(t *testing.T) {
	data, f := open(t, "testdata/arrow-0.12-zstd.orc")
	o := ReadOptions{Columns: []ReadColumn{{"none", types.String, -1}, {"BYTE", types.Long, -1}, {"down", types.Byte, -1}, {"up", types.Double, -1},
		{"struct", types.Struct(types.Field{Name: "B", Type: types.Struct(types.Field{Name: "z", Type: types.Long}, types.Field{Name: "c", Type: types.String})}), -1}}}
	got, _, err := read(data, f, o)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 700 || !strings.HasPrefix(got[1], `[null,`) || !strings.Contains(got[26], `,null,`) || !strings.Contains(got[25], `,-125,`) {
		t.Errorf("%d rows, %s %s", len(got), got[25], got[26])
	}
	o.CaseSensitive = true
	if got, _, _ = read(data, f, o); !strings.HasPrefix(got[5], `[null,null,-25,`) {
		t.Error(got[5])
	}
	o.Columns = []ReadColumn{{"dec", types.Boolean, -1}}
	if _, _, err = read(data, f, o); !errs.Is(err, errs.Unsupported) || !strings.Contains(err.Error(), "decimal as BOOLEAN") {
		t.Error(err)
	}
	for i, c := range f.Root.Children {
		c.Name = "_col" + string(rune('a'+i))
	}
	o.Columns = []ReadColumn{{"any", types.Long, 4}}
	if got, _, err = read(data, f, o); err != nil || got[3] != "[-15]" {
		t.Error(got[3], err)
	}
}

func TestRuns(t *testing.T) {
	for _, c := range []struct {
		bytes      string
		v2, signed bool
		want       []int64
	}{
		{"\x0a\x27\x10", true, false, []int64{10000, 10000, 10000, 10000, 10000}},
		{"\x5e\x03\x5c\xa1\xab\x1e\xde\xad\xbe\xef", true, false, []int64{23713, 43806, 57005, 48879}},
		{"\x8e\x09\x2b\x21\x07\xd0\x1e\x00\x14\x70\x28\x32\x3c\x46\x50\x5a\xfc\xe8", true, false, []int64{2030, 2000, 2020, 1000000, 2040, 2050, 2060, 2070, 2080, 2090}},
		{"\xc6\x09\x02\x02\x22\x42\x42\x46", true, false, []int64{2, 3, 5, 7, 11, 13, 17, 19, 23, 29}},
		{"\x61\x00\x07", false, false, slices.Repeat([]int64{7}, 100)},
		{"\xfb\x02\x03\x06\x07\x0b", false, false, []int64{2, 3, 6, 7, 11}},
		{"\xfe\x03\x04", false, true, []int64{-2, 2}},
	} {
		r := newInts(&stream{inflater: &inflater{}, raw: []byte(c.bytes)}, c.v2, c.signed)
		got := make([]int64, len(c.want))
		if err := r.read(got); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%x: %v %v", c.bytes, got, err)
		}
		if err := r.read(got[:1]); err == nil {
			t.Errorf("%x: there is more", c.bytes)
		}
	}
}

// TestZones reads local times of a writer in another zone as the same local times.
func TestZones(t *testing.T) {
	utc, la := javatime.UTC, zone(t, "America/Los_Angeles")
	c := &Column{Kind: Timestamp, id: 1, info: &typeInfo{}}
	for _, w := range []struct {
		writer string
		own    *javatime.Zone
		text   string
	}{{"America/Los_Angeles", utc, "2015-07-01 12:00:00"}, {"UTC", la, "2015-07-01 11:00:00"}, {"America/Los_Angeles", la, "2015-07-01 12:00:00"}} {
		s := &stripe{codec: &inflater{}, footer: stripeFooter{zone: w.writer, encodings: make([]encoding, 2)}}
		r := &timesReader{base: base{col: c, typ: types.Timestamp}, own: w.own}
		if err := r.begin(s); err != nil {
			t.Fatal(err)
		}
		const summer = (181*24 + 11) * 3600 // seconds from the first of January to noon in summer time, where there is one
		if got, _ := javatime.ParseLocal(w.text, true); w.own.ToLocal(r.micros(summer, 0)) != got {
			t.Errorf("%s: %d", w.text, w.own.ToLocal(r.micros(summer, 0))-got)
		}
	}
}

func zone(t *testing.T, name string) *javatime.Zone {
	t.Helper()
	z, err := javatime.ZoneOf(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// hurt opens and reads a file that may be damaged; it says so, or reads something.
func hurt(data []byte) error {
	f, err := Open(bytes.NewReader(data), int64(len(data)), "/hurt.orc")
	if err != nil {
		return err
	}
	o, err := every(f)
	if err != nil {
		return err
	}
	_, _, err = read(data, f, o)
	return err
}

func TestDamage(t *testing.T) {
	data, _ := open(t, "testdata/arrow-0.12-zstd.orc")
	for n := 0; n < len(data); n += 997 {
		if err := hurt(data[:n]); !strings.HasPrefix(errs.ConditionOf(err), "FAILED_READ_FILE") || !strings.Contains(err.Error(), "/hurt.orc") {
			t.Fatalf("cut to %d bytes: %v", n, err)
		}
	}
	if err := hurt([]byte("PAR1 something else PAR1")); errs.ConditionOf(err) != "FAILED_READ_FILE.CANNOT_READ_FILE_FOOTER" {
		t.Error(err)
	}
	failed := 0
	for at := 3; at < len(data); at += 401 {
		broken := slices.Clone(data)
		broken[at] ^= 0x41
		if hurt(broken) != nil {
			failed++
		}
	}
	if failed == 0 {
		t.Error("nothing was noticed")
	}
}

func FuzzRead(f *testing.F) {
	files, _ := arrowFiles(f)
	for _, path := range files[:1] {
		data, _ := open(f, path)
		f.Add(data)
	}
	f.Fuzz(func(_ *testing.T, data []byte) { _ = hurt(data) })
}
