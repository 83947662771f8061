// Package fn is the table of functions and operators that expressions may call: for each name, how many arguments it takes,
// to which types they are converted, and what comes out. The kernels that compute them are in operators/expr (scalar) and
// operators/agg (aggregate), under the name that Result.Kernel gives. The package is pure and knows no plans.
package fn
