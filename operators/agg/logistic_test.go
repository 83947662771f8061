package agg

import (
	"fmt"
	"math"
	"math/rand"
	"testing"

	"millrace/types"
	"millrace/vector"
	"millrace/vector/linalg"
)

// loanLike makes a batch of n rows like one-hot encoded loans: 85 features of which 17 are not 0.
func loanLike(r *rand.Rand, n, classes int, weighted bool) *Input {
	f := vector.NewEmpty(types.VectorUDT)
	f.Len = n
	w := linalg.NewWriter(f)
	labels, weights := make([]float64, n), make([]float64, n)
	for i := range n {
		if i%7 == 3 && weighted {
			for j, d := 0, w.Dense(i, 85); j < 85; j++ {
				d[j] = r.NormFloat64()
			}
		} else {
			indices, values := w.Sparse(i, 85, 17)
			for k := range indices {
				indices[k], values[k] = int32(5*k+r.Intn(5)), 1
				if k < 11 {
					values[k] = r.NormFloat64() + 1
				}
			}
		}
		labels[i], weights[i] = float64(r.Intn(max(classes, 2))), 1
		if weighted {
			weights[i] = float64(r.Intn(3))
		}
	}
	w.Close()
	return &Input{N: n, Args: []*vector.Vector{f, vector.FromSlice(types.Double, labels), vector.FromSlice(types.Double, weights)}}
}

func logisticOf(t testing.TB, classes int, coefficients []float64) *logistic {
	t.Helper()
	f, err := newLogistic(&Call{Name: "ml_logistic", Out: doubleList,
		Opts: map[string]string{"classes": string(rune('0' + classes)), "softmax": fmt.Sprint(classes > 1), "coefficients": linalg.Text(coefficients)}})
	if err != nil {
		t.Fatal(err)
	}
	return f.(*logistic)
}

// slowLogistic is the same sums from the definition, with the probability of each class written out.
func slowLogistic(in *Input, classes int, coefficients []float64) []float64 {
	k := max(classes, 1)
	out := make([]float64, logisticHeader+len(coefficients))
	col := linalg.Of(in.Args[0])
	for i := range in.N {
		size, indices, values := col.Row(i)
		x := linalg.Vector{Size: size, Indices: indices, Values: values}.Array()
		y, w := vector.Values[float64](in.Args[1])[i], vector.Values[float64](in.Args[2])[i]
		margins := append([]float64(nil), coefficients[:k]...)
		for j, v := range x {
			for c := range k {
				margins[c] += v * coefficients[k+j*k+c]
			}
		}
		out[logisticLoss] -= w * math.Log(chance(margins, int(y)))
		out[logisticWeight] += w
		for c := range k {
			is := 0.0
			if classes == 1 && y == 1 || classes > 1 && int(y) == c {
				is = 1
			}
			d := w * (chance(margins, c+b2i(classes == 1)) - is)
			out[logisticHeader+c] += d
			for j, v := range x {
				out[logisticHeader+k+j*k+c] += d * v
			}
		}
	}
	return out
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// chance is the probability of a class by its margins; one margin is that of class 1 against class 0.
func chance(margins []float64, class int) float64 {
	if len(margins) == 1 {
		margins = []float64{0, margins[0]}
	}
	sum := 0.0
	for _, m := range margins {
		sum += math.Exp(m)
	}
	return math.Exp(margins[class]) / sum
}

func TestLogisticIsTheDefinition(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	for _, classes := range []int{1, 2, 3, 5} {
		for _, weighted := range []bool{false, true} {
			coefficients := make([]float64, classes+85*classes)
			for i := range coefficients {
				coefficients[i] = r.NormFloat64() / 3
			}
			whole := logisticOf(t, classes, coefficients)
			var states []*vector.Vector
			var want []float64
			for range 3 {
				in := loanLike(r, 333, classes, weighted)
				f := logisticOf(t, classes, coefficients)
				if err := f.Update(in); err != nil {
					t.Fatal(err)
				}
				state := vector.NewEmpty(doubleList)
				f.States([]*vector.Vector{state}, 0, 1)
				states = append(states, state)
				slow := slowLogistic(in, classes, coefficients)
				for i := range slow {
					if want == nil {
						want = make([]float64, len(slow))
					}
					want[i] += slow[i]
				}
			}
			for _, s := range states {
				if err := whole.Merge(&Input{N: 1, Args: []*vector.Vector{s}}); err != nil {
					t.Fatal(err)
				}
			}
			got := vector.NewEmpty(doubleList)
			if err := whole.Result(got, 0, 1); err != nil {
				t.Fatal(err)
			}
			for i, x := range listAt(got, 0) {
				if math.Abs(x-want[i]) > 1e-10*(1+math.Abs(want[i])) {
					t.Fatalf("%d classes, weighted %v: sum %d is %v, by the definition %v", classes, weighted, i, x, want[i])
				}
			}
		}
	}
}

// TestSumsDoNotDependOnWhoCameFirst merges the same states in two orders.
func TestSumsDoNotDependOnWhoCameFirst(t *testing.T) {
	r := rand.New(rand.NewSource(2))
	coefficients := make([]float64, 86)
	var states []*vector.Vector
	for range 5 {
		f := logisticOf(t, 1, coefficients)
		if err := f.Update(loanLike(r, 100, 1, true)); err != nil {
			t.Fatal(err)
		}
		s := vector.NewEmpty(doubleList)
		f.States([]*vector.Vector{s}, 0, 1)
		states = append(states, s)
	}
	sum := func(order []int) []float64 {
		f := logisticOf(t, 1, coefficients)
		for _, i := range order {
			if err := f.Merge(&Input{N: 1, Args: []*vector.Vector{states[i]}}); err != nil {
				t.Fatal(err)
			}
		}
		return f.total()
	}
	a := sum([]int{0, 1, 2, 3, 4})
	for range 10 {
		b := sum(r.Perm(5))
		for i := range a {
			if a[i] != b[i] {
				t.Fatalf("sum %d is %v and %v", i, a[i], b[i])
			}
		}
	}
}

func BenchmarkLogistic(b *testing.B) {
	r := rand.New(rand.NewSource(3))
	in := loanLike(r, 2048, 1, false)
	f := logisticOf(b, 1, make([]float64, 86))
	b.SetBytes(2048)
	for b.Loop() {
		if err := f.Update(in); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/2048, "ns/row")
}

func BenchmarkVectorSummary(b *testing.B) {
	r := rand.New(rand.NewSource(3))
	in := loanLike(r, 2048, 1, false)
	f := &vectorSummary{finite: true}
	in.Args = []*vector.Vector{in.Args[0], in.Args[2]}
	for b.Loop() {
		if err := f.Update(in); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/2048, "ns/row")
}
