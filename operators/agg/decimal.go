package agg

import (
	"math/big"
	"math/bits"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"millrace/errs"
	"millrace/operators/expr"
	"millrace/types"
	"millrace/vector"
)

type decimalState struct {
	lo uint64
	hi int64
	n  int64 // overflowed: the sum left 128 bits or its type
}

// decimalSum is sum and avg of decimals, added in 128 bits.
type decimalSum struct {
	s       []decimalState
	call    *Call
	short   bool
	average bool
	sumType *types.Type
}

func newDecimalSum(c *Call) (Function, error) {
	f := &decimalSum{call: c, short: c.Args[0].IsShortDecimal(), average: c.Name != "sum" && c.Name != "try_sum"}
	f.sumType = c.StateTypes()[0]
	return f, nil
}

func (f *decimalSum) TakesNulls() bool { return false }
func (f *decimalSum) Resize(n int)     { f.s = resize(f.s, n) }
func (f *decimalSum) MemSize() int64   { return int64(24 * cap(f.s)) }
func (f *decimalSum) Reset()           { f.s = f.s[:0] }

func (s *decimalState) add(lo uint64, hi int64) {
	l, carry := bits.Add64(s.lo, lo, 0)
	h := s.hi + hi + int64(carry)
	if (s.hi^h)&(hi^h) < 0 {
		s.n = overflowed
	}
	s.lo, s.hi = l, h
}

func (f *decimalSum) Update(in *Input) error {
	if !f.short {
		for k, x := range vector.Values[decimal128.Num](in.Args[0])[:in.N] {
			s := &f.s[in.group(k)]
			s.n++
			s.add(x.LowBits(), x.HighBits())
		}
		return nil
	}
	values := vector.Values[int64](in.Args[0])
	if in.Groups == nil {
		f.addAll(values[:in.N])
		return nil
	}
	groups := in.Groups[:in.N]
	if len(f.s) <= fewGroups && in.N <= maxAdded && f.call.Args[0].Precision <= addedDigits {
		f.addFew(values[:in.N], groups)
		return nil
	}
	for k, g := range groups {
		s, x := &f.s[g], values[k]
		lo, carry := bits.Add64(s.lo, uint64(x), 0)
		s.lo, s.hi, s.n = lo, s.hi+x>>63+int64(carry), s.n+1
	}
	return nil
}

// Decimals of up to addedDigits digits, of which maxAdded fit in 64 bits together, are added there first where groups are few.
const (
	fewGroups   = 32
	maxAdded    = 8192
	addedDigits = 15
)

func (f *decimalSum) addFew(values []int64, groups []uint32) {
	var sums, counts [fewGroups]int64
	groups = groups[:len(values)]
	for k, x := range values {
		g := groups[k] % fewGroups
		sums[g] += x
		counts[g]++
	}
	for g := range f.s {
		s := &f.s[g]
		s.n += counts[g]
		lo, carry := bits.Add64(s.lo, uint64(sums[g]), 0)
		s.lo, s.hi = lo, s.hi+sums[g]>>63+int64(carry)
	}
}

// addAll adds short decimals to group 0; eight of 18 digits fit in 64 bits.
func (f *decimalSum) addAll(values []int64) {
	s := &f.s[0]
	s.n += int64(len(values))
	for len(values) > 0 {
		part := values[:min(8, len(values))]
		values = values[len(part):]
		sum := int64(0)
		for _, x := range part {
			sum += x
		}
		lo, carry := bits.Add64(s.lo, uint64(sum), 0)
		s.lo, s.hi = lo, s.hi+sum>>63+int64(carry)
	}
}

func (f *decimalSum) Merge(in *Input) error {
	if !f.average {
		for k, over := range vector.Values[bool](in.Args[1])[:in.N] {
			if over {
				f.s[in.group(k)].n = overflowed
			}
		}
	}
	in = withoutNulls(in)
	for k := range in.N {
		s := &f.s[in.group(k)]
		count := int64(1)
		if f.average {
			count = vector.Values[int64](in.Args[1])[k]
		}
		if s.n != overflowed {
			s.n += count
		}
		x := decimalAt(in.Args[0], k)
		s.add(x.LowBits(), x.HighBits())
	}
	return nil
}

func decimalAt(v *vector.Vector, k int) decimal128.Num {
	if v.Type.IsShortDecimal() {
		return decimal128.FromI64(vector.Values[int64](v)[k])
	}
	return vector.Values[decimal128.Num](v)[k]
}

func (f *decimalSum) States(out []*vector.Vector, from, n int) {
	v := &vector.Vector{}
	v.Reset(f.sumType, n)
	counts, over := make([]int64, n), make([]bool, n)
	for i := range n {
		s := f.s[from+i]
		x := decimal128.New(s.hi, s.lo)
		over[i] = s.n < 0 || !x.FitsInPrecision(int32(f.sumType.Precision))
		counts[i] = max(s.n, 0)
		if over[i] {
			counts[i] = 0
		}
		setDecimal(v, i, x)
		if counts[i] == 0 && !(f.average && !over[i]) {
			v.SetNull(i)
		}
	}
	out[0].Append(v, nil)
	if f.average {
		for i := range counts {
			if over[i] { // an average has no flag: a null sum of a count says the same
				counts[i] = f.s[from+i].n
			}
		}
		out[1].Append(vector.FromSlice(types.Long, counts), nil)
	} else {
		out[1].Append(vector.FromSlice(types.Boolean, over), nil)
	}
}

func setDecimal(v *vector.Vector, i int, x decimal128.Num) {
	if v.Type.IsShortDecimal() {
		vector.Values[int64](v)[i] = int64(x.LowBits())
	} else {
		vector.Values[decimal128.Num](v)[i] = x
	}
}

func (f *decimalSum) Result(out *vector.Vector, from, n int) error {
	v := &vector.Vector{}
	v.Reset(out.Type, n)
	for i := range n {
		s := f.s[from+i]
		x, ok := decimal128.New(s.hi, s.lo), s.n >= 0
		if s.n == 0 {
			v.SetNull(i)
			continue
		}
		if ok && f.average {
			x, ok = divideDecimal(x, s.n, f.call.Out.Scale-f.sumType.Scale)
		}
		if ok && x.FitsInPrecision(int32(out.Type.Precision)) {
			setDecimal(v, i, x)
			continue
		}
		if f.call.ansi() {
			return f.overflow(decimal128.New(s.hi, s.lo))
		}
		v.SetNull(i)
	}
	out.Append(v, nil)
	return nil
}

// overflow is Spark's error of a decimal that its type cannot hold.
func (f *decimalSum) overflow(x decimal128.Num) error {
	t := f.call.Out
	return expr.Wrap(origin(f.call), errs.New("NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION", "value", x.ToString(int32(f.sumType.Scale)),
		"precision", strconv.Itoa(t.Precision), "scale", strconv.Itoa(t.Scale), "config", `"spark.sql.ansi.enabled"`))
}

// tens are the powers of ten that a short sum is scaled by.
var tens = [...]uint64{1, 10, 100, 1000, 10_000, 100_000}

// divideDecimal is x·10^shift/n with halves rounded away from zero.
func divideDecimal(x decimal128.Num, n int64, shift int) (decimal128.Num, bool) {
	if low := int64(x.LowBits()); x.HighBits() == low>>63 && shift >= 0 && shift < len(tens) {
		if high, scaled := bits.Mul64(uint64(max(low, -low)), tens[shift]); high == 0 && scaled < 1<<62 {
			q := (scaled + uint64(n)/2) / uint64(n)
			if low < 0 {
				return decimal128.FromI64(-int64(q)), true
			}
			return decimal128.FromU64(q), true
		}
	}
	a := x.BigInt()
	a.Mul(a, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(shift, 0))), nil))
	q, r := new(big.Int).QuoRem(a, big.NewInt(n), new(big.Int))
	if r.Abs(r).Lsh(r, 1).Cmp(big.NewInt(n)) >= 0 {
		q.Add(q, big.NewInt(int64(a.Sign())))
	}
	if q.BitLen() > 126 {
		return decimal128.Num{}, false
	}
	return decimal128.FromBigInt(q), true
}
