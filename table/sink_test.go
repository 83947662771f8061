package table

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"millrace/operators"
	"millrace/operators/expr"
	"millrace/planconv"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/table/internal/rows"
	"millrace/types"
	"millrace/vector"
)

// batches is an operator that yields what it is given, then err.
type batches struct {
	list  []*vector.Batch
	types []*types.Type
	err   error
}

func (b *batches) Open(*operators.Ctx) error { return nil }
func (b *batches) Close() error              { return nil }
func (b *batches) Output() []*types.Type     { return b.types }
func (b *batches) Next() (*vector.Batch, error) {
	if len(b.list) == 0 {
		return nil, b.err
	}
	next := b.list[0]
	b.list = b.list[1:]
	return next, nil
}

func taskContext() *operators.Ctx {
	return &operators.Ctx{Ctx: expr.Ctx{Context: context.Background(), Settings: &planpb.Settings{TimeZone: "UTC"}}, Metrics: &operators.Metrics{}}
}

func columnsOf(schema *types.Type) []*planpb.Column {
	var list []*planpb.Column
	for _, f := range schema.Fields {
		list = append(list, &planpb.Column{Name: f.Name, Type: planconv.TypePB(f.Type), Nullable: f.Nullable, Metadata: f.Metadata})
	}
	return list
}

// sinkBatches writes batches and returns the sink's rows as lines of JSON.
func sinkBatches(t *testing.T, plan *planpb.FileSink, schema *types.Type, in operators.Operator) ([]string, error) {
	t.Helper()
	op := &planpb.Operator{Children: []*planpb.Operator{{Output: columnsOf(schema)}}}
	s, err := NewSink(op, plan, in, Env{Settings: &planpb.Settings{TimeZone: "UTC"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Open(taskContext()); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for {
		b, err := s.Next()
		if err != nil {
			_ = s.Close()
			return nil, err
		}
		if b == nil {
			return lines, s.Close()
		}
		lines = append(lines, rows.Lines(b)...)
	}
}

// scanFiles reads splits with the given scan and returns the rows as lines of JSON.
func scanFiles(t *testing.T, scan *planpb.FileScan, output *types.Type, splits []*planpb.FileSplit) []string {
	t.Helper()
	op := &planpb.Operator{Output: columnsOf(output)}
	s, err := NewScan(op, scan, splits, Env{Settings: &planpb.Settings{TimeZone: "UTC"}, Footers: NewFooters(10, 1<<20)})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Open(taskContext()); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var lines []string
	for {
		b, err := s.Next()
		if err != nil {
			t.Fatal(err)
		}
		if b == nil {
			return lines
		}
		lines = append(lines, rows.Lines(b)...)
	}
}

func splitsOf(t *testing.T, pattern string) []*planpb.FileSplit {
	t.Helper()
	files, _ := filepath.Glob(pattern)
	var list []*planpb.FileSplit
	for _, f := range files {
		info, err := os.Stat(f)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, &planpb.FileSplit{Path: f, Size: info.Size(), Length: info.Size()})
	}
	return list
}

func loans(n int) (*vector.Batch, *types.Type) {
	ids, names := make([]int64, n), make([]string, n)
	for i := range ids {
		ids[i], names[i] = int64(i), "n"+strings.Repeat("x", i%3)
	}
	schema := types.Struct(types.Field{Name: "id", Type: types.Long, Nullable: true}, types.Field{Name: "name", Type: types.String, Nullable: true})
	return &vector.Batch{N: n, Cols: []*vector.Vector{vector.FromSlice(types.Long, ids), vector.FromStrings(types.String, names, nil)}}, schema
}

func TestSinkAndScan(t *testing.T) {
	dir := t.TempDir()
	b, schema := loans(5)
	plan := &planpb.FileSink{Format: "parquet", Path: dir, StatsColumns: 32}
	lines, err := sinkBatches(t, plan, schema, &batches{list: []*vector.Batch{b}})
	if err != nil {
		t.Fatal(err)
	}
	if len(lines) != 1 || !strings.Contains(lines[0], `\"minValues\":{\"id\":0,\"name\":\"n\"},\"maxValues\":{\"id\":4,\"name\":\"nxx\"},\"nullCount\":{\"id\":0,\"name\":0}`) {
		t.Fatal(lines)
	}
	scan := &planpb.FileScan{Format: "parquet", Columns: []*planpb.FileColumn{{Name: "NAME"}, {Name: "id"}, {Generated: "row_index"}, {Name: "gone"}}}
	out := types.Struct(schema.Fields[1], schema.Fields[0], types.Field{Name: "r", Type: types.Long}, types.Field{Name: "gone", Type: types.Date})
	got := scanFiles(t, scan, out, splitsOf(t, dir+"/*.parquet"))
	want := `["n",0,0,null] ["nx",1,1,null] ["nxx",2,2,null] ["n",3,3,null] ["nx",4,4,null]`
	if strings.Join(got, " ") != want {
		t.Fatal(got)
	}
}

func TestSinkPartitions(t *testing.T) {
	dir := t.TempDir()
	b, schema := loans(6)
	plan := &planpb.FileSink{Format: "parquet", Path: dir, PartitionColumns: []uint32{1}, StatsColumns: -1}
	lines, err := sinkBatches(t, plan, schema, &batches{list: []*vector.Batch{b}})
	if err != nil || len(lines) != 3 {
		t.Fatal(lines, err)
	}
	files := splitsOf(t, dir+"/name=nx/*.parquet")
	if len(files) != 1 {
		t.Fatal(files)
	}
	files[0].PartitionValues = []*planpb.Literal{planconv.Literal("nx")}
	scan := &planpb.FileScan{Format: "delta", Columns: []*planpb.FileColumn{{Name: "id"}, {Partition: 1}}}
	if got := scanFiles(t, scan, schema, files); strings.Join(got, " ") != `[1,"nx"] [4,"nx"]` {
		t.Fatal(got)
	}
}

func TestSinkLeavesNothingAfterAnError(t *testing.T) {
	dir := t.TempDir()
	b, schema := loans(6)
	plan := &planpb.FileSink{Format: "parquet", Path: dir, TargetFileBytes: 1}
	_, err := sinkBatches(t, plan, schema, &batches{list: []*vector.Batch{b, b}, err: context.DeadlineExceeded})
	if err == nil {
		t.Fatal("no error")
	}
	if left, _ := filepath.Glob(dir + "/*"); len(left) > 0 {
		t.Fatal(left)
	}
}

func TestSplits(t *testing.T) {
	files := []*planpb.FileSplit{{Path: "a", Size: 1 << 30, Length: 1 << 30}, {Path: "b", Size: 10, Length: 10}, {Path: "c.gz", Size: 1 << 30, Length: 1 << 30}}
	lists := Splits(files, 4)
	if len(lists) != 4 {
		t.Fatal(len(lists))
	}
	total, gz := int64(0), 0
	for _, l := range lists {
		for _, s := range l {
			total += s.Length
			if s.Path == "c.gz" {
				gz++
			}
		}
	}
	if total != 2<<30+10 || gz != 1 {
		t.Fatal(total, gz)
	}
	if got := Splits(files[1:2], 8); len(got) != 1 {
		t.Fatal(got)
	}
}

func TestSinkMaxRecordsPerFile(t *testing.T) {
	dir := t.TempDir()
	b, schema := loans(10)
	plan := &planpb.FileSink{Format: "parquet", Path: dir, Options: map[string]string{"maxRecordsPerFile": "3"}}
	lines, err := sinkBatches(t, plan, schema, &batches{list: []*vector.Batch{b}})
	if err != nil || len(lines) != 4 {
		t.Fatal(lines, err)
	}
	scan := &planpb.FileScan{Format: "parquet", Columns: []*planpb.FileColumn{{Name: "id"}}}
	got := scanFiles(t, scan, types.Struct(schema.Fields[0]), splitsOf(t, dir+"/*.parquet"))
	slices.Sort(got)
	if strings.Join(got, "") != "[0][1][2][3][4][5][6][7][8][9]" {
		t.Fatal(got)
	}
}
