package e2e

import (
	"maps"
	"path/filepath"
	"slices"
	"testing"
)

// TestFunctions runs functions of Python in queries and holds the answers against Spark's.
func TestFunctions(t *testing.T) {
	t.Setenv("PYSPARK_PYTHON", filepath.Join(root(), ".cache", "venv-"+client, "bin", "python"))
	c := up(t, "--workers", "2")
	out := filepath.Join(t.TempDir(), "out.json")
	python(t, client, "functions.py", c.Remote, out)
	ours, theirs := answers(t, out), answers(t, filepath.Join("testdata", "functions.json"))
	for _, name := range slices.Sorted(maps.Keys(theirs)) {
		if ours[name] != theirs[name] {
			t.Errorf("%s:\nmillrace %.2000s\nSpark    %.2000s", name, ours[name], theirs[name])
		}
	}
}
