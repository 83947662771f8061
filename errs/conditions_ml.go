package errs

// Conditions of machine learning.
var _ = register(map[string]Condition{
	"CONNECT_ML.ATTRIBUTE_NOT_ALLOWED": {Invalid, ClassSpark, "XX000", "Generic Spark Connect ML error. <attribute> in <className> is not allowed to be accessed."},
	"CONNECT_ML.CACHE_INVALID":         {NotFound, ClassSpark, "XX000", "Generic Spark Connect ML error. Cannot retrieve Summary object <objectName> from the ML cache.\nBecause the Summary object is evicted if you don't use it for more than <evictTimeoutInMinutes> minutes.\nIn this case, you can call `model.evaluate(dataset)` to create a new Summary object."},
	"CONNECT_ML.MODEL_SUMMARY_LOST":    {NotFound, ClassSpark, "XX000", "Generic Spark Connect ML error. The model <objectName> summary is lost because the cached model is offloaded."},
	"CONNECT_ML.UNSUPPORTED_EXCEPTION": {Unsupported, ClassSpark, "XX000", "Generic Spark Connect ML error. <message>"},
	"ROW_VALUE_IS_NULL":                {Invalid, ClassRuntime, "22023", "Found NULL in a row at the index <index>, expected a non-NULL value."},
	"INVALID_PARAMETER_VALUE.DTYPE":    {Invalid, ClassAnalysis, "22023", "The value of parameter(s) <parameter> in <functionName> is invalid: Unsupported dtype: <invalidValue>. Valid values: float64, float32."},
	"FAILED_EXECUTE_UDF":               {Invalid, ClassSpark, "39000", "User defined function (<functionName>: (<signature>) => <result>) failed due to: <reason>."},
})
