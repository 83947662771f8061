package state

import (
	"bufio"
	"context"

	"github.com/cockroachdb/pebble/v2"

	"millrace/errs"
	"millrace/storage"
)

// save begins to write the version just made as a snapshot if one is due, and then removes what no version that is kept needs. It goes on
// in the background: a failure only means that there are more changelogs to read until the next one. The caller holds the partition.
func (p *Provider) save(t *Txn) {
	part := t.part
	if part.at.number-part.snapshot < int64(t.spec.SnapshotEvery) || p.ctx.Err() != nil {
		return
	}
	p.mu.Lock()
	busy := part.saving
	part.saving = true
	p.mu.Unlock()
	if busy {
		return
	}
	part.snapshot = part.at.number
	s := &saver{p: p, s: t.s, spec: t.spec, at: part.place, version: part.at, prefix: part.prefix, snapshot: p.db.NewSnapshot()}
	p.background.Go(func() {
		err := s.run(p.ctx)
		s.snapshot.Close()
		p.mu.Lock()
		part.saving = false
		p.mu.Unlock()
		if err != nil && p.ctx.Err() == nil {
			p.o.Log.Warn("a state's snapshot was not written; the next one will be tried", "location", s.spec.Location, "operator", s.spec.Operator,
				"partition", s.spec.Partition, "version", s.version.number, "error", err)
		}
	})
}

// saver writes one snapshot.
type saver struct {
	p        *Provider
	s        storage.Store
	spec     Spec
	at       place
	version  version
	prefix   []byte
	snapshot *pebble.Snapshot
}

func (s *saver) run(ctx context.Context) error {
	if err := s.write(ctx); err != nil {
		return err
	}
	return s.clean(ctx)
}

func (s *saver) write(ctx context.Context) error {
	w, err := s.s.Create(ctx, fileName(s.at, s.version.number, snapshotKind))
	if err != nil {
		return err
	}
	defer w.Abort()
	out := bufio.NewWriterSize(w, 1<<20)
	f, err := newFileWriter(out, s.spec.header(snapshotKind, s.version.number))
	if err != nil {
		return err
	}
	var record []byte
	rows := int64(0)
	err = scan(s.snapshot, s.prefix, func(key, value []byte) error {
		record = Change{Key: key, Value: value, Updated: true}.append(record[:0])
		rows++
		if err := f.add(record, 1); err != nil {
			return err
		}
		return ctx.Err()
	})
	if err != nil {
		return err
	}
	if rows != s.version.rows {
		return errs.Newf(errs.Internal, "the copy has %d keys and version %d has %d", rows, s.version.number, s.version.rows)
	}
	if err := f.finish(s.version.footer()); err != nil {
		return err
	}
	if err := out.Flush(); err != nil {
		return err
	}
	return w.Close()
}

// clean removes the files that are below the latest snapshot from which on every version that is to be kept can be made.
func (s *saver) clean(ctx context.Context) error {
	files, err := list(ctx, s.s, s.at)
	if err != nil {
		return err
	}
	base := int64(0)
	for _, f := range files {
		if f.kind == snapshotKind && f.version <= s.version.number-int64(s.spec.Retain) {
			base = max(base, f.version)
		}
	}
	for _, f := range files {
		if f.version < base || f.version == base && f.kind == deltaKind {
			if err := s.s.Delete(ctx, f.name); err != nil {
				return err
			}
		}
	}
	return nil
}
