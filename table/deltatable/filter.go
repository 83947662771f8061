package deltatable

import (
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"millrace/delta"
	"millrace/physical"
	"millrace/planconv"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/types"
)

// candidates are the files that may hold rows for the request.
func (t *Table) candidates(r physical.ScanRequest) []*delta.Add {
	f := t.Filter(r.Predicate, r.Fields)
	files, _ := t.Snapshot.Files(append(f, t.derived(f)...))
	if r.Limit > 0 && len(r.Predicate) == 0 {
		return limited(files, r.Limit)
	}
	return files
}

// limited keeps as many files as hold the rows that anybody reads.
func limited(files []*delta.Add, rows int64) []*delta.Add {
	var have int64
	for i, a := range files {
		n, ok := delta.ReadStats(a.Stats).Records()
		if !ok {
			return files
		}
		if a.DeletionVector != nil {
			n -= a.DeletionVector.Cardinality
		}
		if have += n; have >= rows {
			return files[:i+1]
		}
	}
	return files
}

var comparisons = map[string]delta.Op{"=": delta.Eq, "<": delta.Lt, "<=": delta.Le, ">": delta.Gt, ">=": delta.Ge}

var mirrored = map[string]string{"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}

// condition is a conjunct in the log's terms: a comparison of a column with a constant; false for any other.
func (t *Table) condition(e *planpb.Expr, fields []int) (delta.Condition, bool) {
	c := e.GetCall()
	if c == nil || len(c.Args) == 0 {
		return delta.Condition{}, false
	}
	switch {
	case c.Name == "isnull":
		return t.on(c.Args[0], fields, delta.IsNull)
	case c.Name == "isnotnull":
		return t.on(c.Args[0], fields, delta.IsNotNull)
	case c.Name == "in":
		return t.in(c, fields)
	case c.Name == "or":
		return t.either(c, fields)
	case len(c.Args) != 2:
		return delta.Condition{}, false
	}
	name, column, value := c.Name, c.Args[0], c.Args[1]
	if column.GetLiteral() != nil {
		name, column, value = mirrored[name], value, column
	}
	op, ok := comparisons[name]
	if !ok || value.GetLiteral() == nil {
		return delta.Condition{}, false
	}
	cond, ok := t.on(column, fields, op)
	cond.Value = logValue(value)
	return cond, ok && cond.Value != nil
}

// on is a condition on a plain column.
func (t *Table) on(e *planpb.Expr, fields []int, op delta.Op) (delta.Condition, bool) {
	col, ok := e.Kind.(*planpb.Expr_Column)
	if !ok || int(col.Column) >= len(fields) || fields[col.Column] >= len(t.Schema().Fields) {
		return delta.Condition{}, false
	}
	return delta.Condition{Column: []string{t.Schema().Fields[fields[col.Column]].Name}, Op: op}, true
}

func (t *Table) in(c *planpb.Call, fields []int) (delta.Condition, bool) {
	cond, ok := t.on(c.Args[0], fields, delta.In)
	for _, a := range c.Args[1:] {
		v := logValue(a)
		if a.GetLiteral() == nil || v == nil {
			return cond, false
		}
		cond.Values = append(cond.Values, v)
	}
	return cond, ok
}

func (t *Table) either(c *planpb.Call, fields []int) (delta.Condition, bool) {
	var any delta.Condition
	for _, a := range c.Args {
		cond, ok := t.condition(a, fields)
		if !ok {
			return any, false
		}
		any.Any = append(any.Any, delta.Filter{cond})
	}
	return any, true
}

// logValue is a constant in the form that the log's statistics are compared in; nil for null.
func logValue(e *planpb.Expr) delta.Value {
	if e.GetLiteral() == nil {
		return nil
	}
	t := planconv.Type(e.Type)
	v := planconv.Value(e.GetLiteral(), t)
	if t.Kind != types.KindDecimal || v == nil {
		return v
	}
	switch n := v.(type) {
	case int64:
		return delta.Decimal{Unscaled: decimal128.FromI64(n).BigInt(), Scale: t.Scale}
	case decimal128.Num:
		return delta.Decimal{Unscaled: n.BigInt(), Scale: t.Scale}
	}
	return nil
}

// Literal turns a partition's value into the form of plan.Literal.
func Literal(v delta.Value, t *types.Type) any {
	d, ok := v.(delta.Decimal)
	if !ok {
		return v
	}
	if t.IsShortDecimal() {
		return d.Unscaled.Int64()
	}
	return decimal128.FromBigInt(d.Unscaled)
}

// Filter is what conjuncts over the output's ordinals say in the log's terms: no file with a row for which all are true is refuted by it.
func (t *Table) Filter(conjuncts []*planpb.Expr, fields []int) delta.Filter {
	f := delta.Filter{}
	for _, e := range conjuncts {
		if c, ok := t.condition(e, fields); ok {
			f = append(f, c)
		}
	}
	return f
}
