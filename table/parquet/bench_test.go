package parquet

import (
	"os"
	"path/filepath"
	"testing"
)

// BenchmarkReadLoans reads every column of a file of bench/gen_loans.py; LOANS is its folder.
func BenchmarkReadLoans(b *testing.B) {
	files, _ := filepath.Glob(filepath.Join(os.Getenv("LOANS"), "*.parquet"))
	if len(files) == 0 {
		b.Skip("LOANS is not set")
	}
	for b.Loop() {
		total := int64(0)
		for _, file := range files {
			total += benchRead(b, file)
		}
		b.ReportMetric(float64(total), "rows")
	}
}

func benchRead(b *testing.B, path string) (n int64) {
	file, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	info, _ := file.Stat()
	f, err := Open(file, info.Size(), path)
	if err != nil {
		b.Fatal(err)
	}
	r, err := f.NewReader(file, ReadOptions{Columns: allColumns(f)})
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	for {
		batch, err := r.Next()
		if err != nil {
			b.Fatal(err)
		}
		if batch == nil {
			return n
		}
		n += int64(batch.N)
	}
}

// BenchmarkRewriteLoans reads every column of every file and writes it again.
func BenchmarkRewriteLoans(b *testing.B) {
	files, _ := filepath.Glob(filepath.Join(os.Getenv("LOANS"), "*.parquet"))
	if len(files) == 0 {
		b.Skip("LOANS is not set")
	}
	out := b.TempDir()
	if dir := os.Getenv("LOANS_OUT"); dir != "" {
		out = dir
	}
	for b.Loop() {
		total := int64(0)
		for _, file := range files {
			total += benchRewrite(b, file, filepath.Join(out, filepath.Base(file)))
		}
		b.ReportMetric(float64(total)/1e6, "MB")
	}
}

func benchRewrite(b *testing.B, from, to string) int64 {
	in, err := os.Open(from)
	if err != nil {
		b.Fatal(err)
	}
	defer in.Close()
	info, _ := in.Stat()
	f, err := Open(in, info.Size(), from)
	if err != nil {
		b.Fatal(err)
	}
	r, err := f.NewReader(in, ReadOptions{Columns: allColumns(f)})
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	out, err := os.Create(to)
	if err != nil {
		b.Fatal(err)
	}
	defer out.Close()
	w, err := NewWriter(out, f.Schema(), WriteOptions{})
	if err != nil {
		b.Fatal(err)
	}
	for {
		batch, err := r.Next()
		if err != nil {
			b.Fatal(err)
		}
		if batch == nil {
			break
		}
		if err := w.Write(batch); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	return w.Written()
}
