package table

import (
	"context"
	"errors"
	"io"
	"strings"

	"millrace/errs"
	"millrace/operators"
	"millrace/planconv"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/storage"
	"millrace/table/parquet"
	"millrace/types"
	"millrace/vector"
)

// Env is what scans and sinks need besides their plan.
type Env struct {
	Settings *planpb.Settings
	// Open opens a file for reading; nil: storage.OpenFile.
	Open func(ctx context.Context, path string) (storage.Reader, error)
	// Footers keeps Parquet footers between tasks; nil: none are kept.
	Footers *Footers
}

func (e *Env) open(ctx context.Context, path string) (storage.Reader, error) {
	open := e.Open
	if open == nil {
		open = storage.OpenFile
	}
	r, err := open(ctx, path)
	if errs.Is(err, errs.NotFound) {
		missing := errs.New("FAILED_READ_FILE.FILE_NOT_EXIST", "path", displayPath(path))
		missing.Cause = err
		return nil, missing
	}
	return r, err
}

// fileReader reads one split. Its batches hold the columns that come from the file, in order, and are overwritten by the
// next one.
type fileReader interface {
	Next() (*vector.Batch, error)
	// RowIndex is the number, in the file, of the last batch's first row, where the format can tell.
	RowIndex() int64
	Close() error
}

// fileColumn is a wanted column that comes from the file.
type fileColumn struct {
	name     string
	id       int32
	typ      *types.Type
	fallback *vector.Vector // one row, or nil for null
}

// scan is the operator of a planpb.FileScan.
type scan struct {
	id      uint32
	plan    *planpb.FileScan
	env     Env
	splits  []*planpb.FileSplit
	output  []*types.Type
	columns []fileColumn // those of the file
	sources []source     // of each output column

	ctx     *operators.Ctx
	cancel  context.CancelFunc
	io      context.Context
	next    chan opened // the split that is being opened in the background
	current opened
	batch   vector.Batch
	made    []vector.Vector // generated columns and partition values
	deleted *deletions
	lenient lenience
	// What consumers have said that they want, over the file's columns and over partition values; nil: everything.
	wanted, wantedFiles *parquet.Prune
	metrics             *operators.OperatorMetrics
}

// lenience is what the options ignoreCorruptFiles and ignoreMissingFiles let pass.
type lenience struct{ corrupt, missing bool }

func lenienceOf(options map[string]string) (l lenience) {
	for k, v := range options {
		switch strings.ToLower(k) {
		case "ignorecorruptfiles":
			l.corrupt = strings.EqualFold(v, "true")
		case "ignoremissingfiles":
			l.missing = strings.EqualFold(v, "true")
		}
	}
	return l
}

// lets reports whether what is left of a file is passed over after an error.
func (l lenience) lets(err error) bool {
	switch {
	case errs.ConditionOf(err) == "FAILED_READ_FILE.FILE_NOT_EXIST":
		return l.missing
	case !l.corrupt:
		return false
	}
	return strings.HasPrefix(errs.ConditionOf(err), "FAILED_READ_FILE") || errors.Is(err, io.ErrUnexpectedEOF)
}

// source is where an output column comes from: a column of the file, a partition value or a property of the row.
type source struct {
	file      int // place among the file's columns, or -1
	partition int // place in the split's partition values, or -1
	generated string
}

type opened struct {
	split  *planpb.FileSplit
	reader fileReader
	err    error
}

// NewScan makes the operator that reads splits.
func NewScan(op *planpb.Operator, plan *planpb.FileScan, splits []*planpb.FileSplit, env Env) (operators.Operator, error) {
	s := &scan{id: op.Id, plan: plan, env: env, splits: splits, output: planconv.Columns(op.Output), lenient: lenienceOf(plan.Options)}
	if len(s.output) != len(plan.Columns) {
		return nil, errs.Newf(errs.Internal, "a scan of %d columns has %d in its output", len(plan.Columns), len(s.output))
	}
	if _, ok := formats[plan.Format]; !ok {
		return nil, errs.New("DATA_SOURCE_NOT_FOUND", "provider", plan.Format)
	}
	for i, c := range plan.Columns {
		src := source{file: -1, partition: int(c.Partition) - 1}
		switch {
		case c.Partition > 0 && !c.OrFile:
		case c.Generated != "" && c.Generated != corruptRecord:
			if generatedTypes[c.Generated] == nil {
				return nil, errs.Unsupportedf("The generated column %s is not supported.", c.Generated)
			}
			src.generated = c.Generated
			if c.OrFile {
				src.file = len(s.columns)
				s.columns = append(s.columns, fileColumn{name: c.Name, typ: s.output[i]})
			}
		default:
			src.file = len(s.columns)
			fc := fileColumn{name: c.Name, id: c.FieldId, typ: s.output[i]}
			if c.Stored != nil {
				fc.typ = planconv.Type(c.Stored)
			}
			if c.Default != nil {
				fc.fallback = planconv.Const(c.Default, s.output[i])
			}
			s.columns = append(s.columns, fc)
		}
		s.sources = append(s.sources, src)
	}
	return s, nil
}

func (s *scan) Output() []*types.Type { return s.output }

func (s *scan) Open(ctx *operators.Ctx) error {
	s.ctx = ctx
	parent := ctx.Context
	if parent == nil {
		parent = context.Background()
	}
	s.io, s.cancel = context.WithCancel(parent)
	s.metrics = &operators.OperatorMetrics{}
	if ctx.Metrics != nil && ctx.Metrics.ByOperator[s.id] != nil {
		s.metrics = ctx.Metrics.ByOperator[s.id]
	}
	s.batch.Cols = make([]*vector.Vector, len(s.sources))
	s.made = make([]vector.Vector, len(s.sources))
	s.openNext()
	return nil
}

// openNext opens the next split in the background.
func (s *scan) openNext() {
	s.next = nil
	if len(s.splits) == 0 {
		return
	}
	split := s.splits[0]
	s.splits = s.splits[1:]
	next := make(chan opened, 1)
	s.next = next
	go func() {
		r, err := s.openSplit(split)
		next <- opened{split, r, err}
	}()
}

func (s *scan) openSplit(split *planpb.FileSplit) (r fileReader, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errs.Newf(errs.Internal, "open %s: %v", split.Path, p)
		}
	}()
	r, err = formats[s.plan.Format].open(s.io, s, split)
	if errs.ConditionOf(err) == "FAILED_READ_FILE.CANNOT_READ_FILE_FOOTER" { // Spark says so only where it looks for a schema
		failed := errs.New("FAILED_READ_FILE.NO_HINT", "path", displayPath(split.Path))
		failed.Cause = err
		err = failed
	}
	return r, err
}

func (s *scan) Next() (*vector.Batch, error) {
	for {
		if err := s.io.Err(); err != nil {
			return nil, err
		}
		if s.current.reader == nil {
			more, err := s.advance()
			if err != nil || !more {
				return nil, err
			}
			continue
		}
		b, err := s.current.reader.Next()
		if err != nil && !s.lenient.lets(err) {
			return nil, err
		}
		if b == nil || err != nil {
			if err := s.closeCurrent(); err != nil {
				return nil, err
			}
			continue
		}
		if s.assemble(b) {
			return &s.batch, nil
		}
	}
}

// advance makes the split that was opened ahead the current one.
func (s *scan) advance() (bool, error) {
	if s.next == nil {
		return false, nil
	}
	select {
	case s.current = <-s.next:
	case <-s.io.Done():
		return false, s.io.Err() // Close waits for the opening
	}
	s.openNext()
	if err := s.current.err; err != nil {
		s.current = opened{}
		if s.lenient.lets(err) {
			return true, nil // the next one is tried
		}
		return false, err
	}
	if !s.wants(s.current.split) {
		s.metrics.FilesSkipped++
		return true, s.closeCurrent()
	}
	s.metrics.Files++
	s.tell(s.current.reader)
	var err error
	s.deleted, err = newDeletions(s.current.split.DeletionVector)
	return true, err
}

func (s *scan) closeCurrent() error {
	r := s.current.reader
	if r == nil {
		return nil
	}
	s.current = opened{}
	err := r.Close()
	if m, ok := r.(interface {
		stats() parquet.ReadStats
	}); ok {
		read := m.stats()
		s.metrics.RowGroups += read.RowGroups
		s.metrics.RowGroupsSkipped += read.RowGroupsSkipped
		s.metrics.RowsSkipped += read.RowsSkipped
		s.metrics.BytesRead += read.BytesRead
	}
	return err
}

// assemble makes the output batch from the file's; false if all of its rows are deleted.
func (s *scan) assemble(b *vector.Batch) bool {
	first := s.current.reader.RowIndex()
	s.batch.N, s.batch.Sel = b.N, b.Sel
	if s.deleted != nil {
		s.batch.Sel = s.deleted.selection(first, b.N)
		if s.batch.Sel != nil && len(s.batch.Sel) == 0 {
			return false
		}
	}
	for i, src := range s.sources {
		switch {
		case src.file >= 0 && src.generated != "":
			s.batch.Cols[i] = s.completed(i, src.generated, b.Cols[src.file], first, b.N)
		case src.file >= 0 && !s.given(src.partition):
			s.batch.Cols[i] = b.Cols[src.file]
		case src.partition >= 0:
			s.batch.Cols[i] = s.partitionValue(i, src.partition, b.N)
		default:
			s.batch.Cols[i] = s.generate(i, src.generated, first, b.N)
		}
	}
	return true
}

// given reports whether the split brings a partition value that is not null.
func (s *scan) given(place int) bool {
	values := s.current.split.PartitionValues
	return place >= 0 && place < len(values) && !values[place].GetNull()
}

func (s *scan) partitionValue(i, place, n int) *vector.Vector {
	values := s.current.split.PartitionValues
	if place >= len(values) {
		return vector.NewNull(s.output[i], n)
	}
	v := planconv.Const(values[place], s.output[i])
	v.Len = n
	return v
}

func (s *scan) Close() error {
	if s.cancel != nil {
		s.cancel()
	}
	err := s.closeCurrent()
	if s.next != nil {
		if o := <-s.next; o.reader != nil {
			err = errors.Join(err, o.reader.Close())
		}
		s.next = nil
	}
	return err
}

var _ operators.Operator = (*scan)(nil)
