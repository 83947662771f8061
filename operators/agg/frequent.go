package agg

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
	"math"
	"strconv"

	"millrace/errs"
	"millrace/operators/rowbytes"
	"millrace/types"
	"millrace/vector"
)

func init() { register(builder{one(types.Binary), newFrequent}, "frequent_items") }

// frequent is df.stat.freqItems: an array of values among which are all that make up more than 1/size of a group's rows, by Spark's form of
// the counters of Karp, Schenker and Papadimitriou. Nulls are values.
type frequent struct {
	size   int
	codec  *rowbytes.Codec
	arg    []*vector.Vector
	groups []*counters
	key    []byte
	bytes  int64
}

func newFrequent(c *Call) (Function, error) {
	size, err := strconv.Atoi(c.Opts["size"])
	return &frequent{size: size, codec: rowbytes.Key(c.Args[:1]), arg: make([]*vector.Vector, 1)}, err
}

func (f *frequent) TakesNulls() bool { return true }
func (f *frequent) Resize(n int)     { f.groups = resize(f.groups, n) }
func (f *frequent) MemSize() int64   { return int64(8*cap(f.groups)) + f.bytes }

func (f *frequent) Reset() {
	clear(f.groups)
	f.groups, f.bytes = f.groups[:0], 0
}

// of is a group's counters.
func (f *frequent) of(g uint32) *counters {
	if f.groups[g] == nil {
		f.groups[g] = &counters{size: f.size}
	}
	return f.groups[g]
}

func (f *frequent) Update(in *Input) error {
	f.arg[0] = in.Args[0]
	for k := range in.N {
		f.key = f.codec.Append(f.key[:0], f.arg, k)
		c := f.of(in.group(k))
		before := c.bytes
		c.add(f.key, 1)
		f.bytes += c.bytes - before
	}
	return nil
}

var errFrequent = errs.Newf(errs.Internal, "the state of frequent items is damaged")

func (f *frequent) Merge(in *Input) error {
	for k := range in.N {
		if in.Args[0].IsNull(k) {
			continue
		}
		c := f.of(in.group(k))
		before := c.bytes
		for b := in.Args[0].Str(k); len(b) > 0; {
			count, n := binary.Uvarint(b)
			if n <= 0 {
				return errFrequent
			}
			size, m := binary.Uvarint(b[n:])
			if m <= 0 || size > uint64(len(b)-n-m) {
				return errFrequent
			}
			end := n + m + int(size)
			c.add(b[n+m:end], int64(count))
			b = b[end:]
		}
		f.bytes += c.bytes - before
	}
	return nil
}

// States are, for each value, its count, the length of its bytes, and these.
func (f *frequent) States(out []*vector.Vector, from, n int) {
	v := &vector.Vector{}
	v.Reset(types.Binary, n)
	for i, c := range f.groups[from : from+n] {
		f.key = f.key[:0]
		if c != nil {
			for _, s := range c.slots {
				f.key = binary.AppendUvarint(f.key, uint64(s.count-c.base))
				f.key = append(binary.AppendUvarint(f.key, uint64(len(s.key))), s.key...)
			}
		}
		v.AppendStr(i, f.key)
	}
	out[0].Append(v, nil)
}

func (f *frequent) Result(out *vector.Vector, from, n int) error {
	v := vector.NewEmpty(out.Type)
	v.Len, v.Offsets = n, make([]int32, n+1)
	d := f.codec.Decoder()
	for i := range n {
		if c := f.groups[from+i]; c != nil {
			for _, s := range c.slots {
				if err := d.Add(s.key); err != nil {
					return err
				}
			}
		}
		v.Offsets[i+1] = int32(d.Len())
	}
	v.Children[0].Append(d.Columns()[0], nil)
	out.Append(v, nil)
	return nil
}

// counters count at most size values. When there is no room for another, what would count it is taken from all.
type counters struct {
	size  int
	slots []counted // in the order in which they came; those behind len keep their memory for values to come
	table []int32   // by hash: the place of a slot plus 1
	base  int64     // is to be taken from all counts
	least int64     // no count is below this, the base still in it
	bytes int64
}

type counted struct {
	key   []byte
	hash  uint64
	count int64
}

var frequentSeed = maphash.MakeSeed()

func (c *counters) add(key []byte, n int64) {
	h := maphash.Bytes(frequentSeed, key)
	if i := c.find(key, h); i >= 0 {
		c.slots[i].count += n
		return
	}
	if len(c.slots) < c.size {
		c.put(key, h, n)
		return
	}
	if n >= c.least-c.base { // which may be too low
		c.least = math.MaxInt64
		for i := range c.slots {
			c.least = min(c.least, c.slots[i].count)
		}
	}
	least := c.least - c.base
	if n < least {
		c.base += n
		return
	}
	c.base = c.least
	c.evict()
	if n > least {
		c.put(key, h, n-least)
	}
}

func (c *counters) find(key []byte, h uint64) int {
	if len(c.table) == 0 {
		return -1
	}
	mask := uint64(len(c.table) - 1)
	for at := h & mask; c.table[at] != 0; at = (at + 1) & mask {
		if s := &c.slots[c.table[at]-1]; s.hash == h && bytes.Equal(s.key, key) {
			return int(c.table[at] - 1)
		}
	}
	return -1
}

func (c *counters) put(key []byte, h uint64, n int64) {
	i := len(c.slots)
	if i < cap(c.slots) {
		c.slots = c.slots[:i+1]
	} else {
		c.slots = append(c.slots, counted{})
		c.bytes += 64
	}
	s := &c.slots[i]
	c.bytes -= int64(cap(s.key))
	s.key, s.hash, s.count = append(s.key[:0], key...), h, n+c.base
	c.bytes += int64(cap(s.key))
	c.least = min(c.least, s.count)
	if i == 0 {
		c.least = s.count
	}
	if 2*len(c.slots) > len(c.table) {
		c.bytes += int64(4 * max(16, len(c.table)))
		c.table = make([]int32, max(16, 2*len(c.table)))
		c.index(0)
		return
	}
	c.index(i)
}

// index enters the slots from a place on into the table.
func (c *counters) index(from int) {
	mask := uint64(len(c.table) - 1)
	for i := from; i < len(c.slots); i++ {
		at := c.slots[i].hash & mask
		for c.table[at] != 0 {
			at = (at + 1) & mask
		}
		c.table[at] = int32(i + 1)
	}
}

// evict drops the values of which nothing is left.
func (c *counters) evict() {
	kept := 0
	for i := range c.slots {
		if c.slots[i].count > c.base {
			c.slots[kept], c.slots[i] = c.slots[i], c.slots[kept]
			kept++
		}
	}
	c.slots = c.slots[:kept]
	clear(c.table)
	c.index(0)
	c.least = c.base // too low; looked for when it matters
}
