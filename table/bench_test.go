package table

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"millrace/physical"
	planpb "millrace/proto/millrace/plan/v1"
)

// benchTasks reads a source with as many tasks as asked for; each task's rows go to a sink of the format, or nowhere.
func benchTasks(b *testing.B, spec SourceSpec, tasks int, format, out string) {
	b.Helper()
	spec.TimeZone = "UTC"
	s, err := OpenSource(context.Background(), spec)
	if err != nil {
		b.Fatal(err)
	}
	fields := make([]int, len(s.Schema().Fields))
	for i := range fields {
		fields[i] = i
	}
	scan, files, err := s.PlanScan(context.Background(), physical.ScanRequest{Fields: fields})
	if err != nil {
		b.Fatal(err)
	}
	settings := &planpb.Settings{TimeZone: "UTC"}
	var wg sync.WaitGroup
	for _, splits := range Splits(files, tasks) {
		wg.Go(func() {
			op, err := NewScan(&planpb.Operator{Output: columnsOf(s.Schema())}, scan, splits, Env{Settings: settings})
			if err == nil && format != "" {
				op, err = NewSink(&planpb.Operator{Children: []*planpb.Operator{{Output: columnsOf(s.Schema())}}},
					&planpb.FileSink{Format: format, Path: out, StatsColumns: 32, Options: map[string]string{"header": "true"}}, op, Env{Settings: settings})
			}
			if err == nil {
				err = op.Open(taskContext())
			}
			for err == nil {
				rows, e := op.Next()
				if err = e; rows == nil {
					break
				}
			}
			if err != nil {
				b.Error(err)
			}
			if err := op.Close(); err != nil {
				b.Error(err)
			}
		})
	}
	wg.Wait()
}

func loansFolder(b *testing.B) string {
	dir := os.Getenv("LOANS")
	if dir == "" {
		b.Skip("LOANS names no folder of bench/gen_loans.py's files")
	}
	return dir
}

func BenchmarkLoansToDelta(b *testing.B) {
	dir := loansFolder(b)
	for b.Loop() {
		benchTasks(b, SourceSpec{Format: "parquet", Paths: []string{dir}}, 2, "parquet", b.TempDir())
	}
}

func BenchmarkLoansScan(b *testing.B) {
	dir := loansFolder(b)
	for b.Loop() {
		benchTasks(b, SourceSpec{Format: "parquet", Paths: []string{dir}}, 2, "", "")
	}
}

// BenchmarkText writes 250,000 loans in a text format and reads them back, with inference.
func BenchmarkText(b *testing.B) {
	dir := loansFolder(b)
	files, _ := filepath.Glob(dir + "/*.parquet")
	for _, format := range []string{"csv", "json"} {
		out := b.TempDir()
		b.Run(format+"/write", func(b *testing.B) {
			for b.Loop() {
				benchTasks(b, SourceSpec{Format: "parquet", Paths: files[:1]}, 1, format, out)
			}
		})
		options := map[string]string{"header": "true", "inferSchema": "true"}
		one, _ := filepath.Glob(out + "/*")
		b.Run(format+"/read", func(b *testing.B) {
			for b.Loop() {
				benchTasks(b, SourceSpec{Format: format, Paths: one[:1], Options: options}, 1, "", "")
			}
		})
	}
}
