package errs

// Conditions of streaming queries. Templates and SQLSTATEs are Spark 4.2's and Delta 4.4's; those without a number in Spark have none here.
var _ = register(map[string]Condition{
	"CALL_ON_STREAMING_DATASET_UNSUPPORTED":          {Invalid, ClassAnalysis, "42KDE", "The method <methodName> can not be called on streaming Dataset/DataFrame."},
	"WRITE_STREAM_NOT_ALLOWED":                       {Invalid, ClassAnalysis, "42601", "`writeStream` can be called only on streaming Dataset/DataFrame."},
	"STREAMING_OUTPUT_MODE.INVALID":                  {Invalid, ClassIllegalArgument, "42KDE", "Invalid streaming output mode: <outputMode>. Accepted output modes are 'Append', 'Complete', 'Update'."},
	"_LEGACY_ERROR_TEMP_1298":                        {Invalid, ClassAnalysis, "", "checkpointLocation must be specified either through option(\"checkpointLocation\", ...) or SparkSession.conf.set(\"<config>\", ...)."},
	"_LEGACY_ERROR_TEMP_1188":                        {Invalid, ClassAnalysis, "", "There is a 'path' option set and <method>() is called with a path parameter. Either remove the path option, or call <method>() without the parameter. To ignore this check, set '<config>' to 'true'."},
	"_LEGACY_ERROR_TEMP_1194":                        {Invalid, ClassAnalysis, "", "queryName must be specified for memory sink."},
	"DELTA_UNSUPPORTED_OUTPUT_MODE":                  {Invalid, ClassAnalysis, "0AKDC", "Data source <dataSource> does not support <mode> output mode"},
	"DELTA_READ_SOURCE_SCHEMA_CONFLICT":              {Invalid, ClassAnalysis, "42K07", "The schema provided for the source read doesn't match the schema of the Delta table"},
	"DELTA_SOURCE_TABLE_IGNORE_CHANGES":              {Unsupported, ClassUnsupported, "0A000", "Detected a data update (for example <file>) in the source table at version <version>. This is currently not supported. If this is going to happen regularly and you are okay to skip changes, set the option 'skipChangeCommits' to 'true'. If you would like the data update to be reflected, please restart this query with a fresh checkpoint directory. The source table can be found at path <dataPath>."},
	"DELTA_SOURCE_IGNORE_DELETE":                     {Unsupported, ClassUnsupported, "0A000", "Detected deleted data (for example <removedFile>) from streaming source at version <version>. This is currently not supported. If you'd like to ignore deletes, set the option 'ignoreDeletes' to 'true'. The source table can be found at path <dataPath>."},
	"DIFFERENT_DELTA_TABLE_READ_BY_STREAMING_SOURCE": {Invalid, ClassSpark, "55019", "The streaming query was reading from an unexpected Delta table (id = '<newTableId>'). \nIt used to read from another Delta table (id = '<oldTableId>') according to checkpoint. \nThis may happen when you changed the code to read from a new table or you deleted and \nre-created a table. Please revert your change or delete your streaming query checkpoint \nto restart from scratch."},
	"DELTA_ILLEGAL_OPTION":                           {Invalid, ClassIllegalArgument, "42616", "Invalid value '<input>' for option '<name>', <explain>"},
	"DELTA_STARTING_VERSION_AND_TIMESTAMP_BOTH_SET":  {Invalid, ClassIllegalArgument, "42613", "Please either provide '<version>' or '<timestamp>'"},
	"DELTA_UNSUPPORTED_TIME_TRAVEL_VIEWS":            {Unsupported, ClassAnalysis, "0AKDC", "Cannot time travel views, subqueries, streams or change data feed queries."},
	"DELTA_SCHEMA_CHANGED_WITH_VERSION":              {Invalid, ClassSpark, "KD007", "Detected schema change in version <version>:\nstreaming source schema: <readSchema>\n\ndata file schema: <dataSchema>\n\nPlease try restarting the query. If this issue repeats across query restarts without\nmaking progress, you have made an incompatible schema change and need to start your\nquery from scratch using a new checkpoint directory.\n"},
	"STREAM_FAILED":                                  {Invalid, ClassStreaming, "XXKST", "Query [id = <id>, runId = <runId>] terminated with exception: <message>"},
	"STREAMING_CHECKPOINT_MISSING_METADATA_FILE":     {Invalid, ClassRuntime, "42K03", "Checkpoint location <checkpointLocation> is in an inconsistent state: the metadata file is missing but offset and/or commit logs contain data. Please restore the metadata file or create a new checkpoint directory."},
	"CONCURRENT_STREAM_LOG_UPDATE":                   {Conflict, ClassSpark, "40000", "Concurrent update to the log. Multiple streaming jobs detected for <batchId>.\nPlease make sure only one streaming job runs on a specific checkpoint location at a time."},
})
