package expr

import (
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/types"
	"millrace/vector"
)

// Predicate picks rows. It is used by one goroutine at a time.
type Predicate interface {
	// Select returns the rows of sel (nil: all b.N rows) where the predicate is true, ascending and never nil. The slice belongs
	// to the predicate and is overwritten by its next Select.
	Select(ctx *Ctx, b *vector.Batch, sel []uint32) ([]uint32, error)
}

// CompilePredicate builds the predicate of a boolean expression. Conjunctions narrow the selection term by term.
func CompilePredicate(e *planpb.Expr, input []*types.Type, s *planpb.Settings) (Predicate, error) {
	ev, err := Compile(e, input, s)
	if err != nil {
		return nil, err
	}
	return predicateOf(ev, false), nil
}

// predicateOf is the predicate of a boolean evaluator, or of its negation. The evaluator must not be used besides.
func predicateOf(ev Evaluator, not bool) Predicate {
	switch e := ev.(type) {
	case *logic:
		terms := make([]Predicate, len(e.args))
		for i, a := range e.args {
			terms[i] = predicateOf(a, not)
		}
		if e.and != not {
			return &conjunction{terms}
		}
		return &disjunction{terms: terms}
	case *call:
		op, compares := cmpOps[e.c.Name]
		switch name := e.c.Name; {
		case name == "not":
			return predicateOf(e.args[0], !not)
		case name == "isnull" || name == "isnotnull":
			return &nullTest{arg: e.args[0], null: (name == "isnull") != not}
		case compares:
			return newComparison(e, op, not)
		}
		return &callPredicate{call: e, not: not}
	}
	return &boolPredicate{ev: ev, not: not}
}

// conjunction keeps rows where all terms are true; each sees only the rows that the ones before it kept.
type conjunction struct{ terms []Predicate }

func (p *conjunction) Select(ctx *Ctx, b *vector.Batch, sel []uint32) ([]uint32, error) {
	for _, t := range p.terms {
		var err error
		if sel, err = t.Select(ctx, b, sel); err != nil || len(sel) == 0 {
			return sel, err
		}
	}
	return sel, nil
}

// disjunction keeps rows where a term is true; each sees only the rows that the ones before it did not keep.
type disjunction struct {
	terms             []Predicate
	rest, kept, spare []uint32
}

func (p *disjunction) Select(ctx *Ctx, b *vector.Batch, sel []uint32) ([]uint32, error) {
	p.kept = growSel(p.kept, 0)
	for i, t := range p.terms {
		hit, err := t.Select(ctx, b, sel)
		if err != nil {
			return nil, err
		}
		if len(hit) > 0 {
			p.kept, p.spare = merge(p.spare, p.kept, hit), p.kept
		}
		if i < len(p.terms)-1 {
			p.rest = without(p.rest, sel, b.N, hit)
			if sel = p.rest; len(sel) == 0 {
				break
			}
		}
	}
	return p.kept, nil
}

// merge writes into buf the ascending union of two disjoint ascending lists.
func merge(buf, a, b []uint32) []uint32 {
	buf = growSel(buf, len(a)+len(b))
	i, j := 0, 0
	for k := range buf {
		if j == len(b) || i < len(a) && a[i] < b[j] {
			buf[k] = a[i]
			i++
		} else {
			buf[k] = b[j]
			j++
		}
	}
	return buf
}

// without writes into buf the rows of sel (nil: 0..n-1) that are not in hit, a part of sel; buf may be sel itself.
func without(buf, sel []uint32, n int, hit []uint32) []uint32 {
	if sel != nil {
		n = len(sel)
	}
	buf = growSel(buf, n)
	k, j := 0, 0
	for i := range n {
		row := uint32(i)
		if sel != nil {
			row = sel[i]
		}
		if j < len(hit) && hit[j] == row {
			j++
			continue
		}
		buf[k] = row
		k++
	}
	return buf[:k]
}

// everything writes into buf all rows of sel.
func everything(buf, sel []uint32, n int) []uint32 {
	if sel != nil {
		return sel
	}
	buf = growSel(buf, n)
	for i := range buf {
		buf[i] = uint32(i)
	}
	return buf
}

// boolPredicate selects by a boolean value.
type boolPredicate struct {
	ev  Evaluator
	not bool
	buf []uint32
}

func (p *boolPredicate) Select(ctx *Ctx, b *vector.Batch, sel []uint32) ([]uint32, error) {
	v, err := p.ev.Eval(ctx, b, sel)
	if err != nil {
		return nil, err
	}
	p.buf = selectTrue(p.buf, v, p.not, sel, b.N)
	return p.buf, nil
}

// selectTrue writes into buf the rows where a boolean vector is true, or false when not is set.
func selectTrue(buf []uint32, v *vector.Vector, not bool, sel []uint32, n int) []uint32 {
	if v.Const || v.Type.Kind == types.KindNull {
		if v.IsNull(0) || vector.Values[bool](v)[0] == not {
			return growSel(buf, 0)
		}
		return append(growSel(buf, 0), everything(nil, sel, n)...)
	}
	var want uint8 = 1
	if not {
		want = 0
	}
	if sel == nil {
		return selectEqOrdConst(vector.Values[uint8](v)[:n], want, v.Valid, nil, growSel(buf, n))
	}
	return selectEqOrdConst(vector.Values[uint8](v), want, v.Valid, sel, growSel(buf, len(sel)))
}

// callPredicate selects by a boolean call; over a dictionary column it asks the entries' results directly.
type callPredicate struct {
	call *call
	not  bool
	buf  []uint32
}

func (p *callPredicate) Select(ctx *Ctx, b *vector.Batch, sel []uint32) ([]uint32, error) {
	e := p.call
	if b.N == 0 || sel != nil && len(sel) == 0 {
		return growSel(p.buf, 0), nil
	}
	if e.once == nil && e.f.Pure {
		done, err := p.byEntry(ctx, b, sel)
		if done || err != nil {
			return p.buf, err
		}
	}
	v, err := e.Eval(ctx, b, sel)
	if err != nil {
		return nil, err
	}
	p.buf = selectTrue(p.buf, v, p.not, sel, b.N)
	return p.buf, nil
}

// byEntry selects by the codes of the call's only varying argument, if that is a dictionary column.
func (p *callPredicate) byEntry(ctx *Ctx, b *vector.Batch, sel []uint32) (bool, error) {
	e := p.call
	for i, a := range e.args {
		if !isColumnOrConstant(a) {
			return false, nil
		}
		e.vals[i], _ = a.Eval(ctx, b, sel)
	}
	varying, ok := onlyDict(e.vals)
	if !ok || !e.byEntry(e.vals[varying]) {
		return false, nil
	}
	entries := e.entries(ctx, varying, sel, b.N)
	if entries == nil {
		return false, nil
	}
	p.buf = selectCodes(p.buf, entries.matches(p.not), e.vals[varying], sel, b.N)
	return true, nil
}

func isColumnOrConstant(e Evaluator) bool {
	switch e.(type) {
	case *column, *constant:
		return true
	}
	return false
}

// onlyDict finds the only argument that is not constant, and reports whether it is a dictionary vector.
func onlyDict(vals []*vector.Vector) (int, bool) {
	varying := -1
	for i, v := range vals {
		if v.Const {
			continue
		}
		if varying >= 0 || v.Dict == nil {
			return 0, false
		}
		varying = i
	}
	return varying, varying >= 0
}

// selectCodes writes into buf the rows whose code's entry is a hit.
func selectCodes(buf []uint32, hits []uint8, v *vector.Vector, sel []uint32, n int) []uint32 {
	codes := vector.Codes(v)
	k := 0
	if sel == nil && v.Valid == nil {
		buf = growSel(buf, n)
		for i, c := range codes[:n] {
			buf[k] = uint32(i)
			k += int(hits[c])
		}
		return buf[:k]
	}
	if v.Valid != nil { // codes of null rows may be anything
		buf = validRows(buf, v.Valid, sel, n)
		sel = buf
	} else {
		buf = growSel(buf, len(sel))
	}
	for _, i := range sel {
		buf[k] = i
		k += int(hits[codes[i]])
	}
	return buf[:k]
}

// nullTest selects null rows, or those that are not.
type nullTest struct {
	arg  Evaluator
	null bool
	buf  []uint32
}

func (p *nullTest) Select(ctx *Ctx, b *vector.Batch, sel []uint32) ([]uint32, error) {
	v, err := p.arg.Eval(ctx, b, sel)
	if err != nil {
		return nil, err
	}
	switch {
	case !v.HasNulls() || v.Const || v.Type.Kind == types.KindNull:
		if b.N > 0 && (v.HasNulls() && v.IsNull(0)) == p.null {
			return everything(p.buf, sel, b.N), nil
		}
		p.buf = growSel(p.buf, 0)
	case v.Dict != nil && v.Dict.Valid != nil:
		p.buf = growSel(p.buf, 0)
		Rows(sel, b.N, func(i int) {
			if v.IsNull(i) == p.null {
				p.buf = append(p.buf, uint32(i))
			}
		})
	case p.null:
		p.buf = without(p.buf, sel, b.N, validRows(nil, v.Valid, sel, b.N))
	default:
		p.buf = validRows(p.buf, v.Valid, sel, b.N)
	}
	return p.buf, nil
}
