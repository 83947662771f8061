package errs

// Conditions of Spark that more than one package raises. Templates, SQLSTATEs and classes are Spark 4.2's
// (common/utils/src/main/resources/error/error-conditions.json). Each area has a file of its own beside this one.
var _ = register(map[string]Condition{
	"INTERNAL_ERROR":          {Internal, ClassSpark, "XX000", "<message>"},
	"DIVIDE_BY_ZERO":          {Invalid, ClassArithmetic, "22012", "Division by zero. Use `try_divide` to tolerate divisor being 0 and return NULL instead. If necessary set <config> to \"false\" to bypass this error."},
	"REMAINDER_BY_ZERO":       {Invalid, ClassArithmetic, "22012", "Remainder by zero. Use `try_mod` to tolerate divisor being 0 and return NULL instead. If necessary set <config> to \"false\" to bypass this error."},
	"CANNOT_PARSE_DATATYPE":   {Invalid, ClassAnalysis, "22007", "Cannot parse datatype: <datatype>. <reason>"},
	"UNSUPPORTED_DATATYPE":    {Unsupported, ClassAnalysis, "0A000", "Unsupported data type <typeName>."},
	"PATH_NOT_FOUND":          {NotFound, ClassAnalysis, "42K03", "Path does not exist: <path>."},
	"TABLE_OR_VIEW_NOT_FOUND": {NotFound, ClassAnalysis, "42P01", "The table or view <relationName> cannot be found. Verify the spelling and correctness of the schema and catalog.\nIf you did not qualify the name with a schema, verify the current_schema() output, or qualify the name with the correct schema and catalog.\nTo tolerate the error on drop use DROP VIEW IF EXISTS or DROP TABLE IF EXISTS."},
	"DATA_SOURCE_NOT_FOUND":   {NotFound, ClassSpark, "42K02", "Failed to find the data source: <provider>. Make sure the provider name is correct and the package is properly registered and compatible with your Spark version."},
	"UNABLE_TO_INFER_SCHEMA":  {Invalid, ClassAnalysis, "42KD9", "Unable to infer schema for <format>. It must be specified manually."},
})
