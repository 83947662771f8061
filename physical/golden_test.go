package physical_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"millrace/errs"
	"millrace/physical"
	"millrace/plan"
	"millrace/plan/analyze"
	"millrace/plan/optimize"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/sql"
	"millrace/types"
)

// source is a table of a few files of equal size.
type source struct {
	name   string
	schema *types.Type
	files  int
	rows   int64
}

var _ physical.Source = (*source)(nil)

func (s *source) Name() string        { return s.name }
func (s *source) Schema() *types.Type { return s.schema }
func (s *source) Format() string      { return "parquet" }
func (s *source) Rows() int64         { return s.rows }
func (s *source) SizeBytes() int64    { return s.rows * 100 }

func (s *source) PlanScan(context.Context, physical.ScanRequest) (*planpb.FileScan, []*planpb.FileSplit, error) {
	splits := make([]*planpb.FileSplit, s.files)
	for i := range splits {
		splits[i] = &planpb.FileSplit{Path: fmt.Sprint(s.name, "-", i), Length: s.SizeBytes() / int64(s.files)}
	}
	return &planpb.FileScan{Format: "parquet"}, splits, nil
}

type catalog map[string]*source

func (c catalog) Relation(r *plan.UnresolvedRelation) (analyze.Relation, error) {
	if s := c[r.Parts[0]]; s != nil {
		return analyze.Relation{Table: s, Name: r.Parts}, nil
	}
	return analyze.Relation{}, errs.New("TABLE_OR_VIEW_NOT_FOUND", "relationName", r.Parts[0])
}

func (c catalog) Source(*plan.UnresolvedSource) (plan.Table, error) {
	return nil, errs.Unsupportedf("no sources")
}

// dealt gives each of at most so many tasks about the same number of splits.
func dealt(files []*planpb.FileSplit, most int) [][]*planpb.FileSplit {
	out := make([][]*planpb.FileSplit, min(most, len(files)))
	for i, f := range files {
		out[i%len(out)] = append(out[i%len(out)], f)
	}
	return out
}

// TestStages shows the stages of SQL over the tables that "table" lines make. Arguments of "plan": cores, broadcast and pipelined (bytes),
// sampled, which lets orders be cut by ranges, and filters, which lets joins make some.
func TestStages(t *testing.T) {
	tables := catalog{}
	datadriven.Walk(t, "testdata/stages", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			if d.Cmd == "table" {
				s := &source{name: d.CmdArgs[0].Key}
				var rows int
				d.ScanArgs(t, "files", &s.files)
				d.ScanArgs(t, "rows", &rows)
				s.rows = int64(rows)
				var err error
				if s.schema, err = sql.ParseSchema(d.Input); err != nil {
					d.Fatalf(t, "%v", err)
				}
				tables[s.name] = s
				return ""
			}
			text, err := stages(t, d, tables)
			if err != nil {
				return err.Error()
			}
			return text
		})
	})
}

func stages(t *testing.T, d *datadriven.TestData, tables catalog) (string, error) {
	o := physical.Options{Cores: 4, BroadcastBytes: 10 << 20, PipelinedBytes: 1 << 40, Split: dealt}
	for _, a := range d.CmdArgs {
		var n int
		switch a.Key {
		case "cores":
			d.ScanArgs(t, a.Key, &o.Cores)
		case "broadcast":
			d.ScanArgs(t, a.Key, &n)
			o.BroadcastBytes = int64(n)
		case "pipelined":
			d.ScanArgs(t, a.Key, &n)
			o.PipelinedBytes = int64(n)
		case "filters":
			o.BloomBits = physical.MaxBloomBits
		case "sampled":
			o.Sample = func(_ context.Context, r physical.SampleRequest) ([]byte, int, error) { return nil, r.Parts - 1, nil }
		default:
			d.Fatalf(t, "unknown argument %s", a.Key)
		}
	}
	n, err := sql.ParseStatement(d.Input)
	if err != nil {
		return "", err
	}
	if n, err = analyze.Analyze(n, tables, analyze.Conf{ANSI: true, TimeZone: "UTC"}); err != nil {
		return "", err
	}
	if n, err = optimize.Optimize(n, optimize.Options{}); err != nil {
		return "", err
	}
	q, err := physical.Plan(context.Background(), n, o)
	if err != nil {
		return "", err
	}
	return strings.TrimRight(physical.Format(q), "\n"), nil
}

func (c catalog) Function([]string) (*plan.CreateFunction, error) { return nil, nil }

func (c catalog) In(string) analyze.Catalog { return c }
