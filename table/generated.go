package table

import (
	"encoding/binary"
	"path"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"millrace/errs"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/types"
	"millrace/vector"
)

// corruptRecord marks the column that text formats fill with the record that they could not parse.
const corruptRecord = "corrupt_record"

// fileURL is the generated column that input_file_name reads.
const fileURL = "file_url"

// generatedTypes are the columns that every row has besides the file's: Spark's _metadata, and Delta's row ids.
var generatedTypes = map[string]*types.Type{
	"file_path": types.String, "file_name": types.String, "file_size": types.Long, "file_block_start": types.Long,
	"file_block_length": types.Long, fileURL: types.String, "file_modification_time": types.Timestamp, "row_index": types.Long, "row_id": types.Long, "row_version": types.Long,
}

// Members are those of the column _metadata of a format's files.
func Members(format string) []types.Field {
	var list []types.Field
	for _, name := range []string{"file_path", "file_name", "file_size", "file_block_start", "file_block_length", "file_modification_time"} {
		list = append(list, types.Field{Name: name, Type: generatedTypes[name]})
	}
	if format == "parquet" {
		list = append(list, types.Field{Name: "row_index", Type: types.Long})
	}
	return list
}

// Generated is the column of a scan's file that makes member k of Members, or what input_file_name shows.
func Generated(members []types.Field, k int) *planpb.FileColumn {
	name := fileURL
	if k < len(members) {
		name = members[k].Name
	}
	return &planpb.FileColumn{Name: name, Generated: name}
}

// generate makes n rows of a generated column in s.made[i].
func (s *scan) generate(i int, name string, first int64, n int) *vector.Vector {
	split, v := s.current.split, &s.made[i]
	switch name {
	case "row_index":
		return sequence(v, first, n)
	case "row_id":
		return sequence(v, split.BaseRowId+first, n)
	case "row_version":
		return constLong(v, types.Long, split.RowVersion, n)
	case fileURL:
		return constString(v, displayPath(split.Path), n)
	case "file_path":
		return constString(v, metadataPath(split.Path), n)
	case "file_name":
		return constString(v, escapePath(path.Base(split.Path)), n)
	case "file_size":
		return constLong(v, types.Long, split.Size, n)
	case "file_block_start":
		return constLong(v, types.Long, split.Start, n)
	case "file_block_length":
		return constLong(v, types.Long, split.Length, n)
	}
	return constLong(v, types.Timestamp, split.ModifiedMs*1000, n)
}

// completed is a column of the file whose nulls are filled with generated values, where the split knows them.
func (s *scan) completed(i int, name string, v *vector.Vector, first int64, n int) *vector.Vector {
	split := s.current.split
	if !split.Tracked || v.Valid == nil && !v.Const && v.Dict == nil {
		return v
	}
	out := &s.made[i]
	out.Reset(types.Long, n)
	values := vector.Values[int64](out)
	for k := range values {
		switch {
		case !v.IsNull(k):
			values[k] = intIn[int64](v, k)
		case name == "row_id":
			values[k] = split.BaseRowId + first + int64(k)
		default:
			values[k] = split.RowVersion
		}
	}
	return out
}

func sequence(v *vector.Vector, first int64, n int) *vector.Vector {
	v.Reset(types.Long, n)
	values := vector.Values[int64](v)
	for i := range values {
		values[i] = first + int64(i)
	}
	return v
}

func constLong(v *vector.Vector, t *types.Type, value int64, n int) *vector.Vector {
	v.Reset(t, 1)
	vector.Values[int64](v)[0] = value
	v.Len, v.Const = n, true
	return v
}

func constString(v *vector.Vector, s string, n int) *vector.Vector {
	v.Reset(types.String, 1)
	v.AppendStr(0, []byte(s))
	v.Len, v.Const = n, true
	return v
}

// deletions are a file's deleted rows, asked for in ascending order.
type deletions struct {
	rows *roaring64.Bitmap
	next roaring64.IntPeekable64
	sel  []uint32
}

// deletionVectorMagic stands in front of a deletion vector as Delta stores it.
const deletionVectorMagic = 1681511377

func newDeletions(data []byte) (*deletions, error) {
	if len(data) == 0 {
		return nil, nil
	}
	if len(data) >= 4 && binary.LittleEndian.Uint32(data) == deletionVectorMagic {
		data = data[4:]
	}
	d := &deletions{rows: roaring64.New()}
	if err := d.rows.UnmarshalBinary(data); err != nil {
		return nil, errs.Newf(errs.Invalid, "decode a deletion vector of %d bytes: %v", len(data), err)
	}
	d.next = d.rows.Iterator()
	return d, nil
}

// selection lists the rows of first..first+n-1, counted from first, that are not deleted; nil if none of them is.
func (d *deletions) selection(first int64, n int) []uint32 {
	d.next.AdvanceIfNeeded(uint64(first))
	end := uint64(first) + uint64(n)
	if !d.next.HasNext() || d.next.PeekNext() >= end {
		return nil
	}
	if cap(d.sel) < n {
		d.sel = make([]uint32, n)
	}
	sel := d.sel[:0]
	at := uint64(first)
	for d.next.HasNext() && d.next.PeekNext() < end {
		gone := d.next.Next()
		for ; at < gone; at++ {
			sel = append(sel, uint32(at-uint64(first)))
		}
		at = gone + 1
	}
	for ; at < end; at++ {
		sel = append(sel, uint32(at-uint64(first)))
	}
	return sel
}
