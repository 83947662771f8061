package e2e

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// refusedCalls are the cases that millrace refuses by name. One that works must leave the list.
var refusedCalls = strings.Fields("save-void")

// differentCalls are the cases in which millrace answers otherwise than Spark, and why.
var differentCalls = map[string]string{
	"checkpoint":      "needs no checkpoint directory",
	"sql args":        "Spark's server loses the arguments",
	"sql args named":  "likewise",
	"sql args places": "likewise",
	"types pandas":    "the fields of a null struct are 0, not null, in Arrow, which makes pandas choose int",
}

// TestParity makes the calls that users make every day and holds the answers against Spark's.
func TestParity(t *testing.T) {
	t.Setenv("PYSPARK_PYTHON", filepath.Join(root(), ".cache", "venv-"+client, "bin", "python"))
	c := up(t, "--workers", "2")
	out := filepath.Join(t.TempDir(), "out.json")
	python(t, client, "parity.py", c.Remote, filepath.Join(t.TempDir(), "lake"), out)
	ours, theirs := answers(t, out), answers(t, filepath.Join("testdata", "parity.json"))
	for _, name := range slices.Sorted(maps.Keys(theirs)) {
		judgeParity(t, name, ours[name], theirs[name])
	}
}

func judgeParity(t *testing.T, name, ours, theirs string) {
	t.Helper()
	refused := slices.Contains(refusedCalls, strings.ReplaceAll(name, " ", "-"))
	_, different := differentCalls[name]
	switch {
	case ours == theirs && (refused || different):
		t.Errorf("%s: answers as Spark does: take it off the list", name)
	case ours == theirs || different:
	case refused && refusal(ours):
	default:
		t.Errorf("%s:\nmillrace %.2000s\nSpark    %.2000s", name, ours, theirs)
	}
}

// refusal reports whether an answer is an error that names what is missing.
func refusal(answer string) bool {
	for _, condition := range []string{"UNSUPPORTED_FEATURE", "UNRESOLVED_ROUTINE", "UNRESOLVABLE_TABLE_VALUED_FUNCTION", "UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE"} {
		if strings.HasPrefix(answer, `["error","`+condition) {
			return true
		}
	}
	return false
}

// answers reads the cases of a file, each as compact JSON.
func answers(t *testing.T, path string) map[string]string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]any
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	out := map[string]string{}
	for name, answer := range all {
		b, err := json.Marshal(answer)
		if err != nil {
			t.Fatal(err)
		}
		out[name] = string(b)
	}
	return out
}
