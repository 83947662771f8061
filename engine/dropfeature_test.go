package engine_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"millrace/delta"
	"millrace/errs"
)

// TestDropFeatureTruncatingHistory drops features that readers need to know: first no traces are left in the newest version, then, a day later, none in the log.
func TestDropFeatureTruncatingHistory(t *testing.T) {
	c := newCluster(t, setups[0])
	s := c.session()
	dir := t.TempDir()
	expect := func(text, condition string) {
		t.Helper()
		if err := try(s, text); errs.ConditionOf(err) != condition {
			t.Fatalf("%s: %v, not %q", text, err, condition)
		}
	}
	age := func() { // the log is two days old
		t.Helper()
		files, err := filepath.Glob(dir + "/_delta_log/*")
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			then := time.Now().Add(-48 * time.Hour)
			if err := os.Chtimes(f, then, then); err != nil {
				t.Fatal(err)
			}
		}
	}
	protocol := func() *delta.Protocol {
		t.Helper()
		return snapshotOf(t, dir).Protocol
	}
	expect("CREATE TABLE trunc (id BIGINT) USING delta LOCATION '"+dir+"' TBLPROPERTIES ('delta.enableDeletionVectors' = 'true', 'delta.checkpointPolicy' = 'v2')", "")
	expect("INSERT INTO trunc SELECT id FROM range(20)", "")
	expect("DELETE FROM trunc WHERE id = 3", "")
	expect("ALTER TABLE trunc DROP FEATURE deletionVectors TRUNCATE HISTORY", "DELTA_FEATURE_DROP_WAIT_FOR_RETENTION_PERIOD")
	expect("ALTER TABLE trunc DROP FEATURE deletionVectors TRUNCATE HISTORY", "DELTA_FEATURE_DROP_HISTORICAL_VERSIONS_EXIST")
	age()
	expect("ALTER TABLE trunc DROP FEATURE deletionVectors TRUNCATE HISTORY", "")
	if p := protocol(); p.Supports("deletionVectors") || p.Supports("checkpointProtection") {
		t.Fatalf("protocol %+v", p)
	}
	expect("ALTER TABLE trunc DROP FEATURE v2Checkpoint", "") // at once: checkpoints stand between
	if p := protocol(); p.Supports("v2Checkpoint") || !p.Supports("checkpointProtection") {
		t.Fatalf("protocol %+v", p)
	}
	expect("ALTER TABLE trunc DROP FEATURE checkpointProtection", "DELTA_FEATURE_CAN_ONLY_DROP_CHECKPOINT_PROTECTION_WITH_HISTORY_TRUNCATION")
	expect("ALTER TABLE trunc DROP FEATURE checkpointProtection TRUNCATE HISTORY", "DELTA_FEATURE_DROP_CHECKPOINT_PROTECTION_WAIT_FOR_RETENTION_PERIOD")
	age()
	expect("ALTER TABLE trunc DROP FEATURE checkpointProtection TRUNCATE HISTORY", "")
	if p := protocol(); p.MinReaderVersion != 1 || p.MinWriterVersion != 2 {
		t.Fatalf("protocol %+v", p)
	}
	if got := first(t, s, "SELECT string_agg(id, ' ') WITHIN GROUP (ORDER BY id) AS r FROM trunc", "r"); len(strings.Fields(got)) != 19 {
		t.Fatal(got)
	}
}
