package engine

import (
	"context"
	"encoding/json"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/google/uuid"

	"millrace/errs"
	"millrace/plan"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/storage"
	"millrace/types"
)

// A write to a catalogued table of files has a record in the catalog's store. While the record says nothing its files, whose names begin with
// part- and the write's identifier, do not count. A write that only adds is there when its record goes. One that replaces is there when its
// record lists the files that it replaces, which do not count from then on; when they are deleted the record goes too. What a failed write, or
// one whose coordinator died, has left is never read. Of two writes that replace, the later one replaces what the earlier one has written as
// well: each changes, in one step with its record, the key that names the last, and looks again for what it replaces when that is another by then.
type writeRecord struct {
	Gone []string `json:"gone,omitempty"`
}

const (
	writePrefix     = "/millrace/catalog/files/"
	overwritePrefix = "/millrace/catalog/overwritten/"
)

// maxGone bounds a record, which etcd takes up to about a megabyte of.
const maxGone = 1 << 20

func (c *Catalog) writesKey(location string) string { return writePrefix + placeKey(location) + "/" }

// overwriteKey is the key that names the last write that has replaced files of a location.
func (c *Catalog) overwriteKey(location string) string { return overwritePrefix + placeKey(location) }

func placeKey(location string) string { return url.PathEscape(strings.TrimRight(location, "/")) }

// writes are the records of a location by their writes' identifiers.
func (c *Catalog) writes(ctx context.Context, location string) (map[string]writeRecord, error) {
	prefix := c.writesKey(location)
	pairs, err := c.kv.List(ctx, prefix)
	if err != nil {
		return nil, err
	}
	out := map[string]writeRecord{}
	for key, value := range pairs {
		var r writeRecord
		if err := json.Unmarshal(value, &r); err != nil {
			return nil, errs.Newf(errs.Internal, "the record of a write to %s cannot be read: %v", location, err)
		}
		out[strings.TrimPrefix(key, prefix)] = r
	}
	return out, nil
}

// hiddenFiles tells which files of a location do not count; nil: all do.
func (st *statement) hiddenFiles(location string) (func(name string) bool, error) {
	records, err := st.e.o.Catalog.writes(st.ctx, location)
	if err != nil || len(records) == 0 {
		return nil, err
	}
	gone, pending := map[string]bool{}, []string{}
	for id, r := range records {
		if r.Gone == nil {
			pending = append(pending, filePrefix(id))
		}
		for _, name := range r.Gone {
			gone[name] = true
		}
	}
	return func(name string) bool {
		base := path.Base(name)
		return gone[name] || slices.ContainsFunc(pending, func(p string) bool { return strings.HasPrefix(base, p) })
	}, nil
}

func filePrefix(id string) string { return "part-" + id + "-" }

// fileWrite is a write of rows to a catalogued table of files.
type fileWrite struct {
	entry     *Entry
	input     plan.Node // its columns are the table's; nil: no rows
	overwrite bool
	within    []string // an overwrite replaces the files below these directories only; none: all files
	dynamic   bool     // an overwrite replaces the partitions that it writes to
	create    bool     // the table gets its name with its rows
}

// writeTableFiles writes, and makes what was written count.
func (st *statement) writeTableFiles(w fileWrite) error {
	if st.transaction() != nil {
		return errs.Unsupportedf("A transaction cannot write to a table of %s files.", w.entry.Provider)
	}
	if st.checking {
		return nil
	}
	c, location := st.e.o.Catalog, w.entry.Location
	store, err := storage.Open(location)
	if err != nil {
		return err
	}
	defer st.e.frames.written(store.URL())
	if err := st.sweep(store, location); err != nil {
		return err
	}
	id := uuid.NewString()
	key := c.writesKey(location) + id
	if _, err := c.kv.Create(st.ctx, key, []byte("{}")); err != nil {
		return err
	}
	written, err := st.runFiles(store, id, w)
	if err != nil {
		st.abandon(store, key, id)
		return err
	}
	return st.decide(store, key, id, w, written)
}

// decide makes the written files count, in the place of those that an overwrite replaces, and gives a new table its name, in one step. If the step
// itself fails the record tells whether it was made, so that nothing may be deleted.
func (st *statement) decide(store storage.Store, key, id string, w fileWrite, written []string) error {
	c := st.e.o.Catalog
	for {
		when, then := map[string][]byte{}, map[string][]byte{key: nil}
		gone, err := st.replacing(store, id, w, written, when, then)
		if w.entry.Name != "" {
			then[statisticsKey(w.entry)] = nil
		}
		if err == nil && w.create {
			name := tableKey(w.entry.Namespace, w.entry.Name)
			if then[name], err = json.Marshal(w.entry); !w.overwrite {
				when[name] = nil
			}
		}
		if err == nil && len(then[key]) > maxGone {
			err = errs.Unsupportedf("An overwrite that replaces as many as %d files of a %s table is not supported yet.", len(gone), w.entry.Provider)
		}
		if err != nil {
			st.abandon(store, key, id)
			return err
		}
		done, err := c.kv.Change(st.ctx, when, then)
		if err != nil {
			return err
		}
		if done {
			if len(gone) > 0 {
				_ = st.discard(store, key, gone) // the write is there; the next one deletes what is left
			}
			return nil
		}
		if !w.overwrite { // another table has got the name
			st.abandon(store, key, id)
			return orExists(nil, w.entry.Namespace, w.entry.Name)
		}
	}
}

// replacing lists the files that count now and that an overwrite replaces, and adds what it needs to the step that decides it.
func (st *statement) replacing(store storage.Store, id string, w fileWrite, written []string, when, then map[string][]byte) ([]string, error) {
	if !w.overwrite {
		return nil, nil
	}
	c := st.e.o.Catalog
	last := c.overwriteKey(w.entry.Location)
	before, err := c.kv.Get(st.ctx, last)
	if err != nil {
		return nil, err
	}
	gone, err := st.replacedFiles(store, w, written)
	when[last], then[last] = before, []byte(id)
	if err == nil && len(gone) > 0 {
		then[c.writesKey(w.entry.Location)+id], err = json.Marshal(writeRecord{Gone: gone})
	}
	return gone, err
}

// sweep deletes what earlier writes have replaced and not got round to deleting.
func (st *statement) sweep(store storage.Store, location string) error {
	records, err := st.e.o.Catalog.writes(st.ctx, location)
	if err != nil {
		return err
	}
	for id, r := range records {
		if r.Gone != nil {
			if err := st.discard(store, st.e.o.Catalog.writesKey(location)+id, r.Gone); err != nil {
				return err
			}
		}
	}
	return nil
}

// discard deletes replaced files, and then their record.
func (st *statement) discard(store storage.Store, key string, names []string) error {
	for _, name := range names {
		if err := store.Delete(st.ctx, name); err != nil {
			return err
		}
	}
	return st.e.o.Catalog.kv.Delete(st.ctx, key)
}

// abandon deletes the files of a write that came to nothing. Their record stays unless all are gone.
func (st *statement) abandon(store storage.Store, key, id string) {
	ctx := context.WithoutCancel(st.ctx)
	if err := dropUnreported(ctx, store, filePrefix(id), nil); err == nil {
		_ = st.e.o.Catalog.kv.Delete(ctx, key) // a record of no files does no harm
	}
}

// runFiles writes the rows and returns the files' names below the table. Files of attempts that were given up are deleted.
func (st *statement) runFiles(store storage.Store, id string, w fileWrite) ([]string, error) {
	if w.input == nil {
		return nil, nil
	}
	schema, err := w.entry.fileSchema()
	if err != nil {
		return nil, err
	}
	options, err := st.sinkOptions(w.entry.Provider, w.entry.Options)
	if err != nil {
		return nil, err
	}
	sink := &planpb.FileSink{Format: w.entry.Provider, Path: store.URL(), Options: options, Prefix: filePrefix(id)}
	inFiles := types.Struct()
	for i, f := range schema.Fields {
		sink.Columns = append(sink.Columns, &planpb.FileColumn{Name: f.Name})
		if i >= len(schema.Fields)-len(w.entry.PartitionBy) {
			sink.PartitionColumns = append(sink.PartitionColumns, uint32(i))
		} else {
			inFiles.Fields = append(inFiles.Fields, f)
		}
	}
	sink.SchemaJson = inFiles.JSON()
	return st.sinkFiles(store, sink, w.entry.Buckets.into(sink, schema, w.input))
}

// sinkFiles runs the input into the files of a sink with a prefix of its own, and returns their names.
func (st *statement) sinkFiles(store storage.Store, sink *planpb.FileSink, input plan.Node) ([]string, error) {
	rows, err := st.written(input, sink)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(rows))
	for i, r := range rows {
		names[i] = r[0].(string)
	}
	return names, dropUnreported(st.ctx, store, sink.Prefix, names)
}

// dropUnreported deletes the files whose names begin with a prefix and that are not among those reported.
func dropUnreported(ctx context.Context, store storage.Store, prefix string, reported []string) error {
	known := map[string]bool{}
	for _, name := range reported {
		known[name] = true
	}
	var extra []string
	for f, err := range store.List(ctx, "", "") {
		if errs.Is(err, errs.NotFound) {
			break
		}
		if err != nil {
			return err
		}
		if strings.HasPrefix(path.Base(f.Name), prefix) && !known[f.Name] {
			extra = append(extra, f.Name)
		}
	}
	for _, name := range extra {
		if err := store.Delete(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// replacedFiles are the files that count now and that an overwrite replaces.
func (st *statement) replacedFiles(store storage.Store, w fileWrite, written []string) ([]string, error) {
	hidden, err := st.hiddenFiles(w.entry.Location)
	if err != nil {
		return nil, err
	}
	all, err := st.filesIn(store)
	if err != nil {
		return nil, err
	}
	fresh, dirs := map[string]bool{}, map[string]bool{}
	for _, name := range written {
		fresh[name], dirs[path.Dir(name)] = true, true
	}
	var gone []string
	for _, name := range all {
		switch {
		case fresh[name] || hidden != nil && hidden(name) || strings.HasPrefix(path.Base(name), "_") || strings.HasPrefix(path.Base(name), "."):
		case w.dynamic && !dirs[path.Dir(name)]:
		case len(w.within) > 0 && !slices.ContainsFunc(w.within, func(dir string) bool { return strings.HasPrefix(name, dir+"/") }):
		default:
			gone = append(gone, name)
		}
	}
	return gone, nil
}
