package agg

import (
	"slices"
	"sort"

	"millrace/types"
	"millrace/vector"
)

func init() {
	list := types.ArrayOf(types.Double, true)
	register(builder{func(*Call) []*types.Type { return []*types.Type{list, list} }, newHistogram}, "histogram_numeric")
}

// bin is a part of a histogram: its middle and how many values it stands for.
type bin struct{ x, y float64 }

// bins is a histogram of at most most bins. Values come in one by one; when there are too many bins the closest two are made one, and
// chance, the same in every run, decides between pairs that are equally close.
type bins struct {
	list   []bin
	chance javaRandom
}

// histogram is histogram_numeric.
type histogram struct {
	call   *Call
	most   int
	groups []bins
}

func newHistogram(c *Call) (Function, error) {
	k := c.constant(1)
	if k == nil {
		return nil, unsupported(c)
	}
	return &histogram{call: c, most: int(longAt(k, vector.Width(k.Type), 0))}, nil
}

func (f *histogram) TakesNulls() bool { return false }
func (f *histogram) Reset()           { f.groups = f.groups[:0] }

func (f *histogram) Resize(n int) {
	old := len(f.groups)
	f.groups = resize(f.groups, n)
	for i := old; i < n; i++ {
		f.groups[i].chance = newJavaRandom(31183)
	}
}

func (f *histogram) MemSize() int64 {
	n := int64(32 * cap(f.groups))
	for _, g := range f.groups {
		n += int64(16 * cap(g.list))
	}
	return n
}

func (f *histogram) Update(in *Input) error {
	for k, x := range numbersOf(in.Args[0], in.N) {
		f.groups[in.group(k)].add(x, f.most)
	}
	return nil
}

// numbersOf are a column's values as doubles, those of dates and times by their ticks.
func numbersOf(v *vector.Vector, n int) []float64 {
	if v.Type.Kind != types.KindDecimal {
		return doublesOf(v, n)
	}
	out := make([]float64, n)
	for k := range out {
		out[k] = decimalAt(v, k).ToFloat64(int32(v.Type.Scale))
	}
	return out
}

func (b *bins) add(x float64, most int) {
	i := sort.Search(len(b.list), func(i int) bool { return b.list[i].x >= x })
	if i < len(b.list) && b.list[i].x == x {
		b.list[i].y++
		return
	}
	b.list = slices.Insert(b.list, i, bin{x, 1})
	b.trim(most)
}

func (b *bins) trim(most int) {
	for len(b.list) > most {
		closest, at, same := b.list[1].x-b.list[0].x, 0, 1
		for i := 1; i < len(b.list)-1; i++ {
			d := b.list[i+1].x - b.list[i].x
			if d < closest {
				closest, at, same = d, i, 1
			} else if d == closest {
				if same++; b.chance.double() <= 1/float64(same) {
					at = i
				}
			}
		}
		p, q := &b.list[at], b.list[at+1]
		sum := p.y + q.y
		p.x *= p.y / sum
		p.x += q.x / sum * q.y
		p.y = sum
		b.list = slices.Delete(b.list, at+1, at+2)
	}
}

func (f *histogram) Merge(in *Input) error {
	for k := range in.N {
		xs, ys := listAt(in.Args[0], k), listAt(in.Args[1], k)
		g := &f.groups[in.group(k)]
		for i, x := range xs {
			g.list = append(g.list, bin{x, ys[i]})
		}
		slices.SortStableFunc(g.list, func(a, b bin) int {
			switch {
			case a.x < b.x:
				return -1
			case a.x > b.x:
				return 1
			}
			return 0
		})
		g.trim(f.most)
	}
	return nil
}

func (f *histogram) States(out []*vector.Vector, from, n int) {
	for i := range out {
		out[i].Append(listsOf(n, func(g int) []float64 {
			row := make([]float64, len(f.groups[from+g].list))
			for k, b := range f.groups[from+g].list {
				row[k] = [...]float64{b.x, b.y}[i]
			}
			return row
		}), nil)
	}
}

func (f *histogram) Result(out *vector.Vector, from, n int) error {
	v := vector.NewEmpty(out.Type)
	v.Len, v.Offsets = n, make([]int32, n+1)
	var xs, ys []float64
	for g := range n {
		for _, b := range f.groups[from+g].list {
			xs, ys = append(xs, b.x), append(ys, b.y)
		}
		v.Offsets[g+1] = int32(len(xs))
		if v.Offsets[g+1] == v.Offsets[g] {
			v.SetNull(g)
		}
	}
	pair := v.Children[0]
	pair.Len = len(xs)
	pair.Children[0], pair.Children[1] = fromDoubles(f.call.Args[0], xs), vector.FromSlice(types.Double, ys)
	out.Append(v, nil)
	return nil
}

// fromDoubles makes a column of a type of numbers, dates or times of doubles, cutting off what is not whole.
func fromDoubles(t *types.Type, xs []float64) *vector.Vector {
	if t.Kind == types.KindDouble {
		return vector.FromSlice(t, xs)
	}
	v := &vector.Vector{}
	v.Reset(t, len(xs))
	for i, x := range xs {
		switch {
		case t.Kind == types.KindFloat:
			vector.Values[float32](v)[i] = float32(x)
		case t.Kind == types.KindDecimal:
			if d, err := decimalFromDouble(x, t); err == nil {
				setDecimal(v, i, d)
			} else {
				v.SetNull(i)
			}
		default:
			setLong(v, i, int64(x))
		}
	}
	return v
}
