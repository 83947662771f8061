// Package optimize minimises smooth functions of many variables, with or without an L1 penalty, by limited-memory quasi-Newton steps:
//
//	r, err := optimize.Minimize(loss, start, optimize.Options{MaxIter: 10, Tolerance: 1e-6})
//	// r.X is the last point, r.History the objective at every step
//
// A fit that is stopped after ten steps has not converged, so that its answer is the path itself: where the steps start, how long they
// are and when they stop. The path here is the one of the optimisers that Spark ML uses (Breeze's LBFGS and OWLQN), which includes their
// line searches' constants and their treatment of failures; a reader who finds an odd constant finds it there too.
//
// L-BFGS: Liu and Nocedal (1989). OWL-QN: Andrew and Gao (2007). Line search: Nocedal and Wright, Numerical Optimization, chapter 3.
//
// The package is pure: it knows neither plans nor clocks; evaluating the function is the caller's.
package optimize
