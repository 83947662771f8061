package errs

// Conditions of commands: Spark's and Delta's names, states and templates.
var _ = register(map[string]Condition{
	"TABLE_OR_VIEW_ALREADY_EXISTS":                         {Invalid, ClassTableExists, "42P07", "Cannot create table or view <relationName> because it already exists.\nChoose a different name, drop or replace the existing object, or add the IF NOT EXISTS clause to tolerate pre-existing objects."},
	"INVALID_TIME_TRAVEL_TIMESTAMP_EXPR.INPUT":             {Invalid, ClassAnalysis, "42K0E", "The time travel timestamp expression <expr> is invalid. Cannot be casted to the \"TIMESTAMP\" type."},
	"SCALAR_SUBQUERY_TOO_MANY_ROWS":                        {Invalid, ClassSpark, "21000", "More than one row returned by a subquery used as an expression."},
	"UNSUPPORTED_FEATURE.TIME_TRAVEL":                      {Unsupported, ClassAnalysis, "0A000", "The feature is not supported: Time travel on the relation: <relationId>."},
	"ALL_PARTITION_COLUMNS_NOT_ALLOWED":                    {Invalid, ClassAnalysis, "KD005", "Cannot use all columns for partition columns."},
	"PATH_ALREADY_EXISTS":                                  {Invalid, ClassAnalysis, "42K04", "Path <outputPath> already exists. Set mode as \"overwrite\" to overwrite the existing path."},
	"INSERT_COLUMN_ARITY_MISMATCH.NOT_ENOUGH_DATA_COLUMNS": {Invalid, ClassAnalysis, "21S01", "Cannot write to <tableName>, the reason is not enough data columns:\nTable columns: <tableColumns>.\nData columns: <dataColumns>."},
	"INSERT_COLUMN_ARITY_MISMATCH.TOO_MANY_DATA_COLUMNS":   {Invalid, ClassAnalysis, "21S01", "Cannot write to <tableName>, the reason is too many data columns:\nTable columns: <tableColumns>.\nData columns: <dataColumns>."},
	"DELTA_INSERT_COLUMN_ARITY_MISMATCH":                   {Invalid, ClassAnalysis, "42802", "Cannot write to '<tableName>', <columnName>; target table has <numColumns> column(s) but the inserted data has <insertColumns> column(s)"},
	"WRONG_COMMAND_FOR_OBJECT_TYPE":                        {Invalid, ClassAnalysis, "42809", "The operation <operation> requires a <requiredType>. But <objectName> is a <foundType>. Use <alternative> instead."},
	"UNSUPPORTED_FEATURE.DROP_DATABASE":                    {Unsupported, ClassAnalysis, "0A000", "The feature is not supported: Drop the default database <database>."},
	"SCHEMA_ALREADY_EXISTS":                                {Invalid, ClassAnalysis, "42P06", "Cannot create schema <schemaName> because it already exists.\nChoose a different name, drop the existing schema, or add the IF NOT EXISTS clause to tolerate pre-existing schema."},
	"SCHEMA_NOT_EMPTY":                                     {Invalid, ClassAnalysis, "2BP01", "Cannot drop a schema <schemaName> because it contains objects.\nUse DROP SCHEMA ... CASCADE to drop the schema and all its objects."},
	"DELTA_TABLE_ONLY_OPERATION":                           {Invalid, ClassAnalysis, "0AKDD", "<tableName> is not a Delta table. <operation> is only supported for Delta tables."},
	"DELTA_UNSUPPORTED_SCHEMA_DURING_READ":                 {Invalid, ClassAnalysis, "0AKDC", "Delta does not support specifying the schema at read time."},
	"DELTA_ONEOF_IN_TIMETRAVEL":                            {Invalid, ClassIllegalArgument, "42601", "Please either provide 'timestampAsOf' or 'versionAsOf' for time travel."},
	"DELTA_CREATE_TABLE_SCHEME_MISMATCH":                   {Invalid, ClassAnalysis, "42KD7", "The specified schema does not match the existing schema at <path>.\n\n== Specified ==\n<specifiedSchema>\n\n== Existing ==\n<existingSchema>\n\nIf your intention is to keep the existing schema, you can omit the\nschema from the create table command. Otherwise please ensure that\nthe schema matches."},
	"DELTA_CREATE_EXTERNAL_TABLE_WITHOUT_SCHEMA":           {Invalid, ClassAnalysis, "42601", "\nYou are trying to create an external table <tableName>\nfrom `<path>` using Delta, but the schema is not specified when the\ninput path is empty."},
	"DELTA_INVALID_IDEMPOTENT_WRITES_OPTIONS":              {Invalid, ClassIllegalArgument, "42616", "Invalid options for idempotent Dataframe writes: <reason>"},
})
