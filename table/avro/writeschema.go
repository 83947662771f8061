package avro

import (
	"encoding/json"
	"math/big"

	"millrace/errs"
	"millrace/types"
)

func newBig(n int64) *big.Int { return big.NewInt(n) }

// powerOfTen is 10^digits - 1, the greatest unscaled value of so many digits.
func powerOfTen(digits int) *big.Int {
	n := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(digits)), nil)
	return n.Sub(n, big.NewInt(1))
}

type object = map[string]any

// SchemaJSON is the schema that Spark writes for a struct, as a record of that name and namespace.
func SchemaJSON(t *types.Type, name, space string) ([]byte, error) {
	s, err := schemaOf(t, false, name, space)
	if err != nil {
		return nil, err
	}
	return json.Marshal(s)
}

// valueSchema is the schema that Spark writes for single values.
func valueSchema(t *types.Type, null bool) ([]byte, error) {
	s, err := schemaOf(t, null, "topLevelRecord", "")
	if err != nil {
		return nil, err
	}
	return json.Marshal(s)
}

func schemaOf(t *types.Type, nullable bool, name, space string) (any, error) {
	s, err := notNull(t, name, space)
	if err != nil || !nullable || t.Kind == types.KindNull {
		return s, err
	}
	return []any{s, "null"}, nil
}

func notNull(t *types.Type, name, space string) (any, error) {
	switch t.Kind {
	case types.KindBoolean:
		return "boolean", nil
	case types.KindByte, types.KindShort, types.KindInteger:
		return "int", nil
	case types.KindLong:
		return "long", nil
	case types.KindFloat:
		return "float", nil
	case types.KindDouble:
		return "double", nil
	case types.KindString:
		return "string", nil
	case types.KindBinary:
		return "bytes", nil
	case types.KindNull:
		return "null", nil
	case types.KindDate:
		return object{"type": "int", "logicalType": "date"}, nil
	case types.KindTimestamp:
		return object{"type": "long", "logicalType": "timestamp-micros"}, nil
	case types.KindTimestampNTZ:
		return object{"type": "long", "logicalType": "local-timestamp-micros"}, nil
	case types.KindYearMonth:
		return object{"type": "int", "spark.sql.catalyst.type": t.String()}, nil
	case types.KindDayTime:
		return object{"type": "long", "spark.sql.catalyst.type": t.String()}, nil
	case types.KindDecimal:
		return object{"type": "fixed", "name": "fixed", "namespace": fullName(name, space), "size": bytesFor(t.Precision), "logicalType": "decimal",
			"precision": t.Precision, "scale": t.Scale}, nil
	case types.KindUDT:
		return notNull(t.Elem, name, space)
	}
	return nestedSchema(t, name, space)
}

func nestedSchema(t *types.Type, name, space string) (any, error) {
	switch {
	case t.Kind == types.KindArray:
		items, err := schemaOf(t.Elem, t.ElemNull, name, space)
		return object{"type": "array", "items": items}, err
	case t.Kind == types.KindMap && t.Key.Kind == types.KindString:
		values, err := schemaOf(t.Elem, t.ElemNull, name, space)
		return object{"type": "map", "values": values}, err
	case t.Kind == types.KindStruct:
		fields := []any{}
		for _, f := range t.Fields {
			s, err := schemaOf(f.Type, f.Nullable, f.Name, fullName(name, space))
			if err != nil {
				return nil, err
			}
			fields = append(fields, object{"name": f.Name, "type": s})
		}
		s := object{"type": "record", "name": name, "fields": fields}
		if space != "" {
			s["namespace"] = space
		}
		return s, nil
	}
	return nil, errs.New("UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE", "format", "Avro", "columnName", "`"+name+"`", "columnType", `"`+t.SQL()+`"`)
}
