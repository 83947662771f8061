package agg

import (
	"millrace/operators/sortkey"
	"millrace/types"
	"millrace/vector"
)

func init() {
	register(builder{func(c *Call) []*types.Type { return tupleStates(listColumns(c)) }, newListAgg}, "listagg")
}

// listColumns are the texts and the order's keys, which follow the delimiter.
func listColumns(c *Call) []*types.Type {
	cols := []*types.Type{c.Args[0]}
	if len(c.Args) > 2 {
		cols = append(cols, c.Args[2:]...)
	}
	return cols
}

// listAgg joins texts, or binaries, with a delimiter between them.
type listAgg struct {
	tuples
	delimiter []byte
	args      []*vector.Vector
	text      []byte
}

func newListAgg(c *Call) (Function, error) {
	var keys []sortkey.Key
	order := c.Opts["order"]
	for i := 0; i+1 < len(order); i += 2 {
		keys = append(keys, sortkey.Key{Type: c.Args[2+i/2], Descending: order[i] == 'd', NullsFirst: order[i+1] == 'f'})
	}
	f := &listAgg{tuples: newTuples(listColumns(c), keys)}
	if len(c.Args) > 1 {
		d := c.constant(1)
		if d == nil {
			return nil, unsupported(c)
		}
		if !d.IsNull(0) {
			f.delimiter = append(f.delimiter, d.Str(0)...)
		}
	}
	return f, nil
}

func (f *listAgg) TakesNulls() bool { return true } // the keys may be null

func (f *listAgg) Update(in *Input) error {
	var rows, groups []uint32
	for k := range in.N {
		if !in.Args[0].IsNull(k) {
			rows, groups = append(rows, uint32(k)), append(groups, in.group(k))
		}
	}
	f.args = append(f.args[:0], in.Args[0])
	if len(in.Args) > 2 {
		f.args = append(f.args, in.Args[2:]...)
	}
	f.add(f.args, rows, func(k int) uint32 { return groups[k] })
	return nil
}

func (f *listAgg) Result(out *vector.Vector, from, n int) error {
	f.arrange()
	v := &vector.Vector{}
	v.Reset(out.Type, n)
	for g := range n {
		rows := f.of(from + g)
		f.text = f.text[:0]
		for i, r := range rows {
			if i > 0 {
				f.text = append(f.text, f.delimiter...)
			}
			f.text = append(f.text, f.cols[0].Str(int(r))...)
		}
		v.AppendStr(g, f.text)
		if len(rows) == 0 {
			v.SetNull(g)
		}
	}
	out.Append(v, nil)
	return nil
}
