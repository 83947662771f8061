package analyze

import (
	"strings"

	"millrace/errs"
	"millrace/plan"
	"millrace/plan/fn"
	"millrace/types"
)

// generatorIn finds a generator call in an expression.
func generatorIn(e plan.Expr) (*plan.Call, bool) {
	var found *plan.Call
	plan.WalkExpr(e, func(e plan.Expr) bool {
		if c, ok := e.(*plan.Call); ok && c.Generator && found == nil {
			found = c
		}
		return found == nil
	})
	return found, found != nil
}

// makesRows reports whether an expression that is not yet resolved is a generator's call.
func (a *analyzer) makesRows(e plan.Expr) bool {
	u, ok := e.(*plan.UnresolvedFunction)
	if !ok {
		return false
	}
	f := fn.Lookup(u.Name[len(u.Name)-1])
	return f != nil && f.Kind == fn.Generator
}

// written is an expression without the names that are given to it.
func written(e plan.Expr) plan.Expr {
	for {
		al, ok := e.(*plan.Alias)
		if !ok {
			return e
		}
		e = al.Child
	}
}

// checkNested refuses a generator inside of another expression of a SELECT list.
func (a *analyzer) checkNested(e plan.Expr) error {
	e = written(e)
	nested := false
	for _, part := range e.Children() {
		nested = nested || a.hasGenerator(part)
	}
	if _, query := e.(*plan.Subquery); query || !nested {
		return nil
	}
	if u, ok := e.(*plan.UnresolvedFunction); ok && u.Name[0] == "[]" && a.makesRows(u.Args[0]) {
		return nil // it is reported as a field that is not there
	}
	return errs.New("UNSUPPORTED_GENERATOR.NESTED_IN_EXPRESSIONS", "expression", SQL(e))
}

// hasGenerator reports whether a generator is called in an expression that is not yet resolved.
func (a *analyzer) hasGenerator(e plan.Expr) bool {
	found := false
	plan.WalkExpr(e, func(e plan.Expr) bool {
		if _, query := e.(*plan.Subquery); query {
			return false
		}
		found = found || a.makesRows(e)
		return !found
	})
	return found
}

// generators resolves the generators of a SELECT list before all else, since the other expressions may read what they make. The rest are
// nil, as are those that read aliases of the list.
func (a *analyzer) generators(s *scope, list []plan.Expr) ([]plan.Expr, error) {
	out := make([]plan.Expr, len(list))
	for i, e := range list {
		if err := a.checkNested(e); err != nil {
			return nil, err
		}
		if !a.makesRows(written(e)) {
			continue
		}
		r, err := a.expr(s, e)
		if err != nil {
			continue
		}
		if out[i], err = a.generated(s, e, r); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// generated makes the columns of a generator in a SELECT list, which stands there under an alias until the list is shaped.
func (a *analyzer) generated(s *scope, e, resolved plan.Expr) (plan.Expr, error) {
	var names []string
	if al, ok := e.(*plan.Alias); ok {
		names = al.Names
	}
	attrs, err := a.generatedColumns(resolved.(*plan.Call), names, false)
	if err != nil {
		return nil, err
	}
	al := a.alias(resolved, "")
	a.made[al.ID] = attrs
	s.generated = append(s.generated, attrs...)
	return al, nil
}

// isMade reports whether a column is a generator's of a SELECT list.
func (a *analyzer) isMade(id plan.ID) bool {
	for _, attrs := range a.made {
		if containsID(attrs, id) {
			return true
		}
	}
	return false
}

// generatedColumns are the columns that a generator makes; its call's type is a struct of them.
func (a *analyzer) generatedColumns(c *plan.Call, names []string, outer bool) ([]*plan.Attribute, error) {
	fields := c.T.Fields
	if len(names) > 0 && len(names) != len(fields) {
		return nil, errs.New("UDTF_ALIAS_NUMBER_MISMATCH", "aliasesSize", itoa(len(fields)), "aliasesNames", strings.Join(names, ","))
	}
	var attrs []*plan.Attribute
	for i, f := range fields {
		if len(names) > 0 {
			f.Name = names[i]
		}
		f.Nullable = f.Nullable || outer
		attrs = append(attrs, a.attribute(f))
	}
	return attrs, nil
}

// extractGenerators turns explode(…) in a SELECT list into a node that makes the rows.
func (a *analyzer) extractGenerators(n plan.Node, outs []plan.Expr) (plan.Node, []plan.Expr, error) {
	var out []plan.Expr
	for _, e := range outs {
		c, ok := generatorIn(e)
		if !ok {
			out = append(out, e)
			continue
		}
		if bare(e) != plan.Expr(c) {
			return nil, nil, errs.New("UNSUPPORTED_GENERATOR.NESTED_IN_EXPRESSIONS", "expression", SQL(bare(e)))
		}
		var attrs []*plan.Attribute
		if al, ok := e.(*plan.Alias); ok {
			attrs = a.made[al.ID]
			if attrs == nil {
				var err error
				if attrs, err = a.generatedColumns(c, al.Names, false); err != nil {
					return nil, nil, err
				}
			}
		}
		n = a.generate(n, c, attrs, false)
		out = append(out, exprsOf(attrs)...)
	}
	return n, out, nil
}

// generate makes the node of a generator. One that makes one row of each is no more than a projection.
func (a *analyzer) generate(in plan.Node, c *plan.Call, attrs []*plan.Attribute, outer bool) plan.Node {
	if c.Options["rows"] == "one" {
		all := a.alias(c, Pretty(c))
		list := exprsOf(output(in))
		for i, col := range attrs {
			f := c.T.Fields[i]
			member := &plan.Call{Name: "field", Args: []plan.Expr{all.Attribute(), plan.Int(int64(i))}, T: f.Type, Null: f.Nullable}
			list = append(list, &plan.Alias{Child: member, Names: []string{col.Name}, ID: col.ID})
		}
		made := &plan.Project{Input: &plan.Project{Input: in, Exprs: append(exprsOf(output(in)), all)}, Exprs: list}
		return &plan.Project{Input: made, Exprs: append(exprsOf(output(in)), exprsOf(attrs)...)} // an alias has no qualifier, a column has
	}
	if c.Options["rows"] == "stack" {
		d := *c
		d.Args = append([]plan.Expr{a.constant(c.Args[0])}, c.Args[1:]...)
		c = &d
	}
	return &plan.Generate{Input: in, Generator: c, Outer: outer || c.Options["outer"] == "true", Attrs: attrs}
}

// lateralView resolves LATERAL VIEW.
func (a *analyzer) lateralView(n *plan.Generate) (plan.Node, error) {
	in, err := a.node(n.Input)
	if err != nil {
		return nil, err
	}
	if err := a.checkNested(n.Generator); err != nil {
		return nil, err
	}
	e, err := a.expr(a.scope(in), n.Generator)
	if err != nil {
		return nil, err
	}
	c, ok := e.(*plan.Call)
	if !ok || !c.Generator {
		name := Pretty(e)
		if u, ok := n.Generator.(*plan.UnresolvedFunction); ok {
			name = u.Name[len(u.Name)-1]
		}
		return nil, errs.New("UNSUPPORTED_GENERATOR.NOT_GENERATOR", "functionName", types.Quote(name), "classCanonicalName",
			"org.apache.spark.sql.catalyst.expressions."+strings.ToUpper(name[:1])+name[1:])
	}
	if err := noFunctions("Generate", c); err != nil {
		return nil, err
	}
	attrs, err := a.generatedColumns(c, n.Names, n.Outer)
	if err != nil {
		return nil, err
	}
	if n.Qualifier != "" {
		for _, c := range attrs {
			c.Qualifier = []string{n.Qualifier}
		}
	}
	return a.generate(in, c, attrs, n.Outer), nil
}

// windowInGenerator reports whether a generator of a SELECT list reads a window function.
func windowInGenerator(outs []plan.Expr) bool {
	found := false
	for _, e := range outs {
		if c, ok := generatorIn(e); ok {
			plan.WalkExpr(c, func(e plan.Expr) bool {
				if _, window := e.(*plan.Window); window {
					found = true
				}
				return !found
			})
		}
	}
	return found
}
