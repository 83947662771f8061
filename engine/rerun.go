package engine

import (
	"context"
	"maps"
	"math/rand/v2"
	"strings"
	"time"

	"millrace/errs"
	"millrace/plan"
	"millrace/session"
)

// rerunsDefault is how often a command that lost to another writer is planned and run again; millrace.commit.maxReruns sets it.
const rerunsDefault = 10

// rerunnable are the conflicts after which a command may just be run again on the newest version. A streaming query or application that
// finds its counter moved has to be told.
var rerunnable = []string{"DELTA_CONCURRENT_APPEND", "DELTA_CONCURRENT_DELETE_READ", "DELTA_CONCURRENT_DELETE_DELETE", "DELTA_CONCURRENT_WRITE",
	"DELTA_METADATA_CHANGED", "DELTA_PROTOCOL_CHANGED", tablesMoved}

func mayRerun(err error) bool {
	if !errs.Is(err, errs.Conflict) {
		return false
	}
	condition, _, _ := strings.Cut(errs.ConditionOf(err), ".")
	for _, c := range rerunnable {
		if c == condition {
			return true
		}
	}
	return false
}

// endsTransaction reports whether a command stands for statements that are gone.
func endsTransaction(c plan.Command) bool {
	g, ok := c.(*plan.Generic)
	return ok && g.Name == commitTransaction
}

// looksAtRows reports whether what a command reads are rows, and not just what relations look like.
func looksAtRows(c plan.Command) bool {
	switch c.(type) {
	case *plan.Describe, *plan.Show, *plan.CreateView:
		return false
	}
	return true
}

// execute carries out a command. What could not be committed because of another writer is planned again, on what is there now: that
// is what the user would do, who is told to.
func (e *Engine) execute(ctx context.Context, s *session.Session, c plan.Command, p part) (session.Result, error) {
	limit := int(bytesConf(s.Conf, "millrace.commit.maxReruns", rerunsDefault))
	for try := 0; ; try++ {
		st := e.statement(ctx, s)
		if st.part = p; try == 0 {
			st.seen = maps.Clone(p.seen)
		}
		res, err := st.command(c)
		if looksAtRows(c) {
			st.haveRead()
		}
		if r, ok := res.(*memoryResult); ok {
			r.observed = st.observed
		}
		if err == nil || try >= limit || !mayRerun(err) || st.transaction() != nil || endsTransaction(c) {
			return res, err
		}
		select {
		case <-time.After(rand.N(min(10*time.Millisecond<<min(try, 6), 500*time.Millisecond))):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
