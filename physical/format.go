package physical

import (
	"fmt"
	"strings"

	"millrace/plan"
	"millrace/planconv"
	planpb "millrace/proto/millrace/plan/v1"
)

// Line is a line of a query's plan: a stage's head, or one of its operators.
type Line struct {
	Stage    uint32
	Operator uint32 // its id, by which metrics are reported; 0 for a stage's head
	Depth    int    // 0 for a stage's head, 1 for its root
	Text     string
}

// Format draws a query's stages, the last one first.
func Format(q *Query) string {
	return FormatWith(q, func(Line) string { return "" })
}

// FormatWith is Format with a note behind each line.
func FormatWith(q *Query, note func(Line) string) string {
	var b strings.Builder
	for _, l := range Lines(q) {
		if l.Depth > 0 {
			b.WriteString(strings.Repeat("   ", l.Depth-1) + "+- ")
		}
		b.WriteString(l.Text + note(l) + "\n")
	}
	return b.String()
}

// FormatDetails draws a query's stages with the operators' names and numbers alone, and below them what there is to say of each by its number,
// the first stage's first.
func FormatDetails(q *Query) string {
	numbers, details := map[uint32]int{}, strings.Builder{}
	for _, s := range q.Stages {
		numberOperators(s.Root, s, numbers, &details)
	}
	var b strings.Builder
	for _, l := range Lines(q) {
		if l.Depth > 0 {
			b.WriteString(strings.Repeat("   ", l.Depth-1) + "+- ")
			name, _, _ := strings.Cut(l.Text, " ")
			l.Text = fmt.Sprintf("%s (%d)", name, numbers[l.Operator])
		}
		b.WriteString(l.Text + "\n")
	}
	return b.String() + "\n" + details.String()
}

// numberOperators numbers a tree from its leaves on, and writes about each operator.
func numberOperators(o *planpb.Operator, s *planpb.Stage, numbers map[uint32]int, b *strings.Builder) {
	for _, c := range o.Children {
		numberOperators(c, s, numbers, b)
	}
	numbers[o.Id] = len(numbers) + 1
	fmt.Fprintf(b, "\n(%d) %s\nOutput %s\n", numbers[o.Id], operatorName(o), columnsText(o.Output))
	for _, c := range o.Children {
		fmt.Fprintf(b, "Input %s\n", columnsText(c.Output))
	}
	if text := strings.TrimSpace(detail(o, s)); text != "" {
		fmt.Fprintf(b, "Arguments: %s\n", text)
	}
}

func columnsText(columns []*planpb.Column) string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Name
	}
	return fmt.Sprintf("[%d]: [%s]", len(columns), strings.Join(names, ", "))
}

func operatorName(o *planpb.Operator) string {
	name := strings.TrimPrefix(fmt.Sprintf("%T", o.Kind), "*planpb.Operator_")
	if name == "CacheScan" {
		return "InMemoryTableScan" // as Spark's users know it
	}
	return name
}

// Lines are a query's stages, the last one first, each followed by its operators from the root on.
func Lines(q *Query) []Line {
	var lines []Line
	kind := "staged"
	if q.Pipelined {
		kind = "pipelined"
	}
	for i := len(q.Stages) - 1; i >= 0; i-- {
		s := q.Stages[i]
		to := "result"
		if i < len(q.Stages)-1 {
			to = partitioningText(s.Partitioning, s.Root.Output)
		}
		lines = append(lines, Line{Stage: s.Id, Text: fmt.Sprintf("Stage %d: %d tasks, %s -> %s", s.Id, s.Tasks, kind, to)})
		lines = operatorLines(lines, s.Root, s, 1)
	}
	return lines
}

func partitioningText(p *planpb.Partitioning, in []*planpb.Column) string {
	to := strings.ToLower(p.GetKind().String())
	if p.GetPartitions() > 1 {
		to = fmt.Sprintf("%s(%d)", to, p.GetPartitions())
	}
	switch p.GetKind() {
	case planpb.Partitioning_HASH:
		to += " by " + exprsText(p.Exprs, in)
	case planpb.Partitioning_RANGE:
		to += " by " + keysText(p.Keys, in)
	}
	return to
}

func operatorLines(lines []Line, o *planpb.Operator, s *planpb.Stage, depth int) []Line {
	names := make([]string, len(o.Output))
	for i, c := range o.Output {
		names[i] = c.Name
	}
	lines = append(lines, Line{Stage: s.Id, Operator: o.Id, Depth: depth, Text: fmt.Sprintf("%s%s [%s]", operatorName(o), detail(o, s), strings.Join(names, ", "))})
	for _, c := range o.Children {
		lines = operatorLines(lines, c, s, depth+1)
	}
	return lines
}

// detail is what there is to say about an operator besides its output.
func detail(o *planpb.Operator, s *planpb.Stage) string {
	var in []*planpb.Column
	if len(o.Children) > 0 {
		in = o.Children[0].Output
	}
	switch k := o.Kind.(type) {
	case *planpb.Operator_FileScan:
		splits := 0
		for _, t := range s.TaskInputs {
			splits += len(t.Splits[o.Id].GetSplits())
		}
		text := fmt.Sprintf(" %s, %d splits", k.FileScan.Format, splits)
		if k.FileScan.FilesSkipped > 0 {
			text += fmt.Sprintf(", %d files left out", k.FileScan.FilesSkipped)
		}
		if k.FileScan.Predicate != nil {
			text += ", skipping by " + exprText(k.FileScan.Predicate, o.Output)
		}
		return text
	case *planpb.Operator_CacheScan:
		return " " + k.CacheScan.Relation
	case *planpb.Operator_ExchangeSource:
		if len(k.ExchangeSource.Merge) > 0 {
			return fmt.Sprintf(" of stage %d, merging %s", k.ExchangeSource.Stage, keysText(k.ExchangeSource.Merge, o.Output))
		}
		return fmt.Sprintf(" of stage %d", k.ExchangeSource.Stage)
	case *planpb.Operator_Filter:
		return " " + exprText(k.Filter.Predicate, in)
	case *planpb.Operator_HashAggregate:
		return " " + strings.ToLower(k.HashAggregate.Mode.String()) + " by " + exprsText(k.HashAggregate.Groups, in)
	case *planpb.Operator_StatefulAggregate:
		a := k.StatefulAggregate
		return fmt.Sprintf(" %s by %s, state %d, version %d", strings.ToLower(a.Mode.String()), exprsText(a.Aggregate.Groups, in), a.Store.GetOperator(),
			a.Store.GetVersion())
	case *planpb.Operator_HashJoin:
		return joinText(k.HashJoin, in, o.Children[1].Output)
	case *planpb.Operator_BloomFilter:
		return fmt.Sprintf(" by %s, up to %d bits", exprsText(k.BloomFilter.Keys, in), k.BloomFilter.Bits)
	case *planpb.Operator_RuntimeFilter:
		return " by " + exprsText(k.RuntimeFilter.Keys, in)
	case *planpb.Operator_LoopJoin:
		return " " + strings.ToLower(k.LoopJoin.Type.String())
	case *planpb.Operator_Sort:
		return " by " + keysText(k.Sort.Keys, in)
	case *planpb.Operator_TopN:
		return fmt.Sprintf(" %d+%d by %s", k.TopN.Limit, k.TopN.Offset, keysText(k.TopN.Keys, in))
	case *planpb.Operator_Python:
		names := make([]string, len(k.Python.Functions))
		for i, f := range k.Python.Functions {
			names[i] = f.Name
		}
		return " " + plan.PythonOperation(int(k.Python.EvalType)) + " " + strings.Join(names, ", ")
	case *planpb.Operator_Limit:
		return fmt.Sprintf(" %d+%d", k.Limit.Limit, k.Limit.Offset)
	}
	return ""
}

func joinText(j *planpb.HashJoin, left, right []*planpb.Column) string {
	build := "right"
	if j.BuildLeft {
		build = "left"
	}
	out := fmt.Sprintf(" %s on %s = %s, table of the %s", strings.ToLower(j.Type.String()), exprsText(j.LeftKeys, left), exprsText(j.RightKeys, right), build)
	if j.Residual != nil {
		out += " if " + exprText(j.Residual, append(append([]*planpb.Column(nil), left...), right...))
	}
	return out
}

func keysText(keys []*planpb.SortKey, in []*planpb.Column) string {
	list := make([]string, len(keys))
	for i, k := range keys {
		list[i] = exprText(k.Expr, in)
		if k.Descending {
			list[i] += " desc"
		}
		if k.NullsFirst == k.Descending {
			list[i] += map[bool]string{true: " nulls first", false: " nulls last"}[k.NullsFirst]
		}
	}
	return "(" + strings.Join(list, ", ") + ")"
}

func exprsText(exprs []*planpb.Expr, in []*planpb.Column) string {
	list := make([]string, len(exprs))
	for i, e := range exprs {
		list[i] = exprText(e, in)
	}
	return "(" + strings.Join(list, ", ") + ")"
}

// exprText is an expression with the names of its input's columns.
func exprText(e *planpb.Expr, in []*planpb.Column) string {
	switch k := e.Kind.(type) {
	case *planpb.Expr_Column:
		if int(k.Column) < len(in) {
			return in[k.Column].Name
		}
	case *planpb.Expr_Literal:
		t := planconv.Type(e.Type)
		return plan.FormatExpr(&plan.Literal{Value: planconv.Value(k.Literal, t), T: t})
	case *planpb.Expr_Call:
		name := k.Call.Name
		if name == "cast" {
			return "cast(" + exprText(k.Call.Args[0], in) + " as " + planconv.Type(e.Type).String() + ")"
		}
		if len(k.Call.Args) == 2 && !isWord(name) {
			return "(" + exprText(k.Call.Args[0], in) + " " + name + " " + exprText(k.Call.Args[1], in) + ")"
		}
		return name + exprsText(k.Call.Args, in)
	}
	return "?"
}

func isWord(name string) bool {
	return name != "and" && name != "or" && strings.ContainsAny(name[:1], "abcdefghijklmnopqrstuvwxyz_")
}
