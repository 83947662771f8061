// Package orc reads ORC files with Spark's mapping of types.
//
//	f, err := orc.Open(file, size, path)   // postscript, footer, stripes' statistics
//	t, err := f.SparkType()                // as Spark infers it
//	r, err := f.NewReader(file, orc.ReadOptions{Columns: columns})
//	for b, err := r.Next(); b != nil; b, err = r.Next() { … }
//
// A stripe's wanted streams are read at once and decoded a batch at a time, straight into vectors. Stripes and groups of rows are left out by their statistics. The
// format is described at https://orc.apache.org/specification. The package knows nothing of tables.
package orc
