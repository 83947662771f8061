package storage

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"syscall"
	"time"

	"millrace/errs"
)

// local is a directory of a disk. New content is written to a hidden file beside its target, synced, and then linked
// (which fails when there is a file already) or renamed into place.
type local struct{ root string }

var _ Store = (*local)(nil)

// Local is the store of a directory, which need not exist yet.
func Local(dir string) (Store, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, errs.Wrap(err, "resolve %s", dir)
	}
	return &local{abs}, nil
}

func (s *local) URL() string { return "file:" + s.root }

func (s *local) path(name string) string { return filepath.Join(s.root, filepath.FromSlash(name)) }

// localError gives an operating system's error its kind; path is what the user has to look at.
func localError(err error, path string) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return notFound("file:" + path)
	case errors.Is(err, fs.ErrExist):
		return exists("file:" + path)
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return errs.Newf(errs.Exhausted, "no space left on device for %s: %v", path, err)
	case errors.Is(err, fs.ErrPermission):
		return errs.Newf(errs.Unauthorized, "permission denied: %s: %v", path, err)
	}
	return errs.Wrap(err, "access %s", path)
}

func (s *local) Get(ctx context.Context, name string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	data, err := os.ReadFile(s.path(name))
	return data, localError(err, s.path(name))
}

type localReader struct {
	*os.File
	info fs.FileInfo
}

func (r *localReader) Size() int64         { return r.info.Size() }
func (r *localReader) Modified() time.Time { return r.info.ModTime() }

func (s *local) Open(ctx context.Context, name string) (Reader, error) {
	f, err := os.Open(s.path(name))
	if err != nil {
		return nil, localError(err, s.path(name))
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = fs.ErrNotExist
	}
	if err != nil {
		f.Close()
		return nil, localError(err, s.path(name))
	}
	return &localReader{f, info}, nil
}

func (s *local) Put(ctx context.Context, name string, data []byte) error {
	return s.write(ctx, name, data, os.Rename)
}

func (s *local) PutIfAbsent(ctx context.Context, name string, data []byte) error {
	// The common loss is seen here, before paying for a synced file; the link decides.
	if _, err := os.Lstat(s.path(name)); err == nil {
		return exists("file:" + s.path(name))
	}
	return s.write(ctx, name, data, linkOnce)
}

func linkOnce(temp, path string) error {
	if err := os.Link(temp, path); err != nil {
		return err
	}
	os.Remove(temp) // a leftover temporary file is hidden and harmless
	return nil
}

func (s *local) write(ctx context.Context, name string, data []byte, publish func(temp, path string) error) error {
	w, err := s.create(ctx, name, publish)
	if err != nil {
		return err
	}
	defer w.Abort()
	if _, err := w.Write(data); err != nil {
		return err
	}
	return w.Close()
}

func (s *local) Create(ctx context.Context, name string) (Writer, error) {
	return s.create(ctx, name, os.Rename)
}

type localWriter struct {
	ctx     context.Context
	f       *os.File
	path    string
	publish func(temp, path string) error
	done    bool
}

func (s *local) create(ctx context.Context, name string, publish func(temp, path string) error) (*localWriter, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	path := s.path(name)
	temp := filepath.Join(filepath.Dir(path), tempName(filepath.Base(path)))
	f, err := os.OpenFile(temp, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666)
	if errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return nil, localError(err, filepath.Dir(path))
		}
		f, err = os.OpenFile(temp, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666)
	}
	if err != nil {
		return nil, localError(err, path)
	}
	return &localWriter{ctx: ctx, f: f, path: path, publish: publish}, nil
}

func (w *localWriter) Write(p []byte) (int, error) {
	n, err := w.f.Write(p)
	return n, localError(err, w.path)
}

func (w *localWriter) Close() error {
	if w.done {
		return nil
	}
	if err := w.ctx.Err(); err != nil {
		return err
	}
	if err := w.f.Sync(); err != nil {
		return localError(err, w.path)
	}
	if err := w.f.Close(); err != nil {
		return localError(err, w.path)
	}
	if err := w.publish(w.f.Name(), w.path); err != nil {
		return localError(err, w.path)
	}
	w.done = true
	return syncDir(filepath.Dir(w.path))
}

func (w *localWriter) Abort() error {
	if w.done {
		return nil
	}
	w.done = true
	w.f.Close()
	return localError(os.Remove(w.f.Name()), w.f.Name())
}

// syncDir makes a new directory entry survive a power failure.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return localError(err, dir)
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) {
		return localError(err, dir)
	}
	return nil
}

const tempSuffix = ".mrtmp"

func tempName(base string) string {
	var b [8]byte
	rand.Read(b[:])
	return "." + base + "." + hex.EncodeToString(b[:]) + tempSuffix
}

func (s *local) Stat(ctx context.Context, name string) (Info, error) {
	fi, err := os.Stat(s.path(name))
	if err == nil && fi.IsDir() {
		err = fs.ErrNotExist
	}
	if err != nil {
		return Info{}, localError(err, s.path(name))
	}
	return Info{name, fi.Size(), fi.ModTime()}, nil
}

func (s *local) Delete(ctx context.Context, name string) error {
	if err := os.Remove(s.path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return localError(err, s.path(name))
	}
	return nil
}

func (s *local) List(ctx context.Context, prefix, startAfter string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		dir := ""
		if i := strings.LastIndexByte(prefix, '/'); i >= 0 {
			dir = prefix[:i+1]
		}
		s.walk(ctx, dir, prefix, startAfter, yield)
	}
}

// walk yields the files under dir (empty or ending in a slash) in order of their whole names: a directory sorts by
// its name with the slash.
func (s *local) walk(ctx context.Context, dir, prefix, startAfter string, yield func(Info, error) bool) bool {
	if err := ctx.Err(); err != nil {
		return yield(Info{}, err)
	}
	entries, err := os.ReadDir(s.path(dir))
	if err != nil {
		return errors.Is(err, fs.ErrNotExist) || yield(Info{}, localError(err, s.path(dir)))
	}
	names := make([]string, len(entries))
	dirs := make(map[string]bool)
	for i, e := range entries {
		names[i] = e.Name()
		if s.isDir(dir, e) {
			names[i] += "/"
			dirs[names[i]] = true
		}
	}
	sort.Strings(names)
	for _, base := range names {
		name := dir + base
		switch {
		case dirs[base]:
			if (strings.HasPrefix(name, prefix) || strings.HasPrefix(prefix, name)) &&
				(name > startAfter || strings.HasPrefix(startAfter, name)) && !s.walk(ctx, name, prefix, startAfter, yield) {
				return false
			}
		case name <= startAfter, !strings.HasPrefix(name, prefix), strings.HasSuffix(base, tempSuffix) && base[0] == '.':
		default:
			info, err := s.Stat(ctx, name)
			if errs.Is(err, errs.NotFound) {
				continue // deleted since the directory was read
			}
			if !yield(info, err) {
				return false
			}
		}
	}
	return true
}

func (s *local) isDir(dir string, e fs.DirEntry) bool {
	if e.Type()&fs.ModeSymlink == 0 {
		return e.IsDir()
	}
	fi, err := os.Stat(s.path(dir + e.Name()))
	return err == nil && fi.IsDir()
}
