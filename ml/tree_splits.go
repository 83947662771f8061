package ml

import "math"

// valueWeight is a value of a feature and the weight of the rows that have it.
type valueWeight struct{ value, weight float64 }

// thresholdsOf chooses at most most thresholds between the values of a continuous feature, so that about the same weight lies between any two of
// them. values are those other than 0 in ascending order, of rows rows; total is the weight of all rows, so that what is missing has the value 0.
func thresholdsOf(values []valueWeight, rows, total float64, most int) []float64 {
	if len(values) == 0 {
		return nil
	}
	seen := 0.0
	for _, v := range values {
		seen += v.weight
	}
	if zeros := total - seen; zeros > epsilon*rows*100 {
		values = insertZero(values, zeros)
	}
	between := func(i int) float64 { return (values[i-1].value + values[i].value) / 2 }
	var out []float64
	if len(values)-1 <= most {
		for i := 1; i < len(values); i++ {
			out = append(out, between(i))
		}
		return out
	}
	stride := total / float64(most+1)
	target, sum := stride, values[0].weight
	for i := 1; i < len(values); i++ {
		before := sum
		sum += values[i].weight
		if math.Abs(before-target) < math.Abs(sum-target) {
			out = append(out, between(i))
			target += stride
		}
	}
	return out
}

func insertZero(values []valueWeight, weight float64) []valueWeight {
	out := make([]valueWeight, 0, len(values)+1)
	placed := false
	for _, v := range values {
		if !placed && v.value > 0 {
			out, placed = append(out, valueWeight{0, weight}), true
		}
		out = append(out, v)
	}
	if !placed {
		out = append(out, valueWeight{0, weight})
	}
	return out
}
