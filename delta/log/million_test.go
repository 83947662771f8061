package log_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"millrace/delta"
	"millrace/delta/checkpoint"
	"millrace/delta/log"
	"millrace/storage"
)

// BenchmarkMillionFiles loads a table of MILLRACE_FILES (a million) files cold, and after one more commit warm. The figures are
// of one run each: go test ./delta/log -run xxx -bench MillionFiles -benchtime 1x.
func BenchmarkMillionFiles(b *testing.B) {
	n := 1_000_000
	if v, err := strconv.Atoi(os.Getenv("MILLRACE_FILES")); err == nil {
		n = v
	}
	ctx := context.Background()
	dir := b.TempDir()
	store, err := storage.Open(dir)
	if err != nil {
		b.Fatal(err)
	}
	r := delta.NewReplay(store.URL())
	for _, line := range []string{`{"protocol":{"minReaderVersion":1,"minWriterVersion":2}}`,
		`{"metaData":{"id":"m","format":{"provider":"parquet","options":{}},"schemaString":"{\"type\":\"struct\",\"fields\":[{\"name\":\"id\",\"type\":\"long\",\"nullable\":true,\"metadata\":{}},{\"name\":\"p\",\"type\":\"string\",\"nullable\":true,\"metadata\":{}}]}","partitionColumns":["p"],"configuration":{}}}`} {
		actions, err := delta.ParseCommit("x", []byte(line))
		if err != nil {
			b.Fatal(err)
		}
		r.Apply(&actions[0])
	}
	for i := range n {
		p := "p" + strconv.Itoa(i%100)
		r.Apply(&delta.Action{Add: &delta.Add{Path: fmt.Sprintf("p=%s/part-%05d-0f2c466b-0311-47d1-86bf-%012d.c000.snappy.parquet", p, i%1000, i), PartitionValues: delta.PartitionValues{"p": &p},
			Size: int64(i), ModificationTime: 1700000000000 + int64(i), Stats: fmt.Sprintf(`{"numRecords":%d,"minValues":{"id":%d},"maxValues":{"id":%d},"nullCount":{"id":0}}`, 1000, i*1000, i*1000+999)}})
	}
	s, err := r.Finish(10, 1700000000000)
	if err != nil {
		b.Fatal(err)
	}
	start := time.Now()
	w, err := store.Create(ctx, delta.LogDir+"/"+delta.CheckpointName(10))
	if err != nil {
		b.Fatal(err)
	}
	info, err := checkpoint.Write(w, s, 0)
	if err != nil {
		b.Fatal(err)
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	hint, _ := json.Marshal(info)
	if err := store.Put(ctx, delta.LogDir+"/_last_checkpoint", hint); err != nil {
		b.Fatal(err)
	}
	b.Logf("checkpoint of %d files: %v, %d MB", n, time.Since(start), info.SizeInBytes>>20)
	runtime.GC()
	for b.Loop() {
		cold := time.Now()
		t := log.NewTable(store)
		got, err := t.Snapshot(ctx)
		if err != nil || got.NumFiles() != n {
			b.Fatalf("%v, %v files", err, got.NumFiles())
		}
		b.ReportMetric(float64(time.Since(cold).Milliseconds()), "cold-ms")
		add := `{"add":{"path":"one-more","partitionValues":{"p":"p1"},"size":1,"modificationTime":1,"dataChange":true}}`
		if err := store.Put(ctx, delta.CommitPath(11), []byte(add)); err != nil {
			b.Fatal(err)
		}
		warm := time.Now()
		if got, err = t.Snapshot(ctx); err != nil || got.NumFiles() != n+1 {
			b.Fatalf("%v, %v files", err, got.NumFiles())
		}
		b.ReportMetric(float64(time.Since(warm).Microseconds())/1000, "warm-ms")
		if err := store.Delete(ctx, delta.CommitPath(11)); err != nil {
			b.Fatal(err)
		}
	}
}
