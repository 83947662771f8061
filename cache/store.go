package cache

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"sync"

	"millrace/errs"
	"millrace/memory"
	"millrace/shuffle"
	"millrace/types"
	"millrace/vector"
)

// Share is the part of the worker's memory that cached frames may take.
const Share = 0.6

// Key names a block.
type Key struct {
	ID        string // of the filling
	Partition int
	Attempt   int
}

// Stats tell of a block, or of all blocks.
type Stats struct {
	Blocks       int
	Rows         int64
	Memory, Disk int64 // bytes
}

// Store is a worker's cached frames. Safe for concurrent use.
type Store struct {
	dir  string
	pool *memory.Pool

	mu     sync.Mutex
	blocks map[string]map[Key]*block // by filling
	clock  int64                     // counts uses
	files  int64
	disk   int64

	forgotten map[string]bool // lately, so that a late task keeps nothing
	history   []string
}

// NewStore keeps files below dir, which it empties first, and takes its share of pool.
func NewStore(dir string, pool *memory.Pool) (*Store, error) {
	if err := os.RemoveAll(dir); err != nil {
		return nil, errs.Wrap(err, "empty %s", dir)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, errs.Wrap(err, "make %s", dir)
	}
	return &Store{dir: dir, pool: pool.Child("cached frames", max(int64(float64(pool.Limit())*Share), 1)), blocks: map[string]map[Key]*block{},
		forgotten: map[string]bool{}}, nil
}

// block is one partition. Once it is listed its batches and its file do not change, except that evict replaces the one by the other.
type block struct {
	types   []*types.Type
	rows    int64
	batches []*vector.Batch // nil when on disk
	bytes   int64           // reserved for batches
	spool   *shuffle.Spool
	used    int64
}

// Open begins to read a block. A block that is not here is Lost.
func (s *Store) Open(ctx context.Context, k Key) (Reader, error) {
	s.mu.Lock()
	b := s.blocks[k.ID][k]
	if b == nil {
		s.mu.Unlock()
		return nil, errs.Newf(errs.Lost, "partition %d of the cached frame %s is not on this worker", k.Partition, k.ID)
	}
	s.clock++
	b.used = s.clock
	batches, spool := b.batches, b.spool
	s.mu.Unlock()
	if spool == nil {
		return &memoryReader{batches}, nil
	}
	return spool.Open(ctx)
}

// Reader reads a block. A batch may be kept and must not be changed; it has no selection.
type Reader interface {
	// Next returns nil at the end.
	Next() (*vector.Batch, error)
	Close()
}

type memoryReader struct{ left []*vector.Batch }

func (r *memoryReader) Next() (*vector.Batch, error) {
	if len(r.left) == 0 {
		return nil, nil
	}
	b := r.left[0]
	r.left = r.left[1:]
	return b, nil
}

func (r *memoryReader) Close() {}

// add lists a finished block in place of one of the same name, unless its filling has been forgotten.
func (s *Store) add(k Key, b *block) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.forgotten[k.ID] {
		s.free(b)
		return
	}
	if s.blocks[k.ID] == nil {
		s.blocks[k.ID] = map[Key]*block{}
	}
	if old := s.blocks[k.ID][k]; old != nil {
		s.free(old)
	}
	s.clock++
	b.used = s.clock
	s.blocks[k.ID][k] = b
}

// free gives back what a block takes. Readers in the middle of its batches keep those; readers of its file find it lost.
func (s *Store) free(b *block) {
	if b.spool != nil {
		s.disk -= b.spool.Bytes()
		b.spool.Remove()
	}
	s.pool.Release(b.bytes)
	b.batches, b.bytes = nil, 0
}

// Forget drops the blocks of a filling.
func (s *Store) Forget(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range s.blocks[id] {
		s.free(b)
	}
	delete(s.blocks, id)
	if !s.forgotten[id] {
		s.forgotten[id] = true
		s.history = append(s.history, id)
	}
	if len(s.history) > 4096 {
		delete(s.forgotten, s.history[0])
		s.history = s.history[1:]
	}
}

// Stats are of all blocks.
func (s *Store) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := Stats{Memory: s.pool.Used(), Disk: s.disk}
	for _, f := range s.blocks {
		t.Blocks += len(f)
		for _, b := range f {
			t.Rows += b.rows
		}
	}
	return t
}

// Close drops everything.
func (s *Store) Close() {
	s.mu.Lock()
	ids := make([]string, 0, len(s.blocks))
	for id := range s.blocks {
		ids = append(ids, id)
	}
	s.mu.Unlock()
	for _, id := range ids {
		s.Forget(id)
	}
	os.RemoveAll(s.dir)
}

// reserve takes n bytes for a block of a filling, moving blocks of other fillings to disk, the longest unused first, if it must.
func (s *Store) reserve(id string, n int64) bool {
	for !s.pool.TryReserve(n) {
		if !s.evict(id, n) {
			return false
		}
	}
	return true
}

// evict moves the longest unused block of another filling to disk. It reports whether one was found and moved.
func (s *Store) evict(id string, n int64) bool {
	if n > s.pool.Limit() {
		return false
	}
	s.mu.Lock()
	var old []*block
	for f, list := range s.blocks {
		for _, b := range list {
			if f != id && b.spool == nil && b.bytes > 0 {
				old = append(old, b)
			}
		}
	}
	sort.Slice(old, func(i, k int) bool { return old[i].used < old[k].used })
	s.mu.Unlock()
	return len(old) > 0 && s.toDisk(old[0])
}

// toDisk replaces a listed block's batches by a file.
func (s *Store) toDisk(b *block) bool {
	s.mu.Lock()
	batches := b.batches
	s.mu.Unlock()
	f, err := s.write(b.types, batches)
	if err != nil {
		return false // the block stays where it is
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if b.batches == nil { // forgotten or moved by another meanwhile
		f.Remove()
		return true
	}
	s.disk += f.Bytes()
	s.pool.Release(b.bytes)
	b.batches, b.bytes, b.spool = nil, 0, f
	return true
}

// write puts batches into a new file.
func (s *Store) write(columns []*types.Type, batches []*vector.Batch) (*shuffle.Spool, error) {
	f, err := s.newSpool(columns)
	if err != nil {
		return nil, err
	}
	for _, b := range batches {
		if err := f.Write(b); err != nil {
			f.Remove()
			return nil, err
		}
	}
	if err := f.Finish(); err != nil {
		f.Remove()
		return nil, err
	}
	return f, nil
}

func (s *Store) newSpool(columns []*types.Type) (*shuffle.Spool, error) {
	s.mu.Lock()
	s.files++
	path := filepath.Join(s.dir, fmt.Sprintf("%d.block", s.files))
	s.mu.Unlock()
	return shuffle.NewSpool(path, columns)
}
