package log_test

import (
	"context"
	"fmt"
	"os"

	"millrace/delta"
	"millrace/delta/log"
	"millrace/storage"
)

// A table is read as of its newest version, or as of an old one.
func Example() {
	dir, err := os.MkdirTemp("", "table")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	write(ctx, dir)

	table, err := log.Open(dir)
	if err != nil {
		panic(err)
	}
	for _, read := range []func() (*delta.Snapshot, error){
		func() (*delta.Snapshot, error) { return table.Snapshot(ctx) },
		func() (*delta.Snapshot, error) { return table.At(ctx, 0) },
	} {
		snap, err := read()
		if err != nil {
			panic(err)
		}
		fmt.Printf("version %d, %s, %d files\n", snap.Version, snap.Schema(), snap.NumFiles())
	}
	// Output:
	// version 1, struct<id:bigint>, 1 files
	// version 0, struct<id:bigint>, 0 files
}

// write makes a table of two versions as another engine would.
func write(ctx context.Context, dir string) {
	s, err := storage.Open(dir)
	if err != nil {
		panic(err)
	}
	for version, commit := range []string{
		`{"protocol":{"minReaderVersion":1,"minWriterVersion":2}}
{"metaData":{"id":"1","format":{"provider":"parquet","options":{}},"schemaString":"{\"type\":\"struct\",\"fields\":[{\"name\":\"id\",\"type\":\"long\",\"nullable\":true,\"metadata\":{}}]}","partitionColumns":[],"configuration":{}}}`,
		`{"add":{"path":"a.parquet","partitionValues":{},"size":100,"modificationTime":0,"dataChange":true}}`,
	} {
		if err := s.Put(ctx, delta.CommitPath(int64(version)), []byte(commit)); err != nil {
			panic(err)
		}
	}
}
