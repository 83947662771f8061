package table

import (
	"context"
	"errors"
	"io"
	"strings"

	"millrace/errs"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/storage"
	"millrace/types"
	"millrace/vector"
)

var binarySchema = types.Struct(types.Field{Name: "path", Type: types.String}, types.Field{Name: "modificationTime", Type: types.Timestamp},
	types.Field{Name: "length", Type: types.Long}, types.Field{Name: "content", Type: types.Binary, Nullable: true})

// binaryFormat reads each file as one row: where it is, when it changed, its length and its content.
var binaryFormat = format{open: openBinary, infer: func(context.Context, *Source) (*types.Type, error) { return binarySchema, nil }}

// binaryMax is the longest content that a row can hold, as Spark has it by default.
const binaryMax = 1<<31 - 1

type binaryReader struct {
	scan  *scan
	split *planpb.FileSplit
	io    context.Context
	cols  []vector.Vector
	batch vector.Batch
	done  bool
}

func openBinary(ctx context.Context, s *scan, split *planpb.FileSplit) (fileReader, error) {
	return &binaryReader{scan: s, split: split, io: ctx, cols: make([]vector.Vector, len(s.columns)), done: split.Start > 0}, nil
}

func (r *binaryReader) Next() (*vector.Batch, error) {
	if r.done {
		return nil, nil
	}
	r.done = true
	r.batch = vector.Batch{N: 1}
	for i, c := range r.scan.columns {
		v := &r.cols[i]
		switch {
		case strings.EqualFold(c.name, "path"):
			constString(v, plainPath(r.split.Path), 1)
		case strings.EqualFold(c.name, "modificationTime"):
			constLong(v, types.Timestamp, r.split.ModifiedMs*1000, 1)
		case strings.EqualFold(c.name, "length"):
			constLong(v, types.Long, r.split.Size, 1)
		default:
			content, err := r.content()
			if err != nil {
				return nil, err
			}
			v.Reset(types.Binary, 1)
			v.AppendStr(0, content)
		}
		r.batch.Cols = append(r.batch.Cols, v)
	}
	return &r.batch, nil
}

func (r *binaryReader) content() ([]byte, error) {
	if r.split.Size > binaryMax {
		return nil, errs.Newf(errs.Invalid, "The length of %s is %d, which exceeds the max length allowed: %d.", displayPath(r.split.Path), r.split.Size, binaryMax)
	}
	f, err := r.scan.env.open(r.io, r.split.Path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readAll(f)
}

func readAll(f storage.Reader) ([]byte, error) {
	data := make([]byte, f.Size())
	n, err := f.ReadAt(data, 0)
	if errors.Is(err, io.EOF) && n == len(data) {
		err = nil
	}
	return data[:n], err
}

// RowIndex is not known.
func (r *binaryReader) RowIndex() int64 { return 0 }

func (r *binaryReader) Close() error { return nil }
