package engine

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"sync"

	"millrace/plan"
	"millrace/session"
	"millrace/storage"
	"millrace/table"
	"millrace/table/deltatable"
)

// Keeper is a Runner whose workers keep the rows of cached frames.
type Keeper interface {
	Runner
	// Usable reports whether a worker, as Placed names it, is there and takes tasks.
	Usable(worker string) bool
	// Forget has the workers drop the blocks of a filling.
	Forget(id string)
}

// Placed is Rows whose tasks' workers are known once Next has given nil.
type Placed interface {
	Rows
	// Worker is where the given task of the last stage has run, for TaskInput.Worker of later queries.
	Worker(task int) string
}

// frames are what sessions have cached.
type frames struct {
	keeper Keeper // nil: marks are kept, rows are not

	mu       sync.Mutex
	sessions map[*session.Session]map[string]*frame // by fingerprint
	filled   int64                                  // fillings so far, also partial ones
}

func newFrames(r Runner) *frames {
	k, _ := r.(Keeper)
	return &frames{keeper: k, sessions: map[*session.Session]map[string]*frame{}}
}

// of lists a session's frames by fingerprint.
func (c *frames) of(s *session.Session) map[string]*frame {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make(map[string]*frame, len(c.sessions[s]))
	for print, f := range c.sessions[s] {
		all[print] = f
	}
	return all
}

// add lists a frame unless there is one of its fingerprint, and has it end with the session.
func (c *frames) add(s *session.Session, print string, f *frame) {
	c.mu.Lock()
	known := c.sessions[s] != nil
	if !known {
		c.sessions[s] = map[string]*frame{}
	}
	if c.sessions[s][print] == nil {
		c.sessions[s][print] = f
	}
	c.mu.Unlock()
	if !known {
		s.OnClose(func() { c.clear(s) })
	}
}

// remove forgets a frame.
func (c *frames) remove(s *session.Session, print string) {
	c.mu.Lock()
	f := c.sessions[s][print]
	delete(c.sessions[s], print)
	c.mu.Unlock()
	if f != nil {
		f.end()
	}
}

// clear forgets what a session has cached.
func (c *frames) clear(s *session.Session) {
	c.mu.Lock()
	all := c.sessions[s]
	delete(c.sessions, s)
	c.mu.Unlock()
	for _, f := range all {
		f.end()
	}
}

// written forgets the rows, not the marks, of all sessions' frames that read below a place.
func (c *frames) written(place string) {
	place = placeOf(place)
	c.mu.Lock()
	var hit []*frame
	for _, all := range c.sessions {
		for _, f := range all {
			if f.reads(place) {
				hit = append(hit, f)
			}
		}
	}
	c.mu.Unlock()
	for _, f := range hit {
		f.drop()
	}
}

// gone forgets all sessions' frames that read a table which is dropped.
func (c *frames) gone(place string) {
	place = placeOf(place)
	c.mu.Lock()
	var hit []*frame
	for _, all := range c.sessions {
		for print, f := range all {
			if f.reads(place) {
				hit = append(hit, f)
				delete(all, print)
			}
		}
	}
	c.mu.Unlock()
	for _, f := range hit {
		f.end()
	}
}

// placeOf is a path or URL in the one form in which places are compared.
func placeOf(path string) string {
	if st, err := storage.Open(path); err == nil {
		path = st.URL()
	}
	return strings.TrimSuffix(path, "/")
}

// placesOf is where a relation reads what may be written again; versions of the past are not.
func placesOf(n plan.Node) []string {
	var out []string
	plan.Walk(n, func(n plan.Node) bool {
		if s, ok := n.(*plan.Scan); ok {
			switch t := s.Table.(type) {
			case *deltatable.Table:
				if !t.Pinned {
					out = append(out, placeOf(t.Log.URL()))
				}
			case *table.Source:
				for _, p := range t.Paths() {
					out = append(out, placeOf(p))
				}
			case *resident:
				out = append(out, t.frame.places...)
			}
		}
		return true
	})
	return out
}

// fingerprint names what a relation computes in this session; empty if that cannot be told.
func (st *statement) fingerprint(n plan.Node) string {
	return st.named(plan.NewFingerprints(tableName).Of(n))
}

// named adds to a fingerprint what else rows depend on.
func (st *statement) named(print string) string {
	if print == "" {
		return ""
	}
	return st.settings.TimeZone + " " + print
}

// tableName names what a scan reads: the newest version of a table is the same table whatever its number is.
func tableName(t plan.Table) string {
	switch t := t.(type) {
	case *deltatable.Table:
		if t.Private {
			return fmt.Sprintf("private %p", t)
		}
		name := "delta " + placeOf(t.Log.URL())
		if t.Pinned {
			name += " @" + itoa(t.Snapshot.Version)
		}
		return name
	case *table.Source:
		return t.Identity()
	case *resident:
		return "frame " + t.frame.id
	}
	return "unknown " + t.Name()
}

// withCached puts what is cached in the place of the sub-plans that it is equal to, the largest first. except is a frame that is
// being filled. What is cached is not what a transaction sees, and may be older than the version of a table from which the commit of a statement
// that writes to it is judged.
func (st *statement) withCached(n plan.Node, except *frame) (plan.Node, error) {
	if st.e.frames.keeper == nil || st.transaction() != nil {
		return n, nil
	}
	all := st.e.frames.of(st.s)
	if len(all) == 0 {
		return n, nil
	}
	if st.writing != "" {
		place := placeOf(st.writing)
		maps.DeleteFunc(all, func(_ string, f *frame) bool { return f.reads(place) })
	}
	r := &replacer{st: st, all: all, except: except, prints: plan.NewFingerprints(tableName)}
	return r.node(n)
}

// replacer puts scans of frames in the place of relations.
type replacer struct {
	st     *statement
	all    map[string]*frame // by fingerprint
	except *frame
	prints *plan.Fingerprints
}

func (r *replacer) node(n plan.Node) (plan.Node, error) {
	k, ok := n.(plan.Resolved)
	if !ok {
		return n, nil
	}
	if f := r.all[r.st.named(r.prints.Of(n))]; f != nil && f != r.except && !isScanOf(n, f) {
		return f.scan(k), nil
	}
	old := n.Children()
	fresh, changed := make([]plan.Node, len(old)), false
	for i, c := range old {
		m, err := r.node(c)
		if err != nil {
			return nil, err
		}
		fresh[i], changed = m, changed || m != c
	}
	if changed {
		n = n.WithChildren(fresh)
	}
	return plan.MapExprs(n, func(e plan.Expr) (plan.Expr, error) { return plan.TransformExpr(e, r.subquery) })
}

// subquery looks into a plan inside an expression.
func (r *replacer) subquery(e plan.Expr) (plan.Expr, error) { return plan.MapSubquery(e, r.node) }

func isScanOf(n plan.Node, f *frame) bool {
	s, ok := n.(*plan.Scan)
	if !ok {
		return false
	}
	r, ok := s.Table.(*resident)
	return ok && r.frame == f
}

// Persist implements session.Cacher.
func (e *Engine) Persist(ctx context.Context, s *session.Session, n plan.Node, l session.StorageLevel) error {
	st, resolved, err := e.resolved(ctx, s, n)
	if err != nil || !l.Keeps() {
		return err
	}
	if print := st.fingerprint(resolved); print != "" {
		e.frames.add(s, print, newFrame(e.frames, resolved, l))
	}
	return nil
}

// Unpersist implements session.Cacher.
func (e *Engine) Unpersist(ctx context.Context, s *session.Session, n plan.Node) error {
	if len(e.frames.of(s)) == 0 && !byName(n) {
		return nil
	}
	st, resolved, err := e.resolved(ctx, s, n)
	if err == nil {
		e.frames.remove(s, st.fingerprint(resolved))
	}
	return err
}

// byName reports whether a relation is a mere name, which has to be there.
func byName(n plan.Node) bool {
	_, ok := n.(*plan.UnresolvedRelation)
	return ok
}

// StorageLevel implements session.Cacher.
func (e *Engine) StorageLevel(ctx context.Context, s *session.Session, n plan.Node) (session.StorageLevel, error) {
	st, resolved, err := e.resolved(ctx, s, n)
	if err != nil {
		return session.NoLevel, err
	}
	if f := e.frames.of(s)[st.fingerprint(resolved)]; f != nil {
		return f.level, nil
	}
	return session.NoLevel, nil
}

// Refresh implements session.Cacher.
func (e *Engine) Refresh(ctx context.Context, s *session.Session, n plan.Node) error {
	_, resolved, err := e.resolved(ctx, s, n)
	if err != nil {
		return err
	}
	for _, place := range placesOf(resolved) {
		e.frames.written(place)
	}
	return nil
}

// RefreshPath implements session.Cacher.
func (e *Engine) RefreshPath(_ *session.Session, path string) { e.frames.written(path) }

// ClearCache implements session.Cacher.
func (e *Engine) ClearCache(s *session.Session) { e.frames.clear(s) }

func (e *Engine) resolved(ctx context.Context, s *session.Session, n plan.Node) (*statement, plan.Node, error) {
	st := e.statement(ctx, s)
	resolved, err := st.analyze(n)
	return st, resolved, err
}
