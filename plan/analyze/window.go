package analyze

import (
	"millrace/errs"
	"millrace/plan"
	"millrace/plan/fn"
	"millrace/types"
)

// window resolves a function over a window and gives it the frame that Spark gives when none is written.
func (a *analyzer) window(s *scope, w *plan.Window) (plan.Expr, error) {
	if w.WindowName != "" {
		return nil, errs.New("MISSING_WINDOW_SPECIFICATION", "windowName", w.WindowName, "docroot", docroot)
	}
	inner := *s
	inner.inWindow = true
	f, err := a.expr(&inner, w.Function)
	if err != nil {
		return nil, err
	}
	call, ok := f.(*plan.Call)
	if !ok || !call.Aggregate && !call.WindowOnly {
		return nil, at(errs.New("UNSUPPORTED_EXPR_FOR_WINDOW", "sqlExpr", SQL(f)), originOf(w.Function))
	}
	r := &plan.Window{Function: f}
	if r.Partition, err = a.exprs(s, w.Partition); err != nil {
		return nil, err
	}
	for _, o := range w.Order {
		k, err := a.expr(s, o)
		if err != nil {
			return nil, err
		}
		r.Order = append(r.Order, k.(*plan.SortOrder))
	}
	for _, e := range append(exprsOfOrder(r.Order), r.Partition...) {
		if t := plan.TypeOf(e); fn.HasVariant(t) {
			return nil, errs.New("EXPRESSION_TYPE_IS_NOT_ORDERABLE", "expr", SQL(e), "exprType", `"`+t.SQL()+`"`)
		}
	}
	if refs := lateralsIn(r); len(refs) > 0 {
		return nil, errs.New("UNSUPPORTED_FEATURE.LATERAL_COLUMN_ALIAS_IN_WINDOW", "lca", types.Quote(refs[0].attr.Name), "windowExpr", SQL(r))
	}
	if r.Frame, err = a.frame(s, w, call, r.Order); err != nil {
		return nil, err
	}
	if wholeOnly[call.Name] && !(len(r.Order) == 0 && r.Frame.Rows && r.Frame.Lower.Unbounded && r.Frame.Upper.Unbounded) {
		bare := &plan.Call{Name: call.Name, Args: call.Args}
		return nil, at(errs.New("INVALID_WINDOW_SPEC_FOR_AGGREGATION_FUNC", "aggFunc", `"`+prettyCall(call.Name, bare)+`"`), call.Origin)
	}
	if call.Distinct {
		return nil, at(errs.New("DISTINCT_WINDOW_FUNCTION_UNSUPPORTED", "windowExpr", SQL(r)), call.Origin)
	}
	return r, nil
}

func exprsOfOrder(order []*plan.SortOrder) []plan.Expr {
	out := make([]plan.Expr, len(order))
	for i, o := range order {
		out[i] = o.Child
	}
	return out
}

// wholeOnly are the aggregates that are computed over whole partitions only.
var wholeOnly = map[string]bool{"percentile_cont": true, "percentile_disc": true, "median": true}

// frame is the frame of a window: the one written, the one that the function demands, or the default.
func (a *analyzer) frame(s *scope, w *plan.Window, c *plan.Call, order []*plan.SortOrder) (*plan.Frame, error) {
	if c.WindowOnly && len(order) == 0 {
		return nil, errs.New("WINDOW_FUNCTION_FRAME_NOT_ORDERED", "wf_name", c.Name, "wf_expr", printer{qualified: true}.windowFunction(c))
	}
	var given *plan.Frame
	var err error
	if w.Frame != nil {
		if given, err = a.givenFrame(s, w, order); err != nil {
			return nil, err
		}
	}
	if c.WindowOnly && c.Name != "nth_value" {
		return a.demandedFrame(c, given)
	}
	switch {
	case given != nil:
		return given, nil
	case len(order) == 0:
		return &plan.Frame{Rows: true, Lower: plan.Bound{Unbounded: true}, Upper: plan.Bound{Unbounded: true}}, nil
	}
	return &plan.Frame{Lower: plan.Bound{Unbounded: true}, Upper: plan.Bound{Current: true}}, nil
}

// demandedFrame is the frame that a function demands, from which a given one must not differ.
func (a *analyzer) demandedFrame(c *plan.Call, given *plan.Frame) (*plan.Frame, error) {
	if c.Name == "lag" || c.Name == "lead" {
		f := a.offsetFrame(c)
		if given != nil || f == nil {
			return nil, errs.New("_LEGACY_ERROR_TEMP_1035", "prettyName", c.Name)
		}
		return f, nil
	}
	f := &plan.Frame{Rows: c.Name != "cume_dist", Lower: plan.Bound{Unbounded: true}, Upper: plan.Bound{Current: true}}
	if given != nil && (given.Rows != f.Rows || !given.Lower.Unbounded || !given.Upper.Current) {
		return nil, errs.New("_LEGACY_ERROR_TEMP_1036", "wf", specified(given), "required", specified(f))
	}
	return f, nil
}

// specified is a frame as Spark's messages about demanded frames show it.
func specified(f *plan.Frame) string {
	kind := "RangeFrame"
	if f.Rows {
		kind = "RowFrame"
	}
	bound := func(b plan.Bound, unbounded string) string {
		switch {
		case b.Unbounded:
			return unbounded
		case b.Current:
			return "currentrow$()"
		case b.Value != nil && f.Rows:
			return Pretty(b.Value)
		}
		return Pretty(b.Offset)
	}
	return "specifiedwindowframe(" + kind + ", " + bound(f.Lower, "unboundedpreceding$()") + ", " + bound(f.Upper, "unboundedfollowing$()") + ")"
}

// offsetFrame is the single row that lag and lead look at; nil when the offset is null.
func (a *analyzer) offsetFrame(c *plan.Call) *plan.Frame {
	var offset plan.Expr = plan.Int(1)
	if len(c.Args) > 1 {
		offset = c.Args[1]
	}
	if l := a.constant(offset); l != nil {
		v, ok := l.Value.(int64)
		if !ok {
			return nil
		}
		if offset = plan.Int(v); c.Name == "lag" {
			offset = plan.Int(-v)
		}
	}
	return &plan.Frame{Rows: true, Lower: plan.Bound{Offset: offset}, Upper: plan.Bound{Offset: offset}}
}

// extractWindows computes window functions below a projection, one node for each partitioning and order.
func (a *analyzer) extractWindows(n plan.Node, outs []plan.Expr) (plan.Node, []plan.Expr, error) {
	var nodes []*plan.WindowNode
	var keys []*plan.Window
	place := func(w *plan.Window) *plan.Attribute {
		for i := firstFree(nodes, w); i < len(keys); i++ {
			if sameSpec(keys[i], w) {
				return a.windowColumn(nodes[i], w)
			}
		}
		keys, nodes = append(keys, w), append(nodes, &plan.WindowNode{})
		return a.windowColumn(nodes[len(nodes)-1], w)
	}
	out := make([]plan.Expr, len(outs))
	for i, e := range outs {
		var err error
		if out[i], err = plan.TransformExpr(e, func(e plan.Expr) (plan.Expr, error) {
			if w, ok := e.(*plan.Window); ok {
				return place(w), nil
			}
			return e, nil
		}); err != nil {
			return nil, nil, err
		}
	}
	for _, w := range nodes {
		w.Input = a.settledKeys(n, w)
		n = w
	}
	return n, out, nil
}

// settledKeys computes the keys of a window that would come out otherwise when they are computed again, such as random ones, once below it.
func (a *analyzer) settledKeys(n plan.Node, w *plan.WindowNode) plan.Node {
	var made []plan.Expr
	settled := map[int]*plan.Attribute{}
	key := func(i int, e plan.Expr) plan.Expr {
		if !nondeterministic(e) {
			return e
		}
		if settled[i] == nil {
			al := a.alias(e, "key")
			made, settled[i] = append(made, al), al.Attribute()
		}
		return settled[i]
	}
	for k, e := range w.Exprs {
		al := *e.(*plan.Alias)
		over := *al.Child.(*plan.Window)
		over.Partition, over.Order = append([]plan.Expr(nil), over.Partition...), append([]*plan.SortOrder(nil), over.Order...)
		for i, p := range over.Partition {
			over.Partition[i] = key(i, p)
		}
		for i, o := range over.Order {
			by := *o
			by.Child = key(len(over.Partition)+i, o.Child)
			over.Order[i] = &by
		}
		al.Child, w.Exprs[k] = &over, &al
	}
	if made == nil {
		return n
	}
	return &plan.Project{Input: n, Exprs: append(exprsOf(output(n)), made...)}
}

// firstFree is the first of the nodes that can compute w: those before make columns that it reads.
func firstFree(nodes []*plan.WindowNode, w *plan.Window) int {
	reads := map[plan.ID]bool{}
	plan.WalkExpr(w, func(e plan.Expr) bool {
		if c, ok := e.(*plan.Attribute); ok {
			reads[c.ID] = true
		}
		return true
	})
	for i := len(nodes) - 1; i >= 0; i-- {
		for _, e := range nodes[i].Exprs {
			if reads[e.(*plan.Alias).ID] {
				return i + 1
			}
		}
	}
	return 0
}

func sameSpec(x, y *plan.Window) bool {
	if len(x.Partition) != len(y.Partition) || len(x.Order) != len(y.Order) || !equalAll(x.Partition, y.Partition) {
		return false
	}
	for i := range x.Order {
		if !equal(x.Order[i], y.Order[i]) {
			return false
		}
	}
	return true
}

func (a *analyzer) windowColumn(n *plan.WindowNode, w *plan.Window) *plan.Attribute {
	for _, e := range n.Exprs {
		if al := e.(*plan.Alias); equal(al.Child, w) {
			return al.Attribute()
		}
	}
	al := a.alias(w, Pretty(w))
	n.Exprs = append(n.Exprs, al)
	return al.Attribute()
}

// checkWindowOnly refuses rank() and the like without OVER.
func (a *analyzer) checkWindowOnly(list []plan.Expr) error {
	for _, e := range list {
		var bad *plan.Call
		plan.WalkExpr(e, func(e plan.Expr) bool {
			switch e := e.(type) {
			case *plan.Window:
				return false
			case *plan.Call:
				if e.WindowOnly && bad == nil {
					bad = e
				}
			}
			return bad == nil
		})
		if bad != nil {
			return at(errs.New("WINDOW_FUNCTION_WITHOUT_OVER_CLAUSE", "funcName", `"`+printer{}.windowFunction(bad)+`"`), bad.Origin)
		}
	}
	return nil
}
