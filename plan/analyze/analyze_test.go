package analyze_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"millrace/errs"
	"millrace/plan"
	"millrace/plan/analyze"
	"millrace/sql"
	"millrace/types"
)

// table is a table without files.
type table struct {
	name   string
	schema *types.Type
}

func (t *table) Name() string        { return t.name }
func (t *table) Schema() *types.Type { return t.schema }
func (t *table) Format() string      { return "parquet" }
func (t *table) Rows() int64         { return -1 }
func (t *table) SizeBytes() int64    { return -1 }

// catalog is what the scripts define by table and view.
type catalog struct {
	tables map[string]*table
	views  map[string]plan.Node
}

func (c *catalog) Relation(r *plan.UnresolvedRelation) (analyze.Relation, error) {
	name := strings.ToLower(strings.Join(r.Parts, "."))
	if v := c.views[name]; v != nil {
		return analyze.Relation{Name: []string{name}, View: v}, nil
	}
	if t := c.tables[name]; t != nil {
		return analyze.Relation{Name: []string{name}, Table: t}, nil
	}
	return analyze.Relation{}, errs.New("TABLE_OR_VIEW_NOT_FOUND", "relationName", types.QuoteParts(r.Parts...))
}

func (c *catalog) Source(*plan.UnresolvedSource) (plan.Table, error) {
	return nil, errors.New("no sources")
}

// TestAnalyze runs the scripts in testdata: table and view define relations; analyze prints the resolved plan, columns the
// output's names and types. What is printed was compared with Spark 4.2.
func TestAnalyze(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		c := &catalog{tables: map[string]*table{}, views: map[string]plan.Node{}}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "table":
				schema, err := sql.ParseSchema(d.Input)
				if err != nil {
					d.Fatalf(t, "%v", err)
				}
				c.tables[d.CmdArgs[0].Key] = &table{d.CmdArgs[0].Key, schema}
				return ""
			case "view":
				v, err := sql.ParseStatement(d.Input)
				if err != nil {
					d.Fatalf(t, "%v", err)
				}
				c.views[d.CmdArgs[0].Key] = v
				return ""
			}
			return run(c, d)
		})
	})
}

func run(c *catalog, d *datadriven.TestData) string {
	var b strings.Builder
	for _, text := range strings.Split(d.Input, ";\n") {
		n, err := sql.ParseStatement(text)
		if err == nil {
			n, err = analyze.Analyze(n, c, analyze.Conf{ANSI: !d.HasArg("legacy"), TimeZone: "UTC"})
		}
		switch {
		case err != nil:
			fmt.Fprintln(&b, where(err)+err.Error())
		case d.Cmd == "plan":
			b.WriteString(plan.Format(n))
		default:
			b.WriteString(columns(n))
		}
	}
	return b.String()
}

// where is the part of the text that an error points at.
func where(err error) string {
	var e *errs.Error
	if errors.As(err, &e) && len(e.Context) > 0 {
		return "at " + e.Context[0].Fragment + ": "
	}
	return ""
}

func columns(n plan.Node) string {
	var parts []string
	for _, f := range plan.Schema(n).Fields {
		s := f.Name + " " + f.Type.String()
		if !f.Nullable {
			s += " not null"
		}
		parts = append(parts, s)
	}
	return strings.Join(parts, "; ") + "\n"
}

func (c *catalog) Function([]string) (*plan.CreateFunction, error) { return nil, nil }

func (c *catalog) In(string) analyze.Catalog { return c }
