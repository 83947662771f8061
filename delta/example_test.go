package delta_test

import (
	"fmt"

	"millrace/delta"
)

// A table is what its commits make of nothing. Which files may hold the rows of a filter is told by their statistics.
func Example() {
	create, err := delta.ParseCommit("0.json", []byte(`{"protocol":{"minReaderVersion":1,"minWriterVersion":2}}
{"metaData":{"id":"1","format":{"provider":"parquet","options":{}},"schemaString":"{\"type\":\"struct\",\"fields\":[{\"name\":\"id\",\"type\":\"long\",\"nullable\":true,\"metadata\":{}}]}","partitionColumns":[],"configuration":{}}}`))
	if err != nil {
		panic(err)
	}
	snap, err := delta.Empty("file:/lake/t").Apply(0, 0, create)
	if err != nil {
		panic(err)
	}
	add := func(path, stats string) delta.Action {
		return delta.Action{Add: &delta.Add{Path: path, PartitionValues: delta.PartitionValues{}, Size: 100, DataChange: true, Stats: stats}}
	}
	snap, err = snap.Apply(1, 0, []delta.Action{
		add("a.parquet", `{"numRecords":3,"minValues":{"id":1},"maxValues":{"id":9},"nullCount":{"id":0}}`),
		add("b.parquet", `{"numRecords":3,"minValues":{"id":10},"maxValues":{"id":19},"nullCount":{"id":0}}`),
	})
	if err != nil {
		panic(err)
	}
	files, skipped := snap.Files(delta.Filter{{Column: []string{"id"}, Op: delta.Ge, Value: int64(12)}})
	for _, f := range files {
		fmt.Println(f.Path)
	}
	fmt.Println(snap.Version, snap.NumFiles(), skipped.Statistics)
	// Output:
	// b.parquet
	// 1 2 1
}
