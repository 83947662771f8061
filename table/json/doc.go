// Package json reads and writes JSON as Spark does: a record a line, or whole files with multiLine; its inference and its
// treatment of malformed records.
//
//	o, err := json.ParseOptions(options, "UTC", now, false)
//	schema, err := json.Infer(sources, o, false)
//	r, err := json.NewReader(source, o, columns)
//
// One pass over the bytes appends values straight to vectors: there is no tree in between. It knows nothing of tables or plans.
package json
