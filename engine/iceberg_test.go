package engine_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"millrace/delta"
	"millrace/delta/log"
	"millrace/errs"
	"millrace/types"
)

// TestIcebergCompat writes tables that are kept such that their metadata can be made Iceberg's, and refuses what they may not have.
func TestIcebergCompat(t *testing.T) {
	s := newCluster(t, setups[1]).session()
	expect := func(text, want string) {
		t.Helper()
		if err := try(s, text); errs.ConditionOf(err) != want {
			t.Errorf("%s: %v, not %q", text, err, want)
		}
	}
	const violation = "DELTA_ICEBERG_COMPAT_VIOLATION."
	dir := t.TempDir()
	expect("CREATE TABLE ice (p INT, id BIGINT, s STRUCT<x: INT>) USING delta PARTITIONED BY (p) LOCATION '"+dir+"' TBLPROPERTIES ('delta.enableIcebergCompatV1' = 'true')", "")
	expect("INSERT INTO ice VALUES (1, 10, named_struct('x', 7)), (NULL, 20, NULL)", "")
	expect("UPDATE ice SET id = 11 WHERE id = 10", "")
	expect("ALTER TABLE ice ADD COLUMN a ARRAY<INT>", violation+"UNSUPPORTED_DATA_TYPE")
	expect("ALTER TABLE ice SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')", violation+"DELETION_VECTORS_SHOULD_BE_DISABLED")
	expect("ALTER TABLE ice SET TBLPROPERTIES ('delta.enableIcebergCompatV2' = 'true')", violation+"VERSION_MUTUAL_EXCLUSIVE")
	expect("CREATE OR REPLACE TABLE ice (p INT, id BIGINT) USING delta PARTITIONED BY (id) LOCATION '"+dir+"' TBLPROPERTIES ('delta.enableIcebergCompatV1' = 'true')", violation+"REPLACE_TABLE_CHANGE_PARTITION_NAMES")
	expect("CREATE TABLE ice3 (id BIGINT) USING delta TBLPROPERTIES ('delta.enableIcebergCompatV2' = 'true')", "")
	expect("INSERT INTO ice3 VALUES (1)", "")
	expect("CREATE TABLE ice4 (id INT) USING delta TBLPROPERTIES ('delta.enableIcebergCompatV2' = 'true', 'delta.enableTypeWidening' = 'true')", "")
	expect("ALTER TABLE ice4 ALTER COLUMN id TYPE DOUBLE", violation+"UNSUPPORTED_TYPE_WIDENING")
	expect("ALTER TABLE ice4 ALTER COLUMN id TYPE BIGINT", "")
	if got := first(t, s, "SELECT string_agg(concat_ws(' ', p, id, s.x), ',') WITHIN GROUP (ORDER BY id) AS r FROM ice", "r"); got != "1 11 7,20" {
		t.Error(got)
	}
	snap := snapshotOf(t, dir)
	physical := map[string]bool{}
	for a := range snap.All() {
		for c := range a.PartitionValues {
			physical[c] = true
			if !strings.HasPrefix(a.Stats, `{"numRecords":`) || strings.Contains(a.Stats, c) {
				t.Errorf("statistics %s", a.Stats)
			}
		}
	}
	files, _ := filepath.Glob(dir + "/*/*.parquet")
	for _, name := range files {
		columns := parquetFile(t, name).Schema().Columns()
		if n := len(columns); n != 3 || !physical[columns[n-1][0]] {
			t.Errorf("%s has %q; its partition column comes last", name, columns)
		}
	}
	if len(files) == 0 {
		t.Fatal("there are no files")
	}
}

// parquetFile opens a data file as another library of Parquet's.
func parquetFile(t *testing.T, path string) *parquet.File {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	p, err := parquet.OpenFile(f, info.Size())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// snapshotFiles are the data files of a table in a directory.
func snapshotFiles(t *testing.T, dir string) (paths []string) {
	t.Helper()
	for a := range snapshotOf(t, dir).All() {
		paths = append(paths, filepath.Join(dir, a.Path))
	}
	return paths
}

func snapshotOf(t *testing.T, dir string) *delta.Snapshot {
	t.Helper()
	l, err := log.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	snap, err := l.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return snap
}

// TestIcebergNestedIDs writes tables whose elements, keys and values have identifiers, in the log and in the files.
func TestIcebergNestedIDs(t *testing.T) {
	s := newCluster(t, setups[1]).session()
	dir := t.TempDir()
	for _, text := range []string{
		"CREATE TABLE nested (id BIGINT, a ARRAY<ARRAY<INT>>, m MAP<STRING, ARRAY<STRUCT<x: ARRAY<INT>, y: INT>>>, s STRUCT<z: ARRAY<STRING>>) USING delta LOCATION '" + dir +
			"' TBLPROPERTIES ('delta.enableIcebergCompatV2' = 'true')",
		"ALTER TABLE nested ADD COLUMN n MAP<INT, MAP<INT, INT>>",
		"ALTER TABLE nested RENAME COLUMN n TO nn",
		"INSERT INTO nested VALUES (1, array(array(1), NULL), map('a', array(named_struct('x', array(1, 2), 'y', 3))), named_struct('z', array('q')), map(1, map(2, 3)))",
		"ALTER TABLE nested ADD COLUMN s.w MAP<INT, INT>",
	} {
		mustRun(t, s, text)
	}
	if got := first(t, s, "SELECT to_json(struct(*)) AS r FROM nested", "r"); got != `{"id":1,"a":[[1],null],"m":{"a":[{"x":[1,2],"y":3}]},"s":{"z":["q"]},"nn":{"1":{"2":3}}}` {
		t.Error(got)
	}
	snap := snapshotOf(t, dir)
	ids := map[int32]bool{}
	count := 0
	delta.WalkFields(snap.Schema(), func(f types.Field) {
		count += 1 + len(delta.NestedIDs(f))
		ids[delta.FieldID(f)] = true
		for path, id := range delta.NestedIDs(f) {
			if ids[id] = true; !strings.HasPrefix(path, delta.PhysicalName(f)+".") {
				t.Errorf("%s of %s", path, f.Name)
			}
		}
	})
	if count != 22 || len(ids) != count || !ids[int32(count)] || snap.Metadata.Configuration["delta.columnMapping.maxColumnId"] != "22" {
		t.Errorf("%d identifiers of %d columns and what is in them, the greatest %s", len(ids), count, snap.Metadata.Configuration["delta.columnMapping.maxColumnId"])
	}
	// As Spark's files have them: first the columns in order, then what is in them, each before what is in it.
	const want = "id=1 a=2 a.list.element=8 a.list.element.list.element=9 m=3 m.key_value.key=10 m.key_value.value=11 m.key_value.value.list.element=12 " +
		"m.key_value.value.list.element.x=4 m.key_value.value.list.element.x.list.element=13 m.key_value.value.list.element.y=5 s=6 s.z=7 s.z.list.element=14 " +
		"nn=15 nn.key_value.key=16 nn.key_value.value=17 nn.key_value.value.key_value.key=18 nn.key_value.value.key_value.value=19"
	names := map[string]string{} // by physical name
	delta.WalkFields(snap.Schema(), func(f types.Field) { names[delta.PhysicalName(f)] = f.Name })
	files := snapshotFiles(t, dir)
	for _, path := range files {
		var got []string
		var walk func(path string, c *parquet.Column)
		walk = func(path string, c *parquet.Column) {
			for _, c := range c.Columns() {
				name := c.Name()
				if n := names[name]; n != "" {
					name = n
				}
				if c.ID() > 0 {
					got = append(got, fmt.Sprintf("%s%s=%d", path, name, c.ID()))
				}
				walk(path+name+".", c)
			}
		}
		walk("", parquetFile(t, path).Root())
		if text := strings.Join(got, " "); text != want {
			t.Errorf("%s has\n%s\nwant\n%s", path, text, want)
		}
	}
	if len(files) != 1 {
		t.Errorf("%d files", len(files))
	}
}

// TestIcebergV3 keeps rows' identifiers, and takes deletion vectors.
func TestIcebergV3(t *testing.T) {
	s := newCluster(t, setups[1]).session()
	expect := func(text, want string) {
		t.Helper()
		if err := try(s, text); errs.ConditionOf(err) != want {
			t.Errorf("%s: %v, not %q", text, err, want)
		}
	}
	const property, violation = "'delta.enableIcebergCompatV3' = 'true'", "DELTA_ICEBERG_COMPAT_VIOLATION."
	dir := t.TempDir()
	expect("CREATE TABLE three (id BIGINT, a ARRAY<INT>) USING delta LOCATION '"+dir+"' TBLPROPERTIES ("+property+", 'delta.enableDeletionVectors' = 'true')", "")
	expect("INSERT INTO three VALUES (1, array(1)), (2, array(2)), (3, NULL)", "")
	expect("DELETE FROM three WHERE id = 2", "")
	expect("UPDATE three SET id = 30 WHERE id = 3", "")
	if got := first(t, s, "SELECT string_agg(concat_ws(' ', id, a[0], _metadata.row_id), ',') WITHIN GROUP (ORDER BY id) AS r FROM three", "r"); got != "1 1 0,30 2" {
		t.Error(got)
	}
	reserved := 0 // field ids of Iceberg's for what identifies a row, in the file of the row that was updated
	for _, path := range snapshotFiles(t, dir) {
		for _, c := range parquetFile(t, path).Root().Columns() {
			if c.ID() == 2147483540 || c.ID() == 2147483539 {
				reserved++
			}
		}
	}
	if reserved != 2 {
		t.Errorf("%d columns have a reserved identifier", reserved)
	}
	if got := first(t, s, "DESCRIBE DETAIL three", "tableFeatures"); got != `["appendOnly","columnMapping","deletionVectors","domainMetadata","icebergCompatV3","invariants","rowTracking"]` {
		t.Error(got)
	}
	expect("ALTER TABLE three SET TBLPROPERTIES ('delta.enableRowTracking' = 'false')", violation+"WRONG_REQUIRED_TABLE_PROPERTY")
	expect("ALTER TABLE three SET TBLPROPERTIES ('delta.enableIcebergCompatV2' = 'true')", violation+"VERSION_MUTUAL_EXCLUSIVE")
	expect("CREATE TABLE three_b (id BIGINT) USING delta TBLPROPERTIES ("+property+", 'delta.enableRowTracking' = 'false')", violation+"WRONG_REQUIRED_TABLE_PROPERTY")
	expect("CREATE TABLE three_c (id BIGINT) USING delta TBLPROPERTIES ('delta.columnMapping.mode' = 'name', 'delta.enableRowTracking' = 'true')", "")
	expect("ALTER TABLE three_c SET TBLPROPERTIES ("+property+")", "UNSUPPORTED_FEATURE")
	expect("CREATE TABLE three_d (id BIGINT) USING delta TBLPROPERTIES ('delta.columnMapping.mode' = 'name')", "")
	expect("INSERT INTO three_d VALUES (1)", "")
	expect("ALTER TABLE three_d SET TBLPROPERTIES ("+property+")", "")
	expect("INSERT INTO three_d VALUES (2)", "")
	if got := first(t, s, "SELECT string_agg(concat_ws(' ', id, _metadata.row_id), ',') WITHIN GROUP (ORDER BY id) AS r FROM three_d", "r"); got != "1 0,2 1" {
		t.Error(got)
	}
}
