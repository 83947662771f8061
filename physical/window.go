package physical

import (
	"millrace/errs"
	"millrace/plan"
	"millrace/planconv"
	planpb "millrace/proto/millrace/plan/v1"
)

// window computes functions over one partitioning and order: the rows of a partition are brought into one task and sorted.
func (p *planner) window(n *plan.WindowNode) (*part, error) { return p.windowLimited(n, nil) }

// windowLimited is window of which only the first rows of each partition are wanted, if l is not nil.
func (p *planner) windowLimited(n *plan.WindowNode, l *groupLimit) (*part, error) {
	spec := windowOf(n.Exprs[0])
	t, err := p.build(n.Input)
	if err != nil {
		return nil, err
	}
	if t, err = p.arrange(t, spec, l); err != nil {
		return nil, err
	}
	in := scope(t.attrs)
	w := &planpb.Window{}
	if w.Partition, err = in.exprs(spec.Partition); err != nil {
		return nil, err
	}
	if w.Order, err = in.sortKeys(spec.Order); err != nil {
		return nil, err
	}
	attrs := append([]*plan.Attribute(nil), t.attrs...)
	for _, e := range n.Exprs {
		f, err := in.windowFunction(windowOf(e))
		if err != nil {
			return nil, err
		}
		w.Functions, attrs = append(w.Functions, f), append(attrs, attributeOf(e))
	}
	sorted := t.sorted == t.op
	t.wrap(p.op(attrs, &planpb.Operator{Kind: &planpb.Operator_Window{Window: w}}), attrs)
	if sorted {
		t.sorted = t.op
	}
	t.bytes = t.rows * RowBytes(t.attrs)
	return t, nil
}

func windowOf(e plan.Expr) *plan.Window { return e.(*plan.Alias).Child.(*plan.Window) }

// arrange brings partitions together and sorts them, as far as they are not already.
func (p *planner) arrange(t *part, w *plan.Window, l *groupLimit) (*part, error) {
	keys, err := scope(t.attrs).sortKeys(windowKeys(w))
	if err != nil {
		return nil, err
	}
	partition, attrs := keys[:len(w.Partition)], []*plan.Attribute{}
	g := &grouping{}
	for i, e := range w.Partition {
		g.keys = append(g.keys, partition[i].Expr)
		if a, ok := e.(*plan.Attribute); ok {
			attrs = append(attrs, a)
		}
	}
	g.keyAttrs = attrs
	switch {
	case t.tasks == 1 || g.coveredBy(t):
	case l != nil:
		if err := p.limitGroups(t, w, l); err != nil {
			return nil, err
		}
		if len(partition) == 0 {
			t = p.single(t, nil)
		} else {
			t = p.byHash(t, g.keys, attrs)
		}
	case len(partition) == 0:
		p.sortOver(t, keys)
		t = p.single(t, keys)
		t.sorted, t.sortedBy = t.op, keys
	default:
		t = p.byHash(t, g.keys, attrs)
	}
	if len(keys) > 0 && !t.isSorted(keys) {
		p.sortOver(t, keys)
	}
	if l != nil {
		return t, p.limitGroups(t, w, l)
	}
	return t, nil
}

// windowKeys are the partition's expressions, in any order, and the order's.
func windowKeys(w *plan.Window) []*plan.SortOrder {
	keys := make([]*plan.SortOrder, 0, len(w.Partition)+len(w.Order))
	for _, e := range w.Partition {
		keys = append(keys, &plan.SortOrder{Child: e})
	}
	return append(keys, w.Order...)
}

func (p *planner) sortOver(t *part, keys []*planpb.SortKey) {
	if len(keys) == 0 {
		return
	}
	t.wrap(p.op(t.attrs, &planpb.Operator{Kind: &planpb.Operator_Sort{Sort: &planpb.Sort{Keys: keys}}}), t.attrs)
	t.sorted, t.sortedBy = t.op, keys
}

// isSorted reports whether each task's rows are already in an order.
func (t *part) isSorted(keys []*planpb.SortKey) bool {
	if t.sorted != t.op || len(keys) > len(t.sortedBy) {
		return false
	}
	for i, k := range keys {
		s := t.sortedBy[i]
		if k.Descending != s.Descending || k.NullsFirst != s.NullsFirst || fingerprint(k.Expr) != fingerprint(s.Expr) {
			return false
		}
	}
	return true
}

func (s columnScope) windowFunction(w *plan.Window) (*planpb.WindowFunction, error) {
	call, err := s.expr(w.Function)
	if err != nil {
		return nil, err
	}
	f := &planpb.WindowFunction{Call: call}
	if c, ok := w.Function.(*plan.Call); w.Frame == nil || ok && c.WindowOnly && c.Name != "nth_value" {
		return f, nil
	}
	if f.Lower, err = s.windowBound(w.Frame, w.Frame.Lower); err != nil {
		return nil, err
	}
	if f.Upper, err = s.windowBound(w.Frame, w.Frame.Upper); err != nil {
		return nil, err
	}
	for _, b := range []*planpb.WindowBound{f.Lower, f.Upper} {
		if v := b.GetValue(); v != nil { // the sum of two decimals is wider than they are
			key := &plan.Cast{Child: w.Order[0].Child, To: planconv.Type(v.Type)}
			if f.Key, err = s.expr(key); err != nil {
				return nil, err
			}
		}
	}
	if f.Key != nil && fingerprintType(f.Key.GetCall().Args[0].Type) == fingerprintType(f.Key.Type) {
		f.Key = f.Key.GetCall().Args[0]
	}
	return f, nil
}

func fingerprintType(t *planpb.Type) string { return planconv.Type(t).SQL() }

func (s columnScope) windowBound(f *plan.Frame, b plan.Bound) (*planpb.WindowBound, error) {
	switch {
	case b.Unbounded:
		return &planpb.WindowBound{Kind: &planpb.WindowBound_Unbounded{Unbounded: true}}, nil
	case b.Current && f.Rows:
		return &planpb.WindowBound{Kind: &planpb.WindowBound_Rows{}}, nil
	case b.Current:
		return &planpb.WindowBound{Kind: &planpb.WindowBound_Peer{Peer: true}}, nil
	case b.Value != nil && !f.Rows:
		v, err := s.expr(b.Value)
		return &planpb.WindowBound{Kind: &planpb.WindowBound_Value{Value: v}}, err
	}
	if l, ok := b.Value.(*plan.Literal); ok {
		if n, ok := l.Value.(int64); ok {
			return &planpb.WindowBound{Kind: &planpb.WindowBound_Rows{Rows: n}}, nil
		}
	}
	return nil, errs.Unsupportedf("A frame's bound that is no constant is not supported.")
}
