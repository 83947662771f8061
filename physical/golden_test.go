package physical_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
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
// sampled, which lets orders be cut by ranges, and filters, which lets joins make some. "indeterminate" only lists the stages that are.
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
			show := stages
			if d.Cmd == "indeterminate" {
				show = indeterminate
			}
			text, err := show(t, d, tables)
			if err != nil {
				return err.Error()
			}
			return text
		})
	})
}

func stages(t *testing.T, d *datadriven.TestData, tables catalog) (string, error) {
	q, err := planned(t, d, d.Input, tables)
	if err != nil {
		return "", err
	}
	text := physical.FormatWith(q, func(l physical.Line) string {
		if l.Depth == 0 && q.Stages[l.Stage].Indeterminate {
			return ", indeterminate"
		}
		return ""
	})
	return strings.TrimRight(text, "\n"), nil
}

// indeterminate lists the stages of SQL that are marked; of every file, with the argument "files", or of every line of the input.
func indeterminate(t *testing.T, d *datadriven.TestData, tables catalog) (string, error) {
	names := strings.Split(d.Input, "\n")
	var pattern string
	if d.MaybeScanArgs(t, "files", &pattern) {
		names, _ = filepath.Glob(pattern)
	}
	var b strings.Builder
	for _, name := range names {
		text := name
		if pattern != "" {
			file, err := os.ReadFile(name)
			if err != nil {
				return "", err
			}
			name, text = filepath.Base(name), string(file)
		}
		q, err := planned(t, d, text, tables)
		if err != nil {
			fmt.Fprintf(&b, "%s: %v\n", name, err)
			continue
		}
		var marked []uint32
		for _, s := range q.Stages {
			if s.Indeterminate {
				marked = append(marked, s.Id)
			}
		}
		if pattern != "" {
			fmt.Fprintf(&b, "%s: ", name)
		}
		fmt.Fprintf(&b, "%v of %d\n", marked, len(q.Stages))
	}
	return b.String(), nil
}

func planned(t *testing.T, d *datadriven.TestData, text string, tables catalog) (*physical.Query, error) {
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
		case "files":
		case "filters":
			o.BloomBits = physical.MaxBloomBits
		case "sampled":
			o.Sample = func(_ context.Context, r physical.SampleRequest) ([]byte, int, error) { return nil, r.Parts - 1, nil }
		default:
			d.Fatalf(t, "unknown argument %s", a.Key)
		}
	}
	n, err := sql.ParseStatement(text)
	if err != nil {
		return nil, err
	}
	if n, err = analyze.Analyze(n, tables, analyze.Conf{ANSI: true, TimeZone: "UTC"}); err != nil {
		return nil, err
	}
	if n, err = optimize.Optimize(n, optimize.Options{}); err != nil {
		return nil, err
	}
	return physical.Plan(context.Background(), n, o)
}

func (c catalog) Function([]string) (*plan.CreateFunction, error) { return nil, nil }

func (c catalog) In(string) analyze.Catalog { return c }
