package table

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"millrace/errs"
	"millrace/operators"
	"millrace/planconv"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/storage"
	"millrace/table/parquet"
	"millrace/types"
	"millrace/vector"
)

// maxOpenFiles is how many partitions are written at once; beyond it the one that waited longest is closed.
const maxOpenFiles = 100

// defaultTargetBytes is the size at which a file is closed when the plan does not say.
const defaultTargetBytes = 1 << 30

// sinkOutput are the columns of the rows about files, as plan.proto documents them.
var sinkOutput = []*types.Type{types.String, types.Long, types.Long, types.String, types.String, types.Long}

// sink is the operator of a planpb.FileSink: it consumes its input at the first Next and returns a row for each file. Path is
// relative to the sink's root and not escaped as a URL.
type sink struct {
	plan   *planpb.FileSink
	input  operators.Operator
	env    Env
	format format
	schema *types.Type // of the files: the input's columns without the partition columns
	data   []int       // the input's columns that are written, in order

	ctx     *operators.Ctx
	store   storage.Store
	id      string
	counts  map[string]int // of the files of each directory
	keys    *partitioner
	open    map[string]*openFile
	clock   int64
	files   []written
	done    bool
	success bool
}

// written is a file that was closed.
type written struct {
	path       string
	bytes      int64
	modifiedMs int64
	partition  string // JSON
	stats      string // Delta's JSON
	rows       int64
}

// NewSink makes the operator that writes its input's rows into files.
func NewSink(op *planpb.Operator, plan *planpb.FileSink, input operators.Operator, env Env) (operators.Operator, error) {
	if len(op.Children) == 0 {
		return nil, errs.Newf(errs.Internal, "a sink without an input")
	}
	if plan.Changes != nil {
		return newChangeSink(plan, op.Children[0].Output, input, env)
	}
	s, err := newFileSink(plan, op.Children[0].Output, input, env)
	if err != nil {
		return nil, err
	}
	return s, nil
}

func newFileSink(plan *planpb.FileSink, columns []*planpb.Column, input operators.Operator, env Env) (*sink, error) {
	f, ok := formats[plan.Format]
	if !ok || f.create == nil {
		return nil, errs.New("DATA_SOURCE_NOT_FOUND", "provider", plan.Format)
	}
	s := &sink{plan: plan, input: input, env: env, format: f, id: uuid.NewString(), open: map[string]*openFile{}, counts: map[string]int{}}
	return s, s.layOut(columns)
}

// layOut tells the written columns from the partition columns and names them as the files do.
func (s *sink) layOut(columns []*planpb.Column) error {
	isPartition := map[int]bool{}
	for _, p := range s.plan.PartitionColumns {
		if int(p) >= len(columns) {
			return errs.Newf(errs.Internal, "partition column %d of %d", p, len(columns))
		}
		isPartition[int(p)] = true
	}
	var declared *types.Type
	if s.plan.SchemaJson != "" {
		t, err := types.ParseJSON([]byte(s.plan.SchemaJson))
		if err != nil {
			return err
		}
		declared = t
	}
	var fields []types.Field
	for _, i := range s.order(len(columns), isPartition) {
		c := columns[i]
		f := types.Field{Name: c.Name, Type: planconv.Type(c.Type), Nullable: true, Metadata: c.Metadata}
		if declared != nil {
			if d, at := declared.Field(c.Name, true); at >= 0 {
				f.Nullable = d.Nullable
				if f.Type.SameData(d.Type) {
					f.Type = d.Type // which of its fields may be null
				}
			}
		}
		if fc := s.fileColumn(i, len(fields), len(columns)); fc != nil {
			f.Name, f.Metadata = fc.Name, ""
			if fc.Stored != nil {
				f.Type = planconv.Type(fc.Stored)
			}
			if fc.FieldId > 0 {
				f.Metadata = parquet.FieldIDs(fc.FieldId, fc.NestedIds)
			}
		}
		fields = append(fields, f)
		s.data = append(s.data, i)
	}
	s.schema = types.Struct(fields...)
	keys, err := newPartitioner(s.plan, columns, s.env.Settings)
	s.keys = keys
	return err
}

// order is which of the input's columns a file has: those of the rows, then those of partitions where files have them, then those that follow rows.
func (s *sink) order(columns int, isPartition map[int]bool) []int {
	var rows, partitions, following []int
	for i := range columns {
		switch {
		case isPartition[i]:
			partitions = append(partitions, i)
		case i >= columns-int(s.plan.RowColumns):
			following = append(following, i)
		default:
			rows = append(rows, i)
		}
	}
	if s.plan.PartitionsInFiles {
		rows = append(rows, partitions...)
	}
	return append(rows, following...)
}

// fileColumn is the physical name of a column: the plan lists them for all of the input's columns or for the written ones.
func (s *sink) fileColumn(input, data, inputs int) *planpb.FileColumn {
	switch list := s.plan.Columns; {
	case len(list) == inputs:
		return list[input]
	case data < len(list):
		return list[data]
	}
	return nil
}

func (s *sink) Output() []*types.Type { return sinkOutput }

func (s *sink) Open(ctx *operators.Ctx) error {
	if err := s.openStore(ctx); err != nil {
		return err
	}
	return s.input.Open(ctx)
}

func (s *sink) openStore(ctx *operators.Ctx) (err error) {
	s.ctx = ctx
	s.store, err = storage.Open(s.plan.Path)
	return err
}

func (s *sink) Next() (*vector.Batch, error) {
	if s.done {
		return nil, nil
	}
	s.done = true
	if err := s.consume(); err != nil {
		return nil, err
	}
	s.success = true
	if len(s.files) == 0 {
		return nil, nil
	}
	return s.report(), nil
}

func (s *sink) consume() error {
	for {
		b, err := s.input.Next()
		if err != nil {
			return err
		}
		if b == nil {
			break
		}
		if err := s.write(b); err != nil {
			return err
		}
	}
	if len(s.files)+len(s.open) == 0 && s.ctx.Partition == 0 && s.plan.Options["emptyFile"] == "true" && len(s.plan.PartitionColumns) == 0 {
		if _, err := s.file("", ""); err != nil { // so that a reader finds the schema
			return err
		}
	}
	return s.closeFiles()
}

func (s *sink) closeFiles() error {
	for key, f := range s.open {
		if err := s.closeFile(key, f); err != nil {
			return err
		}
	}
	return nil
}

// write sends a batch's rows to their partitions' files.
func (s *sink) write(b *vector.Batch) error {
	rows := vector.Batch{Cols: make([]*vector.Vector, len(s.data)), N: b.N, Sel: b.Sel}
	for i, c := range s.data {
		rows.Cols[i] = b.Cols[c]
	}
	if len(s.plan.PartitionColumns) == 0 && s.plan.Buckets == 0 {
		return s.append("", "", &rows)
	}
	for _, g := range s.keys.split(b) {
		rows.Sel = g.rows
		if err := s.append(g.dir, g.json, &rows); err != nil {
			return err
		}
	}
	return nil
}

// append writes rows of one partition to as many files as maxRecordsPerFile asks for.
func (s *sink) append(dir, partition string, rows *vector.Batch) error {
	limit := s.maxRecords()
	if limit <= 0 {
		return s.appendTo(dir, partition, rows)
	}
	sel := rows.Sel
	if sel == nil {
		for i := range rows.N {
			sel = append(sel, uint32(i))
		}
	}
	for len(sel) > 0 {
		f, err := s.file(dir, partition)
		if err != nil {
			return err
		}
		n := min(int64(len(sel)), limit-f.writer.Rows())
		if err := s.appendTo(dir, partition, &vector.Batch{Cols: rows.Cols, N: rows.N, Sel: sel[:n]}); err != nil {
			return err
		}
		sel = sel[n:]
		if s.open[dir] == f && f.writer.Rows() >= limit {
			if err := s.closeFile(dir, f); err != nil {
				return err
			}
		}
	}
	return nil
}

// maxRecords is the option maxRecordsPerFile, or 0.
func (s *sink) maxRecords() int64 {
	for k, v := range s.plan.Options {
		if strings.EqualFold(k, "maxRecordsPerFile") {
			n, _ := strconv.ParseInt(v, 10, 64)
			return n
		}
	}
	return 0
}

// appendTo writes rows of one partition, and closes its file when that is large enough.
func (s *sink) appendTo(dir, partition string, rows *vector.Batch) error {
	f, err := s.file(dir, partition)
	if err != nil {
		return err
	}
	s.clock++
	f.used = s.clock
	if err := f.writer.Write(rows); err != nil {
		return err
	}
	target := s.plan.TargetFileBytes
	if target <= 0 {
		target = defaultTargetBytes
	}
	if f.writer.Size() >= target {
		return s.closeFile(dir, f)
	}
	return nil
}

// report is one row for each file.
func (s *sink) report() *vector.Batch {
	return reportOf(len(s.files), func(i int) *written { return &s.files[i] })
}

func reportOf(n int, file func(int) *written) *vector.Batch {
	text := func(get func(*written) string) *vector.Vector {
		list := make([]string, n)
		for i := range list {
			list[i] = get(file(i))
		}
		return vector.FromStrings(types.String, list, nil)
	}
	number := func(get func(*written) int64) *vector.Vector {
		list := make([]int64, n)
		for i := range list {
			list[i] = get(file(i))
		}
		return vector.FromSlice(types.Long, list)
	}
	return &vector.Batch{N: n, Cols: []*vector.Vector{
		text(func(w *written) string { return w.path }),
		number(func(w *written) int64 { return w.bytes }),
		number(func(w *written) int64 { return w.modifiedMs }),
		text(func(w *written) string { return w.partition }),
		text(func(w *written) string { return w.stats }),
		number(func(w *written) int64 { return w.rows }),
	}}
}

// Close leaves nothing behind unless the input was written whole.
func (s *sink) Close() error { return errors.Join(s.input.Close(), s.abandon()) }

// abandon removes what was written, unless all was.
func (s *sink) abandon() error {
	var err error
	for key, f := range s.open {
		err = errors.Join(err, f.out.Abort())
		delete(s.open, key)
	}
	if !s.success && s.store != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second) // the task's own context may be over
		defer cancel()
		for _, f := range s.files {
			err = errors.Join(err, s.store.Delete(ctx, f.path))
		}
		s.files = nil
	}
	return err
}

var _ operators.Operator = (*sink)(nil)
