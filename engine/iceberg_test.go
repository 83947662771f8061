package engine_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"millrace/delta/log"
	"millrace/errs"
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
	expect("CREATE TABLE ice2 (id BIGINT, a ARRAY<INT>) USING delta TBLPROPERTIES ('delta.enableIcebergCompatV2' = 'true')", "")
	expect("INSERT INTO ice2 VALUES (1, array(1))", "DELTA_UNSUPPORTED_FEATURES_FOR_WRITE") // the identifiers of elements
	expect("CREATE TABLE ice3 (id BIGINT) USING delta TBLPROPERTIES ('delta.enableIcebergCompatV2' = 'true')", "")
	expect("INSERT INTO ice3 VALUES (1)", "")
	expect("CREATE TABLE ice4 (id INT) USING delta TBLPROPERTIES ('delta.enableIcebergCompatV2' = 'true', 'delta.enableTypeWidening' = 'true')", "")
	expect("ALTER TABLE ice4 ALTER COLUMN id TYPE DOUBLE", violation+"UNSUPPORTED_TYPE_WIDENING")
	expect("ALTER TABLE ice4 ALTER COLUMN id TYPE BIGINT", "")
	if got := first(t, s, "SELECT string_agg(concat_ws(' ', p, id, s.x), ',') WITHIN GROUP (ORDER BY id) AS r FROM ice", "r"); got != "1 11 7,20" {
		t.Error(got)
	}
	l, err := log.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	snap, err := l.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
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
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		info, _ := f.Stat()
		p, err := parquet.OpenFile(f, info.Size())
		if err != nil {
			t.Fatal(err)
		}
		columns := p.Schema().Columns()
		if n := len(columns); n != 3 || !physical[columns[n-1][0]] {
			t.Errorf("%s has %q; its partition column comes last", name, columns)
		}
	}
	if len(files) == 0 {
		t.Fatal("there are no files")
	}
}
