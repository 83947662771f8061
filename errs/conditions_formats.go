package errs

// Conditions of files in formats and of what rows know of their files. Templates and SQLSTATEs are Spark 4.2's.
var _ = register(map[string]Condition{
	"CODEC_SHORT_NAME_NOT_FOUND":                  {Invalid, ClassIllegalArgument, "42704", "Cannot find a short name for the codec <codecName>."},
	"PARQUET_TYPE_NOT_SUPPORTED":                  {Invalid, ClassAnalysis, "42846", "Parquet type not yet supported: <parquetType>."},
	"PARQUET_TYPE_NOT_RECOGNIZED":                 {Invalid, ClassAnalysis, "42846", "Unrecognized Parquet type: <field>."},
	"SORT_BY_WITHOUT_BUCKETING":                   {Invalid, ClassAnalysis, "42601", "sortBy must be used together with bucketBy."},
	"UNSUPPORTED_FEATURE.WRITE_FOR_BINARY_SOURCE": {Unsupported, ClassUnsupported, "0A000", "The feature is not supported: Write for the binary file data source."},
	"STDS_INVALID_OPTION_VALUE.WITH_MESSAGE":      {Invalid, ClassAnalysis, "42616", "Invalid value for source option '<optionName>': <message>"},
	"DATAFRAME_INPUT_NOT_SINGLE_COLUMN":           {Invalid, ClassAnalysis, "42K09", "Input DataFrame must have exactly one column, but got <numColumns>."},
	"DATAFRAME_INPUT_NOT_STRING_TYPE":             {Invalid, ClassAnalysis, "42K09", "Input DataFrame column must be StringType, but got <dataType>."},
	"XML_ROW_TAG_MISSING":                         {Invalid, ClassAnalysis, "42KDF", "<rowTag> option is required for reading/writing files in XML format."},
	"_LEGACY_ERROR_TEMP_1290":                     {Invalid, ClassAnalysis, "", "Text data source supports only a single column, and you have <schemaSize> columns."},
	"_LEGACY_ERROR_TEMP_1294":                     {Invalid, ClassAnalysis, "", "The timestamp provided for the '<strategy>' option is invalid. The expected format is 'YYYY-MM-DDTHH:mm:ss', but the provided timestamp: <timeString>."},
	"_LEGACY_ERROR_TEMP_1312":                     {Invalid, ClassAnalysis, "", "'<operation>' does not support bucketBy right now."},
	"MULTI_SOURCES_UNSUPPORTED_FOR_EXPRESSION":    {Invalid, ClassAnalysis, "42K0E", "The expression <expr> does not support more than one source."},
	"_LEGACY_ERROR_TEMP_2093":                     {Invalid, ClassRuntime, "", "Found duplicate field(s) \"<requiredFieldName>\": <matchedOrcFields> in case-insensitive mode."},
})
