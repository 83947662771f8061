package optimize_test

import (
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"millrace/errs"
	"millrace/plan"
	"millrace/plan/analyze"
	"millrace/plan/optimize"
	"millrace/sql"
	"millrace/types"
)

// tables is a catalog of tables by their schemas.
type tables map[string]*types.Type

type table struct {
	name   string
	schema *types.Type
}

func (t table) Name() string        { return t.name }
func (t table) Schema() *types.Type { return t.schema }
func (t table) Format() string      { return "test" }
func (t table) Rows() int64         { return 1000 }
func (t table) SizeBytes() int64    { return 1000 }

func (c tables) Relation(r *plan.UnresolvedRelation) (analyze.Relation, error) {
	name := r.Parts[len(r.Parts)-1]
	if s := c[name]; s != nil {
		return analyze.Relation{Table: table{name, s}, Name: []string{name}}, nil
	}
	return analyze.Relation{}, errs.New("TABLE_OR_VIEW_NOT_FOUND", "relationName", name)
}

func (c tables) Source(*plan.UnresolvedSource) (plan.Table, error) {
	return nil, errs.Unsupportedf("no sources")
}

// TestRules shows, for SQL over the tables that "table" lines make, the plan that comes out.
func TestRules(t *testing.T) {
	catalog := tables{}
	datadriven.RunTest(t, "testdata/rules", func(t *testing.T, d *datadriven.TestData) string {
		if d.Cmd == "table" {
			schema, err := sql.ParseSchema(d.Input)
			if err != nil {
				d.Fatalf(t, "%v", err)
			}
			catalog[d.CmdArgs[0].Key] = schema
			return ""
		}
		n, err := sql.ParseStatement(d.Input)
		if err != nil {
			d.Fatalf(t, "%v", err)
		}
		if n, err = analyze.Analyze(n, catalog, analyze.Conf{ANSI: true, TimeZone: "UTC"}); err != nil {
			d.Fatalf(t, "%v", err)
		}
		before := names(n)
		if n, err = optimize.Optimize(n, optimize.Options{Fold: foldSums}); err != nil {
			return err.Error()
		}
		if after := names(n); after != before {
			d.Fatalf(t, "the output was %s and is %s", before, after)
		}
		return plan.Format(n)
	})
}

func names(n plan.Node) string {
	var list []string
	for _, a := range n.(plan.Resolved).Output() {
		list = append(list, a.Name+" "+a.T.String())
	}
	return strings.Join(list, ", ")
}

// foldSums folds additions of integers, which is enough to see folding at work.
func foldSums(e plan.Expr) (*plan.Literal, error) {
	c, ok := e.(*plan.Call)
	if !ok || c.Name != "+" {
		return nil, nil
	}
	a, aok := c.Args[0].(*plan.Literal).Value.(int64)
	b, bok := c.Args[1].(*plan.Literal).Value.(int64)
	if !aok || !bok {
		return nil, nil
	}
	return &plan.Literal{Value: a + b, T: c.T}, nil
}

func (c tables) Function([]string) (*plan.CreateFunction, error) { return nil, nil }

func (c tables) In(string) analyze.Catalog { return c }
