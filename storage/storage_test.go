package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"millrace/errs"
)

func names(t *testing.T, s Store, prefix, after string) []string {
	t.Helper()
	got := []string{}
	for i, err := range s.List(t.Context(), prefix, after) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, i.Name)
	}
	return got
}

func walked(t *testing.T, s Store, skip func(string) bool) []string {
	t.Helper()
	var mu sync.Mutex
	var got []string
	if err := Walk(t.Context(), s, skip, func(i Info) error {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, i.Name)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	sort.Strings(got)
	return got
}

// conform is what every store must do.
func conform(t *testing.T, s Store) {
	ctx := t.Context()
	if _, err := s.Get(ctx, "none"); !errs.Is(err, errs.NotFound) {
		t.Fatalf("Get of a missing file: %v", err)
	}
	if _, err := s.Open(ctx, "none"); !errs.Is(err, errs.NotFound) {
		t.Fatalf("Open of a missing file: %v", err)
	}
	if ok, err := Exists(ctx, s, "none"); ok || err != nil {
		t.Fatal(ok, err)
	}
	if err := s.Delete(ctx, "none"); err != nil {
		t.Fatal(err)
	}
	all := []string{"a-b", "a/b", "a/c/d", "a/c-d", "b", "a%20b/x y=ö.txt", "_delta_log/00000000000000000000.json"}
	for _, n := range all {
		if err := s.Put(ctx, n, []byte("content of "+n)); err != nil {
			t.Fatal(err)
		}
	}
	sort.Strings(all)
	if got := names(t, s, "", ""); !reflect.DeepEqual(got, all) {
		t.Fatalf("list: %q, want %q", got, all)
	}
	if got := names(t, s, "a/", "a/b"); !reflect.DeepEqual(got, []string{"a/c-d", "a/c/d"}) {
		t.Fatalf("list a/ after a/b: %q", got)
	}
	if got := names(t, s, "a", "a-b"); !reflect.DeepEqual(got, []string{"a/b", "a/c-d", "a/c/d"}) {
		t.Fatalf("list a after a-b: %q", got)
	}
	if got := walked(t, s, func(string) bool { return false }); !reflect.DeepEqual(got, all) {
		t.Fatalf("walk: %q, want %q", got, all)
	}
	without := slices.DeleteFunc(slices.Clone(all), func(n string) bool { return strings.HasPrefix(n, "_delta_log/") })
	if got := walked(t, s, func(dir string) bool { return dir == "_delta_log" }); !reflect.DeepEqual(got, without) {
		t.Fatalf("walk: %q, want %q", got, without)
	}
	stop := errors.New("stop")
	if err := Walk(ctx, s, func(string) bool { return false }, func(Info) error { return stop }); !errors.Is(err, stop) {
		t.Fatalf("walk that is stopped: %v", err)
	}
	if got := names(t, s, "zzz/none", ""); len(got) != 0 {
		t.Fatal(got)
	}
	if err := s.PutIfAbsent(ctx, "b", nil); !errs.Is(err, errs.Conflict) {
		t.Fatalf("PutIfAbsent over a file: %v", err)
	}
	if data, err := s.Get(ctx, "b"); err != nil || string(data) != "content of b" {
		t.Fatal(string(data), err)
	}
	r, err := s.Open(ctx, "b")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	p := make([]byte, 20)
	if n, err := r.ReadAt(p, 8); err != io.EOF || string(p[:n]) != "of b" {
		t.Fatalf("ReadAt: %q %v", p[:n], err)
	}
	if r.Size() != 12 || r.Modified().IsZero() {
		t.Fatal(r.Size(), r.Modified())
	}
	stream(t, s)
	race(t, s)
}

func stream(t *testing.T, s Store) {
	ctx := t.Context()
	w, err := s.Create(ctx, "big")
	if err != nil {
		t.Fatal(err)
	}
	block := make([]byte, 1<<20)
	for i := range 20 {
		block[0] = byte(i)
		if _, err := w.Write(block); err != nil {
			t.Fatal(err)
		}
	}
	if ok, _ := Exists(ctx, s, "big"); ok {
		t.Fatal("a file is visible before Close")
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := w.Abort(); err != nil {
		t.Fatal(err)
	}
	if i, err := s.Stat(ctx, "big"); err != nil || i.Size != 20<<20 {
		t.Fatal(i, err)
	}
	w, _ = s.Create(ctx, "gone")
	w.Write(make([]byte, 9<<20))
	if err := w.Abort(); err != nil {
		t.Fatal(err)
	}
	if got := names(t, s, "", "b"); !reflect.DeepEqual(got, []string{"big"}) {
		t.Fatalf("after Abort: %q", got)
	}
}

func race(t *testing.T, s Store) {
	var wg sync.WaitGroup
	wins := make([]atomic.Int32, 10)
	for g := range 8 {
		wg.Go(func() {
			for k := range wins {
				err := s.PutIfAbsent(context.Background(), fmt.Sprintf("race/%d", k), []byte(fmt.Sprint(g)))
				if err == nil {
					wins[k].Add(1)
				} else if !errs.Is(err, errs.Conflict) {
					t.Errorf("PutIfAbsent: %v", err)
				}
			}
		})
	}
	wg.Wait()
	for k := range wins {
		if n := wins[k].Load(); n != 1 {
			t.Errorf("key %d has %d winners", k, n)
		}
	}
}

func TestLocal(t *testing.T) {
	s, err := Open("file://" + t.TempDir() + "/deep/er")
	if err != nil {
		t.Fatal(err)
	}
	conform(t, s)
}

func TestOpen(t *testing.T) {
	for in, want := range map[string]string{"/lake/t": "file:/lake/t", "file:/lake/t/": "file:/lake/t", "file:///lake/t": "file:/lake/t",
		"s3://b/x/": "s3://b/x", "s3a://b": "s3://b"} {
		s, err := Open(in)
		if err != nil || s.URL() != want {
			t.Errorf("Open(%q) = %v, %v", in, s, err)
		}
	}
	for _, in := range []string{"abfss://c@a.dfs.core.windows.net/x", "gs://b/x", "hdfs://h/x"} {
		if _, err := Open(in); !errs.Is(err, errs.Unsupported) {
			t.Errorf("Open(%q): %v", in, err)
		}
	}
}

func TestFullDisk(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("no /dev/full")
	}
	f, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	w := &localWriter{ctx: t.Context(), f: f, path: "/lake/t/part-0.parquet", done: true}
	if _, err := w.Write([]byte("x")); !errs.Is(err, errs.Exhausted) {
		t.Fatalf("write to a full disk: %v", err)
	}
}
