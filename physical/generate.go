package physical

import (
	"millrace/errs"
	"millrace/plan"
	planpb "millrace/proto/millrace/plan/v1"
)

var generateKinds = map[string]planpb.Generate_Kind{"explode": planpb.Generate_EXPLODE, "inline": planpb.Generate_INLINE,
	"stack": planpb.Generate_STACK, "replicate": planpb.Generate_REPLICATE}

// elementsPerRow guesses how many rows a generator makes of one.
const elementsPerRow = 4

func (p *planner) generate(n *plan.Generate) (*part, error) {
	t, err := p.buildExactly(n.Input)
	if err != nil {
		return nil, err
	}
	c, ok := n.Generator.(*plan.Call)
	if !ok {
		return nil, errs.Newf(errs.Internal, "a generator that is a %T", n.Generator)
	}
	kind, ok := generateKinds[c.Options["rows"]]
	if !ok {
		return nil, errs.Unsupportedf("The generator %s is not supported yet.", c.Name)
	}
	g := &planpb.Generate{Kind: kind, Position: c.Options["position"] == "true", Outer: n.Outer}
	if g.Args, err = scope(t.attrs).exprs(c.Args); err != nil {
		return nil, err
	}
	out := append(t.attrs[:len(t.attrs):len(t.attrs)], n.Attrs...)
	t.wrap(p.op(out, &planpb.Operator{Kind: &planpb.Operator_Generate{Generate: g}}), out)
	t.rows *= elementsPerRow
	t.bytes = t.rows * RowBytes(out)
	return t, nil
}

// buildExactly builds a relation with just its columns: a row without columns has one that nobody reads.
func (p *planner) buildExactly(n plan.Node) (*part, error) {
	t, err := p.build(n)
	if err != nil {
		return nil, err
	}
	if out := n.(plan.Resolved).Output(); len(out) != len(t.attrs) {
		return t, p.projectOver(t, attrExprs(out))
	}
	return t, nil
}

func attrExprs(attrs []*plan.Attribute) []plan.Expr {
	out := make([]plan.Expr, len(attrs))
	for i, a := range attrs {
		out[i] = a
	}
	return out
}
