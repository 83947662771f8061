package deltatable

import (
	"context"
	"fmt"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"millrace/delta"
	"millrace/delta/log"
	"millrace/errs"
	"millrace/physical"
	"millrace/planconv"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/storage"
	"millrace/table"
	"millrace/types"
)

// Table is one version of a Delta table.
type Table struct {
	Log      *log.Table
	Snapshot *delta.Snapshot
	Pinned   bool // the reader asked for this version, or for a time
	Private  bool // these are chosen files, which are no version of the table: nothing that is cached stands for them
	Derived  []Derived
	zone     *time.Location
	schema   *types.Type // as users see it
}

var _ physical.Source = (*Table)(nil)

// New makes the source of a snapshot. Zone is the session's, for timestamps in partition values.
func New(l *log.Table, s *delta.Snapshot, zone *time.Location) *Table {
	return &Table{Log: l, Snapshot: s, zone: zone, schema: delta.UserSchema(s.Schema())}
}

// Name implements plan.Table.
func (t *Table) Name() string { return "delta " + t.Log.URL() }

// Identity implements plan.Identified.
func (t *Table) Identity() string {
	if t.Private {
		return fmt.Sprintf("private %p", t)
	}
	return fmt.Sprintf("%s @%d", t.Name(), t.Snapshot.Version)
}

// Schema implements plan.Table.
func (t *Table) Schema() *types.Type { return t.schema }

// Format implements plan.Table.
func (t *Table) Format() string { return "delta" }

// SizeBytes implements plan.Table.
func (t *Table) SizeBytes() int64 { return t.Snapshot.SizeInBytes() }

// Rows implements plan.Table.
func (t *Table) Rows() int64 { return t.statistics().rows }

// PlanScan implements physical.Source.
func (t *Table) PlanScan(ctx context.Context, r physical.ScanRequest) (*planpb.FileScan, []*planpb.FileSplit, error) {
	scan, err := t.scan(r, t.member)
	if err != nil {
		return nil, nil, err
	}
	var splits []*planpb.FileSplit
	files := t.candidates(r)
	scan.FilesSkipped = int64(t.Snapshot.NumFiles() - len(files))
	for _, a := range files {
		s, err := t.split(ctx, a)
		if err != nil {
			return nil, nil, err
		}
		splits = append(splits, s)
	}
	return scan, splits, nil
}

// Members implements plan.Located.
func (t *Table) Members() []types.Field {
	list := table.Members("delta")
	if id, _ := t.RowColumns(); id != "" {
		list = append(list, types.Field{Name: "row_id", Type: types.Long, Nullable: true}, types.Field{Name: "row_commit_version", Type: types.Long, Nullable: true})
	}
	return list
}

// member is a member of the column _metadata, by its place.
func (t *Table) member(which, _ int) *planpb.FileColumn {
	id, version := t.RowColumns()
	c := table.Generated(t.Members(), which)
	switch c.Name {
	case "row_id":
		return &planpb.FileColumn{Name: id, Generated: "row_id", OrFile: true}
	case "row_commit_version":
		return &planpb.FileColumn{Name: version, Generated: "row_version", OrFile: true}
	}
	return c
}

// scan describes the columns: physical names, field ids under mapping by id, places of partition values.
func (t *Table) scan(r physical.ScanRequest, extra func(which, partitions int) *planpb.FileColumn) (*planpb.FileScan, error) {
	partition := t.partitionPlaces()
	fields := t.Snapshot.Schema().Fields
	scan := &planpb.FileScan{Format: "delta", Predicate: and(r.Predicate)}
	for _, i := range r.Fields {
		if i >= len(fields) {
			scan.Columns = append(scan.Columns, extra(i-len(fields), len(partition)))
			continue
		}
		f := fields[i]
		c := &planpb.FileColumn{Name: delta.PhysicalName(f), Partition: partition[f.Name]}
		if t.Snapshot.MappingMode() == "id" {
			c.FieldId = delta.FieldID(f)
		}
		if mode := t.Snapshot.MappingMode(); mode != "none" && f.Type.IsNested() {
			c.Stored = planconv.TypePB(delta.Stored(f.Type, mode == "id"))
		}
		scan.Columns = append(scan.Columns, c)
	}
	for _, f := range fields {
		if partition[f.Name] == 0 {
			scan.FileSchema = append(scan.FileSchema, &planpb.Column{Name: delta.PhysicalName(f), Type: planconv.TypePB(f.Type), Nullable: f.Nullable})
		}
	}
	return scan, nil
}

// partitionPlaces maps a partition column to 1 + its place among a split's partition values.
func (t *Table) partitionPlaces() map[string]int32 {
	places := map[string]int32{}
	for i, name := range t.Snapshot.PartitionColumns() {
		f, _ := t.Schema().Field(name, false)
		places[f.Name] = int32(i + 1)
	}
	return places
}

func (t *Table) split(ctx context.Context, a *delta.Add) (*planpb.FileSplit, error) {
	path := storage.Join(t.Log.URL(), storage.Unescape(a.Path))
	s := &planpb.FileSplit{Path: path, Size: a.Size, Length: a.Size, ModifiedMs: a.ModificationTime}
	if a.BaseRowID != nil {
		s.BaseRowId, s.Tracked = *a.BaseRowID, true
		if a.DefaultRowCommitVersion != nil {
			s.RowVersion = *a.DefaultRowCommitVersion
		}
	}
	for _, name := range t.Snapshot.PartitionColumns() {
		f, _ := t.Snapshot.Schema().Field(name, false)
		v, err := t.PartitionValue(a, f)
		if err != nil {
			return nil, err
		}
		s.PartitionValues = append(s.PartitionValues, v)
	}
	if a.DeletionVector == nil {
		return s, nil
	}
	rows, err := t.deleted(ctx, a.DeletionVector)
	if err != nil {
		return nil, errs.Wrap(err, "read the deletion vector of %s", path)
	}
	s.DeletionVector, err = rows.MarshalBinary()
	return s, err
}

// PartitionValue is a file's value of a partition column.
func (t *Table) PartitionValue(a *delta.Add, f types.Field) (*planpb.Literal, error) {
	v, err := delta.ParsePartition(f.Type, a.PartitionValues[delta.PhysicalName(f)], t.zone)
	if err != nil {
		return nil, errs.Wrap(err, "read the partition value of %s of %s", f.Name, a.Path)
	}
	return planconv.Literal(Literal(v, f.Type)), nil
}

// deleted are the rows that a deletion vector names.
func (t *Table) deleted(ctx context.Context, d *delta.DeletionVector) (*roaring64.Bitmap, error) {
	name, err := d.Path()
	if err != nil {
		return nil, err
	}
	if name == "" {
		return d.Inline()
	}
	f, err := storage.OpenFile(ctx, storage.Join(t.Log.URL(), storage.Unescape(name)))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	offset, length := d.Span()
	span := make([]byte, length)
	if _, err := f.ReadAt(span, offset); err != nil {
		return nil, err
	}
	return d.FromFile(span)
}

func and(list []*planpb.Expr) *planpb.Expr {
	var all *planpb.Expr
	for _, e := range list {
		if all == nil {
			all = e
			continue
		}
		all = &planpb.Expr{Type: planconv.TypePB(types.Boolean), Nullable: all.Nullable || e.Nullable,
			Kind: &planpb.Expr_Call{Call: &planpb.Call{Name: "and", Args: []*planpb.Expr{all, e}}}}
	}
	return all
}

// PartitionColumns are the columns by which the table is divided.
func (t *Table) PartitionColumns() []string { return t.Snapshot.PartitionColumns() }
