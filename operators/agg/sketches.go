package agg

import (
	"encoding/binary"
	"strconv"
	"strings"

	"millrace/errs"
	"millrace/operators/expr"
	"millrace/sketch"
	"millrace/types"
	"millrace/vector"
)

func init() {
	for name, make := range map[string]func(c *Call, size int) (groupSketch, error){
		"hll_sketch_agg": func(c *Call, size int) (groupSketch, error) {
			h, err := sketch.NewHLL(size)
			return &hllGroup{HLL: h, call: c, fixed: true}, err
		},
		"hll_union_agg": func(c *Call, _ int) (groupSketch, error) {
			h, err := sketch.NewHLL(12)
			return &hllGroup{HLL: h, call: c}, err
		},
		"theta_sketch_agg": newThetaGroup,
		"theta_union_agg":  newThetaGroup,
		"theta_intersection_agg": func(*Call, int) (groupSketch, error) {
			return &common[*sketch.ThetaSet]{sketch.NewThetaIntersection(), sketch.ReadTheta}, nil
		},
		"kll_sketch_agg_bigint": newKLLGroup[int64],
		"kll_sketch_agg_float":  newKLLGroup[float32],
		"kll_sketch_agg_double": newKLLGroup[float64],
		"kll_merge_agg_bigint":  newKLLGroup[int64],
		"kll_merge_agg_float":   newKLLGroup[float32],
		"kll_merge_agg_double":  newKLLGroup[float64],
	} {
		register(builder{one(types.Binary), func(c *Call) (Function, error) {
			f := &sketches{call: c, make: make, size: 12}
			if strings.HasPrefix(name, "kll") {
				f.size = sketch.DefaultK
			}
			if text := c.Opts["size"]; text != "" {
				var err error
				if f.size, err = strconv.Atoi(text); err != nil {
					return nil, err
				}
			}
			return f, nil
		}}, name)
	}
}

// groupSketch is one group's sketch.
type groupSketch interface {
	// update adds row k of the arguments.
	update(args []*vector.Vector, k int) error
	// merge adds a sketch: a value, or a part of the result.
	merge(b []byte, part bool) error
	// bytes are the sketch; nil where there is none. Where they are the result they are those of a union, even if only of one sketch: Spark's
	// last step always makes one, and some sketches tell.
	bytes(result bool) ([]byte, error)
	// Size is about the memory that it takes.
	Size() int
}

// sketches are the aggregates of sketches. A group without a value has nil.
type sketches struct {
	call   *Call
	make   func(c *Call, size int) (groupSketch, error)
	size   int
	groups []groupSketch
	bytes  int64
	err    error
}

func (f *sketches) TakesNulls() bool { return false }
func (f *sketches) Resize(n int)     { f.groups = resize(f.groups, n) }
func (f *sketches) MemSize() int64   { return int64(16*cap(f.groups)) + f.bytes }

func (f *sketches) Reset() {
	clear(f.groups)
	f.groups, f.bytes = f.groups[:0], 0
}

// change has a group's sketch changed, and counts its memory.
func (f *sketches) change(g uint32, by func(s groupSketch) error) error {
	s, before := f.groups[g], 0
	if s == nil {
		var err error
		if s, err = f.make(f.call, f.size); err != nil {
			return err
		}
		f.groups[g] = s
	} else {
		before = s.Size()
	}
	err := by(s)
	f.bytes += int64(s.Size() - before)
	return err
}

func (f *sketches) Update(in *Input) error {
	if name := f.call.Name; strings.Contains(name, "union_agg") || strings.Contains(name, "intersection_agg") || strings.HasPrefix(name, "kll_merge_agg") {
		return f.merge(in, false)
	}
	for k := range in.N {
		if err := f.change(in.group(k), func(s groupSketch) error { return s.update(in.Args, k) }); err != nil {
			return err
		}
	}
	return nil
}

func (f *sketches) Merge(in *Input) error { return f.merge(in, true) }

func (f *sketches) merge(in *Input, part bool) error {
	for k := range in.N {
		if in.Args[0].IsNull(k) {
			continue
		}
		err := f.change(in.group(k), func(s groupSketch) error { return s.merge(in.Args[0].Str(k), part) })
		if err != nil {
			return expr.SketchError(f.call.Name, err)
		}
	}
	return nil
}

func (f *sketches) States(out []*vector.Vector, from, n int) {
	v := &vector.Vector{}
	v.Reset(types.Binary, n)
	for i, s := range f.groups[from : from+n] {
		if s == nil {
			v.AppendStr(i, nil)
			v.SetNull(i)
			continue
		}
		b, err := s.bytes(false)
		if err != nil {
			f.err = err
		}
		v.AppendStr(i, b)
		if b == nil {
			v.SetNull(i)
		}
	}
	out[0].Append(v, nil)
}

func (f *sketches) Result(out *vector.Vector, from, n int) error {
	v := &vector.Vector{}
	v.Reset(types.Binary, n)
	for i, s := range f.groups[from : from+n] {
		var err error
		if s == nil {
			if s, err = f.make(f.call, f.size); err != nil {
				return err
			}
		}
		b, err := s.bytes(true)
		if err != nil {
			return err
		}
		if b == nil {
			return errs.Newf(errs.Invalid, "%s of no sketches would be the set of everything, which no sketch holds.", f.call.Name)
		}
		v.AppendStr(i, b)
	}
	out.Append(v, nil)
	return f.err
}

// hllGroup is an HLL sketch; where its size is not fixed the first sketch that is merged gives it.
type hllGroup struct {
	*sketch.HLL
	call   *Call
	fixed  bool
	merged bool
}

func (h *hllGroup) update(args []*vector.Vector, k int) error {
	v := args[0]
	if v.Type.IsStringLike() {
		return h.UpdateBytes(v.Str(k))
	}
	return h.UpdateLong(longAt(v, vector.Width(v.Type), k))
}

func (h *hllGroup) merge(b []byte, _ bool) error {
	other, err := sketch.ReadHLL(b)
	if err != nil {
		return err
	}
	size := h.LgK()
	switch {
	case !h.fixed:
		h.fixed = true
		if h.HLL, err = sketch.NewHLL(other.LgK()); err != nil {
			return err
		}
		size = other.LgK()
	case size != other.LgK() && h.call.Opts["differ"] != "true":
		return expr.HLLSizesDiffer(h.call.Name, size, other.LgK())
	}
	h.merged = true
	h.HLL, err = h.Union(min(size, other.LgK()), other)
	return err
}

func (h *hllGroup) bytes(result bool) ([]byte, error) {
	s := h.HLL
	if result && !h.merged {
		var err error
		if s, err = s.Union(s.LgK(), nil); err != nil {
			return nil, err
		}
	}
	return s.Bytes()
}

// thetaGroup counts values, or unites sets.
type thetaGroup struct {
	size  int
	own   *sketch.Theta
	union *sketch.ThetaUnion
	array []byte
}

func newThetaGroup(_ *Call, size int) (groupSketch, error) { return &thetaGroup{size: size}, nil }

func (t *thetaGroup) update(args []*vector.Vector, k int) error {
	v := args[0]
	if t.own == nil {
		var err error
		if t.own, err = sketch.NewTheta(t.size); err != nil {
			return err
		}
	}
	k = v.Row(k)
	switch v.Type.Kind {
	case types.KindDouble:
		t.own.UpdateDouble(vector.Values[float64](v)[k])
	case types.KindFloat:
		t.own.UpdateDouble(float64(vector.Values[float32](v)[k]))
	case types.KindArray:
		t.own.UpdateBytes(t.elements(v, k))
	default:
		if v.Type.IsStringLike() {
			t.own.UpdateBytes(v.Str(k))
			return nil
		}
		t.own.UpdateLong(longAt(v, vector.Width(v.Type), k))
	}
	return nil
}

// elements are the numbers of an array one after another; nulls are zeros.
func (t *thetaGroup) elements(v *vector.Vector, k int) []byte {
	t.array = t.array[:0]
	e := v.Children[0]
	for j := int(v.Offsets[k]); j < int(v.Offsets[k+1]); j++ {
		x := int64(0)
		if !e.IsNull(j) {
			x = longAt(e, vector.Width(e.Type), e.Row(j))
		}
		if e.Type.Kind == types.KindInteger {
			t.array = binary.LittleEndian.AppendUint32(t.array, uint32(x))
		} else {
			t.array = binary.LittleEndian.AppendUint64(t.array, uint64(x))
		}
	}
	return t.array
}

func (t *thetaGroup) merge(b []byte, _ bool) error {
	other, err := sketch.ReadTheta(b)
	if err != nil {
		return err
	}
	return t.add(other)
}

func (t *thetaGroup) add(s *sketch.ThetaSet) error {
	if t.union == nil {
		var err error
		if t.union, err = sketch.NewThetaUnion(t.size); err != nil {
			return err
		}
	}
	return t.union.Add(s)
}

func (t *thetaGroup) bytes(bool) ([]byte, error) {
	if t.own != nil {
		if err := t.add(t.own.Set()); err != nil {
			return nil, err
		}
		t.own = nil
	}
	if t.union == nil {
		own, err := sketch.NewTheta(t.size)
		if err != nil {
			return nil, err
		}
		return own.Set().Bytes()
	}
	s, err := t.union.Set()
	if err != nil {
		return nil, err
	}
	return s.Bytes()
}

// Size implements groupSketch.
func (t *thetaGroup) Size() int {
	n := 64
	if t.own != nil {
		n += t.own.Size()
	}
	if t.union != nil {
		n += t.union.Size()
	}
	return n
}

// intersection is the intersection of sets that are S.
type intersection[S interface{ Bytes() ([]byte, error) }] interface {
	Add(S) error
	Any() bool // whether a set was added
	Set() (S, error)
	Size() int
}

// common is the intersection of sets that are S.
type common[S interface{ Bytes() ([]byte, error) }] struct {
	intersection[S]
	read func(b []byte) (S, error)
}

func (c *common[S]) update([]*vector.Vector, int) error { return nil }

func (c *common[S]) merge(b []byte, _ bool) error {
	other, err := c.read(b)
	if err != nil {
		return err
	}
	return c.Add(other)
}

func (c *common[S]) bytes(bool) ([]byte, error) {
	if !c.Any() {
		return nil, nil
	}
	s, err := c.Set()
	if err != nil {
		return nil, err
	}
	return s.Bytes()
}

// kllGroup is a KLL sketch. Without a size of its own, a union of sketches has the least of theirs.
type kllGroup[T sketch.Item] struct {
	*sketch.KLL[T]
	free   bool
	merged bool
}

func newKLLGroup[T sketch.Item](c *Call, size int) (groupSketch, error) {
	q, err := sketch.NewKLL[T](size)
	return &kllGroup[T]{KLL: q, free: strings.HasPrefix(c.Name, "kll_merge_agg") && c.Opts["size"] == ""}, err
}

func (q *kllGroup[T]) update(args []*vector.Vector, k int) error {
	v := args[0]
	switch q := any(q.KLL).(type) {
	case *sketch.KLL[int64]:
		q.Update(longAt(v, vector.Width(v.Type), k))
	case *sketch.KLL[float32]:
		q.Update(vector.Values[float32](v)[k])
	case *sketch.KLL[float64]:
		q.Update(vector.Values[float64](v)[k])
	}
	return nil
}

func (q *kllGroup[T]) merge(b []byte, part bool) error {
	q.merged = q.merged || part
	other, err := sketch.ReadKLL[T](b)
	if err != nil {
		return err
	}
	if q.free && q.N() == 0 {
		if q.KLL, err = sketch.NewKLL[T](other.K()); err != nil {
			return err
		}
	}
	q.Merge(other)
	return nil
}

func (q *kllGroup[T]) bytes(result bool) ([]byte, error) {
	if !result || q.merged {
		return q.Bytes()
	}
	whole, err := sketch.NewKLL[T](q.K())
	if err != nil {
		return nil, err
	}
	whole.Merge(q.KLL)
	return whole.Bytes()
}
