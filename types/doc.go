// Package types holds Spark SQL's data types as immutable values, with their JSON form (the form of a Delta table's
// schema and of a Parquet file's Spark metadata), their DDL form and their names in messages.
//
//	t := types.Struct(types.Field{Name: "id", Type: types.Long}, types.Field{Name: "tags", Type: types.ArrayOf(types.String, true), Nullable: true})
//
// The package knows nothing of values, plans or files.
package types
