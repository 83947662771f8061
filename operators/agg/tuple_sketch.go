package agg

import (
	"millrace/operators/expr"
	"millrace/sketch"
	"millrace/types"
	"millrace/vector"
)

func init() {
	registerTuple[float64]("double")
	registerTuple[int32]("integer")
}

func registerTuple[T sketch.Number](suffix string) {
	register(builder{one(types.Binary), func(c *Call) (Function, error) {
		size, err := expr.TupleSize(c.Opts)
		return &sketches{call: c, make: newTupleGroup[T], size: size}, err
	}}, "tuple_sketch_agg_"+suffix, "tuple_union_agg_"+suffix)
	register(builder{one(types.Binary), func(c *Call) (Function, error) {
		return &sketches{call: c, make: func(c *Call, _ int) (groupSketch, error) {
			return &common[*sketch.TupleSet[T]]{sketch.NewTupleIntersection[T](expr.TupleMode(c.Opts)), sketch.ReadTuple[T]}, nil
		}}, nil
	}}, "tuple_intersection_agg_"+suffix)
}

// tupleGroup counts values with their numbers, or unites sets.
type tupleGroup[T sketch.Number] struct {
	thetaGroup // for the keys that are arrays
	mode       sketch.Mode
	own        *sketch.Tuple[T]
	union      *sketch.TupleUnion[T]
}

func newTupleGroup[T sketch.Number](c *Call, size int) (groupSketch, error) {
	return &tupleGroup[T]{thetaGroup: thetaGroup{size: size}, mode: expr.TupleMode(c.Opts)}, nil
}

func (t *tupleGroup[T]) update(args []*vector.Vector, k int) error {
	if t.own == nil {
		var err error
		if t.own, err = sketch.NewTuple[T](t.size, t.mode); err != nil {
			return err
		}
	}
	v := args[0]
	x := vector.Values[T](args[1])[args[1].Row(k)]
	row := v.Row(k)
	switch v.Type.Kind {
	case types.KindDouble:
		t.own.UpdateDouble(vector.Values[float64](v)[row], x)
	case types.KindFloat:
		t.own.UpdateDouble(float64(vector.Values[float32](v)[row]), x)
	case types.KindArray:
		t.own.UpdateBytes(t.elements(v, row), x)
	default:
		if v.Type.IsStringLike() {
			t.own.UpdateBytes(v.Str(k), x)
			return nil
		}
		t.own.UpdateLong(longAt(v, vector.Width(v.Type), row), x)
	}
	return nil
}

func (t *tupleGroup[T]) merge(b []byte, _ bool) error {
	other, err := sketch.ReadTuple[T](b)
	if err != nil {
		return err
	}
	return t.add(other)
}

func (t *tupleGroup[T]) add(s *sketch.TupleSet[T]) error {
	if t.union == nil {
		var err error
		if t.union, err = sketch.NewTupleUnion[T](t.size, t.mode); err != nil {
			return err
		}
	}
	return t.union.Add(s)
}

func (t *tupleGroup[T]) bytes(bool) ([]byte, error) {
	if t.own != nil {
		s, err := t.own.Set()
		if err != nil {
			return nil, err
		}
		if err := t.add(s); err != nil {
			return nil, err
		}
		t.own = nil
	}
	if t.union == nil {
		none, err := sketch.NewTupleUnion[T](t.size, t.mode)
		if err != nil {
			return nil, err
		}
		t.union = none
	}
	s, err := t.union.Set()
	if err != nil {
		return nil, err
	}
	return s.Bytes()
}

// Size implements groupSketch.
func (t *tupleGroup[T]) Size() int {
	n := 96
	if t.own != nil {
		n += t.own.Size()
	}
	if t.union != nil {
		n += t.union.Size()
	}
	return n
}
