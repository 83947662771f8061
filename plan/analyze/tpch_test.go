package analyze_test

import (
	"os"
	"path/filepath"
	"testing"

	"millrace/errs"
	"millrace/plan"
	"millrace/plan/analyze"
	"millrace/sql"
)

var tpch = map[string]string{
	"region": "r_regionkey bigint, r_name string, r_comment string",
	"nation": "n_nationkey bigint, n_name string, n_regionkey bigint, n_comment string",
	"part": "p_partkey bigint, p_name string, p_mfgr string, p_brand string, p_type string, p_size int, p_container string, " +
		"p_retailprice decimal(15,2), p_comment string",
	"supplier": "s_suppkey bigint, s_name string, s_address string, s_nationkey bigint, s_phone string, s_acctbal decimal(15,2), s_comment string",
	"partsupp": "ps_partkey bigint, ps_suppkey bigint, ps_availqty int, ps_supplycost decimal(15,2), ps_comment string",
	"customer": "c_custkey bigint, c_name string, c_address string, c_nationkey bigint, c_phone string, c_acctbal decimal(15,2), " +
		"c_mktsegment string, c_comment string",
	"orders": "o_orderkey bigint, o_custkey bigint, o_orderstatus string, o_totalprice decimal(15,2), o_orderdate date, o_orderpriority string, " +
		"o_clerk string, o_shippriority int, o_comment string",
	"lineitem": "l_orderkey bigint, l_partkey bigint, l_suppkey bigint, l_linenumber int, l_quantity decimal(15,2), l_extendedprice decimal(15,2), " +
		"l_discount decimal(15,2), l_tax decimal(15,2), l_returnflag string, l_linestatus string, l_shipdate date, l_commitdate date, " +
		"l_receiptdate date, l_shipinstruct string, l_shipmode string, l_comment string",
}

// TestTPCH analyses the benchmark's queries, correlated subqueries included.
func TestTPCH(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join("..", "..", "..", "shared", "bench", "tpch", "*.sql"))
	if len(files) == 0 {
		t.Skip("the TPC-H queries are not next to the repository")
	}
	c := &catalog{tables: map[string]*table{}, views: map[string]plan.Node{}}
	for name, ddl := range tpch {
		schema, err := sql.ParseSchema(ddl)
		if err != nil {
			t.Fatal(err)
		}
		c.tables[name] = &table{name, schema}
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range sql.ParseStatements(string(text)) {
			n, err := sql.ParseStatement(q)
			if err != nil {
				t.Fatalf("%s: %v", f, err)
			}
			if cmd, ok := n.(*plan.CreateView); ok {
				c.views[cmd.Name[0]] = cmd.Query
				continue
			}
			r, err := analyze.Analyze(n, c, analyze.Conf{ANSI: true})
			if errs.Is(err, errs.Unsupported) {
				t.Logf("%s: %v", filepath.Base(f), err)
				continue
			}
			if err != nil {
				t.Errorf("%s: %v", filepath.Base(f), err)
				continue
			}
			if !isClosed(r) {
				t.Errorf("%s reads columns that its inputs lack:\n%s", filepath.Base(f), plan.Format(r))
			}
		}
	}
}

// isClosed reports whether every column that a node reads is one of its inputs'.
func isClosed(n plan.Node) bool {
	ok := true
	plan.Walk(n, func(n plan.Node) bool {
		have := map[plan.ID]bool{}
		for _, c := range n.Children() {
			for _, a := range c.(plan.Resolved).Output() {
				have[a.ID] = true
			}
		}
		h, has := n.(plan.HasExprs)
		if !has || len(n.Children()) == 0 {
			return ok
		}
		for _, e := range h.Expressions() {
			plan.WalkExpr(e, func(e plan.Expr) bool {
				switch e := e.(type) {
				case *plan.Attribute:
					ok = ok && have[e.ID]
				case *plan.Subquery:
					ok = ok && isClosed(e.Plan)
				case *plan.UnresolvedAttribute, *plan.UnresolvedFunction, *plan.Outer:
					ok = false
				}
				return ok
			})
		}
		return ok
	})
	return ok
}
