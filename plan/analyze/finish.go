package analyze

import (
	"cmp"
	"fmt"

	"millrace/errs"
	"millrace/plan"
	"millrace/types"
)

func typeName(n plan.Node) string { return fmt.Sprintf("%T", n) }

// finish takes out what only names needed and puts in the values of current_timestamp() and the like.
func (a *analyzer) finish(n plan.Node) (plan.Node, error) {
	return plan.Transform(n, func(n plan.Node) (plan.Node, error) {
		switch m := n.(type) {
		case *plan.PlanID:
			return m.Input, nil
		case *plan.Hint:
			return m.Input, nil
		}
		n, err := plan.MapExprs(n, func(e plan.Expr) (plan.Expr, error) { return plan.TransformExpr(e, a.constants) })
		if err != nil {
			return nil, err
		}
		if n, err = a.collateNode(n); err != nil {
			return nil, err
		}
		return a.decorrelate(n)
	})
}

func (a *analyzer) constants(e plan.Expr) (plan.Expr, error) {
	e, err := a.collateExpr(e)
	if err != nil {
		return nil, err
	}
	switch e := e.(type) {
	case *plan.Subquery:
		inner, err := a.finish(e.Plan)
		if err != nil {
			return nil, err
		}
		s := *e
		s.Plan = inner
		return &s, nil
	case *plan.Call:
		if e.Name == inlined {
			return e.Args[0], nil
		}
		if contexts[e.Name] != nil && len(e.Args) == 0 {
			return a.contextValue(e)
		}
		if isGrouping(e) {
			return nil, misplacedGrouping(e)
		}
	case *lateralRef:
		return nil, errs.Newf(errs.Internal, "a lateral column alias was left unresolved")
	}
	return e, nil
}

func (a *analyzer) contextValue(c *plan.Call) (plan.Expr, error) {
	str := func(s, otherwise string) (plan.Expr, error) {
		if s == "" {
			s = otherwise
		}
		return plan.Str(s), nil
	}
	switch c.Name {
	case "current_timestamp", "now":
		return &plan.Literal{Value: a.conf.NowMicros, T: types.Timestamp, Context: "current_timestamp"}, nil
	case "localtimestamp":
		local, err := a.localMicros()
		return &plan.Literal{Value: local, T: types.TimestampNTZ, Context: "localtimestamp"}, err
	case "current_time":
		local, err := a.localMicros()
		unit := int64(1)
		for range 6 - c.T.Precision {
			unit *= 10
		}
		micros := local - floorDiv(local, 86_400_000_000)*86_400_000_000
		return &plan.Literal{Value: micros / unit * unit * 1000, T: c.T, Context: "current_time"}, err
	case "current_date", "curdate":
		local, err := a.localMicros()
		return &plan.Literal{Value: floorDiv(local, 86_400_000_000), T: types.Date, Context: "current_date"}, err
	case "current_timezone":
		return str(a.conf.TimeZone, "UTC")
	case "current_database", "current_schema":
		return str(a.conf.Database, "default")
	case "current_catalog":
		return str(a.conf.CatalogName, "spark_catalog")
	case "current_path":
		path := "system.builtin,system.session," + cmp.Or(a.conf.CatalogName, "spark_catalog") + "." + types.QuoteIfNeeded(cmp.Or(a.conf.Database, "default"))
		return str(path, "")
	case "version":
		return str("4.2.0", "")
	}
	return str(a.conf.User, "millrace")
}

func floorDiv(x, y int64) int64 {
	q := x / y
	if x%y < 0 {
		q--
	}
	return q
}
