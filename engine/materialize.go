package engine

import (
	"context"

	"millrace/plan"
	"millrace/session"
)

// Materialize runs a relation once and keeps its rows on the workers, in memory where there is room, for plans that read them many
// times, such as the steps of an iterative fit. The frame it returns is a leaf for further plans of the session, resolved or not, and may stand in them
// more than once; its columns are the relation's. Its partitions, at least as many as there are task slots, lie where they were made and every query
// reads each where it lies, in memory that all queries share. Rows of a relation with fewer partitions are dealt out in turn, and keep
// their order within each partition. When a worker is lost its partitions are made again from the relation, which is the tables' versions as they were. release
// frees the rows when the queries that read them have ended; so does the session's end.
func (e *Engine) Materialize(ctx context.Context, s *session.Session, n plan.Node) (frame plan.Resolved, release func(), err error) {
	return e.statement(ctx, s).materialize(n)
}

func (st *statement) materialize(n plan.Node) (frame plan.Resolved, release func(), err error) {
	e, s := st.e, st.s
	resolved, err := st.analyze(n)
	if err != nil {
		return nil, nil, err
	}
	st.haveRead()
	f := newFrame(e.frames, resolved, session.DefaultLevel)
	f.places, f.spread = nil, e.o.Runner.Slots()
	out := f.scan(resolved.(plan.Resolved))
	l, _, err := f.acquire(st, resolved)
	if err != nil {
		return nil, nil, err
	}
	f.release(l)
	key := "materialized " + f.id // which is no fingerprint
	e.frames.add(s, key, f)
	return out, func() { e.frames.remove(s, key); f.end() }, nil
}
