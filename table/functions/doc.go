// Package functions has the kernels of SQL functions that read and write JSON and CSV texts: from_json, to_json, get_json_object,
// from_csv and their like. They use the readers and writers of those formats, and register themselves with operators/expr:
//
//	import _ "millrace/table/functions"
package functions
