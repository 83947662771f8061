// Package parquet reads and writes Parquet files as vectors, with Spark's types, names and statistics.
//
//	f, err := parquet.Open(source, size, path)
//	r, err := f.NewReader(parquet.ReadOptions{Columns: columns, Length: size})
//	for b, err := r.Next(); b != nil; b, err = r.Next() { … }
//
//	w, err := parquet.NewWriter(out, schema, parquet.WriteOptions{})
//	err = w.Write(batch)
//	summary, err := w.Close()
//
// Pages are decoded a batch at a time, straight into the output's buffers: dictionary-coded strings stay codes into one
// vector that all batches of a row group share. The package knows nothing of tables, stores or plans other than the
// predicate by which it leaves out row groups and pages. Format: https://github.com/apache/parquet-format.
package parquet
