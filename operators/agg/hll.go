package agg

import (
	_ "embed"
	"math"
	"math/bits"
	"strconv"
	"strings"
	"sync"

	"millrace/errs"
	"millrace/operators/expr"
	"millrace/types"
	"millrace/vector"
)

func init() {
	register(builder{one(types.Binary), newSketch}, "approx_count_distinct")
}

// distinctSketch is approx_count_distinct: HyperLogLog++ registers over Spark's xxhash64.
type distinctSketch struct {
	p    uint
	m    int
	regs []byte // m a group
}

func newSketch(c *Call) (Function, error) {
	rsd := 0.05
	if text := c.Opts["rsd"]; text != "" {
		var err error
		if rsd, err = strconv.ParseFloat(text, 64); err != nil {
			return nil, err
		}
	}
	bits := math.Ceil(2 * math.Log(1.106/rsd) / math.Log(2))
	switch {
	case bits < 4:
		return nil, errs.New("FAILED_FUNCTION_CALL", "funcName", "`approx_count_distinct`")
	case !(bits <= 24):
		return nil, errs.Unsupportedf("The relative error %v of approx_count_distinct is not supported: it is too small.", rsd)
	}
	p := uint(bits)
	return &distinctSketch{p: p, m: 1 << p}, nil
}

func (f *distinctSketch) TakesNulls() bool { return false }
func (f *distinctSketch) Resize(n int)     { f.regs = resize(f.regs, n*f.m) }
func (f *distinctSketch) MemSize() int64   { return int64(cap(f.regs)) }
func (f *distinctSketch) Reset()           { f.regs = f.regs[:0] }

func (f *distinctSketch) Update(in *Input) error {
	v := in.Args[0]
	for k := range in.N {
		h := expr.Hash64(v, k)
		rank := byte(bits.LeadingZeros64(h<<f.p|1<<(f.p-1)) + 1)
		if r := &f.regs[int(in.group(k))*f.m+int(h>>(64-f.p))]; rank > *r {
			*r = rank
		}
	}
	return nil
}

func (f *distinctSketch) Merge(in *Input) error {
	for k := range in.N {
		own := f.regs[int(in.group(k))*f.m:][:f.m]
		for i, x := range in.Args[0].Str(k) {
			own[i] = max(own[i], x)
		}
	}
	return nil
}

func (f *distinctSketch) States(out []*vector.Vector, from, n int) {
	v := &vector.Vector{}
	v.Reset(types.Binary, n)
	for i := range n {
		v.AppendStr(i, f.regs[(from+i)*f.m:(from+i+1)*f.m])
	}
	out[0].Append(v, nil)
}

func (f *distinctSketch) Result(out *vector.Vector, from, n int) error {
	counts := make([]int64, n)
	for i := range counts {
		counts[i] = int64(math.Floor(f.estimate(f.regs[(from+i)*f.m:][:f.m]) + 0.5))
	}
	out.Append(vector.FromSlice(types.Long, counts), nil)
	return nil
}

// linearUpTo is, by precision from 4, the number of values up to which counting the empty registers is better.
var linearUpTo = [...]float64{10, 20, 40, 80, 220, 400, 900, 1800, 3100, 6500, 15500, 20000, 50000, 120000, 350000}

func (f *distinctSketch) estimate(regs []byte) float64 {
	sum, empty := 0.0, 0
	for _, r := range regs {
		sum += 1 / float64(uint64(1)<<r)
		if r == 0 {
			empty++
		}
	}
	m := float64(f.m)
	alpha := 0.7213 / (1 + 1.079/m)
	switch f.m {
	case 16:
		alpha = 0.673
	case 32:
		alpha = 0.697
	case 64:
		alpha = 0.709
	}
	raw := alpha * m * m / sum
	tabled := int(f.p) < 4+len(linearUpTo)
	if empty > 0 {
		if linear := m * math.Log(m/float64(empty)); tabled && linear <= linearUpTo[f.p-4] || raw <= 2.5*m {
			return linear
		}
	}
	if tabled && raw < 5*m {
		return raw - allBiases()[f.p-4].at(raw)
	}
	return raw
}

// hllEstimates are the raw estimates that were measured for known numbers of values, from the appendix of "HyperLogLog in Practice"
// (Heule, Nunkesser, Hall): a line for each precision from 4 to 18, on which numbers of values and estimates alternate.
//
//go:embed hll_estimates.txt
var hllEstimates string

// biases say by how much raw estimates are too large.
type biases struct{ raw, bias []float64 }

var allBiases = sync.OnceValue(func() []biases {
	var all []biases
	for line := range strings.Lines(hllEstimates) {
		var b biases
		words := strings.Fields(line)
		for i := 0; i+1 < len(words); i += 2 {
			n, _ := strconv.ParseFloat(words[i], 64)
			raw, _ := strconv.ParseFloat(words[i+1], 64)
			b.raw, b.bias = append(b.raw, raw), append(b.bias, raw-n)
		}
		all = append(all, b)
	}
	return all
})

// neighbours is from how many measured estimates a bias is taken.
const neighbours = 6

// at is the mean bias of the closest estimates. Some estimates are not in order, so that where the search ends depends on how it goes.
func (b biases) at(raw float64) float64 {
	first, last := 0, len(b.raw)-1
	for first <= last {
		mid := (first + last) / 2
		if b.raw[mid] == raw {
			first = mid
			break
		}
		if b.raw[mid] < raw {
			first = mid + 1
		} else {
			last = mid - 1
		}
	}
	distance := func(i int) float64 { return (raw - b.raw[i]) * (raw - b.raw[i]) }
	low := max(first-neighbours+1, 0)
	high := min(low+neighbours, len(b.raw))
	for high < len(b.raw) && distance(high) < distance(low) {
		low, high = low+1, high+1
	}
	sum := 0.0
	for _, x := range b.bias[low:high] {
		sum += x
	}
	return sum / float64(high-low)
}
