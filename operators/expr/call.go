package expr

import (
	"millrace/planconv"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/types"
	"millrace/vector"
)

func typeOf(e *planpb.Expr) *types.Type { return planconv.Type(e.Type) }

// call runs a kernel and keeps, as its own, what the kernel need not know: nulls, constants, dictionaries.
type call struct {
	c      *Call
	f      Func
	kernel Kernel
	args   []Evaluator
	vals   []*vector.Vector
	out    vector.Vector
	coded  vector.Vector // a string result that shares its argument's codes
	valid  vector.Bitmap // memory for out.Valid
	rows   []uint32      // memory for the rows without nulls
	fixed  bool          // Pure, and all arguments are literals: the result never changes
	alone  bool          // one argument is no literal, so that a dictionary of it decides the result
	once   *vector.Vector
	null   *vector.Vector
	dicts  entryCache
}

func newCall(c *Call, f Func, kernel Kernel, args []Evaluator) *call {
	e := &call{c: c, f: f, kernel: kernel, args: args, vals: make([]*vector.Vector, len(args))}
	vary := 0
	for _, a := range args {
		if !foldable(a) {
			vary++
		}
	}
	e.fixed, e.alone = f.Pure && vary == 0, vary == 1
	return e
}

// foldable reports whether an evaluator's value depends on nothing.
func foldable(e Evaluator) bool {
	switch e := e.(type) {
	case *constant:
		return true
	case *call:
		return e.fixed
	}
	return false
}

func (e *call) Type() *types.Type { return e.c.Out }

func (e *call) Eval(ctx *Ctx, b *vector.Batch, sel []uint32) (*vector.Vector, error) {
	if b.N == 0 || sel != nil && len(sel) == 0 {
		return e.nulls(b.N), nil
	}
	if e.once != nil {
		e.once.Len = b.N
		return e.once, nil
	}
	varying, n := -1, 0
	for i, a := range e.args {
		v, err := a.Eval(ctx, b, sel)
		if err != nil {
			return nil, err
		}
		if e.vals[i] = v; !v.Const {
			varying = i
			n++
		}
	}
	switch {
	case e.f.Pure && n == 0:
		return e.single(ctx, b.N)
	case e.f.Pure && n == 1 && e.byEntry(e.vals[varying]):
		if entries := e.entries(ctx, varying, sel, b.N); entries != nil {
			return e.spread(entries.result, e.vals[varying], sel, b.N), nil
		}
	}
	return e.run(ctx, e.vals, sel, b.N, &e.out)
}

// byEntry reports whether rows of v may be computed by their dictionary's entries: null rows have none, so that they must make null results.
func (e *call) byEntry(v *vector.Vector) bool { return v.Dict != nil && (e.f.Strict || v.Valid == nil) }

// single computes a call of constants on one row.
func (e *call) single(ctx *Ctx, n int) (*vector.Vector, error) {
	out, err := e.run(ctx, e.vals, nil, 1, &e.out)
	if err != nil {
		return nil, err
	}
	out.Const, out.Len = true, n
	if e.fixed {
		e.once = out
	}
	return out, nil
}

// run computes rows of any number, the arguments being as they are.
func (e *call) run(ctx *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) (*vector.Vector, error) {
	out.Reset(e.c.Out, n)
	if e.f.Strict {
		valid, none := e.validity(args, n)
		if none {
			return e.nulls(n), nil
		}
		out.Valid = valid
		if valid != nil && (!e.f.Total || anyDict(args)) {
			e.rows = validRows(e.rows, valid, sel, n)
			if sel = e.rows; len(sel) == 0 {
				return e.nulls(n), nil
			}
		}
	}
	if err := e.kernel(ctx, args, sel, n, out); err != nil {
		return nil, Wrap(e.c, err)
	}
	return out, nil
}

// nulls is a constant null of the result's type, also for results that nobody will look at.
func (e *call) nulls(n int) *vector.Vector {
	if e.null == nil {
		e.null = vector.NewNull(e.c.Out, n)
		if e.null.Offsets != nil {
			e.null.Offsets[1] = 0
		}
	}
	e.null.Len = n
	return e.null
}

// validity is the rows where no argument is null, nil for all of them; none is true when a constant argument is null.
func (e *call) validity(args []*vector.Vector, n int) (valid vector.Bitmap, none bool) {
	for _, a := range args {
		if !a.HasNulls() {
			continue
		}
		if a.Const || a.Type.Kind == types.KindNull {
			if a.IsNull(0) {
				return nil, true
			}
			continue
		}
		first := valid == nil
		if first {
			valid = e.bitmap(n)
		}
		if a.Valid != nil {
			if first {
				copy(valid, a.Valid)
			} else {
				for i := range valid {
					valid[i] &= a.Valid[i]
				}
			}
		} else if first {
			for i := range valid {
				valid[i] = ^uint64(0)
			}
		}
		if a.Dict != nil && a.Dict.Valid != nil {
			clearDictNulls(valid, a, n)
		}
	}
	return valid, false
}

func (e *call) bitmap(n int) vector.Bitmap {
	if words := (n + 63) / 64; cap(e.valid) < words {
		e.valid = make(vector.Bitmap, words)
	} else {
		e.valid = e.valid[:words]
	}
	return e.valid
}

// clearDictNulls clears the bits of valid rows whose dictionary entry is null. Codes of rows that do not exist may be anything.
func clearDictNulls(valid vector.Bitmap, v *vector.Vector, n int) {
	entries := v.Dict.Valid
	for i, c := range vector.Codes(v)[:n] {
		if uint(c) < uint(v.Dict.Len) && !entries.Get(int(c)) {
			valid.Clear(i)
		}
	}
}

func anyDict(args []*vector.Vector) bool {
	for _, a := range args {
		if a.Dict != nil {
			return true
		}
	}
	return false
}
