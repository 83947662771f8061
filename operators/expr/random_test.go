package expr_test

import (
	"testing"

	"millrace/operators/expr"
)

// TestRandom holds the first values of select rand(42), randn(42), rand(0) on one partition.
func TestRandom(t *testing.T) {
	if got := expr.NewRandom(42).Float64(); got != 0.619189370225301 {
		t.Error("rand(42)", got)
	}
	if got := expr.NewRandom(42).Gaussian(); got != 2.384479054241165 {
		t.Error("randn(42)", got)
	}
	if got := expr.NewRandom(0).Float64(); got != 0.7604953758285915 {
		t.Error("rand(0)", got)
	}
}
