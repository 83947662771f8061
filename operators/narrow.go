package operators

import (
	"millrace/operators/sortkey"
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

// Narrow implements Narrower.
func (o *metered) Narrow(column int, w *Wanted) bool { return narrow(o.Operator, column, w) }

// Narrow implements Narrower.
func (o *filter) Narrow(column int, w *Wanted) bool { return o.steady && narrow(o.in, column, w) }

// Narrow implements Narrower.
func (o *project) Narrow(column int, w *Wanted) bool {
	return o.steady && o.places[column] >= 0 && narrow(o.in, o.places[column], w)
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
	if o.buildRows != noRows || o.spilled {
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

// narrowProbe tells the probe side which keys the table has, where its other rows come to nothing.
func (o *hashJoin) narrowProbe(keys *vector.Batch) {
	if o.probeRows != noRows && o.probeRows != matchedRows || keys.N == 0 {
		return
	}
	exprs := o.pb.LeftKeys
	if o.buildLeft {
		exprs = o.pb.RightKeys
	}
	for i, place := range places(exprs) {
		if place < 0 || i < len(o.pb.NullSafe) && o.pb.NullSafe[i] || !narrow(o.probeIn, place, nil) {
			continue
		}
		if w := wantedKeys(keys.Cols[i], keys.N, true); w != nil {
			narrow(o.probeIn, place, w)
		}
	}
}

// wantedKeys are the values of a column of keys: all of them where they are few and are all that there are, else their bounds. Nil if bounds of such
// values say nothing.
func wantedKeys(v *vector.Vector, n int, all bool) *Wanted {
	if !bounded(v.Type) {
		return nil
	}
	w := &Wanted{Type: planconv.TypePB(v.Type)}
	lo, hi := -1, -1
	for i := range n {
		if v.IsNull(i) {
			continue
		}
		if all && n <= fewValues {
			w.Values = append(w.Values, planconv.Literal(planconv.At(v, i)))
		}
		if lo < 0 || sortkey.Values(v, i, v, lo) < 0 {
			lo = i
		}
		if hi < 0 || sortkey.Values(v, hi, v, i) < 0 {
			hi = i
		}
	}
	switch {
	case lo < 0:
		return nil
	case w.Values == nil:
		w.Low, w.High = planconv.Literal(planconv.At(v, lo)), planconv.Literal(planconv.At(v, hi))
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
