package agg

import (
	"math"

	"millrace/errs"
	"millrace/operators/expr"
	"millrace/types"
	"millrace/vector"
)

func init() {
	for _, m := range []struct {
		names []string
		order int
		of    func(s *moment) (float64, bool)
	}{
		{[]string{"var_pop"}, 2, func(s *moment) (float64, bool) { return s.m2 / s.n, s.n > 0 }},
		{[]string{"var_samp", "variance"}, 2, func(s *moment) (float64, bool) { return s.m2 / (s.n - 1), s.n > 1 }},
		{[]string{"stddev_pop"}, 2, func(s *moment) (float64, bool) { return math.Sqrt(s.m2 / s.n), s.n > 0 }},
		{[]string{"stddev_samp", "stddev", "std"}, 2, func(s *moment) (float64, bool) { return math.Sqrt(s.m2 / (s.n - 1)), s.n > 1 }},
		{[]string{"skewness"}, 3, func(s *moment) (float64, bool) { return math.Sqrt(s.n) * s.m3 / math.Sqrt(s.m2*s.m2*s.m2), s.m2 != 0 }},
		{[]string{"kurtosis"}, 4, func(s *moment) (float64, bool) { return s.n*s.m4/(s.m2*s.m2) - 3, s.m2 != 0 }},
	} {
		states := make([]*types.Type, m.order+1)
		for i := range states {
			states[i] = types.Double
		}
		register(builder{func(*Call) []*types.Type { return states },
			func(*Call) (Function, error) { return &moments{order: m.order, of: m.of}, nil }}, m.names...)
	}
	pair := func(*Call) []*types.Type {
		return []*types.Type{types.Double, types.Double, types.Double, types.Double, types.Double, types.Double}
	}
	for _, m := range []struct {
		name string
		of   func(s *comoment) (float64, bool)
	}{
		{"covar_pop", func(s *comoment) (float64, bool) { return s.c / s.n, s.n > 0 }},
		{"covar_samp", func(s *comoment) (float64, bool) { return s.c / (s.n - 1), s.n > 1 }},
		{"corr", func(s *comoment) (float64, bool) {
			return s.c / math.Sqrt(s.mx*s.my), s.n > 1 && s.mx != 0 && s.my != 0
		}},
	} {
		register(builder{pair, func(c *Call) (Function, error) { return &comoments{call: c, of: m.of}, nil }}, m.name)
	}
	for _, m := range regressions {
		register(builder{pair, func(c *Call) (Function, error) { return &comoments{call: c, of: m.of, swapped: true}, nil }}, m.name)
	}
}

// moment is Spark's CentralMomentAgg: the number of values, their mean and the sums of powers of their distances from it.
type moment struct{ n, mean, m2, m3, m4 float64 }

func (s *moment) add(x float64) {
	n := s.n + 1
	d := x - s.mean
	dn := d / n
	mean := s.mean + dn
	m2 := s.m2 + d*(d-dn)
	d2, dn2 := d*d, dn*dn
	m3 := s.m3 - 3*dn*m2 + d*(d2-dn2)
	s.m4 = s.m4 - 4*dn*m3 - 6*dn2*m2 + d*(d*d2-dn*dn2)
	s.n, s.mean, s.m2, s.m3 = n, mean, m2, m3
}

func (s *moment) merge(o *moment) {
	if o.n == 0 {
		return
	}
	n1, n2 := s.n, o.n
	n := n1 + n2
	d := o.mean - s.mean
	dn := d / n
	m2, m3 := s.m2, s.m3
	s.m2 = m2 + o.m2 + d*dn*n1*n2
	s.m3 = m3 + o.m3 + dn*dn*d*n1*n2*(n1-n2) + 3*dn*(n1*o.m2-n2*m2)
	s.m4 = s.m4 + o.m4 + dn*dn*dn*d*n1*n2*(n1*n1-n1*n2+n2*n2) + 6*dn*dn*(n1*n1*o.m2+n2*n2*m2) + 4*dn*(n1*o.m3-n2*m3)
	s.n, s.mean = n, s.mean+dn*n2
}

// moments is the variance family.
type moments struct {
	s     []moment
	order int
	of    func(*moment) (float64, bool)
}

func (f *moments) TakesNulls() bool { return false }
func (f *moments) Resize(n int)     { f.s = resize(f.s, n) }
func (f *moments) MemSize() int64   { return int64(40 * cap(f.s)) }
func (f *moments) Reset()           { f.s = f.s[:0] }

func (f *moments) Update(in *Input) error {
	for k, x := range vector.Values[float64](in.Args[0])[:in.N] {
		f.s[in.group(k)].add(x)
	}
	return nil
}

func (f *moments) Merge(in *Input) error {
	for k := range in.N {
		var o moment
		for i, p := range []*float64{&o.n, &o.mean, &o.m2, &o.m3, &o.m4}[:f.order+1] {
			*p = vector.Values[float64](in.Args[i])[k]
		}
		f.s[in.group(k)].merge(&o)
	}
	return nil
}

func (f *moments) States(out []*vector.Vector, from, n int) {
	for i := range out {
		values := make([]float64, n)
		for k := range values {
			s := &f.s[from+k]
			values[k] = [...]float64{s.n, s.mean, s.m2, s.m3, s.m4}[i]
		}
		out[i].Append(vector.FromSlice(types.Double, values), nil)
	}
}

func (f *moments) Result(out *vector.Vector, from, n int) error {
	out.Append(doubles(n, func(k int) (float64, bool) { return f.of(&f.s[from+k]) }), nil)
	return nil
}

// doubles makes a column of n values, null where there is none.
func doubles(n int, value func(k int) (float64, bool)) *vector.Vector {
	values := make([]float64, n)
	v := vector.FromSlice(types.Double, values)
	for k := range values {
		x, ok := value(k)
		values[k] = x
		if !ok {
			v.SetNull(k)
		}
	}
	return v
}

// regressions are the functions of a line through points, whose first argument is y and the second x.
var regressions = []struct {
	name string
	of   func(s *comoment) (float64, bool)
}{
	{"regr_avgx", func(s *comoment) (float64, bool) { return s.x, s.n > 0 }},
	{"regr_avgy", func(s *comoment) (float64, bool) { return s.y, s.n > 0 }},
	{"regr_sxx", func(s *comoment) (float64, bool) { return s.mx, s.n > 0 }},
	{"regr_syy", func(s *comoment) (float64, bool) { return s.my, s.n > 0 }},
	{"regr_sxy", func(s *comoment) (float64, bool) { return s.c, s.n > 0 }},
	{"regr_slope", func(s *comoment) (float64, bool) { return s.c / s.mx, s.mx != 0 }},
	{"regr_intercept", func(s *comoment) (float64, bool) { return s.y - s.c/s.mx*s.x, s.mx != 0 }},
	{"regr_r2", func(s *comoment) (float64, bool) {
		if s.my == 0 {
			return 1, s.mx != 0
		}
		return s.c * s.c / s.mx / s.my, s.mx != 0
	}},
}

// comoment is Spark's Covariance and PearsonCorrelation.
type comoment struct{ n, x, y, c, mx, my float64 }

func (s *comoment) add(x, y float64) {
	s.n++
	dx, dy := x-s.x, y-s.y
	dxn, dyn := dx/s.n, dy/s.n
	s.x, s.y = s.x+dxn, s.y+dyn
	s.c += dx * (y - s.y)
	s.mx += dx * (x - s.x)
	s.my += dy * (y - s.y)
}

func (s *comoment) merge(o *comoment) {
	if o.n == 0 {
		return
	}
	n := s.n + o.n
	dx, dy := o.x-s.x, o.y-s.y
	dxn, dyn := dx/n, dy/n
	s.c += o.c + dx*dyn*s.n*o.n
	s.mx += o.mx + dx*dxn*s.n*o.n
	s.my += o.my + dy*dyn*s.n*o.n
	s.x, s.y, s.n = s.x+dxn*o.n, s.y+dyn*o.n, n
}

// comoments is the covariance family.
type comoments struct {
	s       []comoment
	call    *Call
	of      func(*comoment) (float64, bool)
	swapped bool // the second argument is x
}

func (f *comoments) TakesNulls() bool { return false }
func (f *comoments) Resize(n int)     { f.s = resize(f.s, n) }
func (f *comoments) MemSize() int64   { return int64(48 * cap(f.s)) }
func (f *comoments) Reset()           { f.s = f.s[:0] }

func (f *comoments) Update(in *Input) error {
	x, y := vector.Values[float64](in.Args[0]), vector.Values[float64](in.Args[1])
	if f.swapped {
		x, y = y, x
	}
	for k := range in.N {
		f.s[in.group(k)].add(x[k], y[k])
	}
	return nil
}

func (f *comoments) Merge(in *Input) error {
	for k := range in.N {
		var o comoment
		for i, p := range []*float64{&o.n, &o.x, &o.y, &o.c, &o.mx, &o.my} {
			*p = vector.Values[float64](in.Args[i])[k]
		}
		f.s[in.group(k)].merge(&o)
	}
	return nil
}

func (f *comoments) States(out []*vector.Vector, from, n int) {
	for i := range out {
		values := make([]float64, n)
		for k := range values {
			s := &f.s[from+k]
			values[k] = [...]float64{s.n, s.x, s.y, s.c, s.mx, s.my}[i]
		}
		out[i].Append(vector.FromSlice(types.Double, values), nil)
	}
}

func (f *comoments) Result(out *vector.Vector, from, n int) error {
	for _, s := range f.s[from : from+n] {
		if f.call.Name == "corr" && f.call.ansi() && s.n > 1 && (s.mx == 0 || s.my == 0) {
			return expr.Wrap(origin(f.call), errs.New("DIVIDE_BY_ZERO", "config", `"spark.sql.ansi.enabled"`))
		}
	}
	out.Append(doubles(n, func(k int) (float64, bool) { return f.of(&f.s[from+k]) }), nil)
	return nil
}
