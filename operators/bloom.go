package operators

import (
	"encoding/binary"
	"math/bits"

	"millrace/operators/expr"
	"millrace/operators/hashtable"
	"millrace/operators/sortkey"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/types"
	"millrace/vector"
)

// bloom is a set of hashes that may say of others, too, that they are in it. A hash has its bits in one word, which its highest bits choose.
type bloom struct {
	words []uint64
	shift uint
}

const (
	leastBloomBits = 1 << 12
	fullBloom      = 0.75 // of the bits are set: it lets too much pass to be of use
)

// newBloom makes an empty set of at least so many bits.
func newBloom(size int64) bloom {
	width := bits.Len64(uint64(max(size, leastBloomBits)-1)) - 6
	return bloom{make([]uint64, 1<<width), uint(64 - width)}
}

// bloomMask is a hash's bits in its word.
func bloomMask(h uint64) uint64 { return 1<<(h&63) | 1<<(h>>6&63) | 1<<(h>>12&63) | 1<<(h>>18&63) }

func (f *bloom) add(hashes []uint64) {
	for _, h := range hashes {
		f.words[h>>f.shift] |= bloomMask(h)
	}
}

// full reports whether the set holds too much to tell anything.
func (f *bloom) full() bool {
	n := 0
	for _, w := range f.words {
		n += bits.OnesCount64(w)
	}
	return float64(n) > fullBloom*64*float64(len(f.words))
}

// sift writes into rows those of sel (nil: 0..n-1) whose hashes may be in the set, and returns their number.
func (f *bloom) sift(hashes []uint64, sel, rows []uint32) int {
	n := 0
	for k, h := range hashes {
		rows[n] = uint32(at(sel, k))
		if mask := bloomMask(h); f.words[h>>f.shift]&mask == mask {
			n++
		}
	}
	return n
}

func (f *bloom) bytes() []byte {
	out := make([]byte, 0, 8*len(f.words))
	for _, w := range f.words {
		out = binary.LittleEndian.AppendUint64(out, w)
	}
	return out
}

// merge adds another set of the same size, as bytes gave it. It reports whether the size is the same.
func (f *bloom) merge(b []byte) bool {
	if len(b) != 8*len(f.words) {
		return false
	}
	for i := range f.words {
		f.words[i] |= binary.LittleEndian.Uint64(b[8*i:])
	}
	return true
}

// joinKeys computes the keys of a join's side.
type joinKeys struct {
	evals    []expr.Evaluator
	nullSafe []bool
	list     []*vector.Vector
	hasher   hashtable.Hasher
	hashes   []uint64
}

func newJoinKeys(keys []*planpb.Expr, nullSafe []bool, in Operator, s *planpb.Settings) (joinKeys, error) {
	es, err := evaluators(keys, in.Output(), s)
	return joinKeys{evals: es, nullSafe: nullSafe, list: make([]*vector.Vector, len(es))}, err
}

// of is the keys of a batch and those of its rows that can match any others: n rows, which are sel (nil: all).
func (j *joinKeys) of(ctx *Ctx, b *vector.Batch) (keys []*vector.Vector, sel []uint32, n int, err error) {
	for i, e := range j.evals {
		if j.list[i], err = e.Eval(&ctx.Ctx, b, b.Sel); err != nil {
			return nil, nil, 0, err
		}
	}
	n = b.Rows()
	if sel = notNull(j.list, j.nullSafe, b.Sel, n); sel != nil {
		n = len(sel)
	}
	return j.list, sel, n, nil
}

// hash is the hashes of n rows' keys.
func (j *joinKeys) hash(keys []*vector.Vector, sel []uint32, n int) []uint64 {
	if cap(j.hashes) < n {
		j.hashes = make([]uint64, n+n/4)
	}
	j.hasher.Hash(keys, sel, n, j.hashes[:n])
	return j.hashes[:n]
}

// What a row of a bloomFilter is.
const (
	oneKey   = iota // a key of those that there are
	lowKeys         // with the filter: the least values of each key
	highKeys        // the greatest ones
	anyKeys         // nothing is known: all keys matter
)

// bloomFilter reads all of its input, and emits what a runtimeFilter has to know of its keys: each of them where they are few, else their bounds and a
// bloom filter. Without keys it emits nothing.
type bloomFilter struct {
	in   Operator
	keys joinKeys
	bits int64
	ctx  *Ctx
	mem  reservation
	out  []*types.Type
	done bool

	most   int              // keys that are told one by one
	few    *hashtable.Table // nil: they are more
	filter bloom
	bounds []bounds
	number []uint32
}

func newBloomFilter(pb *planpb.BloomFilter, in Operator, out []*types.Type, s *planpb.Settings) (*bloomFilter, error) {
	keys, err := newJoinKeys(pb.Keys, pb.NullSafe, in, s)
	if err != nil {
		return nil, err
	}
	t := typesOf(keys.evals)
	return &bloomFilter{in: in, keys: keys, bits: pb.Bits, out: out, most: fewValues, few: hashtable.New(t), bounds: make([]bounds, len(t))}, nil
}

func (o *bloomFilter) Output() []*types.Type { return o.out }

func (o *bloomFilter) Open(ctx *Ctx) error {
	o.ctx, o.mem = ctx, reservation{pool: ctx.Memory}
	return o.in.Open(ctx)
}

func (o *bloomFilter) Close() error {
	o.mem.release()
	return o.in.Close()
}

func (o *bloomFilter) Next() (*vector.Batch, error) {
	if o.done {
		return nil, nil
	}
	o.done = true
	for {
		b, err := o.in.Next()
		if err != nil {
			return nil, err
		}
		if b == nil {
			return o.result(), nil
		}
		keys, sel, n, err := o.keys.of(o.ctx, b)
		if err != nil {
			return nil, err
		}
		if !o.add(keys, sel, n) {
			return o.anything(), nil
		}
	}
}

// add takes a batch's keys in. It reports whether there was room for them.
func (o *bloomFilter) add(keys []*vector.Vector, sel []uint32, n int) bool {
	for i, k := range keys {
		o.bounds[i].widen(k, sel, n)
	}
	if o.few != nil {
		o.number = resizeRows(o.number, n)
		o.few.Find(keys, sel, n, o.number)
		if o.few.Len() <= o.most {
			return true
		}
		if o.mem.must(o.bits/8) != nil {
			return false
		}
		o.filter = newBloom(o.bits)
		all := o.few.Keys()
		o.filter.add(o.keys.hash(all, nil, o.few.Len()))
		o.few = nil
		return true
	}
	o.filter.add(o.keys.hash(keys, sel, n))
	return true
}

func (o *bloomFilter) result() *vector.Batch {
	switch {
	case o.few != nil && o.few.Len() == 0:
		return nil
	case o.few != nil:
		n := o.few.Len()
		return o.rows(make([]int32, n), vector.NewNull(types.Binary, n), o.few.Keys())
	case o.filter.full():
		return o.anything()
	}
	keys := make([]*vector.Vector, len(o.bounds))
	for i := range keys {
		keys[i] = o.bounds[i].vector(o.out[2+i])
	}
	filter := vector.FromStrings(types.Binary, []string{string(o.filter.bytes()), ""}, nil)
	return o.rows([]int32{lowKeys, highKeys}, filter, keys)
}

func (o *bloomFilter) anything() *vector.Batch {
	keys := make([]*vector.Vector, len(o.bounds))
	for i := range keys {
		keys[i] = vector.NewNull(o.out[2+i], 1)
	}
	return o.rows([]int32{anyKeys}, vector.NewNull(types.Binary, 1), keys)
}

func (o *bloomFilter) rows(kinds []int32, filter *vector.Vector, keys []*vector.Vector) *vector.Batch {
	return &vector.Batch{N: len(kinds), Cols: append([]*vector.Vector{vector.FromSlice(types.Integer, kinds), filter}, keys...)}
}

// bounds are the least and the greatest value of a column, each a row of its own; nil where there is none, or none that says anything.
type bounds struct{ low, high *vector.Vector }

func (b *bounds) widen(v *vector.Vector, sel []uint32, n int) {
	if !bounded(v.Type) || n == 0 {
		return
	}
	lo, hi := extremes(v, sel, n)
	if lo < 0 {
		return
	}
	if b.low == nil || sortkey.Values(v, lo, b.low, 0) < 0 {
		b.low = vector.NewEmpty(v.Type)
		b.low.AppendPlain(v, []uint32{uint32(lo)})
	}
	if b.high == nil || sortkey.Values(b.high, 0, v, hi) < 0 {
		b.high = vector.NewEmpty(v.Type)
		b.high.AppendPlain(v, []uint32{uint32(hi)})
	}
}

// vector is both bounds, or nulls.
func (b *bounds) vector(t *types.Type) *vector.Vector {
	if b.low == nil {
		return vector.NewNull(t, 2)
	}
	v := vector.NewEmpty(t)
	v.AppendPlain(b.low, nil)
	v.AppendPlain(b.high, nil)
	return v
}

// extremes are the rows of the least and of the greatest value; -1 where all are null.
func extremes(v *vector.Vector, sel []uint32, n int) (lo, hi int) {
	if v.Dict == nil && !v.Const && !v.HasNulls() {
		switch vector.Width(v.Type) {
		case 4:
			return extremesOf(vector.Values[int32](v), sel, n)
		case 8:
			return extremesOf(vector.Values[int64](v), sel, n)
		}
	}
	lo, hi = -1, -1
	for k := range n {
		r := at(sel, k)
		if v.IsNull(r) {
			continue
		}
		if lo < 0 || sortkey.Values(v, r, v, lo) < 0 {
			lo = r
		}
		if hi < 0 || sortkey.Values(v, hi, v, r) < 0 {
			hi = r
		}
	}
	return lo, hi
}

func extremesOf[T int32 | int64](values []T, sel []uint32, n int) (lo, hi int) {
	lo = at(sel, 0)
	hi = lo
	for k := range n {
		r := at(sel, k)
		if x := values[r]; x < values[lo] {
			lo = r
		} else if x > values[hi] {
			hi = r
		}
	}
	return lo, hi
}

// at is the k-th row of sel, or row k.
func at(sel []uint32, k int) int {
	if sel != nil {
		return int(sel[k])
	}
	return k
}
