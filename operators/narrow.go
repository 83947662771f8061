package operators

import (
	"slices"

	"millrace/planconv"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/types"
	"millrace/vector"
)

// Narrower is an operator that may leave rows out of which it is known that nobody will want them. A row that it leaves out is as good as
// filtered; it need leave out none.
type Narrower interface {
	// Narrow says, before the first Next or between two of them, which values of an output column are still wanted. It reports whether that may
	// spare any work; with nil it only reports.
	Narrow(column int, w *Wanted) bool
}

// Wanted are the values of a column that matter.
type Wanted struct {
	Type      *planpb.Type
	Low, High *planpb.Literal   // nil: no bound
	Values    []*planpb.Literal // where they are few: all that matter, and Low and High are not set
	Nulls     bool              // null matters too
}

// Predicate is a condition on a column by its ordinal that all wanted values meet.
func (w *Wanted) Predicate(column int) *planpb.Expr {
	boolean := planconv.TypePB(types.Boolean)
	call := func(name string, args ...*planpb.Expr) *planpb.Expr {
		return &planpb.Expr{Type: boolean, Nullable: true, Kind: &planpb.Expr_Call{Call: &planpb.Call{Name: name, Args: args}}}
	}
	col := &planpb.Expr{Type: w.Type, Nullable: true, Kind: &planpb.Expr_Column{Column: uint32(column)}}
	lit := func(l *planpb.Literal) *planpb.Expr {
		return &planpb.Expr{Type: w.Type, Kind: &planpb.Expr_Literal{Literal: l}}
	}
	var all []*planpb.Expr
	if w.Values != nil {
		args := []*planpb.Expr{col}
		for _, v := range w.Values {
			args = append(args, lit(v))
		}
		all = append(all, call("in", args...))
	}
	if w.Low != nil {
		all = append(all, call(">=", col, lit(w.Low)))
	}
	if w.High != nil {
		all = append(all, call("<=", col, lit(w.High)))
	}
	p := call("and", all...)
	if w.Nulls {
		p = call("or", p, call("isnull", col))
	}
	return p
}

// narrow passes on to an input what is wanted of it.
func narrow(in Operator, column int, w *Wanted) bool {
	n, ok := in.(Narrower)
	return ok && n.Narrow(column, w)
}

// narrowBy passes on what is wanted of an expression over an input's columns: of a column, or of one cast to a type that has all of its values.
func narrowBy(in Operator, e *planpb.Expr, w *Wanted) bool {
	switch k := e.Kind.(type) {
	case *planpb.Expr_Column:
		return narrow(in, int(k.Column), w)
	case *planpb.Expr_Call:
		if k.Call.Name != "cast" {
			return false
		}
		from := planconv.Type(k.Call.Args[0].Type)
		unit := wideningUnit(from, planconv.Type(e.Type))
		if unit == 0 {
			return false
		}
		if w != nil {
			if w = w.within(from, unit); w == nil {
				return false
			}
		}
		return narrowBy(in, k.Call.Args[0], w)
	}
	return false
}

// wideningUnit is what 1 becomes when a whole number is cast to a type that has all values of its own; 0 for other types.
func wideningUnit(from, to *types.Type) int64 {
	digits := map[types.Kind]int{types.KindByte: 3, types.KindShort: 5, types.KindInteger: 10}[from.Kind]
	switch {
	case from.IsIntegral() && to.IsIntegral() && from.Kind <= to.Kind:
		return 1
	case digits > 0 && to.IsShortDecimal() && to.Precision-to.Scale >= digits:
		unit := int64(1)
		for range to.Scale {
			unit *= 10
		}
		return unit
	}
	return 0
}

// within is what is wanted of a column of whole numbers when this is wanted of it times unit; nil where that rules nothing out, or everything.
func (w *Wanted) within(t *types.Type, unit int64) *Wanted {
	most := int64(1)<<(8*vector.Width(t)-1) - 1
	out := &Wanted{Type: planconv.TypePB(t), Nulls: w.Nulls}
	bound := func(l *planpb.Literal) (b *planpb.Literal, has bool) {
		x := l.GetInteger() / unit // towards 0, which lets one more value pass on one side of it
		if l == nil || x > most || x < -most-1 {
			return nil, l == nil
		}
		return planconv.Literal(x), true
	}
	for _, l := range w.Values {
		if b, has := bound(l); has && l.GetInteger()%unit == 0 {
			out.Values = append(out.Values, b)
		}
	}
	var hasLow, hasHigh bool
	out.Low, hasLow = bound(w.Low)
	out.High, hasHigh = bound(w.High)
	if !hasLow && !hasHigh || out.Values == nil && out.Low == nil && out.High == nil {
		return nil
	}
	return out
}

// Narrow implements Narrower.
func (o *metered) Narrow(column int, w *Wanted) bool { return narrow(o.Operator, column, w) }

// Narrow implements Narrower.
func (o *filter) Narrow(column int, w *Wanted) bool { return o.steady && narrow(o.in, column, w) }

// Narrow implements Narrower.
func (o *project) Narrow(column int, w *Wanted) bool {
	return o.steady && narrowBy(o.in, o.pb.Exprs[column], w)
}

// Narrow implements Narrower.
func (o *union) Narrow(column int, w *Wanted) bool {
	any := false
	for _, in := range o.in {
		any = narrow(in, column, w) || any
	}
	return any
}

// Narrow implements Narrower: a probe row gives only rows with its own values, unless it decides what becomes of a build row.
func (o *hashJoin) Narrow(column int, w *Wanted) bool {
	if o.buildRows != noRows || o.probed {
		return false
	}
	from, width := 0, len(o.leftTypes)
	if o.buildLeft {
		from, width = len(o.leftTypes), len(o.rightTypes)
	}
	if column -= from; column < 0 || column >= width {
		return false
	}
	return narrow(o.probeIn, column, w)
}

// placed are functions whose values depend on which rows come before: no row before them may be left out.
var placed = map[string]bool{"rand": true, "random": true, "randn": true, "uniform": true, "randstr": true, "uuid": true, "shuffle": true, "monotonically_increasing_id": true,
	"spark_partition_id": true, "raise_error": true, "assert_true": true}

// steady reports whether expressions give a row the same value whatever the rows before it.
func steady(es ...*planpb.Expr) bool {
	for _, e := range es {
		c := e.GetCall()
		if c != nil && (placed[c.Name] || !steady(c.Args...)) {
			return false
		}
	}
	return true
}

// places are the input's columns that expressions are; -1 for those that are computed.
func places(es []*planpb.Expr) []int {
	list := make([]int, len(es))
	for i, e := range es {
		list[i] = -1
		if c, ok := e.Kind.(*planpb.Expr_Column); ok {
			list[i] = int(c.Column)
		}
	}
	return list
}

// fewValues is up to how many build rows their keys are told one by one.
const fewValues = 256

// narrows reports whether the probe side wants to know which keys the table has: its other rows come to nothing.
func (o *hashJoin) narrows() bool {
	if o.probeRows != noRows && o.probeRows != matchedRows {
		return false
	}
	return slices.ContainsFunc(o.probeExprs(), func(e *planpb.Expr) bool { return narrowBy(o.probeIn, e, nil) })
}

func (o *hashJoin) probeExprs() []*planpb.Expr {
	if o.buildLeft {
		return o.pb.RightKeys
	}
	return o.pb.LeftKeys
}

// narrowProbe tells the probe side which keys there are: those of the table, or, when there are parts on disk as well, the bounds of all.
func (o *hashJoin) narrowProbe(keys *vector.Batch) {
	all := o.deal == nil
	if !all {
		keys = o.deal.bounds.Batch()
	}
	if keys == nil || keys.N == 0 || !o.narrows() {
		return
	}
	for i, e := range o.probeExprs() {
		if i < len(o.pb.NullSafe) && o.pb.NullSafe[i] || !narrowBy(o.probeIn, e, nil) {
			continue
		}
		if w := wantedKeys(keys.Cols[i], keys.N, all); w != nil {
			narrowBy(o.probeIn, e, w)
		}
	}
}

// wantedKeys are the values of a column of keys: all of them where they are few and are all that there are, else their bounds. Nil if bounds of such
// values say nothing.
func wantedKeys(v *vector.Vector, n int, all bool) *Wanted {
	if !bounded(v.Type) {
		return nil
	}
	lo, hi := extremes(v, nil, n)
	if lo < 0 {
		return nil
	}
	w := &Wanted{Type: planconv.TypePB(v.Type)}
	if !all || n > fewValues {
		w.Low, w.High = planconv.Literal(planconv.At(v, lo)), planconv.Literal(planconv.At(v, hi))
		return w
	}
	for i := range n {
		if !v.IsNull(i) {
			w.Values = append(w.Values, planconv.Literal(planconv.At(v, i)))
		}
	}
	return w
}

// bounded are the types whose order is the same here and in files' statistics.
func bounded(t *types.Type) bool {
	switch t.Kind {
	case types.KindByte, types.KindShort, types.KindInteger, types.KindLong, types.KindDate, types.KindTimestamp, types.KindTimestampNTZ:
		return true
	case types.KindString:
		return t.Collation == "" || t.Collation == "UTF8_BINARY"
	case types.KindDecimal:
		return t.IsShortDecimal()
	}
	return false
}

// narrowInput tells the input which values of the first key can still be among the first rows: the last kept row's and those before it.
func (o *topN) narrowInput() {
	keep := o.limit + o.offset
	if len(o.order.columns) == 0 || o.rows.Len() < keep || !narrow(o.in, o.order.columns[0], nil) {
		return
	}
	key, v, last := o.order.keys[0], o.keyColumns()[0], keep-1
	if !bounded(v.Type) || v.IsNull(last) {
		return
	}
	w := &Wanted{Type: planconv.TypePB(v.Type), Nulls: key.NullsFirst}
	if bound := planconv.Literal(planconv.At(v, last)); key.Descending {
		w.Low = bound
	} else {
		w.High = bound
	}
	narrow(o.in, o.order.columns[0], w)
}

var _, _ Narrower = (*project)(nil), (*hashJoin)(nil)
