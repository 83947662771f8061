package window

import (
	"millrace/types"
	"millrace/vector"
)

// ranks are the functions that look at no argument of the rows, only at where the row stands.
var ranks = map[string]func(Spec) (function, error){
	"row_number": func(s Spec) (function, error) {
		return &rank{of: func(x *batch, k int) int64 { return int64(x.from + k - x.start[k] + 1) }, out: s.Call.Out}, nil
	},
	"rank": func(s Spec) (function, error) {
		return &rank{of: func(x *batch, k int) int64 { return int64(x.first[k] - x.start[k] + 1) }, out: s.Call.Out}, nil
	},
	"dense_rank": func(Spec) (function, error) { return &denseRank{}, nil },
	"percent_rank": func(Spec) (function, error) {
		return &share{of: func(x *batch, k int) (float64, float64) {
			return float64(x.first[k] - x.start[k]), float64(x.end[k] - x.start[k] - 1)
		}}, nil
	},
	"cume_dist": func(Spec) (function, error) {
		return &share{of: func(x *batch, k int) (float64, float64) {
			return float64(x.last[k] - x.start[k]), float64(x.end[k] - x.start[k])
		}}, nil
	},
	"ntile": newNtile,
}

func wantsPeers(name string) bool {
	switch name {
	case "rank", "dense_rank", "percent_rank", "cume_dist":
		return true
	}
	return false
}

// rank is a number that follows from the row's place alone.
type rank struct {
	of  func(x *batch, k int) int64
	out *types.Type
}

func (f *rank) begin(*Windows) error { return nil }
func (f *rank) memSize() int64       { return 0 }

func (f *rank) next(w *Windows, _ *frame, out *vector.Vector) error {
	out.Append(longs(f.out, w.batch.n, func(k int) int64 { return f.of(&w.batch, k) }), nil)
	return nil
}

func newNtile(s Spec) (function, error) {
	buckets, err := integer(s.Call, 0, 1)
	if err != nil {
		return nil, err
	}
	return &rank{out: s.Call.Out, of: func(x *batch, k int) int64 {
		rows, i := int64(x.end[k]-x.start[k]), int64(x.from+k-x.start[k])
		size, larger := rows/buckets, rows%buckets // the first buckets have one row more
		if i < larger*(size+1) {
			return i/(size+1) + 1
		}
		return larger + (i-larger*(size+1))/size + 1
	}}, nil
}

// denseRank counts the groups of peers.
type denseRank struct{ count int64 }

func (f *denseRank) begin(*Windows) error { f.count = 0; return nil }
func (f *denseRank) memSize() int64       { return 0 }

func (f *denseRank) next(w *Windows, _ *frame, out *vector.Vector) error {
	x := &w.batch
	out.Append(longs(types.Integer, x.n, func(k int) int64 {
		switch i := x.from + k; {
		case i == x.start[k]:
			f.count = 1
		case i == x.first[k]:
			f.count++
		}
		return f.count
	}), nil)
	return nil
}

// share is a part of a whole; of nothing it is 0.
type share struct {
	of func(x *batch, k int) (part, whole float64)
}

func (f *share) begin(*Windows) error { return nil }
func (f *share) memSize() int64       { return 0 }

func (f *share) next(w *Windows, _ *frame, out *vector.Vector) error {
	s := make([]float64, w.batch.n)
	for k := range s {
		if part, whole := f.of(&w.batch, k); whole > 0 {
			s[k] = part / whole
		}
	}
	out.Append(vector.FromSlice(types.Double, s), nil)
	return nil
}
