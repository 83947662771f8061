package analyze_test

import (
	"testing"

	"millrace/errs"
	"millrace/plan"
	"millrace/plan/analyze"
	"millrace/types"
)

var people = &catalog{tables: map[string]*table{
	"t": {"t", types.Struct(types.Field{Name: "a", Type: types.Long}, types.Field{Name: "b", Type: types.String, Nullable: true})},
	"u": {"u", types.Struct(types.Field{Name: "a", Type: types.Long}, types.Field{Name: "c", Type: types.Double})},
}}

func tagged(id int64, n plan.Node) plan.Node { return &plan.PlanID{Input: n, ID: id} }

func read(id int64, name string) plan.Node {
	return tagged(id, &plan.UnresolvedRelation{Parts: []string{name}})
}

func col(id int64, name string) *plan.UnresolvedAttribute {
	return &plan.UnresolvedAttribute{Parts: []string{name}, PlanID: &id}
}

func resolve(t *testing.T, n plan.Node) plan.Node {
	t.Helper()
	r, err := analyze.Analyze(n, people, analyze.Conf{ANSI: true})
	if err != nil {
		t.Fatal(err)
	}
	if !isClosed(r) {
		t.Fatalf("reads what its inputs lack:\n%s", plan.Format(r))
	}
	return r
}

func refused(t *testing.T, condition string, n plan.Node) {
	t.Helper()
	if r, err := analyze.Analyze(n, people, analyze.Conf{ANSI: true}); errs.ConditionOf(err) != condition {
		t.Errorf("got %v, want %s\n%v", err, condition, r)
	}
}

// TestTiedColumns follows df.a through plans by df's plan id.
func TestTiedColumns(t *testing.T) {
	join := &plan.Join{Left: read(1, "t"), Right: read(2, "u"), Condition: plan.Fn("=", col(1, "a"), col(2, "a"))}
	p := resolve(t, tagged(4, &plan.Project{Input: tagged(3, join), Exprs: []plan.Expr{col(2, "a"), col(1, "b")}}))
	if got := plan.Schema(p).String(); got != "struct<a:bigint,b:string>" {
		t.Error(got)
	}

	filtered := tagged(5, &plan.Filter{Input: read(1, "t"), Condition: plan.Fn(">", col(1, "a"), plan.Int(1))})
	resolve(t, &plan.Project{Input: filtered, Exprs: []plan.Expr{col(1, "a")}})
	resolve(t, &plan.Join{Left: filtered, Right: read(2, "u"), Condition: plan.Fn("=", col(1, "a"), col(2, "a"))})

	self := &plan.Join{Left: read(1, "t"), Right: read(1, "t"), Condition: plan.Fn("=", col(1, "a"), col(1, "a"))}
	refused(t, "AMBIGUOUS_COLUMN_REFERENCE", self)
	refused(t, "CANNOT_RESOLVE_DATAFRAME_COLUMN", &plan.Project{Input: read(1, "t"), Exprs: []plan.Expr{col(2, "a")}})
	refused(t, "AMBIGUOUS_REFERENCE", &plan.Project{Input: join, Exprs: []plan.Expr{plan.Col("a")}})
}

// TestSortBelowProjection is df.select("a").orderBy(df.b): the sort reads what the projection dropped.
func TestSortBelowProjection(t *testing.T) {
	p := tagged(2, &plan.Project{Input: read(1, "t"), Exprs: []plan.Expr{plan.Col("a")}})
	for _, key := range []plan.Expr{plan.Col("b"), col(1, "b")} {
		n := resolve(t, tagged(3, &plan.Sort{Input: p, Keys: []*plan.SortOrder{{Child: key}}}))
		if got := plan.Schema(n).String(); got != "struct<a:bigint>" {
			t.Error(got)
		}
	}
}

func TestColumnsOfDataFrames(t *testing.T) {
	base := read(1, "t")
	lit := func(names ...string) *plan.Alias { return &plan.Alias{Child: plan.Int(1), Names: names} }
	for _, c := range []struct {
		node plan.Node
		want string
	}{
		{&plan.WithColumns{Input: base, Aliases: []*plan.Alias{lit("B"), lit("c")}}, "struct<a:bigint,B:int,c:int>"},
		{&plan.RenameColumns{Input: base, Pairs: [][2]string{{"a", "x"}, {"nosuch", "y"}}}, "struct<x:bigint,b:string>"},
		{&plan.DropColumns{Input: base, Names: []string{"B", "nosuch"}}, "struct<a:bigint>"},
		{&plan.DropColumns{Input: base, Exprs: []plan.Expr{col(1, "a")}}, "struct<b:string>"},
		{&plan.ToDF{Input: base, Names: []string{"x", "y"}}, "struct<x:bigint,y:string>"},
		{&plan.Deduplicate{Input: base, Names: []string{"a"}}, "struct<a:bigint,b:string>"},
		{&plan.Deduplicate{Input: base, All: true}, "struct<a:bigint,b:string>"},
		{&plan.ToSchema{Input: base, Schema: types.Struct(types.Field{Name: "b", Type: types.String, Nullable: true})}, "struct<b:string>"},
		{&plan.Aggregate{Input: base, Groups: []plan.Expr{plan.Col("b")}, Exprs: []plan.Expr{plan.Fn("sum", plan.Col("a"))}, DataFrame: true},
			"struct<b:string,sum(a):bigint>"},
		{&plan.SetOp{Left: base, Right: read(2, "u"), All: true, ByName: true, Missing: true}, "struct<a:bigint,b:string,c:double>"},
		{&plan.Stat{Input: base, Name: "fill", Exprs: []plan.Expr{plan.Int(0)}}, "struct<a:bigint,b:string>"},
		{&plan.Stat{Input: base, Name: "drop", Cols: []string{"b"}}, "struct<a:bigint,b:string>"},
		{&plan.Unpivot{Input: read(2, "u"), IDs: []plan.Expr{plan.Col("a")}, Variable: "k", ValueAs: "v"}, "struct<a:bigint,k:string,v:double>"},
		{&plan.Sort{Input: tagged(2, &plan.Aggregate{Input: base, Groups: []plan.Expr{plan.Col("b")}, Exprs: []plan.Expr{plan.Fn("sum", plan.Col("a"))},
			DataFrame: true}), Keys: []*plan.SortOrder{{Child: plan.Fn("max", col(1, "a")), Desc: true}}}, "struct<b:string,sum(a):bigint>"},
	} {
		if got := plan.Schema(resolve(t, c.node)).String(); got != c.want {
			t.Errorf("%s: got %s, want %s", plan.Format(c.node), got, c.want)
		}
	}
}
