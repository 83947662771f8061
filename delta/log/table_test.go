package log

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"millrace/delta"
	"millrace/errs"
)

// conformance is a folder of tables written by many engines, with what Spark says about them; absent outside of the
// project's own checkout.
const conformance = "../../../shared/conformance/delta"

type conformanceCase struct {
	ID       string
	Path     string
	Kind     string
	Note     string
	Features []string
	Expected struct {
		Latest   *expected
		Versions map[string]*expected
	}
}

type expected struct {
	Rows   int64
	Schema [][2]json.RawMessage
}

func TestConformanceTables(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(conformance, "delta_cases.dev.json"))
	if err != nil {
		t.Skip("no conformance tables here")
	}
	var all struct{ Cases []conformanceCase }
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	for _, c := range all.Cases {
		t.Run(c.ID, func(t *testing.T) { checkCase(t, c) })
	}
}

func checkCase(t *testing.T, c conformanceCase) {
	table, err := Open(filepath.Join(conformance, c.Path))
	if err != nil {
		t.Fatal(err)
	}
	s, err := table.Snapshot(t.Context())
	switch {
	case c.Kind == "refuse" && err != nil, c.Kind == "undefined":
		t.Log("refused:", err)
		return
	case c.Kind == "refuse":
		t.Skip("the log is fine; the refusal is the scan's")
	case strings.HasPrefix(c.Note, "disputed") && !strings.Contains(c.ID, "compacted-log"):
		t.Skip(c.Note)
	case errs.ConditionOf(err) == "DELTA_UNSUPPORTED_FEATURES_FOR_READ":
		t.Skip("not built:", err)
	case err != nil:
		t.Fatal(err)
	}
	checkSchema(t, s, c.Expected.Latest)
	for a := range s.All() {
		if a.DeletionVector == nil || c.Kind != "read" {
			continue
		}
		if rows, err := DeletedRows(t.Context(), table.URL(), a.DeletionVector); err != nil || rows.IsEmpty() {
			t.Errorf("deletion vector of %s: %v", a.Path, err)
		}
	}
	for v, want := range c.Expected.Versions {
		var version int64
		if err := json.Unmarshal([]byte(v), &version); err != nil {
			t.Fatal(err)
		}
		if s, err = table.At(t.Context(), version); err != nil {
			t.Fatalf("version %s: %v", v, err)
		}
		checkSchema(t, s, want)
	}
}

// checkSchema compares the schema, and the rows where the log says how many there are.
func checkSchema(t *testing.T, s *delta.Snapshot, want *expected) {
	t.Helper()
	if want == nil || want.Schema == nil {
		return
	}
	fields := s.Schema().Fields
	if len(fields) != len(want.Schema) {
		t.Fatalf("version %d has %d columns, want %d", s.Version, len(fields), len(want.Schema))
	}
	for i, f := range fields {
		if f.Name != delta.Text(want.Schema[i][0]) {
			t.Errorf("column %d is %s, want %s", i, f.Name, want.Schema[i][0])
		}
	}
	rows := int64(0)
	for a := range s.All() {
		n, ok := delta.ReadStats(a.Stats).Records()
		if !ok {
			return
		}
		if rows += n; a.DeletionVector != nil {
			rows -= a.DeletionVector.Cardinality
		}
	}
	if rows != want.Rows && want.Rows > 0 {
		t.Errorf("version %d has %d rows by its log, want %d", s.Version, rows, want.Rows)
	}
}
