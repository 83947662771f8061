package optimize

import (
	"errors"
	"math"
	"testing"
)

// bowl is the sum of c[i] * (x[i] - at[i])^2 / 2.
func bowl(c, at []float64) Function {
	return func(x []float64) (float64, []float64, error) {
		v, g := 0.0, make([]float64, len(x))
		for i := range x {
			d := x[i] - at[i]
			v += c[i] * d * d / 2
			g[i] = c[i] * d
		}
		return v, g, nil
	}
}

func rosenbrock(x []float64) (float64, []float64, error) {
	a, b := 1-x[0], x[1]-x[0]*x[0]
	return a*a + 100*b*b, []float64{-2*a - 400*b*x[0], 200 * b}, nil
}

func TestFindsTheMinimum(t *testing.T) {
	for name, c := range map[string]struct {
		f           Function
		start, want []float64
	}{
		"bowl":       {bowl([]float64{1, 10, 1000}, []float64{1, -2, 3}), []float64{0, 0, 0}, []float64{1, -2, 3}},
		"rosenbrock": {rosenbrock, []float64{-1.2, 1}, []float64{1, 1}},
	} {
		r, err := Minimize(c.f, c.start, Options{MaxIter: 200, Tolerance: 1e-12})
		if err != nil {
			t.Fatal(err)
		}
		for i := range c.want {
			if math.Abs(r.X[i]-c.want[i]) > 1e-4 {
				t.Errorf("%s: %v after %d steps (%s), want %v", name, r.X, len(r.History)-1, r.Reason, c.want)
			}
		}
		for i := 1; i < len(r.History); i++ {
			if r.History[i] > r.History[i-1] {
				t.Errorf("%s: step %d goes up", name, i)
			}
		}
	}
}

// TestLassoShrinks: with an L1 penalty each variable of a bowl moves towards 0 by its weight over the curvature, and stays at 0.
func TestLassoShrinks(t *testing.T) {
	c, at, l1 := []float64{2, 1, 4, 3, 1}, []float64{3, -0.5, -2, 0.1, 5}, []float64{1, 1, 2, 0.5, 0}
	r, err := Minimize(bowl(c, at), make([]float64, 5), Options{MaxIter: 300, Tolerance: 1e-14, L1: l1})
	if err != nil {
		t.Fatal(err)
	}
	for i := range at {
		want := math.Copysign(max(math.Abs(at[i])-l1[i]/c[i], 0), at[i])
		if math.Abs(r.X[i]-want) > 1e-5 || want == 0 && r.X[i] != 0 {
			t.Errorf("variable %d is %v, want %v (%s)", i, r.X[i], want, r.Reason)
		}
	}
}

func TestReasons(t *testing.T) {
	f := bowl([]float64{1, 3}, []float64{1, 1})
	start := []float64{5, 5}
	for _, c := range []struct {
		o     Options
		want  Reason
		steps int
	}{
		{Options{MaxIter: 0, Tolerance: 1e-6}, ReachedMaxIter, 0},
		{Options{MaxIter: 1, Tolerance: 1e-6}, ReachedMaxIter, 1},
		{Options{MaxIter: -1, Tolerance: 1e-9}, GradientConverged, -1},
	} {
		r, err := Minimize(f, start, c.o)
		if err != nil || r.Reason != c.want || c.steps >= 0 && len(r.History) != c.steps+1 {
			t.Errorf("%+v: %s after %d steps, %v", c.o, r.Reason, len(r.History)-1, err)
		}
	}
	if start[0] != 5 {
		t.Error("the start was changed")
	}
}

// TestFailedSearch: a function whose gradient lies leads nowhere; the search ends after one new try and says so.
func TestFailedSearch(t *testing.T) {
	liar := func(x []float64) (float64, []float64, error) { return -math.Abs(x[0]), []float64{1}, nil }
	uphill := func(x []float64) (float64, []float64, error) { return math.Abs(x[0]), []float64{-1}, nil }
	for _, f := range []Function{liar, uphill} {
		r, err := Minimize(f, []float64{0}, Options{MaxIter: 50, Tolerance: 1e-9})
		if err != nil {
			t.Fatal(err)
		}
		if r.Reason == GradientConverged {
			t.Errorf("ended by %s", r.Reason)
		}
	}
	r, err := Minimize(uphill, []float64{0}, Options{MaxIter: 50, Tolerance: 1e-9})
	if err != nil || r.Reason != SearchFailed || len(r.History) != 3 || r.X[0] != 0 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestErrorsPassThrough(t *testing.T) {
	lost := errors.New("lost")
	n := 0
	f := bowl([]float64{1, 50}, []float64{3, 3})
	_, err := Minimize(func(x []float64) (float64, []float64, error) {
		if n++; n == 4 {
			return 0, nil, lost
		}
		return f(x)
	}, []float64{0, 0}, Options{MaxIter: 50, Tolerance: 1e-12})
	if !errors.Is(err, lost) {
		t.Errorf("got %v", err)
	}
}

// TestAsksOnce: a point that was just evaluated is not evaluated again, since each time is a job over all rows.
func TestAsksOnce(t *testing.T) {
	n := 0
	f := bowl([]float64{1, 3, 7}, []float64{1, 2, 3})
	r, err := Minimize(func(x []float64) (float64, []float64, error) { n++; return f(x) }, make([]float64, 3), Options{MaxIter: 20, Tolerance: 1e-9})
	if err != nil {
		t.Fatal(err)
	}
	if steps := len(r.History) - 1; n > 1+steps+4 {
		t.Errorf("%d evaluations in %d steps", n, steps)
	}
}
