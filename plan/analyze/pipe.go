package analyze

import (
	"strings"

	"millrace/errs"
	"millrace/plan"
	"millrace/types"
)

// pipe resolves the operators of SQL's pipes that are not plain relations.
func (a *analyzer) pipe(n *plan.Pipe) (plan.Node, error) {
	in, err := a.node(n.Input)
	if err != nil {
		return nil, err
	}
	switch n.Op {
	case "EXTEND":
		return a.extend(in, n.Exprs)
	case "SET":
		return a.assign(in, n.Exprs)
	case "DROP":
		names := make([][]string, len(n.Exprs))
		for i, e := range n.Exprs {
			names[i] = e.(*plan.UnresolvedAttribute).Parts
		}
		list, err := a.except(exprsOf(output(in)), names)
		return &plan.Project{Input: in, Exprs: list}, at(err, originOf(n.Exprs[0]))
	case "AGGREGATE":
		return a.pipeAggregate(in, n)
	}
	a.sealed[in] = true
	return in, nil
}

// extend adds columns, which may name those before them.
func (a *analyzer) extend(in plan.Node, exprs []plan.Expr) (plan.Node, error) {
	for _, e := range exprs {
		if s, ok := e.(*plan.UnresolvedStar); ok {
			return nil, at(errs.New("INVALID_USAGE_OF_STAR_OR_REGEX", "elem", "'*'", "prettyName", "expression `pipeexpression`"), s.Origin)
		}
	}
	list, err := a.selectList(a.scope(in), append([]plan.Expr{&plan.UnresolvedStar{}}, exprs...))
	if err != nil {
		return nil, err
	}
	if err := noAggregates(list, "EXTEND"); err != nil {
		return nil, err
	}
	return a.shapeOver(in, list)
}

// assign gives columns new values, one after another.
func (a *analyzer) assign(in plan.Node, exprs []plan.Expr) (plan.Node, error) {
	for _, e := range exprs {
		name := e.(*plan.Alias).Names[0]
		out := output(in)
		old, err := a.lookup(out, []string{name})
		if err != nil {
			return nil, err
		}
		if old == nil {
			return nil, unresolved(out, []string{name})
		}
		value, err := a.selectList(a.scope(in), []plan.Expr{e})
		if err != nil {
			return nil, err
		}
		if err := noAggregates(value, "SET"); err != nil {
			return nil, err
		}
		list := exprsOf(out)
		for i, c := range out {
			if c.ID == old.(*plan.Attribute).ID {
				list[i] = value[0]
			}
		}
		if in, err = a.shapeOver(in, list); err != nil {
			return nil, err
		}
	}
	return in, nil
}

func noAggregates(list []plan.Expr, clause string) error {
	for _, e := range list {
		if c := findAggregate(e); c != nil {
			return at(errs.New("PIPE_OPERATOR_CONTAINS_AGGREGATE_FUNCTION", "expr", qualifiedSQL(c), "clause", clause), c.Origin)
		}
	}
	return nil
}

// pipeAggregate groups: the keys, which numbers name by their places in the input, come first in the output.
func (a *analyzer) pipeAggregate(in plan.Node, n *plan.Pipe) (plan.Node, error) {
	list, err := a.selectList(a.scope(in), n.Exprs)
	if err != nil {
		return nil, err
	}
	for _, e := range list {
		if findAggregate(e) == nil {
			return nil, at(errs.New("PIPE_OPERATOR_AGGREGATE_EXPRESSION_CONTAINS_NO_AGGREGATE_FUNCTION", "expr", Pretty(bare(e))), originOf(e))
		}
	}
	g := &plan.Aggregate{Input: &settled{in}}
	for _, e := range n.Groups {
		key, named := e, e
		if al, ok := e.(*plan.Alias); ok {
			key = al.Child
		}
		if l, ok := key.(*plan.Literal); ok && l.T.Kind == types.KindInteger && l.Value != nil {
			out := output(in)
			i := int(l.Value.(int64))
			if i < 1 || i > len(out) {
				return nil, at(errs.New("GROUP_BY_POS_OUT_OF_RANGE", "index", itoa(i), "size", itoa(len(out))), l.Origin)
			}
			if key = out[i-1]; named == e {
				named = key
			}
			if al, ok := e.(*plan.Alias); ok {
				named = &plan.Alias{Child: key, Names: al.Names}
			}
		}
		g.Groups, g.Exprs = append(g.Groups, key), append(g.Exprs, named)
	}
	g.Exprs = append(g.Exprs, n.Exprs...)
	return a.aggregate(g, nil)
}

// except drops the columns and fields named in * EXCEPT (…).
func (a *analyzer) except(cols []plan.Expr, names [][]string) ([]plan.Expr, error) {
	if len(names) == 0 {
		return cols, nil
	}
	var attrs []*plan.Attribute
	for _, e := range cols {
		if c, ok := e.(*plan.Attribute); ok {
			attrs = append(attrs, c)
		}
	}
	dropped := map[plan.ID][][]string{} // the paths of fields below a column; an empty one is the column itself
	for _, name := range names {
		c, path, err := a.columnAndFields(attrs, name)
		if err != nil {
			return nil, err
		}
		for _, other := range dropped[c.ID] {
			if a.prefix(other, path) || a.prefix(path, other) {
				return nil, errs.New("EXCEPT_OVERLAPPING_COLUMNS", "columns", exceptNames(names))
			}
		}
		dropped[c.ID] = append(dropped[c.ID], path)
	}
	var kept []plan.Expr
	for _, e := range cols {
		c, ok := e.(*plan.Attribute)
		if !ok || dropped[c.ID] == nil {
			kept = append(kept, e)
			continue
		}
		if paths := dropped[c.ID]; len(paths[0]) > 0 {
			less, err := a.withoutFields(c, paths)
			if err != nil {
				return nil, err
			}
			kept = append(kept, a.alias(less, c.Name))
		}
	}
	return kept, nil
}

func exceptNames(names [][]string) string {
	list := make([]string, len(names))
	for i, n := range names {
		list[i] = strings.Join(n, ".")
	}
	return join(list)
}

func (a *analyzer) prefix(short, long []string) bool {
	if len(short) > len(long) {
		return false
	}
	for i, p := range short {
		if !a.same(p, long[i]) {
			return false
		}
	}
	return true
}

// columnAndFields splits a name into the column that it begins with and the fields below it.
func (a *analyzer) columnAndFields(attrs []*plan.Attribute, name []string) (*plan.Attribute, []string, error) {
	e, err := a.lookup(attrs, name)
	if err != nil {
		return nil, nil, err
	}
	depth := 0
	for e != nil {
		switch m := e.(type) {
		case *plan.Attribute:
			return m, name[len(name)-depth:], nil
		case *plan.Call:
			e, depth = m.Args[0], depth+1
			continue
		}
		break
	}
	return nil, nil, unresolved(attrs, name)
}

// withoutFields makes a struct anew without some fields, at any depth. As in Spark a null struct becomes one of nulls.
func (a *analyzer) withoutFields(e plan.Expr, paths [][]string) (plan.Expr, error) {
	t := plan.TypeOf(e)
	if t.Kind != types.KindStruct {
		return nil, errs.New("INVALID_EXTRACT_BASE_FIELD_TYPE", "base", SQL(e), "other", `"`+t.SQL()+`"`)
	}
	var names []string
	var values []plan.Expr
	for _, f := range t.Fields {
		var below [][]string
		whole := false
		for _, p := range paths {
			if a.same(p[0], f.Name) {
				whole = whole || len(p) == 1
				below = append(below, p[1:])
			}
		}
		if whole {
			continue
		}
		v, err := a.field(e, f.Name)
		if err == nil && below != nil {
			v, err = a.withoutFields(v, below)
		}
		if err != nil {
			return nil, err
		}
		names, values = append(names, f.Name), append(values, v)
	}
	return a.structOf(names, values), nil
}
