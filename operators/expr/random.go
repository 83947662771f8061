package expr

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"strconv"

	"github.com/google/uuid"

	"millrace/errs"
	"millrace/types"
	"millrace/vector"
)

func init() {
	Register("rand", Func{Build: func(c *Call) (Kernel, error) { return drawing(c, 0, (*Random).Float64), nil }})
	Register("randn", Func{Build: func(c *Call) (Kernel, error) { return drawing(c, 0, (*Random).Gaussian), nil }})
	Register("uniform", Func{Lazy: uniform})
	Register("uuid", Func{Build: buildUUID})
	Register("randstr", Func{Build: buildRandomText})
	Register("monotonically_increasing_id", Func{Build: increasing})
	Register("spark_partition_id", Func{Build: func(*Call) (Kernel, error) { return partitionID, nil }})
}

// Random is Spark's generator: a xorshift of 64 bits whose seed is scrambled, with java.util.Random's ways of drawing from it.
type Random struct {
	state int64
	next  float64 // a second normal deviate
	kept  bool
}

// NewRandom seeds a generator.
func NewRandom(seed int64) *Random {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(seed))
	const arraySeed = 0x3c074a61
	low := murmurStandard(b[:], arraySeed)
	return &Random{state: int64(uint64(murmurStandard(b[:], low))<<32 | uint64(low))}
}

func (r *Random) bits(n uint) int64 {
	s := r.state
	s ^= s << 21
	s ^= int64(uint64(s) >> 35)
	s ^= s << 4
	r.state = s
	return s & (1<<n - 1)
}

// Float64 draws from [0, 1).
func (r *Random) Float64() float64 {
	high := r.bits(26) << 27
	return float64(high+r.bits(27)) / (1 << 53)
}

// Gaussian draws from the standard normal distribution, by the polar method.
func (r *Random) Gaussian() float64 {
	if r.kept {
		r.kept = false
		return r.next
	}
	for {
		x, y := 2*r.Float64()-1, 2*r.Float64()-1
		if s := x*x + y*y; s < 1 && s != 0 {
			f := math.Sqrt(-2 * math.Log(s) / s)
			r.next, r.kept = y*f, true
			return x * f
		}
	}
}

// drawing draws one double per row that exists; the seed is argument k, and each partition adds its number to it.
func drawing(c *Call, k int, draw func(*Random) float64) Kernel {
	seed := rand.Int64()
	if len(c.Args) > k && c.Consts[k] != nil {
		seed = 0
		if !c.Consts[k].IsNull(0) {
			seed = intAt(c.Consts[k], 0)
		}
	}
	var r *Random
	return func(ctx *Ctx, _ []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		if r == nil {
			r = NewRandom(seed + int64(ctx.Partition))
		}
		vals := vector.Values[float64](out)
		Rows(sel, n, func(i int) { vals[i] = draw(r) })
		return nil
	}
}

// uniform is low + (high-low)*rand, in doubles, converted to the result's type.
func uniform(c *Call, args []Evaluator) (Evaluator, error) {
	low, err := derived(c, "cast", types.Double, args[0])
	if err != nil {
		return nil, err
	}
	high, err := derived(c, "cast", types.Double, args[1])
	if err != nil {
		return nil, err
	}
	draw, err := derived(c, "rand", types.Double, args[2:]...)
	if err != nil {
		return nil, err
	}
	width, err := derived(c, "-", types.Double, high, low)
	if err != nil {
		return nil, err
	}
	part, err := derived(c, "*", types.Double, width, draw)
	if err != nil {
		return nil, err
	}
	sum, err := derived(c, "+", types.Double, low, part)
	if err != nil {
		return nil, err
	}
	return derived(c, "cast", c.Out, sum)
}

// buildUUID draws universally unique identifiers of version 4, the same ones for the same seed.
func buildUUID(c *Call) (Kernel, error) {
	seed := seedOf(c, 0)
	var r *mersenne
	return func(ctx *Ctx, _ []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		if r == nil {
			r = newMersenne(seed + int64(ctx.Partition))
		}
		w := NewStringWriter(out, n)
		Rows(sel, n, func(i int) {
			var u uuid.UUID
			binary.BigEndian.PutUint64(u[:8], r.long()&^0xf000|0x4000)
			binary.BigEndian.PutUint64(u[8:], (r.long()|1<<63)&^(1<<62))
			var text [36]byte
			copy(text[:], u.String())
			w.Append(i, text[:])
		})
		w.Close()
		return nil
	}, nil
}

const textAlphabet = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

// buildRandomText draws texts of a given length of digits and letters.
func buildRandomText(c *Call) (Kernel, error) {
	seed := seedOf(c, 1)
	var r *Random
	return func(ctx *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		if length := numAt(args[0], 0); length < 0 {
			return errs.New("INVALID_PARAMETER_VALUE.LENGTH", "functionName", "`randstr`", "parameter", "`length`", "length", strconv.Itoa(int(length)))
		}
		if r == nil {
			r = NewRandom(seed + int64(ctx.Partition))
		}
		w := NewStringWriter(out, n)
		Rows(sel, n, func(i int) {
			buf := w.Buffer()
			for range numAt(args[0], 0) {
				v := int32(r.bits(32)) % 62
				buf = append(buf, textAlphabet[max(v, -v)])
			}
			w.Commit(i, buf)
		})
		w.Close()
		return nil
	}, nil
}

// increasing numbers rows: the partition in the upper 31 bits, the row in the lower 33.
func increasing(*Call) (Kernel, error) {
	var row int64
	return func(ctx *Ctx, _ []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		r := vector.Values[int64](out)
		Rows(sel, n, func(i int) {
			r[i] = int64(ctx.Partition)<<33 + row
			row++
		})
		return nil
	}, nil
}

func partitionID(ctx *Ctx, _ []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
	r := vector.Values[int32](out)
	Rows(sel, n, func(i int) { r[i] = int32(ctx.Partition) })
	return nil
}
