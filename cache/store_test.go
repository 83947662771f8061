package cache

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"millrace/errs"
	"millrace/memory"
	"millrace/types"
	"millrace/vector"
)

var columns = []*types.Type{types.Long, types.String, types.ArrayOf(types.Double, true)}

// batch makes n rows that count from first; the string column is a dictionary, and rows of odd number are left out if selected.
func batch(first, n int, dict *vector.Vector, selected bool) *vector.Batch {
	ids, codes := make([]int64, n), make([]int32, n)
	list := vector.NewEmpty(columns[2])
	list.Offsets = append(list.Offsets[:0], 0)
	for i := range n {
		ids[i], codes[i] = int64(first+i), int32((first+i)%dict.Len)
		list.Children[0].Append(vector.FromSlice(types.Double, []float64{float64(first + i), 0.5}), nil)
		list.Offsets = append(list.Offsets, int32(list.Children[0].Len))
	}
	list.Len = n
	s := &vector.Vector{}
	s.ResetDict(dict, n)
	copy(vector.Codes(s), codes)
	b := &vector.Batch{N: n, Cols: []*vector.Vector{vector.FromSlice(types.Long, ids), s, list}}
	if selected {
		for i := range n {
			if (first+i)%2 == 0 {
				b.Sel = append(b.Sel, uint32(i))
			}
		}
	}
	return b
}

func dictionary() *vector.Vector {
	return vector.FromStrings(types.String, []string{"a", "bc", "", "def", "é"}, nil)
}

// fillBlock keeps so many rows, in batches of any size.
func fillBlock(t *testing.T, s *Store, k Key, rows int, inMemory bool) Stats {
	t.Helper()
	w, err := s.Create(k, columns, inMemory)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	dict := dictionary()
	for at := 0; at < rows; {
		n := min(1+rand.IntN(3000), rows-at)
		if err := w.Append(batch(at, n, dict, at%3 == 0)); err != nil {
			t.Fatal(err)
		}
		at += n
	}
	st, err := w.Finish()
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// check reads a block and returns how many rows it has, after having looked at each.
func check(t *testing.T, s *Store, k Key) (rows int64) {
	t.Helper()
	r, err := s.Open(context.Background(), k)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	dict, last := dictionary(), int64(-1)
	for {
		b, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if b == nil {
			return rows
		}
		rows += int64(b.N)
		for i := range b.N {
			id := vector.Values[int64](b.Cols[0])[i]
			list := b.Cols[2]
			first := vector.Values[float64](list.Children[0])[list.Offsets[i]]
			if id <= last || string(b.Cols[1].Str(i)) != string(dict.Str(int(id)%dict.Len)) || first != float64(id) || list.Offsets[i+1]-list.Offsets[i] != 2 {
				t.Fatalf("row %d after %d: %q, %v", id, last, b.Cols[1].Str(i), first)
			}
			last = id
		}
	}
}

func newStore(t *testing.T, bytes int64) (*Store, *memory.Pool) {
	pool := memory.NewPool("worker", bytes)
	s, err := NewStore(t.TempDir(), pool)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Close()
		if pool.Used() != 0 {
			t.Errorf("%d bytes are still reserved", pool.Used())
		}
	})
	return s, pool
}

func TestBlocks(t *testing.T) {
	for _, test := range []struct {
		memory   int64
		inMemory bool
	}{{1 << 30, true}, {1 << 30, false}, {1 << 20, true}, {1000, true}} {
		t.Run(fmt.Sprint(test), func(t *testing.T) {
			s, _ := newStore(t, test.memory)
			k := Key{"f", 3, 1}
			st := fillBlock(t, s, k, 40_000, test.inMemory)
			if got := check(t, s, k); got != st.Rows || got == 0 {
				t.Errorf("%d rows of %d", got, st.Rows)
			}
			if inMemory := test.inMemory && test.memory == 1<<30; inMemory != (st.Memory > 0) || inMemory == (st.Disk > 0) {
				t.Errorf("%+v", st)
			}
			if got := s.Stats(); got != st {
				t.Errorf("%+v, not %+v", got, st)
			}
			// Another attempt is another block; the same one again replaces it.
			fillBlock(t, s, Key{"f", 3, 2}, 10, test.inMemory)
			fillBlock(t, s, k, 20_000, test.inMemory)
			if n := check(t, s, k); n >= st.Rows {
				t.Errorf("%d rows after it was filled with half of %d", n, st.Rows)
			}
			s.Forget("f")
			if _, err := s.Open(context.Background(), k); !errs.Is(err, errs.Lost) {
				t.Error(err)
			}
			if got := s.Stats(); got != (Stats{}) {
				t.Errorf("%+v after all was forgotten", got)
			}
			fillBlock(t, s, k, 10, test.inMemory) // a late task
			if got := s.Stats(); got != (Stats{}) {
				t.Errorf("%+v of a late task is kept", got)
			}
		})
	}
}

// TestDictionary wants the dictionary of a column kept, in memory and on disk, and counted once.
func TestDictionary(t *testing.T) {
	for _, inMemory := range []bool{true, false} {
		s, _ := newStore(t, 1<<30)
		fillBlock(t, s, Key{"f", 0, 1}, 30_000, inMemory)
		r, err := s.Open(context.Background(), Key{"f", 0, 1})
		if err != nil {
			t.Fatal(err)
		}
		seen := map[*vector.Vector]bool{}
		for {
			b, err := r.Next()
			if err != nil {
				t.Fatal(err)
			}
			if b == nil {
				break
			}
			seen[b.Cols[1].Dict] = true
		}
		if len(seen) != 1 || seen[nil] {
			t.Errorf("in memory %t: the blocks' batches have %d dictionaries", inMemory, len(seen))
		}
	}
}

// TestEvict wants the longest unused frame to go to disk, while it is read.
func TestEvict(t *testing.T) {
	s, _ := newStore(t, 4<<20)
	fillBlock(t, s, Key{"old", 0, 1}, 20_000, true)
	fillBlock(t, s, Key{"used", 0, 1}, 20_000, true)
	rows := check(t, s, Key{"old", 0, 1})
	check(t, s, Key{"used", 0, 1})
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 20 {
				check(t, s, Key{"old", 0, 1})
			}
		})
	}
	var order []string
	for i := range 4 {
		fillBlock(t, s, Key{fmt.Sprint("new", i), 0, 1}, 20_000, true)
	}
	all.Wait()
	for _, k := range []string{"old", "used", "new0", "new1", "new2", "new3"} {
		s.mu.Lock()
		if s.blocks[k][Key{k, 0, 1}].spool != nil {
			order = append(order, k)
		}
		s.mu.Unlock()
		if n := check(t, s, Key{k, 0, 1}); n == 0 || rows == 0 {
			t.Errorf("%s has no rows", k)
		}
	}
	if len(order) == 0 || slices.Contains(order, "new3") {
		t.Errorf("on disk are %q", order)
	}
}
