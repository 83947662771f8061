package table

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"millrace/errs"
	"millrace/physical"
	"millrace/types"
)

func writeFiles(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// readSource reads all of a source's columns through its plan.
func readSource(t *testing.T, spec SourceSpec, tasks int) (string, []string) {
	t.Helper()
	spec.TimeZone, spec.InferPartitionTypes = "UTC", true
	s, err := OpenSource(context.Background(), spec)
	if err != nil {
		t.Fatal(err)
	}
	fields := make([]int, len(s.Schema().Fields))
	for i := range fields {
		fields[i] = i
	}
	scan, files, err := s.PlanScan(context.Background(), physical.ScanRequest{Fields: fields})
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, splits := range Splits(files, tasks) {
		lines = append(lines, scanFiles(t, scan, s.Schema(), splits)...)
	}
	return s.Schema().String(), lines
}

func TestSourcePartitions(t *testing.T) {
	dir := writeFiles(t, map[string]string{
		"y=2020/s=a%20b/f.csv": "1,x\n", "y=2021/s=__HIVE_DEFAULT_PARTITION__/f.csv": "2,y\n",
		"_SUCCESS": "", "y=2020/.hidden": "no", "y=2020/_temporary/f.csv": "no", "y=2021/s=z/g.csv": "",
	})
	schema, lines := readSource(t, SourceSpec{Format: "csv", Paths: []string{dir}, Options: map[string]string{"inferSchema": "true"}}, 2)
	if schema != "struct<_c0:int,_c1:string,y:int,s:string>" || strings.Join(lines, " ") != `[1,"x",2020,"a b"] [2,"y",2021,null]` {
		t.Fatal(schema, lines)
	}
}

func TestSourceFormats(t *testing.T) {
	dir := writeFiles(t, map[string]string{"a.json": "{\"b\":1,\"a\":\"x\"}\n", "sub/b.json": "{\"c\":1}\n", "t.txt": "l1\n\nl3", "c.csv": "h,i\n1,\n"})
	for _, c := range []struct {
		format, path, schema, rows string
		options                    map[string]string
	}{
		{"json", dir + "/*.json", "struct<a:string,b:bigint>", `["x",1]`, nil},
		{"json", dir + "/{a,sub/b}.json", "struct<a:string,b:bigint,c:bigint>", `["x",1,null] [null,null,1]`, nil},
		{"text", dir + "/t.txt", "struct<value:string>", `["l1"] [""] ["l3"]`, nil},
		{"text", dir + "/t.txt", "struct<value:string>", `["l1\n\nl3"]`, map[string]string{"wholetext": "true"}},
		{"csv", "file://" + dir + "/c.csv", "struct<h:string,i:string>", `["1",null]`, map[string]string{"header": "true"}},
		{"json", dir, "struct<a:string,b:bigint>", `["x",1]`, map[string]string{"pathGlobFilter": "*.json"}},
		{"json", dir, "struct<a:string,b:bigint,c:bigint>", `["x",1,null] [null,null,1]`, map[string]string{"pathGlobFilter": "*.json", "recursiveFileLookup": "true"}},
	} {
		schema, lines := readSource(t, SourceSpec{Format: c.format, Paths: []string{c.path}, Options: c.options}, 1)
		if schema != c.schema || strings.Join(lines, " ") != c.rows {
			t.Errorf("%s %s %v: %s %s", c.format, c.path, c.options, schema, lines)
		}
	}
}

func TestSourceErrors(t *testing.T) {
	dir := writeFiles(t, map[string]string{"e/.x": "", "k/a=1/f.json": "{}", "k/b=1/f.json": "{}", "bad.parquet": "PAR1 this is not one PAR1"})
	for _, c := range []struct{ format, path, condition string }{
		{"csv", dir + "/none", "PATH_NOT_FOUND"},
		{"parquet", dir + "/none/*.parquet", "PATH_NOT_FOUND"},
		{"parquet", dir + "/e", "UNABLE_TO_INFER_SCHEMA"},
		{"json", dir + "/k", "CONFLICTING_PARTITION_COLUMN_NAMES"},
		{"parquet", dir + "/bad.parquet", "FAILED_READ_FILE.CANNOT_READ_FILE_FOOTER"},
		{"hudi", dir, "DATA_SOURCE_NOT_FOUND"},
	} {
		_, err := OpenSource(context.Background(), SourceSpec{Format: c.format, Paths: []string{c.path}})
		if errs.ConditionOf(err) != c.condition {
			t.Errorf("%s %s: %v", c.format, c.path, err)
		}
	}
}

func TestSourceSchema(t *testing.T) {
	dir := writeFiles(t, map[string]string{"p=1/f.csv": "1,2,3\nx,2,3\n"})
	schema := types.Struct(types.Field{Name: "p", Type: types.String}, types.Field{Name: "a", Type: types.Integer, Nullable: true},
		types.Field{Name: "b", Type: types.Long, Nullable: true}, types.Field{Name: "_corrupt_record", Type: types.String, Nullable: true})
	form, lines := readSource(t, SourceSpec{Format: "csv", Schema: schema, Paths: []string{dir}}, 1)
	if form != "struct<a:int,b:bigint,_corrupt_record:string,p:string>" || strings.Join(lines, " ") != `[1,2,"1,2,3","1"] [null,2,"x,2,3","1"]` {
		t.Fatal(form, lines)
	}
}

func TestSourceModified(t *testing.T) {
	dir := writeFiles(t, map[string]string{"old.csv": "1\n", "new.csv": "2\n"})
	if err := os.Chtimes(filepath.Join(dir, "old.csv"), time.Time{}, time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)); err != nil {
		t.Fatal(err)
	}
	for option, want := range map[string]string{"modifiedBefore": `["1"]`, "modifiedAfter": `["2"]`} {
		_, lines := readSource(t, SourceSpec{Format: "csv", Paths: []string{dir}, Options: map[string]string{option: "2002-01-01T00:00:00"}}, 1)
		if strings.Join(lines, " ") != want {
			t.Errorf("%s: %v", option, lines)
		}
	}
	if _, err := OpenSource(context.Background(), SourceSpec{Format: "csv", Paths: []string{dir}, TimeZone: "UTC", Options: map[string]string{"modifiedAfter": "x"}}); err == nil {
		t.Error("a time that is none is no error")
	}
}
