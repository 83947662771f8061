package analyze

import (
	"sort"
	"strings"

	"millrace/errs"
	"millrace/plan"
	"millrace/plan/fn"
	"millrace/types"
)

func sortStrings(list []string) { sort.Strings(list) }

var setOpNames = [...]string{"UNION", "INTERSECT", "EXCEPT"}

// setOp resolves UNION, INTERSECT and EXCEPT: columns pair by place or by name and take their common types.
func (a *analyzer) setOp(n *plan.SetOp) (plan.Node, error) {
	left, err := a.node(n.Left)
	if err != nil {
		return nil, err
	}
	right, err := a.node(n.Right)
	if err != nil {
		return nil, err
	}
	if n.ByName {
		if left, right, err = a.alignByName(left, right, n.Missing); err != nil {
			return nil, err
		}
	}
	name := setOpNames[n.Kind]
	if n.All && n.Kind != plan.UnionOp {
		name += " ALL"
	}
	if left, right, err = a.widenTypes(name, left, right); err != nil {
		return nil, err
	}
	if n.Kind == plan.UnionOp {
		u := a.union(left, right)
		if n.All {
			return u, nil
		}
		return &plan.Distinct{Input: u}, noMaps(output(u))
	}
	if err := checkSetTypes(left); err != nil {
		return nil, err
	}
	if n.All {
		return a.countRows(n.Kind, left, right)
	}
	return a.matchRows(n.Kind, left, right)
}

// union joins inputs of equal types; nested unions are made flat. The output keeps the first input's column ids, so that
// references to it stay valid, except where one stands twice.
func (a *analyzer) union(left, right plan.Node) plan.Node {
	inputs := []plan.Node{left}
	if u, ok := left.(*plan.Union); ok {
		inputs = append([]plan.Node(nil), u.Inputs...)
	}
	inputs = append(inputs, right)
	l, r := output(left), output(right)
	attrs := make([]*plan.Attribute, len(l))
	seen := map[plan.ID]bool{}
	for i, c := range l {
		d := *c
		d.Null = c.Null || r[i].Null
		d.T = mergeNulls(c.T, r[i].T)
		d.Qualifier = nil
		if seen[c.ID] {
			d.ID = a.id()
		}
		seen[d.ID] = true
		attrs[i] = &d
	}
	return &plan.Union{Inputs: inputs, Attrs: attrs}
}

// mergeNulls is a type whose nested parts may be null where either's may.
func mergeNulls(x, y *types.Type) *types.Type {
	if !x.IsNested() || x.Equal(y) {
		return x
	}
	t := *x
	t.ElemNull = x.ElemNull || y.ElemNull
	if x.Elem != nil {
		t.Elem = mergeNulls(x.Elem, y.Elem)
	}
	if x.Key != nil {
		t.Key = mergeNulls(x.Key, y.Key)
	}
	t.Fields = append([]types.Field(nil), x.Fields...)
	for i := range t.Fields {
		t.Fields[i].Nullable = x.Fields[i].Nullable || y.Fields[i].Nullable
		t.Fields[i].Type = mergeNulls(x.Fields[i].Type, y.Fields[i].Type)
	}
	return &t
}

// matchRows is INTERSECT and EXCEPT: distinct rows of the left that have, or lack, an equal row on the right, nulls being equal.
func (a *analyzer) matchRows(kind plan.SetOpKind, left, right plan.Node) (plan.Node, error) {
	j := &plan.Join{Left: left, Right: right, Type: plan.SemiJoin, SetOp: true}
	if kind == plan.ExceptOp {
		j.Type = plan.AntiJoin
	}
	r := output(right)
	for i, l := range output(left) {
		eq, err := a.apply("<=>", nil, l, r[i])
		if err != nil {
			return nil, err
		}
		if j.Condition == nil {
			j.Condition = eq
		} else if j.Condition, err = a.apply("and", nil, j.Condition, eq); err != nil {
			return nil, err
		}
	}
	return &plan.Distinct{Input: j}, nil
}

// checkSetTypes refuses columns whose values cannot be compared.
func checkSetTypes(n plan.Node) error {
	for _, c := range output(n) {
		if !fn.Orderable(c.T) {
			return mapColumn(c)
		}
	}
	return nil
}

// noMaps refuses to remove duplicates of rows with maps or variants.
func noMaps(cols []*plan.Attribute) error {
	for _, c := range cols {
		if fn.HasMap(c.T) || fn.HasVariant(c.T) {
			return mapColumn(c)
		}
	}
	return nil
}

func mapColumn(c *plan.Attribute) error {
	if fn.HasVariant(c.T) {
		return errs.New("UNSUPPORTED_FEATURE.SET_OPERATION_ON_VARIANT_TYPE", "colName", types.Quote(c.Name), "dataType", `"`+c.T.SQL()+`"`)
	}
	return errs.New("UNSUPPORTED_FEATURE.SET_OPERATION_ON_MAP_TYPE", "colName", types.Quote(c.Name), "dataType", `"`+c.T.SQL()+`"`)
}

// countRows is INTERSECT ALL and EXCEPT ALL: each row as often as the smaller count on both sides says, or as its count on the left exceeds that
// on the right.
func (a *analyzer) countRows(kind plan.SetOpKind, left, right plan.Node) (plan.Node, error) {
	marked := func(n plan.Node, l, r int64) plan.Node {
		return &plan.Project{Input: n, Exprs: append(exprsOf(output(n)), a.alias(plan.BigInt(l), "left"), a.alias(plan.BigInt(r), "right"))}
	}
	cols := output(left)
	u := a.union(marked(left, 1, 0), marked(right, 0, 1))
	all := output(u)
	n := len(cols)
	agg := &plan.Aggregate{Input: u, Groups: exprsOf(all[:n]), Exprs: exprsOf(all[:n])}
	var counts []plan.Expr
	for _, c := range all[n:] {
		sum, err := a.apply("sum", nil, c)
		if err != nil {
			return nil, err
		}
		al := a.alias(sum, c.Name)
		agg.Exprs, counts = append(agg.Exprs, al), append(counts, al.Attribute())
	}
	name := "least"
	if kind == plan.ExceptOp {
		name = "-"
	}
	times, err := a.apply(name, nil, counts...)
	if err != nil {
		return nil, err
	}
	rows := &plan.Call{Name: "replicate", Args: []plan.Expr{times}, T: types.Struct(), Generator: true, Options: map[string]string{"rows": "replicate"}}
	return &plan.Project{Input: &plan.Generate{Input: agg, Generator: rows}, Exprs: exprsOf(all[:n])}, nil
}

// widenTypes casts the columns of both inputs to their common types.
func (a *analyzer) widenTypes(op string, left, right plan.Node) (plan.Node, plan.Node, error) {
	l, r := output(left), output(right)
	if len(l) != len(r) {
		return nil, nil, errs.New("NUM_COLUMNS_MISMATCH", "operator", op, "firstNumColumns", itoa(len(l)), "invalidOrdinalNum", "second",
			"invalidNumColumns", itoa(len(r)))
	}
	common := make([]*types.Type, len(l))
	for i := range l {
		if common[i] = a.wider(l[i].T, r[i].T); common[i] == nil {
			return nil, nil, errs.New("INCOMPATIBLE_COLUMN_TYPE", "operator", op, "columnOrdinalNumber", ordinalWord(i), "tableOrdinalNumber", "second",
				"dataType1", `"`+r[i].T.SQL()+`"`, "dataType2", `"`+l[i].T.SQL()+`"`, "hint", "")
		}
	}
	return a.castColumns(left, common), a.castColumns(right, common), nil
}

// wider is the type that holds both, or nil.
func (a *analyzer) wider(x, y *types.Type) *types.Type {
	if x.SameData(y) {
		return mergeNulls(x, y)
	}
	t, _ := fn.CommonType(a.fn, x, y)
	return t
}

func (a *analyzer) castColumns(n plan.Node, to []*types.Type) plan.Node {
	out := output(n)
	exprs := make([]plan.Expr, len(out))
	changed := false
	for i, c := range out {
		exprs[i] = c
		if e := a.castTo(c, to[i]); e != plan.Expr(c) {
			exprs[i] = a.alias(e, c.Name)
			changed = true
		}
	}
	if !changed {
		return n
	}
	return &plan.Project{Input: n, Exprs: exprs}
}

var ordinalWords = [...]string{"first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"}

func ordinalWord(i int) string {
	if i < len(ordinalWords) {
		return ordinalWords[i]
	}
	return itoa(i+1) + "th"
}

// alignByName puts the right input's columns in the left's order; missing ones become nulls when that is allowed.
func (a *analyzer) alignByName(left, right plan.Node, missing bool) (plan.Node, plan.Node, error) {
	l, r := output(left), output(right)
	if err := a.noDuplicates(l); err != nil {
		return nil, nil, err
	}
	if err := a.noDuplicates(r); err != nil {
		return nil, nil, err
	}
	lefts := exprsOf(l)
	var rights []plan.Expr
	for i, c := range l {
		found := a.matches(r, nil, c.Name)
		switch {
		case len(found) > 0:
			right, err := a.likeStruct(found[0], c.T, missing)
			if err != nil {
				return nil, nil, err
			}
			if missing {
				if lefts[i], err = a.likeStruct(c, plan.TypeOf(right), true); err != nil {
					return nil, nil, err
				}
			}
			lefts[i], rights = a.nameIfNew(lefts[i], c), append(rights, a.nameIfNew(right, found[0]))
		case missing:
			rights = append(rights, a.alias(&plan.Literal{T: c.T}, c.Name))
		default:
			return nil, nil, errs.New("UNRESOLVED_COLUMN_AMONG_FIELD_NAMES", "colName", c.Name, "fieldNames", fieldNames(r))
		}
	}
	if missing {
		for _, c := range r {
			if len(a.matches(l, nil, c.Name)) == 0 {
				lefts = append(lefts, a.alias(&plan.Literal{T: c.T}, c.Name))
				rights = append(rights, c)
			}
		}
	}
	return a.projection(left, lefts), a.projection(right, rights), nil
}

// nameIfNew gives the name of a column to what has become of it.
func (a *analyzer) nameIfNew(e plan.Expr, c *plan.Attribute) plan.Expr {
	if e == plan.Expr(c) {
		return e
	}
	return a.alias(e, c.Name)
}

// projection is a Project unless it changes nothing.
func (a *analyzer) projection(n plan.Node, exprs []plan.Expr) plan.Node {
	if sameColumns(output(n), exprs) {
		return n
	}
	return &plan.Project{Input: n, Exprs: exprs}
}

func (a *analyzer) noDuplicates(cols []*plan.Attribute) error {
	seen := map[string]bool{}
	for _, c := range cols {
		key := c.Name
		if !a.conf.CaseSensitive {
			key = strings.ToLower(key)
		}
		if seen[key] {
			return errs.New("COLUMN_ALREADY_EXISTS", "columnName", types.Quote(key))
		}
		seen[key] = true
	}
	return nil
}

func fieldNames(cols []*plan.Attribute) string {
	names := make([]string, len(cols))
	for i, c := range cols {
		names[i] = c.Name
	}
	return join(names)
}
