package operators

import (
	"slices"
	"testing"
)

// TestPoissonDraws holds the rows 0 to 19 that Spark takes of one partition: spark.range(0, 40, 1, 1).sample(True, mean, seed).
func TestPoissonDraws(t *testing.T) {
	for _, c := range []struct {
		mean float64
		seed int64
		want []int
	}{
		{0.5, 3, []int{5, 6, 10, 13}},
		{0.1, 7, []int{15, 16}},
		{1, 11, []int{2, 3, 3, 4, 6, 6, 6, 7, 8, 8, 8, 9, 9, 9, 11, 11, 11, 13, 17, 17, 17, 17}},
		{2.5, -5, []int{0, 0, 0, 0, 1, 2, 3, 3, 4, 5, 5, 6, 6, 6, 6, 6, 7, 9, 9, 10, 10, 10, 11, 12, 13, 13, 13, 14, 14, 15, 15, 15, 16, 16, 16, 16, 16, 16, 16,
			17, 17, 17, 18, 19, 19}},
	} {
		p := poisson{mean: c.mean, rng: newWell(javaLong(c.seed, 0))}
		var got []int
		for row := range 20 {
			for range p.next() {
				got = append(got, row)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("mean %v, seed %d: %v, want %v", c.mean, c.seed, got, c.want)
		}
	}
}

// TestPoissonOfLargeMeans holds the mean of draws that are sums of others.
func TestPoissonOfLargeMeans(t *testing.T) {
	for _, mean := range []float64{39.9, 45, 78, 1000} {
		p := poisson{mean: mean, rng: newWell(1)}
		total := 0
		const draws = 2000
		for range draws {
			total += p.next()
		}
		if got := float64(total) / draws; got < mean*0.98-0.1 || got > mean*1.02+0.1 {
			t.Errorf("mean %v: got %v", mean, got)
		}
	}
}
