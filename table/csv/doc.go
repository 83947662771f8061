// Package csv reads and writes CSV as Spark does: its options, its inference, its treatment of malformed records.
//
//	o, err := csv.ParseOptions(options, "UTC", now)
//	schema, err := csv.Infer(sources, o)
//	r, err := csv.NewReader(source, o, columns, len(fileColumns))
//	for b, err := r.Next(); b != nil; b, err = r.Next() { … }
//
// Records are cut into cells that point into the block that was read, and each column's cells are then parsed by one loop
// into its vector. It knows nothing of tables or plans.
package csv
