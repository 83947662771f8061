package engine

import (
	"cmp"
	"slices"

	"millrace/operators"
	"millrace/session"
)

// outputRows is the key of the rows that an operator put out, as Spark names it.
const outputRows = "numOutputRows"

// OperatorMetrics are what the operators of a query did, all tasks together, for the session.
func OperatorMetrics(all map[uint32]*operators.OperatorMetrics) []session.OperatorMetrics {
	var list []session.OperatorMetrics
	for id, o := range all {
		list = append(list, session.OperatorMetrics{ID: int64(id), Parent: int64(id), Name: "operator", Values: []session.MetricValue{
			{Key: outputRows, Name: "number of output rows", Kind: "sum", Value: o.RowsOut},
			{Key: "dataSize", Name: "data size", Kind: "size", Value: o.BytesOut},
			{Key: "operatorTime", Name: "time in operator", Kind: "nsTiming", Value: o.Nanos},
			{Key: "spillSize", Name: "spill size", Kind: "size", Value: o.SpilledBytes},
			{Key: "numFiles", Name: "number of files read", Kind: "sum", Value: o.Files},
			{Key: "numSkippedFiles", Name: "number of files skipped", Kind: "sum", Value: o.FilesSkipped},
			{Key: "filesSize", Name: "size of files read", Kind: "size", Value: o.BytesRead},
			{Key: "numRowGroups", Name: "number of row groups read", Kind: "sum", Value: o.RowGroups},
			{Key: "numSkippedRowGroups", Name: "number of row groups skipped", Kind: "sum", Value: o.RowGroupsSkipped},
			{Key: "numSkippedRows", Name: "number of rows skipped", Kind: "sum", Value: o.RowsSkipped}}})
	}
	slices.SortFunc(list, func(a, b session.OperatorMetrics) int { return cmp.Compare(a.ID, b.ID) })
	return list
}
