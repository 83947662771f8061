package delta

import (
	"hash/maphash"
	"strings"
	"sync"
)

// fileKey names a logical file: the same data file under another deletion vector is another one.
type fileKey string

func keyOf(path string, dv *DeletionVector) fileKey {
	path = canonicalPath(path)
	if dv == nil {
		return fileKey(path)
	}
	return fileKey(path + "\x00" + dv.ID())
}

// canonicalPath gives the spellings of an absolute local path one form.
func canonicalPath(path string) string {
	if rest, ok := strings.CutPrefix(path, "file:"); ok {
		return "/" + strings.TrimLeft(rest, "/")
	}
	return path
}

// fileIndex finds the files of a large layer. It takes a fraction of a map's memory and is made when something is first looked for.
type fileIndex struct {
	once  sync.Once
	slots []int32 // 1 + a place in order, at the hash of the file's key or behind it
}

var indexSeed = maphash.MakeSeed()

func hashKey(k fileKey) uint64 { return maphash.String(indexSeed, string(k)) }

func (x *fileIndex) build(order []*Add) {
	size := 16
	for size < 2*len(order) {
		size *= 2
	}
	x.slots = make([]int32, size)
	mask := uint64(size - 1)
	for i, a := range order {
		h := hashKey(keyOf(a.Path, a.DeletionVector)) & mask
		for x.slots[h] != 0 {
			h = (h + 1) & mask
		}
		x.slots[h] = int32(i + 1)
	}
}

// lookup is where a key's file is in order.
func (x *fileIndex) lookup(order []*Add, k fileKey) (int, bool) {
	x.once.Do(func() { x.build(order) })
	mask := uint64(len(x.slots) - 1)
	for h := hashKey(k) & mask; x.slots[h] != 0; h = (h + 1) & mask {
		i := int(x.slots[h] - 1)
		if a := order[i]; keyOf(a.Path, a.DeletionVector) == k {
			return i, true
		}
	}
	return 0, false
}

// fileSet is an immutable set of live files and tombstones. It is a stack of layers like a log-structured merge tree: a
// commit makes a small layer over its parent's, and layers of like size are merged, so that a table of a million files
// takes a commit of one file without being copied. A layer's entry hides those of its parents.
type fileSet struct {
	parent  *fileSet
	adds    map[fileKey]int // index in order; nil in a layer with an index of its own
	index   *fileIndex      // of a layer to which nothing is added any more
	order   []*Add
	removes map[fileKey]*Remove
	hides   bool // some entry may hide an add of a parent
	live    int  // live files of this layer and its parents
	bytes   int64
}

func (s *fileSet) entries() int {
	if s.index != nil {
		return len(s.order) + len(s.removes)
	}
	return len(s.adds) + len(s.removes)
}

// lookup is where this layer has a key's file.
func (s *fileSet) lookup(k fileKey) (int, bool) {
	if s.index != nil {
		return s.index.lookup(s.order, k)
	}
	i, ok := s.adds[k]
	return i, ok
}

// bulkLayer is a layer of files that are known to be different from each other, without a parent.
func bulkLayer(files []*Add) *fileSet {
	s := &fileSet{order: files, removes: map[fileKey]*Remove{}, index: &fileIndex{}, live: len(files)}
	for _, a := range files {
		s.bytes += a.Size
	}
	return s
}

// find is the newest entry of a key: a live file, or none but known as a tombstone.
func (s *fileSet) find(k fileKey) (a *Add, known bool) {
	for ; s != nil; s = s.parent {
		if i, ok := s.lookup(k); ok {
			return s.order[i], true
		}
		if _, ok := s.removes[k]; ok {
			return nil, true
		}
	}
	return nil, false
}

// newLayer builds a new layer over a set.
func newLayer(parent *fileSet) *fileSet {
	s := &fileSet{parent: parent, adds: map[fileKey]int{}, removes: map[fileKey]*Remove{}}
	if parent != nil {
		s.live, s.bytes = parent.live, parent.bytes
	}
	return s
}

func (s *fileSet) add(a *Add) {
	k := keyOf(a.Path, a.DeletionVector)
	old, known := s.find(k)
	if old != nil {
		s.live--
		s.bytes -= old.Size
	}
	s.hides = s.hides || known
	s.live++
	s.bytes += a.Size
	delete(s.removes, k)
	if i, ok := s.adds[k]; ok {
		s.order[i] = a
		return
	}
	s.adds[k] = len(s.order)
	s.order = append(s.order, a)
}

func (s *fileSet) remove(r *Remove) {
	k := keyOf(r.Path, r.DeletionVector)
	if old, _ := s.find(k); old != nil {
		s.live--
		s.bytes -= old.Size
	}
	if i, ok := s.adds[k]; ok {
		s.order[i] = nil
		delete(s.adds, k)
	}
	s.removes[k] = r
	s.hides = true
}

// seal merges the layer with its parents while they are not much larger, and returns the result.
func (s *fileSet) seal() *fileSet {
	for s.parent != nil && s.parent.entries() <= 2*s.entries() {
		s = s.merge()
	}
	return s
}

// indexedFrom is the number of files from which a layer has an index in the place of a map.
var indexedFrom = 1024

// merge makes one layer of the top two.
func (s *fileSet) merge() *fileSet {
	below := s.parent
	m := &fileSet{parent: below.parent, removes: make(map[fileKey]*Remove, len(below.removes)+len(s.removes)),
		hides: s.hides || below.hides, live: s.live, bytes: s.bytes}
	for k, r := range below.removes {
		if _, added := s.lookup(k); !added {
			m.removes[k] = r
		}
	}
	for k, r := range s.removes {
		m.removes[k] = r
	}
	for _, a := range below.order {
		if a != nil && !s.shadows(keyOf(a.Path, a.DeletionVector)) {
			m.order = append(m.order, a)
		}
	}
	for _, a := range s.order {
		if a != nil {
			m.order = append(m.order, a)
		}
	}
	if len(m.order) >= indexedFrom {
		m.index = &fileIndex{}
	} else {
		m.adds = make(map[fileKey]int, len(m.order))
		for i, a := range m.order {
			m.adds[keyOf(a.Path, a.DeletionVector)] = i
		}
	}
	m.hides = m.hides && m.parent != nil
	return m
}

func (s *fileSet) shadows(k fileKey) bool {
	if !s.hides {
		return false
	}
	if _, ok := s.lookup(k); ok {
		return true
	}
	_, ok := s.removes[k]
	return ok
}

// layers are the set's layers from the oldest, and for each those above it that may hide its entries.
func (s *fileSet) layers() (all []*fileSet, above [][]*fileSet) {
	var hiding []*fileSet
	for l := s; l != nil; l = l.parent {
		all = append(all, l)
		above = append(above, hiding[:len(hiding):len(hiding)])
		if l.hides {
			hiding = append(hiding, l)
		}
	}
	for i, j := 0, len(all)-1; i < j; i, j = i+1, j-1 {
		all[i], all[j] = all[j], all[i]
		above[i], above[j] = above[j], above[i]
	}
	return all, above
}

// each yields the live files, oldest first.
func (s *fileSet) each(yield func(*Add) bool) {
	layers, above := s.layers()
	for i, l := range layers {
		for _, a := range l.order {
			if a != nil && !hidden(above[i], a) && !yield(a) {
				return
			}
		}
	}
}

func hidden(above []*fileSet, a *Add) bool {
	if len(above) == 0 {
		return false
	}
	k := keyOf(a.Path, a.DeletionVector)
	for _, l := range above {
		if l.shadows(k) {
			return true
		}
	}
	return false
}

// tombstones yields the removes that no later add has undone, in no order.
func (s *fileSet) tombstones(yield func(*Remove) bool) {
	layers, above := s.layers()
	for i, l := range layers {
	entries:
		for k, r := range l.removes {
			for _, top := range above[i] {
				if top.shadows(k) {
					continue entries
				}
			}
			if !yield(r) {
				return
			}
		}
	}
}
