package state

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"millrace/errs"
	"millrace/storage"
)

// Txn is a partition at a version and the changes that make the next one. It holds the partition until Commit or Close; for one goroutine.
type Txn struct {
	p    *Provider
	s    storage.Store
	spec Spec
	part *partition
	held bool

	changes []byte
	count   int64
	rows    int64 // what the changes add
	bytes   int64
	key     []byte
	stats   Stats
	done    bool // the copy is at the next version already, and changes is what made it
}

// Stats is what a batch did to a partition.
type Stats struct {
	Rows, Bytes      int64 // of the version made: keys, and bytes of keys and values
	Updated, Removed int64
	Reloaded         bool // the version read came from the checkpoint
	Load, Commit     time.Duration
}

// Open returns a partition at a version, read from the checkpoint where the copy is not good. It waits for others that hold the partition.
func (p *Provider) Open(ctx context.Context, spec Spec) (*Txn, error) {
	if spec.SnapshotEvery <= 0 {
		spec.SnapshotEvery = 10
	}
	if spec.Retain <= 0 {
		spec.Retain = 100
	}
	s, err := p.store(spec.Location)
	if err != nil {
		return nil, err
	}
	begin := time.Now()
	part, err := p.acquire(ctx, place{spec.Location, spec.Operator, spec.Partition})
	if err != nil {
		return nil, err
	}
	t := &Txn{p: p, s: s, spec: spec, part: part, held: true}
	if err := t.bring(ctx); err != nil {
		p.drop(part)
		t.Close()
		return nil, errs.Wrap(err, "load the state of operator %d, partition %d at version %d", spec.Operator, spec.Partition, spec.Version)
	}
	t.stats.Load = time.Since(begin)
	return t, nil
}

// bring makes the copy the wanted version.
func (t *Txn) bring(ctx context.Context) error {
	l := &loader{t.p, t.s, t.spec, t.part}
	mine := t.part.loaded && t.part.run == t.spec.Run && t.part.query == t.spec.Query
	switch {
	case mine && t.part.at.number == t.spec.Version:
		return nil
	case mine && t.part.at.number == t.spec.Version+1:
		records, v, err := l.readDelta(ctx, t.part.at.number, nil, t.spec.Input)
		if err != nil {
			return err
		}
		if v.chain == t.part.at.chain {
			t.changes, t.done = records, true
			return nil
		}
	case mine && t.part.at.number < t.spec.Version:
		t.stats.Reloaded = true
		t.part.loaded = false
		err := l.roll(ctx)
		if err == nil {
			t.part.loaded = true
			return nil
		}
		if ctx.Err() != nil {
			return err
		}
	}
	t.stats.Reloaded = true
	return l.load(ctx)
}

// Done reports whether the next version is there already, made by an earlier run of the batch: then only Commit is left to call.
func (t *Txn) Done() bool { return t.done }

// Get is a key's value in the version read, or nil. It is valid until the closer is called, which is nil for nil.
func (t *Txn) Get(key []byte) (value []byte, free func() error, err error) {
	t.key = append(append(t.key[:0], t.part.prefix...), key...)
	v, closer, err := t.p.db.Get(t.key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, errs.Wrap(err, "read a state's copy")
	}
	return v, closer.Close, nil
}

// Scan calls each for all keys of the version read, in their order. The slices are valid during the call.
func (t *Txn) Scan(each func(key, value []byte) error) error {
	return scan(t.p.db, t.part.prefix, each)
}

// Change adds a change; every key at most once. had is the length of the value that Get gave, -1 where it gave none. The slices are
// copied.
func (t *Txn) Change(c Change, had int) {
	t.changes = c.append(t.changes)
	t.count++
	if had >= 0 {
		t.rows--
		t.bytes -= int64(len(c.Key) + had)
	}
	if !c.Removed {
		t.rows++
		t.bytes += int64(len(c.Key) + len(c.Value))
	}
}

// Size is the bytes that the changes take.
func (t *Txn) Size() int64 { return int64(cap(t.changes)) }

// Commit makes the next version of the changes, or takes the outcome of an attempt that was faster. It gives the partition back,
// also with an error; then the version may have been made or not.
func (t *Txn) Commit(ctx context.Context) (*View, error) {
	defer t.Close()
	begin := time.Now()
	if !t.done {
		next, err := t.put(ctx)
		if err != nil {
			return nil, errs.Wrap(err, "save the state of operator %d, partition %d at version %d", t.spec.Operator, t.spec.Partition, t.spec.Version+1)
		}
		t.part.loaded = false
		if err := t.p.apply(t.part, t.changes); err != nil {
			return nil, err
		}
		t.part.at, t.part.loaded = next, true
	}
	t.stats.Rows, t.stats.Bytes = t.part.at.rows, t.part.at.bytes
	t.stats.Commit = time.Since(begin)
	v := &View{changes: t.changes, prefix: t.part.prefix, snapshot: t.p.db.NewSnapshot(), stats: t.stats}
	v.count()
	t.p.save(t)
	return v, nil
}

// put writes the changelog, and replaces the changes by those of the file if there is one.
func (t *Txn) put(ctx context.Context) (version, error) {
	was := t.part.at
	link := newLinker(was.chain)
	link.add(t.changes)
	next := version{was.number + 1, link.sum(), was.rows + t.rows, was.bytes + t.bytes}
	var file bytes.Buffer
	h := t.spec.header(deltaKind, next.number)
	h.Parent, h.Input = was.chain.String(), t.spec.Input
	w, err := newFileWriter(&file, h)
	if err != nil {
		return next, err
	}
	if err := w.addAll(t.changes); err != nil {
		return next, err
	}
	if err := w.finish(next.footer()); err != nil {
		return next, err
	}
	err = t.s.PutIfAbsent(ctx, fileName(t.part.place, next.number, deltaKind), file.Bytes())
	if errs.Is(err, errs.Conflict) {
		l := &loader{t.p, t.s, t.spec, t.part}
		t.changes, next, err = l.readDelta(ctx, next.number, &was.chain, t.spec.Input)
	}
	return next, err
}

func (v version) footer() footer {
	return footer{Rows: v.rows, Bytes: v.bytes, Chain: v.chain.String()}
}

// addAll cuts records into frames.
func (f *fileWriter) addAll(records []byte) error {
	for len(records) > 0 {
		n, rest := int64(0), records
		for len(rest) > 0 && len(records)-len(rest) < frameBytes {
			_, r, err := nextChange(rest)
			if err != nil {
				return err
			}
			n, rest = n+1, r
		}
		if err := f.add(records[:len(records)-len(rest)], n); err != nil {
			return err
		}
		records = rest
	}
	return nil
}

func (s Spec) header(kind string, number int64) header {
	return header{Kind: kind, Query: s.Query, Operator: s.Operator, Partition: s.Partition, Partitions: s.Partitions, Version: number, Key: s.Key,
		Value: s.Value}
}

// Close gives the partition back without changing it. It may be called again, and after Commit.
func (t *Txn) Close() {
	if t.held {
		t.held = false
		t.part.release()
	}
}

// View is a version that a batch has made: what it changed, and all of it. For one goroutine; the partition is free meanwhile.
type View struct {
	changes  []byte
	prefix   []byte
	snapshot *pebble.Snapshot
	stats    Stats
}

func (v *View) count() {
	for rest := v.changes; len(rest) > 0; {
		c, r, err := nextChange(rest)
		if err != nil {
			return
		}
		if c.Updated {
			v.stats.Updated++
		}
		if c.Removed {
			v.stats.Removed++
		}
		rest = r
	}
}

// Stats is what the batch did.
func (v *View) Stats() Stats { return v.stats }

// Changes begins to list what the batch changed, always in the same order.
func (v *View) Changes() *Changes { return &Changes{rest: v.changes} }

// Changes lists changes.
type Changes struct{ rest []byte }

// Next is the next change; false at the end.
func (c *Changes) Next() (Change, bool, error) {
	if len(c.rest) == 0 {
		return Change{}, false, nil
	}
	next, rest, err := nextChange(c.rest)
	c.rest = rest
	return next, err == nil, err
}

// All begins to list all keys of the version, in their order. The iterator is to be closed before the view.
func (v *View) All() (*All, error) {
	it, err := v.snapshot.NewIter(&pebble.IterOptions{LowerBound: v.prefix, UpperBound: after(v.prefix)})
	if err != nil {
		return nil, errs.Wrap(err, "read a state's copy")
	}
	return &All{it: it, skip: len(v.prefix)}, nil
}

// All lists keys and values.
type All struct {
	it    *pebble.Iterator
	skip  int
	begun bool
}

// Next is the next key and value, valid until the following call; false at the end.
func (a *All) Next() (key, value []byte, ok bool, err error) {
	if a.begun {
		ok = a.it.Next()
	} else {
		a.begun, ok = true, a.it.First()
	}
	if !ok {
		return nil, nil, false, errs.Wrap(a.it.Error(), "read a state's copy")
	}
	value, err = a.it.ValueAndErr()
	return a.it.Key()[a.skip:], value, err == nil, errs.Wrap(err, "read a state's copy")
}

// Close ends the list.
func (a *All) Close() error { return a.it.Close() }

// Close frees the view.
func (v *View) Close() error { return v.snapshot.Close() }

func scan(r pebble.Reader, prefix []byte, each func(key, value []byte) error) error {
	it, err := r.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: after(prefix)})
	if err != nil {
		return errs.Wrap(err, "read a state's copy")
	}
	defer it.Close()
	for ok := it.First(); ok; ok = it.Next() {
		value, err := it.ValueAndErr()
		if err != nil {
			return errs.Wrap(err, "read a state's copy")
		}
		if err := each(it.Key()[len(prefix):], value); err != nil {
			return err
		}
	}
	return errs.Wrap(it.Error(), "read a state's copy")
}
