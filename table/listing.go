package table

import (
	"context"
	"os"
	"path"
	"sort"
	"strings"
	"time"

	"millrace/errs"
	"millrace/storage"
)

// listed is a data file that was found.
type listed struct {
	path     string // URL
	root     string // the URL below which partition directories are looked for
	dir      string // between root and the file's name, without slashes at the ends
	size     int64
	modified time.Time
}

const globChars = "*?[]{}\\"

// list finds the data files of the paths, in order of their names. A path without any file is an error, unless it is an empty
// directory.
func list(ctx context.Context, paths []string, filter string) ([]listed, error) {
	var all []listed
	for _, p := range paths {
		found, err := listPath(ctx, strings.TrimRight(p, "/"))
		if err != nil {
			return nil, err
		}
		for _, f := range found {
			if ok, err := matchName(filter, path.Base(f.path)); err != nil {
				return nil, err
			} else if ok {
				all = append(all, f)
			}
		}
	}
	return all, nil
}

func matchName(glob, name string) (bool, error) {
	if glob == "" {
		return true, nil
	}
	return matchGlob(glob, name)
}

func listPath(ctx context.Context, p string) ([]listed, error) {
	if i := strings.IndexAny(p, globChars); i >= 0 {
		return listGlob(ctx, p, strings.LastIndexByte(p[:i], '/')+1)
	}
	dir, name := storage.Split(p)
	parent, err := storage.Open(dir)
	if err != nil {
		return nil, err
	}
	if info, err := parent.Stat(ctx, name); err == nil {
		return []listed{{path: storage.Join(parent.URL(), name), root: parent.URL(), size: info.Size, modified: info.Modified}}, nil
	} else if !errs.Is(err, errs.NotFound) {
		return nil, err
	}
	s, err := storage.Open(p)
	if err != nil {
		return nil, err
	}
	found, err := listBelow(ctx, s, "", func(string) (string, bool, error) { return "", true, nil })
	if err != nil {
		return nil, err
	}
	if len(found) == 0 && !isEmptyDirectory(ctx, s) {
		return nil, errs.New("PATH_NOT_FOUND", "path", s.URL())
	}
	return found, nil
}

// isEmptyDirectory tells a directory without data files from one that does not exist.
func isEmptyDirectory(ctx context.Context, s storage.Store) bool {
	if local, ok := strings.CutPrefix(s.URL(), "file:"); ok {
		info, err := os.Stat(local)
		return err == nil && info.IsDir()
	}
	for _, err := range s.List(ctx, "", "") {
		return err == nil // only hidden files
	}
	return false
}

// listBelow lists the files of a store that are not hidden. rootOf tells below which directory a file's partitions start, and
// whether it is wanted.
func listBelow(ctx context.Context, s storage.Store, prefix string, rootOf func(name string) (string, bool, error)) ([]listed, error) {
	var found []listed
	for info, err := range s.List(ctx, prefix, "") {
		if err != nil {
			return nil, err
		}
		root, ok, err := rootOf(info.Name)
		if err != nil {
			return nil, err
		}
		below := strings.TrimPrefix(strings.TrimPrefix(info.Name, root), "/")
		if !ok || hidden(below) {
			continue
		}
		f := listed{path: storage.Join(s.URL(), info.Name), root: s.URL(), size: info.Size, modified: info.Modified}
		if root != "" {
			f.root = storage.Join(s.URL(), root)
		}
		if i := strings.LastIndexByte(below, '/'); i >= 0 {
			f.dir = below[:i]
		}
		found = append(found, f)
	}
	sort.Slice(found, func(i, j int) bool { return found[i].path < found[j].path })
	return found, nil
}

// hidden files are those that Spark leaves out: a part of the name starts with a dot, or with an underscore unless it is a
// partition's.
func hidden(name string) bool {
	for _, part := range strings.Split(name, "/") {
		if strings.HasPrefix(part, ".") || strings.HasPrefix(part, "_") && !strings.Contains(part, "=") || strings.HasSuffix(part, "._COPYING_") {
			return true
		}
	}
	return false
}

// listGlob lists the files that match a pattern, or lie below a directory that does; the pattern begins at p[start:].
func listGlob(ctx context.Context, p string, start int) ([]listed, error) {
	base := p[:start]
	if base == "" {
		base = "."
	}
	s, err := storage.Open(base)
	if err != nil {
		return nil, err
	}
	patterns := expandBraces(p[start:])
	found, err := listBelow(ctx, s, "", func(name string) (root string, ok bool, err error) {
		for _, pattern := range patterns {
			if root, ok, err = matchParts(strings.Split(pattern, "/"), name); ok || err != nil {
				break
			}
		}
		return root, ok, err
	})
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, errs.New("PATH_NOT_FOUND", "path", s.URL()+"/"+p[start:])
	}
	return found, nil
}

// matchParts holds the first directories of a name against a pattern's. The matched part is the root, unless it is the file.
func matchParts(parts []string, name string) (root string, ok bool, err error) {
	names := strings.Split(name, "/")
	if len(names) < len(parts) {
		return "", false, nil
	}
	for i, g := range parts {
		if strings.HasPrefix(names[i], ".") || strings.HasPrefix(names[i], "_") && !strings.Contains(names[i], "=") {
			return "", false, nil
		}
		if ok, err := matchGlob(g, names[i]); err != nil || !ok {
			return "", false, err
		}
	}
	n := len(parts)
	if n == len(names) {
		n--
	}
	return strings.Join(names[:n], "/"), true, nil
}
