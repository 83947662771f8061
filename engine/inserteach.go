package engine

import (
	"context"
	"maps"
	"strconv"

	"millrace/delta"
	"millrace/plan"
	"millrace/session"
)

// part is one of the writes of a statement that writes several times.
type part struct {
	repeat int                        // how often the statement has written to the same table before
	seen   map[string]*delta.Snapshot // the tables that the statement only reads, as it saw them first
}

// application is the name under which a part moves an application's counter on. A table takes a counter once, and each part is a write of its own.
func (p part) application(id string) string {
	if p.repeat == 0 || id == "" {
		return id
	}
	return id + "/" + strconv.Itoa(p.repeat)
}

// insertEach is FROM … INSERT … INSERT. All are checked before the first one is done. Each commits by itself and, as in Spark, reads what those before
// it have written; tables that none of them writes are read as they were at first.
func (e *Engine) insertEach(ctx context.Context, s *session.Session, c *plan.InsertEach) (session.Result, error) {
	st := e.statement(ctx, s)
	st.checking = true
	written := make([]string, len(c.Inserts)) // by place; empty: no Delta table
	for i, n := range c.Inserts {
		st.writing = ""
		if _, err := st.command(n.(plan.Command)); err != nil {
			return nil, err
		}
		written[i] = st.writing
	}
	seen, times := maps.Clone(st.seen), map[string]int{}
	for _, place := range written {
		delete(seen, place)
	}
	for i, n := range c.Inserts {
		r, err := e.execute(ctx, s, n.(plan.Command), part{repeat: times[written[i]], seen: seen})
		if err != nil {
			return nil, err
		}
		if err := r.Close(); err != nil {
			return nil, err
		}
		times[written[i]]++
	}
	return emptyResult(), nil
}
