package expr

import (
	"millrace/errs"
	"millrace/planconv"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/types"
	"millrace/vector"
)

// Compile builds the evaluator of an expression over columns of the input types.
func Compile(e *planpb.Expr, input []*types.Type, s *planpb.Settings) (Evaluator, error) {
	c := newCompiler(input, s)
	return c.compile(e)
}

// CompileAll compiles several expressions over the same input.
func CompileAll(es []*planpb.Expr, input []*types.Type, s *planpb.Settings) ([]Evaluator, error) {
	out := make([]Evaluator, len(es))
	for i, e := range es {
		ev, err := Compile(e, input, s)
		if err != nil {
			return nil, err
		}
		out[i] = ev
	}
	return out, nil
}

type compiler struct {
	input    []*types.Type
	settings *planpb.Settings
	vars     map[uint32]*Param
	uses     *Lambda // the innermost lambda that is being compiled
}

func newCompiler(input []*types.Type, s *planpb.Settings) *compiler {
	if s == nil {
		s = &planpb.Settings{Ansi: true, TimeZone: "UTC"}
	}
	return &compiler{input: input, settings: s, vars: map[uint32]*Param{}}
}

func (c *compiler) compile(e *planpb.Expr) (Evaluator, error) {
	switch k := e.Kind.(type) {
	case *planpb.Expr_Column:
		if int(k.Column) >= len(c.input) {
			return nil, errs.Newf(errs.Internal, "compile expression: column %d of %d", k.Column, len(c.input))
		}
		for l := c.uses; l != nil; l = l.outer {
			l.Columns = addOnce(l.Columns, k.Column)
		}
		return &column{int(k.Column), c.input[k.Column]}, nil
	case *planpb.Expr_Literal:
		return &constant{*planconv.Const(k.Literal, planconv.Type(e.Type))}, nil
	case *planpb.Expr_LambdaVar:
		return c.variable(k.LambdaVar.Id)
	case *planpb.Expr_Call:
		if k.Call.Name == "lambda" {
			return c.lambda(k.Call)
		}
		return c.call(e, k.Call)
	}
	return nil, errs.Newf(errs.Internal, "compile expression: no kind")
}

func (c *compiler) call(e *planpb.Expr, pb *planpb.Call) (Evaluator, error) {
	f, ok := funcs[pb.Name]
	if !ok {
		return nil, errs.Unsupportedf("The function %s is not built.", pb.Name)
	}
	call := &Call{Name: pb.Name, Out: planconv.Type(e.Type), Nullable: e.Nullable, Mode: pb.Mode, Options: pb.Options,
		Settings: c.settings, Origin: e.Origin}
	args := make([]Evaluator, len(pb.Args))
	call.Args, call.Consts = make([]*types.Type, len(args)), make([]*vector.Vector, len(args))
	for i, a := range pb.Args {
		arg, err := c.compile(a)
		if err != nil {
			return nil, err
		}
		args[i], call.Args[i] = arg, arg.Type()
		if k, ok := arg.(*constant); ok {
			call.Consts[i] = &k.v
		}
	}
	if f.Lazy != nil {
		return f.Lazy(call, args)
	}
	kernel, err := f.Build(call)
	if err != nil {
		return nil, err
	}
	return newCall(call, f, kernel, args), nil
}

// column is a column of the batch.
type column struct {
	ord int
	t   *types.Type
}

func (c *column) Type() *types.Type { return c.t }

func (c *column) Eval(_ *Ctx, b *vector.Batch, _ []uint32) (*vector.Vector, error) {
	return b.Cols[c.ord], nil
}

// constant is a literal.
type constant struct{ v vector.Vector }

func (c *constant) Type() *types.Type { return c.v.Type }

func (c *constant) Eval(_ *Ctx, b *vector.Batch, _ []uint32) (*vector.Vector, error) {
	c.v.Len = b.N
	return &c.v, nil
}

// noKernel is a Build's refusal of argument types.
func noKernel(c *Call) error {
	return errs.Newf(errs.Internal, "expression %s: no kernel for %s giving %s", c.Name, typeNames(c.Args), c.Out)
}

func typeNames(ts []*types.Type) string {
	s := "("
	for i, t := range ts {
		if i > 0 {
			s += ", "
		}
		if t == nil {
			s += "lambda"
			continue
		}
		s += t.String()
	}
	return s + ")"
}

func addOnce(list []uint32, x uint32) []uint32 {
	for _, y := range list {
		if x == y {
			return list
		}
	}
	return append(list, x)
}
