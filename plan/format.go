package plan

import (
	"fmt"
	"strconv"
	"strings"
)

// Format writes a plan as EXPLAIN shows it: one line a node, inputs below and indented.
func Format(n Node) string {
	return FormatWith(n, func(Node) string { return "" })
}

// FormatWith is Format with a note behind each node.
func FormatWith(n Node, note func(n Node) string) string {
	var b strings.Builder
	writeNode(&b, n, nil, note)
	return b.String()
}

// writeNode writes n behind the lines of its ancestors; last says for each of them whether it is its parent's last input.
func writeNode(b *strings.Builder, n Node, last []bool, note func(n Node) string) {
	for i, l := range last {
		switch {
		case i == len(last)-1 && l:
			b.WriteString("+- ")
		case i == len(last)-1:
			b.WriteString(":- ")
		case l:
			b.WriteString("   ")
		default:
			b.WriteString(":  ")
		}
	}
	b.WriteString(describe(n) + note(n))
	b.WriteByte('\n')
	children := n.Children()
	for i, c := range children {
		writeNode(b, c, append(last[:len(last):len(last)], i == len(children)-1), note)
	}
}

var joinNames = [...]string{"Inner", "LeftOuter", "RightOuter", "FullOuter", "LeftSemi", "LeftAnti", "Cross", "NullAwareAnti", "Existence"}

func (t JoinType) String() string { return joinNames[t] }

// describe is one node's line.
func describe(n Node) string {
	switch n := n.(type) {
	case *Scan:
		if k, ok := n.Table.(interface{ Storage() string }); ok {
			return "InMemoryRelation " + columnsText(n.Attrs) + ", " + k.Storage()
		}
		s := "Relation " + n.Table.Name() + columnsText(n.Attrs) + " " + n.Table.Format()
		if len(n.Pushed) > 0 {
			s += ", pushed: " + listText(n.Pushed)
		}
		if n.Limit > 0 {
			s += ", limit: " + strconv.FormatInt(n.Limit, 10)
		}
		return s
	case *StreamScan:
		return "StreamingRelation " + n.Source.Format() + ", " + columnsText(n.Attrs)
	case *LocalRelation:
		return "LocalRelation " + columnsText(n.Attrs)
	case *Range:
		return fmt.Sprintf("Range (%d, %d, step=%d)", n.Start, n.End, n.Step)
	case *OneRow:
		return "OneRowRelation"
	case *Project:
		return "Project " + listText(n.Exprs)
	case *Filter:
		return "Filter " + FormatExpr(n.Condition)
	case *Aggregate:
		return "Aggregate " + listText(n.Groups) + ", " + listText(n.Exprs)
	case *StatefulAggregate:
		return fmt.Sprintf("StatefulAggregate %s, %s, state %d, version %d", listText(n.Groups), listText(n.Exprs), n.State.Operator, n.State.Version)
	case *Watermark:
		return "EventTimeWatermark " + FormatExpr(n.Column) + ", " + strconv.FormatInt(n.Delay/1000, 10) + " ms"
	case *Join:
		s := "Join " + n.Type.String()
		if n.Condition != nil {
			s += ", " + FormatExpr(n.Condition)
		}
		return s
	case *Union:
		return "Union"
	}
	return describeMore(n)
}

func describeMore(n Node) string {
	switch n := n.(type) {
	case *Sort:
		keys := make([]Expr, len(n.Keys))
		for i, k := range n.Keys {
			keys[i] = k
		}
		return "Sort " + listText(keys) + ", " + strconv.FormatBool(!n.Local)
	case *Limit:
		s := "Limit"
		if n.Count != nil {
			s += " " + FormatExpr(n.Count)
		}
		if n.Offset != nil {
			s += " offset " + FormatExpr(n.Offset)
		}
		return s
	case *Tail:
		return "Tail " + strconv.FormatInt(n.Count, 10)
	case *SubqueryAlias:
		return "SubqueryAlias " + strings.Join(n.Name, ".")
	case *Sample:
		return fmt.Sprintf("Sample %v, %v, %t, %d", n.Lower, n.Upper, n.Replacement, n.Seed)
	case *Repartition:
		if len(n.Exprs) > 0 || len(n.Ranges) > 0 {
			return fmt.Sprintf("RepartitionByExpression %s, %d", listText(append(append([]Expr(nil), n.Exprs...), sortExprs(n.Ranges)...)), n.N)
		}
		return fmt.Sprintf("Repartition %d, %t", n.N, n.Shuffle)
	case *Expand:
		return fmt.Sprintf("Expand %d, %s", len(n.Lists), columnsText(n.Attrs))
	case *WindowNode:
		return "Window " + listText(n.Exprs)
	case *Generate:
		return "Generate " + FormatExpr(n.Generator) + ", " + strconv.FormatBool(n.Outer) + ", " + columnsText(n.Attrs)
	case *PythonEval:
		return describePython(n)
	case *PythonWindow:
		return "ArrowWindowPython " + listText(n.Exprs) + ", " + listText(n.Partition) + ", " + listText(sortExprs(n.Order))
	case *PythonMap:
		text := n.Function.Operation() + " "
		if n.Grouped {
			text += listText(append(append([]Expr(nil), n.Keys...), n.RightKeys...)) + ", "
		}
		return text + n.Function.Name + ", " + columnsText(n.Attrs)
	case *PythonAggregate:
		return "ArrowAggregatePython " + listText(n.Groups) + ", " + listText(n.Exprs)
	case *UnresolvedRelation:
		return "'UnresolvedRelation [" + strings.Join(n.Parts, ", ") + "]"
	}
	return strings.TrimPrefix(fmt.Sprintf("%T", n), "*plan.")
}

func describePython(n *PythonEval) string {
	var calls []Expr
	for _, e := range n.Exprs {
		calls = append(calls, e.(*Alias).Child)
	}
	f := calls[0].(*Call).Python
	text := f.Operation() + " " + listText(calls) + ", " + columnsText(attributes(n.Exprs))
	if f.Eval != PythonBatched {
		text += ", " + strconv.Itoa(f.Eval)
	}
	return text
}

func sortExprs(list []*SortOrder) []Expr {
	out := make([]Expr, len(list))
	for i, k := range list {
		out[i] = k
	}
	return out
}

func columnsText(attrs []*Attribute) string {
	parts := make([]string, len(attrs))
	for i, a := range attrs {
		parts[i] = FormatExpr(a)
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

func listText(exprs []Expr) string { return "[" + joinExprs(exprs) + "]" }

func joinExprs(exprs []Expr) string {
	parts := make([]string, len(exprs))
	for i, e := range exprs {
		parts[i] = FormatExpr(e)
	}
	return strings.Join(parts, ", ")
}

// FormatExpr writes an expression with its columns' ids: (a#1 + 1) AS (a + 1)#2.
func FormatExpr(e Expr) string {
	switch e := e.(type) {
	case *Attribute:
		return e.Name + "#" + strconv.FormatUint(uint64(e.ID), 10)
	case *Outer:
		return "outer(" + FormatExpr(e.Attr) + ")"
	case *Alias:
		return FormatExpr(e.Child) + " AS " + strings.Join(e.Names, ", ") + "#" + strconv.FormatUint(uint64(e.ID), 10)
	case *Literal:
		return formatLiteral(e)
	case *Cast:
		name := "cast("
		if e.Mode == ModeTry {
			name = "try_cast("
		}
		return name + FormatExpr(e.Child) + " as " + e.To.String() + ")"
	case *SortOrder:
		return formatOrder(e)
	case *Call:
		return formatCall(e)
	case *UnresolvedAttribute:
		return "'" + strings.Join(e.Parts, ".")
	case *PythonUDF:
		return e.Function.Name + "(" + joinExprs(e.Args) + ")"
	case *UnresolvedFunction:
		return "'" + strings.Join(e.Name, ".") + "(" + joinExprs(e.Args) + ")"
	case *LambdaVar:
		return "lambda " + e.Name + "#" + strconv.FormatUint(uint64(e.ID), 10)
	case *Lambda:
		return "lambdafunction(" + FormatExpr(e.Body) + ")"
	case *Window:
		return FormatExpr(e.Function) + " windowspecdefinition(" + joinExprs(append(append([]Expr(nil), e.Partition...), sortExprs(e.Order)...)) + ")"
	case *Subquery:
		return formatSubquery(e)
	}
	return strings.TrimPrefix(fmt.Sprintf("%T", e), "*plan.")
}

func formatLiteral(l *Literal) string {
	switch v := l.Value.(type) {
	case nil:
		return "null"
	case string:
		return v
	}
	return fmt.Sprint(l.Value)
}

func formatOrder(o *SortOrder) string {
	s := FormatExpr(o.Child) + " ASC"
	if o.Desc {
		s = FormatExpr(o.Child) + " DESC"
	}
	if o.NullsSortFirst() {
		return s + " NULLS FIRST"
	}
	return s + " NULLS LAST"
}

var infixNames = map[string]string{"+": "+", "-": "-", "*": "*", "/": "/", "%": "%", "div": "div", "=": "=", "<=>": "<=>", "<": "<", "<=": "<=",
	">": ">", ">=": ">=", "and": "AND", "or": "OR"}

func formatCall(c *Call) string {
	if c.Python != nil {
		return c.Python.Name + "(" + joinExprs(c.Args) + ")"
	}
	if op := infixNames[c.Name]; op != "" && len(c.Args) == 2 {
		return "(" + FormatExpr(c.Args[0]) + " " + op + " " + FormatExpr(c.Args[1]) + ")"
	}
	distinct, filter := "", ""
	if c.Distinct {
		distinct = "distinct "
	}
	if c.Filter != nil {
		filter = " FILTER (WHERE " + FormatExpr(c.Filter) + ")"
	}
	return c.Name + "(" + distinct + joinExprs(c.Args) + ")" + filter
}

func formatSubquery(s *Subquery) string {
	query := strings.ReplaceAll(strings.TrimSuffix(Format(s.Plan), "\n"), "\n", "; ")
	switch s.Kind {
	case ExistsSubquery:
		return "exists(" + query + ")"
	case InSubquery:
		return "(" + joinExprs(s.Values) + ") IN (" + query + ")"
	}
	return "scalar-subquery(" + query + ")"
}
