package delta

import (
	"fmt"
	"strings"

	"millrace/errs"
	"millrace/types"
)

// MergeSchema is the table's schema with the columns of data added at the end, at any depth. Names match without regard
// to case and keep the table's spelling, nullability and metadata. A type that differs is an error, but for void and for
// byte, short and int among each other, which take the wider one (Parquet stores them alike).
func MergeSchema(table, data *types.Type) (*types.Type, error) {
	if err := CheckDuplicates(data); err != nil {
		return nil, err
	}
	return mergeTypes(table, data)
}

func mergeTypes(current, update *types.Type) (*types.Type, error) {
	if current.Kind != update.Kind {
		return mergeScalars(current, update)
	}
	switch current.Kind {
	case types.KindStruct:
		return mergeStructs(current, update)
	case types.KindArray:
		elem, err := mergeTypes(current.Elem, update.Elem)
		if err != nil {
			return nil, err
		}
		return types.ArrayOf(elem, current.ElemNull), nil
	case types.KindMap:
		key, err := mergeTypes(current.Key, update.Key)
		if err != nil {
			return nil, err
		}
		value, err := mergeTypes(current.Elem, update.Elem)
		if err != nil {
			return nil, err
		}
		return types.MapOf(key, value, current.ElemNull), nil
	}
	return mergeScalars(current, update)
}

func mergeStructs(current, update *types.Type) (*types.Type, error) {
	out := &types.Type{Kind: types.KindStruct, Fields: make([]types.Field, 0, len(current.Fields))}
	for _, f := range current.Fields {
		if g, i := update.Field(f.Name, false); i >= 0 {
			t, err := mergeTypes(f.Type, g.Type)
			if err != nil {
				e := errs.New("DELTA_FAILED_TO_MERGE_FIELDS", "currentField", f.Name, "updateField", g.Name)
				e.Cause = err
				return nil, e
			}
			f.Type = t
		}
		out.Fields = append(out.Fields, f)
	}
	for _, g := range update.Fields {
		if _, i := current.Field(g.Name, false); i < 0 {
			out.Fields = append(out.Fields, g)
		}
	}
	return out, nil
}

func mergeScalars(current, update *types.Type) (*types.Type, error) {
	switch {
	case current.Kind == types.KindDecimal && update.Kind == types.KindDecimal:
		return mergeDecimals(current, update)
	case current.Kind == update.Kind && current.Collation == update.Collation:
		return current, nil // char and varchar lengths live in the table's metadata and are checked with the rows
	case smallInt(current) && smallInt(update):
		if update.Kind > current.Kind {
			return update, nil
		}
		return current, nil
	case current.Kind == types.KindNull:
		return update, nil
	case update.Kind == types.KindNull:
		return current, nil
	}
	return nil, errs.New("DELTA_MERGE_INCOMPATIBLE_DATATYPE", "currentDataType", className(current), "updateDataType", className(update))
}

func smallInt(t *types.Type) bool { return t.Kind >= types.KindByte && t.Kind <= types.KindInteger }

func mergeDecimals(a, b *types.Type) (*types.Type, error) {
	var ranges []string
	if a.Precision != b.Precision {
		ranges = append(ranges, fmt.Sprintf("precision %d and %d", a.Precision, b.Precision))
	}
	if a.Scale != b.Scale {
		ranges = append(ranges, fmt.Sprintf("scale %d and %d", a.Scale, b.Scale))
	}
	if len(ranges) > 0 {
		return nil, errs.New("DELTA_MERGE_INCOMPATIBLE_DECIMAL_TYPE", "decimalRanges", strings.Join(ranges, " & "))
	}
	return a, nil
}

// className is the type as Spark's classes print themselves: LongType, DecimalType(10,2).
func className(t *types.Type) string {
	switch t.Kind {
	case types.KindDecimal:
		return fmt.Sprintf("DecimalType(%d,%d)", t.Precision, t.Scale)
	case types.KindArray:
		return fmt.Sprintf("ArrayType(%s,%t)", className(t.Elem), t.ElemNull)
	case types.KindMap:
		return fmt.Sprintf("MapType(%s,%s,%t)", className(t.Key), className(t.Elem), t.ElemNull)
	case types.KindStruct:
		parts := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			parts[i] = fmt.Sprintf("StructField(%s,%s,%t)", f.Name, className(f.Type), f.Nullable)
		}
		return "StructType(" + strings.Join(parts, ",") + ")"
	case types.KindTimestampNTZ:
		return "TimestampNTZType"
	case types.KindNull:
		return "NullType"
	}
	name := treeName(t)
	return strings.ToUpper(name[:1]) + name[1:] + "Type"
}

// CheckDuplicates refuses columns, at any depth, whose names differ at most by case.
func CheckDuplicates(data *types.Type) error {
	var dups []string
	var walk func(prefix string, t *types.Type)
	walk = func(prefix string, t *types.Type) {
		if t == nil {
			return
		}
		seen := map[string]int{}
		for _, f := range t.Fields {
			name := prefix + strings.ToLower(f.Name)
			if seen[name]++; seen[name] == 2 {
				dups = append(dups, name)
			}
			walk(name+".", f.Type)
		}
		walk(prefix+"key.", t.Key)
		walk(prefix+"element.", t.Elem)
	}
	walk("", data)
	if len(dups) > 0 {
		return errs.New("DELTA_DUPLICATE_COLUMNS_FOUND.DATA", "duplicateCols", strings.Join(dups, ", "))
	}
	return nil
}

// CheckColumnNames refuses characters that Parquet's readers of old could not take; tables with column mapping allow them.
func CheckColumnNames(schema *types.Type, mappingMode string) error {
	if mappingMode != "" && mappingMode != "none" {
		return nil
	}
	var bad []string
	WalkFields(schema, func(f types.Field) {
		if strings.ContainsAny(f.Name, " ,;{}()\n\t=") {
			bad = append(bad, f.Name)
		}
	})
	if len(bad) > 0 {
		return errs.New("DELTA_INVALID_CHARACTERS_IN_COLUMN_NAMES", "invalidColumnNames", strings.Join(bad, ", "))
	}
	return nil
}
