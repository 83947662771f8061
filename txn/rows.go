package txn

import (
	"context"
	"slices"
	"sync"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"millrace/delta"
	"millrace/delta/log"
)

// Rows reads a deletion vector: the rows of its file that are gone. Nil is no vector, which has none. The answer must not be changed.
type Rows func(*delta.DeletionVector) (*roaring64.Bitmap, error)

// onlyGrown reports whether a commit took nothing but rows away from a file that it removed and added again.
func (c *contest) onlyGrown(theirs map[string]regrowth, path string) (bool, error) {
	g, ok := theirs[path]
	if !ok || c.rows == nil {
		return false, nil
	}
	before, err := c.rows(g.remove.DeletionVector)
	if err != nil {
		return false, err
	}
	after, err := c.rows(g.add.DeletionVector)
	if err != nil {
		return false, err
	}
	return contains(after, before), nil
}

// harmless reports whether a file that a commit added again holds nothing that the transaction should have read: rows were taken away from a file
// on which it does not depend, or other rows than it takes away itself.
func (c *contest) harmless(theirs map[string]regrowth, path string) (bool, error) {
	grown, err := c.onlyGrown(theirs, path)
	if err != nil || !grown {
		return false, err
	}
	if !c.ReadTable && !slices.Contains(c.ReadFiles, path) {
		return true, nil
	}
	return c.otherRows(path)
}

// otherRows reports whether both the transaction and the winner delete rows of a file by its deletion vector, and no row twice.
func (c *contest) otherRows(path string) (bool, error) {
	mine, ok := c.mine[path]
	if !ok {
		return false, nil
	}
	theirs := (&Request{Actions: c.w.Actions}).regrown()
	if grown, err := c.onlyGrown(theirs, path); err != nil || !grown {
		return false, err
	}
	mineGone, err := deleted(mine, c.rows)
	if err != nil {
		return false, err
	}
	theirsGone, err := deleted(theirs[path], c.rows)
	if err != nil {
		return false, err
	}
	return !mineGone.Intersects(theirsGone), nil
}

// deleted are the rows that a regrowth deletes.
func deleted(g regrowth, rows Rows) (*roaring64.Bitmap, error) {
	before, err := rows(g.remove.DeletionVector)
	if err != nil {
		return nil, err
	}
	after, err := rows(g.add.DeletionVector)
	if err != nil {
		return nil, err
	}
	return roaring64.AndNot(after, before), nil
}

func contains(all, part *roaring64.Bitmap) bool {
	return roaring64.And(all, part).GetCardinality() == part.GetCardinality()
}

// Rebase moves a transaction that passed Check against all winners onto the version after the last of them: files whose deletion
// vectors the winners have grown get a vector with all rows that are gone, which store keeps. The request itself is left as it is.
func Rebase(r *Request, winners []*Winner, rows Rows, store func(*roaring64.Bitmap) (*delta.DeletionVector, error)) (*Request, error) {
	if !r.RowLevel {
		return r, nil
	}
	mine := r.regrown()
	now := map[string]*delta.Add{} // as the winners left the files
	for _, w := range winners {
		for i := range w.Actions {
			if a := w.Actions[i].Add; a != nil && mine[a.Path].add != nil {
				now[a.Path] = a
			}
		}
	}
	if len(now) == 0 {
		return r, nil
	}
	out := *r
	out.Actions = make([]delta.Action, 0, len(r.Actions))
	for _, a := range r.Actions {
		switch {
		case a.Remove != nil && now[a.Remove.Path] != nil:
			x := now[a.Remove.Path].Remove(a.Remove.DeletionTimestamp, a.Remove.DataChange)
			x.Stats = a.Remove.Stats
			a.Remove = x
		case a.Add != nil && now[a.Add.Path] != nil:
			add, err := merge(a.Add, now[a.Add.Path], rows, store)
			if err != nil {
				return nil, err
			}
			if add == nil {
				continue // no row is left
			}
			a.Add = add
		}
		out.Actions = append(out.Actions, a)
	}
	return &out, nil
}

// merge is a file as others left it without the rows that the transaction deletes, or nil when no row is left.
func merge(mine, now *delta.Add, rows Rows, store func(*roaring64.Bitmap) (*delta.DeletionVector, error)) (*delta.Add, error) {
	a, err := rows(mine.DeletionVector)
	if err != nil {
		return nil, err
	}
	b, err := rows(now.DeletionVector)
	if err != nil {
		return nil, err
	}
	gone := roaring64.Or(a, b)
	if n, ok := delta.ReadStats(now.Stats).Records(); ok && uint64(n) == gone.GetCardinality() {
		return nil, nil
	}
	dv, err := store(gone)
	if err != nil {
		return nil, err
	}
	add := *now
	add.DeletionVector, add.ModificationTime, add.DataChange = dv, mine.ModificationTime, mine.DataChange
	return &add, nil
}

// vectorsKept is how many deletion vectors a queue remembers.
const vectorsKept = 256

// vectors reads a table's deletion vectors and remembers those read last.
type vectors struct {
	mu   sync.Mutex
	rows map[string]*roaring64.Bitmap
}

func (v *vectors) of(ctx context.Context, table string) Rows {
	return func(dv *delta.DeletionVector) (*roaring64.Bitmap, error) {
		if dv == nil {
			return roaring64.New(), nil
		}
		v.mu.Lock()
		defer v.mu.Unlock()
		if b := v.rows[dv.ID()]; b != nil {
			return b, nil
		}
		b, err := log.DeletedRows(ctx, table, dv)
		if err != nil {
			return nil, err
		}
		if v.rows == nil || len(v.rows) >= vectorsKept {
			v.rows = map[string]*roaring64.Bitmap{}
		}
		v.rows[dv.ID()] = b
		return b, nil
	}
}
