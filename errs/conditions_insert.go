package errs

// Conditions of INSERT OVERWRITE DIRECTORY.
var _ = register(map[string]Condition{
	"_LEGACY_ERROR_TEMP_0049":                    {Invalid, ClassParse, "", "Directory path and 'path' in OPTIONS should be specified one, but not both."},
	"NOT_SUPPORTED_COMMAND_WITHOUT_HIVE_SUPPORT": {Unsupported, ClassAnalysis, "0A000", "<cmd> is not supported, if you want to enable it, please set \"spark.sql.catalogImplementation\" to \"hive\"."},
})
