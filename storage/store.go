package storage

import (
	"context"
	"io"
	"iter"
	"time"

	"millrace/errs"
)

// Info describes a file. Name is relative to the store's root, with slashes.
type Info struct {
	Name     string
	Size     int64
	Modified time.Time
}

// Store is a tree of files under one root. Names are relative to the root and use slashes; directories come and go by
// themselves. All methods may be called by many goroutines at once. A missing file is errs.NotFound, a full disk
// errs.Exhausted with the file's path.
type Store interface {
	// URL is the root as Spark would show it, without a slash at the end: file:/lake/t or s3://bucket/t.
	URL() string
	// Get reads a whole file.
	Get(ctx context.Context, name string) ([]byte, error)
	// Open opens a file for reading at any offset. The context is that of all reads of it.
	Open(ctx context.Context, name string) (Reader, error)
	// Put writes a whole file, replacing what was there. Readers see the old or the new content, never a part.
	Put(ctx context.Context, name string, data []byte) error
	// PutIfAbsent writes a whole file unless there is one already: of any number of callers exactly one wins and all
	// others get errs.Conflict. After any other error the file may or may not have been written.
	PutIfAbsent(ctx context.Context, name string, data []byte) error
	// Create writes a file as a stream.
	Create(ctx context.Context, name string) (Writer, error)
	// List yields the files, at any depth, whose names begin with prefix and come after startAfter, in order of bytes.
	List(ctx context.Context, prefix, startAfter string) iter.Seq2[Info, error]
	// Stat describes one file.
	Stat(ctx context.Context, name string) (Info, error)
	// Delete removes a file; a file that is not there is no error.
	Delete(ctx context.Context, name string) error
}

// Reader reads parts of one file, from many goroutines at once.
type Reader interface {
	io.ReaderAt
	io.Closer
	Size() int64
	Modified() time.Time
}

// Writer is a file being written. Nothing is visible before Close, which makes it durable and visible at once. Abort
// drops it; Abort after Close does nothing, so that it can be deferred. After an error only Abort is left to call.
type Writer interface {
	io.WriteCloser
	Abort() error
}

// Exists reports whether there is a file of that name.
func Exists(ctx context.Context, s Store, name string) (bool, error) {
	_, err := s.Stat(ctx, name)
	if errs.Is(err, errs.NotFound) {
		return false, nil
	}
	return err == nil, err
}

func notFound(url string) error { return errs.Newf(errs.NotFound, "no such file: %s", url) }

func exists(url string) error { return errs.Newf(errs.Conflict, "file already exists: %s", url) }
