package log

import (
	"context"
	"errors"
	"io"

	"github.com/RoaringBitmap/roaring/v2/roaring64"
	"github.com/google/uuid"

	"millrace/delta"
	"millrace/errs"
	"millrace/storage"
)

// DeletedRows reads a deletion vector of a table at a place: the numbers of the rows of its data file that are gone.
func DeletedRows(ctx context.Context, table string, dv *delta.DeletionVector) (*roaring64.Bitmap, error) {
	path, err := dv.Path()
	if err != nil {
		return nil, err
	}
	if path == "" {
		return dv.Inline()
	}
	url := storage.Join(table, storage.Unescape(path))
	f, err := storage.OpenFile(ctx, url)
	if err != nil {
		return nil, errs.Wrap(err, "open a deletion vector")
	}
	defer f.Close()
	offset, length := dv.Span()
	if length < 0 || offset < 0 || length > f.Size() {
		return nil, errs.New("DELTA_DELETION_VECTOR_SIZE_MISMATCH")
	}
	span := make([]byte, length)
	if n, err := f.ReadAt(span, offset); int64(n) < length {
		if errors.Is(err, io.EOF) {
			return nil, errs.New("DELTA_DELETION_VECTOR_SIZE_MISMATCH")
		}
		return nil, errs.Wrap(err, "read the deletion vector %s", url)
	}
	return dv.FromFile(span)
}

// WriteDeletionVector writes a deletion vector into a file of its own in the table's directory.
func WriteDeletionVector(ctx context.Context, store storage.Store, rows *roaring64.Bitmap) (*delta.DeletionVector, error) {
	file, made, err := delta.EncodeFile(uuid.New(), rows)
	if err != nil {
		return nil, err
	}
	path, err := made[0].Path()
	if err != nil {
		return nil, err
	}
	return made[0], errs.Wrap(store.Put(ctx, path, file), "write a deletion vector")
}
