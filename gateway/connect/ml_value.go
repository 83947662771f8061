package connect

import (
	"google.golang.org/protobuf/proto"

	"millrace/errs"
	"millrace/ml"
	pb "millrace/proto/spark/connect"
	"millrace/types"
	"millrace/vector/linalg"
)

const (
	vectorClass = "org.apache.spark.ml.linalg.VectorUDT"
	matrixClass = "org.apache.spark.ml.linalg.MatrixUDT"
)

// mlParams reads parameters.
func mlParams(p *pb.MlParams) (map[string]any, error) {
	out := make(map[string]any, len(p.GetParams()))
	for name, l := range p.GetParams() {
		v, err := mlParam(l)
		if err != nil {
			return nil, err
		}
		out[name] = v
	}
	return out, nil
}

// mlParam reads a parameter's value: plan.Literal's form, a vector or a matrix.
func mlParam(l *pb.Expression_Literal) (any, error) {
	if s := l.GetStruct(); s != nil {
		e := s.Elements
		switch class := s.StructType.GetUdt().GetJvmClass(); {
		case class == vectorClass && len(e) == 4:
			v := linalg.Vector{Values: doublesOf(e[3]), Size: len(doublesOf(e[3]))}
			if e[0].GetByte() == 0 {
				v.Size, v.Indices = int(e[1].GetInteger()), append([]int32{}, intsOf(e[2])...)
			}
			return v, nil
		case class == matrixClass && len(e) == 7:
			m := linalg.Matrix{Rows: int(e[1].GetInteger()), Cols: int(e[2].GetInteger()), Values: doublesOf(e[5]), Transposed: e[6].GetBoolean()}
			if e[0].GetByte() == 0 {
				m.ColPtrs, m.RowIndices = append([]int32{}, intsOf(e[3])...), intsOf(e[4])
			}
			return m, nil
		}
	}
	x, err := literal(l)
	if err != nil {
		return nil, err
	}
	return x.Value, nil
}

func doublesOf(l *pb.Expression_Literal) []float64 {
	return l.GetSpecializedArray().GetDoubles().GetValues()
}

func intsOf(l *pb.Expression_Literal) []int32 { return l.GetSpecializedArray().GetInts().GetValues() }

func mlText(s string) *pb.MlCommandResult {
	return &pb.MlCommandResult{ResultType: &pb.MlCommandResult_Summary{Summary: s}}
}

// mlRefs names models: several in one reference, separated by commas, as clients expect.
func mlRefs(ids []string) *pb.MlCommandResult {
	info := &pb.MlCommandResult_MlOperatorInfo{Type: &pb.MlCommandResult_MlOperatorInfo_ObjRef{
		ObjRef: &pb.ObjectRef{Id: ml.References(ids).String()}}}
	return &pb.MlCommandResult{ResultType: &pb.MlCommandResult_OperatorInfo{OperatorInfo: info}}
}

// mlValue is an attribute's value as a result.
func mlValue(v any) (*pb.MlCommandResult, error) {
	if refs, ok := v.(ml.References); ok {
		return mlRefs(refs), nil
	}
	l, err := mlLiteral(v)
	if err != nil {
		return nil, err
	}
	return &pb.MlCommandResult{ResultType: &pb.MlCommandResult_Param{Param: l}}, nil
}

// mlLiteral writes a value of a parameter or an attribute.
func mlLiteral(v any) (*pb.Expression_Literal, error) {
	switch v := v.(type) {
	case string:
		return &pb.Expression_Literal{LiteralType: &pb.Expression_Literal_String_{String_: v}}, nil
	case bool:
		return &pb.Expression_Literal{LiteralType: &pb.Expression_Literal_Boolean{Boolean: v}}, nil
	case int:
		return &pb.Expression_Literal{LiteralType: &pb.Expression_Literal_Integer{Integer: int32(v)}}, nil
	case int64:
		return &pb.Expression_Literal{LiteralType: &pb.Expression_Literal_Long{Long: v}}, nil
	case float64:
		return &pb.Expression_Literal{LiteralType: &pb.Expression_Literal_Double{Double: v}}, nil
	case []string:
		return listLiteral(v, types.String)
	case []float64:
		return listLiteral(v, types.Double)
	case []int64:
		return listLiteral(v, types.Long)
	case []int:
		return listLiteral(v, types.Integer)
	case [][]string:
		return listLiteral(v, types.ArrayOf(types.String, true))
	case [][]float64:
		return listLiteral(v, types.ArrayOf(types.Double, false))
	case linalg.Vector:
		return vectorLiteral(v), nil
	case linalg.Matrix:
		return matrixLiteral(v), nil
	}
	return nil, errs.Newf(errs.Internal, "no literal for an attribute of type %T", v)
}

func listLiteral[T any](list []T, elem *types.Type) (*pb.Expression_Literal, error) {
	et, err := toDataType(elem)
	if err != nil {
		return nil, err
	}
	a := &pb.Expression_Literal_Array{ElementType: et}
	for _, x := range list {
		l, err := mlLiteral(x)
		if err != nil {
			return nil, err
		}
		a.Elements = append(a.Elements, l)
	}
	return &pb.Expression_Literal{LiteralType: &pb.Expression_Literal_Array_{Array: a}}, nil
}

func byteOf(n int32) *pb.Expression_Literal {
	return &pb.Expression_Literal{LiteralType: &pb.Expression_Literal_Byte{Byte: n}}
}

func integerOf(n int) *pb.Expression_Literal {
	return &pb.Expression_Literal{LiteralType: &pb.Expression_Literal_Integer{Integer: int32(n)}}
}

func nullOf() *pb.Expression_Literal {
	return &pb.Expression_Literal{LiteralType: &pb.Expression_Literal_Null{Null: &pb.DataType{Kind: &pb.DataType_Null{Null: &pb.DataType_NULL{}}}}}
}

func integersOf(list []int32) *pb.Expression_Literal {
	return &pb.Expression_Literal{LiteralType: &pb.Expression_Literal_SpecializedArray_{SpecializedArray: &pb.Expression_Literal_SpecializedArray{
		ValueType: &pb.Expression_Literal_SpecializedArray_Ints{Ints: &pb.Ints{Values: list}}}}}
}

func doublesLiteral(list []float64) *pb.Expression_Literal {
	return &pb.Expression_Literal{LiteralType: &pb.Expression_Literal_SpecializedArray_{SpecializedArray: &pb.Expression_Literal_SpecializedArray{
		ValueType: &pb.Expression_Literal_SpecializedArray_Doubles{Doubles: &pb.Doubles{Values: list}}}}}
}

func udtLiteral(class, python string, elements ...*pb.Expression_Literal) *pb.Expression_Literal {
	t := &pb.DataType{Kind: &pb.DataType_Udt{Udt: &pb.DataType_UDT{Type: "udt", JvmClass: proto.String(class), PythonClass: proto.String(python)}}}
	return &pb.Expression_Literal{LiteralType: &pb.Expression_Literal_Struct_{Struct: &pb.Expression_Literal_Struct{StructType: t, Elements: elements}}}
}

func vectorLiteral(v linalg.Vector) *pb.Expression_Literal {
	kind, size, indices := byteOf(1), nullOf(), nullOf()
	if v.Indices != nil {
		kind, size, indices = byteOf(0), integerOf(v.Size), integersOf(v.Indices)
	}
	return udtLiteral(vectorClass, "pyspark.ml.linalg.VectorUDT", kind, size, indices, doublesLiteral(v.Values))
}

func matrixLiteral(m linalg.Matrix) *pb.Expression_Literal {
	kind, ptrs, rows := byteOf(1), nullOf(), nullOf()
	if m.ColPtrs != nil {
		kind, ptrs, rows = byteOf(0), integersOf(m.ColPtrs), integersOf(m.RowIndices)
	}
	transposed := &pb.Expression_Literal{LiteralType: &pb.Expression_Literal_Boolean{Boolean: m.Transposed}}
	return udtLiteral(matrixClass, "pyspark.ml.linalg.MatrixUDT", kind, integerOf(m.Rows), integerOf(m.Cols), ptrs, rows,
		doublesLiteral(m.Values), transposed)
}
