package agg

import (
	"math"
	"slices"
	"strconv"

	"millrace/errs"
	"millrace/operators/sortkey"
	"millrace/types"
	"millrace/vector"
)

func init() {
	list := func(c *Call) []*types.Type { return []*types.Type{types.ArrayOf(c.Args[0], true)} }
	register(builder{list, func(c *Call) (Function, error) { return newLists(c, listOf), nil }}, "collect_list", "array_agg")
	register(builder{list, func(c *Call) (Function, error) {
		f := newLists(c, listOf)
		f.set = NewDistinct(c.Args[:1])
		return f, nil
	}}, "collect_set")
	register(builder{list, func(c *Call) (Function, error) { return newLists(c, modeOf), nil }}, "mode")
	register(builder{list, newPercentile}, "percentile", "percentile_cont", "percentile_disc", "median", "percentile_approx", "approx_percentile")
}

// lists keeps all values of every group: for the aggregates that need them together.
type lists struct {
	call   *Call
	values *vector.Vector
	groups []int32
	n      int // groups
	set    *Distinct
	// finish appends the result of one group, whose values are rows of f.values, in order unless it is a list.
	finish func(f *lists, out *vector.Vector, rows []uint32)
	shares []float64
	approx bool // a value itself, not one between two
	desc   bool // values are taken in descending order
	nulls  bool // are values too

	order []uint32 // the rows by group
	first []int    // by group: its first place in order
}

func newLists(c *Call, finish func(*lists, *vector.Vector, []uint32)) *lists {
	return &lists{call: c, values: vector.NewEmpty(c.Args[0]), finish: finish, desc: c.Opts["desc"] == "true", nulls: c.Opts["nulls"] == "respect"}
}

func newPercentile(c *Call) (Function, error) {
	f := newLists(c, percentileOf)
	f.approx = c.Name == "percentile_approx" || c.Name == "approx_percentile" || c.Name == "percentile_disc"
	f.shares = []float64{0.5}
	if c.Name == "median" {
		return f, nil
	}
	k := c.constant(1)
	if k == nil {
		return nil, unsupported(c)
	}
	f.shares = f.shares[:0]
	if k.Type.Kind != types.KindArray {
		f.shares = append(f.shares, vector.Values[float64](k)[0])
		return f, nil
	}
	flat := vector.NewEmpty(types.Double)
	flat.AppendPlain(k.Children[0], nil)
	f.shares = append(f.shares, vector.Values[float64](flat)[k.Offsets[0]:k.Offsets[1]]...)
	return f, nil
}

func (f *lists) TakesNulls() bool { return f.nulls }

func (f *lists) Resize(n int) {
	if f.n != n {
		f.n, f.order = n, nil
	}
}

func (f *lists) MemSize() int64 {
	n := f.values.MemSize() + int64(4*cap(f.groups))
	if f.set != nil {
		n += f.set.MemSize()
	}
	return n
}

func (f *lists) Reset() {
	f.values, f.groups, f.n, f.order = vector.NewEmpty(f.call.Args[0]), nil, 0, nil
	if f.set != nil {
		f.set.Reset()
	}
}

func (f *lists) Update(in *Input) error {
	if f.call.Name == "percentile" && len(in.Args) == 3 {
		var err error
		if in, err = repeated(in); err != nil {
			return err
		}
	}
	f.add(&Input{N: in.N, Groups: in.Groups, Args: in.Args[:1]})
	return nil
}

// repeated is the rows of a percentile as often as their frequencies say.
func repeated(in *Input) (*Input, error) {
	rows, groups := []uint32{}, []uint32{}
	for k, n := range vector.Values[int64](in.Args[2])[:in.N] {
		if n < 0 {
			x := strconv.FormatInt(n, 10)
			return nil, errs.New("NEGATIVE_VALUES_IN_FREQUENCY_EXPRESSION", "frequencyExpression", `"`+x+`"`, "negativeValue", x+"L")
		}
		for range n {
			rows, groups = append(rows, uint32(k)), append(groups, in.group(k))
		}
	}
	v := vector.NewEmpty(in.Args[0].Type)
	v.Append(in.Args[0], rows)
	return &Input{N: len(rows), Groups: groups, Args: []*vector.Vector{v}}, nil
}

func (f *lists) add(in *Input) {
	if f.set != nil {
		in = f.set.First(in)
	}
	f.order = nil
	if in.N == 0 {
		return
	}
	f.values.Append(vector.Slice(in.Args[0], 0, in.N), nil)
	for k := range in.N {
		f.groups = append(f.groups, int32(in.group(k)))
	}
}

func (f *lists) Merge(in *Input) error {
	rows, groups := []uint32{}, []uint32{}
	v := in.Args[0]
	for k := range in.N {
		if v.IsNull(k) {
			continue
		}
		for e := v.Offsets[k]; e < v.Offsets[k+1]; e++ {
			rows, groups = append(rows, uint32(e)), append(groups, in.group(k))
		}
	}
	if len(rows) == 0 {
		return nil
	}
	elems := vector.NewEmpty(f.call.Args[0])
	elems.Append(v.Children[0], rows)
	f.add(&Input{N: len(rows), Groups: groups, Args: []*vector.Vector{elems}})
	return nil
}

// arrange orders the values by group, and within it by value unless the result is a list.
func (f *lists) arrange(byValue bool) {
	if f.order != nil {
		return
	}
	keys := []sortkey.Key{{Type: types.Integer}}
	cols := []*vector.Vector{vector.FromSlice(types.Integer, f.groups)}
	if byValue {
		keys, cols = append(keys, sortkey.Key{Type: f.call.Args[0]}), append(cols, f.values)
	}
	f.order = append(make([]uint32, 0, len(f.groups)+1), sortkey.Sort(keys, cols, len(f.groups))...)
	f.first = make([]int, f.n+1)
	for _, g := range f.groups {
		f.first[g+1]++
	}
	for g := range f.n {
		f.first[g+1] += f.first[g]
	}
}

// arrays are the values of groups from..from+n-1 as arrays.
func (f *lists) arrays(out *vector.Vector, from, n int) {
	v := vector.NewEmpty(out.Type)
	rows := f.order[f.first[from]:f.first[from+n]]
	v.Len, v.Offsets = n, make([]int32, n+1)
	for i := range n {
		v.Offsets[i+1] = int32(f.first[from+i+1] - f.first[from])
	}
	v.Children[0].Append(f.values, rows)
	out.Append(v, nil)
}

func (f *lists) States(out []*vector.Vector, from, n int) {
	f.arrange(f.call.Name != "collect_list" && f.call.Name != "array_agg" && f.set == nil)
	f.arrays(out[0], from, n)
}

func (f *lists) Result(out *vector.Vector, from, n int) error {
	list := f.call.Out.Kind == types.KindArray && f.shares == nil
	f.arrange(!list || f.call.Name == "mode")
	if list && f.call.Name != "mode" {
		f.arrays(out, from, n)
		return nil
	}
	for g := from; g < from+n; g++ {
		rows := f.order[f.first[g]:f.first[g+1]]
		if len(rows) == 0 {
			out.AppendNulls(1)
			continue
		}
		f.finish(f, out, rows)
	}
	return nil
}

func listOf(*lists, *vector.Vector, []uint32) {}

// modeOf appends the value that comes most often, of several the least.
func modeOf(f *lists, out *vector.Vector, rows []uint32) {
	best, most := rows[0], 0
	for from := 0; from < len(rows); {
		to := from + 1
		for to < len(rows) && sortkey.Values(f.values, int(rows[from]), f.values, int(rows[to])) == 0 {
			to++
		}
		if to-from > most || to-from == most && f.desc {
			best, most = rows[from], to-from
		}
		from = to
	}
	out.Append(f.values, []uint32{best})
}

// percentileOf appends one value, or an array of them, of sorted rows.
func percentileOf(f *lists, out *vector.Vector, rows []uint32) {
	t := f.call.Args[0]
	one := vector.NewEmpty(t)
	if f.desc {
		rows = slices.Clone(rows)
		slices.Reverse(rows)
	}
	for _, p := range f.shares {
		if f.approx {
			at := max(int(math.Ceil(p*float64(len(rows)))), 1) - 1
			if f.call.Opts["legacy"] == "true" {
				at = int(p * float64(len(rows)-1))
			}
			one.AppendPlain(f.values, rows[at:at+1])
			continue
		}
		f.interpolate(one, rows, p*float64(len(rows)-1))
	}
	if f.call.Out.Kind != types.KindArray {
		out.Append(one, nil)
		return
	}
	v := vector.NewEmpty(out.Type)
	v.Len, v.Offsets = 1, []int32{0, int32(one.Len)}
	v.Children[0].Append(one, nil)
	out.Append(v, nil)
}

func (f *lists) interpolate(out *vector.Vector, rows []uint32, at float64) {
	low, high := math.Floor(at), math.Ceil(at)
	a, b := f.number(rows[int(low)]), f.number(rows[int(high)])
	x := a
	if low != high && a != b {
		x = (high-at)*a + (at-low)*b
	}
	switch v := f.call.Args[0]; {
	case v.Kind == types.KindDouble:
		out.Append(vector.FromSlice(v, []float64{x}), nil)
	case vector.Width(v) == 4:
		out.Append(vector.FromSlice(v, []int32{int32(x)}), nil)
	default:
		out.Append(vector.FromSlice(v, []int64{int64(x)}), nil)
	}
}

func (f *lists) number(row uint32) float64 {
	switch v := f.values; {
	case v.Type.Kind == types.KindDouble:
		return vector.Values[float64](v)[row]
	case vector.Width(v.Type) == 4:
		return float64(vector.Values[int32](v)[row])
	}
	return float64(vector.Values[int64](f.values)[row])
}
