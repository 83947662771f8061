package plan

import "testing"

func TestTransformKeepsAndReplaces(t *testing.T) {
	p := Node(&Filter{Input: &UnresolvedRelation{Parts: []string{"t"}}, Condition: Fn("=", Col("a"), Int(1))})
	same, err := Transform(p, func(n Node) (Node, error) { return n, nil })
	if err != nil || same != p {
		t.Fatal("an identity transformation made a new plan")
	}
	changed, err := Transform(p, func(n Node) (Node, error) {
		return MapExprs(n, func(e Expr) (Expr, error) {
			return TransformExpr(e, func(e Expr) (Expr, error) {
				if _, ok := e.(*UnresolvedAttribute); ok {
					return Col("b"), nil
				}
				return e, nil
			})
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := changed.(*Filter).Condition.(*UnresolvedFunction).Args[0].(*UnresolvedAttribute).Parts[0]; got != "b" {
		t.Errorf("got %s, want b", got)
	}
	if got := p.(*Filter).Condition.(*UnresolvedFunction).Args[0].(*UnresolvedAttribute).Parts[0]; got != "a" {
		t.Errorf("the old plan changed: %s", got)
	}
}
