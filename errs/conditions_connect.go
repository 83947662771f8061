package errs

// Conditions of sessions and of the Spark Connect protocol.
var _ = register(map[string]Condition{
	"SQL_CONF_NOT_FOUND":               {NotFound, ClassNoSuchElement, "42K0I", "The SQL config <sqlConf> cannot be found. Please verify that the config exists."},
	"CANNOT_MODIFY_STATIC_CONFIG":      {Invalid, ClassAnalysis, "46110", "Cannot modify the value of the static Spark config: <key>."},
	"CANNOT_MODIFY_CONFIG":             {Invalid, ClassAnalysis, "46110", "Cannot modify the value of the Spark config: <key>.\nSee also '<docroot>/sql-migration-guide.html#ddl-statements'."},
	"INVALID_CONF_VALUE.TYPE_MISMATCH": {Invalid, ClassIllegalArgument, "22022", "The value '<confValue>' in the config \"<confName>\" is invalid. It should be a/an '<confType>' value."},
	"NO_MERGE_ACTION_SPECIFIED":        {Invalid, ClassRuntime, "42K0E", "df.mergeInto needs to be followed by at least one of whenMatched/whenNotMatched/whenNotMatchedBySource."},
	"INVALID_CONF_VALUE.REQUIREMENT":   {Invalid, ClassIllegalArgument, "22022", "The value '<confValue>' in the config \"<confName>\" is invalid. <confRequirement>"},
	"INVALID_CONF_VALUE.TIME_ZONE":     {Invalid, ClassIllegalArgument, "22022", "The value '<confValue>' in the config \"<confName>\" is invalid. Cannot resolve the given timezone."},

	"INVALID_HANDLE.FORMAT":                   {Invalid, ClassSpark, "HY000", "The handle <handle> is invalid. Handle must be an UUID string of the format '00112233-4455-6677-8899-aabbccddeeff'"},
	"INVALID_HANDLE.OPERATION_ABANDONED":      {NotFound, ClassSpark, "HY000", "The handle <handle> is invalid. Operation was considered abandoned because of inactivity and removed."},
	"INVALID_HANDLE.OPERATION_ALREADY_EXISTS": {Invalid, ClassSpark, "HY000", "The handle <handle> is invalid. Operation already exists."},
	"INVALID_HANDLE.OPERATION_NOT_FOUND":      {NotFound, ClassSpark, "HY000", "The handle <handle> is invalid. Operation not found."},
	"INVALID_HANDLE.SESSION_CHANGED":          {NotFound, ClassSpark, "HY000", "The handle <handle> is invalid. The existing Spark server driver instance has restarted. Please reconnect."},
	"INVALID_HANDLE.SESSION_CLOSED":           {NotFound, ClassSpark, "HY000", "The handle <handle> is invalid. Session was closed."},
	"INVALID_HANDLE.SESSION_NOT_FOUND":        {NotFound, ClassSpark, "HY000", "The handle <handle> is invalid. Session not found."},

	"INVALID_CLONE_SESSION_REQUEST.TARGET_SESSION_ID_FORMAT":         {Invalid, ClassSpark, "42K04", "Invalid session clone request. Target session ID <targetSessionId> for clone operation must be an UUID string of the format '00112233-4455-6677-8899-aabbccddeeff'."},
	"INVALID_CLONE_SESSION_REQUEST.TARGET_SESSION_ID_ALREADY_EXISTS": {Invalid, ClassSpark, "42K04", "Invalid session clone request. Cannot clone session to target session ID <targetSessionId> because a session with this ID already exists."},
	"INVALID_CLONE_SESSION_REQUEST.TARGET_SESSION_ID_ALREADY_CLOSED": {Invalid, ClassSpark, "42K04", "Invalid session clone request. Cannot clone session to target session ID <targetSessionId> because a session with this ID was previously closed."},

	"INVALID_CURSOR.DISCONNECTED":           {Transient, ClassSpark, "HY109", "The cursor is invalid. The cursor has been disconnected by the server."},
	"INVALID_CURSOR.NOT_REATTACHABLE":       {Invalid, ClassSpark, "HY109", "The cursor is invalid. The cursor is not reattachable."},
	"INVALID_CURSOR.POSITION_NOT_AVAILABLE": {Invalid, ClassSpark, "HY109", "The cursor is invalid. The cursor position id <responseId> is no longer available at index <index>."},
	"INVALID_CURSOR.POSITION_NOT_FOUND":     {Invalid, ClassSpark, "HY109", "The cursor is invalid. The cursor position id <responseId> is not found."},

	"INVALID_PARAMETER_VALUE.INTERRUPT_TYPE_TAG_REQUIRES_TAG":         {Invalid, ClassSpark, "22023", "The value of parameter(s) <parameter> in <functionName> is invalid: INTERRUPT_TYPE_TAG requested, but no operation_tag provided."},
	"INVALID_PARAMETER_VALUE.INTERRUPT_TYPE_OPERATION_ID_REQUIRES_ID": {Invalid, ClassSpark, "22023", "The value of parameter(s) <parameter> in <functionName> is invalid: INTERRUPT_TYPE_OPERATION_ID requested, but no operation_id provided."},

	"CONNECT_INVALID_PLAN.INVALID_ONE_OF_FIELD_NOT_SET":        {Invalid, ClassAnalysis, "56K00", "The Spark Connect plan is invalid. This oneOf field in <fullName> is not set: <name>"},
	"CONNECT_INVALID_PLAN.CANNOT_FIND_CACHED_LOCAL_RELATION":   {NotFound, ClassAnalysis, "56K00", "The Spark Connect plan is invalid. Cannot find a cached local relation for hash: <hash>"},
	"CONNECT_INVALID_PLAN.DATAFRAME_NOT_FOUND":                 {NotFound, ClassAnalysis, "56K00", "The Spark Connect plan is invalid. No DataFrame with id <dfId> is found in the session <sessionId>"},
	"CONNECT_INVALID_PLAN.UNRESOLVED_COLUMN_AMONG_FIELD_NAMES": {NotFound, ClassAnalysis, "56K00", "The Spark Connect plan is invalid. Cannot resolve column name \"<colName>\" among (<fieldNames>)."},
	"CONNECT_INVALID_PLAN.CANNOT_PARSE":                        {Invalid, ClassAnalysis, "56K00", "The Spark Connect plan is invalid. Cannot decompress or parse the input plan (<errorMsg>)"},
	"CONNECT_INVALID_PLAN.INVALID_ENUM":                        {Invalid, ClassAnalysis, "56K00", "The Spark Connect plan is invalid. This enum value of <fullName> is invalid: <name>(<number>)"},

	"CONNECT_INVALID_PLAN.STREAMING_QUERY_NOT_FOUND": {NotFound, ClassAnalysis, "56K00", "The Spark Connect plan is invalid. Streaming query <id> is not found"},

	"PYTHON_EXCEPTION":                                    {Invalid, ClassRuntime, "38000", "<msg>: <traceback>"},
	"ARROW_TYPE_MISMATCH":                                 {Invalid, ClassSpark, "42K0G", "Invalid schema from <operation>: expected <outputTypes>, got <actualDataTypes>."},
	"INVALID_PANDAS_UDF_PLACEMENT":                        {Invalid, ClassAnalysis, "0A000", "The group aggregate pandas UDF <functionList> cannot be invoked together with as other, non-pandas aggregate functions."},
	"UNSUPPORTED_FEATURE.LAMBDA_FUNCTION_WITH_PYTHON_UDF": {Unsupported, ClassAnalysis, "0A000", "The feature is not supported: Lambda function with Python UDF <funcName> in a higher order function."},
	"UNSUPPORTED_FEATURE.PYTHON_UDF_IN_ON_CLAUSE":         {Unsupported, ClassAnalysis, "0A000", "The feature is not supported: Python UDF in the ON clause of a <joinType> JOIN. In case of an INNER JOIN consider rewriting to a CROSS JOIN with a WHERE clause."},
	"_LEGACY_ERROR_TEMP_3262":                             {Invalid, ClassIllegalArgument, "", "Doesn't support month or year interval: <interval>"},

	"INVALID_ATTRIBUTE_NAME_SYNTAX": {Invalid, ClassAnalysis, "42601", "Syntax error in the attribute name: <name>. Check that backticks appear in pairs, a quoted string is a complete name part and use a backtick only inside quoted name parts."},

	"OPERATION_CANCELED":                 {Cancelled, ClassSpark, "HY008", "Operation has been canceled."},
	"TEMP_TABLE_OR_VIEW_ALREADY_EXISTS":  {Invalid, ClassTableExists, "42P07", "Cannot create the temporary view <relationName> because it already exists.\nChoose a different name, drop or replace the existing view."},
	"UNBOUND_SQL_PARAMETER":              {Invalid, ClassAnalysis, "42P02", "Found the unbound parameter: <name>. Please, fix `args` and provide a mapping of the parameter to either a SQL literal or collection constructor functions such as `map()`, `array()`, `struct()`."},
	"TEMP_VIEW_NAME_TOO_MANY_NAME_PARTS": {Invalid, ClassAnalysis, "428EK", "CREATE TEMPORARY VIEW or the corresponding Dataset APIs only accept single-part view names, but got: <actualName>."},
	"CATALOG_NOT_FOUND":                  {NotFound, ClassSpark, "42P08", "The catalog <catalogName> not found. Consider to set the SQL config <config> to a catalog plugin."},
	"SCHEMA_NOT_FOUND":                   {NotFound, ClassNoSuchNamespace, "42704", "The schema <schemaName> cannot be found. Verify the spelling and correctness of the schema and catalog.\nIf you did not qualify the name with a catalog, verify the current_schema() output, or qualify the name with the correct catalog.\nTo tolerate the error on drop use DROP SCHEMA IF EXISTS."},
})
