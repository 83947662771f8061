package engine

import (
	"strings"

	"millrace/delta"
	"millrace/errs"
	"millrace/plan"
	"millrace/plan/analyze"
	"millrace/planconv"
	"millrace/session"
	"millrace/types"
)

// What becomes of a row, as the sink of changes reads it; changedBySource marks rows that no source row matched.
const (
	opDelete        = 1
	opInsert        = 2
	opUpdate        = 3
	changedBySource = 4
)

var affectedSchema = mustSchema("num_affected_rows BIGINT")

func (st *statement) delete(d *plan.Delete) (session.Result, error) {
	c, _, err := st.changeRows("DELETE", d.Target)
	if err != nil {
		return nil, err
	}
	if done, err := c.repeated(); done || err != nil {
		return affected(st, 0, err)
	}
	cond := plan.Expr(plan.Bool(true))
	if d.Condition != nil {
		if cond, err = c.condition(d.Condition, c.plain); err != nil {
			return nil, err
		}
	}
	if hasSubquery(cond) {
		return nil, errs.New("DELTA_UNSUPPORTED_SUBQUERY", "operation", "DELETE", "cond", analyze.Pretty(cond))
	}
	c.info = delta.Info("DELETE", delta.Param{Name: "predicate", Value: predicates(cond)})
	c.where = both(c.targetOnly(cond)...)
	if whole, ok, err := c.wholeFiles(cond); ok || err != nil {
		if err != nil {
			return nil, err
		}
		n, err := c.deleteFiles(whole)
		return affected(st, n, err)
	}
	q := &plan.Project{Input: &plan.Filter{Input: c.rows, Condition: cond}, Exprs: c.head(plan.Int(opDelete))}
	if c.feeds() {
		q.Exprs = append(q.Exprs, exprs(c.columns)...)
	}
	r, err := c.run(q, 0)
	if err != nil || r.touched() == 0 {
		return affected(st, 0, err)
	}
	return affected(st, r.counts[opDelete], c.commit(r, deleteMetrics))
}

func affected(st *statement, n int64, err error) (session.Result, error) {
	if err != nil {
		return nil, err
	}
	return st.rowsResult(affectedSchema, [][]any{{n}})
}

// head are the first columns of the sink's input.
func (c *rowChange) head(op plan.Expr) []plan.Expr {
	return []plan.Expr{&plan.Alias{Child: op, Names: []string{"op"}, ID: c.id()}, c.file, c.row}
}

// wholeFiles are the files of which all rows meet a condition; ok where that is known without reading any.
func (c *rowChange) wholeFiles(cond plan.Expr) (files []*delta.Add, ok bool, err error) {
	s := c.table.Snapshot
	partition := map[plan.ID]types.Field{}
	for _, name := range s.PartitionColumns() {
		f, i := s.Schema().Field(name, false)
		if i >= 0 {
			partition[c.columns[i].ID] = f
		}
	}
	known := movable(cond)
	plan.WalkExpr(cond, func(e plan.Expr) bool {
		if a, is := e.(*plan.Attribute); is {
			_, has := partition[a.ID]
			known = known && has
		}
		return known
	})
	if !known {
		return nil, false, nil
	}
	verdicts := map[string]bool{}
	for a := range s.All() {
		yes, err := c.verdict(cond, partition, a, verdicts)
		if err != nil {
			return nil, false, err
		}
		if yes {
			files = append(files, a)
		}
	}
	return files, true, nil
}

// verdict evaluates a condition about partition columns on a file's values.
func (c *rowChange) verdict(cond plan.Expr, partition map[plan.ID]types.Field, a *delta.Add, known map[string]bool) (bool, error) {
	var key strings.Builder
	for _, name := range c.table.Snapshot.PartitionColumns() {
		f, _ := c.table.Snapshot.Schema().Field(name, false) // with its physical name, which the source's columns do not tell
		if v := a.PartitionValues[delta.PhysicalName(f)]; v != nil {
			key.WriteString(*v)
			key.WriteByte(1)
		}
		key.WriteByte(0)
	}
	if v, ok := known[key.String()]; ok {
		return v, nil
	}
	e, err := plan.TransformExpr(cond, func(e plan.Expr) (plan.Expr, error) {
		at, ok := e.(*plan.Attribute)
		if !ok {
			return e, nil
		}
		f := partition[at.ID]
		v, err := c.table.PartitionValue(a, f)
		if err != nil {
			return nil, err
		}
		return &plan.Literal{Value: planconv.Value(v, f.Type), T: f.Type}, nil
	})
	if err != nil {
		return false, err
	}
	l, isLiteral := e.(*plan.Literal)
	if !isLiteral {
		if l, err = c.st.fold(e); err != nil {
			return false, err
		}
	}
	if l == nil {
		return false, errs.Newf(errs.Internal, "DELETE: the condition cannot be computed")
	}
	yes, _ := l.Value.(bool)
	known[key.String()] = yes
	return yes, nil
}

// deleteFiles deletes files with all of their rows, by metadata alone, and returns the number of rows.
func (c *rowChange) deleteFiles(files []*delta.Add) (int64, error) {
	if len(files) == 0 {
		return 0, nil
	}
	r := &changes{counts: map[int32]int64{}}
	for _, a := range files {
		n, err := c.records(a)
		if err != nil {
			return 0, err
		}
		if a.DeletionVector != nil {
			n -= a.DeletionVector.Cardinality
		}
		r.removed = append(r.removed, a)
		r.counts[opDelete] += n
	}
	r.whole = true
	return r.counts[opDelete], c.commit(r, deleteMetrics)
}
