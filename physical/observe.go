package physical

import (
	"millrace/plan"
	planpb "millrace/proto/millrace/plan/v1"
)

// observe aggregates rows where they pass.
func (p *planner) observe(n *plan.Observe) (*part, error) {
	t, err := p.build(n.Input)
	if err != nil {
		return nil, err
	}
	g, err := p.takeApart(&plan.Aggregate{Input: n.Input, Exprs: n.Metrics}, t)
	if err != nil {
		return nil, err
	}
	o := &planpb.Observe{Aggregates: g.calls}
	if o.Results, err = scope(g.aggAttrs).exprs(g.results); err != nil {
		return nil, err
	}
	attrs := make([]*plan.Attribute, len(n.Metrics))
	for i, e := range n.Metrics {
		attrs[i] = attributeOf(e)
	}
	op := p.op(t.attrs, &planpb.Operator{Kind: &planpb.Operator_Observe{Observe: o}})
	t.wrap(op, t.attrs)
	p.observed = append(p.observed, Observed{Operator: op.Id, Name: n.Name, PlanID: n.PlanID, Attrs: attrs, Observe: o})
	return t, nil
}
