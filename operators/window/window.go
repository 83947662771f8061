package window

import (
	"millrace/errs"
	"millrace/operators/agg"
	"millrace/operators/sortkey"
	"millrace/types"
	"millrace/vector"
)

// Spec is one function and its frame.
type Spec struct {
	Call         *agg.Call // an aggregate, or a window function by its name
	Args         []int     // the columns of the rows that are its arguments; -1: a constant, which stands in the call
	Filter       int       // a column of booleans: only rows in which it is true are aggregated; -1: none
	Lower, Upper Bound
	Key          sortkey.Key // of the order, for a Value bound
	KeyColumn    int
}

// Windows computes functions over the rows of one block after another. It is used by one goroutine at a time.
type Windows struct {
	funcs  []function
	names  []string
	frames []*frame
	of     []*frame // by function; nil: it has none
	block  *Block
	batch  batch
	stop   func() error
}

// function computes a column for the rows of a block, batch after batch.
type function interface {
	// begin starts a block.
	begin(w *Windows) error
	// next appends the results of the batch's rows; the frames are f's.
	next(w *Windows, f *frame, out *vector.Vector) error
	// memSize is the bytes held besides the block's.
	memSize() int64
}

// New makes the functions, which gather about so many rows at once.
func New(specs []Spec, gather int) (*Windows, error) {
	w := &Windows{}
	for _, s := range specs {
		f, framed, err := newFunction(s, gather)
		if err != nil {
			return nil, err
		}
		w.funcs, w.names = append(w.funcs, f), append(w.names, s.Call.Name)
		if !framed {
			w.of = append(w.of, nil)
			w.batch.peers = w.batch.peers || wantsPeers(s.Call.Name)
			continue
		}
		w.of = append(w.of, w.frameOf(s))
		w.batch.peers = w.batch.peers || s.Lower.Kind == Peer || s.Upper.Kind == Peer
	}
	return w, nil
}

func (w *Windows) frameOf(s Spec) *frame {
	for _, f := range w.frames {
		if f.lower == s.Lower && f.upper == s.Upper {
			return f
		}
	}
	f := &frame{lower: s.Lower, upper: s.Upper, key: s.Key, column: s.KeyColumn}
	w.frames = append(w.frames, f)
	return f
}

func newFunction(s Spec, gather int) (f function, framed bool, err error) {
	if r := ranks[s.Call.Name]; r != nil {
		f, err = r(s)
		return f, false, err
	}
	switch s.Call.Name {
	case "lag", "lead":
		f, err = newShift(s)
		return f, false, err
	case "first", "last", "nth_value":
		f, err = newPick(s)
		return f, true, err
	}
	f, err = newAggregate(s, gather)
	return f, true, err
}

// Begin starts a block, which is complete. Stop is asked now and then and ends the work with its error.
func (w *Windows) Begin(b *Block, stop func() error) error {
	b.seal()
	w.block, w.stop = b, stop
	w.batch.partition, w.batch.first = w.batch.partition[:0], w.batch.first[:0]
	for _, f := range w.frames {
		f.begin()
	}
	for _, f := range w.funcs {
		if err := f.begin(w); err != nil {
			return err
		}
	}
	return nil
}

// Next appends the functions' results for the rows from..from+n-1, which follow those of the last call.
func (w *Windows) Next(from, n int, out []*vector.Vector) error {
	w.batch.position(w.block, from, n)
	for i, f := range w.funcs {
		if fr := w.of[i]; fr != nil {
			if err := fr.fill(w.block, &w.batch); err != nil {
				return err
			}
		}
		if err := f.next(w, w.of[i], out[i]); err != nil {
			return err
		}
		if out[i].Len != n {
			return errs.Newf(errs.Internal, "a window function made %d results for %d rows", out[i].Len, n)
		}
	}
	return nil
}

// MemSize is the bytes that the functions hold, and the name of the one that holds most.
func (w *Windows) MemSize() (largest string, n int64) {
	most := int64(-1)
	for i, f := range w.funcs {
		size := f.memSize()
		if size > most {
			largest, most = w.names[i], size
		}
		n += size
	}
	return largest, n
}

// pages calls visit with every page of the block.
func (w *Windows) pages(visit func(p *page) error) error {
	for k := range w.block.pages {
		p, err := w.block.load(k)
		if err != nil {
			return err
		}
		if err := visit(p); err != nil {
			return err
		}
		if err := w.stop(); err != nil {
			return err
		}
	}
	return nil
}

// integer is a constant argument of integral type.
func integer(c *agg.Call, i int, otherwise int64) (int64, error) {
	if i >= len(c.Args) {
		return otherwise, nil
	}
	if i >= len(c.Consts) || c.Consts[i] == nil || c.Consts[i].IsNull(0) {
		return 0, errs.Unsupportedf("The window function %s takes constants only.", c.Name)
	}
	v := c.Consts[i]
	if vector.Width(v.Type) == 4 {
		return int64(vector.Values[int32](v)[0]), nil
	}
	return vector.Values[int64](v)[0], nil
}

func longs(t *types.Type, n int, value func(k int) int64) *vector.Vector {
	if vector.Width(t) == 4 {
		s := make([]int32, n)
		for k := range s {
			s[k] = int32(value(k))
		}
		return vector.FromSlice(t, s)
	}
	s := make([]int64, n)
	for k := range s {
		s[k] = value(k)
	}
	return vector.FromSlice(t, s)
}
