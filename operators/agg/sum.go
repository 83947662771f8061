package agg

import (
	"math"

	"millrace/errs"
	"millrace/operators/expr"
	"millrace/types"
	"millrace/vector"
)

func init() {
	register(builder{sumStates, newSum}, "sum", "try_sum")
	register(builder{avgStates, newAvg}, "avg", "mean", "try_avg")
}

func sumStates(c *Call) []*types.Type {
	sum := c.Out
	if sum.Kind == types.KindYearMonth {
		sum = types.Long // that a sum of months does not fit is seen when it is whole
	}
	if c.Out.Kind == types.KindDecimal || c.Out.Kind != types.KindDouble && c.try() {
		return []*types.Type{sum, types.Boolean} // the sum, null when there was nothing to add; whether it overflowed
	}
	return []*types.Type{sum}
}

func newSum(c *Call) (Function, error) {
	if c.Name == "try_sum" {
		c.Opts = map[string]string{"mode": "try"}
	}
	switch {
	case c.Out.Kind == types.KindDouble:
		return &doubleSum{}, nil
	case c.Out.Kind == types.KindDecimal:
		return newDecimalSum(c)
	case vector.Width(c.Out) == 8, vector.Width(c.Out) == 4:
		return &longSum{call: c, width: vector.Width(c.Args[0])}, nil
	}
	return nil, unsupported(c)
}

func avgStates(c *Call) []*types.Type {
	switch {
	case c.Args[0].Kind == types.KindDecimal:
		return []*types.Type{types.Decimal(types.MaxPrecision, c.Args[0].Scale), types.Long}
	case c.Args[0].IsInterval():
		return []*types.Type{types.Long, types.Long}
	}
	return []*types.Type{types.Double, types.Long}
}

func newAvg(c *Call) (Function, error) {
	switch {
	case c.Args[0].Kind == types.KindDecimal:
		return newDecimalSum(c)
	case c.Args[0].IsInterval():
		return &longSum{call: c, width: vector.Width(c.Args[0]), average: true}, nil
	case c.Args[0].IsNumeric():
		return &doubleSum{average: true, arg: c.Args[0]}, nil
	}
	return nil, unsupported(c)
}

type number interface {
	int8 | int16 | int32 | int64 | float32 | float64
}

type doubleState struct {
	sum float64
	n   int64
}

// doubleSum is sum of doubles, and avg of all but decimals and intervals.
type doubleSum struct {
	s       []doubleState
	average bool
	arg     *types.Type
}

func (f *doubleSum) TakesNulls() bool { return false }
func (f *doubleSum) Resize(n int)     { f.s = resize(f.s, n) }
func (f *doubleSum) MemSize() int64   { return int64(16 * cap(f.s)) }
func (f *doubleSum) Reset()           { f.s = f.s[:0] }

func (f *doubleSum) Update(in *Input) error {
	v := in.Args[0]
	switch v.Type.Kind {
	case types.KindByte:
		addDoubles(f.s, vector.Values[int8](v), in)
	case types.KindShort:
		addDoubles(f.s, vector.Values[int16](v), in)
	case types.KindInteger:
		addDoubles(f.s, vector.Values[int32](v), in)
	case types.KindLong:
		addDoubles(f.s, vector.Values[int64](v), in)
	case types.KindFloat:
		addDoubles(f.s, vector.Values[float32](v), in)
	default:
		addDoubles(f.s, vector.Values[float64](v), in)
	}
	return nil
}

func addDoubles[T number](s []doubleState, values []T, in *Input) {
	if in.N == 0 {
		return
	}
	values = values[:in.N]
	if in.Groups == nil {
		sum := s[0].sum
		for _, x := range values {
			sum += float64(x)
		}
		s[0].sum, s[0].n = sum, s[0].n+int64(in.N)
		return
	}
	groups := in.Groups[:len(values)]
	for k, x := range values {
		p := &s[groups[k]]
		p.sum += float64(x)
		p.n++
	}
}

func (f *doubleSum) Merge(in *Input) error {
	in = withoutNulls(in)
	sums := vector.Values[float64](in.Args[0])
	for k := range in.N {
		p := &f.s[in.group(k)]
		p.sum += sums[k]
		if f.average {
			p.n += vector.Values[int64](in.Args[1])[k]
		} else {
			p.n++
		}
	}
	return nil
}

func (f *doubleSum) States(out []*vector.Vector, from, n int) {
	sums, counts := make([]float64, n), make([]int64, n)
	for i, s := range f.s[from : from+n] {
		sums[i], counts[i] = s.sum, s.n
	}
	v := vector.FromSlice(types.Double, sums)
	if f.average {
		out[1].Append(vector.FromSlice(types.Long, counts), nil)
	} else {
		nullWhereZero(v, counts)
	}
	out[0].Append(v, nil)
}

func (f *doubleSum) Result(out *vector.Vector, from, n int) error {
	values, counts := make([]float64, n), make([]int64, n)
	for i, s := range f.s[from : from+n] {
		values[i], counts[i] = s.sum, s.n
		if f.average && s.n > 0 {
			values[i] /= float64(s.n)
		}
	}
	v := vector.FromSlice(types.Double, values)
	nullWhereZero(v, counts)
	out.Append(v, nil)
	return nil
}

// nullWhereZero makes the rows null that counted nothing.
func nullWhereZero(v *vector.Vector, counts []int64) {
	for i, n := range counts {
		if n == 0 {
			v.SetNull(i)
		}
	}
}

type longState struct{ sum, n int64 }

// overflowed is the count of a sum that overflowed where that makes null.
const overflowed = math.MinInt64

// longSum is sum of integrals and of intervals, and avg of intervals.
type longSum struct {
	s       []longState
	call    *Call
	width   int
	average bool
}

func (f *longSum) TakesNulls() bool { return false }
func (f *longSum) Resize(n int)     { f.s = resize(f.s, n) }
func (f *longSum) MemSize() int64   { return int64(16 * cap(f.s)) }
func (f *longSum) Reset()           { f.s = f.s[:0] }

func (f *longSum) Update(in *Input) error {
	var first int
	v := in.Args[0]
	switch f.width {
	case 1:
		first = addLongs(f.s, vector.Values[int8](v), in)
	case 2:
		first = addLongs(f.s, vector.Values[int16](v), in)
	case 4:
		first = addLongs(f.s, vector.Values[int32](v), in)
	default:
		first = addLongs(f.s, vector.Values[int64](v), in)
	}
	if first < 0 {
		return nil
	}
	return f.overflow(in)
}

// addLongs adds with wrapping and returns the first row that overflowed, or -1.
func addLongs[T int8 | int16 | int32 | int64](s []longState, values []T, in *Input) int {
	if in.N == 0 {
		return -1
	}
	values = values[:in.N]
	bad := int64(0)
	if in.Groups == nil {
		sum := s[0].sum
		for _, x := range values {
			r := sum + int64(x)
			bad |= (sum ^ r) & (int64(x) ^ r)
			sum = r
		}
		s[0].sum, s[0].n = sum, s[0].n+int64(in.N)
	} else {
		groups := in.Groups[:len(values)]
		for k, x := range values {
			p := &s[groups[k]]
			r := p.sum + int64(x)
			bad |= (p.sum ^ r) & (int64(x) ^ r)
			p.sum = r
			p.n++
		}
	}
	if bad < 0 {
		return 0
	}
	return -1
}

// overflow handles a batch in which a sum wrapped round: an error, nothing in the legacy mode; where it makes null, all groups
// of the batch are added again one by one from where they were before.
func (f *longSum) overflow(in *Input) error {
	switch {
	case f.call.try():
	case f.call.Out.IsInterval():
		return intervalOverflow()
	case f.call.ansi():
		return errs.New("ARITHMETIC_OVERFLOW", "message", "overflow", "alternative", " Use 'try_add' to tolerate overflow and return NULL instead.",
			"config", `"spark.sql.ansi.enabled"`)
	default:
		return nil
	}
	for k := range in.N {
		f.s[in.group(k)].sum -= longAt(in.Args[0], f.width, k)
	}
	for k := range in.N {
		p := &f.s[in.group(k)]
		x := longAt(in.Args[0], f.width, k)
		r := p.sum + x
		if (p.sum^r)&(x^r) < 0 {
			p.n = overflowed
		}
		p.sum = r
	}
	return nil
}

func longAt(v *vector.Vector, width, k int) int64 {
	switch width {
	case 1:
		return int64(vector.Values[int8](v)[k])
	case 2:
		return int64(vector.Values[int16](v)[k])
	case 4:
		return int64(vector.Values[int32](v)[k])
	}
	return vector.Values[int64](v)[k]
}

func origin(c *Call) *expr.Call { return &expr.Call{Name: c.Name, Origin: c.Origin} }

func intervalOverflow() error {
	return errs.New("INTERVAL_ARITHMETIC_OVERFLOW.WITH_SUGGESTION", "functionName", "`try_add`")
}

func (f *longSum) Merge(in *Input) error {
	switch {
	case len(in.Args) == 2 && f.average:
		for k, n := range vector.Values[int64](in.Args[1])[:in.N] {
			if n < 0 {
				f.s[in.group(k)].n = overflowed
			}
		}
	case len(in.Args) == 2:
		for k, over := range vector.Values[bool](in.Args[1])[:in.N] {
			if over {
				f.s[in.group(k)].n = overflowed
			}
		}
	}
	in = withoutNulls(in)
	width := f.width
	f.width = vector.Width(in.Args[0].Type)
	before := f.width
	err := f.Update(&Input{N: in.N, Groups: in.Groups, Args: in.Args[:1]})
	f.width = width
	if f.average && before > 0 {
		for k, n := range vector.Values[int64](in.Args[1])[:in.N] {
			f.s[in.group(k)].n += max(n, 0) - 1
		}
	}
	return err
}

func (f *longSum) States(out []*vector.Vector, from, n int) {
	counts, over := make([]int64, n), make([]bool, n)
	for i, s := range f.s[from : from+n] {
		counts[i] = s.n
		if over[i] = s.n < 0; over[i] {
			counts[i] = 0
			if f.average {
				counts[i] = -1
			}
		}
	}
	v := f.column(out[0].Type, from, n)
	if f.average {
		out[1].Append(vector.FromSlice(types.Long, counts), nil)
	} else {
		nullWhereZero(v, counts)
		if len(out) == 2 {
			out[1].Append(vector.FromSlice(types.Boolean, over), nil)
		}
	}
	out[0].Append(v, nil)
}

// column is the sums as values of a type.
func (f *longSum) column(t *types.Type, from, n int) *vector.Vector {
	if vector.Width(t) == 4 {
		small := make([]int32, n)
		for i, s := range f.s[from : from+n] {
			small[i] = int32(s.sum)
		}
		return vector.FromSlice(t, small)
	}
	sums := make([]int64, n)
	for i, s := range f.s[from : from+n] {
		sums[i] = s.sum
	}
	return vector.FromSlice(t, sums)
}

func (f *longSum) Result(out *vector.Vector, from, n int) error {
	counts := make([]int64, n)
	for i := range n {
		s := &f.s[from+i]
		counts[i] = max(s.n, 0)
		if s.n > 0 && vector.Width(out.Type) == 4 && s.sum != int64(int32(s.sum)) {
			if !f.call.try() {
				return intervalOverflow()
			}
			counts[i] = 0
		}
	}
	v := f.column(out.Type, from, n)
	if f.average {
		v = f.averages(out.Type, from, n)
	}
	nullWhereZero(v, counts)
	out.Append(v, nil)
	return nil
}

func (f *longSum) averages(t *types.Type, from, n int) *vector.Vector {
	v := &vector.Vector{}
	v.Reset(t, n)
	for i, s := range f.s[from : from+n] {
		if s.n > 0 {
			setLong(v, i, divideHalfUp(s.sum, s.n))
		}
	}
	return v
}

// divideHalfUp divides and rounds halves away from zero; n is positive.
func divideHalfUp(sum, n int64) int64 {
	q, r := sum/n, sum%n
	switch {
	case r >= n-r && r > 0:
		q++
	case -r >= n+r && r < 0:
		q--
	}
	return q
}
