// Package hashtable numbers the different keys of rows: a Table gives every key that it meets the next number, so that
// aggregates and joins keep what belongs to a key in plain slices.
//
//	t := hashtable.New(keyTypes)
//	t.Find(keys, sel, n, groups) // groups[k] is the number of the k-th selected row's key
//
// Two keys are the same when Spark would group them: null equals null, NaN equals NaN and -0.0 equals 0.0. Slots are 8 bytes (32 bits of
// the hash and a number) in a linear table; a single fixed-width key lies in its slot; keys that are all dictionary codes
// index an array. The package knows nothing of operators.
package hashtable
