// Package linalg reads and writes columns of machine learning vectors, and holds single vectors and matrices as models keep them.
//
//	in := linalg.Of(column)
//	out := linalg.NewWriter(result)
//	for i := range n {
//		size, indices, values := in.Row(i) // indices is nil for a dense vector
//		copy(out.Dense(i, size), values)
//	}
//	out.Close()
//
// A column has types.VectorUDT: a struct of type (0 sparse, 1 dense), size, indices and values, of which size and indices are null for
// dense vectors. The package knows nothing of expressions, plans or estimators.
package linalg
