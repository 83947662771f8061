package expr

import (
	"errors"
	"strconv"
	"strings"

	"millrace/errs"
	"millrace/planconv"
	"millrace/sketch"
	"millrace/types"
	"millrace/vector"
)

func init() {
	registerFixed(map[string]func(in *inputs, i int) (int64, error){"hll_sketch_estimate": hllEstimate, "theta_sketch_estimate": thetaEstimate})
	registerText(map[string]toText{"hll_union": hllUnion, "theta_union": thetaUnion, "theta_intersection": thetaIntersection, "theta_difference": thetaDifference})
	registerKLL[int64]("bigint")
	registerKLL[float32]("float")
	registerKLL[float64]("double")
}

// SketchError is the error that a function ends with whose argument is no sketch of its kind, or one that cannot be united with others; nil and any other
// error stay.
func SketchError(name string, err error) error {
	kind, _, _ := strings.Cut(name, "_")
	condition := strings.ToUpper(kind) + "_INVALID_INPUT_SKETCH_BUFFER"
	var family *sketch.FamilyError
	switch {
	case errors.As(err, &family):
		if family.Wanted == "COMPACT" {
			condition = "THETA_INVALID_INPUT_SKETCH_BUFFER" // which a function of Tuple sketches may take, too
		}
		return errs.New(condition+"_FAMILY", "function", "`"+name+"`", "expectedFamily", family.Wanted, "actualFamily", family.Got)
	case errors.Is(err, sketch.ErrInvalid):
		return errs.New(condition, "function", "`"+name+"`")
	case errors.Is(err, sketch.ErrSizes):
		return errs.Unsupportedf("%v: %s.", err, name)
	}
	return err
}

// HLLSizesDiffer is the error of sketches of different sizes where their union was not allowed by name.
func HLLSizesDiffer(name string, left, right int) error {
	return errs.New("HLL_UNION_DIFFERENT_LG_K", "function", "`"+name+"`", "left", strconv.Itoa(left), "right", strconv.Itoa(right))
}

// sketchBytes appends a sketch's bytes.
func sketchBytes(dst []byte, name string, b []byte, err error) ([]byte, error) {
	if err != nil {
		return nil, SketchError(name, err)
	}
	return append(dst, b...), nil
}

func hllEstimate(in *inputs, i int) (int64, error) {
	h, err := sketch.ReadHLL(in.str(0, i))
	if err != nil {
		return 0, SketchError("hll_sketch_estimate", err)
	}
	return h.Estimate()
}

func hllUnion(in *inputs, i int, dst []byte) ([]byte, error) {
	left, err := sketch.ReadHLL(in.str(0, i))
	if err != nil {
		return nil, SketchError("hll_union", err)
	}
	right, err := sketch.ReadHLL(in.str(1, i))
	if err != nil {
		return nil, SketchError("hll_union", err)
	}
	differ := len(in.vec) > 2 && vector.Values[bool](in.vec[2])[in.vec[2].Row(i)]
	if left.LgK() != right.LgK() && !differ {
		return nil, HLLSizesDiffer("hll_union", left.LgK(), right.LgK())
	}
	u, err := left.Union(min(left.LgK(), right.LgK()), right)
	if err != nil {
		return nil, SketchError("hll_union", err)
	}
	b, err := u.Bytes()
	return sketchBytes(dst, "hll_union", b, err)
}

func thetaEstimate(in *inputs, i int) (int64, error) {
	t, err := sketch.ReadTheta(in.str(0, i))
	if err != nil {
		return 0, SketchError("theta_sketch_estimate", err)
	}
	return t.Estimate(), nil
}

// twoSets reads the first two arguments.
func twoSets(in *inputs, i int, name string) (left, right *sketch.ThetaSet, err error) {
	if left, err = sketch.ReadTheta(in.str(0, i)); err == nil {
		right, err = sketch.ReadTheta(in.str(1, i))
	}
	return left, right, SketchError(name, err)
}

func thetaUnion(in *inputs, i int, dst []byte) ([]byte, error) {
	size := 12
	if len(in.vec) > 2 {
		size = int(in.num(2, i))
	}
	switch {
	case size < 4 || size > sketch.MaxLgNominal:
		return nil, errs.New("SKETCH_INVALID_LG_NOM_ENTRIES", "function", "`theta_union`", "min", "4", "max", strconv.Itoa(sketch.MaxLgNominal), "value", strconv.Itoa(size))
	case size < sketch.MinLgNominal:
		return nil, errs.Unsupportedf("The number 4 of lgNomEntries of theta_union is not supported; the least is 5.")
	}
	left, right, err := twoSets(in, i, "theta_union")
	if err != nil {
		return nil, err
	}
	u, err := sketch.NewThetaUnion(size)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(u.Add(left), u.Add(right)); err != nil {
		return nil, err
	}
	return setBytes(dst)(u.Set())
}

func thetaIntersection(in *inputs, i int, dst []byte) ([]byte, error) {
	left, right, err := twoSets(in, i, "theta_intersection")
	if err != nil {
		return nil, err
	}
	both := sketch.NewThetaIntersection()
	if err := errors.Join(both.Add(left), both.Add(right)); err != nil {
		return nil, err
	}
	return setBytes(dst)(both.Set())
}

func thetaDifference(in *inputs, i int, dst []byte) ([]byte, error) {
	left, right, err := twoSets(in, i, "theta_difference")
	if err != nil {
		return nil, err
	}
	return setBytes(dst)(left.Minus(right))
}

func setBytes(dst []byte) func(*sketch.ThetaSet, error) ([]byte, error) {
	return func(s *sketch.ThetaSet, err error) ([]byte, error) {
		if err != nil {
			return nil, err
		}
		b, err := s.Bytes()
		return append(dst, b...), err
	}
}

func registerKLL[T sketch.Item](suffix string) {
	read := func(in *inputs, k, i int, name string) (*sketch.KLL[T], error) {
		q, err := sketch.ReadKLL[T](in.str(k, i))
		return q, SketchError(name, err)
	}
	count, text, merge := "kll_sketch_get_n_"+suffix, "kll_sketch_to_string_"+suffix, "kll_sketch_merge_"+suffix
	registerFixed(map[string]func(in *inputs, i int) (int64, error){count: func(in *inputs, i int) (int64, error) {
		q, err := read(in, 0, i, count)
		if err != nil {
			return 0, err
		}
		return q.N(), nil
	}})
	registerText(map[string]toText{
		text: func(in *inputs, i int, dst []byte) ([]byte, error) {
			q, err := read(in, 0, i, text)
			if err != nil {
				return nil, err
			}
			return append(dst, q.String()...), nil
		},
		merge: func(in *inputs, i int, dst []byte) ([]byte, error) {
			q, err := read(in, 0, i, merge)
			if err != nil {
				return nil, err
			}
			other, err := read(in, 1, i, merge)
			if err != nil {
				return nil, err
			}
			q.Merge(other)
			b, err := q.Bytes()
			return sketchBytes(dst, merge, b, err)
		}})
	quantile, rank := "kll_sketch_get_quantile_"+suffix, "kll_sketch_get_rank_"+suffix
	Register(quantile, Func{Strict: true, Pure: true, Build: func(c *Call) (Kernel, error) {
		return eachKernel(c.Out, func(in *inputs, i int) (func(x any) (T, error), error) {
			q, err := read(in, 0, i, quantile)
			return func(x any) (T, error) {
				r, _ := x.(float64)
				if r < 0 || r > 1 {
					return 0, errs.New("KLL_SKETCH_INVALID_QUANTILE_RANGE", "functionName", "`"+quantile+"`")
				}
				if q.N() == 0 {
					return 0, SketchError(quantile, sketch.ErrInvalid)
				}
				return q.Quantile(r)
			}, err
		}), nil
	}})
	Register(rank, Func{Strict: true, Pure: true, Build: func(c *Call) (Kernel, error) {
		return eachKernel(c.Out, func(in *inputs, i int) (func(x any) (float64, error), error) {
			q, err := read(in, 0, i, rank)
			return func(x any) (float64, error) {
				if q.N() == 0 {
					return 0, SketchError(rank, sketch.ErrInvalid)
				}
				switch x := x.(type) {
				case int64:
					return q.Rank(T(x))
				case float64:
					return q.Rank(T(x))
				}
				return 0, errs.Newf(errs.Internal, "the rank of a %T", x)
			}, err
		}), nil
	}})
}

// eachKernel applies what of makes for a row to the row's second argument, or to each element of that.
func eachKernel[T vector.Fixed](out *types.Type, of func(in *inputs, i int) (func(x any) (T, error), error)) Kernel {
	if out.Kind != types.KindArray {
		return fixedKernel(func(in *inputs, i int) (T, error) {
			f, err := of(in, i)
			if err != nil {
				return *new(T), err
			}
			return f(planconv.At(in.vec[1], i))
		})
	}
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, to *vector.Vector) error {
		in := &inputs{}
		in.set(args)
		var values []T
		next := 0
		err := RowsErr(sel, n, func(i int) error {
			for ; next < i; next++ {
				to.Offsets[next+1] = to.Offsets[next]
			}
			f, err := of(in, i)
			if err != nil {
				return err
			}
			list, _ := planconv.At(args[1], i).([]any)
			for _, x := range list {
				y, err := f(x)
				if err != nil {
					return err
				}
				values = append(values, y)
			}
			to.Offsets[i+1] = int32(len(values))
			next = i + 1
			return nil
		})
		for ; next < n; next++ {
			to.Offsets[next+1] = to.Offsets[next]
		}
		to.Children = []*vector.Vector{vector.FromSlice(out.Elem, values)}
		return err
	}
}
