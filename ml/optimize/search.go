package optimize

import "math"

// What a step's length must achieve: an objective below the line of slope `decrease` times the slope at the start, and a slope
// flatter than `curvature` times it.
const (
	decrease  = 1e-4
	curvature = 0.9
)

// The searches' limits.
const (
	maxTries   = 10 // lengths tried outwards, and again within a bracket
	maxHalving = 20
	minLength  = 1e-10
	maxLength  = 1e10
	minMove    = 1e-10 // a length times the gradient's norm
)

// probe is the function seen along a direction.
type probe struct{ t, value, slope float64 }

// length finds how far to go along dir.
func (m *minimizer) length(dir []float64) (float64, error) {
	if m.o.L1 != nil {
		return m.backtrack(dir)
	}
	first := 1.0
	if m.steps == 0 {
		first = 1 / norm(dir)
	}
	t, err := (&wolfe{at: func(t float64) (probe, error) { return m.probe(dir, t) }}).search(first)
	if err == nil && t*norm(m.now.grad) < minMove {
		err = errStep
	}
	return t, err
}

func (m *minimizer) probe(dir []float64, t float64) (probe, error) {
	p, err := m.at(m.moved(dir, t))
	if err != nil {
		return probe{}, err
	}
	return probe{t, p.total, dot(p.slope, dir)}, nil
}

// wolfe searches a length that meets the strong Wolfe conditions (Nocedal and Wright, algorithms 3.5 and 3.6).
type wolfe struct {
	at    func(t float64) (probe, error)
	start probe
}

func (w *wolfe) search(t float64) (float64, error) {
	var err error
	if w.start, err = w.at(0); err != nil {
		return 0, err
	}
	if w.start.slope > 0 {
		return 0, errStep
	}
	low := w.start
	for i := range maxTries {
		c, err := w.at(t)
		switch {
		case err != nil:
			return 0, err
		case math.IsInf(c.value, 0) || math.IsNaN(c.value):
			t /= 2
			continue
		case w.tooHigh(c) || c.value >= low.value && i > 0:
			return w.zoom(low, c)
		case w.flat(c):
			return c.t, nil
		case c.slope >= 0:
			return w.zoom(c, low)
		}
		low = c
		t *= 1.5
	}
	return 0, errStep
}

func (w *wolfe) tooHigh(c probe) bool { return c.value > w.start.value+decrease*c.t*w.start.slope }

func (w *wolfe) flat(c probe) bool { return math.Abs(c.slope) <= curvature*math.Abs(w.start.slope) }

// zoom narrows a bracket, of which low is the better end.
func (w *wolfe) zoom(low, high probe) (float64, error) {
	for range maxTries {
		t := 0.0
		if low.t > high.t {
			t = cubic(high, low)
		} else {
			t = cubic(low, high)
		}
		if math.IsNaN(t) {
			return 0, errStep
		}
		c, err := w.at(t)
		switch {
		case err != nil:
			return 0, err
		case w.tooHigh(c) || c.value >= low.value:
			high = c
		case w.flat(c):
			return c.t, nil
		default:
			if c.slope*(high.t-low.t) >= 0 {
				high = low
			}
			low = c
		}
	}
	return 0, errStep
}

// cubic is where the cubic through both ends, with their slopes, is least, kept off the ends by a tenth of the bracket.
func cubic(l, r probe) float64 {
	d1 := l.slope + r.slope - 3*(l.value-r.value)/(l.t-r.t)
	d2 := math.Sqrt(d1*d1 - l.slope*r.slope)
	width := r.t - l.t
	t := r.t - width*(r.slope+d2-d1)/(r.slope-l.slope+2*d2)
	if least := l.t + 0.1*width; t < least {
		return least
	}
	if most := l.t + 0.9*width; t > most {
		return most
	}
	return t
}

// backtrack is the search for objectives with an L1 penalty. As in Breeze, the first length is judged by the objective at the start
// without its penalty; later ones by what they reach.
func (m *minimizer) backtrack(dir []float64) (float64, error) {
	shrink, t := 0.5, 1.0
	if m.steps == 0 {
		shrink, t = 0.1, 0.5/norm(m.now.grad)
	}
	start, err := m.probe(dir, 0)
	if err != nil {
		return 0, err
	}
	c, err := m.probe(dir, t)
	if err != nil {
		return 0, err
	}
	c.value = m.now.value
	for range maxHalving - 1 {
		var by float64
		switch {
		case c.value > start.value+c.t*start.slope*decrease:
			by = shrink
		case c.slope < curvature*start.slope:
			by = 2.1
		case c.slope > -curvature*start.slope:
			by = shrink
		default:
			return c.t, nil
		}
		t = c.t * by
		if t < minLength || t > maxLength {
			return 0, errStep
		}
		if c, err = m.probe(dir, t); err != nil {
			return 0, err
		}
	}
	return c.t, nil
}
