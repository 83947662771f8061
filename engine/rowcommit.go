package engine

import (
	"encoding/json"
	"strings"
	"time"

	"millrace/delta"
	"millrace/physical"
	"millrace/plan"
	"millrace/plan/analyze"
	"millrace/plan/optimize"
	planpb "millrace/proto/millrace/plan/v1"
)

// commit makes the version in which the changes are done. Without any there is none.
func (c *rowChange) commit(r *changes, metrics func(*rowChange, *changes) map[string]string) error {
	if err := c.settle(r); err != nil {
		return err
	}
	if err := c.count(r); err != nil {
		return err
	}
	st, s := c.st, c.table.Snapshot
	now := st.settings.NowMicros / 1000
	var actions []delta.Action
	if c.metadata != s.Metadata {
		actions = append(actions, delta.Action{Metadata: c.metadata})
	}
	var files []string
	remove := func(a *delta.Add) {
		actions = append(actions, delta.Action{Remove: a.Remove(now, true)})
		files = append(files, a.Path)
	}
	for _, a := range r.removed {
		remove(a)
	}
	for _, g := range r.grown {
		remove(g.old)
		actions = append(actions, delta.Action{Add: g.now})
	}
	for _, a := range r.added {
		actions = append(actions, delta.Action{Add: a})
	}
	for _, a := range r.images {
		actions = append(actions, delta.Action{CDC: a})
	}
	var w deltaWrite
	if c.write != nil {
		w = *c.write
	}
	app, err := st.application(w)
	if err != nil || len(actions) == 0 && app == nil {
		return err
	}
	info := c.info
	info.EngineInfo, info.UserMetadata = st.e.o.Version, st.userMetadata(w.options)
	info.OperationMetrics = metrics(c, r)
	req := request(s, actions, info)
	req.ReadFiles, req.ReadTable, req.RowLevel = files, st.readOf(s.Table) != nil, c.rowLevel
	if !c.rowLevel {
		for _, a := range c.placed.Read() {
			req.ReadFiles = append(req.ReadFiles, a.Path)
		}
	}
	filter, err := c.filter()
	if err != nil {
		return err
	}
	req.Reads = []delta.Filter{filter}
	if app != nil {
		req.AppID, req.AppVersion = app.AppID, app.Version
		req.Actions = append(req.Actions, delta.Action{Txn: app})
	}
	st.unchanged = nil
	_, err = st.commit(req)
	return err
}

// repeated reports whether the session's transaction has been committed before.
func (c *rowChange) repeated() (bool, error) {
	app, err := c.st.application(deltaWrite{})
	return err == nil && app != nil && alreadyWritten(c.table.Snapshot, *app), err
}

// filter is what the statement read of the table, in the log's terms: rows that another adds are its concern where they pass.
func (c *rowChange) filter() (delta.Filter, error) {
	fields := make([]int, len(c.columns))
	for i := range fields {
		fields[i] = i
	}
	var list []*planpb.Expr
	for _, e := range optimize.Conjuncts(c.where) {
		e, err := c.st.foldConstants(e)
		if err != nil {
			return nil, err
		}
		pb, err := physical.Over(c.columns, e)
		if err != nil {
			return nil, err
		}
		list = append(list, pb)
	}
	return c.table.Filter(list, fields), nil
}

// foldConstants computes the parts of an expression that read no column.
func (st *statement) foldConstants(e plan.Expr) (plan.Expr, error) {
	return plan.TransformExpr(e, func(e plan.Expr) (plan.Expr, error) {
		switch e.(type) {
		case *plan.Call, *plan.Cast:
		default:
			return e, nil
		}
		if len(optimize.References(e)) > 0 || !movable(e) {
			return e, nil
		}
		if l, err := st.fold(e); err == nil && l != nil {
			return l, nil
		}
		return e, nil
	})
}

// predicates is how the history shows a condition.
func predicates(e plan.Expr) string { return jsonText([]string{analyze.Pretty(e)}) }

// jsonText is a value's JSON, with < and > as they are.
func jsonText(v any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return "[]"
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func bytesOf(list []*delta.Add) (n int64) {
	for _, a := range list {
		n += a.Size
	}
	return n
}

// vectorCounts are how many deletion vectors came, went, and took another's place.
func (r *changes) vectorCounts() (added, removed, updated int64) {
	for _, g := range r.grown {
		added++
		if g.old.DeletionVector != nil {
			removed++
			updated++
		}
	}
	for _, a := range r.removed {
		if a.DeletionVector != nil {
			removed++
		}
	}
	return added, removed, updated
}

func (c *rowChange) times(r *changes) (all, scan, rewrite int64) {
	rewrite = r.rewrite.Milliseconds()
	return time.Since(c.began).Milliseconds(), c.scanned.Milliseconds(), rewrite
}

func deleteMetrics(c *rowChange, r *changes) map[string]string {
	added, removed, updated := r.vectorCounts()
	all, scan, rewrite := c.times(r)
	return delta.Metrics("numRemovedFiles", len(r.removed), "numRemovedBytes", bytesOf(r.removed), "numAddedFiles", len(r.added), "numAddedBytes", bytesOf(r.added),
		"numCopiedRows", r.copies, "numDeletedRows", r.counts[opDelete], "numAddedChangeFiles", len(r.images), "numDeletionVectorsAdded", added,
		"numDeletionVectorsRemoved", removed, "numDeletionVectorsUpdated", updated, "executionTimeMs", all, "scanTimeMs", scan, "rewriteTimeMs", rewrite)
}

func updateMetrics(c *rowChange, r *changes) map[string]string {
	added, removed, updated := r.vectorCounts()
	all, scan, rewrite := c.times(r)
	return delta.Metrics("numRemovedFiles", len(r.removed)+len(r.grown), "numRemovedBytes", bytesOf(r.removed), "numAddedFiles", len(r.added), "numAddedBytes", bytesOf(r.added),
		"numCopiedRows", r.copies, "numUpdatedRows", r.counts[opUpdate], "numAddedChangeFiles", len(r.images), "numDeletionVectorsAdded", added,
		"numDeletionVectorsRemoved", removed, "numDeletionVectorsUpdated", updated, "executionTimeMs", all, "scanTimeMs", scan, "rewriteTimeMs", rewrite)
}
