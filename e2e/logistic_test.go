package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestLogisticCases fits small data by many settings, and data that cannot be fitted, and holds models, summaries and errors against Spark's.
func TestLogisticCases(t *testing.T) {
	c := up(t, "--workers", "2")
	ours := jsonOf(t, python(t, client, "logistic.py", "cases", t.TempDir(), c.Remote))
	theirs := jsonOf(t, fileText(t, filepath.Join("testdata", "logistic.json")))
	if !slices.Equal(slices.Sorted(maps.Keys(ours)), slices.Sorted(maps.Keys(theirs))) {
		t.Fatalf("cases %v, recorded are %v", slices.Sorted(maps.Keys(ours)), slices.Sorted(maps.Keys(theirs)))
	}
	alike(t, "", ours, theirs, 1e-8)
}

// TestLogisticOfLoans fits real loans by the script that recorded Spark's fits: coefficients, history, probabilities and AUC.
func TestLogisticOfLoans(t *testing.T) {
	c := up(t, "--workers", "2")
	data := filepath.Join(root(), "ml", "testdata")
	ours := jsonOf(t, python(t, client, filepath.Join(data, "logistic.py"), c.Remote))
	alike(t, "", ours, jsonOf(t, fileText(t, filepath.Join(data, "logistic.json"))), 1e-7)
}

// TestLogisticModelsAreShared saves models here and in Spark and loads them in the other.
func TestLogisticModelsAreShared(t *testing.T) {
	if !haveSpark() {
		t.Skip("no Spark here")
	}
	c := up(t)
	mine, its := filepath.Join(t.TempDir(), "millrace"), filepath.Join(t.TempDir(), "spark")
	saved := jsonOf(t, python(t, client, "logistic.py", "save", mine, c.Remote))
	alike(t, "Spark on our models", jsonOf(t, spark(t, "logistic.py", "load", mine)), saved, 1e-12)
	saved = jsonOf(t, spark(t, "logistic.py", "save", its))
	alike(t, "we on Spark's models", jsonOf(t, python(t, client, "logistic.py", "load", its, c.Remote)), saved, 1e-12)
}

func fileText(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// jsonOf reads the object that a script printed, after whatever its libraries said.
func jsonOf(t *testing.T, text string) map[string]any {
	t.Helper()
	from := strings.Index(text, "\n{\n")
	if strings.HasPrefix(text, "{\n") {
		from = 0
	}
	var v map[string]any
	if from < 0 || json.NewDecoder(strings.NewReader(text[from:])).Decode(&v) != nil {
		t.Fatalf("no JSON in:\n%s", tail(text))
	}
	return v
}

// alike compares JSON: numbers within a relative distance, all else exactly.
func alike(t *testing.T, at string, ours, theirs any, within float64) {
	t.Helper()
	switch want := theirs.(type) {
	case map[string]any:
		got, ok := ours.(map[string]any)
		if !ok {
			t.Errorf("%s: %.300v, Spark %.300v", at, ours, theirs)
			return
		}
		for _, k := range slices.Sorted(maps.Keys(want)) {
			alike(t, at+"/"+k, got[k], want[k], within)
		}
	case []any:
		got, ok := ours.([]any)
		if !ok || len(got) != len(want) {
			t.Errorf("%s: %.300v, Spark %.300v", at, ours, theirs)
			return
		}
		for i := range want {
			alike(t, fmt.Sprintf("%s[%d]", at, i), got[i], want[i], within)
		}
	case float64:
		got, ok := ours.(float64)
		if !ok || math.Abs(got-want) > within*max(math.Abs(want), 1e-6) {
			t.Errorf("%s: %v, Spark %v", at, ours, theirs)
		}
	default:
		if ours != theirs {
			t.Errorf("%s: %.300v, Spark %.300v", at, ours, theirs)
		}
	}
}
