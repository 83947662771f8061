package analyze

import (
	"strings"

	"millrace/errs"
	"millrace/plan"
	"millrace/types"
)

// scope is where the names of an expression are looked up.
type scope struct {
	nodes []plan.Node       // the inputs of the node that holds the expression
	attrs []*plan.Attribute // their columns
	// next is asked when these columns do not have a name: what lies below a projection that ORDER BY looks through.
	next *scope
	// deep is asked first, instead of this scope, inside the arguments of aggregate functions: the input of the aggregation.
	deep     *scope
	laterals *laterals // earlier aliases of the same SELECT
	// generated are the columns of the same SELECT's generators.
	generated []*plan.Attribute
	vars      []*plan.LambdaVar
	outer     *scope // the query around this one
	lenient   bool   // a name that fits several columns here is looked for below instead
	body      bool   // of a function: its parameters' columns are not those of a query around
	inWindow  bool   // the next call is a window's function
	fit       bool   // a column here that has no such field is not meant
}

func newScope(nodes ...plan.Node) *scope {
	s := &scope{nodes: nodes}
	for _, n := range nodes {
		s.attrs = append(s.attrs, output(n)...)
	}
	return s
}

// scope looks names up in the columns of the inputs, then in the queries around this one.
func (a *analyzer) scope(nodes ...plan.Node) *scope {
	s := newScope(nodes...)
	s.outer = a.outer
	return s
}

func (s *scope) with(vars []*plan.LambdaVar) *scope {
	t := *s
	t.vars = append(append([]*plan.LambdaVar(nil), vars...), s.vars...)
	return &t
}

func (a *analyzer) same(x, y string) bool {
	return x == y || !a.conf.CaseSensitive && strings.EqualFold(x, y)
}

// lookup finds a name among columns: catalog.schema.table.column.field…, the longest qualifier first. It returns nil when
// there is none.
func (a *analyzer) lookup(attrs []*plan.Attribute, parts []string) (plan.Expr, error) {
	for q := min(3, len(parts)-1); q >= 0; q-- {
		found := a.matches(attrs, parts[:q], parts[q])
		switch len(found) {
		case 0:
			continue
		case 1:
			return a.fields(spelled(found[0], parts[q]), parts[q+1:])
		}
		return nil, errs.New("AMBIGUOUS_REFERENCE", "name", types.QuoteParts(parts...), "referenceNames", "["+qualifiedNames(found)+"]")
	}
	return nil, nil
}

// spelled is a column under its name as the user wrote it.
func spelled(c *plan.Attribute, name string) *plan.Attribute {
	if c.Name == name {
		return c
	}
	d := *c
	d.Name = name
	return &d
}

func (a *analyzer) matches(attrs []*plan.Attribute, qualifier []string, name string) []*plan.Attribute {
	var found []*plan.Attribute
	for _, c := range attrs {
		if a.same(c.Name, name) && a.qualified(c, qualifier) && !containsID(found, c.ID) {
			found = append(found, c)
		}
	}
	return found
}

func containsID(list []*plan.Attribute, id plan.ID) bool {
	for _, a := range list {
		if a.ID == id {
			return true
		}
	}
	return false
}

// qualified reports whether a column's qualifier ends with the given parts.
func (a *analyzer) qualified(c *plan.Attribute, qualifier []string) bool {
	n := len(c.Qualifier) - len(qualifier)
	if n < 0 {
		return false
	}
	for i, p := range qualifier {
		if !a.same(c.Qualifier[n+i], p) {
			return false
		}
	}
	return true
}

func qualifiedNames(attrs []*plan.Attribute) string {
	names := make([]string, len(attrs))
	for i, c := range attrs {
		names[i] = types.QuoteParts(append(append([]string(nil), c.Qualifier...), c.Name)...)
	}
	return strings.Join(names, ", ")
}

// fields descends from a column into its members by name.
func (a *analyzer) fields(e plan.Expr, names []string) (plan.Expr, error) {
	for _, n := range names {
		var err error
		if e, err = a.extract(e, plan.Str(n)); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// column resolves a name.
func (a *analyzer) column(s *scope, u *plan.UnresolvedAttribute) (plan.Expr, error) {
	for _, v := range s.vars {
		if a.same(v.Name, u.Parts[0]) {
			e, err := a.fields(v, u.Parts[1:])
			return e, at(err, u.Origin)
		}
	}
	e, err := a.visible(s, u)
	if e != nil || err != nil {
		return e, at(err, u.Origin)
	}
	if u.PlanID == nil {
		if e, err = a.lookup(s.generated, u.Parts); e != nil || err != nil {
			return e, at(err, u.Origin)
		}
	}
	if len(u.Parts) == 1 && u.PlanID == nil && !a.parameterFirst(s, u.Parts[0]) {
		if e, ok := a.wordFunction(u.Parts[0], u.Origin); ok {
			return e, nil
		}
	}
	if e, err = s.laterals.find(a, u); e != nil || err != nil {
		return e, at(err, u.Origin)
	}
	if o := s.outer; o != nil { // as in Spark no query further out is looked into
		e, err := a.visible(o, u)
		if err != nil {
			return nil, at(err, u.Origin)
		}
		if e != nil {
			return outerRefs(e)
		}
	}
	if u.PlanID != nil {
		return nil, at(errs.New("CANNOT_RESOLVE_DATAFRAME_COLUMN", "name", `"`+strings.Join(u.Parts, ".")+`"`), u.Origin)
	}
	if e, err := a.parameterNamed(s, u.Parts); e != nil || err != nil {
		return e, at(err, u.Origin)
	}
	if e, err := a.variable(u); e != nil || err != nil {
		return e, at(err, u.Origin)
	}
	return nil, at(a.unresolvedColumn(s, u.Parts), u.Origin)
}

func outerRefs(e plan.Expr) (plan.Expr, error) {
	return plan.TransformExpr(e, func(e plan.Expr) (plan.Expr, error) {
		if c, ok := e.(*plan.Attribute); ok {
			return &plan.Outer{Attr: c}, nil
		}
		return e, nil
	})
}

// visible looks a name up in a scope and what lies below it.
func (a *analyzer) visible(s *scope, u *plan.UnresolvedAttribute) (plan.Expr, error) {
	var unfit error
	for ; s != nil; s = s.next {
		var e plan.Expr
		var err error
		if u.PlanID != nil {
			e, err = a.tied(s.nodes, u)
		} else if e, err = a.lookup(s.attrs, u.Parts); e == nil && err == nil {
			e, err = a.lookup(a.hiddenOf(s.nodes), u.Parts)
		}
		if err != nil && s.lenient && errs.ConditionOf(err) == "AMBIGUOUS_REFERENCE" {
			continue
		}
		if err != nil && s.fit && lacksField(err) {
			unfit = err
			continue
		}
		if e != nil || err != nil {
			return e, err
		}
	}
	return nil, unfit
}

func lacksField(err error) bool {
	c := errs.ConditionOf(err)
	return c == "INVALID_EXTRACT_BASE_FIELD_TYPE" || c == "FIELD_NOT_FOUND"
}

// candidate is a column found under a DataFrame's plan id, and how far below.
type candidate struct {
	expr  plan.Expr
	depth int
}

// tied resolves df.a: the name is looked up in the relation that has df's plan id, and must still be a column of the inputs.
func (a *analyzer) tied(nodes []plan.Node, u *plan.UnresolvedAttribute) (plan.Expr, error) {
	var found []candidate
	for _, n := range nodes {
		found = append(found, a.under(n, u, 0)...)
	}
	if len(found) == 0 {
		return nil, nil
	}
	best := found[0]
	for _, c := range found[1:] {
		switch {
		case c.depth == 0 && best.depth > 0: // an input is nearer than what another was made of
			best = c
		case (c.depth > 0) == (best.depth > 0) && !equal(c.expr, best.expr):
			return nil, errs.New("AMBIGUOUS_COLUMN_REFERENCE", "name", `"`+strings.Join(u.Parts, ".")+`"`)
		}
	}
	return best.expr, nil
}

func (a *analyzer) under(n plan.Node, u *plan.UnresolvedAttribute, depth int) []candidate {
	if p, ok := n.(*plan.PlanID); ok {
		if p.ID != *u.PlanID {
			return a.under(p.Input, u, depth)
		}
		e, err := a.lookup(output(p.Input), u.Parts)
		if e == nil && err == nil {
			e, _ = a.lookup(a.hiddenOf([]plan.Node{p.Input}), u.Parts)
		}
		if e == nil {
			return nil
		}
		return []candidate{{e, depth}}
	}
	children := n.Children()
	if of := a.madeOf[n]; of != nil {
		children = of
	}
	var found []candidate
	for _, c := range children {
		found = append(found, a.under(c, u, depth+1)...)
	}
	if len(found) == 0 {
		return nil
	}
	visible := append(output(n)[:len(output(n)):len(output(n))], a.hiddenOf([]plan.Node{n})...)
	kept := found[:0]
	for _, c := range found {
		if readsOnly(c.expr, visible) {
			kept = append(kept, c)
		}
	}
	return kept
}

// readsOnly reports whether an expression's columns are all among the given ones.
func readsOnly(e plan.Expr, attrs []*plan.Attribute) bool {
	ok := true
	plan.WalkExpr(e, func(e plan.Expr) bool {
		if c, is := e.(*plan.Attribute); is && !containsID(attrs, c.ID) {
			ok = false
		}
		return ok
	})
	return ok
}

// hiddenOf lists the columns that relations do not show and that may still be named: the keys that USING merged, and where rows come from.
func (a *analyzer) hiddenOf(nodes []plan.Node) []*plan.Attribute {
	var all []*plan.Attribute
	for _, n := range nodes {
		if list, ok := a.hidden[n]; ok {
			all = append(append(all, list...), a.shownThrough(n)...)
			continue
		}
		switch n.(type) {
		case *plan.PlanID, *plan.Project, *plan.Filter, *plan.Sort, *plan.Limit, *plan.Join, *plan.Hint, *plan.Sample, *plan.Repartition:
			all = append(all, a.hiddenOf(n.Children())...)
		default:
			all = append(all, a.shownThrough(n)...)
		}
	}
	return all
}

// variable is the value of a session variable, under the variable's name.
func (a *analyzer) variable(u *plan.UnresolvedAttribute) (plan.Expr, error) {
	if a.conf.Variable == nil {
		return nil, nil
	}
	l, rest := a.conf.Variable(u.Parts)
	if l == nil {
		return nil, nil
	}
	v := *l
	v.Origin = u.Origin
	return a.fields(&v, rest)
}
