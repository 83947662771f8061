package engine_test

import (
	"fmt"
	"slices"
	"testing"

	"millrace/plan"
	"millrace/session"
)

// An as-of join by keys alone is done by a window, one with any other condition by a join of pairs. Both find rows that are equally near.
func TestAsOfJoin(t *testing.T) {
	for i, s := range setups {
		if testing.Short() && i > 3 {
			break
		}
		t.Run(s.String(), func(t *testing.T) { asOfJoins(t, newCluster(t, s)) })
	}
}

func asOfJoins(t *testing.T, c *cluster) {
	s := c.session()
	mustAll(t, s, "CREATE TABLE asof_l (id INT, k STRING, t INT) USING delta", "CREATE TABLE asof_r (id INT, k STRING, t INT) USING delta",
		"INSERT INTO asof_l SELECT id, if(id % 11 = 0, null, concat('k', id % 5)), if(id % 13 = 0, null, id * 37 % 400) FROM range(400)",
		"INSERT INTO asof_r SELECT id, if(id % 7 = 0, null, concat('k', id % 6)), if(id % 17 = 0, null, id * 53 % 500) FROM range(300)")
	for _, direction := range []plan.AsOfDirection{plan.AsOfBackward, plan.AsOfForward, plan.AsOfNearest} {
		for kind := range 8 {
			n := plan.AsOfJoin{Direction: direction, Exact: kind&1 == 0, Outer: kind&2 == 0, LeftAsOf: asOfColumn("l", "t"), RightAsOf: asOfColumn("r", "t")}
			if kind&4 == 0 {
				n.Tolerance = plan.Int(9)
			}
			for _, keys := range []plan.Expr{asOfCall("=", asOfColumn("l", "k"), asOfColumn("r", "k")), asOfCall("<=>", asOfColumn("l", "k"), asOfColumn("r", "k")),
				asOfCall("and", asOfCall("<", asOfColumn("l", "id"), plan.Int(200)), asOfCall(">", asOfColumn("r", "id"), plan.Int(100))), plan.Bool(true)} {
				always := asOfCall("isnotnull", asOfCall("+", asOfColumn("l", "id"), asOfColumn("r", "id")))
				window, pairs := asOfDistances(t, c, s, n, keys), asOfDistances(t, c, s, n, asOfCall("and", keys, always))
				if !slices.Equal(window, pairs) {
					t.Errorf("direction %d, kind %d, %s: %d rows and %d\n%.500q\n%.500q", direction, kind, plan.FormatExpr(keys), len(window), len(pairs), window, pairs)
				}
				if n.Outer && len(window) != 400 {
					t.Errorf("an outer join has %d rows", len(window))
				}
			}
		}
	}
}

func asOfColumn(parts ...string) plan.Expr { return &plan.UnresolvedAttribute{Parts: parts} }

func asOfCall(name string, args ...plan.Expr) plan.Expr {
	return &plan.UnresolvedFunction{Name: []string{name}, Args: args}
}

// distances are the rows of the left and how far their matches are away.
func asOfDistances(t *testing.T, c *cluster, s *session.Session, n plan.AsOfJoin, condition plan.Expr) []string {
	t.Helper()
	table := func(name, alias string) plan.Node {
		return &plan.SubqueryAlias{Input: &plan.UnresolvedRelation{Parts: []string{name}}, Name: []string{alias}}
	}
	n.Left, n.Right, n.Condition = table("asof_l", "l"), table("asof_r", "r"), condition
	away := asOfCall("abs", asOfCall("-", asOfColumn("l", "t"), asOfColumn("r", "t")))
	rows := rowsOfNode(t, c, s, &plan.Project{Input: &n, Exprs: []plan.Expr{asOfColumn("l", "id"), asOfColumn("l", "t"), away, asOfCall("isnull", asOfColumn("r", "id"))}})
	slices.Sort(rows)
	return rows
}

// Of rows that are equally near the last one counts, and what the rows hold comes whole.
func TestAsOfJoinTies(t *testing.T) {
	c := newCluster(t, setup{1, false, plenty, true})
	s := c.session()
	n := &plan.AsOfJoin{Left: asOfParsed(t, s, "SELECT * FROM VALUES (3, 'x'), (5, 'y') AS l(t, name)"), Exact: true, LeftAsOf: asOfColumn("l", "t"), RightAsOf: asOfColumn("r", "t"),
		Right: asOfParsed(t, s, "SELECT * FROM VALUES (3, 'a', array(1)), (3, 'b', null), (4, null, array(2)), (6, 'd', array()) AS r(t, name, list)")}
	for direction, want := range [][]string{
		plan.AsOfBackward: {"3 | x | 3 | b | NULL", "5 | y | 4 | NULL | [2]"}, plan.AsOfForward: {"3 | x | 3 | b | NULL", "5 | y | 6 | d | []"},
		plan.AsOfNearest: {"3 | x | 3 | b | NULL", "5 | y | 6 | d | []"}} {
		n.Direction = plan.AsOfDirection(direction)
		got := rowsOfNode(t, c, s, n)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("direction %d: %q, not %q", direction, got, want)
		}
	}
	for wrong, n := range map[string]*plan.AsOfJoin{
		"AS_OF_JOIN.TOLERANCE_IS_NON_NEGATIVE":   {Tolerance: plan.Int(-1)},
		"AS_OF_JOIN.TOLERANCE_IS_UNFOLDABLE":     {Tolerance: asOfColumn("l", "t")},
		"JOIN_CONDITION_IS_NOT_BOOLEAN_TYPE":     {Condition: asOfCall("+", asOfColumn("l", "t"), plan.Int(1))},
		"AMBIGUOUS_REFERENCE":                    {LeftAsOf: asOfColumn("t")},
		"DATATYPE_MISMATCH.BINARY_OP_WRONG_TYPE": {LeftAsOf: asOfColumn("l", "name"), RightAsOf: asOfColumn("r", "name")},
	} {
		n.Left, n.Right = asOfParsed(t, s, "SELECT * FROM VALUES (3, 'x') AS l(t, name)"), asOfParsed(t, s, "SELECT * FROM VALUES (3, 'x') AS r(t, name)")
		if n.LeftAsOf == nil {
			n.LeftAsOf = asOfColumn("l", "t")
		}
		if n.RightAsOf == nil {
			n.RightAsOf = asOfColumn("r", "t")
		}
		if _, err := c.engine.Execute(t.Context(), s, n); condition(err) != wrong {
			t.Errorf("%s: %v", wrong, err)
		}
	}
}

func asOfParsed(t *testing.T, s *session.Session, text string) plan.Node {
	t.Helper()
	n, err := s.Parser().ParseStatement(text)
	if err != nil {
		t.Fatal(fmt.Errorf("%s: %w", text, err))
	}
	return n
}
