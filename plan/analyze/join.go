package analyze

import (
	"strings"

	"millrace/errs"
	"millrace/plan"
	"millrace/types"
)

func (a *analyzer) join(n *plan.Join) (plan.Node, error) {
	left, err := a.node(n.Left)
	if err != nil {
		return nil, err
	}
	right, err := a.rightSide(left, n)
	if err != nil {
		return nil, err
	}
	j := &plan.Join{Left: left, Right: right, Type: n.Type, Hint: n.Hint, Lateral: n.Lateral}
	a.joinHint(j)
	switch {
	case n.Natural:
		lefts, rights := a.common(left, right)
		return a.using(j, lefts, rights)
	case len(n.Using) > 0:
		lefts, rights, err := a.usingColumns(j, n.Using)
		if err != nil {
			return nil, err
		}
		return a.using(j, lefts, rights)
	case n.Condition == nil:
		return j, nil
	}
	cond, err := a.expr(a.scope(left, right), n.Condition)
	if err != nil {
		return nil, err
	}
	var ok bool
	if j.Condition, ok = a.boolean(cond); !ok {
		return nil, at(errs.New("JOIN_CONDITION_IS_NOT_BOOLEAN_TYPE", "joinCondition", SQL(cond), "conditionType", `"`+plan.TypeOf(cond).SQL()+`"`),
			originOf(n.Condition))
	}
	if byChance(cond, true) {
		return nil, errs.New("INVALID_NON_DETERMINISTIC_EXPRESSIONS", "sqlExprs", SQL(cond))
	}
	if j.Type == plan.CrossJoin {
		j.Type = plan.InnerJoin
	}
	return a.reachJoin(j)
}

// rightSide resolves a join's right side, which may read the left's columns when it is lateral.
func (a *analyzer) rightSide(left plan.Node, n *plan.Join) (plan.Node, error) {
	if !n.Lateral {
		return a.node(n.Right)
	}
	switch n.Type {
	case plan.InnerJoin, plan.CrossJoin, plan.LeftJoin:
	default:
		return nil, errs.New("INVALID_LATERAL_JOIN_TYPE", "joinType", lateralTypes[n.Type])
	}
	around := a.outer
	a.outer = a.scope(left)
	right, err := a.node(n.Right)
	a.outer = around
	if err == nil {
		err = withinOuterJoins(right)
	}
	return right, err
}

var lateralTypes = map[plan.JoinType]string{plan.RightJoin: "RIGHT OUTER", plan.FullJoin: "FULL OUTER", plan.SemiJoin: "LEFT SEMI", plan.AntiJoin: "LEFT ANTI"}

// reachJoin widens a join's inputs by the hidden columns that its condition reads.
func (a *analyzer) reachJoin(j *plan.Join) (plan.Node, error) {
	all := append(append([]*plan.Attribute(nil), output(j.Left)...), output(j.Right)...)
	var missing []*plan.Attribute
	plan.WalkExpr(j.Condition, func(e plan.Expr) bool {
		if c, ok := e.(*plan.Attribute); ok && !containsID(all, c.ID) {
			missing = append(missing, c)
		}
		return true
	})
	if len(missing) == 0 {
		return j, nil
	}
	wide := a.widenJoin(j, missing)
	if wide == nil {
		return nil, unresolved(all, []string{missing[0].Name})
	}
	n := a.narrow(wide, j)
	a.hidden[n] = a.hiddenOf([]plan.Node{j})
	return n, nil
}

// joinHint takes a broadcast hint on a side into the join.
func (a *analyzer) joinHint(j *plan.Join) {
	if j.Hint != "" {
		return
	}
	if hintOf(j.Right) {
		j.Hint = "BROADCAST_RIGHT"
	} else if hintOf(j.Left) {
		j.Hint = "BROADCAST_LEFT"
	}
}

func hintOf(n plan.Node) bool {
	for {
		switch m := n.(type) {
		case *plan.PlanID:
			n = m.Input
		case *plan.SubqueryAlias:
			n = m.Input
		case *plan.Hint:
			switch strings.ToUpper(m.Name) {
			case "BROADCAST", "BROADCASTJOIN", "MAPJOIN":
				return true
			}
			return false
		default:
			return false
		}
	}
}

// common pairs the columns of a natural join that have the same name. Of several on one side the first stands for all, and a name counts as often as
// both sides have it, as in Spark.
func (a *analyzer) common(left, right plan.Node) (lefts, rights []*plan.Attribute) {
	rest := append([]*plan.Attribute(nil), output(right)...)
	for _, l := range output(left) {
		for i, r := range rest {
			if a.same(l.Name, r.Name) {
				lefts = append(lefts, a.matches(output(left), nil, l.Name)[0])
				rights = append(rights, a.matches(output(right), nil, r.Name)[0])
				rest = append(rest[:i:i], rest[i+1:]...)
				break
			}
		}
	}
	return lefts, rights
}

// usingColumns finds the columns that USING names.
func (a *analyzer) usingColumns(j *plan.Join, names []string) (lefts, rights []*plan.Attribute, err error) {
	lefts, rights = make([]*plan.Attribute, len(names)), make([]*plan.Attribute, len(names))
	for i, name := range names {
		if lefts[i], err = a.usingColumn(output(j.Left), name, "left"); err != nil {
			return nil, nil, err
		}
		if rights[i], err = a.usingColumn(output(j.Right), name, "right"); err != nil {
			return nil, nil, err
		}
	}
	return lefts, rights, nil
}

// using joins on equal columns, which come first in the output and once; the others stay nameable by their qualifiers.
func (a *analyzer) using(j *plan.Join, lefts, rights []*plan.Attribute) (plan.Node, error) {
	for i := range lefts {
		eq, err := a.apply("=", nil, lefts[i], rights[i])
		if err != nil {
			return nil, err
		}
		if j.Condition == nil {
			j.Condition = eq
		} else if j.Condition, err = a.apply("and", nil, j.Condition, eq); err != nil {
			return nil, err
		}
	}
	if len(lefts) > 0 && j.Type == plan.CrossJoin {
		j.Type = plan.InnerJoin
	}
	if j.Type == plan.SemiJoin || j.Type == plan.AntiJoin {
		return j, nil
	}
	return a.usingOutput(j, lefts, rights)
}

func (a *analyzer) usingOutput(j *plan.Join, lefts, rights []*plan.Attribute) (plan.Node, error) {
	var exprs []plan.Expr
	var hidden []*plan.Attribute
	out := output(j)
	by := func(id plan.ID) *plan.Attribute {
		for _, c := range out {
			if c.ID == id {
				return c
			}
		}
		return nil
	}
	for i := range lefts {
		l, r := by(lefts[i].ID), by(rights[i].ID)
		switch j.Type {
		case plan.RightJoin:
			exprs, hidden = append(exprs, r), append(hidden, l)
		case plan.FullJoin:
			both, err := a.apply("coalesce", nil, l, r)
			if err != nil {
				return nil, err
			}
			exprs, hidden = append(exprs, a.alias(both, l.Name)), append(hidden, l, r)
		default:
			exprs, hidden = append(exprs, l), append(hidden, r)
		}
	}
	for _, c := range out {
		if !containsID(lefts, c.ID) && !containsID(rights, c.ID) {
			exprs = append(exprs, c)
		}
	}
	p := &plan.Project{Input: j, Exprs: exprs}
	a.hidden[p] = append(hidden, a.hiddenOf([]plan.Node{j.Left, j.Right})...)
	return p, nil
}

func (a *analyzer) usingColumn(cols []*plan.Attribute, name, side string) (*plan.Attribute, error) {
	if found := a.matches(cols, nil, name); len(found) > 0 {
		return found[0], nil // of several the first, as in Spark
	}
	names := make([]string, len(cols))
	for i, c := range cols {
		names[i] = c.Name
	}
	sortStrings(names)
	for i, n := range names {
		names[i] = types.Quote(n)
	}
	return nil, errs.New("UNRESOLVED_USING_COLUMN_FOR_JOIN", "colName", types.Quote(name), "side", side, "suggestion", join(names))
}
