// Package avro reads and writes Avro object container files with Spark's mapping of types.
//
//	f, err := avro.Open(file, size, path)   // header: schema, codec
//	t, err := f.Schema.Type()               // as Spark infers it
//	r, err := f.NewReader(file, columns, start, length)
//	for b, err := r.Next(); b != nil; b, err = r.Next() { … }
//
// A reader decodes what the file's own schema says straight into vectors of the wanted types; there are no records in between. The package knows nothing of
// tables.
package avro
