package fn

import (
	"strings"

	"millrace/errs"
	"millrace/types"
)

func sameName(c *Context, a, b string) bool {
	return a == b || !c.CaseSensitive && strings.EqualFold(a, b)
}

// CastNullable reports whether converting a value that is not null can give null.
func CastNullable(from, to *types.Type) bool {
	switch {
	case from.Kind == types.KindNull || from.SameData(to):
		return false
	case from.Kind == types.KindVariant:
		return true
	case from.Kind == types.KindString:
		return to.Kind != types.KindBinary && to.Kind != types.KindString
	case to.Kind == types.KindString, to.Kind == types.KindVariant:
		return false
	case from.Kind == types.KindTime:
		return to.Kind != types.KindTime
	case from.Kind == types.KindTimestamp && to.Kind >= types.KindByte && to.Kind <= types.KindInteger:
		return true
	case from.IsFloating() && to.Kind == types.KindTimestamp:
		return true
	case to.Kind == types.KindDate:
		return from.Kind != types.KindTimestamp && from.Kind != types.KindTimestampNTZ
	case from.Kind == types.KindDate:
		return to.Kind != types.KindTimestamp && to.Kind != types.KindTimestampNTZ
	case to.Kind == types.KindCalendar:
		return true
	case to.Kind == types.KindDecimal:
		return !fitsDecimal(from, to)
	}
	return (from.IsFloating() || from.Kind == types.KindDecimal) && to.IsIntegral()
}

// fitsDecimal reports whether every value of a type is one of the decimal's.
func fitsDecimal(from, to *types.Type) bool {
	d := from
	switch {
	case from.Kind == types.KindBoolean:
		d = types.Decimal(1, 0)
	case from.IsIntegral():
		d = DecimalFor(from)
	case from.Kind != types.KindDecimal:
		return false
	}
	return to.Scale >= d.Scale && to.Precision-to.Scale >= d.Precision-d.Scale
}

// CanCast reports whether CAST(x AS to) is allowed for x of type from, in the ANSI or the older rules.
func CanCast(ansi bool, from, to *types.Type) bool {
	if from.Kind == types.KindUDT && !from.SameData(to) {
		return to.Kind == types.KindString || to.Kind == types.KindUDT && from.SameData(to)
	}
	switch {
	case from.SameData(to), from.Kind == types.KindNull:
		return true
	case from.Kind == types.KindVariant:
		return InVariant(to, true)
	case to.Kind == types.KindVariant:
		return InVariant(from, false)
	case to.Kind == types.KindString:
		return true
	case from.IsNested() || to.IsNested():
		return canCastNested(ansi, from, to)
	case from.Kind == types.KindString:
		return to.Kind != types.KindNull && to.Kind != types.KindVariant
	}
	return canCastAtomic(ansi, from, to)
}

func canCastNested(ansi bool, from, to *types.Type) bool {
	if from.Kind != to.Kind {
		return false
	}
	switch from.Kind {
	case types.KindArray:
		return CanCast(ansi, from.Elem, to.Elem) && nullsFit(from.Elem, to.Elem, from.ElemNull, to.ElemNull)
	case types.KindMap:
		return CanCast(ansi, from.Key, to.Key) && !CastNullable(from.Key, to.Key) && CanCast(ansi, from.Elem, to.Elem) &&
			nullsFit(from.Elem, to.Elem, from.ElemNull, to.ElemNull)
	case types.KindStruct:
		if len(from.Fields) != len(to.Fields) {
			return false
		}
		for i, f := range from.Fields {
			g := to.Fields[i]
			if !CanCast(ansi, f.Type, g.Type) || !nullsFit(f.Type, g.Type, f.Nullable, g.Nullable) {
				return false
			}
		}
		return true
	}
	return false
}

func nullsFit(from, to *types.Type, fromNull, toNull bool) bool {
	return toNull || !fromNull && !CastNullable(from, to)
}

func canCastAtomic(ansi bool, from, to *types.Type) bool {
	switch {
	case from.IsNumeric() && to.IsNumeric():
		return true
	case from.Kind == types.KindBoolean:
		return to.IsNumeric() || to.Kind == types.KindTimestamp && !ansi
	case to.Kind == types.KindBoolean:
		return from.IsNumeric() || from.Kind == types.KindTimestamp && !ansi || from.Kind == types.KindDate && !ansi
	case from.IsDateTime() && to.IsDateTime():
		return true
	case from.Kind == types.KindTime || to.Kind == types.KindTime:
		return from.Kind == to.Kind || from.Kind == types.KindTime && (to.Kind == types.KindDecimal || to.IsIntegral())
	case from.IsNumeric() && to.Kind == types.KindTimestamp, from.Kind == types.KindTimestamp && to.IsNumeric():
		return true
	case from.Kind == types.KindDate && to.IsNumeric():
		return !ansi
	case from.IsIntegral() && to.Kind == types.KindBinary:
		return !ansi
	case from.IsInterval() && to.IsInterval():
		return from.Kind == to.Kind
	case from.IsInterval():
		return to.IsIntegral() || to.Kind == types.KindDecimal
	case to.IsInterval():
		return from.IsIntegral() || from.Kind == types.KindDecimal
	}
	return false
}

// CastError is the error of a conversion that CanCast refuses, of CAST or of TRY_CAST; the analyser fills in sqlExpr.
func CastError(ansi, try bool, from, to *types.Type) error {
	params := []string{"sqlExpr", "", "srcType", quoted(from), "targetType", quoted(to)}
	switch {
	case ansi && from.Kind == types.KindDate && to.IsNumeric():
		return errs.New("DATATYPE_MISMATCH.CAST_WITH_FUNC_SUGGESTION", append(params, "functionNames", "`UNIX_DATE`")...)
	case ansi && from.IsNumeric() && to.Kind == types.KindDate:
		return errs.New("DATATYPE_MISMATCH.CAST_WITH_FUNC_SUGGESTION", append(params, "functionNames", "`DATE_FROM_UNIX_DATE`")...)
	case ansi && !try && CanCast(false, from, to):
		return errs.New("DATATYPE_MISMATCH.CAST_WITH_CONF_SUGGESTION", append(params, "config", `"spark.sql.ansi.enabled"`, "configVal", "'false'")...)
	}
	return errs.New("DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION", params...)
}

// ImplicitCast is the type to which an argument of type from is converted where a function wants to; false if the call is an error.
func ImplicitCast(c *Context, from, to *types.Type) (*types.Type, bool) {
	switch {
	case from.SameData(to):
		return from, true
	case from.Kind == types.KindNull:
		return to, true
	case from.Kind == types.KindDecimal && to.Kind == types.KindDecimal && to.Precision == 0:
		return from, true
	case from.IsNested() || to.IsNested():
		return implicitNested(c, from, to)
	case from.Kind == types.KindString && to.Kind == types.KindString:
		return from, true
	}
	if c.ANSI {
		return to, canStoreAssign(from, to)
	}
	return to, legacyImplicit(from, to)
}

// canStoreAssign is ANSI's rule of assignment for atomic types, with strings becoming anything as Spark's implicit casts allow.
func canStoreAssign(from, to *types.Type) bool {
	switch {
	case from.Kind == types.KindString:
		return to.Kind != types.KindNull && to.Kind != types.KindVariant && !to.IsInterval()
	case from.IsNumeric() && to.IsNumeric(), from.IsDateTime() && to.IsDateTime():
		return true
	case to.Kind == types.KindString:
		return true
	case from.IsInterval() && from.Kind == to.Kind:
		return true
	}
	return false
}

// CanAssign is ANSI's rule of assignment, by which a table's columns take values.
func CanAssign(from, to *types.Type) bool {
	switch {
	case from.SameData(to), from.Kind == types.KindNull:
		return true
	case from.Kind != to.Kind || !from.IsNested():
		return (from.Kind != types.KindString || to.Kind == types.KindString) && canStoreAssign(from, to)
	case from.Kind == types.KindArray:
		return CanAssign(from.Elem, to.Elem)
	case from.Kind == types.KindMap:
		return CanAssign(from.Key, to.Key) && CanAssign(from.Elem, to.Elem)
	case len(from.Fields) != len(to.Fields):
		return false
	}
	for i, f := range from.Fields {
		if !CanAssign(f.Type, to.Fields[i].Type) {
			return false
		}
	}
	return true
}

func legacyImplicit(from, to *types.Type) bool {
	switch {
	case from.IsNumeric() && to.IsNumeric(), from.IsDateTime() && to.IsDateTime():
		return true
	case from.Kind == types.KindString:
		return to.IsNumeric() || to.IsDateTime() || to.Kind == types.KindBinary || to.Kind == types.KindBoolean
	case to.Kind == types.KindString:
		return true
	}
	return false
}

func implicitNested(c *Context, from, to *types.Type) (*types.Type, bool) {
	if from.Kind != to.Kind || from.Kind != types.KindArray {
		return nil, false
	}
	e, ok := ImplicitCast(c, from.Elem, to.Elem)
	if !ok || e == nil {
		return nil, false
	}
	return types.ArrayOf(e, from.ElemNull || CastNullable(from.Elem, e)), true
}

// CanUpCast reports whether every value of a type is one of another, as Spark's Cast.canUpCast has it.
func CanUpCast(from, to *types.Type) bool {
	switch {
	case from.SameData(to), from.Kind == types.KindNull:
		return true
	case from.IsNested() || to.IsNested(), from.Kind == types.KindVariant, from.IsInterval():
		return false
	case to.Kind == types.KindString:
		return from.Kind != types.KindBinary && from.Kind != types.KindCalendar
	case from.IsNumeric() && to.Kind == types.KindDecimal:
		return from.Kind != types.KindFloat && from.Kind != types.KindDouble && fitsDecimal(from, to)
	case from.Kind == types.KindDecimal:
		return false
	case from.IsNumeric() && to.IsNumeric():
		return from.Kind <= to.Kind
	case from.Kind == types.KindDate:
		return to.Kind == types.KindTimestamp || to.Kind == types.KindTimestampNTZ
	}
	return from.Kind == types.KindTimestamp && to.Kind == types.KindTimestampNTZ || from.Kind == types.KindTimestampNTZ && to.Kind == types.KindTimestamp
}
