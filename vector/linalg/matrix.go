package linalg

// each visits the matrix's values: all of a dense one, those that are held of a sparse one.
func (m Matrix) each(f func(row, col int, x float64)) {
	if m.ColPtrs == nil {
		for i, x := range m.Values {
			if m.Transposed {
				f(i/m.Cols, i%m.Cols, x)
			} else {
				f(i%m.Rows, i/m.Rows, x)
			}
		}
		return
	}
	for line := range len(m.ColPtrs) - 1 {
		for k := m.ColPtrs[line]; k < m.ColPtrs[line+1]; k++ {
			if m.Transposed {
				f(line, int(m.RowIndices[k]), m.Values[k])
			} else {
				f(int(m.RowIndices[k]), line, m.Values[k])
			}
		}
	}
}

// ByRow is all values, row after row.
func (m Matrix) ByRow() []float64 {
	out := make([]float64, m.Rows*m.Cols)
	m.each(func(row, col int, x float64) { out[row*m.Cols+col] = x })
	return out
}

// Compressed is the matrix in the form that takes least room by Spark's measure: dense as it is, or sparse by columns or by rows.
func (m Matrix) Compressed() Matrix {
	const header = 12 // of an array in Java
	nnz := 0
	m.each(func(_, _ int, x float64) {
		if x != 0 {
			nnz++
		}
	})
	dense := 8*m.Rows*m.Cols + header + 1
	sparse := func(lines int) int { return 12*nnz + 4*(lines+1) + 3*header + 1 }
	switch byCol, byRow := sparse(m.Cols), sparse(m.Rows); {
	case dense <= min(byCol, byRow) && m.ColPtrs == nil:
		return m
	case dense <= min(byCol, byRow):
		return Matrix{Rows: m.Rows, Cols: m.Cols, Values: m.ByRow(), Transposed: true}
	case byCol <= byRow:
		return m.sparse(false, nnz)
	}
	return m.sparse(true, nnz)
}

// sparse is the matrix by columns, or by rows.
func (m Matrix) sparse(byRow bool, nnz int) Matrix {
	all := m.ByRow()
	lines, across, at := m.Cols, m.Rows, func(line, k int) float64 { return all[k*m.Cols+line] }
	if byRow {
		lines, across, at = m.Rows, m.Cols, func(line, k int) float64 { return all[line*m.Cols+k] }
	}
	out := Matrix{Rows: m.Rows, Cols: m.Cols, Transposed: byRow, ColPtrs: make([]int32, 1, lines+1),
		RowIndices: make([]int32, 0, nnz), Values: make([]float64, 0, nnz)}
	for line := range lines {
		for k := range across {
			if x := at(line, k); x != 0 {
				out.RowIndices, out.Values = append(out.RowIndices, int32(k)), append(out.Values, x)
			}
		}
		out.ColPtrs = append(out.ColPtrs, int32(len(out.Values)))
	}
	return out
}

// Literal is the matrix in plan.Literal's form of types.MatrixUDT.
func (m Matrix) Literal() []any {
	values := make([]any, len(m.Values))
	for i, x := range m.Values {
		values[i] = x
	}
	kind, ptrs, rows := int64(denseKind), any(nil), any(nil)
	if m.ColPtrs != nil {
		kind, ptrs, rows = sparseKind, integers(m.ColPtrs), integers(m.RowIndices)
	}
	return []any{kind, int64(m.Rows), int64(m.Cols), ptrs, rows, values, m.Transposed}
}

func integers(list []int32) []any {
	out := make([]any, len(list))
	for i, x := range list {
		out[i] = int64(x)
	}
	return out
}

// MatrixFromLiteral is a matrix from plan.Literal's form.
func MatrixFromLiteral(parts []any) Matrix {
	m := Matrix{Values: []float64{}}
	kind, _ := parts[0].(int64)
	rows, _ := parts[1].(int64)
	cols, _ := parts[2].(int64)
	m.Rows, m.Cols = int(rows), int(cols)
	if kind == sparseKind {
		m.ColPtrs, m.RowIndices = int32s(parts[3]), int32s(parts[4])
	}
	list, _ := parts[5].([]any)
	for _, x := range list {
		v, _ := x.(float64)
		m.Values = append(m.Values, v)
	}
	m.Transposed, _ = parts[6].(bool)
	return m
}

func int32s(v any) []int32 {
	list, _ := v.([]any)
	out := make([]int32, len(list))
	for i, x := range list {
		n, _ := x.(int64)
		out[i] = int32(n)
	}
	return out
}
