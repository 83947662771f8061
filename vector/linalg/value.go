package linalg

// Vector is one vector. Indices is nil for a dense one; else Values[k] stands at place Indices[k] of Size, ascending.
type Vector struct {
	Size    int
	Indices []int32
	Values  []float64
}

// Dense is a dense vector that shares values' memory.
func Dense(values ...float64) Vector { return Vector{Size: len(values), Values: values} }

// Array is the vector's values at all places. For a dense vector it is the vector's own memory.
func (v Vector) Array() []float64 {
	if v.Indices == nil {
		return v.Values
	}
	out := make([]float64, v.Size)
	for k, i := range v.Indices {
		out[i] = v.Values[k]
	}
	return out
}

// NonZeros is the number of values that are not zero.
func NonZeros(values []float64) int {
	n := 0
	for _, x := range values {
		if x != 0 {
			n++
		}
	}
	return n
}

// SparseIsSmaller reports whether a vector with nnz values that are not zero takes less room sparse, by Spark's measure.
func SparseIsSmaller(size, nnz int) bool { return 1.5*(float64(nnz)+1) < float64(size) }

// Compressed is the vector in the form that takes less room.
func (v Vector) Compressed() Vector {
	nnz := NonZeros(v.Values)
	if !SparseIsSmaller(v.Size, nnz) {
		return Vector{Size: v.Size, Values: v.Array()}
	}
	out := Vector{Size: v.Size, Indices: make([]int32, 0, nnz), Values: make([]float64, 0, nnz)}
	for k, x := range v.Values {
		if x == 0 {
			continue
		}
		i := int32(k)
		if v.Indices != nil {
			i = v.Indices[k]
		}
		out.Indices, out.Values = append(out.Indices, i), append(out.Values, x)
	}
	return out
}

// Literal is the vector in plan.Literal's form of types.VectorUDT.
func (v Vector) Literal() []any {
	values := make([]any, len(v.Values))
	for i, x := range v.Values {
		values[i] = x
	}
	if v.Indices == nil {
		return []any{int64(denseKind), nil, nil, values}
	}
	indices := make([]any, len(v.Indices))
	for i, x := range v.Indices {
		indices[i] = int64(x)
	}
	return []any{int64(sparseKind), int64(v.Size), indices, values}
}

// FromLiteral is a vector from plan.Literal's form.
func FromLiteral(parts []any) Vector {
	list, _ := parts[3].([]any)
	v := Vector{Values: make([]float64, len(list)), Size: len(list)}
	for i, x := range list {
		v.Values[i], _ = x.(float64)
	}
	if kind, _ := parts[0].(int64); kind == denseKind {
		return v
	}
	size, _ := parts[1].(int64)
	places, _ := parts[2].([]any)
	v.Size, v.Indices = int(size), make([]int32, len(places))
	for i, x := range places {
		at, _ := x.(int64)
		v.Indices[i] = int32(at)
	}
	return v
}

// Matrix is one matrix: dense in columns (or rows, if Transposed) when ColPtrs is nil, else compressed by columns (or rows).
type Matrix struct {
	Rows, Cols int
	ColPtrs    []int32
	RowIndices []int32
	Values     []float64
	Transposed bool
}
