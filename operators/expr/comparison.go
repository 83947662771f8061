package expr

import (
	"bytes"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"millrace/types"
	"millrace/vector"
)

// comparison selects by a comparison without making booleans.
type comparison struct {
	call *call
	pick picker
	not  bool
	buf  []uint32
}

// picker writes into out the rows of sel (nil: 0..n-1) that are valid and where a comparison holds of a and b, not both constant.
type picker func(a, b *vector.Vector, valid vector.Bitmap, sel []uint32, n int, out []uint32) []uint32

func newComparison(e *call, op cmpOp, not bool) *comparison {
	if not {
		op = negated[op]
	}
	return &comparison{call: e, pick: newPicker(e.c.Args[0], op), not: not}
}

func (p *comparison) Select(ctx *Ctx, b *vector.Batch, sel []uint32) ([]uint32, error) {
	e := p.call
	if b.N == 0 || sel != nil && len(sel) == 0 {
		p.buf = growSel(p.buf, 0)
		return p.buf, nil
	}
	for i, a := range e.args {
		v, err := a.Eval(ctx, b, sel)
		if err != nil {
			return nil, err
		}
		e.vals[i] = v
	}
	x, y := e.vals[0], e.vals[1]
	if x.Const && y.Const {
		v, err := e.single(ctx, b.N)
		if err == nil {
			p.buf = selectTrue(p.buf, v, p.not, sel, b.N)
		}
		return p.buf, err
	}
	if varying, ok := onlyDict(e.vals); ok {
		if entries := e.entries(ctx, varying, sel, b.N); entries != nil {
			p.buf = selectCodes(p.buf, entries.matches(p.not), e.vals[varying], sel, b.N)
			return p.buf, nil
		}
	}
	valid, none := e.validity(e.vals, b.N)
	if none {
		p.buf = growSel(p.buf, 0)
		return p.buf, nil
	}
	p.buf = growSel(p.buf, b.N)
	if valid != nil && (x.Dict != nil || y.Dict != nil) {
		e.rows = validRows(e.rows, valid, sel, b.N)
		sel, valid = e.rows, nil
	}
	p.buf = p.pick(x, y, valid, sel, b.N, p.buf)
	return p.buf, nil
}

func newPicker(t *types.Type, op cmpOp) picker {
	switch t.Kind {
	case types.KindBoolean:
		return pickOrd[uint8](op)
	case types.KindByte:
		return pickOrd[int8](op)
	case types.KindShort:
		return pickOrd[int16](op)
	case types.KindInteger, types.KindDate, types.KindYearMonth:
		return pickOrd[int32](op)
	case types.KindLong, types.KindTimestamp, types.KindTimestampNTZ, types.KindTime, types.KindDayTime:
		return pickOrd[int64](op)
	case types.KindFloat:
		return pickFloat[float32](op)
	case types.KindDouble:
		return pickFloat[float64](op)
	case types.KindDecimal:
		if t.IsShortDecimal() {
			return pickOrd[int64](op)
		}
		return pickFixed[decimal128.Num](op, [4]selectLoop[decimal128.Num]{selectLtWide, selectLeWide, selectEqWide, selectNeWide},
			[4]selectConst[decimal128.Num]{selectLtWideConst, selectLeWideConst, selectEqWideConst, selectNeWideConst}, greaterWide)
	}
	return pickGeneral(t, op)
}

type (
	selectLoop[T any]  func(a, b []T, valid vector.Bitmap, sel, out []uint32) []uint32
	selectConst[T any] func(a []T, b T, valid vector.Bitmap, sel, out []uint32) []uint32
)

func pickOrd[T interface {
	ordered
	vector.Fixed
}](op cmpOp) picker {
	return pickFixed(op, [4]selectLoop[T]{selectLtOrd[T], selectLeOrd[T], selectEqOrd[T], selectNeOrd[T]},
		[4]selectConst[T]{selectLtOrdConst[T], selectLeOrdConst[T], selectEqOrdConst[T], selectNeOrdConst[T]},
		[2]selectConst[T]{selectGtOrdConst[T], selectGeOrdConst[T]})
}

func pickFloat[T float32 | float64](op cmpOp) picker {
	return pickFixed(op, [4]selectLoop[T]{selectLtFloat[T], selectLeFloat[T], selectEqFloat[T], selectNeFloat[T]},
		[4]selectConst[T]{selectLtFloatConst[T], selectLeFloatConst[T], selectEqFloatConst[T], selectNeFloatConst[T]},
		[2]selectConst[T]{selectGtFloatConst[T], selectGeFloatConst[T]})
}

var greaterWide = [2]selectConst[decimal128.Num]{selectGtWideConst, selectGeWideConst}

// pickFixed joins the loops of a type: of two columns by <, <=, =, !=; of a column and a constant by these, and by > and >=.
func pickFixed[T vector.Fixed](op cmpOp, columns [4]selectLoop[T], less [4]selectConst[T], greater [2]selectConst[T]) picker {
	constant := func(op cmpOp) selectConst[T] {
		if op >= opGt {
			return greater[op-opGt]
		}
		return less[op]
	}
	right, left := constant(op), constant(swapped[op])
	swap := op >= opGt
	if swap {
		op = swapped[op]
	}
	loop := columns[op]
	return func(a, b *vector.Vector, valid vector.Bitmap, sel []uint32, n int, out []uint32) []uint32 {
		x, y := vector.Values[T](a), vector.Values[T](b)
		switch {
		case b.Const:
			return right(x[:n], y[0], valid, sel, out)
		case a.Const:
			return left(y[:n], x[0], valid, sel, out)
		case swap:
			x, y = y, x
		}
		return loop(x[:n], y[:n], valid, sel, out)
	}
}

func pickGeneral(t *types.Type, op cmpOp) picker {
	return func(a, b *vector.Vector, valid vector.Bitmap, sel []uint32, n int, out []uint32) []uint32 {
		if valid != nil {
			sel = validRows(nil, valid, sel, n)
		}
		if t.IsStringLike() && (op == opEq || op == opNe) && b.Const {
			return pickStrings(a, b.Str(0), op == opEq, sel, n, out)
		}
		k := 0
		Rows(sel, n, func(i int) {
			out[k] = uint32(i)
			k += b2i(holds(op, CompareRows(a, i, b, i)))
		})
		return out[:k]
	}
}

// pickStrings compares strings with one for equality, or for inequality.
func pickStrings(a *vector.Vector, want []byte, equal bool, sel []uint32, n int, out []uint32) []uint32 {
	k := 0
	if a.Dict == nil && sel == nil {
		for i := range n {
			out[k] = uint32(i)
			k += b2i(bytes.Equal(a.Bytes[a.Offsets[i]:a.Offsets[i+1]], want) == equal)
		}
		return out[:k]
	}
	Rows(sel, n, func(i int) {
		out[k] = uint32(i)
		k += b2i(bytes.Equal(a.Str(i), want) == equal)
	})
	return out[:k]
}
