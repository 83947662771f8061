package txn_test

import (
	"context"
	"fmt"
	"os"

	"millrace/delta"
	"millrace/delta/log"
	"millrace/txn"
)

// A program without a cluster makes a table, appends a file's action and reads the table's files. Data files are the program's own affair.
func Example() {
	dir, err := os.MkdirTemp("", "table")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	logs := log.NewCache()
	c := txn.New(logs, txn.NewMemoryHeads())
	defer c.Close()

	// The first version: what the table is.
	m := &delta.Metadata{SchemaString: `{"type":"struct","fields":[{"name":"id","type":"long","nullable":true,"metadata":{}}]}`}
	if _, err := c.Commit(ctx, txn.Request{Table: dir, ReadVersion: -1, TxnID: "create", Actions: []delta.Action{{Metadata: m}}, Info: delta.Info("CREATE TABLE")}); err != nil {
		panic(err)
	}
	// An append. Sent again with the same identifier it is committed once.
	add := &delta.Add{Path: "part-0.parquet", PartitionValues: delta.PartitionValues{}, Size: 100, DataChange: true,
		Stats: `{"numRecords":3,"minValues":{"id":1},"maxValues":{"id":9}}`}
	for range 2 {
		res, err := c.Commit(ctx, txn.Request{Table: dir, ReadVersion: 0, TxnID: "append-1", Actions: []delta.Action{{Add: add}}, Info: delta.Info("WRITE")})
		if err != nil {
			panic(err)
		}
		fmt.Println("version", res.Version)
	}
	table, err := logs.Table(dir)
	if err != nil {
		panic(err)
	}
	snap, err := table.Snapshot(ctx)
	if err != nil {
		panic(err)
	}
	for f := range snap.All() {
		fmt.Println(f.Path, f.Size)
	}
	skipped, _ := snap.Files(delta.Filter{{Column: []string{"id"}, Op: delta.Gt, Value: int64(50)}})
	fmt.Println(len(skipped), "files may hold an id above 50")
	// Output:
	// version 1
	// version 1
	// part-0.parquet 100
	// 0 files may hold an id above 50
}
