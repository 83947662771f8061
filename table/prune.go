package table

import (
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"millrace/physical"
	"millrace/planconv"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/table/parquet"
	"millrace/types"
)

// pruneOps are the comparisons that bounds can refute; mirrored ones have the literal on the left.
var pruneOps = map[string]struct{ op, mirrored parquet.Op }{
	"=": {parquet.Equal, parquet.Equal}, "==": {parquet.Equal, parquet.Equal}, "<": {parquet.Less, parquet.Greater},
	"<=": {parquet.LessEqual, parquet.GreaterEqual}, ">": {parquet.Greater, parquet.Less}, ">=": {parquet.GreaterEqual, parquet.LessEqual},
}

// prunable is what bounds can refute of a predicate over columns, or nil. column maps an output ordinal to the place by which
// the bounds are asked for, or -1.
func prunable(e *planpb.Expr, column func(ordinal int) int) *parquet.Prune {
	call := e.GetCall()
	if call == nil {
		return nil
	}
	switch call.Name {
	case "and":
		var args []*parquet.Prune
		for _, a := range call.Args {
			if p := prunable(a, column); p != nil {
				args = append(args, p)
			}
		}
		if len(args) == 0 {
			return nil
		}
		return &parquet.Prune{Op: parquet.And, Args: args}
	case "or":
		p := &parquet.Prune{Op: parquet.Or}
		for _, a := range call.Args {
			arg := prunable(a, column)
			if arg == nil {
				return nil
			}
			p.Args = append(p.Args, arg)
		}
		return p
	case "not":
		if inner := call.Args[0].GetCall(); inner != nil && inner.Name == "isnull" {
			return test(parquet.NotNull, inner.Args, column)
		}
		return nil
	case "isnull":
		return test(parquet.IsNull, call.Args, column)
	case "isnotnull":
		return test(parquet.NotNull, call.Args, column)
	case "startswith":
		return test(parquet.StartsWith, call.Args, column)
	case "in":
		return test(parquet.In, call.Args, column)
	case "<=>":
		return test(parquet.Equal, call.Args, column)
	}
	ops, ok := pruneOps[call.Name]
	if !ok || len(call.Args) != 2 {
		return nil
	}
	if p := test(ops.op, call.Args, column); p != nil {
		return p
	}
	return test(ops.mirrored, []*planpb.Expr{call.Args[1], call.Args[0]}, column)
}

// test is a comparison of a column with literals; nil if it is something else.
func test(op parquet.Op, args []*planpb.Expr, column func(int) int) *parquet.Prune {
	c, ok := args[0].Kind.(*planpb.Expr_Column)
	if !ok {
		return nil
	}
	p := &parquet.Prune{Op: op, Column: column(int(c.Column))}
	if p.Column < 0 {
		return nil
	}
	for _, a := range args[1:] {
		lit := a.GetLiteral()
		if lit == nil {
			return nil
		}
		v := pruneValue(lit, planconv.Type(a.Type))
		if v == nil {
			return nil
		}
		p.Values = append(p.Values, v)
	}
	return p
}

// pruneValue is a literal in the form of parquet.Prune.Values; nil for null and for types without order.
func pruneValue(l *planpb.Literal, t *types.Type) any {
	if t.Kind == types.KindString && t.Collation != "" && t.Collation != "UTF8_BINARY" {
		return nil
	}
	switch v := planconv.Value(l, t).(type) {
	case bool:
		if v {
			return int64(1)
		}
		return int64(0)
	case int64:
		return v
	case float64:
		if v != v {
			return nil // NaN: bounds say nothing of it
		}
		return v
	case string:
		return []byte(v)
	case []byte:
		return v
	case decimal128.Num:
		return v
	}
	return nil
}

// prune is the scan's predicate over the columns that come from the file.
func (s *scan) prune() *parquet.Prune {
	if s.plan.Predicate == nil {
		return nil
	}
	return prunable(s.plan.Predicate, func(ordinal int) int {
		if ordinal >= len(s.sources) || s.sources[ordinal].partition >= 0 || s.sources[ordinal].generated != "" {
			return -1
		}
		return s.sources[ordinal].file
	})
}

// mayMatch holds the conjuncts against a file's partition values.
func (s *Source) mayMatch(r physical.ScanRequest, output []int, file int) bool {
	for _, e := range r.Predicate {
		p := prunable(e, func(ordinal int) int {
			if ordinal >= len(output) {
				return -1
			}
			return output[ordinal]
		})
		if p == nil {
			continue
		}
		if !p.MayMatch(func(part int) (parquet.Bounds, bool) { return s.partitionBounds(file, part) }) {
			return false
		}
	}
	return true
}

func (s *Source) partitionBounds(file, part int) (parquet.Bounds, bool) {
	l := s.values[file][part]
	if l.GetNull() {
		return parquet.Bounds{NullsKnow: true, Nulls: 1, Rows: 1}, true
	}
	v := pruneValue(l, s.parts.fields[part].Type)
	return parquet.Bounds{NullsKnow: true, Rows: 1, Min: v, Max: v}, v != nil
}
