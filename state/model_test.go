package state_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"iter"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"millrace/errs"
	"millrace/state"
	"millrace/storage"
)

// memStore is a store in memory whose operations fail at random, before they have done anything or after.
type memStore struct {
	mu    sync.Mutex
	files map[string][]byte
	fail  func() bool
}

var errInjected = errs.Newf(errs.Transient, "injected")

func (s *memStore) URL() string { return "mem:" }

func (s *memStore) do(f func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail() {
		return errInjected
	}
	if err := f(); err != nil {
		return err
	}
	if s.fail() {
		return errInjected
	}
	return nil
}

func (s *memStore) Get(_ context.Context, name string) (data []byte, err error) {
	err = s.do(func() error {
		d, ok := s.files[name]
		if !ok {
			return errs.Newf(errs.NotFound, "no such file: %s", name)
		}
		data = bytes.Clone(d)
		return nil
	})
	return data, err
}

func (s *memStore) Put(_ context.Context, name string, data []byte) error {
	return s.do(func() error { s.files[name] = bytes.Clone(data); return nil })
}

func (s *memStore) PutIfAbsent(_ context.Context, name string, data []byte) error {
	return s.do(func() error {
		if _, ok := s.files[name]; ok {
			return errs.Newf(errs.Conflict, "file already exists: %s", name)
		}
		s.files[name] = bytes.Clone(data)
		return nil
	})
}

type memWriter struct {
	bytes.Buffer
	s    *memStore
	name string
}

func (w *memWriter) Close() error { return w.s.Put(context.Background(), w.name, w.Bytes()) }
func (w *memWriter) Abort() error { return nil }

func (s *memStore) Create(_ context.Context, name string) (storage.Writer, error) {
	return &memWriter{s: s, name: name}, s.do(func() error { return nil })
}

type memReader struct{ *bytes.Reader }

func (memReader) Close() error        { return nil }
func (memReader) Modified() time.Time { return time.Time{} }

func (s *memStore) Open(ctx context.Context, name string) (storage.Reader, error) {
	data, err := s.Get(ctx, name)
	return memReader{bytes.NewReader(data)}, err
}

func (s *memStore) List(_ context.Context, prefix, startAfter string) iter.Seq2[storage.Info, error] {
	var names []string
	err := s.do(func() error { names = slices.Collect(maps.Keys(s.files)); return nil })
	sort.Strings(names)
	return func(yield func(storage.Info, error) bool) {
		if err != nil {
			yield(storage.Info{}, err)
			return
		}
		for _, n := range names {
			if strings.HasPrefix(n, prefix) && n > startAfter && !yield(storage.Info{Name: n}, nil) {
				return
			}
		}
	}
}

func (s *memStore) Stat(context.Context, string) (storage.Info, error) {
	return storage.Info{}, errs.Newf(errs.Internal, "not used")
}

func (s *memStore) Delete(_ context.Context, name string) error {
	return s.do(func() error { delete(s.files, name); return nil })
}

var _ io.ReaderAt = memReader{}

// world is a streaming query's life under deaths: some workers, batches that are run again and again, attempts that stay behind.
type world struct {
	t       *testing.T
	r       *rand.Rand
	store   *memStore
	dir     string
	made    int
	workers []*state.Provider
	zombies []*attempt
	run     int
	every   int
	retain  int

	outcomes []string           // by batch: what all attempts must say
	truth    []map[string]int64 // by batch: the sums after it
	inputs   []map[string]int64
}

// attempt is one run of a batch on one worker, as far as it has come.
type attempt struct {
	worker *state.Provider
	batch  int
	txn    *state.Txn
}

func (w *world) worker() *state.Provider {
	w.made++
	p, err := state.NewProvider(filepath.Join(w.dir, fmt.Sprint(w.made)), state.Options{CacheBytes: 4 << 20, FS: vfs.NewMem(),
		Open: func(string) (storage.Store, error) { return w.store, nil }})
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

func (w *world) spec(batch int) state.Spec {
	return state.Spec{Location: "mem:", Query: "q", Run: fmt.Sprint("run-", w.run), Partitions: 1, Version: int64(batch), Input: fmt.Sprint("input ", batch),
		Key: "k", Value: "v", SnapshotEvery: w.every, Retain: w.retain}
}

// extend makes the next batch's input: sums to add; a sum that becomes zero is removed.
func (w *world) extend() {
	in, sums := map[string]int64{}, map[string]int64{}
	if n := len(w.truth); n > 0 {
		maps.Copy(sums, w.truth[n-1])
	}
	for range w.r.IntN(8) {
		k := fmt.Sprint("key", w.r.IntN(12))
		if old, ok := sums[k]; ok && w.r.IntN(4) == 0 {
			in[k] = -old
			continue
		}
		in[k] += 1 + w.r.Int64N(5)
	}
	for k, d := range in {
		if sums[k] += d; sums[k] == 0 {
			delete(sums, k)
		}
	}
	w.inputs, w.truth, w.outcomes = append(w.inputs, in), append(w.truth, sums), append(w.outcomes, "")
}

// begin opens the state and adds the input; the order and the noise in the values differ from attempt to attempt.
func (w *world) begin(p *state.Provider, batch int) (*attempt, error) {
	t, err := p.Open(context.Background(), w.spec(batch))
	if err != nil {
		return nil, err
	}
	a := &attempt{p, batch, t}
	if t.Done() {
		return a, nil
	}
	keys := slices.Collect(maps.Keys(w.inputs[batch]))
	sort.Strings(keys)
	w.r.Shuffle(len(keys), func(i, k int) { keys[i], keys[k] = keys[k], keys[i] })
	for _, k := range keys {
		old, free, err := t.Get([]byte(k))
		if err != nil {
			t.Close()
			return nil, err
		}
		had, sum := -1, int64(0)
		if old != nil {
			had, sum = len(old), int64(binary.LittleEndian.Uint64(old))
			free()
		}
		if before := w.sumBefore(batch, k); sum != before {
			w.t.Fatalf("batch %d reads %d for %s, want %d", batch, sum, k, before)
		}
		sum += w.inputs[batch][k]
		value := binary.LittleEndian.AppendUint64(nil, uint64(sum))
		value = append(value, fmt.Sprint(" noise ", w.r.Int64())...)
		t.Change(state.Change{Key: []byte(k), Value: value, Updated: sum != 0, Removed: sum == 0}, had)
	}
	return a, nil
}

func (w *world) sumBefore(batch int, key string) int64 {
	if batch == 0 {
		return 0
	}
	return w.truth[batch-1][key]
}

// finish commits an attempt and holds what it hands out against all others of the batch. It returns false when it failed.
func (w *world) finish(a *attempt) bool {
	v, err := a.txn.Commit(context.Background())
	if err != nil {
		if !errs.Is(err, errs.Transient) {
			w.t.Fatalf("batch %d: %v", a.batch, err)
		}
		return false
	}
	defer v.Close()
	out := w.describe(v, a.batch)
	if len(w.truth)-a.batch > w.retain {
		return true // its file may be gone; nobody listens to it
	}
	if w.outcomes[a.batch] == "" {
		w.outcomes[a.batch] = out
	}
	if w.outcomes[a.batch] != out {
		w.t.Fatalf("batch %d has two outcomes:\n%s\n%s", a.batch, w.outcomes[a.batch], out)
	}
	return true
}

func (w *world) describe(v *state.View, batch int) string {
	var out strings.Builder
	changes := v.Changes()
	for {
		c, ok, err := changes.Next()
		if err != nil {
			w.t.Fatal(err)
		}
		if !ok {
			break
		}
		fmt.Fprintf(&out, "%s=%x %v %v\n", c.Key, c.Value, c.Updated, c.Removed)
	}
	all, err := v.All()
	if err != nil {
		w.t.Fatal(err)
	}
	defer all.Close()
	sums, bytes := map[string]int64{}, int64(0)
	for {
		k, value, ok, err := all.Next()
		if err != nil {
			w.t.Fatal(err)
		}
		if !ok {
			break
		}
		fmt.Fprintf(&out, "all %s=%x\n", k, value)
		sums[string(k)] = int64(binary.LittleEndian.Uint64(value))
		bytes += int64(len(k) + len(value))
	}
	if !maps.Equal(sums, w.truth[batch]) {
		w.t.Fatalf("after batch %d: %v, want %v", batch, sums, w.truth[batch])
	}
	if s := v.Stats(); s.Rows != int64(len(sums)) || s.Bytes != bytes {
		w.t.Fatalf("after batch %d the statistics say %d rows, %d bytes; there are %d and %d", batch, s.Rows, s.Bytes, len(sums), bytes)
	}
	return out.String()
}

// step runs the batch once, or kills somebody, or wakes a zombie. It reports whether an attempt succeeded.
func (w *world) step(batch int) bool {
	i := w.r.IntN(len(w.workers))
	switch w.r.IntN(12) {
	case 0: // a worker dies
		w.workers[i].Close()
		w.workers[i] = w.worker()
		return false
	case 1: // the coordinator dies
		w.run++
		return false
	case 2, 3: // somebody who was given up goes on
		if n := len(w.zombies); n > 0 {
			z := w.zombies[n-1]
			w.zombies = w.zombies[:n-1]
			w.finish(z)
			z.worker.Close()
		}
		return false
	}
	if batch > 0 && w.r.IntN(12) == 0 {
		batch-- // it was not known to be committed
	}
	a, err := w.begin(w.workers[i], batch)
	if err != nil {
		if !errs.Is(err, errs.Transient) {
			w.t.Fatalf("batch %d: %v", batch, err)
		}
		return false
	}
	switch w.r.IntN(10) {
	case 0: // the attempt is cancelled
		a.txn.Close()
		return false
	case 1: // its worker is lost and goes on as a zombie
		w.zombies = append(w.zombies, a)
		w.workers[i] = w.worker()
		return false
	}
	return w.finish(a) && a.batch == len(w.truth)-1
}

func (w *world) close() {
	w.store.mu.Lock() // snapshots are still being written
	w.store.fail = func() bool { return false }
	w.store.mu.Unlock()
	for _, z := range w.zombies {
		w.finish(z)
		z.worker.Close()
	}
	for _, p := range w.workers {
		p.Close()
	}
}

// TestDeathsGiveOneOutcome: however workers and coordinators die, whatever fails in the store with or without effect, all attempts of a batch
// hand out the same rows, and sums come out as if nothing had happened.
func TestDeathsGiveOneOutcome(t *testing.T) {
	seeds := 300
	if testing.Short() {
		seeds = 40
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(uint64(seed), 7))
			w := &world{t: t, r: r, dir: t.TempDir(), every: 1 + r.IntN(4), retain: 2 + r.IntN(4)}
			chance, roll := r.IntN(6), rand.New(rand.NewPCG(uint64(seed), 8))
			w.store = &memStore{files: map[string][]byte{}, fail: func() bool { return chance > 0 && roll.IntN(12*chance) == 0 }}
			for range 1 + r.IntN(3) {
				w.workers = append(w.workers, w.worker())
			}
			for batch := range 12 {
				w.extend()
				for tries := 0; !w.step(batch); tries++ {
					if tries > 1000 {
						t.Fatal("the batch never succeeds")
					}
				}
			}
			w.close()
			w.run++
			fresh := w.worker()
			defer fresh.Close()
			a, err := w.begin(fresh, len(w.truth)-1)
			if err != nil || !w.finish(a) {
				t.Fatal("an empty worker cannot take over: ", err)
			}
		})
	}
}
