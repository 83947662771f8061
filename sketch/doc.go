// Package sketch wraps the sketches of Apache DataSketches that SQL's functions keep, in the bytes that Spark reads and writes: HLL for the number of
// distinct values, Theta for that and for set operations, KLL for quantiles.
//
//	s := sketch.NewTheta(12)
//	s.UpdateLong(7)
//	b, err := s.Bytes()
//	t, err := sketch.ReadTheta(b)
//
// Whatever bytes are given, reading them ends in a sketch or ErrInvalid. The package knows nothing of columns and queries.
package sketch

import "errors"

// ErrInvalid is what bytes that are no sketch of the wanted kind are.
var ErrInvalid = errors.New("not a sketch")

// read runs a decoder of the library, which may fail in any way on bytes that are not its own.
func read[T any](b []byte, decode func([]byte) (T, error)) (s T, err error) {
	defer func() {
		if recover() != nil {
			err = ErrInvalid
		}
	}()
	if s, err = decode(b); err != nil {
		err = ErrInvalid
	}
	return s, err
}
