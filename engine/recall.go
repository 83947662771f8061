package engine

import (
	"context"
	"strconv"
	"strings"

	"millrace/errs"
	"millrace/plan"
	"millrace/session"
)

// operation is the client's operation that the statement is, or empty.
func (st *statement) operation() string {
	if p := session.PurposeOf(st.ctx); p.Kind == "operation" {
		return p.ID
	}
	return ""
}

// Recall implements session.Recaller.
func (e *Engine) Recall(ctx context.Context, operation string) ([]session.Commit, error) {
	found, err := e.o.Committer.Recall(ctx, operation)
	if err != nil {
		return nil, err
	}
	out := make([]session.Commit, len(found))
	for i, r := range found {
		out[i] = session.Commit{Table: r.Table, Version: r.Version, Metrics: r.Info.OperationMetrics}
	}
	return out, nil
}

// Recalled implements session.Recaller. The first commit is the statement's own; others tend the table after it.
func (e *Engine) Recalled(ctx context.Context, s *session.Session, operation string, n plan.Node, done []session.Commit) (session.Result, error) {
	st, first := e.statement(ctx, s), done[0]
	count := func(names ...string) (counts []any, known bool) {
		for _, name := range names {
			v, err := strconv.ParseInt(first.Metrics[name], 10, 64)
			if err != nil {
				return nil, false
			}
			counts = append(counts, v)
		}
		return counts, true
	}
	switch c := n.(type) {
	case *plan.Write:
		if first.Version > 0 || c.Path != "" { // a table's name is given after its first version
			return emptyResult(), nil
		}
	case *plan.WriteV2, *plan.Insert, *plan.AlterTable:
		if first.Version > 0 {
			return emptyResult(), nil
		}
	case *plan.Delete:
		if row, known := count("numDeletedRows"); known {
			return st.rowsResult(affectedSchema, [][]any{row})
		}
	case *plan.Update:
		if row, known := count("numUpdatedRows"); known {
			return st.rowsResult(affectedSchema, [][]any{row})
		}
	case *plan.Merge:
		if row, known := count("numTargetRowsUpdated", "numTargetRowsDeleted", "numTargetRowsInserted"); known {
			all := row[0].(int64) + row[1].(int64) + row[2].(int64)
			return st.rowsResult(mergeSchema, [][]any{append([]any{all}, row...)})
		}
	case *plan.Generic:
		if c.Name == commitTransaction {
			return emptyResult(), nil
		}
	}
	return nil, Committed(operation, done)
}

// Committed is the error that tells a client what an operation has committed whose coordinator has died.
func Committed(operation string, done []session.Commit) error {
	versions := make([]string, len(done))
	for i, c := range done {
		versions[i] = "version " + itoa(c.Version) + " of " + c.Table
	}
	return errs.New("MILLRACE_OPERATION_COMMITTED", "operationId", operation, "commits", strings.Join(versions, ", "))
}
