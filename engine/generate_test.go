package engine_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestManifestsFollow changes a table that keeps lists of its files for readers without a log: after each statement they name the files that are there.
func TestManifestsFollow(t *testing.T) {
	u := newCluster(t, setups[0]).session()
	dir := t.TempDir()
	mustRun(t, u, "CREATE TABLE listed (id INT, p STRING) USING delta PARTITIONED BY (p) LOCATION '"+dir+"' TBLPROPERTIES ('delta.compatibility.symlinkFormatManifest.enabled' = 'true')")
	for _, step := range []struct {
		text string
		want map[string]int // files by partition
	}{
		{"INSERT INTO listed VALUES (1, 'a'), (2, 'b c')", map[string]int{"p=a": 1, "p=b c": 1}},
		{"INSERT INTO listed VALUES (3, 'a'), (4, NULL)", map[string]int{"p=a": 2, "p=b c": 1, "p=__HIVE_DEFAULT_PARTITION__": 1}},
		{"DELETE FROM listed WHERE p = 'b c'", map[string]int{"p=a": 2, "p=__HIVE_DEFAULT_PARTITION__": 1}},
		{"OPTIMIZE listed", map[string]int{"p=a": 1, "p=__HIVE_DEFAULT_PARTITION__": 1}},
		{"BEGIN TRANSACTION; INSERT INTO listed VALUES (5, 'a'); COMMIT", map[string]int{"p=a": 2, "p=__HIVE_DEFAULT_PARTITION__": 1}},
	} {
		for text := range strings.SplitSeq(step.text, "; ") {
			mustRun(t, u, text)
		}
		found, _ := filepath.Glob(dir + "/_symlink_format_manifest/*/manifest")
		if len(found) != len(step.want) {
			t.Fatalf("after %s: %q", step.text, found)
		}
		for part, n := range step.want {
			data, err := os.ReadFile(dir + "/_symlink_format_manifest/" + part + "/manifest")
			if err != nil {
				t.Fatal(err)
			}
			lines := strings.Fields(strings.ReplaceAll(string(data), "b c", "b_c"))
			if len(lines) != n {
				t.Errorf("after %s %s has %q", step.text, part, lines)
			}
			for _, l := range lines {
				if _, err := os.Stat(strings.TrimPrefix(strings.ReplaceAll(l, "b_c", "b c"), "file:")); err != nil {
					t.Errorf("after %s: %v", step.text, err)
				}
			}
		}
	}
	if err := try(u, "ALTER TABLE listed SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')"); err == nil || !strings.Contains(err.Error(), "mutually exclusive") {
		t.Error(err)
	}
}
