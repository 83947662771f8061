package e2e

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// olderAnswers are the cases in which the worker of PySpark 4.0 answers otherwise than that of 4.2, or that it does not have.
var olderAnswers = strings.Split("arrow,grouped arrow,mixed,plain text,plain types,udf coercion,udf nulls,udf types,udf wrong type,window ordered", ",")

// TestFunctions runs functions of Python in queries, by the workers of all supported versions, and holds the answers against Spark's.
func TestFunctions(t *testing.T) {
	theirs := answers(t, filepath.Join("testdata", "functions.json"))
	for _, version := range []string{"4.2.0", "4.1.3", "4.0.4"} {
		t.Run(version, func(t *testing.T) {
			t.Setenv("PYSPARK_PYTHON", filepath.Join(root(), ".cache", "venv-"+version, "bin", "python"))
			c := up(t, "--workers", "2")
			out := filepath.Join(t.TempDir(), "out.json")
			python(t, version, "functions.py", c.Remote, out)
			ours := answers(t, out)
			for _, name := range slices.Sorted(maps.Keys(theirs)) {
				if ours[name] != theirs[name] && (version != "4.0.4" || !slices.Contains(olderAnswers, name)) {
					t.Errorf("%s:\nmillrace %.2000s\nSpark    %.2000s", name, ours[name], theirs[name])
				}
			}
		})
	}
}
