package errs

// Conditions of streaming queries' plans and state.
var _ = register(map[string]Condition{
	"STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION": {Unsupported, ClassAnalysis, "42KDE", "Invalid streaming output mode: <outputMode>. This output mode is not supported for <operation> on streaming DataFrames/DataSets."},
	"NON_TIME_WINDOW_NOT_SUPPORTED_IN_STREAMING":  {Unsupported, ClassAnalysis, "42KDE", "Window function is not supported in <windowFunc> (as column <columnName>) on streaming DataFrames/Datasets.\nStructured Streaming only supports time-window aggregation using the WINDOW function. (window specification: <windowSpec>)"},
	"INVALID_SUBQUERY_EXPRESSION.STREAMING_QUERY": {Unsupported, ClassAnalysis, "42823", "Invalid subquery: Streaming query is not allowed in subquery expressions."},
	"_LEGACY_ERROR_TEMP_3102":                     {Unsupported, ClassAnalysis, "", "<msg>"},
	"EVENT_TIME_IS_NOT_ON_TIMESTAMP_TYPE":         {Invalid, ClassAnalysis, "42K09", "The event time <eventName> has the invalid type <eventType>, but expected \"TIMESTAMP\"."},
	"CANNOT_PARSE_INTERVAL":                       {Invalid, ClassAnalysis, "22006", "Unable to parse <intervalString>. Please ensure that the value provided is in a valid format for defining an interval. You can reference the documentation for the correct format. If the issue persists, please double check that the input value is not null or empty and try again."},

	"CANNOT_LOAD_STATE_STORE.CANNOT_READ_DELTA_FILE_NOT_EXISTS": {Invalid, ClassSpark, "58030", "An error occurred during loading state. Error reading delta file <fileToRead> of <clazz>: <fileToRead> does not exist."},

	"STATE_STORE_KEY_SCHEMA_NOT_COMPATIBLE":   {Invalid, ClassSpark, "XXKST", "Provided key schema does not match existing state key schema.\nPlease check number and type of fields.\nExisting key_schema=<storedKeySchema> and new key_schema=<newKeySchema>.\nIf you want to force running the query without schema validation, please set spark.sql.streaming.stateStore.stateSchemaCheck to false.\nHowever, please note that running the query with incompatible schema could cause non-deterministic behavior."},
	"STATE_STORE_VALUE_SCHEMA_NOT_COMPATIBLE": {Invalid, ClassSpark, "XXKST", "Provided value schema does not match existing state value schema.\nPlease check number and type of fields.\nExisting value_schema=<storedValueSchema> and new value_schema=<newValueSchema>.\nIf you want to force running the query without schema validation, please set spark.sql.streaming.stateStore.stateSchemaCheck to false.\nHowever, please note that running the query with incompatible schema could cause non-deterministic behavior."},
})
