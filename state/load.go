package state

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/cockroachdb/pebble/v2"

	"millrace/errs"
	"millrace/storage"
)

const (
	deltaKind    = "delta"
	snapshotKind = "snapshot"
)

func dirOf(at place) string { return fmt.Sprintf("%d/%d/", at.operator, at.partition) }

func fileName(at place, version int64, kind string) string {
	return dirOf(at) + strconv.FormatInt(version, 10) + "." + kind
}

// stateFile is a file by its name.
type stateFile struct {
	name    string
	version int64
	kind    string
}

// parseName reads the name of a partition's file; false for files of others.
func parseName(name string) (f stateFile, ok bool) {
	base := name[strings.LastIndexByte(name, '/')+1:]
	number, kind, _ := strings.Cut(base, ".")
	v, err := strconv.ParseInt(number, 10, 64)
	if err != nil || v < 1 || kind != deltaKind && kind != snapshotKind {
		return f, false
	}
	return stateFile{name, v, kind}, true
}

func list(ctx context.Context, s storage.Store, at place) ([]stateFile, error) {
	var files []stateFile
	for info, err := range s.List(ctx, dirOf(at), "") {
		if err != nil {
			return nil, err
		}
		if f, ok := parseName(info.Name); ok {
			files = append(files, f)
		}
	}
	return files, nil
}

// loader brings a partition's copy to a version.
type loader struct {
	p    *Provider
	s    storage.Store
	spec Spec
	part *partition
}

// roll applies the changelogs from the copy's version on. Without error the copy is at spec.Version.
func (l *loader) roll(ctx context.Context) error {
	for l.part.at.number < l.spec.Version {
		next := l.part.at.number + 1
		records, v, err := l.readDelta(ctx, next, &l.part.at.chain, "")
		if err != nil {
			return err
		}
		if err := l.p.apply(l.part, records); err != nil {
			return err
		}
		l.part.at = v
	}
	return nil
}

// load reads the version from the latest snapshot at or below it and the changelogs since. Files that have gone while it read were removed below
// a later snapshot, from which it then begins again.
func (l *loader) load(ctx context.Context) error {
	var err error
	for last := int64(-1); ; {
		base, listed := l.base(ctx)
		if listed != nil {
			return listed
		}
		if base == last {
			return err
		}
		if err = l.from(ctx, base); err == nil || !gone(err) {
			return err
		}
		last = base
	}
}

// gone reports whether an error is that of a file that is not there.
func gone(err error) bool {
	return errs.Is(err, errs.NotFound) || errs.ConditionOf(err) == "CANNOT_LOAD_STATE_STORE.CANNOT_READ_DELTA_FILE_NOT_EXISTS"
}

// base is the latest snapshot's version at or below the wanted one; 0: none, the state begins empty.
func (l *loader) base(ctx context.Context) (base int64, err error) {
	if l.spec.Version == 0 {
		return 0, nil
	}
	files, err := list(ctx, l.s, l.part.place)
	for _, f := range files {
		if f.kind == snapshotKind && f.version <= l.spec.Version {
			base = max(base, f.version)
		}
	}
	return base, err
}

// from reads the version from a snapshot on.
func (l *loader) from(ctx context.Context, base int64) error {
	l.p.drop(l.part)
	l.part.query, l.part.run = l.spec.Query, l.spec.Run
	l.part.at, l.part.snapshot, l.part.prefix = version{}, base, l.p.freshPrefix()
	if base > 0 {
		if err := l.readSnapshot(ctx, base); err != nil {
			return err
		}
	}
	if err := l.roll(ctx); err != nil {
		return err
	}
	l.part.loaded = true
	return nil
}

func (l *loader) readSnapshot(ctx context.Context, number int64) error {
	name := fileName(l.part.place, number, snapshotKind)
	f, err := l.s.Open(ctx, name)
	if err != nil {
		return errs.Wrap(err, "read the state of version %d", number)
	}
	defer f.Close()
	in := bufio.NewReaderSize(io.NewSectionReader(f, 0, f.Size()), 1<<20)
	end, err := readFile(in, l.check(name, snapshotKind, number, nil), func(records []byte) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return l.p.apply(l.part, records)
	})
	if err != nil {
		return l.damaged(name, err)
	}
	l.part.at, err = end.version(number)
	return l.damaged(name, err)
}

func (f footer) version(number int64) (version, error) {
	c, err := parseChain(f.Chain)
	return version{number, c, f.Rows, f.Bytes}, err
}

// readDelta reads the changelog that makes a version from the one whose chain is parent; nil: from whichever it names.
func (l *loader) readDelta(ctx context.Context, number int64, parent *chain, input string) ([]byte, version, error) {
	name := fileName(l.part.place, number, deltaKind)
	data, err := l.s.Get(ctx, name)
	if errs.Is(err, errs.NotFound) {
		return nil, version{}, errs.New("CANNOT_LOAD_STATE_STORE.CANNOT_READ_DELTA_FILE_NOT_EXISTS", "fileToRead", storage.Join(l.s.URL(), name),
			"clazz", "the state store")
	}
	if err != nil {
		return nil, version{}, err
	}
	var records []byte
	var from chain
	check := l.check(name, deltaKind, number, func(h header) (err error) {
		if from, err = parseChain(h.Parent); err != nil {
			return err
		}
		switch {
		case parent != nil && from != *parent:
			return errs.Newf(errs.Invalid, "it does not follow from version %d: files of different checkpoints are mixed", number-1)
		case input != "" && h.Input != "" && h.Input != input:
			return errs.Newf(errs.Invalid, "another input has made it: the checkpoint's offsets were changed after batch %d had run. "+
				"Remove the state files of version %d and later, or use a new checkpoint location", number-1, number)
		}
		return nil
	})
	end, err := readFile(bytes.NewReader(data), check, func(r []byte) error {
		if records == nil {
			records = r
		} else {
			records = append(records, r...)
		}
		return nil
	})
	if err != nil {
		return nil, version{}, l.damaged(name, err)
	}
	v, err := end.version(number)
	link := newLinker(from)
	link.add(records)
	if err == nil && link.sum() != v.chain {
		err = errDamaged
	}
	return records, v, l.damaged(name, err)
}

// check compares a file's header with what is wanted.
func (l *loader) check(name, kind string, number int64, more func(header) error) func(header) error {
	return func(h header) error {
		at := l.part.place
		switch {
		case h.Kind != kind || h.Operator != at.operator || h.Partition != at.partition || h.Version != number:
			return errs.Newf(errs.Invalid, "it is the %s of operator %d, partition %d, version %d", h.Kind, h.Operator, h.Partition, h.Version)
		case h.Query != l.spec.Query:
			return errs.Newf(errs.Invalid, "it belongs to the streaming query %s and not to %s: use a new checkpoint location", h.Query, l.spec.Query)
		case h.Partitions != l.spec.Partitions:
			return errs.Newf(errs.Invalid, "it is one of %d partitions and not of %d", h.Partitions, l.spec.Partitions)
		case h.Key != l.spec.Key:
			return errs.New("STATE_STORE_KEY_SCHEMA_NOT_COMPATIBLE", "storedKeySchema", h.Key, "newKeySchema", l.spec.Key)
		case h.Value != l.spec.Value:
			return errs.New("STATE_STORE_VALUE_SCHEMA_NOT_COMPATIBLE", "storedValueSchema", h.Value, "newValueSchema", l.spec.Value)
		case more != nil:
			return more(h)
		}
		return nil
	}
}

// damaged adds the file's name to an error of its content.
func (l *loader) damaged(name string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errDamaged):
		return errs.Newf(errs.Invalid, "the state file %s is damaged: its checksum or its structure is wrong. Put it back from a backup, or use a new checkpoint location",
			storage.Join(l.s.URL(), name))
	}
	return errs.Wrap(err, "read the state file %s", storage.Join(l.s.URL(), name))
}

// apply writes records into a copy.
func (p *Provider) apply(part *partition, records []byte) error {
	b := p.db.NewBatch()
	defer b.Close()
	key := append([]byte(nil), part.prefix...)
	for len(records) > 0 {
		c, rest, err := nextChange(records)
		if err != nil {
			return err
		}
		records, key = rest, append(key[:len(part.prefix)], c.Key...)
		if c.Removed {
			err = b.Delete(key, nil)
		} else {
			err = b.Set(key, c.Value, nil)
		}
		if err != nil {
			return errs.Wrap(err, "write a state's copy")
		}
		if b.Len() > 8<<20 {
			if err := b.Commit(pebble.NoSync); err != nil {
				return errs.Wrap(err, "write a state's copy")
			}
			b.Reset()
		}
	}
	return errs.Wrap(b.Commit(pebble.NoSync), "write a state's copy")
}
