package engine

import (
	"context"
	"math/rand/v2"
	"slices"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"millrace/errs"
	"millrace/operators/expr"
	"millrace/physical"
	"millrace/plan"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/session"
	"millrace/vector"
)

// fill makes a frame's rows: those of the lost partitions alone where that gives the same rows, else all.
func (st *statement) fill(f *frame, node plan.Node, old *filling, lost []int) (*filling, error) {
	if old != nil && old.fixed {
		return st.refill(f, old, lost)
	}
	node, err := st.drawn(node)
	if err != nil {
		return nil, err
	}
	if node, err = seeded(node); err != nil {
		return nil, err
	}
	node, err = st.withCached(node, f)
	if err != nil {
		return nil, err
	}
	node, err = st.optimize(node)
	if err != nil {
		return nil, err
	}
	l := &filling{ids: []string{uuid.NewString()}, settings: st.settings}
	memory := f.level.Memory || f.level.OffHeap
	rows, err := st.start(node, func() (*physical.Query, error) {
		q, err := physical.PlanFill(st.ctx, node, physical.FillRequest{ID: l.ids[0], Memory: memory, Spread: f.spread}, st.physicalOptions())
		if err == nil {
			l.stages, l.pipelined = q.Stages, q.Pipelined
		}
		return q, err
	})
	if err != nil {
		return nil, err
	}
	l.parts = make([]physical.Partition, l.stages[len(l.stages)-1].Tasks)
	l.fixed = len(residents(node)) == 0
	l.piecemeal = l.fixed && len(l.stages) == 1 && repeatable(node)
	return l, st.place(f, l, rows, nil)
}

// refill runs the stages of a filling again, so that partitions have the rows that they had, in their order, and the same numbers.
func (st *statement) refill(f *frame, old *filling, lost []int) (*filling, error) {
	l := old
	if !old.piecemeal {
		l = &filling{stages: old.stages, settings: old.settings, pipelined: old.pipelined, fixed: true, parts: make([]physical.Partition, len(old.parts))}
		lost = nil
	}
	id := uuid.NewString()
	rows, err := st.e.o.Runner.Run(st.ctx, Query{Stages: again(old.stages, id, lost), Settings: old.settings, Pipelined: old.pipelined})
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	l.ids = append(slices.Clone(l.ids), id)
	f.mu.Unlock()
	return l, st.place(f, l, rows, lost)
}

// again is the stages of a filling for blocks of another name; of the last, only the given tasks do anything (nil: all).
func again(stages []*planpb.Stage, id string, tasks []int) []*planpb.Stage {
	out := slices.Clone(stages)
	last := proto.CloneOf(stages[len(stages)-1])
	last.Root.GetCacheSink().Id = id
	if tasks != nil {
		for len(last.TaskInputs) < int(last.Tasks) {
			last.TaskInputs = append(last.TaskInputs, &planpb.TaskInput{})
		}
		for i, t := range last.TaskInputs {
			t.Skip = !slices.Contains(tasks, i)
		}
	}
	out[len(out)-1] = last
	return out
}

// place reads what a filling's tasks report and notes where the partitions are. It closes rows.
func (st *statement) place(f *frame, l *filling, rows Rows, only []int) error {
	defer rows.Close()
	id := l.ids[len(l.ids)-1]
	parts := slices.Clone(l.parts)
	var count, bytes int64
	made := 0
	for {
		b, err := rows.Next(st.ctx)
		if err != nil {
			return failed(f, id, err)
		}
		if b == nil {
			break
		}
		expr.Rows(b.Sel, b.N, func(i int) {
			p := vector.Values[int32](b.Cols[0])[i]
			parts[p].Block = &planpb.Block{Id: id, Partition: p, Attempt: vector.Values[int32](b.Cols[1])[i]}
			count += vector.Values[int64](b.Cols[2])[i]
			bytes += vector.Values[int64](b.Cols[3])[i] + vector.Values[int64](b.Cols[4])[i]
			made++
		})
	}
	placed, ok := rows.(Placed)
	if want := len(parts); !ok || only == nil && made != want || only != nil && made != len(only) {
		return failed(f, id, errs.Newf(errs.Internal, "a cached frame of %d partitions was filled with %d", want, made))
	}
	for i := range parts {
		if only == nil || slices.Contains(only, i) {
			parts[i].Worker = placed.Worker(i)
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	l.parts = parts
	if only == nil {
		l.rows, l.bytes = count, bytes
	}
	f.frames.count()
	return nil
}

// failed forgets what a filling that failed has made.
func failed(f *frame, id string, err error) error {
	f.frames.keeper.Forget(id)
	return err
}

func (c *frames) count() {
	c.mu.Lock()
	c.filled++
	c.mu.Unlock()
}

// Fillings counts how often rows were cached, whole or in part, since the engine was made.
func (e *Engine) Fillings() int64 {
	e.frames.mu.Lock()
	defer e.frames.mu.Unlock()
	return e.frames.filled
}

// seeded gives a seed to random numbers that have none, which is then that of the frame.
func seeded(n plan.Node) (plan.Node, error) {
	return plan.Transform(n, func(n plan.Node) (plan.Node, error) {
		return plan.MapExprs(n, func(e plan.Expr) (plan.Expr, error) {
			return plan.TransformExpr(e, func(e plan.Expr) (plan.Expr, error) {
				c, ok := e.(*plan.Call)
				if !ok || len(c.Args) > 0 || c.Name != "rand" && c.Name != "randn" {
					return e, nil
				}
				d := *c
				d.Args = []plan.Expr{plan.BigInt(rand.Int64())}
				return &d, nil
			})
		})
	})
}

// repeatable reports whether a task of a relation in one stage makes the same rows each time: random numbers come from a seed and
// the partition, unless a function has neither.
func repeatable(n plan.Node) bool {
	ok := true
	plan.Walk(n, func(n plan.Node) bool {
		h, is := n.(plan.HasExprs)
		if !is {
			return ok
		}
		for _, e := range h.Expressions() {
			plan.WalkExpr(e, func(e plan.Expr) bool {
				if c, is := e.(*plan.Call); is && c.Nondetermined && len(c.Args) == 0 {
					ok = false
				}
				return ok
			})
		}
		return ok
	})
	return ok
}

// residents are the frames that an optimised relation reads.
func residents(n plan.Node) []*resident {
	var list []*resident
	plan.Walk(n, func(n plan.Node) bool {
		if s, ok := n.(*plan.Scan); ok {
			if r, ok := s.Table.(*resident); ok && !slices.Contains(list, r) {
				list = append(list, r)
			}
		}
		return true
	})
	return list
}

// start plans an optimised relation and runs it, after the frames that it reads were made whole.
func (st *statement) start(n plan.Node, planned func() (*physical.Query, error)) (Rows, error) {
	list := residents(n)
	if len(list) == 0 {
		q, err := planned()
		if err != nil {
			return nil, err
		}
		return st.run(q)
	}
	r := &cachedRows{st: st, frames: list, planned: planned}
	if err := r.begin(); err != nil {
		return nil, err
	}
	return r, nil
}

// fillTries is how often a query is started whose cached rows go away under it.
const fillTries = 5

// cachedRows are the rows of a query that reads cached frames. When it fails because those are lost, before a row was handed out, they are made
// again and the query with them.
type cachedRows struct {
	Rows
	st      *statement
	frames  []*resident
	planned func() (*physical.Query, error)
	tries   int
	given   bool // rows were handed out
	held    bool // the frames are acquired
}

// begin acquires the frames and starts the query.
func (r *cachedRows) begin() error {
	for {
		r.tries++
		err := r.try()
		if err == nil {
			return nil
		}
		if !r.mayRetry(err) {
			r.release()
			return err
		}
	}
}

func (r *cachedRows) try() error {
	r.held = true
	for _, k := range r.frames {
		l, parts, err := k.frame.acquire(r.st, k.node)
		if err != nil {
			return err
		}
		k.filling, k.parts = l, parts
	}
	q, err := r.planned()
	if err != nil {
		return err
	}
	r.Rows, err = r.st.run(q)
	return err
}

// mayRetry reports whether the query should be started again after an error, for which it lets go of what it had.
func (r *cachedRows) mayRetry(err error) bool {
	if r.given || r.tries >= fillTries || !errs.Is(err, errs.Lost) || r.st.ctx.Err() != nil {
		return false
	}
	whole := true
	for _, k := range r.frames {
		whole = whole && k.filling != nil && len(k.frame.lost(k.filling)) == 0
	}
	for _, k := range r.frames {
		if whole {
			k.frame.distrust(k.filling)
		}
	}
	if r.Rows != nil {
		r.Rows.Close()
		r.Rows = nil
	}
	r.release()
	return true
}

func (r *cachedRows) release() {
	if !r.held {
		return
	}
	r.held = false
	for _, k := range r.frames {
		if k.filling != nil {
			k.frame.release(k.filling)
			k.filling = nil
		}
	}
}

// Next implements Rows.
func (r *cachedRows) Next(ctx context.Context) (*vector.Batch, error) {
	for {
		b, err := r.Rows.Next(ctx)
		if err == nil {
			r.given = true
			return b, nil
		}
		if !r.mayRetry(err) {
			return nil, err
		}
		if err := r.begin(); err != nil {
			return nil, err
		}
	}
}

// Worker implements Placed.
func (r *cachedRows) Worker(task int) string {
	if p, ok := r.Rows.(Placed); ok {
		return p.Worker(task)
	}
	return ""
}

// Metrics implements Rows.
func (r *cachedRows) Metrics() session.Metrics {
	if r.Rows == nil {
		return session.Metrics{}
	}
	return r.Rows.Metrics()
}

// Close implements Rows.
func (r *cachedRows) Close() error {
	var err error
	if r.Rows != nil {
		err = r.Rows.Close()
	}
	r.release()
	return err
}
