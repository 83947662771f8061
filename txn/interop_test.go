package txn

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"millrace/delta"
	"millrace/delta/log"
	"millrace/storage"
)

// TestOtherEnginesReadOurs writes a partitioned table with a checkpoint, cleans the log up to it, and has delta-rs and Spark read it.
// MILLRACE_INTEROP_PYTHON is a Python with deltalake and, for Spark, pyspark; MILLRACE_SPARK_REMOTE is a Connect server with Delta.
func TestOtherEnginesReadOurs(t *testing.T) {
	python := os.Getenv("MILLRACE_INTEROP_PYTHON")
	if python == "" {
		t.Skip("MILLRACE_INTEROP_PYTHON is not set")
	}
	dir := t.TempDir()
	os.Chmod(dir, 0o777)
	c := New(log.NewCache(), NewMemoryHeads())
	store, err := storage.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	create(t, c, dir, "p")
	for i := range 12 {
		a := dataFile(t, store, i)
		req := Request{Table: dir, ReadVersion: int64(i), TxnID: fmt.Sprint("t", i), Actions: []delta.Action{{Add: a}},
			Info: delta.WriteInfo(delta.WriteParams{Mode: "Append"}), AppID: "app", AppVersion: int64(i)}
		if i == 11 { // takes out the first file
			table, _ := log.Open(dir)
			s, _ := table.Snapshot(t.Context())
			files, _ := s.Files(delta.Filter{{Column: []string{"id"}, Op: delta.Eq, Value: int64(0)}})
			if len(files) != 1 {
				t.Fatalf("%d files may hold id 0", len(files))
			}
			req.ReadTable = true
			req.Actions = append(req.Actions, delta.Action{Remove: files[0].Remove(1795365145462, true)})
		}
		if _, err := c.Commit(t.Context(), req); err != nil {
			t.Fatal(err)
		}
		c.busy.Wait()
	}
	c.Close()
	for v := range int64(9) {
		store.Delete(t.Context(), delta.CommitPath(v))
	}
	script := `
import sys, os
from deltalake import DeltaTable
t = DeltaTable(sys.argv[1])
rows = t.to_pyarrow_table().to_pylist()
print("delta-rs", t.version(), len(rows), sorted(r["id"] for r in rows), sorted({str(r["p"]) for r in rows}))
print("txn", t.transaction_version("app"))
if os.environ.get("MILLRACE_SPARK_REMOTE"):
    from pyspark.sql import SparkSession
    s = SparkSession.builder.remote(os.environ["MILLRACE_SPARK_REMOTE"]).getOrCreate()
    d = s.read.format("delta").load(sys.argv[1])
    print("spark", d.count(), d.where("id = 7").count(), d.where("p is null").count())
    h = s.sql(f"describe history delta.` + "`{sys.argv[1]}`" + `").collect()
    print("history", h[0].version, h[0].operation, h[0].operationParameters, h[0].readVersion)
    s.sql("select 100L id, 'z' p").write.format("delta").mode("append").save(sys.argv[1])
    print("appended", s.read.format("delta").load(sys.argv[1]).count())
`
	program := filepath.Join(t.TempDir(), "read.py")
	if err := os.WriteFile(program, []byte(script), 0o666); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(python, program, dir).CombinedOutput()
	t.Logf("%s", out)
	if err != nil || !strings.Contains(string(out), "delta-rs 12 22 [2, 3, 4, 5,") || !strings.Contains(string(out), "txn 11") {
		t.Fatal("delta-rs reads it otherwise: ", err)
	}
	if os.Getenv("MILLRACE_SPARK_REMOTE") == "" {
		return
	}
	for _, want := range []string{"spark 22 1 6", "history 12 WRITE", "appended 23"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %q", want)
		}
	}
	table, _ := log.Open(dir)
	if s, err := table.Snapshot(t.Context()); err != nil || s.Version != 13 || s.NumFiles() != 12 {
		t.Fatal(s, err)
	}
}

// dataFile writes two rows: ids 2i and 2i+1 in a partition that is null for every third.
func dataFile(t *testing.T, store storage.Store, i int) *delta.Add {
	type row struct {
		ID *int64 `parquet:"id,optional"`
	}
	a, b := int64(2*i), int64(2*i+1)
	var file bytes.Buffer
	w := parquet.NewGenericWriter[row](&file)
	if _, err := w.Write([]row{{&a}, {&b}}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	var p *string
	if i%3 > 0 {
		v := fmt.Sprint("x y", i%3)
		p = &v
	}
	path := delta.PartitionDir("p", p) + fmt.Sprintf("/part-%d.parquet", i)
	if err := store.Put(t.Context(), path, file.Bytes()); err != nil {
		t.Fatal(err)
	}
	stats := delta.Stats{NumRecords: 2, Columns: []delta.ColumnStats{{Path: []string{"id"}, Min: a, Max: b}}}
	return &delta.Add{Path: delta.EscapePath(path), PartitionValues: delta.PartitionValues{"p": p}, Size: int64(file.Len()),
		ModificationTime: 1795365145462, DataChange: true, Stats: stats.JSON()}
}
