// Package optimize rewrites a resolved plan into an equal one that costs less: constants folded, filters near their scans,
// columns that nobody reads left out, neighbouring projections merged, subqueries turned into joins. One rule a file. The
// package is pure: folding is done by a function that the caller gives.
//
//	better, err := optimize.Optimize(resolved, optimize.Options{Fold: fold})
package optimize
