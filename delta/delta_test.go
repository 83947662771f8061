package delta

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"
	"github.com/cockroachdb/datadriven"
	"pgregory.net/rapid"

	"millrace/errs"
	"millrace/types"
)

// TestReplay runs the scripts in testdata: listings and commits in, segments and snapshots out.
func TestReplay(t *testing.T) {
	datadriven.Walk(t, "testdata/script", func(t *testing.T, path string) {
		s := Empty("file:/t")
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "segment":
				version := Latest
				d.MaybeScanArgs(t, "version", &version)
				return showSegment(d.Input, version)
			case "commit":
				actions, err := ParseCommit("commit", []byte(d.Input))
				if err != nil {
					return err.Error()
				}
				next, err := s.Apply(s.Version+1, 0, actions)
				if err != nil {
					return err.Error()
				}
				s = next
				return showSnapshot(s)
			case "protocol":
				var p Protocol
				if err := json.Unmarshal([]byte(d.Input), &p); err != nil {
					return err.Error()
				}
				return fmt.Sprintf("features %v\nread: %v\nwrite: %v", p.Features(), p.CheckRead("t"), p.CheckWrite("t", &Metadata{}, types.Struct()))
			}
			t.Fatalf("unknown command %s", d.Cmd)
			return ""
		})
	})
}

func showSegment(input string, version int64) string {
	var files []LogFile
	for _, name := range strings.Fields(input) {
		if f, ok := ParseLogName(name); ok {
			files = append(files, f)
		}
	}
	seg, err := SelectSegment("file:/t", files, version)
	if err != nil {
		return err.Error()
	}
	out := fmt.Sprintf("version %d", seg.Version)
	for _, f := range append(seg.Checkpoint, seg.Commits...) {
		out += "\n" + f.Name
	}
	return out
}

func showSnapshot(s *Snapshot) string {
	var b strings.Builder
	fmt.Fprintf(&b, "version %d: %d files, %d bytes\n", s.Version, s.NumFiles(), s.SizeInBytes())
	for a := range s.All() {
		fmt.Fprintf(&b, "  %s", a.Path)
		if a.DeletionVector != nil {
			fmt.Fprintf(&b, " without %s", a.DeletionVector.ID())
		}
		b.WriteByte('\n')
	}
	for _, t := range s.Txns() {
		fmt.Fprintf(&b, "  app %s at %d\n", t.AppID, t.Version)
	}
	for _, d := range s.Domains() {
		fmt.Fprintf(&b, "  domain %s = %s\n", d.Domain, d.Configuration)
	}
	return b.String()
}

func FuzzParseCommit(f *testing.F) {
	f.Add([]byte(`{"add":{"path":"a","partitionValues":{"p":null},"size":1,"modificationTime":2,"dataChange":true,"stats":"{\"numRecords\":1}"}}`))
	f.Add([]byte("{\"commitInfo\":{\"timestamp\":\"x\",\"operationMetrics\":{\"a\":1},\"operationParameters\":{\"b\":[1]},\"job\":{\"jobId\":1}}}\n{\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":2}}"))
	f.Add([]byte(`{"remove":{"path":"b","deletionVector":{"storageType":"u","pathOrInlineDv":"ab^-aqEH.-t@S}K{vb[*k^","offset":4,"sizeInBytes":40,"cardinality":6}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		actions, err := ParseCommit("f", data)
		if err != nil {
			return
		}
		out, err := EncodeCommit(actions)
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseCommit("f", out)
		if err != nil || len(again) != len(actions) {
			t.Fatalf("%d actions became %d: %v\n%s", len(actions), len(again), err, out)
		}
		for i := range actions {
			if a := actions[i].Add; a != nil {
				ReadStats(a.Stats).Nulls([]string{"a"})
				if a.DeletionVector != nil {
					a.DeletionVector.Path()
					a.DeletionVector.Inline()
				}
			}
		}
	})
}

func schemaOf(t testing.TB, fields string) *types.Type {
	s, err := types.ParseJSON([]byte(`{"type":"struct","fields":[` + fields + `]}`))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func field(name, typ string) string {
	if typ[0] != '{' {
		typ = `"` + typ + `"`
	}
	return fmt.Sprintf(`{"name":%q,"type":%s,"nullable":true,"metadata":{}}`, name, typ)
}

func tableOf(t testing.TB, schema *types.Type, partitions ...string) *Snapshot {
	s, err := Empty("file:/t").Apply(0, 0, []Action{{Protocol: &Protocol{MinReaderVersion: 1, MinWriterVersion: 2}},
		{Metadata: &Metadata{ID: "the-id", SchemaString: schema.JSON(), PartitionColumns: partitions, Configuration: map[string]string{}}}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestEvolve(t *testing.T) {
	nested := `{"type":"struct","fields":[` + field("x", "integer") + `]}`
	s := tableOf(t, schemaOf(t, field("id", "long")+","+field("s", "string")+","+field("d", "double")+","+field("b", "byte")+","+field("st", nested)))
	for _, c := range []struct {
		data, want string
		o          WriteOptions
	}{
		{field("ID", "long"), "same", WriteOptions{}},
		{field("id", "integer"), "DELTA_FAILED_TO_MERGE_FIELDS", WriteOptions{}},
		{field("d", "string"), "DELTA_FAILED_TO_MERGE_FIELDS", WriteOptions{MergeSchema: true}},
		{field("s", "void"), "same", WriteOptions{}},
		{field("b", "integer"), "DELTA_METADATA_MISMATCH", WriteOptions{}},
		{field("b", "integer"), "b:int", WriteOptions{MergeSchema: true}},
		{field("new", "date"), "DELTA_METADATA_MISMATCH", WriteOptions{}},
		{field("new", "date"), "new:date", WriteOptions{MergeSchema: true}},
		{field("st", `{"type":"struct","fields":[`+field("y", "string")+`]}`), "st:struct<x:int,y:string>", WriteOptions{MergeSchema: true}},
		{field("a b", "date"), "DELTA_INVALID_CHARACTERS_IN_COLUMN_NAMES", WriteOptions{MergeSchema: true}},
		{field("n", "timestamp_ntz"), "DELTA_FEATURES_REQUIRE_MANUAL_ENABLEMENT", WriteOptions{MergeSchema: true}},
		{field("id", "long") + "," + field("Id", "long"), "DELTA_DUPLICATE_COLUMNS_FOUND.DATA", WriteOptions{}},
		{field("z", "string"), "struct<z:string>", WriteOptions{Overwrite: true, OverwriteSchema: true}},
		{field("z", "string") + "," + field("id", "long"), "DELTA_METADATA_MISMATCH", WriteOptions{PartitionBy: []string{"id"}}},
	} {
		m, err := s.Evolve(schemaOf(t, c.data), c.o)
		switch {
		case strings.HasPrefix(c.want, "DELTA_"):
			if errs.ConditionOf(err) != c.want {
				t.Errorf("%s: %v, want %s", c.data, err, c.want)
			}
		case err != nil:
			t.Errorf("%s: %v", c.data, err)
		case c.want == "same":
			if m != s.Metadata {
				t.Errorf("%s changes the metadata", c.data)
			}
		default:
			got, _ := ParseSchema(m.SchemaString)
			if !strings.Contains(got.String(), c.want) {
				t.Errorf("%s gives %s, want %s", c.data, got, c.want)
			}
		}
	}
}

// TestMismatchText holds the text that Delta 4.4 gives.
func TestMismatchText(t *testing.T) {
	s := tableOf(t, schemaOf(t, field("id", "long")+","+field("ar", `{"type":"array","elementType":{"type":"struct","fields":[`+field("x", "integer")+`]},"containsNull":true}`)), "id")
	_, err := s.Evolve(schemaOf(t, field("id", "long")+","+field("mp", `{"type":"map","keyType":"string","valueType":"integer","valueContainsNull":true}`)),
		WriteOptions{Overwrite: true, PartitionBy: []string{"mp"}})
	_ = err
	want, readErr := os.ReadFile("testdata/mismatch.golden")
	if readErr != nil {
		t.Fatal(readErr)
	}
	_, err = s.Evolve(schemaOf(t, field("id", "long")+","+field("mp", `{"type":"map","keyType":"string","valueType":"integer","valueContainsNull":true}`)), WriteOptions{Overwrite: true})
	if e, ok := err.(*errs.Error); !ok || e.Message != string(want) {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func TestStatsJSON(t *testing.T) {
	tight := true
	s := Stats{NumRecords: 3, TightBounds: &tight, Columns: []ColumnStats{
		{Path: []string{"id"}, Type: types.Long, Min: int64(1), Max: int64(9)},
		{Path: []string{"s"}, Type: types.String, Min: strings.Repeat("x", 40), Max: strings.Repeat("y", 32) + "é"},
		{Path: []string{"st", "a"}, Type: types.Date, Min: int64(18263), Max: int64(18263), NullCount: 1},
		{Path: []string{"st", "in", "b"}, Type: types.Timestamp, Min: int64(1577934245678901), Max: int64(1577934245678901)},
		{Path: []string{"d"}, Type: types.Double, Min: 1e-5, Max: 1.5e10},
		{Path: []string{"arr"}, Type: types.ArrayOf(types.Long, true), NullCount: 2},
		{Path: []string{"dec"}, Type: types.Decimal(10, 3), Min: int64(1500), Max: int64(1500)},
	}}
	want := `{"numRecords":3,"minValues":{"id":1,"s":"` + strings.Repeat("x", 32) + `","st":{"a":"2020-01-02","in":{"b":"2020-01-02T03:04:05.678Z"}},"d":1.0E-5,"dec":1.500},` +
		`"maxValues":{"id":9,"s":"` + strings.Repeat("y", 32) + "\U0010ffff" + `","st":{"a":"2020-01-02","in":{"b":"2020-01-02T03:04:05.678Z"}},"d":1.5E10,"dec":1.500},` +
		`"nullCount":{"id":0,"s":0,"st":{"a":1,"in":{"b":0}},"d":0,"arr":2,"dec":0},"tightBounds":true}`
	if got := s.JSON(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	r := ReadStats(want)
	if v, ok := r.Max([]string{"st", "in", "b"}, types.Timestamp); !ok || v.(int64) < 1577934245678901 {
		t.Error("a timestamp's upper bound is below the timestamp", v)
	}
	if n, ok := r.Nulls([]string{"st", "a"}); !ok || n != 1 {
		t.Error(n, ok)
	}
}

func TestTruncatedBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringOf(rapid.RuneFrom([]rune("ab\u007f\u0080é\uffff\U00010000\U0010ffff"))).Draw(t, "s")
		n := rapid.IntRange(1, 8).Draw(t, "n")
		if low := TruncateMin(s, n); low > s || !strings.HasPrefix(s, low) {
			t.Fatalf("lower bound %q of %q", low, s)
		}
		if high, ok := TruncateMax(s, n); ok && high < s {
			t.Fatalf("upper bound %q of %q", high, s)
		}
	})
}

// TestFilterLeavesOutOnlyWhatCannotPass compares the filter on a file's statistics with the rows themselves.
func TestFilterLeavesOutOnlyWhatCannotPass(t *testing.T) {
	schema := schemaOf(t, field("a", "long")+","+field("s", "string")+","+field("p", "string"))
	table := tableOf(t, schema, "p")
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SliceOfN(rapid.Custom(drawRow), 1, 5).Draw(t, "rows")
		part := rows[0][2]
		stats := Stats{NumRecords: int64(len(rows)), Columns: []ColumnStats{{Path: []string{"a"}, Type: types.Long}, {Path: []string{"s"}, Type: types.String}}}
		for at := range rows {
			rows[at][2] = part
			r := rows[at]
			for i := range stats.Columns {
				widen(&stats.Columns[i], r[i])
			}
		}
		a := &Add{Path: "f", PartitionValues: PartitionValues{"p": FormatPartition(types.String, part)}, Stats: stats.JSON()}
		f := drawFilter(t, 2)
		passes := false
		for _, r := range rows {
			passes = passes || holds(f, r)
		}
		if passes && !table.Matcher(f).Match(a) {
			t.Fatalf("filter %+v leaves out %v with %s", f, rows, a.Stats)
		}
	})
}

func TestFloatBounds(t *testing.T) {
	table := tableOf(t, schemaOf(t, field("f", "float")))
	v := float64(float32(0.1))
	stats := Stats{NumRecords: 1, Columns: []ColumnStats{{Path: []string{"f"}, Type: types.Float, Min: v, Max: v}}}
	if !table.Matcher(Filter{{Column: []string{"f"}, Op: Eq, Value: v}}).Match(&Add{Stats: stats.JSON()}) {
		t.Errorf("%s leaves out %v", stats.JSON(), v)
	}
}

// Bounds are in the order of bytes, which says nothing of what a collation finds: no file is left out, by statistics or partition.
func TestCollatedBounds(t *testing.T) {
	table := tableOf(t, schemaOf(t, `{"name":"c","type":"string","nullable":true,"metadata":{"__COLLATIONS":{"c":"spark.UTF8_LCASE"}}}`))
	stats := Stats{NumRecords: 1, Columns: []ColumnStats{{Path: []string{"c"}, Type: types.String, Min: "a", Max: "a"}}}
	for _, f := range []Filter{{{Column: []string{"c"}, Op: Eq, Value: "A"}}, {{Column: []string{"c"}, Op: Lt, Value: "B"}}} {
		if !table.Matcher(f).Match(&Add{Stats: stats.JSON()}) {
			t.Errorf("%+v leaves out %s", f, stats.JSON())
		}
	}
	plain := tableOf(t, schemaOf(t, field("c", "string")))
	if plain.Matcher(Filter{{Column: []string{"c"}, Op: Eq, Value: "A"}}).Match(&Add{Stats: stats.JSON()}) {
		t.Error("without a collation the file is left out")
	}
}

func TestZonelessPartition(t *testing.T) {
	table := tableOf(t, schemaOf(t, field("t", "timestamp")+","+field("x", "long")), "t")
	text := "2020-01-01 00:00:00"
	a, f := &Add{PartitionValues: PartitionValues{"t": &text}}, Filter{{Column: []string{"t"}, Op: Eq, Value: int64(1577862000000000)}}
	if !table.Matcher(f).Match(a) {
		t.Error("left out without knowing the zone")
	}
	if table.MatcherIn(f, time.UTC).Match(a) || !table.MatcherIn(f, time.FixedZone("", -7*3600)).Match(a) {
		t.Error("judged in the wrong zone")
	}
}

func drawRow(t *rapid.T) [3]Value {
	var r [3]Value
	if rapid.Bool().Draw(t, "a null") {
		r[0] = int64(rapid.IntRange(-2, 2).Draw(t, "a"))
	}
	for i := 1; i < 3; i++ {
		if s := rapid.StringOfN(rapid.RuneFrom([]rune("ab")), 0, 40, -1).Draw(t, "s"); s != "" {
			r[i] = s
		}
	}
	return r
}

func widen(c *ColumnStats, v Value) {
	if v == nil {
		c.NullCount++
		return
	}
	if o, ok := Compare(v, c.Min); c.Min == nil || ok && o < 0 {
		c.Min = v
	}
	if o, ok := Compare(v, c.Max); c.Max == nil || ok && o > 0 {
		c.Max = v
	}
}

func drawFilter(t *rapid.T, depth int) Filter {
	var f Filter
	for range rapid.IntRange(0, 2).Draw(t, "conjuncts") {
		if depth > 0 && rapid.IntRange(0, 3).Draw(t, "or") == 0 {
			f = append(f, Condition{Any: []Filter{drawFilter(t, depth-1), drawFilter(t, depth-1)}})
			continue
		}
		c := Condition{Column: []string{rapid.SampledFrom([]string{"a", "S", "p"}).Draw(t, "column")}, Op: Op(rapid.IntRange(0, int(IsNotNull)).Draw(t, "op"))}
		draw := func() Value {
			if c.Column[0] == "a" {
				return int64(rapid.IntRange(-3, 3).Draw(t, "value"))
			}
			return rapid.StringOfN(rapid.RuneFrom([]rune("ab")), 0, 40, -1).Draw(t, "text")
		}
		if c.Value = draw(); c.Op == In {
			c.Values = []Value{draw(), draw()}
		}
		if c.Column[0] != "a" && rapid.Bool().Draw(t, "prefix") {
			c.Op = StartsWith
		}
		f = append(f, c)
	}
	return f
}

func holds(f Filter, row [3]Value) bool {
	for _, c := range f {
		if len(c.Any) > 0 {
			if !holds(c.Any[0], row) && !holds(c.Any[1], row) {
				return false
			}
			continue
		}
		v := row[map[string]int{"a": 0, "S": 1, "p": 2}[c.Column[0]]]
		o, ok := Compare(v, c.Value)
		pass := false
		switch c.Op {
		case Eq:
			pass = ok && o == 0
		case Ne:
			pass = ok && o != 0
		case Lt:
			pass = ok && o < 0
		case Le:
			pass = ok && o <= 0
		case Gt:
			pass = ok && o > 0
		case Ge:
			pass = ok && o >= 0
		case In:
			for _, x := range c.Values {
				o, ok := Compare(v, x)
				pass = pass || ok && o == 0
			}
		case IsNull:
			pass = v == nil
		case IsNotNull:
			pass = v != nil
		case StartsWith:
			s, is := v.(string)
			pass = is && strings.HasPrefix(s, c.Value.(string))
		}
		if !pass {
			return false
		}
	}
	return true
}

func TestInlineVector(t *testing.T) {
	rows := roaring64.BitmapOf(3, 4, 7, 11, 18, 29)
	d, err := EncodeInline(rows)
	if err != nil {
		t.Fatal(err)
	}
	got, err := d.Inline()
	if err != nil || !got.Equals(rows) {
		t.Fatal(got, err)
	}
	spec := &DeletionVector{StorageType: "u", PathOrInlineDV: "ab^-aqEH.-t@S}K{vb[*k^"}
	if p, err := spec.Path(); err != nil || p != "ab/deletion_vector_d2c639aa-8816-431a-aaf6-d3fe2512ff61.bin" {
		t.Error(p, err)
	}
	inline := &DeletionVector{StorageType: "i", PathOrInlineDV: "^Bg9^0rr910000000000iXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L", SizeInBytes: 44, Cardinality: 6}
	if got, err := inline.Inline(); err != nil || !got.Equals(rows) {
		t.Error(got, err)
	}
}

func TestPartitionText(t *testing.T) {
	for _, c := range []struct {
		t    *types.Type
		v    Value
		want string
	}{{types.Timestamp, int64(1577934245678901), "2020-01-02T03:04:05.678901Z"}, {types.TimestampNTZ, int64(1577934245600000), "2020-01-02 03:04:05.6"},
		{types.Date, int64(18263), "2020-01-02"}, {types.Boolean, true, "true"}, {types.Decimal(10, 3), int64(1500), "1.500"},
		{types.Double, 1.5e10, "1.5E10"}, {types.Double, 100.0, "100.0"}, {types.String, "a b/c=d%e:é", "a b/c=d%e:é"}} {
		got := FormatPartition(c.t, c.v)
		if got == nil || *got != c.want {
			t.Errorf("%s %v is %v, want %s", c.t, c.v, got, c.want)
			continue
		}
		if back, err := ParsePartition(c.t, got, nil); err != nil {
			t.Error(err)
		} else if o, ok := Compare(back, c.v); (!ok || o != 0) && c.t.Kind != types.KindDecimal {
			t.Errorf("%s became %v, want %v", *got, back, c.v)
		}
	}
	text := "a b/c=d%e:é"
	if dir := PartitionDir("st", &text); dir != "st=a b%2Fc%3Dd%25e%3Aé" || EscapePath(dir) != "st=a%20b%252Fc%253Dd%2525e%253Aé" {
		t.Error(dir, EscapePath(dir))
	}
}

// TestShortenedVector decodes a vector whose last Z85 group lacks two bytes: its digits follow two #.
func TestShortenedVector(t *testing.T) {
	d := &DeletionVector{StorageType: "i", PathOrInlineDV: "^Bg9^0rr910000000000iXQKl0rr91000005c8Xg##093", SizeInBytes: 34, Cardinality: 1}
	if got, err := d.Inline(); err != nil || !got.Contains(3) {
		t.Fatalf("%v, %v: row 3 is deleted", got, err)
	}
}

func TestPartitionsOfFarYears(t *testing.T) {
	for text, want := range map[string]int64{"1970-01-02": 1, "+12000-01-01": 3663382, "12000-01-01": 3663382, "-0005-01-01": -721354, "0000-01-01": -719528, "-0004-12-31": -720624} {
		if got, err := ParsePartition(types.Date, &text, nil); err != nil || got != want {
			t.Errorf("%s is day %v, not %d: %v", text, got, want, err)
		}
	}
	far := "+11999-12-01T05:00:00.000000Z"
	if got, err := ParsePartition(types.Timestamp, &far, nil); err != nil || got != (3663382-31)*int64(86400e6)+5*3600e6 {
		t.Errorf("%s is %v: %v", far, got, err)
	}
}
