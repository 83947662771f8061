package expr

import (
	"errors"
	"slices"
	"strings"

	"millrace/errs"
	"millrace/types"
	"millrace/vector"
)

// columnOption is the table's column that a cast is made for.
const columnOption = "column"

// storing is the conversion as a write makes it: a value too large for the column is an error that names the column.
func (e castEnv) storing(convert caster) caster {
	column := e.Options[columnOption]
	if column == "" || e.to.Kind == types.KindStruct || !holdsWhole(e.to) {
		return convert
	}
	return func(in *vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		err := convert(in, sel, n, out)
		var c *errs.Error
		if errors.As(err, &c) && (c.Condition == "CAST_OVERFLOW" || strings.HasPrefix(c.Condition, "NUMERIC_VALUE_OUT_OF_RANGE")) {
			return errs.New("CAST_OVERFLOW_IN_TABLE_INSERT", "sourceType", typeName(e.from), "targetType", typeName(e.to), "columnName", types.Quote(column))
		}
		return err
	}
}

// holdsWhole reports whether there are integers or decimals in a type.
func holdsWhole(t *types.Type) bool {
	return t.IsIntegral() || t.Kind == types.KindDecimal || t.Elem != nil && holdsWhole(t.Elem) || t.Key != nil && holdsWhole(t.Key) ||
		slices.ContainsFunc(t.Fields, func(f types.Field) bool { return holdsWhole(f.Type) })
}
