package analyze

import (
	"strings"

	"millrace/errs"
	"millrace/plan"
	"millrace/types"
)

// unpivot turns columns into rows: each input row becomes one for every value, which is a column or, in SQL, may be several.
func (a *analyzer) unpivot(n *plan.Unpivot) (plan.Node, error) {
	in, err := a.node(n.Input)
	if err != nil {
		return nil, err
	}
	s := a.scope(in)
	ids, err := a.selectList(s, n.IDs)
	if err != nil {
		return nil, err
	}
	sets, err := a.unpivotValues(s, n, ids)
	if err != nil {
		return nil, err
	}
	if n.SQL {
		ids = a.unpivotIDs(s, sets)
	}
	common, err := a.unpivotTypes(sets)
	if err != nil {
		return nil, err
	}
	names := n.ValueNames
	if names == nil {
		names = []string{n.ValueAs}
	}
	if len(names) != len(common) {
		return nil, errs.New("UNPIVOT_VALUE_SIZE_MISMATCH", "names", itoa(len(names)))
	}
	e := &plan.Expand{Input: in}
	for i, set := range sets {
		list := make([]plan.Expr, 0, len(ids)+1+len(set))
		for _, id := range ids {
			list = append(list, bare(id))
		}
		list = append(list, plan.Str(unpivotLabel(n, i, set)))
		for k, v := range set {
			list = append(list, a.castTo(bare(v), common[k]))
		}
		e.Lists = append(e.Lists, list)
	}
	e.Attrs = a.unpivotAttrs(n, ids, names, e.Lists)
	return a.withoutNulls(n, e, len(ids)+1)
}

// unpivotAttrs are the result's columns: the ids as they are, the variable, and the values.
func (a *analyzer) unpivotAttrs(n *plan.Unpivot, ids []plan.Expr, names []string, lists [][]plan.Expr) []*plan.Attribute {
	var attrs []*plan.Attribute
	for _, id := range ids {
		switch id := id.(type) {
		case *plan.Attribute:
			attrs = append(attrs, id)
		case *plan.Alias:
			attrs = append(attrs, id.Attribute())
		}
	}
	attrs = append(attrs, &plan.Attribute{ID: a.id(), Name: n.Variable, T: types.String})
	for k, name := range names {
		c := &plan.Attribute{ID: a.id(), Name: name, T: plan.TypeOf(lists[0][len(ids)+1+k])}
		for _, list := range lists {
			c.Null = c.Null || plan.IsNullable(list[len(ids)+1+k])
		}
		attrs = append(attrs, c)
	}
	return attrs
}

// withoutNulls drops, where that is asked for, the rows all of whose values are null.
func (a *analyzer) withoutNulls(n *plan.Unpivot, e *plan.Expand, first int) (plan.Node, error) {
	if !n.DropNulls {
		return e, nil
	}
	var cond plan.Expr
	for _, c := range e.Attrs[first:] {
		there, err := a.apply("isnotnull", nil, c)
		if err != nil {
			return nil, err
		}
		if cond == nil {
			cond = there
		} else if cond, err = a.apply("or", nil, cond, there); err != nil {
			return nil, err
		}
	}
	return &plan.Filter{Input: e, Condition: cond}, nil
}

// unpivotLabel is what the variable holds for a value: its label, or its columns' names.
func unpivotLabel(n *plan.Unpivot, i int, set []plan.Expr) string {
	if i < len(n.Labels) && n.Labels[i] != "" {
		return n.Labels[i]
	}
	names := make([]string, len(set))
	for k, v := range set {
		if name, ok := nameOf(v, v); ok {
			names[k] = name
		} else {
			names[k] = Pretty(bare(v))
		}
	}
	return strings.Join(names, "_")
}

// unpivotValues resolves the values, each a list of columns; without any, all columns but the ids.
func (a *analyzer) unpivotValues(s *scope, n *plan.Unpivot, ids []plan.Expr) ([][]plan.Expr, error) {
	var sets [][]plan.Expr
	for _, set := range n.Sets {
		list, err := a.selectList(s, set)
		if err != nil {
			return nil, err
		}
		sets = append(sets, list)
	}
	list, err := a.selectList(s, n.Values)
	if err != nil {
		return nil, err
	}
	if n.Values == nil && n.Sets == nil {
		list = without(s.attrs, ids)
	}
	for _, v := range list {
		sets = append(sets, []plan.Expr{v})
	}
	if len(sets) == 0 {
		return nil, errs.New("UNPIVOT_REQUIRES_VALUE_COLUMNS")
	}
	return sets, nil
}

// unpivotIDs are, in SQL, all columns that are not among the values.
func (a *analyzer) unpivotIDs(s *scope, sets [][]plan.Expr) []plan.Expr {
	var used []plan.Expr
	for _, set := range sets {
		used = append(used, set...)
	}
	return without(s.attrs, used)
}

// without lists the columns that are not among the given ones.
func without(attrs []*plan.Attribute, used []plan.Expr) []plan.Expr {
	var list []plan.Expr
	for _, c := range attrs {
		found := false
		for _, e := range used {
			found = found || equal(c, e)
		}
		if !found {
			list = append(list, c)
		}
	}
	return list
}

// unpivotTypes are the common types of the values, by place.
func (a *analyzer) unpivotTypes(sets [][]plan.Expr) ([]*types.Type, error) {
	common := make([]*types.Type, len(sets[0]))
	for k := range common {
		common[k] = plan.TypeOf(sets[0][k])
		for _, set := range sets[1:] {
			if len(set) != len(common) {
				return nil, errs.New("UNPIVOT_VALUE_SIZE_MISMATCH", "names", itoa(len(common)))
			}
			if common[k] = a.widerUnlessText(common[k], plan.TypeOf(set[k])); common[k] == nil {
				return nil, errs.New("UNPIVOT_VALUE_DATA_TYPE_MISMATCH", "types", shownTypes(sets, k))
			}
		}
	}
	return common, nil
}

// widerUnlessText is the type that holds both, or nil; strings do not become other types, nor others strings.
func (a *analyzer) widerUnlessText(x, y *types.Type) *types.Type {
	if (x.Kind == types.KindString) != (y.Kind == types.KindString) && x.Kind != types.KindNull && y.Kind != types.KindNull {
		return nil
	}
	return a.wider(x, y)
}

func shownTypes(sets [][]plan.Expr, k int) string {
	parts := make([]string, len(sets))
	for i, set := range sets {
		parts[i] = `"` + plan.TypeOf(set[k]).SQL() + `" (` + types.Quote(Pretty(set[k])) + ")"
	}
	return "[" + join(parts) + "]"
}
