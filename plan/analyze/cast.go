package analyze

import (
	"millrace/errs"
	"millrace/plan"
	"millrace/plan/fn"
	"millrace/types"
)

// cast resolves an explicit conversion.
func (a *analyzer) cast(s *scope, c *plan.Cast) (plan.Expr, error) {
	child, err := a.expr(s, c.Child)
	if err != nil {
		return nil, err
	}
	d := *c
	d.Child = child
	if d.Mode == plan.ModeDefault {
		d.Mode = a.conf.mode()
	}
	if err := a.checkCast(&d); err != nil {
		return nil, at(err, c.Origin)
	}
	return &d, nil
}

func (a *analyzer) checkCast(c *plan.Cast) error {
	from := plan.TypeOf(c.Child)
	if from == nil {
		return errs.Newf(errs.Internal, "the type of %s is not known", Pretty(c.Child))
	}
	if fn.CanCast(c.Mode != plan.ModeLegacy, from, c.To) {
		return nil
	}
	params := []string{"sqlExpr", SQL(c), "srcType", `"` + from.SQL() + `"`, "targetType", `"` + c.To.SQL() + `"`}
	if c.Mode == plan.ModeLegacy {
		return errs.New("DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION", params...)
	}
	if names := castFunction(from, c.To); names != "" {
		return errs.New("DATATYPE_MISMATCH.CAST_WITH_FUNC_SUGGESTION", append(params, "functionNames", names)...)
	}
	if fn.CanCast(false, from, c.To) && c.Mode == plan.ModeANSI {
		return errs.New("DATATYPE_MISMATCH.CAST_WITH_CONF_SUGGESTION", append(params, "config", `"spark.sql.ansi.enabled"`, "configVal", "'false'")...)
	}
	return errs.New("DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION", params...)
}

// castFunction names the functions that do what a cast may not.
func castFunction(from, to *types.Type) string {
	switch {
	case from.IsNumeric() && to.Kind == types.KindDate:
		return "`DATE_FROM_UNIX_DATE`"
	case from.Kind == types.KindDate && to.IsNumeric():
		return "`UNIX_DATE`"
	}
	return ""
}
