package errs

// Conditions of Protobuf messages. Templates and SQLSTATEs are Spark 4.2's.
var _ = register(map[string]Condition{
	"CANNOT_CONVERT_SQL_TYPE_TO_PROTOBUF_FIELD_TYPE": {Invalid, ClassAnalysis, "42846", "Cannot convert SQL <sqlColumn> to Protobuf <protobufColumn> because schema is incompatible (protobufType = <protobufType>, sqlType = <sqlType>)."},
	"CANNOT_CONVERT_SQL_VALUE_TO_PROTOBUF_ENUM_TYPE": {Invalid, ClassRuntime, "42846", "Cannot convert SQL <sqlColumn> to Protobuf <protobufColumn> because <data> is not in defined values for enum: <enumString>."},
	"CANNOT_LOAD_PROTOBUF_CLASS":                     {Invalid, ClassAnalysis, "42K03", "Could not load Protobuf class with name <protobufClassName>. <explanation>."},
	"CANNOT_PARSE_PROTOBUF_DESCRIPTOR":               {Invalid, ClassAnalysis, "22018", "Error parsing descriptor bytes into Protobuf FileDescriptorSet."},
	"MALFORMED_PROTOBUF_MESSAGE":                     {Invalid, ClassSpark, "XX000", "Malformed Protobuf messages are detected in message deserialization. Parse Mode: <failFastMode>. To process malformed protobuf message as null result, try setting the option 'mode' as 'PERMISSIVE'."},
	"NO_SQL_TYPE_IN_PROTOBUF_SCHEMA":                 {Invalid, ClassAnalysis, "42S22", "Cannot find <catalystFieldPath> in Protobuf schema."},
	"PROTOBUF_DEPENDENCY_NOT_FOUND":                  {Invalid, ClassAnalysis, "42K0G", "Could not find dependency: <dependencyName>."},
	"PROTOBUF_DESCRIPTOR_FILE_NOT_FOUND":             {Invalid, ClassAnalysis, "42K0G", "Error reading Protobuf descriptor file at path: <filePath>."},
	"PROTOBUF_FIELD_MISSING":                         {Invalid, ClassAnalysis, "42K0G", "Searching for <field> in Protobuf schema at <protobufSchema> gave <matchSize> matches. Candidates: <matches>."},
	"PROTOBUF_FIELD_MISSING_IN_SQL_SCHEMA":           {Invalid, ClassAnalysis, "42K0G", "Found <field> in Protobuf schema but there is no match in the SQL schema."},
	"PROTOBUF_MESSAGE_NOT_FOUND":                     {Invalid, ClassAnalysis, "42K0G", "Unable to locate Message <messageName> in Descriptor."},
	"PROTOBUF_TYPE_NOT_SUPPORT":                      {Invalid, ClassAnalysis, "42K0G", "Protobuf type not yet supported: <protobufType>."},
	"RECURSIVE_PROTOBUF_SCHEMA":                      {Invalid, ClassAnalysis, "42K0G", "Found recursive reference in Protobuf schema, which can not be processed by Spark by default: <fieldDescriptor>. try setting the option `recursive.fields.max.depth` 1 to 10. Going beyond 10 levels of recursion is not allowed."},
	"UNABLE_TO_CONVERT_TO_PROTOBUF_MESSAGE_TYPE":     {Invalid, ClassAnalysis, "42K0G", "Unable to convert SQL type <toType> to Protobuf type <protobufType>."},
})
