package errs

// Conditions of PIVOT. Templates and SQLSTATEs are Spark 4.2's.
var _ = register(map[string]Condition{
	"_LEGACY_ERROR_TEMP_1006": {Invalid, ClassAnalysis, "", "Aggregate expression required for pivot, but '<sql>' did not appear in any aggregate function."},
	"_LEGACY_ERROR_TEMP_1324": {Invalid, ClassAnalysis, "", "The pivot column <pivotColumn> has more than <maxValues> distinct values, this could indicate an error. If this was intended, set <config> to at least the number of distinct values of the pivot column."},
})
