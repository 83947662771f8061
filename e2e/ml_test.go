package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestMachineLearning fits, applies, saves, loads and evaluates Spark ML's classes on real loans, here and in Spark, and holds every number against
// Spark's. Each engine also loads what the other saved.
func TestMachineLearning(t *testing.T) {
	c := up(t, "--workers", "2")
	loans, dir := filepath.Join(root(), "data", "lending_club.csv"), t.TempDir()
	ours := mlAnswers(t, python(t, client, "ml.py", "--connect", c.Remote, loans, dir, "ours"))
	if len(ours["errors"].(map[string]any)) == 0 {
		t.Error("no errors were tried")
	}
	theirs := mlAnswers(t, spark(t, "ml.py", "--spark", loans, dir, "theirs", "ours"))
	again := mlAnswers(t, python(t, client, "ml.py", "--connect", c.Remote, loans, dir, "ours", "theirs"))
	for name, want := range theirs {
		if err := near(again[name], want, 1e-9); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, own := range ours { // what either engine loads of the other's does what its own does
		if loaded, ok := theirs[name+" of the other's"]; ok {
			if list, pair := own.([]any); pair && len(list) == 2 && name != "rows" {
				own = list[0]
			}
			if err := near(loaded, own, 1e-9); err != nil {
				t.Errorf("%s as Spark loads it: %v", name, err)
			}
		}
	}
}

// mlAnswers reads the line that the script prints.
func mlAnswers(t *testing.T, out string) map[string]any {
	t.Helper()
	for line := range strings.Lines(out) {
		if text, ok := strings.CutPrefix(line, "answers "); ok {
			var answers map[string]any
			if err := json.Unmarshal([]byte(text), &answers); err != nil {
				t.Fatal(err)
			}
			return answers
		}
	}
	t.Fatalf("the script printed no answers:\n%s", tail(out))
	return nil
}

// near compares values of JSON; numbers may differ by a part of the greater of 1 and their size.
func near(got, want any, by float64) error {
	switch w := want.(type) {
	case float64:
		g, ok := got.(float64)
		if !ok || math.Abs(g-w) > by*math.Max(1, math.Abs(w)) {
			return fmt.Errorf("%v, not %v", got, want)
		}
		return nil
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			return fmt.Errorf("%.200v, not %.200v", got, want)
		}
		for i := range w {
			if err := near(g[i], w[i], by); err != nil {
				return fmt.Errorf("[%d] %w", i, err)
			}
		}
		return nil
	case map[string]any:
		g, _ := got.(map[string]any)
		keys := map[string]bool{}
		for k := range g {
			keys[k] = true
		}
		for k := range w {
			keys[k] = true
		}
		for _, k := range slices.Sorted(maps.Keys(keys)) {
			if err := near(g[k], w[k], by); err != nil {
				return fmt.Errorf("%s: %w", k, err)
			}
		}
		return nil
	}
	if got != want {
		return fmt.Errorf("%v, not %v", got, want)
	}
	return nil
}
