package txn_test

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"millrace/delta"
	"millrace/delta/log"
	"millrace/storage"
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

// Rows are deleted without writing their file anew: the file is removed and added again with a deletion vector. Two that delete other rows of it at once
// both commit.
func Example_deletionVectors() {
	dir, err := os.MkdirTemp("", "table")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	store, err := storage.Open(dir)
	if err != nil {
		panic(err)
	}
	logs := log.NewCache()
	c := txn.New(logs, txn.NewMemoryHeads())
	defer c.Close()
	commit := func(id string, version int64, r txn.Request) {
		r.Table, r.TxnID, r.ReadVersion = dir, id, version
		res, err := c.Commit(ctx, r)
		if err != nil {
			panic(err)
		}
		fmt.Println(id, "is version", res.Version)
	}
	m := &delta.Metadata{SchemaString: `{"type":"struct","fields":[{"name":"id","type":"long","nullable":true,"metadata":{}}]}`,
		Configuration: map[string]string{"delta.enableDeletionVectors": "true"}}
	add := &delta.Add{Path: "a.parquet", PartitionValues: delta.PartitionValues{}, Size: 100, DataChange: true, Stats: `{"numRecords":5}`}
	commit("create", -1, txn.Request{Actions: []delta.Action{{Metadata: m}, {Add: add}}, Info: delta.Info("CREATE TABLE AS SELECT")})
	for i, row := range []uint64{1, 3} { // both have read version 0
		vector, err := log.WriteDeletionVector(ctx, store, roaring64.BitmapOf(row))
		if err != nil {
			panic(err)
		}
		now := *add
		now.DeletionVector = vector
		commit(fmt.Sprint("delete ", i), 0, txn.Request{RowLevel: true, ReadFiles: []string{add.Path}, Info: delta.Info("DELETE"),
			Actions: []delta.Action{{Remove: add.Remove(time.Now().UnixMilli(), true)}, {Add: &now}}})
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
		gone, err := log.DeletedRows(ctx, table.URL(), f.DeletionVector)
		fmt.Println(f.Path, "without the rows", gone.ToArray(), err)
	}
	fmt.Println(txn.WriteCheckpoint(ctx, store, snap, time.Now())) // commits do it every ten versions
	// Output:
	// create is version 0
	// delete 0 is version 1
	// delete 1 is version 2
	// a.parquet without the rows [1 3] <nil>
	// <nil>
}
