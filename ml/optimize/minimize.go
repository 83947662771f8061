package optimize

import (
	"errors"
	"math"
)

// Memory is how many past steps shape the next one unless Options say otherwise.
const Memory = 10

// valueMemory is over how many past objectives the test of convergence looks.
const valueMemory = 20

// Function gives the value and the gradient at x. The gradient is a slice that the function no longer touches; x it may not keep.
type Function func(x []float64) (value float64, gradient []float64, err error)

// Options of a minimisation.
type Options struct {
	MaxIter   int       // the number of steps at most; negative: no limit
	Tolerance float64   // relative, of the objective and of the gradient's norm
	L1        []float64 // the penalty's weight of each variable, none negative; nil: no L1 penalty, and no orthants
	Memory    int       // 0: Memory
}

// Reason is why a minimisation ended.
type Reason string

// The reasons.
const (
	ReachedMaxIter    Reason = "max iterations reached"
	ValuesConverged   Reason = "function values converged"
	GradientConverged Reason = "gradient converged"
	SearchFailed      Reason = "line search failed"
)

// Result is the end of a minimisation. History[0] is the objective (with the penalty) at the start; a step that failed and was tried
// again without the memory of earlier ones repeats the entry before.
type Result struct {
	X       []float64
	Value   float64
	History []float64
	Reason  Reason
}

// errStep is a step that cannot be made: the search for its length failed or the memory gives no direction.
var errStep = errors.New("optimize: no step")

// Minimize walks downhill from start. An error is one of f's.
func Minimize(f Function, start []float64, o Options) (Result, error) {
	if o.Memory == 0 {
		o.Memory = Memory
	}
	m := &minimizer{f: f, o: o, mem: memory{limit: o.Memory}, recent: []float64{math.Inf(1)}}
	p, err := m.at(append([]float64(nil), start...))
	if err != nil {
		return Result{}, err
	}
	m.now, m.first = p, p.total
	return m.run()
}

// point is a place with what the function is there; total and slope include the L1 penalty.
type point struct {
	x, grad, slope []float64
	value, total   float64
}

type minimizer struct {
	f      Function
	o      Options
	now    point
	first  float64 // the objective at the start
	steps  int
	mem    memory
	recent []float64 // the last objectives; before the first step infinity, which keeps the test of values off for valueMemory steps
	last   point     // where the function was evaluated last: searches ask twice
}

func (m *minimizer) run() (Result, error) {
	r := Result{History: []float64{m.now.total}}
	failed := false
	for {
		if r.Reason = m.converged(); r.Reason != "" {
			break
		}
		switch err := m.step(); {
		case err == nil:
			failed = false
		case !errors.Is(err, errStep):
			return Result{}, err
		case failed:
			r.Reason = SearchFailed
		default:
			failed = true
			m.mem.clear()
		}
		r.History = append(r.History, m.now.total)
		if r.Reason != "" {
			break
		}
	}
	r.X, r.Value = m.now.x, m.now.total
	return r, nil
}

func (m *minimizer) converged() Reason {
	if m.o.MaxIter >= 0 && m.steps >= m.o.MaxIter {
		return ReachedMaxIter
	}
	if len(m.recent) >= 2 {
		top := m.recent[0]
		for _, v := range m.recent {
			top = max(top, v)
		}
		if math.Abs(m.now.total-top) <= m.o.Tolerance*math.Abs(m.first) {
			return ValuesConverged
		}
	}
	if norm(m.now.slope) <= max(m.o.Tolerance*math.Abs(m.now.total), 1e-8) {
		return GradientConverged
	}
	return ""
}

// step moves once, or says errStep and stays.
func (m *minimizer) step() error {
	dir, err := m.mem.direction(m.now.slope)
	if err != nil {
		return err
	}
	if m.o.L1 != nil {
		for i, g := range m.now.slope {
			if dir[i]*g >= 0 || math.IsNaN(dir[i]*g) {
				dir[i] = 0 // only downhill in every variable
			}
		}
	}
	length, err := m.length(dir)
	if err != nil {
		return err
	}
	next, err := m.at(m.moved(dir, length))
	if err != nil {
		return err
	}
	m.mem.add(minus(next.x, m.now.x), minus(next.grad, m.now.grad))
	m.now = next
	m.steps++
	m.recent = append(m.recent, next.total)
	if len(m.recent) > valueMemory {
		m.recent = m.recent[1:]
	}
	return nil
}

// moved is the place a length along dir; with an L1 penalty variables that would change sign become 0.
func (m *minimizer) moved(dir []float64, length float64) []float64 {
	x := make([]float64, len(dir))
	for i, d := range dir {
		x[i] = m.now.x[i] + d*length
	}
	if m.o.L1 == nil {
		return x
	}
	for i, from := range m.now.x {
		side := sign(from)
		if side == 0 {
			side = sign(-m.now.slope[i])
		}
		if sign(x[i]) != side {
			x[i] = 0
		}
	}
	return x
}

// at evaluates the function, unless it did so at the same place just before.
func (m *minimizer) at(x []float64) (point, error) {
	if m.last.x != nil && same(m.last.x, x) {
		return m.last, nil
	}
	v, g, err := m.f(x)
	if err != nil {
		return point{}, err
	}
	p := point{x: x, grad: g, slope: g, value: v, total: v}
	if m.o.L1 != nil {
		m.penalize(&p)
	}
	m.last = p
	return p, nil
}

// penalize adds the L1 penalty. Where a variable is 0 the slope is the one of the steeper side that goes down, or 0.
func (m *minimizer) penalize(p *point) {
	p.slope = make([]float64, len(p.grad))
	for i, g := range p.grad {
		l := m.o.L1[i]
		p.total += math.Abs(l * p.x[i])
		switch {
		case l == 0:
			p.slope[i] = g
		case p.x[i] != 0:
			p.slope[i] = g + sign(p.x[i])*l
		case g-l > 0:
			p.slope[i] = g - l
		case g+l < 0:
			p.slope[i] = g + l
		}
	}
}
