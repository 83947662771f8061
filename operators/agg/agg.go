package agg

import (
	"millrace/errs"
	"millrace/planconv"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/types"
	"millrace/vector"
)

// Input is what one batch gives to a function. The columns are dense: row k of every one belongs to group Groups[k].
type Input struct {
	N      int
	Groups []uint32         // nil: all rows belong to group 0
	Args   []*vector.Vector // plain, or of strings in a dictionary; without nulls unless the function takes them
}

// group is the group of row k.
func (in *Input) group(k int) uint32 {
	if in.Groups == nil {
		return 0
	}
	return in.Groups[k]
}

// Function keeps one aggregate's states for groups 0..n-1. It is used by one goroutine at a time.
type Function interface {
	// TakesNulls reports whether Update wants rows in which an argument is null.
	TakesNulls() bool
	// Resize makes n groups exist, the new ones empty.
	Resize(n int)
	// Update adds rows.
	Update(in *Input) error
	// Merge adds states: Args are columns as States makes them, nulls among them.
	Merge(in *Input) error
	// States appends the states of groups from..from+n-1 to columns of StateTypes.
	States(out []*vector.Vector, from, n int)
	// Result appends the results of groups from..from+n-1.
	Result(out *vector.Vector, from, n int) error
	// MemSize is the bytes that the states hold.
	MemSize() int64
	// Reset forgets all groups.
	Reset()
}

// Call describes an aggregate that is to be built.
type Call struct {
	Name   string
	Args   []*types.Type
	Consts []*vector.Vector // per argument: its one value if it is a literal, else nil
	Out    *types.Type
	Mode   planpb.EvalMode
	Ignore bool // IGNORE NULLS
	Opts   map[string]string
	Origin *planpb.Origin
}

// try reports whether an overflow makes null.
func (c *Call) try() bool { return c.Mode == planpb.EvalMode_EVAL_MODE_TRY || c.Opts["mode"] == "try" }

func (c *Call) ansi() bool { return c.Mode == planpb.EvalMode_EVAL_MODE_ANSI && !c.try() }

// constant is literal argument i, or nil.
func (c *Call) constant(i int) *vector.Vector {
	if i < len(c.Consts) {
		return c.Consts[i]
	}
	return nil
}

type builder struct {
	states func(c *Call) []*types.Type
	build  func(c *Call) (Function, error)
}

var functions = map[string]builder{}

func register(b builder, names ...string) {
	for _, n := range names {
		functions[n] = b
	}
}

// Known reports whether an aggregate of that name exists.
func Known(name string) bool { _, ok := functions[name]; return ok }

// NewCall reads an aggregate's expression.
func NewCall(e *planpb.Expr) (*Call, error) {
	pb := e.GetCall()
	if pb == nil {
		return nil, errs.Newf(errs.Internal, "an aggregate that is not a call")
	}
	if _, ok := functions[pb.Name]; !ok {
		return nil, errs.Unsupportedf("The aggregate function %s is not built.", pb.Name)
	}
	return newCall(e, pb), nil
}

// windowOnly are the functions that exist over windows only.
var windowOnly = map[string]bool{"row_number": true, "rank": true, "dense_rank": true, "percent_rank": true, "cume_dist": true, "ntile": true,
	"lag": true, "lead": true, "nth_value": true}

// NewWindowCall reads the expression of an aggregate or window function.
func NewWindowCall(e *planpb.Expr) (*Call, error) {
	if pb := e.GetCall(); pb != nil && windowOnly[pb.Name] {
		return newCall(e, pb), nil
	}
	return NewCall(e)
}

// ConstantOnly reports whether argument i matters only as a constant, or not at all.
func (c *Call) ConstantOnly(i int) bool {
	switch c.Name {
	case "rank", "dense_rank", "percent_rank", "ntile":
		return true
	case "lag", "lead", "nth_value":
		return i == 1
	case "count", "regr_count":
		return c.constant(i) != nil && !c.Consts[i].IsNull(0)
	}
	return false
}

func newCall(e *planpb.Expr, pb *planpb.Call) *Call {
	c := &Call{Name: pb.Name, Out: planconv.Type(e.Type), Mode: pb.Mode, Ignore: pb.IgnoreNulls, Opts: pb.Options, Origin: e.Origin}
	for _, a := range pb.Args {
		t := planconv.Type(a.Type)
		c.Args = append(c.Args, t)
		var k *vector.Vector
		if l := a.GetLiteral(); l != nil {
			k = planconv.Const(l, t)
		}
		c.Consts = append(c.Consts, k)
	}
	return c
}

// New builds the function of a call.
func New(c *Call) (Function, error) {
	b, ok := functions[c.Name]
	if !ok {
		return nil, errs.Unsupportedf("The aggregate function %s is not built.", c.Name)
	}
	return b.build(c)
}

// StateTypes are the types of the columns that the aggregate's partial form emits for each group.
func (c *Call) StateTypes() []*types.Type { return functions[c.Name].states(c) }

// StateTypes are the types of the columns that an aggregate expression's partial form emits.
func StateTypes(e *planpb.Expr) ([]*types.Type, error) {
	c, err := NewCall(e)
	if err != nil {
		return nil, err
	}
	return c.StateTypes(), nil
}

func one(t *types.Type) func(*Call) []*types.Type {
	return func(*Call) []*types.Type { return []*types.Type{t} }
}

func outType(c *Call) []*types.Type { return []*types.Type{c.Out} }

func argType(c *Call) []*types.Type { return c.Args[:1] }

// resize lengthens a slab to n zero states.
func resize[T any](s []T, n int) []T {
	if n <= cap(s) {
		old := len(s)
		s = s[:n]
		if n > old {
			clear(s[old:])
		}
		return s
	}
	g := make([]T, n, max(n, 2*cap(s)))
	copy(g, s)
	return g
}

func unsupported(c *Call) error {
	return errs.Unsupportedf("The aggregate function %s over %s is not built.", c.Name, c.Args)
}
