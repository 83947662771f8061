package storage

import (
	"context"
	"net/url"
	"path"
	"regexp"
	"strings"

	"millrace/errs"
)

var schemeForm = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9+.-]*):`)

// Open returns the store rooted at a place: a plain path, file:/path, file:///path, s3://bucket/path or s3a://bucket/path.
// It touches neither disk nor network. Spark's URLs are taken as they are: a % in them is a character, no escape.
func Open(location string) (Store, error) {
	m := schemeForm.FindStringSubmatch(location)
	if m == nil {
		return Local(location)
	}
	rest := location[len(m[0]):]
	switch strings.ToLower(m[1]) {
	case "file":
		if host, ok := strings.CutPrefix(rest, "//"); ok && !strings.HasPrefix(host, "/") {
			return nil, errs.Newf(errs.Invalid, "a file URL names no host: %s", location)
		}
		return Local("/" + strings.TrimLeft(rest, "/"))
	case "s3", "s3a", "s3n":
		return openS3(location, strings.TrimPrefix(rest, "//"))
	}
	return nil, errs.Unsupportedf("The storage scheme %s is not supported (in %s); use a path, file: or s3:.", m[1], location)
}

// Split cuts the URL or path of a file into the place of its directory and its name there, so that
// s, _ := Open(dir); s.Get(ctx, name) reads it.
func Split(file string) (dir, name string) {
	i := strings.LastIndexByte(file, '/')
	if i < 0 {
		return ".", file
	}
	return file[:i+1], file[i+1:]
}

// OpenFile opens one file by its URL or path.
func OpenFile(ctx context.Context, file string) (Reader, error) {
	dir, name := Split(file)
	s, err := Open(dir)
	if err != nil {
		return nil, err
	}
	return s.Open(ctx, name)
}

// IsAbsolute reports whether a path of a table's log is an absolute one: with a scheme or a slash in front.
func IsAbsolute(name string) bool {
	return strings.HasPrefix(name, "/") || schemeForm.MatchString(name)
}

// Join is the place of a name under a root's URL, or the name itself when it is absolute.
func Join(root, name string) string {
	if IsAbsolute(name) {
		return name
	}
	return strings.TrimSuffix(root, "/") + "/" + name
}

// Sub is the store of a directory below a store's root.
func Sub(s Store, dir string) (Store, error) { return Open(Join(s.URL(), path.Clean(dir))) }

// Unescape decodes the percent escapes of a path in a table's log; one that is not well formed stays as it is.
func Unescape(name string) string {
	if !strings.Contains(name, "%") {
		return name
	}
	if plain, err := url.PathUnescape(name); err == nil {
		return plain
	}
	return name
}
