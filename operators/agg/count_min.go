package agg

import (
	"errors"
	"strconv"

	"millrace/errs"
	"millrace/operators/expr"
	"millrace/sketch"
	"millrace/types"
	"millrace/vector"
)

func init() {
	register(builder{one(types.Binary), func(c *Call) (Function, error) {
		eps, err := strconv.ParseFloat(c.Opts["eps"], 64)
		confidence, err2 := strconv.ParseFloat(c.Opts["confidence"], 64)
		seed, err3 := strconv.ParseInt(c.Opts["seed"], 10, 32)
		depth, width := sketch.CountMinSize(eps, confidence)
		if depth*width > sketch.MaxCells {
			return nil, errs.Unsupportedf("count_min_sketch of %d counters is not supported; there may be %d of them.", depth*width, sketch.MaxCells)
		}
		make := func(*Call, int) (groupSketch, error) {
			return countMinGroup{sketch.NewCountMin(depth, width, int32(seed))}, nil
		}
		return &sketches{call: c, make: make}, errors.Join(err, err2, err3)
	}}, "count_min_sketch")
}

// countMinGroup counts values.
type countMinGroup struct{ *sketch.CountMin }

func (s countMinGroup) update(args []*vector.Vector, k int) error {
	v := args[0]
	if !v.Type.IsStringLike() {
		s.UpdateLong(longAt(v, vector.Width(v.Type), k))
		return nil
	}
	b := v.Str(k)
	first := expr.HashBytes(b, 0)
	s.UpdateHashes(first, expr.HashBytes(b, first))
	return nil
}

func (s countMinGroup) merge(b []byte, _ bool) error { return s.MergeBytes(b) }

func (s countMinGroup) bytes(bool) ([]byte, error) { return s.Bytes(), nil }
