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
		for _, path := range topV2.schema.Columns() {
			found = found || path[0] == name
		}
		if !found {
			t.Errorf("there is no column %s", name)
		}
	}
}
