package errs

// Conditions of INSERT OVERWRITE DIRECTORY and of users' functions.
var _ = register(map[string]Condition{
	"_LEGACY_ERROR_TEMP_0049":                    {Invalid, ClassParse, "", "Directory path and 'path' in OPTIONS should be specified one, but not both."},
	"NOT_SUPPORTED_COMMAND_WITHOUT_HIVE_SUPPORT": {Unsupported, ClassAnalysis, "0A000", "<cmd> is not supported, if you want to enable it, please set \"spark.sql.catalogImplementation\" to \"hive\"."},

	"USER_DEFINED_FUNCTIONS.CANNOT_REPLACE_NON_SQL_UDF_WITH_SQL_UDF": {Invalid, ClassAnalysis, "42601", "User defined function is invalid: Cannot replace the non-SQL function <name> with a SQL function."},
})
