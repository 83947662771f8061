package session

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"sync"

	"millrace/errs"
)

// Artifacts are the files that a client has uploaded to its session: cached data under cache/<hash>, Python modules
// under pyfiles/, archives/ and files/. They lie on disk under names that no client can choose.
type Artifacts struct {
	dir string
	mu  sync.RWMutex
	all map[string]string // name -> path
}

func newArtifacts(dir string) *Artifacts { return &Artifacts{dir: dir, all: map[string]string{}} }

// CachePrefix is in front of the hash of cached data.
const CachePrefix = "cache/"

// Put stores a file.
func (a *Artifacts) Put(name string, data []byte) error {
	if name == "" || strings.HasPrefix(name, "/") || strings.Contains("/"+name+"/", "/../") {
		return errs.Newf(errs.Invalid, "The artifact's name %q is not a relative path.", name)
	}
	sum := sha256.Sum256([]byte(name))
	path := filepath.Join(a.dir, hex.EncodeToString(sum[:16]))
	if err := os.MkdirAll(a.dir, 0o700); err != nil {
		return errs.Wrap(err, "keep artifact %s", name)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		return errs.Wrap(err, "keep artifact %s", name)
	}
	a.mu.Lock()
	a.all[name] = path
	a.mu.Unlock()
	return nil
}

// Has reports whether a file of that name is there.
func (a *Artifacts) Has(name string) bool {
	a.mu.RLock()
	defer a.mu.RUnlock()
	_, ok := a.all[name]
	return ok
}

// Path is where a file lies, or empty.
func (a *Artifacts) Path(name string) string {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.all[name]
}

// Names lists the files with a prefix.
func (a *Artifacts) Names(prefix string) []string {
	a.mu.RLock()
	defer a.mu.RUnlock()
	var names []string
	for n := range a.all {
		if strings.HasPrefix(n, prefix) {
			names = append(names, n)
		}
	}
	sort.Strings(names)
	return names
}

// Read is a file's content.
func (a *Artifacts) Read(name string) ([]byte, error) {
	path := a.Path(name)
	if path == "" {
		return nil, &fs.PathError{Op: "read artifact", Path: name, Err: fs.ErrNotExist}
	}
	return os.ReadFile(path)
}

// Cached is the data that was uploaded under a hash.
func (a *Artifacts) Cached(hash string) ([]byte, error) {
	data, err := a.Read(CachePrefix + hash)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errs.New("CONNECT_INVALID_PLAN.CANNOT_FIND_CACHED_LOCAL_RELATION", "hash", hash)
	}
	return data, err
}

func (a *Artifacts) copyTo(b *Artifacts) error {
	for _, name := range a.Names("") {
		data, err := a.Read(name)
		if err != nil {
			return errs.Wrap(err, "copy artifact %s", name)
		}
		if err := b.Put(name, data); err != nil {
			return err
		}
	}
	return nil
}

func (a *Artifacts) remove() {
	os.RemoveAll(a.dir) // a file left in a temporary directory does no harm
	a.mu.Lock()
	clear(a.all)
	a.mu.Unlock()
}
