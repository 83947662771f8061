package errs

// Conditions of files in formats and of what rows know of their files. Templates and SQLSTATEs are Spark 4.2's.
var _ = register(map[string]Condition{
	"CODEC_SHORT_NAME_NOT_FOUND":               {Invalid, ClassIllegalArgument, "42704", "Cannot find a short name for the codec <codecName>."},
	"MULTI_SOURCES_UNSUPPORTED_FOR_EXPRESSION": {Invalid, ClassAnalysis, "42K0E", "The expression <expr> does not support more than one source."},
})
