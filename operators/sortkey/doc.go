// Package sortkey orders rows by several columns: it packs the columns into 64-bit words whose unsigned order is the rows' order, sorts
// those by radix, and compares values only where long strings or nested values leave rows tied.
//
//	order := sortkey.Sort(keys, columns, n)
//
// Spark's order: nulls first or last as the key says, NaN after all numbers, -0.0 equal to 0.0, strings by bytes. The package knows
// nothing of operators.
package sortkey
