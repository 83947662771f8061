package engine_test

import (
	"strings"
	"testing"
)

// TestStoredOverflow looks at what the error of a value too large for its column says.
func TestStoredOverflow(t *testing.T) {
	ses := newCluster(t, setup{1, false, plenty, true}).session()
	if _, _, err := query(ses, "CREATE TABLE o (b TINYINT, m DECIMAL(5,2), a ARRAY<TINYINT>, s STRUCT<x: INT>) USING delta"); err != nil {
		t.Fatal(err)
	}
	for values, want := range map[string]string{
		"(b) VALUES (200)":       "\"INT\" type to the \"TINYINT\" type column or variable `b`",
		"(b) VALUES (200.5D)":    "\"DOUBLE\" type to the \"TINYINT\" type column or variable `b`",
		"(m) VALUES ('1000000')": "\"STRING\" type to the \"DECIMAL(5,2)\" type column or variable `m`",
		"(m) SELECT cast(id * 100000 AS DECIMAL(20,3)) FROM range(2)": "\"DECIMAL(20,3)\" type to the \"DECIMAL(5,2)\" type column or variable `m`",
		"(a) VALUES (array(200))":                                     "\"ARRAY<INT>\" type to the \"ARRAY<TINYINT>\" type column or variable `a`",
		"(s) VALUES (named_struct('x', 30000000000))":                 "\"BIGINT\" type to the \"INT\" type column or variable `x`",
	} {
		_, _, err := query(ses, "INSERT INTO o "+values)
		if condition(err) != "CAST_OVERFLOW_IN_TABLE_INSERT" || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", values, err)
		}
	}
}
