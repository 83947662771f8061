package fn

import (
	"millrace/errs"
	"millrace/types"
)

func init() {
	Register(&Func{Names: []string{"time_bucket"}, Min: 2, Max: 3, Resolve: timeBucket})
}

// timeBucket is the start of the stretch of time, of those that follow each other from an origin on, in which a time lies. Without an origin
// they begin in 1970, by the session's clock.
func timeBucket(_ *Context, args []Arg) (Result, error) {
	size, at := args[0].Type, args[1].Type
	if size.Kind == types.KindNull {
		size = types.DayTime
	}
	if at.Kind == types.KindNull {
		at = types.Timestamp
		if len(args) == 3 && clockTime(args[2].Type) {
			at = args[2].Type
		}
	}
	origin := at
	if len(args) == 3 && args[2].Type.Kind != types.KindNull {
		origin = args[2].Type
	}
	const times = `"(TIMESTAMP OR TIMESTAMP WITHOUT TIME ZONE)"`
	switch {
	case !size.IsInterval():
		return Result{}, unexpected("", args, 0, `("INTERVAL DAY TO SECOND" or "INTERVAL YEAR TO MONTH")`)
	case !clockTime(at):
		return Result{}, unexpected("", args, 1, times)
	case !clockTime(origin):
		return Result{}, unexpected("", args, 2, times)
	case !args[0].IsConst:
		return Result{}, notFoldable("bucketSize", args, 0, args[0].SQL)
	case args[0].Const != nil && args[0].Const.(int64) <= 0:
		return Result{}, outOfRange("`bucketSize`", "(0, inf)", args[0].SQL)
	case len(args) == 3 && !args[2].IsConst:
		return Result{}, notFoldable("origin", args, 2, args[2].SQL)
	case origin.Kind != at.Kind:
		return Result{}, errs.New("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "sqlExpr", "", "paramIndex", "third", "inputSql", `"`+args[2].SQL+`"`,
			"inputType", quoted(origin), "requiredType", quoted(at))
	}
	return strict(args, at, false, []*types.Type{size, at, origin}[:len(args)]...)
}

func clockTime(t *types.Type) bool {
	return t.Kind == types.KindTimestamp || t.Kind == types.KindTimestampNTZ
}
