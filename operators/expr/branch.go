package expr

import (
	"millrace/planconv"
	"millrace/types"
	"millrace/vector"
)

func init() {
	Register("case", Func{Lazy: newCase})
	Register("if", Func{Lazy: newCase})
	Register("coalesce", Func{Lazy: func(c *Call, args []Evaluator) (Evaluator, error) {
		return &coalesce{t: c.Out, args: args}, nil
	}})
	Register("nvl2", Func{Lazy: func(c *Call, args []Evaluator) (Evaluator, error) {
		return &caseWhen{t: c.Out, when: []Predicate{&nullTest{arg: args[0]}}, then: args[1:]}, nil
	}})
}

// newCase builds case and if: conditions and values in turn, then perhaps the value for all other rows.
func newCase(c *Call, args []Evaluator) (Evaluator, error) {
	e := &caseWhen{t: c.Out}
	for len(args) > 1 {
		e.when, e.then = append(e.when, predicateOf(args[0], false)), append(e.then, args[1])
		args = args[2:]
	}
	e.then = append(e.then, args...)
	return e, nil
}

// caseWhen takes each row's value from the first branch whose condition is true; then has one more entry than when if there is an else.
type caseWhen struct {
	t    *types.Type
	when []Predicate
	then []Evaluator
	mix  mixer
	rest []uint32
}

func (e *caseWhen) Type() *types.Type { return e.t }

func (e *caseWhen) Eval(ctx *Ctx, b *vector.Batch, sel []uint32) (*vector.Vector, error) {
	e.mix.reset(b.N)
	rest := sel
	for k, value := range e.then {
		hit := rest
		if k < len(e.when) {
			var err error
			if hit, err = e.when[k].Select(ctx, b, rest); err != nil {
				return nil, err
			}
		}
		if hit != nil && len(hit) == 0 {
			continue
		}
		v, err := value.Eval(ctx, b, hit)
		if err != nil {
			return nil, err
		}
		e.mix.add(v, foldable(value), hit, b.N)
		e.rest = without(e.rest, rest, b.N, everything(nil, hit, b.N))
		if rest = e.rest; len(rest) == 0 {
			break
		}
	}
	e.mix.missing(rest, b.N)
	return e.mix.result(e.t, sel, b.N), nil
}

// coalesce takes each row's value from the first argument that is not null there.
type coalesce struct {
	t    *types.Type
	args []Evaluator
	mix  mixer
	hit  []uint32
	rest []uint32
}

func (e *coalesce) Type() *types.Type { return e.t }

func (e *coalesce) Eval(ctx *Ctx, b *vector.Batch, sel []uint32) (*vector.Vector, error) {
	e.mix.reset(b.N)
	rest := sel
	for k, a := range e.args {
		v, err := a.Eval(ctx, b, rest)
		if err != nil {
			return nil, err
		}
		if k == 0 && !v.HasNulls() {
			return v, nil
		}
		e.hit = growSel(e.hit, b.N)[:0]
		if !v.HasNulls() {
			e.mix.add(v, foldable(a), rest, b.N)
			return e.mix.result(e.t, sel, b.N), nil
		}
		Rows(rest, b.N, func(i int) {
			if !v.IsNull(i) {
				e.hit = append(e.hit, uint32(i))
			}
		})
		e.mix.add(v, foldable(a), e.hit, b.N)
		e.rest = without(e.rest, rest, b.N, e.hit)
		if rest = e.rest; len(rest) == 0 {
			break
		}
	}
	e.mix.missing(rest, b.N)
	return e.mix.result(e.t, sel, b.N), nil
}

// mixer puts rows of several vectors together into one.
type mixer struct {
	from   []uint8 // for each row the place of its vector in parts
	parts  []*vector.Vector
	steady bool // all parts are literals
	out    vector.Vector
	codes  vector.Vector
	dict   *vector.Vector // of the last result whose parts were the literals in key
	key    []*vector.Vector
}

func (m *mixer) reset(n int) {
	if cap(m.from) < n {
		m.from = make([]uint8, n)
	}
	m.from, m.parts, m.steady = m.from[:n], m.parts[:0], true
}

// add says that the rows in sel come from v.
func (m *mixer) add(v *vector.Vector, literal bool, sel []uint32, n int) {
	if len(m.parts) == 255 {
		m.collapse(v.Type, n)
	}
	p := uint8(len(m.parts))
	m.parts = append(m.parts, v)
	m.steady = m.steady && literal
	if sel == nil {
		for i := range m.from {
			m.from[i] = p
		}
		return
	}
	for _, i := range sel {
		m.from[i] = p
	}
}

// collapse makes one vector of the parts so far, to make room for more.
func (m *mixer) collapse(t *types.Type, n int) {
	for i := range m.from {
		m.from[i] = min(m.from[i], 254)
	}
	v := mix(&vector.Vector{}, t, m.parts, m.from, nil, n)
	m.parts = append(m.parts[:0], v)
	clear(m.from)
}

// missing makes the rows in sel null.
func (m *mixer) missing(sel []uint32, n int) {
	if sel == nil && n > 0 || len(sel) > 0 {
		m.add(vector.NewNull(types.Null, n), true, sel, n)
	}
}

func (m *mixer) result(t *types.Type, sel []uint32, n int) *vector.Vector {
	if len(m.parts) == 1 && m.parts[0].Type.Kind != types.KindNull {
		return m.parts[0]
	}
	if m.steady && t.IsStringLike() {
		return m.coded(t, n)
	}
	return mix(&m.out, t, m.parts, m.from, sel, n)
}

// coded makes a dictionary vector of constants: the codes are the parts' places.
func (m *mixer) coded(t *types.Type, n int) *vector.Vector {
	if !sameVectors(m.key, m.parts) {
		values := make([]any, len(m.parts))
		for i, p := range m.parts {
			values[i] = planconv.At(p, 0)
		}
		m.dict = planconv.FromValues(t, values)
		m.key = append([]*vector.Vector(nil), m.parts...)
	}
	m.codes.ResetDict(m.dict, n)
	codes := vector.Codes(&m.codes)
	for i, p := range m.from {
		codes[i] = min(int32(p), int32(len(m.parts)-1))
	}
	return &m.codes
}

func sameVectors(a, b []*vector.Vector) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] && (a[i].Type.Kind != types.KindNull || b[i].Type.Kind != types.KindNull) {
			return false
		}
	}
	return true
}
