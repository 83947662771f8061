package errs

// Conditions of window functions and aggregates. Templates and SQLSTATEs are Spark 4.2's.
var _ = register(map[string]Condition{
	"_LEGACY_ERROR_TEMP_1031":                                                  {Invalid, ClassAnalysis, "", "It is not allowed to use a window function inside an aggregate function. Please use the inner window function in a sub-query."},
	"_LEGACY_ERROR_TEMP_1035":                                                  {Invalid, ClassAnalysis, "", "Cannot specify window frame for <prettyName> function."},
	"_LEGACY_ERROR_TEMP_1036":                                                  {Invalid, ClassAnalysis, "", "Window Frame <wf> must match the required frame <required>."},
	"_LEGACY_ERROR_TEMP_1104":                                                  {Invalid, ClassAnalysis, "", "The second argument should be a double literal."},
	"_LEGACY_ERROR_TEMP_1210":                                                  {Invalid, ClassAnalysis, "", "The second argument in <funcName> should be a boolean literal."},
	"INVALID_WINDOW_SPEC_FOR_AGGREGATION_FUNC":                                 {Invalid, ClassAnalysis, "42601", "Cannot specify ORDER BY or a window frame for <aggFunc>."},
	"INVALID_WITHIN_GROUP_EXPRESSION.DISTINCT_UNSUPPORTED":                     {Invalid, ClassAnalysis, "42K0K", "Invalid function <funcName> with WITHIN GROUP. The function does not support DISTINCT with WITHIN GROUP."},
	"INVALID_WITHIN_GROUP_EXPRESSION.MISMATCH_WITH_DISTINCT_INPUT":             {Invalid, ClassAnalysis, "42K0K", "Invalid function <funcName> with WITHIN GROUP. The function is invoked with DISTINCT and WITHIN GROUP but expressions <funcArg> and <orderingExpr> do not match. The WITHIN GROUP ordering expression must be picked from the function inputs."},
	"INVALID_WITHIN_GROUP_EXPRESSION.MISMATCH_WITH_DISTINCT_INPUT_UNSAFE_CAST": {Invalid, ClassAnalysis, "42K0K", "Invalid function <funcName> with WITHIN GROUP. The function <funcName> with DISTINCT and WITHIN GROUP (ORDER BY) is not supported for <inputType> input. Explicitly cast the input to <castType> before passing it to both the function argument and ORDER BY expression."},
	"INVALID_WITHIN_GROUP_EXPRESSION.WITHIN_GROUP_MISSING":                     {Invalid, ClassAnalysis, "42K0K", "Invalid function <funcName> with WITHIN GROUP. WITHIN GROUP is required for the function."},
	"INVALID_WITHIN_GROUP_EXPRESSION.WRONG_NUM_ORDERINGS":                      {Invalid, ClassAnalysis, "42K0K", "Invalid function <funcName> with WITHIN GROUP. The function requires <expectedNum> orderings in WITHIN GROUP but got <actualNum>."},
	"NEGATIVE_VALUES_IN_FREQUENCY_EXPRESSION":                                  {Invalid, ClassRuntime, "22003", "Found the negative value in <frequencyExpression>: <negativeValue>, but expected a positive integral value."},
	"FAILED_FUNCTION_CALL":                                                     {Invalid, ClassAnalysis, "38000", "Failed preparing of the function <funcName> for call. Please, double check function's arguments."},
	"INVALID_USAGE_OF_STAR_WITH_TABLE_IDENTIFIER_IN_COUNT":                     {Invalid, ClassAnalysis, "42000", "count(<tableName>.*) is not allowed. Use count(*) or expand the columns manually, e.g. count(col1, col2)."},
	"HLL_INVALID_INPUT_SKETCH_BUFFER":                                          {Invalid, ClassRuntime, "22546", "Invalid call to <function>; only valid HLL sketch buffers are supported as inputs (such as those produced by the `hll_sketch_agg` function)."},
	"HLL_INVALID_LG_K":                                                         {Invalid, ClassRuntime, "22546", "Invalid call to <function>; the `lgConfigK` value must be between <min> and <max>, inclusive: <value>."},
	"HLL_K_MUST_BE_CONSTANT":                                                   {Invalid, ClassAnalysis, "42K0E", "Invalid call to <function>; the `K` value must be a constant value, but got a non-constant expression."},
	"HLL_UNION_DIFFERENT_LG_K":                                                 {Invalid, ClassRuntime, "22000", "Sketches have different `lgConfigK` values: <left> and <right>. Set the `allowDifferentLgConfigK` parameter to true to call <function> with different `lgConfigK` values."},
	"QUALIFY_AGGREGATE_NOT_ALLOWED":                                            {Invalid, ClassAnalysis, "42903", "Aggregate functions are not supported in QUALIFY: <aggregateExpr>."},
	"INVALID_BITMAP_POSITION":                                                  {Invalid, ClassRuntime, "22003", "The 0-indexed bitmap position <bitPosition> is out of bounds. The bitmap has <bitmapNumBits> bits (<bitmapNumBytes> bytes)."},
	"INVALID_PARAMETER_VALUE.BOOLEAN":                                          {Invalid, ClassAnalysis, "22023", "The value of parameter(s) <parameter> in <functionName> is invalid: expects a boolean literal, but got <invalidValue>."},
})
