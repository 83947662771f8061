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
	"PARTITIONS_ALREADY_EXIST":                              {Invalid, ClassAnalysis, "428FT", "Cannot ADD or RENAME TO partition(s) <partitionList> in table <tableName> because they already exist.\nChoose a different name, drop the existing partition, or add the IF NOT EXISTS clause to tolerate a pre-existing partition."},
	"_LEGACY_ERROR_TEMP_1232":                               {Invalid, ClassAnalysis, "", "Partition spec is invalid. The spec (<specKeys>) must match the partition spec (<partitionColumnNames>) defined in table '<tableName>'."},
	"_LEGACY_ERROR_TEMP_1251":                               {Invalid, ClassAnalysis, "", "<action> is not allowed on <tableName> since its partition metadata is not stored in the Hive metastore. To import this information into the metastore, run `msck repair table <tableName>`."},
	"CANNOT_ALTER_PARTITION_COLUMN":                         {Invalid, ClassAnalysis, "428FR", "ALTER TABLE (ALTER|CHANGE) COLUMN is not supported for partition columns, but found the partition column <columnName> in the table <tableName>."},
	"UNSUPPORTED_FEATURE.ANALYZE_UNCACHED_TEMP_VIEW":        {Unsupported, ClassAnalysis, "0A000", "The feature is not supported: The ANALYZE TABLE FOR COLUMNS command can operate on temporary views that have been cached already. Consider to cache the view <viewName>."},
	"UNSUPPORTED_FEATURE.ANALYZE_UNSUPPORTED_COLUMN_TYPE":   {Unsupported, ClassAnalysis, "0A000", "The feature is not supported: The ANALYZE TABLE FOR COLUMNS command does not support the type <columnType> of the column <columnName> in the table <tableName>."},
	"UNSUPPORTED_FEATURE.ANALYZE_VIEW":                      {Unsupported, ClassAnalysis, "0A000", "The feature is not supported: The ANALYZE TABLE command does not support views."},
	"COLUMN_NOT_FOUND":                                      {Invalid, ClassAnalysis, "42703", "The column <colName> cannot be found. Verify the spelling and correctness of the column name according to the SQL config <caseSensitiveConfig>."},
	"NOT_SUPPORTED_COMMAND_FOR_V2_TABLE":                    {Invalid, ClassAnalysis, "0A000", "<cmd> is not supported for v2 tables."},
	"INVALID_BUCKET_COLUMN_DATA_TYPE":                       {Invalid, ClassAnalysis, "42601", "Cannot use <type> for bucket column. Collated data types are not supported for bucketing."},
	"INVALID_BUCKET_COUNT":                                  {Invalid, ClassParse, "22003", "Number of buckets should be greater than 0 but less than or equal to bucketing.maxBuckets (`<bucketingMaxBuckets>`). Got `<numBuckets>`."},
	"SPECIFY_CLUSTER_BY_WITH_BUCKETING_IS_NOT_ALLOWED":      {Invalid, ClassParse, "42908", "Cannot specify both CLUSTER BY and CLUSTERED BY INTO BUCKETS."},
	"_LEGACY_ERROR_TEMP_1166":                               {Invalid, ClassAnalysis, "", "Bucketing column '<bucketCol>' should not be part of partition columns '<normalizedPartCols>'."},
	"DELTA_OPERATION_NOT_ALLOWED_DETAIL":                    {Invalid, ClassAnalysis, "0AKDC", "Operation not allowed: `<operation>` is not supported for Delta tables: <tableName>"},
})
