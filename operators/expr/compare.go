package expr

import (
	"bytes"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"millrace/types"
	"millrace/vector"
)

// cmpOp is a comparison.
type cmpOp uint8

const (
	opLt cmpOp = iota
	opLe
	opEq
	opNe
	opGt
	opGe
)

var cmpOps = map[string]cmpOp{"<": opLt, "<=": opLe, "=": opEq, "==": opEq, "!=": opNe, "<>": opNe, ">": opGt, ">=": opGe}

// swapped is the comparison with its sides exchanged, negated the one that holds where it does not.
var (
	swapped = [...]cmpOp{opLt: opGt, opLe: opGe, opEq: opEq, opNe: opNe, opGt: opLt, opGe: opLe}
	negated = [...]cmpOp{opLt: opGe, opLe: opGt, opEq: opNe, opNe: opEq, opGt: opLe, opGe: opLt}
)

func init() {
	for name, op := range cmpOps {
		Register(name, Func{Strict: true, Total: true, Pure: true, Build: func(c *Call) (Kernel, error) { return compareKernel(c, op) }})
	}
	Register("<=>", Func{Pure: true, Build: nullSafeEqual})
}

// compareKernel is a comparison to booleans of two arguments of the same type.
func compareKernel(c *Call, op cmpOp) (Kernel, error) {
	t := c.Args[0]
	if t.Kind == types.KindUDT {
		t = t.Elem
	}
	if !comparable2(t, c.Args[1]) {
		return nil, noKernel(c)
	}
	switch t.Kind {
	case types.KindNull:
		return func(_ *Ctx, _ []*vector.Vector, _ []uint32, n int, out *vector.Vector) error { return nil }, nil
	case types.KindBoolean:
		return boolOrd[uint8](op), nil
	case types.KindByte:
		return boolOrd[int8](op), nil
	case types.KindShort:
		return boolOrd[int16](op), nil
	case types.KindInteger, types.KindDate, types.KindYearMonth:
		return boolOrd[int32](op), nil
	case types.KindLong, types.KindTimestamp, types.KindTimestampNTZ, types.KindTime, types.KindDayTime:
		return boolOrd[int64](op), nil
	case types.KindFloat:
		return boolFloat[float32](op), nil
	case types.KindDouble:
		return boolFloat[float64](op), nil
	case types.KindDecimal:
		if t.IsShortDecimal() {
			return boolOrd[int64](op), nil
		}
		return boolWide(op), nil
	}
	return boolGeneral(op, t), nil
}

// comparable2 reports whether two types are laid out alike and ordered.
func comparable2(a, b *types.Type) bool {
	if a.Kind != b.Kind {
		return false
	}
	return a.Kind != types.KindDecimal || a.Scale == b.Scale && a.IsShortDecimal() == b.IsShortDecimal()
}

// table holds a comparison's loops for one class of types by op; greater ones exchange their sides.
type boolLoop[T any] func(a, b []T, am, bm int, sel []uint32, out []bool)

func boolKernel[T vector.Fixed](op cmpOp, lt, le, eq, ne boolLoop[T]) Kernel {
	loop := [...]boolLoop[T]{opLt: lt, opLe: le, opEq: eq, opNe: ne, opGt: lt, opGe: le}[op]
	swap := op == opGt || op == opGe
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		a, b := args[0], args[1]
		if swap {
			a, b = b, a
		}
		loop(vector.Values[T](a), vector.Values[T](b), stride(a), stride(b), sel, vector.Values[bool](out)[:n])
		return nil
	}
}

func boolOrd[T interface {
	ordered
	vector.Fixed
}](op cmpOp) Kernel {
	return boolKernel(op, boolLtOrd[T], boolLeOrd[T], boolEqOrd[T], boolNeOrd[T])
}

func boolFloat[T float32 | float64](op cmpOp) Kernel {
	return boolKernel(op, boolLtFloat[T], boolLeFloat[T], boolEqFloat[T], boolNeFloat[T])
}

func boolWide(op cmpOp) Kernel {
	return boolKernel[decimal128.Num](op, boolLtWide, boolLeWide, boolEqWide, boolNeWide)
}

// boolGeneral compares strings and nested values by a three-way comparison of rows.
func boolGeneral(op cmpOp, t *types.Type) Kernel {
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		a, b, r := args[0], args[1], vector.Values[bool](out)
		if t.IsStringLike() && (op == opEq || op == opNe) {
			Rows(sel, n, func(i int) { r[i] = bytes.Equal(a.Str(i), b.Str(i)) == (op == opEq) })
			return nil
		}
		Rows(sel, n, func(i int) { r[i] = holds(op, CompareRows(a, i, b, i)) })
		return nil
	}
}

func holds(op cmpOp, c int) bool {
	switch op {
	case opLt:
		return c < 0
	case opLe:
		return c <= 0
	case opEq:
		return c == 0
	case opNe:
		return c != 0
	case opGt:
		return c > 0
	}
	return c >= 0
}

// nullSafeEqual is <=>: nulls equal each other.
func nullSafeEqual(c *Call) (Kernel, error) {
	equal, err := compareKernel(c, opEq)
	if err != nil {
		return nil, err
	}
	var both []uint32
	return func(ctx *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		a, b := args[0], args[1]
		if !a.HasNulls() && !b.HasNulls() {
			return equal(ctx, args, sel, n, out)
		}
		r := vector.Values[bool](out)
		both = growSel(both, n)[:0]
		Rows(sel, n, func(i int) {
			x, y := a.IsNull(i), b.IsNull(i)
			if r[i] = x && y; !x && !y {
				both = append(both, uint32(i))
			}
		})
		return equal(ctx, args, both, n, out)
	}, nil
}
