package checkpoint

import (
	"bytes"
	"fmt"
	"reflect"
	"testing"

	"millrace/delta"
)

func ptr[T any](v T) *T { return &v }

func sample(t testing.TB, files int) *delta.Snapshot {
	actions := []delta.Action{
		{Protocol: &delta.Protocol{MinReaderVersion: 3, MinWriterVersion: 7, ReaderFeatures: []string{"deletionVectors"}, WriterFeatures: []string{"deletionVectors", "domainMetadata"}}},
		{Metadata: &delta.Metadata{ID: "id", Name: "n", Format: delta.Format{Provider: "parquet", Options: map[string]string{}},
			SchemaString: `{"type":"struct","fields":[{"name":"a","type":"long","nullable":true,"metadata":{}}]}`, PartitionColumns: []string{"p", "q"},
			Configuration: map[string]string{"k": "v", "delta.x": ""}, CreatedTime: ptr(int64(5))}},
		{Txn: &delta.SetTransaction{AppID: "app", Version: 3, LastUpdated: ptr(int64(9))}},
		{Domain: &delta.DomainMetadata{Domain: "d", Configuration: "{}"}},
		{Add: &delta.Add{Path: "dv", PartitionValues: delta.PartitionValues{}, DeletionVector: &delta.DeletionVector{StorageType: "u", PathOrInlineDV: "ab", Offset: ptr(int32(1)), SizeInBytes: 4, Cardinality: 2}, BaseRowID: ptr(int64(0))}},
		{Remove: &delta.Remove{Path: "gone", DeletionTimestamp: 100, ExtendedFileMetadata: true, PartitionValues: delta.PartitionValues{"p": nil}, Size: 3}},
		{Remove: &delta.Remove{Path: "expired", DeletionTimestamp: 10}},
	}
	for i := range files {
		actions = append(actions, delta.Action{Add: &delta.Add{Path: fmt.Sprintf("part-%d.parquet", i), Size: int64(i), ModificationTime: 7,
			PartitionValues: delta.PartitionValues{"p": ptr(fmt.Sprint(i % 3)), "q": nil}, Stats: fmt.Sprintf(`{"numRecords":%d}`, i), Tags: map[string]string{"t": "u"}}})
	}
	s, err := delta.Empty("t").Apply(12, 1000, actions)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestRoundTrip(t *testing.T) {
	s := sample(t, 3000)
	var file bytes.Buffer
	info, err := Write(&file, s, 50)
	if err != nil {
		t.Fatal(err)
	}
	if info.NumOfAddFiles != 3001 || info.Size != 3006 || info.SizeInBytes != int64(file.Len()) {
		t.Errorf("info %+v", info)
	}
	r := delta.NewReplay("t")
	if err := Read(bytes.NewReader(file.Bytes()), int64(file.Len()), r.Apply); err != nil {
		t.Fatal(err)
	}
	got, err := r.Finish(12, 1000)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got.Protocol, s.Protocol) || !reflect.DeepEqual(got.Metadata, s.Metadata) {
		t.Errorf("metadata\n%+v\n%+v", got.Metadata, s.Metadata)
	}
	if !reflect.DeepEqual(got.Txns(), s.Txns()) || !reflect.DeepEqual(got.Domains(), s.Domains()) {
		t.Error("txns or domains differ")
	}
	for a := range s.All() {
		if b := got.File(a.Path, a.DeletionVector); !reflect.DeepEqual(a, b) {
			t.Fatalf("add\n%+v\n%+v", a, b)
		}
	}
	n := 0
	for r := range got.Tombstones() {
		if n++; r.Path != "gone" || r.Size != 3 {
			t.Errorf("tombstone %+v", r)
		}
	}
	if n != 1 || got.NumFiles() != s.NumFiles() || got.SizeInBytes() != s.SizeInBytes() {
		t.Errorf("%d tombstones, %d files", n, got.NumFiles())
	}
}

func TestReadGarbage(t *testing.T) {
	var file bytes.Buffer
	if _, err := Write(&file, sample(t, 10), 0); err != nil {
		t.Fatal(err)
	}
	data := file.Bytes()
	for i := 0; i < len(data); i += 7 {
		broken := bytes.Clone(data)
		broken[i] ^= 0x55
		_ = Read(bytes.NewReader(broken), int64(len(broken)), func(*delta.Action) {}) // must not panic
	}
	if Read(bytes.NewReader(data[:len(data)/2]), int64(len(data)/2), func(*delta.Action) {}) == nil {
		t.Error("half a file was read")
	}
}

func BenchmarkRead(b *testing.B) {
	var file bytes.Buffer
	if _, err := Write(&file, sample(b, 100_000), 0); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		n := 0
		if err := Read(bytes.NewReader(file.Bytes()), int64(file.Len()), func(*delta.Action) { n++ }); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/100_000, "ns/file")
}

func BenchmarkWrite(b *testing.B) {
	s := sample(b, 100_000)
	for b.Loop() {
		if _, err := Write(&bytes.Buffer{}, s, 0); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/100_000, "ns/file")
}

// TestTopOfV2 holds the columns that Spark's reader wants in a checkpoint of the V2 form, whose files are in sidecars.
func TestTopOfV2(t *testing.T) {
	for _, name := range []string{"add", "remove", "sidecar", "checkpointMetadata", "protocol", "metaData", "txn", "domainMetadata"} {
		found := false
		for _, path := range layoutOf(sample(t, 0), statsForm{json: true}, topActions...).schema.Columns() {
			found = found || path[0] == name
		}
		if !found {
			t.Errorf("there is no column %s", name)
		}
	}
}

// TestParsed reads back statistics and partition values that are kept as columns, with the JSON beside them and without.
func TestParsed(t *testing.T) {
	schema := `{"type":"struct","fields":[{"name":"p","type":"date","nullable":true,"metadata":{}},{"name":"a.b","type":"long","nullable":true,"metadata":{}},
{"name":"s","type":{"type":"struct","fields":[{"name":"x","type":"string","nullable":true,"metadata":{}},{"name":"y","type":"decimal(30,2)","nullable":true,"metadata":{}}]},"nullable":true,"metadata":{}},
{"name":"t","type":"timestamp","nullable":true,"metadata":{}},{"name":"d","type":"date","nullable":true,"metadata":{}},{"name":"f","type":"float","nullable":true,"metadata":{}},
{"name":"n","type":"decimal(7,1)","nullable":true,"metadata":{}},{"name":"list","type":{"type":"array","elementType":"byte","containsNull":true},"nullable":true,"metadata":{}}]}`
	full := `{"numRecords":9,"minValues":{"a.b":-5,"s":{"x":"aa","y":-12345678901234567890.25},"t":"2020-01-02T03:04:05.006Z","d":"1969-12-31","f":1.5,"n":-3.5},` +
		`"maxValues":{"a.b":7,"s":{"x":"zz","y":99.00},"t":"2021-01-02T03:04:05.006Z","d":"2024-02-29","f":2.25,"n":4.0},"nullCount":{"a.b":1,"s":{"x":2,"y":3},"t":4,"d":5,"f":6,"n":7,"list":8},"tightBounds":true}`
	for _, form := range []map[string]string{{"delta.checkpoint.writeStatsAsStruct": "true"}, {"delta.checkpoint.writeStatsAsJson": "false"}} {
		s, err := delta.Empty("t").Apply(3, 1000, []delta.Action{
			{Protocol: &delta.Protocol{MinReaderVersion: 3, MinWriterVersion: 7, ReaderFeatures: []string{"deletionVectors"}, WriterFeatures: []string{"deletionVectors"}}},
			{Metadata: &delta.Metadata{ID: "id", Format: delta.Format{Provider: "parquet"}, SchemaString: schema, PartitionColumns: []string{"p"}, Configuration: form}},
			{Add: &delta.Add{Path: "full", PartitionValues: delta.PartitionValues{"p": ptr("2024-02-29")}, Stats: full}},
			{Add: &delta.Add{Path: "some", PartitionValues: delta.PartitionValues{"p": nil}, Stats: `{"numRecords":3,"minValues":{"a.b":1},"maxValues":{"a.b":2},"nullCount":{"a.b":0},"tightBounds":false}`}},
			{Add: &delta.Add{Path: "none", PartitionValues: delta.PartitionValues{"p": nil}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		var file bytes.Buffer
		if _, err := Write(&file, s, 0); err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		if err := Read(bytes.NewReader(file.Bytes()), int64(file.Len()), func(a *delta.Action) {
			if a.Add != nil {
				got[a.Add.Path] = a.Add.Stats
			}
		}); err != nil {
			t.Fatal(err)
		}
		for a := range s.All() {
			want, have := delta.ReadStats(a.Stats), delta.ReadStats(got[a.Path])
			n, ok := want.Records()
			if m, is := have.Records(); n != m || ok != is || want.TightBounds != have.TightBounds {
				t.Errorf("%v: %s: %d rows, %v", form, a.Path, m, have.TightBounds)
			}
			for _, l := range s.StatsLeaves() {
				for _, of := range []func(*delta.FileStats) any{
					func(f *delta.FileStats) any { v, _ := f.Min(l.Physical, l.Type); return v },
					func(f *delta.FileStats) any { v, _ := f.Max(l.Physical, l.Type); return v },
					func(f *delta.FileStats) any { n, ok := f.Nulls(l.Physical); return fmt.Sprint(n, ok) },
				} {
					if w, h := of(want), of(have); fmt.Sprint(w) != fmt.Sprint(h) {
						t.Errorf("%v: %s: %v is %v, not %v", form, a.Path, l.Path, h, w)
					}
				}
			}
		}
		columns := parsedColumns(s)
		for _, name := range []string{"partitionValues_parsed\x00p", "stats_parsed\x00minValues\x00s\x00y", "stats_parsed\x00nullCount\x00list"} {
			if _, ok := columns[name]; !ok {
				t.Errorf("there is no column %q", name)
			}
		}
	}
}
