package analyze

import (
	"millrace/errs"
	"millrace/plan"
	"millrace/types"
)

// asOf is an as-of join on its way to plain relations.
type asOf struct {
	*plan.AsOfJoin
	a           *analyzer
	left, right plan.Node
	l, r        plan.Expr // what is compared, of one type
	tolerance   *plan.Literal
	condition   []plan.Expr // conjuncts besides those of the as-of comparison
}

// asOfJoin rewrites an as-of join. Each row of the left is paired with one row of the right: of those that meet the conditions the
// nearest, and of equally near ones the last.
//
// Where rows of both sides are matched by equal keys alone, both are put into one relation, which is ordered by what is compared within
// each key; a window then finds the last row of the right before each row of the left. That sorts, and spills, and looks at each row
// once. Any other condition asks for pairs: then the sides are joined by it, and the nearest of each left row's matches is kept, as Spark
// always does.
func (a *analyzer) asOfJoin(n *plan.AsOfJoin) (plan.Node, error) {
	j := &asOf{AsOfJoin: n, a: a}
	if err := j.resolve(); err != nil {
		return nil, err
	}
	m, err := j.matching()
	switch {
	case err != nil:
		return nil, err
	case m == nil:
		return j.pairs()
	}
	return m.rows()
}

func (j *asOf) resolve() error {
	a := j.a
	var err error
	if j.left, err = a.node(j.Left); err != nil {
		return err
	}
	if j.right, err = a.node(j.Right); err != nil {
		return err
	}
	both := a.scope(j.left, j.right)
	l, err := a.expr(both, j.LeftAsOf)
	if err != nil {
		return err
	}
	r, err := a.expr(both, j.RightAsOf)
	if err != nil {
		return err
	}
	if _, err := a.apply("-", nil, l, r); err != nil { // by which Spark orders
		return err
	}
	same, err := a.apply(">=", nil, l, r)
	if err != nil {
		return err
	}
	j.l, j.r = same.Args[0], same.Args[1]
	if err := j.resolveTolerance(); err != nil {
		return err
	}
	return j.resolveCondition()
}

func (j *asOf) resolveTolerance() error {
	if j.Tolerance == nil {
		return nil
	}
	a := j.a
	e, err := a.expr(newScope(), j.Tolerance)
	if err != nil {
		return errs.New("AS_OF_JOIN.TOLERANCE_IS_UNFOLDABLE")
	}
	if j.tolerance = a.constant(e); j.tolerance == nil {
		return errs.New("AS_OF_JOIN.TOLERANCE_IS_UNFOLDABLE")
	}
	far, err := a.apply("-", nil, j.l, j.tolerance) // says whether the types fit
	if err != nil {
		return err
	}
	if _, err = a.apply(">=", nil, j.r, far); err != nil {
		return err
	}
	sign, err := a.apply("sign", nil, j.tolerance)
	if err != nil {
		return err
	}
	positive, err := a.apply(">=", nil, sign, plan.Int(0))
	if err != nil {
		return err
	}
	if ok := a.constant(positive); ok == nil || ok.Value != true {
		return errs.New("AS_OF_JOIN.TOLERANCE_IS_NON_NEGATIVE")
	}
	return nil
}

func (j *asOf) resolveCondition() error {
	a := j.a
	for _, name := range j.Using {
		l, err := a.usingColumn(output(j.left), name, "left")
		if err != nil {
			return unresolved(output(j.left), []string{name})
		}
		r, err := a.usingColumn(output(j.right), name, "right")
		if err != nil {
			return unresolved(output(j.right), []string{name})
		}
		eq, err := a.apply("=", nil, l, r)
		if err != nil {
			return err
		}
		j.condition = append(j.condition, eq)
	}
	if j.Condition == nil {
		return nil
	}
	e, err := a.expr(a.scope(j.left, j.right), j.Condition)
	if err != nil {
		return err
	}
	cond, ok := a.boolean(e)
	if !ok {
		return errs.New("JOIN_CONDITION_IS_NOT_BOOLEAN_TYPE", "joinCondition", SQL(e), "conditionType", `"`+plan.TypeOf(e).SQL()+`"`)
	}
	j.condition = append(j.condition, conjuncts(cond)...)
	return nil
}

// comparison is < or >, or with what is equal.
func (j *asOf) comparison(op string) string {
	if j.Exact {
		return op + "="
	}
	return op
}

// near is the condition that a row of the right, whose value is r, lies within the join's direction and tolerance of l.
func (j *asOf) near(l, r plan.Expr) (plan.Expr, error) {
	var conds []plan.Expr
	add := func(op string, x, y plan.Expr) error {
		e, err := j.a.apply(op, nil, x, y)
		conds = append(conds, e)
		return err
	}
	var err error
	switch {
	case j.Direction == plan.AsOfBackward:
		err = add(j.comparison(">"), l, r)
	case j.Direction == plan.AsOfForward:
		err = add(j.comparison("<"), l, r)
	case !j.Exact:
		err = add("<>", l, r)
	default: // any that can be compared
		err = add("=", r, r)
	}
	if err != nil || j.tolerance == nil {
		return j.conjunction(conds, err)
	}
	bound := func(op, sum string) error {
		far, err := j.a.apply(sum, nil, l, j.tolerance)
		if err != nil {
			return err
		}
		return add(j.comparison(op), r, far)
	}
	if j.Direction != plan.AsOfForward {
		err = bound(">", "-")
	}
	if err == nil && j.Direction != plan.AsOfBackward {
		err = bound("<", "+")
	}
	return j.conjunction(conds, err)
}

func (j *asOf) conjunction(conds []plan.Expr, err error) (plan.Expr, error) {
	if err != nil {
		return nil, err
	}
	return j.a.and(conds)
}

// distance is what the nearest row has least of.
func (j *asOf) distance(l, r plan.Expr) (plan.Expr, error) {
	back, err := j.a.apply("-", nil, l, r)
	if err != nil || j.Direction == plan.AsOfBackward {
		return back, err
	}
	forth, err := j.a.apply("-", nil, r, l)
	if err != nil || j.Direction == plan.AsOfForward {
		return forth, err
	}
	behind, err := j.a.apply(">", nil, l, r)
	if err != nil {
		return nil, err
	}
	return j.a.apply("if", nil, behind, back, forth)
}

// packed is a struct of values, whose fields are found again by their places.
func packed(values []plan.Expr) plan.Expr {
	fields := make([]types.Field, len(values))
	for i, e := range values {
		fields[i] = types.Field{Name: "col" + itoa(i+1), Type: plan.TypeOf(e), Nullable: plan.IsNullable(e)}
	}
	return &plan.Call{Name: "struct", Args: values, T: types.Struct(fields...)}
}

func fieldAt(e plan.Expr, i int, null bool) plan.Expr {
	f := plan.TypeOf(e).Fields[i]
	return &plan.Call{Name: "field", Args: []plan.Expr{e, plan.Int(int64(i))}, T: f.Type, Null: null || f.Nullable}
}

// unpacked are the columns of a side again.
func unpacked(packed *plan.Attribute, n plan.Node, null bool) []plan.Expr {
	var out []plan.Expr
	for i := range output(n) {
		out = append(out, fieldAt(packed, i, null))
	}
	return out
}

// joined is the result: of every row in in the columns of the left are lefts, and right is the packed row of the right, which may be null.
func (j *asOf) joined(in plan.Node, lefts []plan.Expr, right *plan.Attribute) (plan.Node, error) {
	if !j.Outer {
		found, err := j.a.apply("isnotnull", nil, right)
		if err != nil {
			return nil, err
		}
		in = &plan.Filter{Input: in, Condition: found}
	}
	// An Expand, because its columns can have the names of relations before theirs.
	out := &plan.Expand{Input: in, Lists: [][]plan.Expr{append(lefts, unpacked(right, j.right, j.Outer)...)}}
	for i, c := range append(output(j.left)[:len(output(j.left)):len(output(j.left))], output(j.right)...) {
		d := *c
		d.Null = c.Null || j.Outer && i >= len(lefts)
		out.Attrs = append(out.Attrs, &d)
	}
	j.a.madeOf[out] = []plan.Node{j.left, j.right}
	return out, nil
}

// pairs joins by the conditions and keeps the nearest match of each row of the left.
func (j *asOf) pairs() (plan.Node, error) {
	a := j.a
	id, err := a.apply("monotonically_increasing_id", nil)
	if err != nil {
		return nil, err
	}
	row := a.alias(id, "row")
	numbered := &plan.Project{Input: j.left, Exprs: append(exprsOf(output(j.left)), row)}
	near, err := j.near(j.l, j.r)
	if err != nil {
		return nil, err
	}
	cond, err := a.and(append([]plan.Expr{near}, j.condition...))
	if err != nil {
		return nil, err
	}
	pairs := &plan.Join{Left: numbered, Right: j.right, Type: plan.LeftJoin, Condition: cond}
	left, err := a.apply("first", nil, packed(exprsOf(output(j.left))))
	if err != nil {
		return nil, err
	}
	far, err := j.distance(j.l, j.r)
	if err != nil {
		return nil, err
	}
	right, err := a.apply("min_by", nil, packed(exprsOf(output(j.right))), far)
	if err != nil {
		return nil, err
	}
	lefts, rights := a.alias(left, "left"), a.alias(right, "right")
	nearest := &plan.Aggregate{Input: pairs, Groups: []plan.Expr{row.Attribute()}, Exprs: []plan.Expr{lefts, rights}}
	return j.joined(nearest, unpacked(lefts.Attribute(), j.left, false), rights.Attribute())
}

// matching is an as-of join of rows that have equal keys.
type matching struct {
	*asOf
	lefts, rights []plan.Expr // the keys
	wanted        []plan.Expr // conditions on rows of the left: others have no match
	present       []plan.Expr // conditions on rows of the right: others are no match
}

// matching sorts the conjuncts; nil when one of them reads both sides otherwise than to compare keys.
func (j *asOf) matching() (*matching, error) {
	m := &matching{asOf: j}
	left, right := output(j.left), output(j.right)
	notNull := []plan.Expr{j.r}
	for _, e := range j.condition {
		l, r, nulls, ok := keysOf(e, left, right)
		switch {
		case nondeterministic(e):
			return nil, nil
		case readsOnly(e, right):
			m.present = append(m.present, e)
		case readsOnly(e, left):
			m.wanted = append(m.wanted, e)
		case !ok:
			return nil, nil
		default:
			m.lefts, m.rights = append(m.lefts, l), append(m.rights, r)
			if !nulls {
				notNull = append(notNull, r)
			}
		}
	}
	for _, e := range notNull {
		c, err := j.a.apply("isnotnull", nil, e)
		if err != nil {
			return nil, err
		}
		m.present = append(m.present, c)
	}
	return m, nil
}

// keysOf are the sides of an equality between a value of the left and one of the right; nulls says that it holds of nulls.
func keysOf(e plan.Expr, left, right []*plan.Attribute) (l, r plan.Expr, nulls, ok bool) {
	c, is := e.(*plan.Call)
	if !is || c.Name != "=" && c.Name != "<=>" {
		return nil, nil, false, false
	}
	l, r = c.Args[0], c.Args[1]
	if !readsOnly(l, left) {
		l, r = r, l
	}
	return l, r, c.Name == "<=>", readsOnly(l, left) && readsOnly(r, right)
}

// together are the rows of both sides in one relation.
type together struct {
	node       plan.Node
	keys       []plan.Expr
	at, number *plan.Attribute   // what is compared; a row's number on the right, null in rows of the left
	left       []*plan.Attribute // the columns of the left, null in rows of the right
	right      *plan.Attribute   // the columns of the right with what is compared and the number behind them, null in rows of the left
}

func (m *matching) rows() (plan.Node, error) {
	t, err := m.together()
	if err != nil {
		return nil, err
	}
	var found []plan.Expr
	if m.Direction != plan.AsOfForward {
		found = append(found, m.nearest(t, false))
	}
	if m.Direction != plan.AsOfBackward {
		found = append(found, m.nearest(t, true))
	}
	ofLeft, err := m.a.apply("isnull", nil, t.number)
	if err != nil {
		return nil, err
	}
	match, err := m.match(t, found)
	if err != nil {
		return nil, err
	}
	right := m.a.alias(match, "right")
	in := &plan.Project{Input: &plan.Filter{Input: t.node, Condition: ofLeft}, Exprs: append(exprsOf(t.left), right)}
	return m.joined(in, exprsOf(t.left), right.Attribute())
}

// together puts both sides into one relation. A row of the left that can have no match compares as null.
func (m *matching) together() (*together, error) {
	a := m.a
	number, err := a.apply("monotonically_increasing_id", nil)
	if err != nil {
		return nil, err
	}
	at := m.l
	for _, cond := range m.wanted {
		if at, err = a.apply("if", nil, cond, at, &plan.Literal{T: plan.TypeOf(at)}); err != nil {
			return nil, err
		}
	}
	numbered, err := a.filterBy(m.right, m.present)
	if err != nil {
		return nil, err
	}
	row := a.alias(number, "number")
	numbered = &plan.Project{Input: numbered, Exprs: append(exprsOf(output(numbered)), row)}
	right := packed(append(exprsOf(output(m.right)), m.r, row.Attribute()))
	lefts := append(append(m.lefts[:len(m.lefts):len(m.lefts)], at, &plan.Literal{T: types.Long}), exprsOf(output(m.left))...)
	lefts = append(lefts, &plan.Literal{T: plan.TypeOf(right)})
	rights := append(m.rights[:len(m.rights):len(m.rights)], m.r, row.Attribute())
	for _, c := range output(m.left) {
		rights = append(rights, &plan.Literal{T: c.T})
	}
	u := a.union(m.named(m.left, lefts), m.named(numbered, append(rights, right)))
	all, n := output(u), len(m.lefts)
	return &together{node: u, keys: exprsOf(all[:n]), at: all[n], number: all[n+1], left: all[n+2 : len(all)-1], right: all[len(all)-1]}, nil
}

// named is a projection whose columns all are new ones.
func (m *matching) named(in plan.Node, exprs []plan.Expr) plan.Node {
	out := make([]plan.Expr, len(exprs))
	for i, e := range exprs {
		out[i] = m.a.alias(e, "col"+itoa(i+1))
	}
	return &plan.Project{Input: in, Exprs: out}
}

// nearest adds the column of the last row of the right that comes before each row, or as early where that counts, or that comes after it.
func (m *matching) nearest(t *together, forward bool) plan.Expr {
	order := []*plan.SortOrder{{Child: t.at, Desc: forward, Nulls: plan.NullsFirst}, {Child: t.number, Nulls: plan.NullsFirst}}
	if m.Exact {
		order[1].Nulls = plan.NullsLast
	}
	last := &plan.Call{Name: "last", Args: []plan.Expr{t.right}, T: t.right.T, Null: true, Aggregate: true, IgnoreNulls: true}
	w := &plan.Window{Function: last, Partition: t.keys, Order: order,
		Frame: &plan.Frame{Rows: true, Lower: plan.Bound{Unbounded: true}, Upper: plan.Bound{Current: true}}}
	node := &plan.WindowNode{Input: t.node}
	t.node = node
	return m.a.windowColumn(node, w)
}

// match chooses between the rows found before and after, and drops one that is too far away.
func (m *matching) match(t *together, found []plan.Expr) (plan.Expr, error) {
	match, err := found[0], error(nil)
	at, number := len(output(m.right)), len(output(m.right))+1
	if len(found) == 2 {
		if match, err = m.nearer(t, found[0], found[1], at, number); err != nil {
			return nil, err
		}
	}
	if m.tolerance == nil {
		return match, nil
	}
	near, err := m.near(t.at, fieldAt(match, at, true))
	if err != nil {
		return nil, err
	}
	return m.a.apply("if", nil, near, match, &plan.Literal{T: plan.TypeOf(match)})
}

// nearer is the nearer of two packed rows, either of which may be null; of equally near ones the later.
func (m *matching) nearer(t *together, before, after plan.Expr, at, number int) (plan.Expr, error) {
	a := m.a
	var err error
	call := func(name string, args ...plan.Expr) plan.Expr {
		if err != nil {
			return nil
		}
		var c plan.Expr
		c, err = a.apply(name, nil, args...)
		return c
	}
	back, forth := call("-", t.at, fieldAt(before, at, true)), call("-", fieldAt(after, at, true), t.at)
	later := call(">", fieldAt(before, number, true), fieldAt(after, number, true))
	tie := call("and", call("=", back, forth), later)
	chosen := call("coalesce", call("or", call("<", back, forth), tie), call("isnull", after))
	return call("if", chosen, before, after), err
}
