package optimize

import "math"

// memory approximates the inverse Hessian by the last steps and the changes of the gradient over them, newest first.
type memory struct {
	limit        int
	steps, diffs [][]float64
}

func (h *memory) clear() { h.steps, h.diffs = nil, nil }

func (h *memory) add(step, diff []float64) {
	h.steps = prepend(step, h.steps, h.limit)
	h.diffs = prepend(diff, h.diffs, h.limit)
}

func prepend(first []float64, rest [][]float64, limit int) [][]float64 {
	list := append([][]float64{first}, rest...)
	return list[:min(limit, len(list))]
}

// direction is minus the approximate inverse Hessian times g (the two loops of Nocedal and Wright, algorithm 7.4).
func (h *memory) direction(g []float64) ([]float64, error) {
	dir := append([]float64(nil), g...)
	scale := 1.0
	if len(h.steps) > 0 {
		sy := dot(h.steps[0], h.diffs[0])
		if sy < 0 || math.IsNaN(sy) {
			return nil, errStep
		}
		scale = sy / dot(h.diffs[0], h.diffs[0])
	}
	a, rho := make([]float64, len(h.steps)), make([]float64, len(h.steps))
	for i := range h.steps {
		rho[i] = dot(h.steps[i], h.diffs[i])
		a[i] = dot(h.steps[i], dir) / rho[i]
		if math.IsNaN(a[i]) {
			return nil, errStep
		}
		addScaled(dir, -a[i], h.diffs[i])
	}
	for i := range dir {
		dir[i] *= scale
	}
	for i := len(h.steps) - 1; i >= 0; i-- {
		b := dot(h.diffs[i], dir) / rho[i]
		addScaled(dir, a[i]-b, h.steps[i])
	}
	for i := range dir {
		dir[i] = -dir[i]
	}
	return dir, nil
}

func dot(a, b []float64) float64 {
	s := 0.0
	for i, x := range a {
		s += x * b[i]
	}
	return s
}

func norm(a []float64) float64 { return math.Sqrt(dot(a, a)) }

func addScaled(a []float64, by float64, b []float64) {
	for i, x := range b {
		a[i] += by * x
	}
}

func minus(a, b []float64) []float64 {
	d := make([]float64, len(a))
	for i := range a {
		d[i] = a[i] - b[i]
	}
	return d
}

func same(a, b []float64) bool {
	for i, x := range a {
		if x != b[i] {
			return false
		}
	}
	return true
}

// sign is -1, 0 or 1, or not a number.
func sign(x float64) float64 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return x
}
