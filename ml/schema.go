package ml

import (
	"strings"

	"millrace/errs"
	"millrace/types"
)

// fieldOf finds a column that must be there.
func (f Frame) fieldOf(name string) (types.Field, error) { return FieldOf(f.Schema, name) }

// FieldOf finds a column of a schema that must be there.
func FieldOf(schema *types.Type, name string) (types.Field, error) {
	if x, i := schema.Field(name, true); i >= 0 {
		return x, nil
	}
	if x, i := schema.Field(name, false); i >= 0 {
		return x, nil
	}
	names := make([]string, len(schema.Fields))
	for i, f := range schema.Fields {
		names[i] = types.Quote(f.Name)
	}
	e := errs.New("FIELD_NOT_FOUND", "fieldName", types.Quote(name), "fields", strings.Join(names, ", "))
	e.Class = errs.ClassIllegalArgument
	return types.Field{}, e
}

// NumericColumn demands a column of numbers.
func NumericColumn(schema *types.Type, name string) (types.Field, error) {
	f, err := FieldOf(schema, name)
	if err == nil && !f.Type.IsNumeric() {
		err = required("Column %s must be of type numeric but was actually of type %s.", name, f.Type)
	}
	return f, err
}

// VectorColumn demands a column of vectors.
func VectorColumn(schema *types.Type, name string) (types.Field, error) {
	f, err := FieldOf(schema, name)
	if err == nil && !f.Type.IsVector() {
		err = required("Column %s must be of type class %s:%s but was actually class %s:%s.", name, types.VectorUDT.UDT.Class, types.VectorUDT,
			javaClass(f.Type), f.Type)
	}
	return f, err
}

// newColumn demands that a column is not there yet.
func newColumn(schema *types.Type, name string) error {
	for _, f := range schema.Fields {
		if f.Name == name {
			return required("Output column %s already exists.", name)
		}
	}
	return nil
}

var javaNames = map[types.Kind]string{types.KindNull: "NullType", types.KindBoolean: "BooleanType", types.KindByte: "ByteType",
	types.KindShort: "ShortType", types.KindInteger: "IntegerType", types.KindLong: "LongType", types.KindFloat: "FloatType",
	types.KindDouble: "DoubleType", types.KindString: "StringType", types.KindBinary: "BinaryType", types.KindDate: "DateType",
	types.KindTimestamp: "TimestampType", types.KindTimestampNTZ: "TimestampNTZType", types.KindDecimal: "DecimalType",
	types.KindArray: "ArrayType", types.KindMap: "MapType", types.KindStruct: "StructType", types.KindVariant: "VariantType"}

// javaClass is the class that messages name for a type.
func javaClass(t *types.Type) string {
	if t.Kind == types.KindUDT {
		return t.UDT.Class
	}
	name := "org.apache.spark.sql.types." + javaNames[t.Kind]
	switch t.Kind {
	case types.KindArray, types.KindMap, types.KindStruct, types.KindDecimal:
		return name
	}
	return name + "$"
}

// scalaName is a type as Scala's toString shows it.
func scalaName(t *types.Type) string {
	switch t.Kind {
	case types.KindUDT:
		return t.UDT.Class
	case types.KindDecimal:
		return "DecimalType" + strings.TrimPrefix(t.String(), "decimal")
	case types.KindArray:
		return "ArrayType(" + scalaName(t.Elem) + "," + map[bool]string{true: "true", false: "false"}[t.ElemNull] + ")"
	}
	return javaNames[t.Kind]
}

// columnPairs are the inputs and outputs of a class that takes either one column or several.
func columnPairs(p *Params) (in, out []string, err error) {
	if err := exactlyOne(p, "inputCol", "inputCols"); err != nil {
		return nil, nil, err
	}
	if p.IsSet("inputCol") {
		if p.IsSet("outputCols") {
			return nil, nil, required("%s %s requires exactly one of outputCol, outputCols Params to be set, but both are set.", shortName(p.Class), p.UID)
		}
		return []string{p.String("inputCol")}, []string{p.String("outputCol")}, nil
	}
	if err := p.Need("outputCols"); err != nil {
		return nil, nil, err
	}
	in, out = p.Strings("inputCols"), p.Strings("outputCols")
	if len(in) != len(out) {
		return nil, nil, required("The number of input columns does not match output columns")
	}
	return in, out, nil
}

func exactlyOne(p *Params, one, several string) error {
	a, b := p.IsSet(one), p.IsSet(several)
	switch {
	case a && b:
		return required("%s %s requires exactly one of %s, %s Params to be set, but both are set.", shortName(p.Class), p.UID, one, several)
	case !a && !b:
		return illegal("%s %s requires exactly one of %s, %s Params to be set, but neither is set.", shortName(p.Class), p.UID, one, several)
	}
	return nil
}

// shortName is a class's name without its package.
func shortName(k *Class) string { return k.Name[strings.LastIndexByte(k.Name, '.')+1:] }
