package analyze

import (
	"slices"
	"strings"

	"millrace/errs"
	"millrace/javaregex"
	"millrace/plan"
	"millrace/types"
)

// laterals are the aliases to the left in a SELECT list, by lower-case name.
type laterals struct {
	byName map[string][]*plan.Alias
}

// lateralRef stands for an alias of the same SELECT list until the list is split into projections.
type lateralRef struct{ attr *plan.Attribute }

func (r *lateralRef) Children() []plan.Expr              { return nil }
func (r *lateralRef) WithChildren([]plan.Expr) plan.Expr { return r }
func (r *lateralRef) Type() *types.Type                  { return r.attr.T }
func (r *lateralRef) Nullable() bool                     { return r.attr.Null }

func (l *laterals) find(a *analyzer, u *plan.UnresolvedAttribute) (plan.Expr, error) {
	if l == nil || u.PlanID != nil {
		return nil, nil
	}
	found := l.byName[strings.ToLower(u.Parts[0])]
	switch len(found) {
	case 0:
		return nil, nil
	case 1:
		e, err := a.fields(&lateralRef{found[0].Attribute()}, u.Parts[1:])
		if c, ok := e.(*plan.Call); ok { // a field of the alias
			c.Pretty = "lateralAliasReference(" + u.Parts[len(u.Parts)-1] + ")"
		}
		return e, err
	}
	return nil, errs.New("AMBIGUOUS_LATERAL_COLUMN_ALIAS", "name", types.QuoteParts(u.Parts...), "n", itoa(len(found)))
}

func (l *laterals) add(al *plan.Alias) {
	key := strings.ToLower(al.Names[0])
	l.byName[key] = append(l.byName[key], al)
}

// selectList resolves and names the expressions of a SELECT list.
func (a *analyzer) selectList(s *scope, list []plan.Expr) ([]plan.Expr, error) {
	var out []plan.Expr
	t := *s
	t.laterals = &laterals{byName: map[string][]*plan.Alias{}}
	list, err := a.expandList(s, list)
	if err != nil {
		return nil, err
	}
	made, err := a.generators(&t, list)
	if err != nil {
		return nil, err
	}
	for i, e := range list {
		if made[i] != nil {
			out = append(out, made[i])
			continue
		}
		r, err := a.expr(&t, e)
		if err != nil {
			return nil, err
		}
		if c, ok := r.(*plan.Call); ok && c.Generator {
			g, err := a.generated(&t, e, r)
			if err != nil {
				return nil, err
			}
			out = append(out, g)
			continue
		}
		n, err := a.name(e, r)
		if err != nil {
			return nil, err
		}
		if al, ok := n.(*plan.Alias); ok && len(al.Names) == 1 {
			if _, explicit := e.(*plan.Alias); explicit {
				t.laterals.add(al)
			}
		}
		out = append(out, n)
	}
	return out, nil
}

// name turns a resolved expression of a SELECT list into an Attribute or an Alias.
func (a *analyzer) name(written, resolved plan.Expr) (plan.Expr, error) {
	if al, ok := written.(*plan.Alias); ok {
		if _, generator := generatorIn(resolved); !generator && len(al.Names) > 1 {
			return nil, errs.New("MULTI_ALIAS_WITHOUT_GENERATOR", "expr", SQL(resolved), "names", join(al.Names))
		}
		return &plan.Alias{Child: resolved, Names: al.Names, Metadata: al.Metadata, ID: a.id()}, nil
	}
	if c, ok := resolved.(*plan.Attribute); ok {
		return c, nil
	}
	al := a.alias(resolved, a.autoName(written, resolved))
	if nameIsMade(written, resolved) && al.Names[0] == Pretty(resolved) {
		al.Metadata = types.AutoNamed
	}
	return al, nil
}

// nameIsMade reports whether Spark says of a column without an alias that it made the name, which it does of all but constants and
// what is taken out of a column.
func nameIsMade(written, resolved plan.Expr) bool {
	if _, word := written.(*plan.UnresolvedAttribute); word {
		return false
	}
	switch e := resolved.(type) {
	case *plan.Literal:
		return false
	case *plan.Call:
		return e.Name != "field" && e.Name != "[]" && e.Name != "element_fields" && e.Name != "time_edge" && !e.Generator
	}
	return true
}

// autoName is the name of a column that has no alias.
func (a *analyzer) autoName(written, resolved plan.Expr) string {
	if n, ok := nameOf(written, resolved); ok {
		return n
	}
	if c, ok := written.(*plan.Cast); ok {
		if n, ok := nameOf(c.Child, resolved.(*plan.Cast).Child); ok {
			return n
		}
	}
	if c, ok := resolved.(*plan.Cast); ok {
		if c, ok := c.Child.(*plan.Attribute); ok {
			return c.Name
		}
	}
	return Pretty(resolved)
}

// expandList replaces stars and column patterns by columns.
func (a *analyzer) expandList(s *scope, list []plan.Expr) ([]plan.Expr, error) {
	var out []plan.Expr
	for _, e := range list {
		switch e.(type) {
		case *plan.UnresolvedStar, *plan.UnresolvedRegex:
			cols, err := a.expand(s, e)
			if err != nil {
				return nil, err
			}
			out = append(out, cols...)
		default:
			out = append(out, e)
		}
	}
	return out, nil
}

// expand is the list of columns that a star or a pattern stands for.
func (a *analyzer) expand(s *scope, e plan.Expr) ([]plan.Expr, error) {
	switch e := e.(type) {
	case *plan.UnresolvedStar:
		cols, err := a.star(s, e)
		if err != nil {
			return nil, at(err, e.Origin)
		}
		if cols, err = a.except(cols, e.Except); err != nil {
			return nil, at(err, e.Origin)
		}
		return cols, nil
	case *plan.UnresolvedRegex:
		return a.pattern(s, e)
	}
	return []plan.Expr{e}, nil
}

func (a *analyzer) star(s *scope, e *plan.UnresolvedStar) ([]plan.Expr, error) {
	if e.PlanID != nil {
		for _, n := range s.nodes {
			if p := findPlan(n, *e.PlanID); p != nil {
				return exprsOf(output(p)), nil
			}
		}
		return nil, errs.New("CANNOT_RESOLVE_DATAFRAME_COLUMN", "name", "*")
	}
	if len(e.Target) == 0 {
		return exprsOf(s.attrs), nil
	}
	var cols []plan.Expr
	keys := slices.DeleteFunc(a.hiddenOf(s.nodes), isMetadata)
	for _, list := range [][]*plan.Attribute{keys, s.attrs} {
		for _, c := range list {
			if a.qualified(c, e.Target) {
				cols = append(cols, c)
			}
		}
	}
	if o := s.outer; len(cols) == 0 && o != nil {
		for _, c := range o.attrs {
			if a.qualified(c, e.Target) {
				cols = append(cols, a.alias(&plan.Outer{Attr: c}, c.Name))
			}
		}
	}
	if len(cols) > 0 {
		return cols, nil
	}
	base, err := a.visible(s, &plan.UnresolvedAttribute{Parts: e.Target})
	if err != nil {
		return nil, err
	}
	if base == nil {
		return nil, errs.New("CANNOT_RESOLVE_STAR_EXPAND", "targetString", types.QuoteParts(e.Target...), "columns", columnList(s.attrs))
	}
	t := plan.TypeOf(base)
	if t.Kind != types.KindStruct {
		return nil, errs.Newf(errs.Invalid, "Can only star expand struct data types. Attribute: `List(%s)`.", join(e.Target))
	}
	for _, f := range t.Fields {
		member, err := a.field(base, f.Name)
		if err != nil {
			return nil, err
		}
		cols = append(cols, a.alias(member, f.Name))
	}
	return cols, nil
}

func columnList(attrs []*plan.Attribute) string {
	names := make([]string, len(attrs))
	for i, c := range attrs {
		names[i] = types.Quote(c.Name)
	}
	return join(names)
}

func findPlan(n plan.Node, id int64) plan.Node {
	var found plan.Node
	plan.Walk(n, func(n plan.Node) bool {
		if p, ok := n.(*plan.PlanID); ok && p.ID == id && found == nil {
			found = p
		}
		return found == nil
	})
	return found
}

// pattern is df.colRegex: the whole name must match.
func (a *analyzer) pattern(s *scope, e *plan.UnresolvedRegex) ([]plan.Expr, error) {
	flags := "(?i)"
	if a.conf.CaseSensitive {
		flags = ""
	}
	re, err := javaregex.Compile(flags + "^(?:" + e.Pattern + ")$")
	if err != nil {
		return nil, errs.Unsupportedf("the column pattern %s is not supported: %v", e.Pattern, err)
	}
	attrs := s.attrs
	if e.PlanID != nil {
		for _, n := range s.nodes {
			if p := findPlan(n, *e.PlanID); p != nil {
				attrs = output(p)
			}
		}
	}
	var cols []plan.Expr
	for _, c := range attrs {
		fits, err := re.Match([]byte(c.Name))
		if err != nil {
			return nil, err
		}
		if fits && a.qualified(c, e.Target) {
			cols = append(cols, c)
		}
	}
	return cols, nil
}
