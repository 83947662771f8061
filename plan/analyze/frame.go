package analyze

import (
	"strconv"

	"millrace/errs"
	"millrace/plan"
	"millrace/types"
)

// givenFrame resolves the frame that is written, and checks it as Spark does.
func (a *analyzer) givenFrame(s *scope, w *plan.Window, order []*plan.SortOrder) (*plan.Frame, error) {
	f := *w.Frame
	for _, b := range []*plan.Bound{&f.Lower, &f.Upper} {
		if b.Offset == nil {
			continue
		}
		e, err := a.expr(s, b.Offset)
		if err != nil {
			return nil, err
		}
		if !f.Rows && len(order) > 0 {
			e = a.castTo(e, rangeOffset(plan.TypeOf(order[0].Child), plan.TypeOf(e)))
		}
		b.Offset = e
	}
	spec := &plan.Window{Partition: w.Partition, Order: order, Frame: &f}
	var err error
	if spec.Partition, err = a.exprs(s, w.Partition); err != nil {
		return nil, err
	}
	if err := a.checkFrame(spec); err != nil {
		return nil, at(err, w.Origin)
	}
	for _, b := range []*plan.Bound{&f.Lower, &f.Upper} {
		if b.Offset == nil {
			continue
		}
		offset := b.Offset
		if l := a.constant(offset); l != nil {
			offset = l
		}
		if b.Value = offset; f.Rows {
			continue
		}
		if b.Value, err = a.reached(order[0], offset); err != nil {
			return nil, err
		}
	}
	return &f, nil
}

// rangeOffset is the type of a RANGE frame's offset: the sort key's where that can be, or as written for dates and times.
func rangeOffset(key, offset *types.Type) *types.Type {
	numbers := (key.IsNumeric() || key.Kind == types.KindString) && (offset.IsNumeric() || offset.Kind == types.KindString)
	if numbers || key.Kind == offset.Kind && key.IsInterval() {
		return key
	}
	return offset
}

// checkFrame refuses frames that mean nothing: first by themselves, then with their order.
func (a *analyzer) checkFrame(w *plan.Window) error {
	f := w.Frame
	text := `"` + printer{}.frame(w) + `"`
	if err := checkBound(f, f.Lower, "lower", text); err != nil {
		return err
	}
	if err := checkBound(f, f.Upper, "upper", text); err != nil {
		return err
	}
	if f.Lower.Reversed || f.Upper.Reversed {
		return errs.New("DATATYPE_MISMATCH.SPECIFIED_WINDOW_FRAME_INVALID_BOUND", "sqlExpr", text, "lower", boundSQL(f.Lower, "UNBOUNDED PRECEDING",
			"UNBOUNDED FOLLOWING"), "upper", boundSQL(f.Upper, "UNBOUNDED FOLLOWING", "UNBOUNDED PRECEDING"))
	}
	if l, u := f.Lower.Offset, f.Upper.Offset; l != nil && u != nil {
		if !plan.TypeOf(l).Equal(plan.TypeOf(u)) {
			return errs.New("DATATYPE_MISMATCH.SPECIFIED_WINDOW_FRAME_DIFF_TYPES", "sqlExpr", text, "lower", SQL(l), "upper", SQL(u),
				"lowerType", sqlType(plan.TypeOf(l)), "upperType", sqlType(plan.TypeOf(u)))
		}
		if greater, err := a.apply(">", nil, l, u); err == nil {
			if c := a.constant(greater); c != nil && c.Value == true {
				return errs.New("DATATYPE_MISMATCH.SPECIFIED_WINDOW_FRAME_WRONG_COMPARISON", "sqlExpr", text, "comparison", "less than or equal")
			}
		}
	}
	return a.checkRange(w)
}

func sqlType(t *types.Type) string { return `"` + t.SQL() + `"` }

func checkBound(f *plan.Frame, b plan.Bound, location, text string) error {
	if b.Offset == nil {
		return nil
	}
	if !foldable(b.Offset) {
		return errs.New("DATATYPE_MISMATCH.SPECIFIED_WINDOW_FRAME_WITHOUT_FOLDABLE", "sqlExpr", text, "location", location, "expression", SQL(b.Offset))
	}
	t, expected := plan.TypeOf(b.Offset), `"INT"`
	ok := t.Kind == types.KindInteger
	if !f.Rows {
		expected = `("NUMERIC" or "INTERVAL DAY TO SECOND" or "INTERVAL YEAR TO MONTH" or "INTERVAL")`
		ok = t.IsNumeric() || t.IsInterval() || t.Kind == types.KindCalendar
	}
	if ok || t.Kind == types.KindNull {
		return nil
	}
	return errs.New("DATATYPE_MISMATCH.SPECIFIED_WINDOW_FRAME_UNACCEPTED_TYPE", "sqlExpr", text, "location", location, "exprType", sqlType(t),
		"expectedType", expected)
}

// boundSQL is a bound as messages show it.
func boundSQL(b plan.Bound, unbounded, reversed string) string {
	switch {
	case b.Reversed:
		return `"` + reversed + `"`
	case b.Unbounded:
		return `"` + unbounded + `"`
	case b.Current:
		return `"CURRENT ROW"`
	}
	return SQL(b.Offset)
}

// checkRange checks a RANGE frame against its order.
func (a *analyzer) checkRange(w *plan.Window) error {
	f := w.Frame
	offset := f.Lower.Offset
	if offset == nil {
		offset = f.Upper.Offset
	}
	text := `"` + printer{}.windowSpec(w) + `"`
	switch {
	case f.Rows || f.Lower.Unbounded && f.Upper.Unbounded:
	case len(w.Order) == 0:
		return errs.New("DATATYPE_MISMATCH.RANGE_FRAME_WITHOUT_ORDER", "sqlExpr", text)
	case offset != nil && len(w.Order) > 1:
		return errs.New("DATATYPE_MISMATCH.RANGE_FRAME_MULTI_ORDER", "sqlExpr", text, "orderSpec", numbered(w.Order))
	case offset != nil && !reaches(plan.TypeOf(w.Order[0].Child), plan.TypeOf(offset)):
		return errs.New("DATATYPE_MISMATCH.RANGE_FRAME_INVALID_TYPE", "sqlExpr", text, "orderSpecType", sqlType(plan.TypeOf(w.Order[0].Child)),
			"valueBoundaryType", sqlType(plan.TypeOf(offset)))
	}
	return nil
}

// numbered shows sort keys as Spark's plans do, with the columns' ids.
func numbered(order []*plan.SortOrder) string {
	text := ""
	for i, o := range order {
		if i > 0 {
			text += ","
		}
		k := *o
		k.Child, _ = plan.TransformExpr(o.Child, func(e plan.Expr) (plan.Expr, error) {
			if c, ok := e.(*plan.Attribute); ok {
				return &plan.Attribute{ID: c.ID, Name: c.Name + "#" + strconv.FormatInt(int64(c.ID), 10), T: c.T}, nil
			}
			return e, nil
		})
		text += printer{}.sortOrder(&k)
	}
	return text
}

// reaches reports whether a key and an offset of these types have a sum.
func reaches(key, offset *types.Type) bool {
	switch key.Kind {
	case types.KindDate:
		return offset.Kind == types.KindInteger || offset.Kind == types.KindYearMonth || offset.Kind == types.KindDayTime && offset.End == types.DayTime.Start
	case types.KindTimestamp, types.KindTimestampNTZ:
		return offset.IsInterval() || offset.Kind == types.KindCalendar
	}
	return key.Equal(offset) || key.Kind == offset.Kind && key.IsInterval()
}

// reached is the value that a row's key has to reach for an offset: the key and the offset, which is turned round in a descending order.
func (a *analyzer) reached(key *plan.SortOrder, offset plan.Expr) (plan.Expr, error) {
	if key.Desc {
		minus, err := a.apply("negative", nil, offset)
		if err != nil {
			return nil, err
		}
		offset = minus
		if l := a.constant(minus); l != nil {
			offset = l
		}
	}
	if t := plan.TypeOf(key.Child); t.Kind == types.KindDate && plan.TypeOf(offset).Kind == types.KindInteger {
		return a.apply("date_add", nil, key.Child, offset)
	}
	return a.apply("+", nil, key.Child, offset)
}
