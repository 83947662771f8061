package analyze

import (
	"strings"

	"millrace/errs"
	"millrace/plan"
	"millrace/plan/fn"
	"millrace/types"
)

// relation resolves a name: a CTE of this query first, then what the catalog has.
func (a *analyzer) relation(n *plan.UnresolvedRelation) (plan.Node, error) {
	if len(n.Parts) == 1 && n.Travel == nil {
		if c := a.findCTE(n.Parts[0]); c != nil {
			return a.useCTE(c)
		}
	}
	if n.Travel != nil && n.Travel.Timestamp != nil {
		ts, err := a.expr(newScope(), n.Travel.Timestamp)
		if err != nil {
			return nil, err
		}
		m := *n
		m.Travel = &plan.TimeTravel{Timestamp: a.castTo(ts, types.Timestamp)}
		n = &m
	}
	r, err := a.catalog.Relation(n)
	if err != nil {
		return nil, at(err, n.Origin)
	}
	if r.Table != nil {
		s, err := a.scan(r.Table)
		return named(s, r.Name), err
	}
	view, err := a.view(r)
	if err != nil {
		return nil, err
	}
	return named(view, r.Name), nil
}

func named(n plan.Node, name []string) plan.Node {
	if len(name) == 0 {
		return n
	}
	return &plan.SubqueryAlias{Input: n, Name: name}
}

// view resolves a view's plan apart from the query that uses it.
func (a *analyzer) view(r Relation) (plan.Node, error) {
	if r.Analyzed {
		return a.freshen(r.View)
	}
	if a.depth >= maxDepth {
		return nil, errs.Unsupportedf("views nested more than %d deep are not supported", maxDepth)
	}
	inner := *a
	inner.ctes, inner.outer, inner.refs, inner.depth = nil, nil, nil, a.depth+1
	if r.Within != "" {
		inner.catalog = a.catalog.In(r.Within)
	}
	if r.ANSI != nil {
		own := *a.fn
		inner.conf.ANSI, own.ANSI = *r.ANSI, *r.ANSI
		inner.fn = &own
	}
	out, err := inner.node(r.View)
	if err == nil && r.Promise != nil {
		out, err = inner.promised(out, r)
	}
	a.last, a.lambdas = inner.last, inner.lambdas
	return out, err
}

// promised gives a view's query the columns that the view has by its record.
func (a *analyzer) promised(n plan.Node, r Relation) (plan.Node, error) {
	p := r.Promise
	if p.Mode == "EVOLUTION" {
		return n, p.changed(plan.Schema(n))
	}
	out, taken := output(n), map[string]int{}
	exprs, now := make([]plan.Expr, len(p.Columns)), types.Struct()
	for i, f := range p.Columns {
		c, err := a.viewColumn(out, r, p.Query[i], taken)
		if err != nil {
			return nil, err
		}
		if c, err = a.asPromised(c, f.Type, p.Mode); err != nil {
			return nil, err
		}
		exprs[i] = &plan.Alias{Child: c, Names: []string{f.Name}, ID: a.id(), Metadata: f.Metadata}
		now.Fields = append(now.Fields, types.Field{Name: f.Name, Type: plan.TypeOf(c), Nullable: plan.IsNullable(c), Metadata: f.Metadata})
	}
	return &plan.Project{Input: n, Exprs: exprs}, p.changed(now)
}

func (p *Promise) changed(now *types.Type) error {
	if p.Changed == nil {
		return nil
	}
	return p.Changed(now)
}

// viewColumn finds a column of a view's query by the name that it had when the view was made. Of several of one name each is taken in turn.
func (a *analyzer) viewColumn(out []*plan.Attribute, r Relation, name string, taken map[string]int) (plan.Expr, error) {
	same := strings.EqualFold
	if a.conf.CaseSensitive {
		same = func(x, y string) bool { return x == y }
	}
	want := 0
	for _, n := range r.Promise.Query {
		if same(n, name) {
			want++
		}
	}
	var found []*plan.Attribute
	var names []string
	for _, c := range out {
		if same(c.Name, name) {
			found, names = append(found, c), append(names, c.Name)
		}
	}
	if len(found) != want {
		return nil, errs.New("INCOMPATIBLE_VIEW_SCHEMA_CHANGE", "viewName", types.QuoteParts(r.Name...), "colName", name, "expectedNum", itoa(want),
			"actualCols", "["+strings.Join(names, ",")+"]", "suggestion", r.Promise.Remedy)
	}
	key := strings.ToLower(name)
	taken[key]++
	return found[taken[key]-1], nil
}

func shownName(e plan.Expr) string {
	if c, ok := e.(*plan.Attribute); ok {
		return strings.Join(append(append([]string(nil), c.Qualifier...), c.Name), ".")
	}
	return Pretty(e)
}

// asPromised makes of a column the type that a view has for it.
func (a *analyzer) asPromised(c plan.Expr, t *types.Type, mode string) (plan.Expr, error) {
	from := plan.TypeOf(c)
	if mode == "TYPE EVOLUTION" || from.SameData(t) {
		return c, nil
	}
	cast := &plan.Cast{Child: c, To: t, Mode: plan.ModeANSI}
	if mode == "BINDING" {
		if !fn.CanUpCast(from, t) {
			return nil, errs.New("CANNOT_UP_CAST_DATATYPE", "expression", shownName(c), "sourceType", `"`+from.SQL()+`"`, "targetType", `"`+t.SQL()+`"`,
				"details", "The type path of the target object is:\n\nYou can either add an explicit cast to the input data or choose a higher precision type of the field in the target object")
		}
		return cast, nil
	}
	return cast, a.checkCast(cast)
}

// scan reads all columns of a table.
func (a *analyzer) scan(t plan.Table) (plan.Node, error) {
	fields := t.Schema().Fields
	if s, ok := t.(plan.StreamTable); ok {
		return a.streamScan(s)
	}
	s := &plan.Scan{Table: t, Attrs: make([]*plan.Attribute, len(fields)), Fields: make([]int, len(fields))}
	for i, f := range fields {
		s.Attrs[i], s.Fields[i] = a.attribute(f), i
	}
	return s, nil
}

// streamScan reads a streaming source: of a micro-batch the rows of its span.
func (a *analyzer) streamScan(t plan.StreamTable) (plan.Node, error) {
	s := &plan.StreamScan{Source: t}
	for _, f := range t.Schema().Fields {
		s.Attrs = append(s.Attrs, a.attribute(f))
	}
	if a.conf.Span == nil {
		return s, nil
	}
	rows, err := a.conf.Span(t)
	if err != nil {
		return nil, err
	}
	s.Rows, err = a.node(rows)
	return s, err
}

func (a *analyzer) attribute(f types.Field) *plan.Attribute {
	return &plan.Attribute{ID: a.id(), Name: f.Name, T: f.Type, Null: f.Nullable, Metadata: f.Metadata}
}

func (a *analyzer) source(n *plan.UnresolvedSource) (plan.Node, error) {
	t, err := a.catalog.Source(n)
	if err != nil {
		return nil, err
	}
	return a.scan(t)
}

// cte is a WITH query; its first use takes the resolved plan, later ones take copies.
type cte struct {
	name  string
	query plan.Node
	used  bool
}

func (a *analyzer) with(n *plan.With) (plan.Node, error) {
	frame := map[string]*cte{}
	a.ctes = append(a.ctes, frame)
	defer func() { a.ctes = a.ctes[:len(a.ctes)-1] }()
	for _, c := range n.CTEs {
		key := strings.ToLower(c.Name)
		if frame[key] != nil {
			return nil, errs.New("DUPLICATED_CTE_NAMES", "duplicateNames", types.Quote(c.Name))
		}
		query, err := a.cteQuery(n, c)
		if err != nil {
			return nil, err
		}
		if query, err = a.drawnOnce(query); err != nil {
			return nil, err
		}
		frame[key] = &cte{name: c.Name, query: query}
	}
	return a.node(n.Body)
}

// drawnOnce marks what a WITH query draws, so that all places that read the query see the same. What a recursion draws differs from round to round.
func (a *analyzer) drawnOnce(n plan.Node) (plan.Node, error) {
	recursive := false
	plan.Walk(n, func(n plan.Node) bool {
		_, is := n.(*plan.Recursion)
		recursive = recursive || is
		return !recursive
	})
	if recursive {
		return n, nil
	}
	return plan.Transform(n, func(n plan.Node) (plan.Node, error) {
		return plan.MapExprs(n, func(e plan.Expr) (plan.Expr, error) {
			return plan.TransformExpr(e, func(e plan.Expr) (plan.Expr, error) {
				call, ok := e.(*plan.Call)
				if !ok || !call.Nondetermined || call.Draw != 0 {
					return plan.MapSubquery(e, a.drawnOnce)
				}
				c := *call
				c.Draw = a.id()
				return &c, nil
			})
		})
	})
}

// cteQuery resolves a WITH query.
func (a *analyzer) cteQuery(n *plan.With, c plan.CTE) (plan.Node, error) {
	if n.Recursive && namesRelation(c.Query, c.Name) {
		return a.recursion(c)
	}
	query, err := a.node(c.Query)
	if err != nil || c.Columns == nil {
		return query, err
	}
	return a.renameAll(query, c.Columns, c.Name)
}

func (a *analyzer) findCTE(name string) *cte {
	key := strings.ToLower(name)
	for i := len(a.ctes) - 1; i >= 0; i-- {
		if c := a.ctes[i][key]; c != nil {
			return c
		}
	}
	return nil
}

func (a *analyzer) useCTE(c *cte) (plan.Node, error) {
	query := c.query
	if c.used {
		var err error
		if query, err = a.freshen(query); err != nil {
			return nil, err
		}
	}
	c.used = true
	return named(query, []string{c.name}), nil
}

// subqueryAlias qualifies a relation's columns and may rename them.
func (a *analyzer) subqueryAlias(n *plan.SubqueryAlias) (plan.Node, error) {
	in, err := a.node(n.Input)
	if err != nil {
		return nil, err
	}
	if tvf, ok := n.Input.(*plan.UnresolvedTVF); ok && n.Columns != nil && len(n.Columns) != len(output(in)) {
		return nil, at(errs.New("NUM_TABLE_VALUE_ALIASES_MISMATCH", "funcName", types.Quote(tvf.Name[len(tvf.Name)-1]), "aliasesNum", itoa(len(n.Columns)), "outColsNum", itoa(len(output(in)))), tvf.Origin)
	}
	if n.Columns != nil {
		if in, err = a.renameAll(in, n.Columns, strings.Join(n.Name, ".")); err != nil {
			return nil, err
		}
	}
	return &plan.SubqueryAlias{Input: in, Name: n.Name}, nil
}

// renameAll gives all of a relation's columns new names.
func (a *analyzer) renameAll(in plan.Node, names []string, relation string) (plan.Node, error) {
	out := output(in)
	if len(out) != len(names) {
		return nil, errs.New("ASSIGNMENT_ARITY_MISMATCH", "numTarget", itoa(len(names)), "numExpr", itoa(len(out)))
	}
	exprs := make([]plan.Expr, len(out))
	for i, c := range out {
		exprs[i] = c
		if c.Name != names[i] {
			exprs[i] = a.alias(c, names[i])
		}
	}
	return &plan.Project{Input: in, Exprs: exprs}, nil
}

// local resolves rows that came with the plan: the client's schema, if it gave one, is put on them by casts.
func (a *analyzer) local(n *plan.LocalRelation) (plan.Node, error) {
	m := *n
	schema := n.T
	if schema == nil {
		schema = plan.Schema(n)
	}
	m.Attrs = make([]*plan.Attribute, len(schema.Fields))
	for i, f := range schema.Fields {
		m.Attrs[i] = a.attribute(f)
	}
	m.T = nil
	return &m, nil
}

func (a *analyzer) rangeOf(n *plan.Range) plan.Node {
	m := *n
	m.Attr = &plan.Attribute{ID: a.id(), Name: "id", T: types.Long}
	return &m
}
