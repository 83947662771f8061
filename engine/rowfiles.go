package engine

import (
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"
	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"millrace/delta"
	"millrace/delta/log"
	"millrace/errs"
	"millrace/plan"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/storage"
	"millrace/table/deltatable"
	"millrace/types"
)

// changes is what a statement does to the files of a table.
type changes struct {
	added  []*delta.Add                // with rows that come
	images []*delta.AddCDC             // for the change data feed
	gone   map[int32]*roaring64.Bitmap // rows that go, by file
	counts map[int32]int64             // rows by what becomes of them
	twice  int64                       // how often a row went that had gone already

	removed []*delta.Add // files of which no row is left
	grown   []regrown    // files with more deleted rows
	copied  []*delta.Add // files that are written anew, under the vectors of the rows that are gone
	copies  int64        // rows in them
	sources int64        // rows of a MERGE's source
	whole   bool         // files were removed without looking into them
	rewrite time.Duration
}

// add joins what other rows have changed.
func (r *changes) add(other *changes) {
	r.added, r.images = append(r.added, other.added...), append(r.images, other.images...)
	for op, n := range other.counts {
		r.counts[op] += n
	}
}

// regrown is a file before and after.
type regrown struct{ old, now *delta.Add }

func (r *changes) touched() int { return len(r.added) + len(r.gone) + len(r.removed) }

// run runs a query whose first three columns are as the sink of changes has them, followed by so many of the row that comes and, where a feed is kept,
// those of the row that goes.
func (c *rowChange) run(q plan.Node, columns int) (*changes, error) {
	st := c.st
	if err := st.agree(); err != nil {
		return nil, err
	}
	sink, err := st.fileSink(c.table.Log.URL(), c.metadata, c.schema)
	if err != nil {
		return nil, err
	}
	sink.Changes = &planpb.RowChanges{Columns: uint32(columns)}
	if c.feeds() && c.file != nil {
		sink.Changes.Images, sink.Changes.OldImages = imageSink(sink, c.schema), true
	}
	if columns > 0 && c.rowID != nil {
		keepRows(c.table, sink)
		sink.Changes.Columns += 2
	}
	rows, err := st.written(q, sink)
	if err != nil {
		return nil, err
	}
	c.scanned = time.Since(c.began)
	return c.report(rows)
}

// imageSink writes images of rows as the change data feed has them.
func imageSink(data *planpb.FileSink, schema *types.Type) *planpb.FileSink {
	s := proto.CloneOf(data)
	s.Changes, s.StatsColumns, s.StatsPaths, s.TightBounds = nil, 0, nil, false
	s.Directory, s.Prefix = "_change_data", "cdc-"
	s.Columns = append(s.Columns, &planpb.FileColumn{Name: "_change_type"})
	s.SchemaJson = types.Struct(append(slices.Clone(schema.Fields), types.Field{Name: "_change_type", Type: types.String, Nullable: true})...).JSON()
	return s
}

// report reads the sink's rows.
func (c *rowChange) report(rows [][]any) (*changes, error) {
	r := &changes{gone: map[int32]*roaring64.Bitmap{}, counts: map[int32]int64{}}
	for _, row := range rows {
		kind, file := row[6].(int64), int32(row[7].(int64))
		switch kind {
		case 0:
			a, err := addOf(row)
			if err != nil {
				return nil, err
			}
			r.added = append(r.added, a)
		case 1:
			a, err := addOf(row)
			if err != nil {
				return nil, err
			}
			r.images = append(r.images, &delta.AddCDC{Path: a.Path, PartitionValues: a.PartitionValues, Size: a.Size})
		case 2:
			b := roaring64.New()
			if err := b.UnmarshalBinary(row[8].([]byte)); err != nil {
				return nil, errs.Newf(errs.Internal, "the rows that go of file %d: %v", file, err)
			}
			r.twice += row[1].(int64)
			if have := r.gone[file]; have != nil {
				r.twice += int64(have.AndCardinality(b))
				have.Or(b)
			} else {
				r.gone[file] = b
			}
		case 3:
			r.counts[file] += row[5].(int64)
		}
	}
	return r, nil
}

// settle decides for each file with rows that go what becomes of it.
func (c *rowChange) settle(r *changes) error {
	var grow []regrown
	var rows []*roaring64.Bitmap
	for n, gone := range r.gone {
		a := c.placed.File(n)
		if a == nil {
			return errs.Newf(errs.Internal, "%s: there is no file %d", c.operation, n)
		}
		total, records, err := c.total(a, gone)
		if err != nil {
			return err
		}
		left := records - int64(total.GetCardinality())
		switch {
		case left < 0 || int64(total.Maximum()) >= records:
			return errs.Newf(errs.Internal, "%s: of %s with %d rows go rows up to %d", c.operation, a.Path, records, total.Maximum())
		case left == 0:
			r.removed = append(r.removed, a)
		case c.usesVectors():
			grow, rows = append(grow, regrown{a, a.WithRows(nil, records)}), append(rows, total)
		default:
			dv, err := delta.EncodeInline(total)
			if err != nil {
				return err
			}
			r.removed, r.copied = append(r.removed, a), append(r.copied, a.WithRows(dv, records))
			r.copies += left
		}
	}
	vectors, err := c.vectors(rows)
	if err != nil {
		return err
	}
	for i := range grow {
		grow[i].now.DeletionVector = vectors[i]
	}
	r.grown = grow
	return c.copy(r)
}

// total are all rows of a file that are gone after the statement, and the number of all rows that it ever had.
func (c *rowChange) total(a *delta.Add, gone *roaring64.Bitmap) (*roaring64.Bitmap, int64, error) {
	records, err := c.records(a)
	if err != nil || a.DeletionVector == nil {
		return gone, records, err
	}
	before, err := log.DeletedRows(c.st.ctx, c.table.Log.URL(), a.DeletionVector)
	if err != nil {
		return nil, 0, errs.Wrap(err, "read the deletion vector of %s", a.Path)
	}
	if before.Intersects(gone) {
		return nil, 0, errs.Newf(errs.Internal, "%s: of %s go rows that were gone already", c.operation, a.Path)
	}
	return roaring64.Or(before, gone), records, nil
}

// records is the number of rows in a data file, deleted ones included.
func (c *rowChange) records(a *delta.Add) (int64, error) {
	if n, ok := delta.ReadStats(a.Stats).Records(); ok {
		return n, nil
	}
	bare := *a
	bare.DeletionVector = nil
	t := deltatable.New(c.table.Log, c.table.Snapshot.WithFiles([]*delta.Add{&bare}), c.st.zone())
	t.Private = true
	s := &plan.Scan{Table: t}
	count := &plan.Call{Name: "count", Args: []plan.Expr{plan.Int(1)}, T: types.Long, Mode: plan.ModeANSI, Aggregate: true}
	rows, err := c.st.collect(&plan.Aggregate{Input: s, Exprs: []plan.Expr{&plan.Alias{Child: count, Names: []string{"n"}, ID: c.id()}}}, 1)
	if err != nil {
		return 0, err
	}
	return rows[0][0].(int64), nil
}

// inlineBytes is up to which size a deletion vector is kept in the log itself.
const inlineBytes = 64

// vectors keeps deletion vectors: tiny ones in the log, the others in one file.
func (c *rowChange) vectors(rows []*roaring64.Bitmap) ([]*delta.DeletionVector, error) {
	out := make([]*delta.DeletionVector, len(rows))
	var filed []*roaring64.Bitmap
	var places []int
	for i, b := range rows {
		b.RunOptimize()
		if b.GetSerializedSizeInBytes() <= inlineBytes {
			dv, err := delta.EncodeInline(b)
			if err != nil {
				return nil, err
			}
			out[i] = dv
			continue
		}
		filed, places = append(filed, b), append(places, i)
	}
	if len(filed) == 0 {
		return out, nil
	}
	text, made, err := delta.EncodeFile(uuid.New(), filed...)
	if err != nil {
		return nil, err
	}
	path, err := made[0].Path()
	if err != nil {
		return nil, err
	}
	if err := c.table.Log.Store().Put(c.st.ctx, path, text); err != nil {
		return nil, errs.Wrap(err, "write deletion vectors")
	}
	for k, i := range places {
		out[i] = made[k]
	}
	return out, nil
}

// mergedBytes is up to which size files with rows that come are written once more together with the rows that stay.
const mergedBytes = 8 << 20

// copy writes the rows that stay in copied files into new ones.
func (c *rowChange) copy(r *changes) error {
	if len(r.copied) == 0 {
		return nil
	}
	began := time.Now()
	files := r.copied
	want := r.copies
	var size int64
	for _, a := range r.added {
		size += a.Size
	}
	again := size <= mergedBytes
	if again {
		for _, a := range r.added {
			n, _ := delta.ReadStats(a.Stats).Records()
			want += n
		}
		files = append(slices.Clone(files), r.added...)
	}
	adds, rows, err := c.rewrite(files)
	if err != nil {
		return err
	}
	if rows != want {
		return errs.Newf(errs.Internal, "%s: %d rows stay and %d were written", c.operation, want, rows)
	}
	if again {
		for _, a := range r.added {
			_ = c.table.Log.Store().Delete(c.st.ctx, storage.Unescape(a.Path)) // nobody has seen them; VACUUM would find them
		}
		r.added = nil
	}
	r.added = append(r.added, adds...)
	r.rewrite = time.Since(began)
	return nil
}

// taskBytes is what one task may write anew.
const taskBytes = 16 << 20

// rewrite writes the rows of files into new ones.
func (c *rowChange) rewrite(files []*delta.Add) ([]*delta.Add, int64, error) {
	s, err := c.table.Snapshot.WithMetadata(c.metadata)
	if err != nil {
		return nil, 0, err
	}
	t := deltatable.New(c.table.Log, s.WithFiles(files), c.st.zone())
	t.Private = true
	sink, err := c.st.fileSink(c.table.Log.URL(), c.metadata, c.schema)
	if err != nil {
		return nil, 0, err
	}
	scan := &plan.Scan{Table: t}
	for i, f := range c.schema.Fields {
		scan.Fields = append(scan.Fields, i)
		scan.Attrs = append(scan.Attrs, &plan.Attribute{ID: c.id(), Name: f.Name, T: f.Type, Null: true, Metadata: f.Metadata})
	}
	if id, version := t.RowColumns(); id != "" { // rows keep what they are known by
		scan.Table = deltatable.NewPlaced(t)
		for i, name := range []string{id, version} {
			scan.Fields = append(scan.Fields, len(c.schema.Fields)+2+i)
			scan.Attrs = append(scan.Attrs, &plan.Attribute{ID: c.id(), Name: name, T: types.Long, Null: true})
		}
		keepRows(t, sink)
	}
	var in plan.Node = scan
	if bytesOf(files) <= taskBytes {
		in = &plan.Repartition{Input: scan, N: 1} // one file, as there was
	}
	adds, stats, err := c.st.writeInto(sink, in)
	return adds, stats.rows, err
}

// The field ids that Iceberg's specification reserves for what identifies a row.
const (
	icebergRowID       = 2147483540
	icebergRowSequence = 2147483539
)

// keepRows has a sink write the last two columns as those by which a table tracks rows.
func keepRows(t *deltaTable, sink *planpb.FileSink) {
	name, version := t.RowColumns()
	id, written := &planpb.FileColumn{Name: name}, &planpb.FileColumn{Name: version}
	if t.Snapshot.BoolProperty("delta.enableIcebergCompatV3") {
		id.FieldId, written.FieldId = icebergRowID, icebergRowSequence
	}
	sink.Columns = append(sink.Columns, id, written)
	sink.RowColumns = 2
}
