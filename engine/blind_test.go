package engine_test

import (
	"context"
	"testing"

	"millrace/session"
	"millrace/sql"
)

// TestBlindAppends holds which appends may be rebased onto any other: those that read nothing of the table as it is now.
func TestBlindAppends(t *testing.T) {
	s := newCluster(t, setups[0]).session()
	for _, test := range []struct {
		statement string
		blind     string
	}{
		{"CREATE TABLE blind USING delta AS SELECT 1 AS a", "true"},
		{"INSERT INTO blind SELECT 2 AS a", "true"},
		{"INSERT INTO blind SELECT a + 10 AS a FROM blind VERSION AS OF 0", "true"},
		{"INSERT INTO blind SELECT a + 100 AS a FROM blind", "false"},
	} {
		first(t, s, test.statement, "")
		if got := first(t, s, "DESCRIBE HISTORY blind LIMIT 1", "isBlindAppend"); got != test.blind {
			t.Errorf("%s: isBlindAppend is %s", test.statement, got)
		}
	}
}

// first runs a statement and gives a column's first value.
func first(t *testing.T, s *session.Session, statement, column string) string {
	t.Helper()
	n, err := sql.ParseStatement(statement)
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Run(context.Background(), n)
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	defer r.Close()
	rec, err := r.Next(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if rec == nil {
		return ""
	}
	defer rec.Release()
	for i, f := range rec.Schema().Fields() {
		if f.Name == column {
			return rec.Column(i).ValueStr(0)
		}
	}
	return ""
}
