package plan

import "millrace/types"

// PythonFunction is a function that a client has pickled, or a chain of them.
type PythonFunction struct {
	Name          string
	Eval          int    // PySpark's number of its kind
	Version       string // major.minor of the Python that made it
	Commands      [][]byte
	Returns       *types.Type
	Deterministic bool
	ArgNames      []string // of the arguments that are given by name, by their places; nil: none is
}

// PythonCall is the name of calls of functions of Python.
const PythonCall = "python function"

// PySpark's numbers of kinds of functions.
const (
	PythonBatched        = 100
	PythonArrowBatched   = 101
	PandasScalar         = 200
	PandasGroupedMap     = 201
	PandasGroupedAgg     = 202
	PandasWindowAgg      = 203
	PandasScalarIter     = 204
	PandasMapIter        = 205
	PandasCogroupedMap   = 206
	ArrowMapIter         = 207
	ArrowGroupedMap      = 209
	ArrowCogroupedMap    = 210
	PandasGroupedMapIter = 216
	ArrowGroupedMapIter  = 215
	PandasGroupedAggIter = 217
	ArrowScalar          = 250
	ArrowScalarIter      = 251
	ArrowGroupedAgg      = 252
	ArrowWindowAgg       = 253
	ArrowGroupedAggIter  = 254
)

// Scalar reports whether the function makes a value of each row.
func (f *PythonFunction) Scalar() bool {
	switch f.Eval {
	case PythonBatched, PythonArrowBatched, PandasScalar, ArrowScalar:
		return true
	}
	return f.Alone() && !f.Aggregates()
}

// Alone reports whether no other function can be computed in the same pass.
func (f *PythonFunction) Alone() bool {
	switch f.Eval {
	case PandasScalarIter, ArrowScalarIter, PandasGroupedAggIter, ArrowGroupedAggIter:
		return true
	}
	return false
}

// Aggregates reports whether the function makes a value of a group of rows.
func (f *PythonFunction) Aggregates() bool {
	switch f.Eval {
	case PandasGroupedAgg, ArrowGroupedAgg, PandasGroupedAggIter, ArrowGroupedAggIter, PandasWindowAgg, ArrowWindowAgg:
		return true
	}
	return false
}

// Rows reports whether the function makes rows.
func (f *PythonFunction) Rows() bool { return !f.Scalar() && !f.Aggregates() }

// Operation is what Spark calls the operator that runs the function.
func (f *PythonFunction) Operation() string { return PythonOperation(f.Eval) }

// PythonOperation is what Spark calls the operator that runs functions of a kind.
func PythonOperation(eval int) string {
	switch eval {
	case PythonBatched:
		return "BatchEvalPython"
	case PandasMapIter:
		return "MapInPandas"
	case ArrowMapIter:
		return "MapInArrow"
	case PandasGroupedMap, PandasGroupedMapIter:
		return "FlatMapGroupsInPandas"
	case ArrowGroupedMap, ArrowGroupedMapIter:
		return "FlatMapGroupsInArrow"
	case PandasCogroupedMap:
		return "FlatMapCoGroupsInPandas"
	case ArrowCogroupedMap:
		return "FlatMapCoGroupsInArrow"
	case PandasGroupedAgg, ArrowGroupedAgg, PandasGroupedAggIter, ArrowGroupedAggIter:
		return "ArrowAggregatePython"
	case PandasWindowAgg, ArrowWindowAgg:
		return "ArrowWindowPython"
	}
	return "ArrowEvalPython"
}

// Output implements Resolved.
func (n *PythonEval) Output() []*Attribute {
	return append(clip(outputOf(n.Input)), attributes(n.Exprs)...)
}

// Output implements Resolved.
func (n *PythonWindow) Output() []*Attribute {
	return append(clip(outputOf(n.Input)), attributes(n.Exprs)...)
}

// Output implements Resolved.
func (n *PythonMap) Output() []*Attribute { return n.Attrs }

// Output implements Resolved.
func (n *PythonAggregate) Output() []*Attribute { return attributes(n.Exprs) }
