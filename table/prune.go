package table

import (
	"cmp"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"millrace/operators"
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
	return prunable(s.plan.Predicate, s.fileColumn)
}

// fileColumn is the place of an output column among the file's, or -1.
func (s *scan) fileColumn(ordinal int) int {
	if ordinal >= len(s.sources) || s.sources[ordinal].partition >= 0 || s.sources[ordinal].generated != "" {
		return -1
	}
	return s.sources[ordinal].file
}

// partitionColumn is the place of an output column among the partition values, or -1.
func (s *scan) partitionColumn(ordinal int) int {
	if ordinal >= len(s.sources) || s.sources[ordinal].file >= 0 {
		return -1
	}
	return s.sources[ordinal].partition
}

// Narrow implements operators.Narrower: files are left out by their partition values, row groups and pages by their bounds.
func (s *scan) Narrow(column int, w *operators.Wanted) bool {
	inFile := s.fileColumn(column) >= 0 && formats[s.plan.Format].narrows
	if w == nil || !inFile && s.partitionColumn(column) < 0 {
		return inFile || s.partitionColumn(column) >= 0
	}
	p := w.Predicate(column)
	if inFile {
		s.wanted = and(s.wanted, prunable(p, s.fileColumn))
		s.tell(s.current.reader)
		return true
	}
	s.wantedFiles = and(s.wantedFiles, prunable(p, s.partitionColumn))
	return true
}

func and(a, b *parquet.Prune) *parquet.Prune {
	if a == nil || b == nil {
		return cmp.Or(a, b)
	}
	return &parquet.Prune{Op: parquet.And, Args: []*parquet.Prune{a, b}}
}

// tell has a file's reader leave out what is not wanted.
func (s *scan) tell(r fileReader) {
	if n, ok := r.(interface{ Narrow(*parquet.Prune) }); ok && s.wanted != nil {
		n.Narrow(s.wanted)
	}
}

// wants reports whether rows of a file with these partition values may be wanted.
func (s *scan) wants(split *planpb.FileSplit) bool {
	return s.wantedFiles == nil || s.wantedFiles.MayMatch(func(place int) (parquet.Bounds, bool) {
		if place >= len(split.PartitionValues) {
			return parquet.Bounds{}, false
		}
		l := split.PartitionValues[place]
		if l.GetNull() {
			return parquet.Bounds{NullsKnow: true, Nulls: 1, Rows: 1}, true
		}
		v := pruneValue(l, s.partitionType(place))
		return parquet.Bounds{NullsKnow: true, Rows: 1, Min: v, Max: v}, v != nil
	})
}

func (s *scan) partitionType(place int) *types.Type {
	for i, src := range s.sources {
		if src.partition == place {
			return s.output[i]
		}
	}
	return types.Null
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
