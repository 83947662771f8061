package engine

import (
	"bytes"
	"slices"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"

	"millrace/errs"
	"millrace/physical"
	"millrace/plan"
	"millrace/types"
	"millrace/vector"
)

// maxLoopBytes bounds the rows of a recursion, which come by the coordinator.
const maxLoopBytes = 256 << 20

// recursions runs the recursive common table expressions of a resolved relation and puts their rows in their places.
func (st *statement) recursions(n plan.Node) (plan.Node, error) {
	n, err := limitRecursions(n)
	if err != nil {
		return nil, err
	}
	return plan.Transform(n, func(n plan.Node) (plan.Node, error) {
		if r, ok := n.(*plan.Recursion); ok {
			return st.recursion(r)
		}
		return plan.MapExprs(n, func(e plan.Expr) (plan.Expr, error) {
			return plan.TransformExpr(e, func(e plan.Expr) (plan.Expr, error) {
				s, ok := e.(*plan.Subquery)
				if !ok || s.Kind == plan.ScalarSubquery { // those run by themselves
					return e, nil
				}
				inner, err := st.recursions(s.Plan)
				if err != nil || inner == s.Plan {
					return e, err
				}
				q := *s
				q.Plan = inner
				return &q, nil
			})
		})
	})
}

// limitRecursions tells recursions how many of their rows a LIMIT lets pass.
func limitRecursions(n plan.Node) (plan.Node, error) {
	return plan.Transform(n, func(n plan.Node) (plan.Node, error) {
		l, ok := n.(*plan.Limit)
		if !ok || l.Count == nil {
			return n, nil
		}
		rows := int64(0)
		for _, e := range []plan.Expr{l.Count, l.Offset} {
			if c, ok := e.(*plan.Literal); ok {
				if v, ok := c.Value.(int64); ok {
					rows += v
				}
			}
		}
		in := withLimit(l.Input, rows)
		if in == l.Input {
			return n, nil
		}
		return n.WithChildren([]plan.Node{in}), nil
	})
}

func withLimit(n plan.Node, rows int64) plan.Node {
	switch m := n.(type) {
	case *plan.Recursion:
		r := *m
		r.Limit = max(rows, 1)
		return &r
	case *plan.Project, *plan.SubqueryAlias, *plan.Union:
		fresh, changed := []plan.Node{}, false
		for _, c := range n.Children() {
			in := withLimit(c, rows)
			fresh, changed = append(fresh, in), changed || in != c
		}
		if changed {
			return n.WithChildren(fresh)
		}
	}
	return n
}

// loop is a recursion that runs.
type loop struct {
	st        *statement
	r         *plan.Recursion
	schema    *arrow.Schema
	all, last bytes.Buffer
	w         *ipc.Writer
	rows      int64
}

// recursion runs a loop to its end.
func (st *statement) recursion(r *plan.Recursion) (plan.Node, error) {
	fields := make([]types.Field, len(r.Attrs))
	for i, a := range r.Attrs {
		fields[i] = types.Field{Name: a.Name, Type: a.T, Nullable: true}
	}
	l := &loop{st: st, r: r, schema: vector.ArrowSchema(fields, "UTC")}
	l.w = ipc.NewWriter(&l.all, ipc.WithSchema(l.schema))
	made, err := l.round(r.Anchor)
	for step := int64(1); err == nil && made > 0; step++ {
		more, limitErr := l.goesOn(step)
		if limitErr != nil || !more {
			err = limitErr
			break
		}
		made, err = l.step(made, step-1)
	}
	if err != nil {
		return nil, err
	}
	if err := l.w.Close(); err != nil {
		return nil, err
	}
	return &plan.LocalRelation{Attrs: r.Attrs, Arrow: l.all.Bytes(), Rows: l.rows}, nil
}

// goesOn reports whether another step is wanted; the session's limits make an error of one too many.
func (l *loop) goesOn(step int64) (bool, error) {
	level := l.r.MaxLevel
	if level == 0 {
		level = l.st.s.Conf.Int("spark.sql.cteRecursionLevelLimit", 100)
	}
	rows := l.st.s.Conf.Int("spark.sql.cteRecursionRowLimit", 1_000_000)
	switch {
	case l.r.Limit > 0:
		if l.rows >= l.r.Limit {
			return false, nil
		}
	case !l.r.Unlimited && rows != -1 && l.rows >= rows:
		return false, errs.New("RECURSION_ROW_LIMIT_EXCEEDED", "rowLimit", strconv.FormatInt(rows, 10))
	}
	if level != -1 && step > level {
		return false, errs.New("RECURSION_LEVEL_LIMIT_EXCEEDED", "levelLimit", strconv.FormatInt(level, 10))
	}
	return true, nil
}

// step runs the step over the rows that were made last, of which there are as many as made says. Steps were taken before; by so many the seeds of its
// random functions move on.
func (l *loop) step(made, before int64) (int64, error) {
	data := append([]byte(nil), l.last.Bytes()...)
	n, err := plan.Transform(l.r.Step, func(n plan.Node) (plan.Node, error) {
		return l.lastRows(n, data, made, before)
	})
	if err != nil {
		return 0, err
	}
	return l.round(n)
}

// lastRows puts the rows in the places where the step, or a subquery in it, reads them.
func (l *loop) lastRows(n plan.Node, data []byte, made, before int64) (plan.Node, error) {
	if ref, ok := n.(*plan.RecursionRef); ok && ref.Loop == l.r.Loop {
		return &plan.LocalRelation{Attrs: ref.Attrs, Arrow: data, Rows: made}, nil
	}
	return plan.MapExprs(n, func(e plan.Expr) (plan.Expr, error) {
		return plan.TransformExpr(e, func(e plan.Expr) (plan.Expr, error) {
			if c, ok := e.(*plan.Call); ok {
				return reseeded(c, before), nil
			}
			s, ok := e.(*plan.Subquery)
			if !ok {
				return e, nil
			}
			inner, err := plan.Transform(s.Plan, func(n plan.Node) (plan.Node, error) { return l.lastRows(n, data, made, before) })
			if err != nil || inner == s.Plan {
				return e, err
			}
			q := *s
			q.Plan = inner
			return &q, nil
		})
	})
}

// reseeded is a call whose seed, if it has one, is greater by so much.
func reseeded(c *plan.Call, by int64) plan.Expr {
	at := physical.SeedAt(c.Name)
	if at < 0 || len(c.Args) <= at || by == 0 {
		return c
	}
	d := *c
	d.Args = slices.Clone(c.Args)
	d.Args[at] = plan.BigInt(by)
	if seed, ok := c.Args[at].(*plan.Literal); !ok || seed.Value != nil { // no seed is 0
		d.Args[at] = &plan.Call{Name: "+", Args: []plan.Expr{&plan.Cast{Child: c.Args[at], To: types.Long}, plan.BigInt(by)}, T: types.Long}
	}
	return &d
}

// round runs a relation and keeps its rows, of which it returns the number.
func (l *loop) round(n plan.Node) (int64, error) {
	n, err := l.st.optimized(n)
	if err != nil {
		return 0, err
	}
	rows, err := l.st.start(n, func() (*physical.Query, error) { return physical.Plan(l.st.ctx, n, l.st.physicalOptions()) })
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	l.last.Reset()
	w := ipc.NewWriter(&l.last, ipc.WithSchema(l.schema))
	made := int64(0)
	for {
		b, err := rows.Next(l.st.ctx)
		if err != nil {
			return 0, err
		}
		if b == nil {
			l.rows += made
			return made, w.Close()
		}
		made += int64(b.Rows())
		if err := l.keep(w, b); err != nil {
			return 0, err
		}
	}
}

func (l *loop) keep(w *ipc.Writer, b *vector.Batch) error {
	rec := vector.ToArrow(b, l.schema)
	defer rec.Release()
	if err := w.Write(rec); err != nil {
		return err
	}
	if l.all.Len() > maxLoopBytes {
		return errs.Unsupportedf("A recursion of more than %d MiB of rows is not supported.", maxLoopBytes>>20)
	}
	return l.w.Write(rec)
}
