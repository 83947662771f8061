package shuffle

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"millrace/errs"
	"millrace/memory"
)

var errReleased = errs.Newf(errs.Lost, "the output has been released")

// Store holds the outputs of a worker's tasks until their queries are released.
type Store struct {
	dir  string
	pool *memory.Pool

	mu       sync.Mutex
	queries  map[string]*queryOutputs
	released map[string]bool // lately, so that late tasks and readers find the door closed
	history  []string
}

type queryOutputs struct {
	dir     string
	outputs map[Ref]output
	changed chan struct{} // closed and replaced when an output is created
}

// NewStore keeps files below dir, which it empties first, and takes memory from pool.
func NewStore(dir string, pool *memory.Pool) (*Store, error) {
	if err := os.RemoveAll(dir); err != nil {
		return nil, errs.Wrap(err, "empty %s", dir)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, errs.Wrap(err, "make %s", dir)
	}
	return &Store{dir: dir, pool: pool, queries: map[string]*queryOutputs{}, released: map[string]bool{}}, nil
}

// query finds or makes a query's outputs; nil when it has been released.
func (s *Store) query(id string) *queryOutputs {
	if s.released[id] {
		return nil
	}
	q := s.queries[id]
	if q == nil {
		q = &queryOutputs{outputs: map[Ref]output{}, changed: make(chan struct{}), dir: filepath.Join(s.dir, fileName(id))}
		s.queries[id] = q
	}
	return q
}

// fileName makes a query's id fit for a directory's name.
func fileName(id string) string {
	return strings.Map(func(r rune) rune {
		if r == '/' || r == '.' || r == 0 {
			return '_'
		}
		return r
	}, id)
}

// Create makes the output of a task's attempt.
func (s *Store) Create(ref Ref, spec Spec) (Writer, error) {
	if spec.Broadcast {
		spec.Partitions = 1
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	q := s.query(ref.Query)
	if q == nil || q.outputs[ref] != nil {
		return nil, errs.Newf(errs.Lost, "the output of %v is there already, or its query has ended", ref)
	}
	var o output
	if err := os.MkdirAll(q.dir, 0o700); err != nil {
		return nil, errs.Newf(errs.Exhausted, "make a query's directory: %v", err)
	}
	if spec.Filed {
		f, err := newFiled(spec, filepath.Join(q.dir, fmt.Sprintf("%d-%d-%d.shuffle", ref.Stage, ref.Task, ref.Attempt)))
		if err != nil {
			return nil, err
		}
		o = f
	} else {
		o = newQueued(spec, s.pool, q.dir)
	}
	q.outputs[ref] = o
	close(q.changed)
	q.changed = make(chan struct{})
	return o, nil
}

// TempDir makes a directory for a query's spill files, which goes with the query.
func (s *Store) TempDir(query string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := s.query(query)
	if q == nil {
		return "", errReleased
	}
	dir := filepath.Join(q.dir, "spill")
	return dir, os.MkdirAll(dir, 0o700)
}

// find returns an output; with wait it waits until it is created.
func (s *Store) find(ctx context.Context, ref Ref, wait bool) (output, error) {
	for {
		s.mu.Lock()
		if !wait && s.queries[ref.Query] == nil {
			s.mu.Unlock()
			return nil, errs.Newf(errs.Lost, "there is no output of %v here", ref)
		}
		q := s.query(ref.Query)
		if q == nil {
			s.mu.Unlock()
			return nil, errReleased
		}
		o, changed := q.outputs[ref], q.changed
		s.mu.Unlock()
		switch {
		case o != nil:
			return o, nil
		case !wait:
			return nil, errs.Newf(errs.Lost, "there is no output of %v here", ref)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// Open begins to read a partition of an output of this store. With wait, the output may still have to be created.
func (s *Store) Open(ctx context.Context, ref Ref, partition int, wait bool) (Reader, error) {
	return s.openRange(ctx, ref, partition, 0, wait)
}

// openRange is Open of a partition and so many behind it.
func (s *Store) openRange(ctx context.Context, ref Ref, partition, more int, wait bool) (Reader, error) {
	o, err := s.find(ctx, ref, wait)
	if err != nil {
		return nil, err
	}
	return o.open(ctx, partition, more)
}

// Release forgets a query and frees all that its outputs take.
func (s *Store) Release(query string) {
	s.mu.Lock()
	q := s.queries[query]
	delete(s.queries, query)
	if !s.released[query] {
		s.released[query] = true
		s.history = append(s.history, query)
	}
	if len(s.history) > 4096 {
		delete(s.released, s.history[0])
		s.history = s.history[1:]
	}
	s.mu.Unlock()
	if q == nil {
		return
	}
	close(q.changed)
	for _, o := range q.outputs {
		o.release()
	}
	os.RemoveAll(q.dir)
}

// Sweep removes what tasks of a released query may have left while they ended.
func (s *Store) Sweep(query string) { os.RemoveAll(filepath.Join(s.dir, fileName(query))) }

// Drop frees one output; who reads it gets an error.
func (s *Store) Drop(ref Ref) {
	s.mu.Lock()
	var o output
	if q := s.queries[ref.Query]; q != nil {
		o = q.outputs[ref]
	}
	s.mu.Unlock()
	if o != nil {
		o.release() // it stays listed, so that a late writer finds the door closed
	}
}

// Queries is the number of queries that have outputs here.
func (s *Store) Queries() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.queries)
}

// Close releases everything.
func (s *Store) Close() {
	s.mu.Lock()
	var ids []string
	for id := range s.queries {
		ids = append(ids, id)
	}
	s.mu.Unlock()
	for _, id := range ids {
		s.Release(id)
	}
	os.RemoveAll(s.dir)
}
