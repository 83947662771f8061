package errs

// Conditions of catalogued tables of files.
var _ = register(map[string]Condition{
	"LOCATION_ALREADY_EXISTS":                               {Invalid, ClassSpark, "42710", "Cannot name the managed table as <identifier>, as its associated location <location> already exists. Please pick a different table name, or remove the existing location first."},
	"PARTITIONS_NOT_FOUND":                                  {Invalid, ClassAnalysis, "428FT", "The partition(s) <partitionList> cannot be found in table <tableName>. Verify the partition specification and table name. To tolerate the error on drop use ALTER TABLE … DROP IF EXISTS PARTITION."},
	"INCOMPATIBLE_DATA_FOR_TABLE.CANNOT_SAFELY_CAST":        {Invalid, ClassAnalysis, "KD000", "Cannot write incompatible data for the table <tableName>: Cannot safely cast <colName> <srcType> to <targetType>."},
	"INVALID_PARTITION_OPERATION.PARTITION_SCHEMA_IS_EMPTY": {Invalid, ClassAnalysis, "42601", "The partition command is invalid. Table <name> is not partitioned."},
	"_LEGACY_ERROR_TEMP_1266":                               {Invalid, ClassAnalysis, "", "Operation not allowed: TRUNCATE TABLE on external tables: <tableIdentWithDB>."},
	"INCOMPATIBLE_DATA_FOR_TABLE.EXTRA_COLUMNS":             {Invalid, ClassAnalysis, "KD000", "Cannot write incompatible data for the table <tableName>: Cannot write extra columns <extraColumns>."},
	"EXPECT_TABLE_NOT_VIEW.NO_ALTERNATIVE":                  {Invalid, ClassAnalysis, "42809", "'<operation>' expects a table but <viewName> is a view."},
	"STATIC_PARTITION_COLUMN_IN_INSERT_COLUMN_LIST":         {Invalid, ClassAnalysis, "42713", "Static partition column <staticName> is also specified in the column list."},
	"COLUMN_NOT_DEFINED_IN_TABLE":                           {Invalid, ClassAnalysis, "42703", "<colType> column <colName> is not defined in table <tableName>, defined table columns are: <tableCols>."},
	"INVALID_PARTITION_COLUMN_DATA_TYPE":                    {Unsupported, ClassAnalysis, "0A000", "Cannot use <type> for partition column."},
})
