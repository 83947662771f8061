package physical

import (
	"fmt"
	"math"
	"strings"

	"millrace/errs"
	"millrace/plan"
	"millrace/plan/optimize"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/types"
)

// refusals are what users call the relations that cannot be run.
var refusals = map[string]string{"Tail": "tail below other calls is"}

func refused(n plan.Node) error {
	what, ok := refusals[nodeName(n)]
	if !ok {
		what = "The relation " + nodeName(n) + " is"
	}
	return errs.Unsupportedf("%s not supported yet.", what)
}

func nodeName(n plan.Node) string { return strings.TrimPrefix(fmt.Sprintf("%T", n), "*plan.") }

func (p *planner) scan(n *plan.Scan) (*part, error) {
	if r, ok := n.Table.(Resident); ok {
		return p.resident(n, r), nil
	}
	src, ok := n.Table.(Source)
	if !ok {
		return nil, errs.Unsupportedf("The table %s cannot be scanned.", n.Table.Name())
	}
	in := scope(n.Attrs)
	var pushed []*planpb.Expr
	for _, e := range n.Pushed {
		if !in.covers(e) {
			continue // it reads a column that the scan does not return: it can only be judged above
		}
		pb, err := in.expr(e)
		if err != nil {
			return nil, err
		}
		pushed = append(pushed, pb)
	}
	scan, files, err := src.PlanScan(p.ctx, ScanRequest{Fields: n.Fields, Predicate: pushed, Limit: n.Limit})
	if err != nil {
		return nil, err
	}
	var size int64
	for _, f := range files {
		size += f.Length
	}
	p.scanBytes += size
	most := p.o.Cores
	if n.Limit > 0 && n.Limit <= p.o.SmallRows && len(n.Pushed) == 0 {
		most = 1
	}
	lists := p.o.Split(files, most)
	rows := float64(src.Rows())
	if rows < 0 {
		rows = float64(size) / 100
	}
	t := &part{attrs: n.Attrs, tasks: max(1, len(lists)), rows: rows, bytes: rows * RowBytes(n.Attrs)}
	t.op = p.op(n.Attrs, &planpb.Operator{Kind: &planpb.Operator_FileScan{FileScan: scan}})
	t.splits = map[uint32][][]*planpb.FileSplit{t.op.Id: lists}
	return t, nil
}

func (p *planner) values(n *plan.LocalRelation) *part {
	return &part{attrs: n.Attrs, tasks: 1, rows: float64(n.Rows), bytes: float64(len(n.Arrow)),
		op: p.op(n.Attrs, &planpb.Operator{Kind: &planpb.Operator_Values{Values: &planpb.Values{Arrow: n.Arrow}}})}
}

func (p *planner) rangeOf(n *plan.Range, attrs []*plan.Attribute) *part {
	rows := 0.0
	if n.Step != 0 {
		rows = math.Max(0, math.Ceil((float64(n.End)-float64(n.Start))/float64(n.Step)))
	}
	tasks := n.Partitions
	if tasks < 1 {
		tasks = p.partitions(rows)
	}
	t := &part{attrs: attrs, tasks: tasks, rows: rows, bytes: rows * 8}
	all := attrs
	if all == nil {
		all = []*plan.Attribute{p.fresh(plan.Attribute{Name: "id", T: types.Long})}
		t.attrs = all
	}
	t.op = p.op(all, &planpb.Operator{Kind: &planpb.Operator_Range{Range: &planpb.Range{
		Start: n.Start, End: n.End, Step: n.Step, Partitions: int32(tasks)}}})
	return t
}

func (p *planner) project(n *plan.Project) (*part, error) {
	t, err := p.build(n.Input)
	if err != nil {
		return nil, err
	}
	return t, p.projectOver(t, n.Exprs)
}

// projectOver puts a projection on a part, unless it would change nothing.
func (p *planner) projectOver(t *part, exprs []plan.Expr) error {
	in := scope(t.attrs)
	proj := &planpb.Project{}
	attrs := make([]*plan.Attribute, len(exprs))
	same := len(exprs) == len(t.attrs)
	for i, e := range exprs {
		pb, err := in.expr(e)
		if err != nil {
			return err
		}
		proj.Exprs = append(proj.Exprs, pb)
		attrs[i] = attributeOf(e)
		col, isCol := pb.Kind.(*planpb.Expr_Column)
		same = same && isCol && int(col.Column) == i
	}
	if same {
		t.op.Output, t.attrs = columns(attrs), attrs
		return nil
	}
	t.wrap(p.op(attrs, &planpb.Operator{Kind: &planpb.Operator_Project{Project: proj}}), attrs)
	t.bytes = t.rows * RowBytes(attrs)
	return nil
}

// attributeOf is the column that a projection's expression makes.
func attributeOf(e plan.Expr) *plan.Attribute {
	switch e := e.(type) {
	case *plan.Attribute:
		return e
	case *plan.Alias:
		return &plan.Attribute{ID: e.ID, Name: e.Names[0], T: e.Type(), Null: e.Nullable(), Metadata: e.Metadata}
	}
	return &plan.Attribute{Name: "expr", T: plan.TypeOf(e), Null: plan.IsNullable(e)}
}

func (p *planner) filter(n *plan.Filter) (*part, error) {
	if w, ok := n.Input.(*plan.WindowNode); ok {
		return p.filterOfWindow(n.Condition, w)
	}
	t, err := p.build(n.Input)
	if err != nil {
		return nil, err
	}
	return t, p.filterOver(t, n.Condition)
}

func (p *planner) filterOver(t *part, cond plan.Expr) error {
	pb, err := scope(t.attrs).expr(cond)
	if err != nil {
		return err
	}
	t.wrap(p.op(t.attrs, &planpb.Operator{Kind: &planpb.Operator_Filter{Filter: &planpb.Filter{Predicate: pb}}}), t.attrs)
	s := selectivity(cond)
	t.rows *= s
	t.bytes *= s
	return nil
}

// selectivity guesses the share of rows that a condition keeps.
func selectivity(cond plan.Expr) float64 {
	s := 1.0
	for _, c := range optimize.Conjuncts(cond) {
		call, ok := c.(*plan.Call)
		switch {
		case ok && call.Name == "=":
			s *= 0.1
		case ok && call.Name == "isnotnull":
		default:
			s *= 0.4
		}
	}
	return math.Max(s, 0.001)
}

func (p *planner) sample(n *plan.Sample) (*part, error) {
	t, err := p.build(n.Input)
	if err != nil {
		return nil, err
	}
	t.wrap(p.op(t.attrs, &planpb.Operator{Kind: &planpb.Operator_Sample{Sample: &planpb.Sample{
		Lower: n.Lower, Upper: n.Upper, Replacement: n.Replacement, Seed: n.Seed}}}), t.attrs)
	t.rows *= n.Upper - n.Lower
	return t, nil
}

func (p *planner) expand(n *plan.Expand) (*part, error) {
	t, err := p.build(n.Input)
	if err != nil {
		return nil, err
	}
	in := scope(t.attrs)
	e := &planpb.Expand{Projections: make([]*planpb.Project, len(n.Lists))}
	for i, list := range n.Lists {
		exprs, err := in.exprs(list)
		if err != nil {
			return nil, err
		}
		e.Projections[i] = &planpb.Project{Exprs: exprs}
	}
	t.wrap(p.op(n.Attrs, &planpb.Operator{Kind: &planpb.Operator_Expand{Expand: e}}), n.Attrs)
	t.rows *= float64(len(n.Lists))
	t.bytes = t.rows * RowBytes(n.Attrs)
	return t, nil
}

func (p *planner) repartition(n *plan.Repartition) (*part, error) {
	t, err := p.build(n.Input)
	if err != nil {
		return nil, err
	}
	parts := n.N
	if parts < 1 {
		parts = p.o.ShufflePartitions
	}
	to := &planpb.Partitioning{Kind: planpb.Partitioning_ROUND_ROBIN, Partitions: int32(parts)}
	switch {
	case n.Cut && n.Parts > 1:
		to.Kind, to.Partitions, to.Bounds = planpb.Partitioning_RANGE, int32(n.Parts), n.Bounds
		if to.Keys, err = scope(t.attrs).sortKeys(n.Ranges); err != nil {
			return nil, err
		}
	case n.Cut:
		return p.single(t, nil), nil
	case len(n.Exprs)+len(n.Ranges) > 0: // where nobody has cut ranges rows of equal keys meet at least
		to.Kind = planpb.Partitioning_HASH
		keys := n.Exprs
		for _, r := range n.Ranges {
			keys = append(keys[:len(keys):len(keys)], r.Child)
		}
		if to.Exprs, err = scope(t.attrs).exprs(keys); err != nil {
			return nil, err
		}
	case parts == 1:
		return p.single(t, nil), nil
	case !n.Shuffle && parts >= t.tasks:
		return t, nil // coalesce never makes more partitions
	}
	u := p.exchange(t, to, nil)
	u.fixed = n.N >= 1
	return u, nil
}

// RowBytes guesses a row's size in memory.
func RowBytes(attrs []*plan.Attribute) float64 {
	n := 8.0
	for _, a := range attrs {
		switch {
		case a.T.Kind == types.KindString, a.T.Kind == types.KindBinary:
			n += 20
		case a.T.IsNested():
			n += 64
		default:
			n += 8
		}
	}
	return n
}

func sinkAttrs(changes bool) []*plan.Attribute {
	col := func(name string, t *types.Type) *plan.Attribute { return &plan.Attribute{Name: name, T: t, Null: true} }
	attrs := []*plan.Attribute{col("path", types.String), col("size", types.Long), col("modification_ms", types.Long),
		col("partition_values", types.String), col("stats", types.String), col("rows", types.Long)}
	if changes {
		attrs = append(attrs, col("kind", types.Integer), col("file", types.Integer), col("gone", types.Binary))
	}
	return attrs
}
