package source

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	"millrace/delta"
	"millrace/errs"
	"millrace/types"
)

// span is the files between two offsets.
func (d *Delta) span(ctx context.Context, start, end string) ([]*delta.Add, error) {
	if end == "" || end == start {
		return nil, nil
	}
	to, err := parseDelta(end)
	if err != nil {
		return nil, err
	}
	if to.TableID != d.base.Metadata.ID {
		return nil, d.otherTable(to.TableID, d.base.Metadata.ID)
	}
	from, err := d.spanStart(ctx, start, to)
	if err != nil {
		return nil, err
	}
	var files []*delta.Add
	for at := from; ; {
		all, found, err := d.version(ctx, at)
		if err != nil {
			return nil, err
		}
		last := at.Version == to.Version && at.Initial == to.Initial
		if last && to.Index == none {
			return files, nil
		}
		if !found {
			return nil, errs.Newf(errs.Invalid, "The checkpoint says that the stream has read up to %s, but the table %s has no such version. "+
				"It may have been restored from a copy; start again with a new checkpoint location.", to, d.log.URL())
		}
		stop := int64(len(all))
		if last {
			stop = min(to.Index+1, stop)
		}
		if at.Index+1 < stop {
			files = append(files, all[at.Index+1:stop]...)
		}
		if last {
			return files, nil
		}
		if at.Version > to.Version {
			return nil, errs.Newf(errs.Invalid, "The checkpoint's offset %s lies before %s.", to, from)
		}
		at.Version, at.Index, at.Initial = at.Version+1, none, false
	}
}

// spanStart is where a span begins. Of a stream's first batch the checkpoint tells only the end: it began with the table as it was just
// before that, or where the options say.
func (d *Delta) spanStart(ctx context.Context, start string, to deltaOffset) (deltaOffset, error) {
	if start != "" {
		at, _, err := d.begin(ctx, start)
		return at, err
	}
	if d.origin != nil {
		return *d.origin, nil
	}
	at := deltaOffset{1, to.TableID, to.Version, none, true}
	switch {
	case to.Initial:
	case d.opt.startVersion != nil || d.opt.startTime != nil:
		return d.first(ctx)
	case d.opt.startLatest: // its first batch is one version's, see Latest
		at.Initial = false
		if to.Index == none {
			at.Version--
		}
	default:
		at.Version--
	}
	return at, nil
}

// judge takes from a version's actions what a stream reads, and why it may not where the version does more than to add rows.
func (d *Delta) judge(version int64, actions []delta.Action) *commit {
	c := &commit{}
	var removed *delta.Remove
	var info *delta.CommitInfo
	for i := range actions {
		a := &actions[i]
		switch {
		case a.Add != nil && a.Add.DataChange:
			c.adds = append(c.adds, a.Add)
		case a.Remove != nil && a.Remove.DataChange && removed == nil:
			removed = a.Remove
		case a.CommitInfo != nil:
			info = a.CommitInfo
		case a.Metadata != nil && c.change == nil:
			c.change = d.judgeMetadata(version, a.Metadata)
		case a.Protocol != nil && c.change == nil:
			c.change = a.Protocol.CheckRead(d.log.URL())
		}
	}
	switch {
	case c.change != nil || removed == nil || d.opt.feed:
	case d.opt.skipChanges:
		c.adds = nil
	case len(c.adds) > 0 && !d.opt.ignoreChanges:
		c.change = errs.New("DELTA_SOURCE_TABLE_IGNORE_CHANGES", "file", operation(info), "version", strconv.FormatInt(version, 10), "dataPath", d.log.URL())
	case len(c.adds) == 0 && !d.opt.ignoreDeletes && !d.opt.ignoreChanges:
		c.change = errs.New("DELTA_SOURCE_IGNORE_DELETE", "removedFile", removed.Path, "version", strconv.FormatInt(version, 10), "dataPath", d.log.URL())
	}
	return c
}

// operation is how Delta names the commit that an error is about: DELETE (Map(predicate -> "[]")).
func operation(info *delta.CommitInfo) string {
	if info == nil {
		return ""
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(info.OperationParameters)) {
		parts = append(parts, name+" -> "+string(info.OperationParameters[name]))
	}
	return info.Operation + " (Map(" + strings.Join(parts, ", ") + "))"
}

// judgeMetadata refuses a version whose columns are not the stream's. One from before the query's start may lack columns that came later.
func (d *Delta) judgeMetadata(version int64, m *delta.Metadata) error {
	if m.ID != d.base.Metadata.ID {
		return d.otherTable(d.base.Metadata.ID, m.ID)
	}
	schema, err := delta.ParseSchema(m.SchemaString)
	if err != nil {
		return err
	}
	if readable(schema, d.base.Schema(), version > d.base.Version) {
		return nil
	}
	return errs.New("DELTA_SCHEMA_CHANGED_WITH_VERSION", "version", strconv.FormatInt(version, 10),
		"readSchema", delta.TreeString(d.base.Schema())+"\n", "dataSchema", delta.TreeString(schema)+"\n")
}

// readable reports whether files of one schema can be read as those of another: each column is there with its type. With same both have
// the same columns.
func readable(schema, as *types.Type, same bool) bool {
	if same && len(schema.Fields) != len(as.Fields) {
		return false
	}
	for _, f := range schema.Fields {
		g, i := as.Field(f.Name, true)
		if i < 0 || !f.Type.SameData(g.Type) || f.Nullable && !g.Nullable {
			return false
		}
	}
	return true
}
