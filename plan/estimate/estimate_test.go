package estimate_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"millrace/errs"
	"millrace/plan"
	"millrace/plan/analyze"
	"millrace/plan/estimate"
	"millrace/plan/optimize"
	"millrace/sql"
	"millrace/types"
)

// table knows that each of its columns has the values 1 to rows/step.
type table struct {
	name   string
	schema *types.Type
	rows   int64
	step   map[string]int64
}

func (t *table) Name() string        { return t.name }
func (t *table) Schema() *types.Type { return t.schema }
func (t *table) Format() string      { return "test" }
func (t *table) Rows() int64         { return t.rows }
func (t *table) SizeBytes() int64    { return t.rows * 100 }

func (t *table) ColumnStatistics(i int) (plan.ColumnStatistics, bool) {
	step := t.step[t.schema.Fields[i].Name]
	if step == 0 {
		return plan.ColumnStatistics{}, false
	}
	return plan.ColumnStatistics{Min: int64(1), Max: t.rows / step}, true
}

type catalog map[string]*table

func (c catalog) Relation(r *plan.UnresolvedRelation) (analyze.Relation, error) {
	name := r.Parts[len(r.Parts)-1]
	if t := c[name]; t != nil {
		return analyze.Relation{Table: t, Name: []string{name}}, nil
	}
	return analyze.Relation{}, errs.New("TABLE_OR_VIEW_NOT_FOUND", "relationName", name)
}

func (c catalog) Source(*plan.UnresolvedSource) (plan.Table, error) {
	return nil, errs.Unsupportedf("no sources")
}

// TestRows shows the guesses about queries over the tables that "table NAME rows=N" lines make of "column type [rows of a value]" lines.
func TestRows(t *testing.T) {
	c := catalog{}
	datadriven.RunTest(t, "testdata/rows", func(t *testing.T, d *datadriven.TestData) string {
		if d.Cmd == "table" {
			c.add(t, d)
			return ""
		}
		n, err := sql.ParseStatement(d.Input)
		if err != nil {
			d.Fatalf(t, "%v", err)
		}
		if n, err = analyze.Analyze(n, c, analyze.Conf{ANSI: true, TimeZone: "UTC"}); err != nil {
			d.Fatalf(t, "%v", err)
		}
		if n, err = optimize.Optimize(n, optimize.Options{}); err != nil {
			d.Fatalf(t, "%v", err)
		}
		return fmt.Sprintf("%.0f rows\n", estimate.New().Of(n).Rows)
	})
}

func (c catalog) add(t *testing.T, d *datadriven.TestData) {
	made := &table{name: d.CmdArgs[0].Key, step: map[string]int64{}}
	d.ScanArgs(t, "rows", &made.rows)
	var columns []string
	for line := range strings.Lines(d.Input) {
		var name, typ string
		var step int64
		fmt.Sscan(line, &name, &typ, &step)
		columns = append(columns, name+" "+typ)
		made.step[name] = step
	}
	schema, err := sql.ParseSchema(strings.Join(columns, ", "))
	if err != nil {
		d.Fatalf(t, "%v", err)
	}
	made.schema = schema
	c[made.name] = made
}

func (c catalog) Function([]string) (*plan.CreateFunction, error) { return nil, nil }

func (c catalog) In(string) analyze.Catalog { return c }
