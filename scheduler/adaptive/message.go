package adaptive

import planpb "millrace/proto/millrace/plan/v1"

// RuleOf is a message's rule; nil for nil.
func RuleOf(m *planpb.Adaptive) *Rule {
	if m == nil {
		return nil
	}
	r := &Rule{Inputs: m.Inputs, Target: m.TargetBytes, Coalesce: m.Coalesce, Few: m.Few, Factor: m.SkewFactor, Skewed: m.SkewBytes, Broadcast: m.BroadcastBytes}
	for _, s := range m.Sides {
		r.Sides = append(r.Sides, Side{s.Stage, s.Divides})
	}
	return r
}

// PB is the slice as a message.
func (s Slice) PB() *planpb.Slice {
	return &planpb.Slice{From: int32(s.From), To: int32(s.To), Stage: s.Stage, First: int32(s.First), Last: int32(s.Last)}
}
