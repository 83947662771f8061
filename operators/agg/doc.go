// Package agg holds the aggregate functions. A Function keeps the states of all groups in slabs and is fed whole batches:
//
//	f, err := agg.New(call, argTypes, settings)
//	f.Resize(groups)
//	f.Update(input)            // rows: input.Groups[k] is the group of row k
//	f.States(columns, 0, n)    // what a partial aggregate sends on
//	f.Merge(input)             // the same columns, received
//	f.Result(column, 0, n)
//
// StateTypes tells the planner which columns States appends. The package knows nothing of operators, plans and hash tables' owners.
package agg
