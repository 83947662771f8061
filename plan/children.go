package plan

import (
	"sort"

	"millrace/plan/fn"
	"millrace/types"
)

//go:generate go run ./gen

// The functions below gather and put back the sub-trees of one field; children_gen.go calls them.

type tree interface{ comparable }

func collectOne[T tree](c []T, v T) []T {
	var none T
	if v == none {
		return c
	}
	return append(c, v)
}

func replaceOne[T tree](c []T, v *T) []T {
	var none T
	if *v == none {
		return c
	}
	*v = c[0]
	return c[1:]
}

func collectList[T, E any](c []T, list []E) []T {
	for _, e := range list {
		c = append(c, any(e).(T))
	}
	return c
}

func replaceList[T, E any](c []T, list *[]E) []T {
	if len(*list) == 0 {
		return c
	}
	fresh := make([]E, len(*list))
	for i := range fresh {
		fresh[i] = any(c[i]).(E)
	}
	*list = fresh
	return c[len(fresh):]
}

func collectFrame(c []Expr, f *Frame) []Expr {
	if f == nil {
		return c
	}
	for _, b := range []*Bound{&f.Lower, &f.Upper} {
		c = collectOne(collectOne(c, b.Offset), b.Value)
	}
	return c
}

func replaceFrame(c []Expr, f **Frame) []Expr {
	if *f == nil {
		return c
	}
	fresh := **f
	*f = &fresh
	for _, b := range []*Bound{&fresh.Lower, &fresh.Upper} {
		c = replaceOne(replaceOne(c, &b.Offset), &b.Value)
	}
	return c
}

func collectTravel(c []Expr, t *TimeTravel) []Expr {
	if t == nil {
		return c
	}
	return collectOne(c, t.Timestamp)
}

func replaceTravel(c []Expr, t **TimeTravel) []Expr {
	if *t == nil {
		return c
	}
	fresh := **t
	*t = &fresh
	return replaceOne(c, &fresh.Timestamp)
}

func collectCTEs(c []Node, ctes []CTE) []Node {
	for _, e := range ctes {
		c = append(c, e.Query)
	}
	return c
}

func replaceCTEs(c []Node, ctes *[]CTE) []Node {
	fresh := append([]CTE(nil), *ctes...)
	for i := range fresh {
		fresh[i].Query = c[i]
	}
	*ctes = fresh
	return c[len(fresh):]
}

func collectClauses(c []Expr, clauses []*MergeClause) []Expr {
	for _, m := range clauses {
		c = collectList(collectList(collectOne(c, m.Condition), m.Columns), m.Values)
	}
	return c
}

func replaceClauses(c []Expr, clauses *[]*MergeClause) []Expr {
	all := make([]*MergeClause, len(*clauses))
	for i, m := range *clauses {
		fresh := *m
		c = replaceList(replaceList(replaceOne(c, &fresh.Condition), &fresh.Columns), &fresh.Values)
		all[i] = &fresh
	}
	*clauses = all
	return c
}

func collectRows(c []Expr, rows [][]Expr) []Expr {
	for _, r := range rows {
		c = append(c, r...)
	}
	return c
}

func replaceRows(c []Expr, rows *[][]Expr) []Expr {
	fresh := make([][]Expr, len(*rows))
	for i, r := range *rows {
		fresh[i], c = append([]Expr(nil), c[:len(r)]...), c[len(r):]
	}
	*rows = fresh
	return c
}

func sortedKeys(m map[string]Expr) []string {
	keys := make([]string, 0, len(m))
	for k, v := range m {
		if v != nil {
			keys = append(keys, k)
		}
	}
	sort.Strings(keys)
	return keys
}

func collectMap(c []Expr, m map[string]Expr) []Expr {
	for _, k := range sortedKeys(m) {
		c = append(c, m[k])
	}
	return c
}

func replaceMap(c []Expr, m *map[string]Expr) []Expr {
	fresh := make(map[string]Expr, len(*m))
	for k, v := range *m {
		fresh[k] = v
	}
	for i, k := range sortedKeys(*m) {
		fresh[k] = c[i]
	}
	n := len(sortedKeys(*m))
	*m = fresh
	return c[n:]
}

func done[T any](c []T) {
	if len(c) != 0 {
		panic("plan: more children were given than the node has")
	}
}

// HasExprs is a node with expressions of its own; every node of this package is one.
type HasExprs interface {
	Node
	Expressions() []Expr
	WithExpressions([]Expr) Node
}

// TransformExpr rebuilds an expression bottom-up: f sees each node after its children.
func TransformExpr(e Expr, f func(Expr) (Expr, error)) (Expr, error) {
	old := e.Children()
	if len(old) > 0 {
		fresh, changed, err := transformAll(old, func(c Expr) (Expr, error) { return TransformExpr(c, f) })
		if err != nil {
			return nil, err
		}
		if changed {
			e = e.WithChildren(fresh)
		}
	}
	return f(e)
}

// Transform rebuilds a plan bottom-up: f sees each node after its inputs.
func Transform(n Node, f func(Node) (Node, error)) (Node, error) {
	old := n.Children()
	if len(old) > 0 {
		fresh, changed, err := transformAll(old, func(c Node) (Node, error) { return Transform(c, f) })
		if err != nil {
			return nil, err
		}
		if changed {
			n = n.WithChildren(fresh)
		}
	}
	return f(n)
}

// MapSubquery applies f to the plan of a subquery that has one; another expression stays as it is.
func MapSubquery(e Expr, f func(Node) (Node, error)) (Expr, error) {
	q, ok := e.(*Subquery)
	if !ok || q.Plan == nil {
		return e, nil
	}
	inner, err := f(q.Plan)
	if err != nil || inner == q.Plan {
		return e, err
	}
	m := *q
	m.Plan = inner
	return &m, nil
}

// MapExprs rebuilds a node's own expressions by f (called once for each root expression).
func MapExprs(n Node, f func(Expr) (Expr, error)) (Node, error) {
	h, ok := n.(HasExprs)
	if !ok {
		return n, nil
	}
	fresh, changed, err := transformAll(h.Expressions(), f)
	if err != nil || !changed {
		return n, err
	}
	return h.WithExpressions(fresh), nil
}

func transformAll[T comparable](old []T, f func(T) (T, error)) (fresh []T, changed bool, err error) {
	fresh = make([]T, len(old))
	for i, c := range old {
		if fresh[i], err = f(c); err != nil {
			return nil, false, err
		}
		changed = changed || fresh[i] != c
	}
	return fresh, changed, nil
}

// WalkExpr calls f for e and everything below it, parents first; f returns false to skip what is below.
func WalkExpr(e Expr, f func(Expr) bool) {
	if !f(e) {
		return
	}
	for _, c := range e.Children() {
		WalkExpr(c, f)
	}
}

// IsStreaming reports whether a plan that is not yet analysed names a streaming source. Views are names and are not looked into.
func IsStreaming(n Node) bool {
	found := false
	Walk(n, func(n Node) bool {
		switch n := n.(type) {
		case *UnresolvedRelation:
			found = found || n.Streaming
		case *UnresolvedSource:
			found = found || n.Streaming
		}
		return !found
	})
	return found
}

// Walk calls f for n and everything below it, parents first; f returns false to skip what is below.
func Walk(n Node, f func(Node) bool) {
	if !f(n) {
		return
	}
	for _, c := range n.Children() {
		Walk(c, f)
	}
}

// WholeScan reads the first columns of a table, which are those of fields.
func WholeScan(t Table, fields []types.Field) *Scan {
	s := &Scan{Table: t, Attrs: make([]*Attribute, len(fields)), Fields: make([]int, len(fields))}
	for i, f := range fields {
		s.Attrs[i] = &Attribute{ID: ID(i + 1), Name: f.Name, T: f.Type, Null: f.Nullable, Metadata: f.Metadata}
		s.Fields[i] = i
	}
	return s
}

// NullableScan is a WholeScan in which any value may be null, whatever the fields say.
func NullableScan(t Table, fields []types.Field) *Scan {
	s := WholeScan(t, fields)
	for _, a := range s.Attrs {
		a.Null = true
	}
	return s
}

// Fn is a call of an unresolved function or operator.
func Fn(name string, args ...Expr) *UnresolvedFunction {
	return &UnresolvedFunction{Name: []string{name}, Args: args}
}

// Col is an unresolved column.
func Col(parts ...string) *UnresolvedAttribute { return &UnresolvedAttribute{Parts: parts} }

// Str is a string literal.
func Str(s string) *Literal { return &Literal{Value: s, T: types.String} }

// Int is an int literal.
func Int(i int64) *Literal { return &Literal{Value: i, T: types.Integer} }

// BigInt is a bigint literal.
func BigInt(i int64) *Literal { return &Literal{Value: i, T: types.Long} }

// Bool is a boolean literal.
func Bool(b bool) *Literal { return &Literal{Value: b, T: types.Boolean} }

// Type implements Typed.
func (e *Attribute) Type() *types.Type { return e.T }

// Nullable implements Typed.
func (e *Attribute) Nullable() bool { return e.Null }

// Type implements Typed.
func (e *Call) Type() *types.Type { return e.T }

// Nullable implements Typed.
func (e *Call) Nullable() bool { return e.Null }

// Type implements Typed.
func (e *Literal) Type() *types.Type { return e.T }

// Nullable implements Typed.
func (e *Literal) Nullable() bool { return e.Value == nil }

// Type implements Typed.
func (e *LambdaVar) Type() *types.Type { return e.T }

// Nullable implements Typed.
func (e *LambdaVar) Nullable() bool { return e.Null }

// Type implements Typed; nil while the child is unresolved.
func (e *Alias) Type() *types.Type { return TypeOf(e.Child) }

// Nullable implements Typed.
func (e *Alias) Nullable() bool { return IsNullable(e.Child) }

// Type implements Typed.
func (e *Cast) Type() *types.Type { return e.To }

// TypeOf is a resolved expression's type, or nil.
func TypeOf(e Expr) *types.Type {
	if t, ok := e.(Typed); ok {
		return t.Type()
	}
	return nil
}

// IsNullable reports whether a resolved expression may be null; true for unresolved ones.
func IsNullable(e Expr) bool {
	t, ok := e.(Typed)
	return !ok || t.Nullable()
}

// Nullable implements Typed, by Spark's rule: conversions that may fail count as nullable whatever the mode.
func (e *Cast) Nullable() bool {
	from := TypeOf(e.Child)
	return e.Mode == ModeTry || IsNullable(e.Child) || from == nil || fn.CastNullable(from, e.To)
}
