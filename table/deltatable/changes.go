package deltatable

import (
	"context"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"millrace/delta"
	"millrace/delta/log"
	"millrace/errs"
	"millrace/physical"
	"millrace/planconv"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/storage"
	"millrace/types"
)

// Feed is the changes of a table's rows in a range of versions, in the columns of one version and three more: what happened, in which version, when.
type Feed struct {
	*Table
	schema  *types.Type
	commits []FeedCommit
}

// FeedCommit is the changes of one version.
type FeedCommit struct {
	Version, Timestamp int64 // milliseconds
	Changes            []delta.Changed
}

var _ physical.Source = (*Feed)(nil)

// NewFeed makes the source of the changes of some commits, read in a snapshot's columns.
func NewFeed(l *log.Table, s *delta.Snapshot, zone *time.Location, commits []FeedCommit) *Feed {
	t := New(l, s, zone)
	own := t.Schema().Fields
	f := &Feed{Table: t, commits: commits}
	f.schema = types.Struct(append(own[:len(own):len(own)], types.Field{Name: "_change_type", Type: types.String, Nullable: true},
		types.Field{Name: "_commit_version", Type: types.Long, Nullable: true}, types.Field{Name: "_commit_timestamp", Type: types.Timestamp, Nullable: true})...)
	return f
}

// Name implements plan.Table.
func (f *Feed) Name() string { return "delta changes of " + f.Log.URL() }

// Schema implements plan.Table.
func (f *Feed) Schema() *types.Type { return f.schema }

// Rows implements plan.Table.
func (f *Feed) Rows() int64 { return -1 }

// SizeBytes implements plan.Table.
func (f *Feed) SizeBytes() (n int64) {
	for _, c := range f.commits {
		for _, x := range c.Changes {
			n += x.Size
		}
	}
	return n
}

// Members implements plan.Located: there are none.
func (f *Feed) Members() []types.Field { return nil }

// PlanScan implements physical.Source.
func (f *Feed) PlanScan(ctx context.Context, r physical.ScanRequest) (*planpb.FileScan, []*planpb.FileSplit, error) {
	scan, err := f.scan(r, feedColumn)
	if err != nil {
		return nil, nil, err
	}
	var splits []*planpb.FileSplit
	for _, c := range f.commits {
		for i := range c.Changes {
			s, err := f.changes(ctx, &c, &c.Changes[i])
			if err != nil {
				return nil, nil, err
			}
			if s != nil {
				splits = append(splits, s)
			}
		}
	}
	return scan, splits, nil
}

// feedColumn is one of the columns after the table's own, all of which splits bring; files of images say themselves what happened.
func feedColumn(which, partitions int) *planpb.FileColumn {
	return &planpb.FileColumn{Name: []string{"_change_type", "_commit_version", "_commit_timestamp"}[which], Partition: int32(partitions + 1 + which), OrFile: which == 0}
}

// changes is the split of a file with changes; nil when there are none in it.
func (f *Feed) changes(ctx context.Context, c *FeedCommit, x *delta.Changed) (*planpb.FileSplit, error) {
	s, err := f.split(ctx, &delta.Add{Path: x.Path, Size: x.Size, PartitionValues: x.PartitionValues, ModificationTime: x.Modified})
	if err != nil {
		return nil, err
	}
	if s.Size == 0 { // Spark need not say how large a removed file was
		file, err := storage.OpenFile(ctx, s.Path)
		if err != nil {
			return nil, errs.Wrap(err, "read the changes of version %d", c.Version)
		}
		s.Size, s.Length = file.Size(), file.Size()
		if err := file.Close(); err != nil {
			return nil, err
		}
	}
	kind := planconv.Literal(nil)
	if x.Kind != "" {
		kind = planconv.Literal(x.Kind)
	}
	s.PartitionValues = append(s.PartitionValues, kind, planconv.Literal(c.Version), planconv.Literal(c.Timestamp*1000))
	out, err := f.vector(ctx, x.Without)
	if err != nil {
		return nil, err
	}
	if x.Paired {
		only, err := f.vector(ctx, x.Only)
		if err != nil {
			return nil, err
		}
		only.AndNot(out)
		if only.IsEmpty() {
			return nil, nil
		}
		out = everyRow(x, only.Maximum())
		out.AndNot(only)
	}
	if out.IsEmpty() {
		return s, nil
	}
	out.RunOptimize()
	s.DeletionVector, err = out.MarshalBinary()
	return s, err
}

func (f *Feed) vector(ctx context.Context, dv *delta.DeletionVector) (*roaring64.Bitmap, error) {
	if dv == nil {
		return roaring64.New(), nil
	}
	rows, err := f.deleted(ctx, dv)
	return rows, errs.Wrap(err, "read a deletion vector")
}

// everyRow are the rows of a file, or more where their number is not known.
func everyRow(x *delta.Changed, least uint64) *roaring64.Bitmap {
	n, ok := delta.ReadStats(x.Stats).Records()
	end := uint64(n)
	if !ok || end <= least {
		end = max(1<<31, least+1)
	}
	b := roaring64.New()
	b.AddRange(0, end)
	return b
}
