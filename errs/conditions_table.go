package errs

// Conditions of reading and writing files.
var _ = register(map[string]Condition{
	"FAILED_READ_FILE.NO_HINT":                               {Invalid, ClassSpark, "KD001", "Encountered error while reading file <path>. "},
	"FAILED_READ_FILE.CANNOT_READ_FILE_FOOTER":               {Invalid, ClassSpark, "KD001", "Encountered error while reading file <path>. Could not read footer. Please ensure that the file is in either ORC or Parquet format.\nIf not, please convert it to a valid format. If the file is in the valid format, please check if it is corrupt.\nIf it is, you can choose to either ignore it or fix the corruption."},
	"FAILED_READ_FILE.FILE_NOT_EXIST":                        {NotFound, ClassSpark, "KD001", "Encountered error while reading file <path>. File does not exist. It is possible the underlying files have been updated.\nYou can explicitly invalidate the cache in Spark by running 'REFRESH TABLE tableName' command in SQL or by recreating the Dataset/DataFrame involved."},
	"FAILED_READ_FILE.PARQUET_COLUMN_DATA_TYPE_MISMATCH":     {Invalid, ClassSpark, "KD001", "Encountered error while reading file <path>. Data type mismatches when reading Parquet column <column>. Expected Spark type <expectedType>, actual Parquet type <actualType>."},
	"PARQUET_TYPE_ILLEGAL":                                   {Invalid, ClassAnalysis, "42846", "Illegal Parquet type: <parquetType>."},
	"MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION":         {Invalid, ClassSpark, "22023", "Malformed records are detected in record parsing: <badRecord>.\nParse Mode: <failFastMode>. To process malformed records as null result, try setting the option 'mode' as 'PERMISSIVE'. "},
	"MALFORMED_CSV_RECORD":                                   {Invalid, ClassRuntime, "KD000", "Malformed CSV record: <badRecord>"},
	"CONFLICTING_PARTITION_COLUMN_NAMES":                     {Invalid, ClassSpark, "KD009", "Conflicting partition column names detected:\n<distinctPartColLists>\nFor partitioned table directories, data files should only live in leaf directories.\nAnd directories at the same level should have the same partition column name.\nPlease check the following directories for unexpected files or inconsistent partition column names:\n<suspiciousPaths>"},
	"CONFLICTING_DIRECTORY_STRUCTURES":                       {Invalid, ClassSpark, "KD009", "Conflicting directory structures detected.\nSuspicious paths:\n<discoveredBasePaths>\nIf provided paths are partition directories, please set \"basePath\" in the options of the data source to specify the root directory of the table.\nIf there are multiple root directories, please load them separately and then union them."},
	"CANNOT_MERGE_SCHEMAS":                                   {Invalid, ClassSpark, "42KD9", "Failed merging schemas:\nInitial schema:\n<left>\nSchema that cannot be merged with the initial schema:\n<right>."},
	"UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE":                   {Invalid, ClassAnalysis, "0A000", "The <format> datasource doesn't support the column <columnName> of the type <columnType>."},
	"EMPTY_SCHEMA_NOT_SUPPORTED_FOR_DATASOURCE":              {Invalid, ClassAnalysis, "0A000", "The <format> datasource does not support writing empty or nested empty schemas. Please make sure the data schema has at least one or more column(s)."},
	"INVALID_CORRUPT_RECORD_TYPE":                            {Invalid, ClassAnalysis, "42804", "The column <columnName> for corrupt records must have the nullable STRING type, but got <actualType>."},
	"INVALID_DELIMITER_VALUE.DELIMITER_LONGER_THAN_EXPECTED": {Invalid, ClassIllegalArgument, "42602", "Invalid value for delimiter. Delimiter cannot be more than one character: <str>."},
	"INVALID_DELIMITER_VALUE.EMPTY_STRING":                   {Invalid, ClassIllegalArgument, "42602", "Invalid value for delimiter. Delimiter cannot be empty string."},
	"INVALID_DELIMITER_VALUE.SINGLE_BACKSLASH":               {Invalid, ClassIllegalArgument, "42602", "Invalid value for delimiter. Single backslash is prohibited. It has special meaning as beginning of an escape sequence. To get the backslash character, pass a string with two backslashes as the delimiter."},
	"INVALID_DELIMITER_VALUE.UNSUPPORTED_SPECIAL_CHARACTER":  {Invalid, ClassIllegalArgument, "42602", "Invalid value for delimiter. Unsupported special character for delimiter: <str>."},
	"INVALID_JSON_RECORD_TYPE":                               {Invalid, ClassSpark, "22023", "Detected an invalid type of a JSON record while inferring a common schema in the mode <failFastMode>. Expected a STRUCT type, but found <invalidType>."},
	"INVALID_PARTITION_VALUE":                                {Invalid, ClassRuntime, "42846", "Failed to cast value <value> to data type <dataType> for partition column <columnName>. Ensure the value matches the expected data type for this partition column."},
	"CODEC_NOT_AVAILABLE.WITH_AVAILABLE_CODECS_SUGGESTION":   {Invalid, ClassIllegalArgument, "56038", "The codec <codecName> is not available. Available codecs are <availableCodecs>."},
	"TASK_WRITE_FAILED":                                      {Invalid, ClassSpark, "58030", "Task failed while writing rows to <path>."},
})
