package analyze

import (
	"fmt"
	"strings"

	"millrace/plan"
	"millrace/types"
)

// Pretty is how Spark names a column that an expression computes: attributes without qualifiers, strings without quotes,
// implicit casts left out.
func Pretty(e plan.Expr) string { return printer{}.expr(e) }

// SQL is how messages show an expression: its pretty form in double quotes.
func SQL(e plan.Expr) string { return `"` + Pretty(e) + `"` }

// qualifiedSQL is an expression with its columns' qualifiers, as a few messages show it.
func qualifiedSQL(e plan.Expr) string { return printer{qualified: true}.expr(e) }

type printer struct {
	qualified bool
	python    bool // in a call of a function of Python, where casts are written otherwise
}

func (p printer) expr(e plan.Expr) string {
	switch e := e.(type) {
	case *plan.Attribute:
		return p.attribute(e)
	case *plan.Outer:
		return "outer(" + printer{qualified: true}.attribute(e.Attr) + ")"
	case *lateralRef:
		return "lateralAliasReference(" + e.attr.Name + ")"
	case *plan.Literal:
		return p.literal(e)
	case *plan.Cast:
		return p.cast(e)
	case *plan.Alias:
		if p.qualified {
			return p.expr(e.Child) + " AS " + types.QuoteIfNeeded(e.Names[0])
		}
		return e.Names[0]
	case *plan.Call:
		if e.Pretty != "" && !p.qualified {
			return e.Pretty
		}
		if e.Python != nil {
			return p.pythonCall(e)
		}
		return p.suffixed(p.call(e.Name, e), e)
	case *plan.SortOrder:
		return p.sortOrder(e)
	case *plan.Window:
		return p.window(e)
	case *plan.Lambda:
		return p.lambda(e)
	case *plan.LambdaVar:
		return "namedlambdavariable()"
	case *plan.Subquery:
		return p.subquery(e)
	case *plan.UnresolvedAttribute:
		return strings.Join(e.Parts, ".")
	case *plan.UnresolvedStar:
		return "*"
	case *plan.UnresolvedFunction:
		return e.Name[len(e.Name)-1] + "(" + p.list(e.Args) + ")"
	}
	return "?"
}

func (p printer) list(exprs []plan.Expr) string {
	parts := make([]string, len(exprs))
	for i, e := range exprs {
		parts[i] = p.expr(e)
	}
	return join(parts)
}

func (p printer) attribute(a *plan.Attribute) string {
	if !p.qualified {
		return a.Name
	}
	parts := make([]string, 0, len(a.Qualifier)+1)
	for _, q := range append(append([]string(nil), a.Qualifier...), a.Name) {
		parts = append(parts, types.QuoteIfNeeded(q))
	}
	return strings.Join(parts, ".")
}

func (p printer) cast(c *plan.Cast) string {
	if l, ok := c.Child.(*plan.Literal); ok && c.Implicit && c.To.Kind == types.KindCalendar { // how an interval literal of old is made
		return fmt.Sprintf("INTERVAL '%v'", l.Value)
	}
	if c.Implicit || c.To.Kind == types.KindArray || c.To.Kind == types.KindMap || c.To.Kind == types.KindStruct {
		return p.expr(c.Child)
	}
	name := "CAST("
	if c.Mode == plan.ModeTry {
		name = "TRY_CAST("
	}
	to := c.To
	if to.Kind == types.KindString && to.Length > 0 { // only tables have types with a length
		to = withCollation(types.String, to.Collation)
	}
	if p.python {
		return strings.ToLower(name) + p.expr(c.Child) + " as " + to.String() + ")"
	}
	return name + p.expr(c.Child) + " AS " + to.SQL() + ")"
}

// prettyCall is the text of a call as it was written: name is the one that the user called.
func prettyCall(name string, c *plan.Call) string { return printer{}.call(name, c) }

var infix = map[string]string{"+": "+", "-": "-", "*": "*", "/": "/", "%": "%", "div": "div", "=": "=", "==": "=", "<=>": "<=>", "<": "<",
	"<=": "<=", ">": ">", ">=": ">=", "and": "AND", "or": "OR", "&": "&", "|": "|", "^": "^", "<<": "<<", ">>": ">>", ">>>": ">>>"}

// call writes a call of the given name.
func (p printer) call(name string, c *plan.Call) string {
	if op := infix[name]; op != "" && len(c.Args) == 2 {
		if text := p.temporal(op, c); text != "" {
			return text
		}
		return "(" + p.expr(c.Args[0]) + " " + op + " " + p.expr(c.Args[1]) + ")"
	}
	switch name {
	case "!=", "<>":
		return "(NOT (" + p.expr(c.Args[0]) + " = " + p.expr(c.Args[1]) + "))"
	case "not", "!":
		return "(NOT " + p.expr(c.Args[0]) + ")"
	case "-":
		return "(- " + p.expr(c.Args[0]) + ")"
	case "positive", "+":
		return "(+ " + p.expr(c.Args[0]) + ")"
	case "~":
		return "~" + p.expr(c.Args[0])
	case "vector_to_array", "array_to_vector":
		return "UDF(" + p.expr(c.Args[0]) + ")"
	case "isnull":
		return "(" + p.expr(c.Args[0]) + " IS NULL)"
	case "isnotnull":
		return "(" + p.expr(c.Args[0]) + " IS NOT NULL)"
	case "assert_true":
		if len(c.Args) == 1 {
			text := p.expr(c.Args[0])
			return name + "(" + text + ", '" + text + "' is not true!)"
		}
	case "in":
		return "(" + p.expr(c.Args[0]) + " IN (" + p.list(c.Args[1:]) + "))"
	case "like":
		return p.like(c)
	case "case":
		return p.caseWhen(c.Args)
	case "if":
		return "(IF(" + p.list(c.Args) + "))"
	case "[]":
		return p.expr(c.Args[0]) + "[" + p.expr(c.Args[1]) + "]"
	case "field", "element_fields":
		return p.field(c)
	case "||":
		return "concat(" + p.list(c.Args) + ")"
	case "extract", "datepart":
		return name + "(" + p.expr(c.Args[0]) + " FROM " + p.list(c.Args[1:]) + ")"
	}
	if text := p.trim(name, c); text != "" {
		return text
	}
	args := withDefaults(name, c.Args)
	switch name {
	case "shuffle", "from_json", "to_json", "schema_of_json", "from_csv", "to_csv", "schema_of_csv", "from_xml", "to_xml", "schema_of_xml":
		args = args[:min(len(args), 1)]
	case "variant_get", "try_variant_get":
		args = args[:min(len(args), 2)]
	case "uuid":
		args = nil
	case "assert_true":
		if len(args) == 1 {
			return name + "(" + p.list(args) + ", '" + printer{}.expr(args[0]) + "' is not true!)"
		}
	case "try_to_time":
		return name + "(to_time(" + p.list(args) + "))"
	}
	if shown, ok := shownAs[name]; ok && (len(args) < 2 || name != "ceil" && name != "floor") {
		name = shown
	}
	distinct := ""
	if c.Distinct {
		distinct = "DISTINCT "
	}
	return name + "(" + distinct + p.list(args) + ")"
}

// temporal writes + and - of dates and times, which are functions of other names in Spark; empty for all others.
func (p printer) temporal(op string, c *plan.Call) string {
	x, y := c.Args[0], c.Args[1]
	s, t := plan.TypeOf(x), plan.TypeOf(y)
	switch {
	case s == nil || t == nil:
		return ""
	case op == "+" && t.Kind == types.KindTime:
		return p.expr(y) + " + " + p.expr(x)
	case (op == "+" || op == "-") && (s.Kind == types.KindTime || t.Kind == types.KindTime):
		return p.expr(x) + " " + op + " " + p.expr(y)
	case op == "*" && t.IsInterval():
		return "(" + p.expr(y) + " * " + p.expr(x) + ")"
	case op != "+" && op != "-":
		return ""
	}
	if op == "+" && (s.IsInterval() || s.IsIntegral() || s.IsNumeric()) {
		x, y, s, t = y, x, t, s
		if t.IsInterval() && s.IsNumeric() || s.IsNumeric() || s.IsInterval() {
			return p.scaled(op, c)
		}
	}
	isTime := s.Kind == types.KindTimestamp || s.Kind == types.KindTimestampNTZ
	switch {
	case s.Kind == types.KindDate && t.IsIntegral():
		return map[string]string{"+": "date_add(", "-": "date_sub("}[op] + p.expr(x) + ", " + p.expr(y) + ")"
	case s.Kind == types.KindDate && t.Kind == types.KindDayTime && t.End == 0 && op == "+":
		return "date_add(" + p.expr(x) + ", extractansiintervaldays(" + p.expr(y) + "))"
	case s.Kind == types.KindDate && t.Kind == types.KindDayTime && t.End == 0:
		return "date_add(" + p.expr(x) + ", (- extractansiintervaldays(" + p.expr(y) + ")))"
	case (isTime || s.Kind == types.KindDate || s.Kind == types.KindString) && (t.IsInterval() || t.Kind == types.KindCalendar):
		return p.expr(x) + " " + op + " " + p.expr(y)
	}
	return ""
}

// scaled is a sum that no rule of dates and times applies to.
func (p printer) scaled(op string, c *plan.Call) string {
	return "(" + p.expr(c.Args[0]) + " " + op + " " + p.expr(c.Args[1]) + ")"
}

var trimSides = map[string]string{"trim": "BOTH", "ltrim": "LEADING", "rtrim": "TRAILING"}

// trim writes the trims that name the characters to take off.
func (p printer) trim(name string, c *plan.Call) string {
	if side := trimSides[name]; side != "" && len(c.Args) == 2 {
		return "TRIM(" + side + " " + p.expr(c.Args[0]) + " FROM " + p.expr(c.Args[1]) + ")"
	}
	return ""
}

func (p printer) like(c *plan.Call) string {
	s := p.expr(c.Args[0]) + " LIKE " + p.expr(c.Args[1])
	if len(c.Args) > 2 {
		s += " ESCAPE '" + p.expr(c.Args[2]) + "'"
	}
	return s
}

func (p printer) field(c *plan.Call) string {
	t := plan.TypeOf(c.Args[0])
	if t.Kind == types.KindArray {
		t = t.Elem
	}
	i := c.Args[1].(*plan.Literal).Value.(int64)
	return p.expr(c.Args[0]) + "." + t.Fields[i].Name
}

func (p printer) caseWhen(args []plan.Expr) string {
	var b strings.Builder
	b.WriteString("CASE")
	for i := 0; i+1 < len(args); i += 2 {
		b.WriteString(" WHEN " + p.expr(args[i]) + " THEN " + p.expr(args[i+1]))
	}
	if len(args)%2 == 1 {
		b.WriteString(" ELSE " + p.expr(args[len(args)-1]))
	}
	return b.String() + " END"
}

// qualifiedPretty adds to a call's own text what was written after it.
func qualifiedPretty(c *plan.Call) string {
	text := c.Pretty
	if i := strings.IndexByte(text, '('); c.Distinct && i > 0 && !strings.Contains(text[i:], "(DISTINCT ") {
		text = text[:i+1] + "DISTINCT " + text[i+1:]
	}
	return printer{}.suffixed(text, c)
}

func (p printer) suffixed(text string, c *plan.Call) string {
	if c.Filter != nil {
		text += " FILTER (WHERE " + p.expr(c.Filter) + ")"
	}
	return text
}

func (p printer) sortOrder(o *plan.SortOrder) string {
	dir, nulls := " ASC", " NULLS LAST"
	if o.Desc {
		dir = " DESC"
	}
	if o.NullsSortFirst() {
		nulls = " NULLS FIRST"
	}
	return p.expr(o.Child) + dir + nulls
}

func (p printer) lambda(l *plan.Lambda) string {
	vars := make([]string, len(l.Params))
	for i, v := range l.Params {
		if vars[i] = "namedlambdavariable()"; v.T == nil {
			vars[i] = v.Name
		}
	}
	return "lambdafunction(" + p.expr(l.Body) + ", " + join(vars) + ")"
}

func (p printer) subquery(s *plan.Subquery) string {
	switch s.Kind {
	case plan.ExistsSubquery:
		return "exists(" + p.outers(s.Plan) + ")"
	case plan.InSubquery:
		if len(s.Values) == 1 {
			return "(" + p.expr(s.Values[0]) + " IN (listquery(" + p.outers(s.Plan) + ")))"
		}
		return "(named_struct(" + p.list(s.Values) + ") IN (listquery(" + p.outers(s.Plan) + ")))"
	}
	return "scalarsubquery(" + p.outers(s.Plan) + ")"
}

// outers lists the columns that a subquery reads of the query around it, each as often as it stands there.
func (p printer) outers(n plan.Node) string {
	var names []plan.Expr
	eachOuter(n, func(c *plan.Attribute) { names = append(names, c) })
	return p.list(names)
}

func (p printer) window(w *plan.Window) string {
	return p.windowFunction(w.Function) + " OVER " + p.windowSpec(w)
}

func (p printer) windowSpec(w *plan.Window) string {
	var parts []string
	if len(w.Partition) > 0 {
		parts = append(parts, "PARTITION BY "+p.list(w.Partition))
	}
	if len(w.Order) > 0 {
		keys := make([]string, len(w.Order))
		for i, o := range w.Order {
			keys[i] = p.sortOrder(o)
		}
		parts = append(parts, "ORDER BY "+join(keys))
	}
	if w.Frame != nil {
		parts = append(parts, p.frame(w))
	}
	return "(" + strings.Join(parts, " ") + ")"
}

func (p printer) windowFunction(e plan.Expr) string {
	c, ok := e.(*plan.Call)
	if ok && c.WindowOnly {
		switch c.Name {
		case "rank", "dense_rank", "percent_rank", "cume_dist":
			if c.Name != "cume_dist" {
				return strings.ToUpper(c.Name) + "()"
			}
		}
	}
	return p.expr(e)
}

func (p printer) frame(w *plan.Window) string {
	f := w.Frame
	kind := "RANGE"
	if f.Rows {
		kind = "ROWS"
	}
	if c, ok := w.Function.(*plan.Call); ok && f.Lower.Offset != nil && (c.Name == "lag" || c.Name == "lead") {
		offset := p.expr(f.Lower.Offset) + " FOLLOWING"
		return kind + " BETWEEN " + offset + " AND " + offset
	}
	return kind + " BETWEEN " + p.bound(f.Lower, "PRECEDING") + " AND " + p.bound(f.Upper, "FOLLOWING")
}

// bound writes one end of a frame; negative offsets lie before the row.
func (p printer) bound(b plan.Bound, side string) string {
	switch {
	case b.Unbounded:
		if b.Reversed {
			side = map[string]string{"PRECEDING": "FOLLOWING", "FOLLOWING": "PRECEDING"}[side]
		}
		return "UNBOUNDED " + side
	case b.Current:
		return "CURRENT ROW"
	}
	if c, ok := b.Offset.(*plan.Call); ok && c.Name == "negative" {
		return p.expr(c.Args[0]) + " PRECEDING"
	}
	return p.expr(b.Offset) + " FOLLOWING"
}
