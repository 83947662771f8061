package ml

import (
	"strconv"
	"strings"
)

// javaHash is the hash code of a string in Java, which gives classes their default seeds.
func javaHash(s string) int64 {
	h := int32(0)
	for i := range len(s) {
		h = 31*h + int32(s[i])
	}
	return int64(h)
}

// treeParams are what all trees have in common. class gives the default seed.
func treeParams(class string) []Param {
	return []Param{
		ColumnParam("featuresCol", "features"),
		ColumnParam("labelCol", "label"),
		ColumnParam("predictionCol", "prediction"),
		ColumnParam("weightCol", ""),
		{Name: "leafCol", Type: StringParam, Default: ""},
		{Name: "cacheNodeIds", Type: BoolParam, Default: false},
		{Name: "checkpointInterval", Type: IntParam, Default: 10, Valid: func(v any) bool { n, _ := double(v); return n == -1 || n >= 1 }},
		{Name: "impurity", Type: StringParam, Default: "variance", Valid: InArrayFold("variance")},
		{Name: "maxBins", Type: IntParam, Default: 32, Valid: AtLeast(2)},
		{Name: "maxDepth", Type: IntParam, Default: 5, Valid: Within(0, 30)},
		{Name: "maxMemoryInMB", Type: IntParam, Default: 256, Valid: AtLeast(0)},
		{Name: "minInfoGain", Type: DoubleParam, Default: 0.0, Valid: AtLeast(0)},
		{Name: "minInstancesPerNode", Type: IntParam, Default: 1, Valid: AtLeast(1)},
		{Name: "minWeightFractionPerNode", Type: DoubleParam, Default: 0.0,
			Valid: func(v any) bool { x, ok := double(v); return ok && x >= 0 && x < 0.5 }},
		{Name: "seed", Type: LongParam, Default: javaHash(class)},
	}
}

// boostedParams are what trees have that learn from one another.
func boostedParams(class, loss string, losses ...string) []Param {
	return append(treeParams(class),
		Param{Name: "featureSubsetStrategy", Type: StringParam, Default: "all", Valid: validSubset},
		Param{Name: "lossType", Type: StringParam, Default: loss, Valid: InArrayFold(losses...)},
		Param{Name: "maxIter", Type: IntParam, Default: 20, Valid: AtLeast(0)},
		Param{Name: "stepSize", Type: DoubleParam, Default: 0.1, Valid: share},
		Param{Name: "subsamplingRate", Type: DoubleParam, Default: 1.0, Valid: share},
		Param{Name: "validationIndicatorCol", Type: StringParam},
		Param{Name: "validationTol", Type: DoubleParam, Default: 0.01, Valid: AtLeast(0)})
}

func share(v any) bool { x, ok := double(v); return ok && x > 0 && x <= 1 }

// validSubset accepts how many features a node looks at: by name, as a number or as a share.
func validSubset(v any) bool {
	s, _ := v.(string)
	if InArrayFold("auto", "all", "onethird", "sqrt", "log2")(s) {
		return true
	}
	if n, err := strconv.Atoi(s); err == nil && n > 0 {
		return true
	}
	x, err := strconv.ParseFloat(s, 64)
	return err == nil && x > 0 && x <= 1
}

// isWholeSubset reports whether a strategy means all of n features.
func isWholeSubset(strategy string, n int) bool {
	if s := strings.ToLower(strategy); s == "all" || s == "auto" || n == 1 {
		return true
	}
	if k, err := strconv.Atoi(strategy); err == nil {
		return k >= n
	}
	x, err := strconv.ParseFloat(strategy, 64)
	return err == nil && x == 1
}
