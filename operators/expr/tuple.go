package expr

import (
	"errors"
	"strconv"

	"millrace/errs"
	"millrace/sketch"
	"millrace/vector"
)

func init() {
	registerTuple[float64, float64]("double")
	registerTuple[int32, int64]("integer")
}

// TupleMode is the mode that a call names.
func TupleMode(options map[string]string) sketch.Mode {
	return map[string]sketch.Mode{"min": sketch.Min, "max": sketch.Max, "alwaysone": sketch.AlwaysOne}[options["mode"]]
}

// TupleSize is the logarithm of the number of entries that a call names.
func TupleSize(options map[string]string) (int, error) {
	if options["size"] == "" {
		return 12, nil
	}
	return strconv.Atoi(options["size"])
}

func registerTuple[T sketch.Number, R interface {
	vector.Fixed
	float64 | int64
}](suffix string) {
	name := func(s string) string { return "tuple_" + s + "_" + suffix }
	read := func(in *inputs, k, i int, name string) (*sketch.TupleSet[T], error) {
		s, err := sketch.ReadTuple[T](in.str(k, i))
		return s, SketchError(name, err)
	}
	// The second set of a call may be one without numbers.
	second := func(in *inputs, i int, name string, plain bool, m sketch.Mode) (*sketch.TupleSet[T], error) {
		if !plain {
			return read(in, 1, i, name)
		}
		s, err := sketch.ReadTheta(in.str(1, i))
		var family *sketch.FamilyError
		switch {
		case errors.Is(err, sketch.ErrInvalid) && !errors.As(err, &family):
			return nil, errs.New("THETA_INVALID_INPUT_SKETCH_BUFFER", "function", "`"+name+"`")
		case err != nil:
			return nil, SketchError(name, err)
		}
		return sketch.TupleOf[T](s, m)
	}
	sets := func(name string, plain bool, combine func(c *Call, a, b *sketch.TupleSet[T]) (*sketch.TupleSet[T], error)) {
		Register(name, Func{Strict: true, Pure: true, Build: func(c *Call) (Kernel, error) {
			return textKernel(func(in *inputs, i int, dst []byte) ([]byte, error) {
				a, err := read(in, 0, i, name)
				if err != nil {
					return nil, err
				}
				b, err := second(in, i, name, plain, TupleMode(c.Options))
				if err != nil {
					return nil, err
				}
				s, err := combine(c, a, b)
				if err != nil {
					return nil, err
				}
				bytes, err := s.Bytes()
				return append(dst, bytes...), err
			}), nil
		}})
	}
	for with, plain := range map[string]bool{"": false, "_theta": true} {
		sets(name("union"+with), plain, func(c *Call, a, b *sketch.TupleSet[T]) (*sketch.TupleSet[T], error) {
			size, err := TupleSize(c.Options)
			if err != nil {
				return nil, err
			}
			u, err := sketch.NewTupleUnion[T](size, TupleMode(c.Options))
			if err != nil {
				return nil, err
			}
			if err := errors.Join(u.Add(a), u.Add(b)); err != nil {
				return nil, err
			}
			return u.Set()
		})
		sets(name("intersection"+with), plain, func(c *Call, a, b *sketch.TupleSet[T]) (*sketch.TupleSet[T], error) {
			both := sketch.NewTupleIntersection[T](TupleMode(c.Options))
			if err := errors.Join(both.Add(a), both.Add(b)); err != nil {
				return nil, err
			}
			return both.Set()
		})
		sets(name("difference"+with), plain, func(_ *Call, a, b *sketch.TupleSet[T]) (*sketch.TupleSet[T], error) { return a.Minus(b) })
	}
	number := func(name string, of func(*sketch.TupleSet[T]) float64) {
		registerFixed(map[string]func(in *inputs, i int) (float64, error){name: func(in *inputs, i int) (float64, error) {
			s, err := read(in, 0, i, name)
			if err != nil {
				return 0, err
			}
			return of(s), nil
		}})
	}
	number(name("sketch_estimate"), (*sketch.TupleSet[T]).Estimate)
	number(name("sketch_theta"), (*sketch.TupleSet[T]).Theta)
	summary := name("sketch_summary")
	Register(summary, Func{Strict: true, Pure: true, Build: func(c *Call) (Kernel, error) {
		mode := TupleMode(c.Options)
		return fixedKernel(func(in *inputs, i int) (R, error) {
			s, err := read(in, 0, i, summary)
			if err != nil {
				return 0, err
			}
			var sum R
			none := true
			s.Numbers(func(x T) {
				switch y := R(x); {
				case mode == sketch.Sum:
					sum += y
				case mode == sketch.AlwaysOne:
					sum++
				case none, mode == sketch.Min && y < sum, mode == sketch.Max && y > sum:
					sum = y
				}
				none = false
			})
			return sum, nil
		}), nil
	}})
}
