// Package faultstore wraps a store so that tests can make any operation fail, before or after it took effect, or kill
// the caller at that point.
//
//	s := faultstore.New(store, func(op faultstore.Op) faultstore.Fault {
//		if op.Kind == "PutIfAbsent" { return faultstore.FailAfter }
//		return faultstore.None
//	})
package faultstore

import (
	"context"
	"iter"

	"millrace/errs"
	"millrace/storage"
)

// Op is an operation about to run.
type Op struct {
	Kind string // Get, Open, Put, PutIfAbsent, Create, Close, List, Stat, Delete
	Name string
}

// Fault is what happens to an operation.
type Fault uint8

// The faults. A failed operation returns an errs.Transient error.
const (
	None       Fault = iota
	FailBefore       // nothing happens, an error is returned
	FailAfter        // it happens, an error is returned: the answer was lost
	Full             // nothing happens, the disk is full
)

// Store is a store with faults.
type Store struct {
	storage.Store
	decide func(Op) Fault
}

var _ storage.Store = (*Store)(nil)

// New wraps a store; decide is called before each operation, from any goroutine.
func New(s storage.Store, decide func(Op) Fault) *Store { return &Store{s, decide} }

func (s *Store) run(kind, name string, do func() error) error {
	fault := s.decide(Op{kind, name})
	switch fault {
	case FailBefore:
		return errs.Newf(errs.Transient, "injected: %s %s did not happen", kind, name)
	case Full:
		return errs.Newf(errs.Exhausted, "injected: no space left on device for %s", name)
	}
	if err := do(); err != nil {
		return err
	}
	if fault == FailAfter {
		return errs.Newf(errs.Transient, "injected: the answer of %s %s was lost", kind, name)
	}
	return nil
}

// Get is Store.Get.
func (s *Store) Get(ctx context.Context, name string) (data []byte, err error) {
	err = s.run("Get", name, func() (err error) { data, err = s.Store.Get(ctx, name); return })
	return
}

// Open is Store.Open.
func (s *Store) Open(ctx context.Context, name string) (r storage.Reader, err error) {
	err = s.run("Open", name, func() (err error) { r, err = s.Store.Open(ctx, name); return })
	return
}

// Put is Store.Put.
func (s *Store) Put(ctx context.Context, name string, data []byte) error {
	return s.run("Put", name, func() error { return s.Store.Put(ctx, name, data) })
}

// PutIfAbsent is Store.PutIfAbsent.
func (s *Store) PutIfAbsent(ctx context.Context, name string, data []byte) error {
	return s.run("PutIfAbsent", name, func() error { return s.Store.PutIfAbsent(ctx, name, data) })
}

// Create is Store.Create.
func (s *Store) Create(ctx context.Context, name string) (w storage.Writer, err error) {
	err = s.run("Create", name, func() (err error) { w, err = s.Store.Create(ctx, name); return })
	if err != nil {
		return nil, err
	}
	return &writer{w, s, name}, nil
}

type writer struct {
	storage.Writer
	s    *Store
	name string
}

func (w *writer) Close() error { return w.s.run("Close", w.name, w.Writer.Close) }

// Stat is Store.Stat.
func (s *Store) Stat(ctx context.Context, name string) (i storage.Info, err error) {
	err = s.run("Stat", name, func() (err error) { i, err = s.Store.Stat(ctx, name); return })
	return
}

// Delete is Store.Delete.
func (s *Store) Delete(ctx context.Context, name string) error {
	return s.run("Delete", name, func() error { return s.Store.Delete(ctx, name) })
}

// List is Store.List.
func (s *Store) List(ctx context.Context, prefix, startAfter string) iter.Seq2[storage.Info, error] {
	return func(yield func(storage.Info, error) bool) {
		if err := s.run("List", prefix, func() error { return nil }); err != nil {
			yield(storage.Info{}, err)
			return
		}
		s.Store.List(ctx, prefix, startAfter)(yield)
	}
}
