package stream

import (
	"context"
	"encoding/json"
	"time"

	"millrace/errs"
	"millrace/session"
)

// errElsewhere is why a query's context ends when another coordinator, or another run, has it.
var errElsewhere = errs.Newf(errs.Cancelled, "the query goes on elsewhere")

// starterFirst is how long nobody but the coordinator that has started a query claims it.
const starterFirst = 2 * time.Second

// claimWithin is how long a start waits for another coordinator to let a query go.
const claimWithin = 15 * time.Second

// save writes a query's record and claims it; the coordinator that has an earlier run of it sees the record change and lets it go.
func (m *Manager) save(ctx context.Context, r *record) error {
	text, err := r.encode()
	if err != nil {
		return errs.Wrap(err, "keep the query %s", r.ID)
	}
	if err := m.o.Records.Save(ctx, r.ID, text); err != nil {
		return err
	}
	for until := time.Now().Add(claimWithin); ; {
		mine, err := m.o.Records.Claim(ctx, r.ID)
		if err != nil || mine {
			return err
		}
		if time.Now().After(until) {
			return errs.Newf(errs.Conflict, "The query %s runs on another coordinator, which does not let it go.", r.ID)
		}
		if err := sleep(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
}

// Recover runs the queries of the records that nobody else runs, now and whenever that changes, until the manager is closed.
func (m *Manager) Recover() {
	if m.o.Records == nil {
		return
	}
	m.busy.Go(func() {
		changes := m.o.Records.Changes(m.ctx)
		look := time.NewTicker(time.Second)
		defer look.Stop()
		for {
			m.reconcile(m.ctx)
			select {
			case c, ok := <-changes:
				if !ok {
					return
				}
				if c.Lost {
					m.letGo()
				}
			case <-look.C:
			case <-m.ctx.Done():
				return
			}
		}
	})
}

// letGo ends all queries that have records: others may have them by now.
func (m *Manager) letGo() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, q := range m.running {
		if q.record != nil {
			q.cancel(errElsewhere)
		}
	}
}

// reconcile brings what runs here in line with the records.
func (m *Manager) reconcile(ctx context.Context) {
	all, err := m.o.Records.Load(ctx)
	if err != nil {
		return // etcd is away: the claims' end will tell
	}
	m.starting.Lock()
	defer m.starting.Unlock()
	m.mu.Lock()
	var mine []*query
	for _, q := range m.running {
		if q.record != nil {
			mine = append(mine, q)
		}
	}
	m.mu.Unlock()
	for _, q := range mine {
		r, _, err := decodeRecord(all[q.id])
		if err == nil && r.RunID == q.runID {
			continue
		}
		if len(all[q.id]) == 0 && q.started(ctx) {
			continue // it was saved after the records were read
		}
		q.cancel(errElsewhere)
		select {
		case <-q.done:
		case <-ctx.Done():
			return
		}
		_ = m.o.Records.Release(ctx, q.id) // a claim that cannot be given back ends with its holder
	}
	for id, text := range all {
		if r := (record{}); m.byID(id) == nil && (json.Unmarshal(text, &r) != nil || time.Since(r.Started) > starterFirst) {
			m.adopt(ctx, id, text)
		}
	}
}

// started reports whether the query's record is there now.
func (q *query) started(ctx context.Context) bool {
	all, err := q.m.o.Records.Load(ctx)
	return err != nil || len(all[q.id]) > 0
}

// adopt runs a query from its record, if nobody else does.
func (m *Manager) adopt(ctx context.Context, id string, text []byte) {
	claimed, err := m.o.Records.Claim(ctx, id)
	if err != nil || !claimed {
		return
	}
	q, err := m.restore(ctx, text)
	if err == nil {
		m.o.Log.Info("a streaming query goes on here", "id", id, "run", q.runID)
		m.begin(q)
		return
	}
	if errs.Is(err, errs.Transient) || errs.Is(err, errs.Lost) || ctx.Err() != nil {
		_ = m.o.Records.Release(ctx, id) // tried again at the next look
		return
	}
	m.o.Log.Error("a streaming query cannot go on and is dropped", "id", id, "error", err)
	if q != nil {
		q.end(err)
	} else if err := m.o.Records.Remove(ctx, id, false); err != nil {
		m.o.Log.Warn("remove the record of a streaming query", "id", id, "error", err)
	}
}

// restore makes a query of its record. With an error it gives the query too if there is one to end.
func (m *Manager) restore(ctx context.Context, text []byte) (*query, error) {
	r, n, err := decodeRecord(text)
	if err != nil {
		return nil, err
	}
	q := m.newQuery(m.o.Sessions.Detached(r.User, r.Conf, r.Namespace), n)
	q.id, q.runID, q.name, q.trigger, q.mode, q.record, q.recovered = r.ID, r.RunID, r.Name, r.Trigger, r.Sink.Mode, r, true
	q.owner = session.Key{User: r.User, ID: r.Session}
	if err := q.openSink(q.session, r.Sink, nil); err != nil {
		return nil, err
	}
	if q.log, err = m.checkpoint(r.Checkpoint); err != nil {
		return nil, err
	}
	if _, err := q.analyze(ctx); err != nil {
		return q, err
	}
	return q, nil
}
