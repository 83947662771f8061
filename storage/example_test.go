package storage_test

import (
	"context"
	"fmt"
	"os"

	"millrace/errs"
	"millrace/storage"
)

// Of any number of writers of one file one wins, on a local disk and in a bucket: that is how commits are decided.
func Example() {
	dir, err := os.MkdirTemp("", "lake")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	s, err := storage.Open(dir) // or s3://bucket/lake
	if err != nil {
		panic(err)
	}
	fmt.Println(s.PutIfAbsent(ctx, "log/7.json", []byte("mine")))
	fmt.Println(errs.Is(s.PutIfAbsent(ctx, "log/7.json", []byte("yours")), errs.Conflict))
	for f, err := range s.List(ctx, "log/", "") {
		fmt.Println(f.Name, f.Size, err)
	}
	data, err := s.Get(ctx, "log/7.json")
	fmt.Println(string(data), err)
	// Output:
	// <nil>
	// true
	// log/7.json 4 <nil>
	// mine <nil>
}
