package session

import (
	"maps"
	"reflect"
	"strings"
	"sync"
	"time"

	"millrace/errs"
	"millrace/plan"
)

// Key names a session: ids are the client's own, so that two users may choose the same.
type Key struct{ User, ID string }

// Session is one user's state. It is safe for concurrent use.
type Session struct {
	Key
	ServerID string // made by the server: a client that sees another knows that its state is gone
	Conf     *Conf
	Started  time.Time

	engine   Engine
	catalog  Catalog
	globals  *views
	views    *views
	activity *Activity

	mu        sync.Mutex
	namespace []string
	frames    map[string]plan.Node
	operation map[string]*Operation
	finished  []string // ids of operations whose record is kept, oldest first
	lastUsed  time.Time
	closed    bool
	kept      map[string]any // by Kept
	objects   objects
	closers   []func() // called when the session ends

	Artifacts *Artifacts
}

// views is a set of temporary views by lower-case name.
type views struct {
	mu    sync.RWMutex
	plans map[string]plan.Node
	about map[string]ViewInfo
}

// ViewInfo is what is known of a temporary view besides its plan. Without Text it was not made of SQL.
type ViewInfo struct {
	Name, Text, Comment, Collation string
	Within                         string   // the current schema when it was made
	Query                          []string // the names of its query's columns
	Created                        time.Time
}

func newViews() *views { return &views{plans: map[string]plan.Node{}, about: map[string]ViewInfo{}} }

func (v *views) get(name string) (plan.Node, bool) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	n, ok := v.plans[strings.ToLower(name)]
	return n, ok
}

func (v *views) put(info ViewInfo, n plan.Node, replace bool) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	key := strings.ToLower(info.Name)
	if _, there := v.plans[key]; there && !replace {
		return false
	}
	v.plans[key], v.about[key] = n, info
	return true
}

func (v *views) drop(name string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	key := strings.ToLower(name)
	_, there := v.plans[key]
	delete(v.plans, key)
	delete(v.about, key)
	return there
}

// rename reports whether the new name was free.
func (v *views) rename(from, to string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	old, key := strings.ToLower(from), strings.ToLower(to)
	if _, taken := v.plans[key]; taken {
		return false
	}
	info := v.about[old]
	info.Name = to
	v.plans[key], v.about[key] = v.plans[old], info
	delete(v.plans, old)
	delete(v.about, old)
	return true
}

func (v *views) list() []string {
	v.mu.RLock()
	defer v.mu.RUnlock()
	names := make([]string, 0, len(v.plans))
	for key := range v.plans {
		names = append(names, key)
	}
	return names
}

func (v *views) clone() *views {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return &views{plans: maps.Clone(v.plans), about: maps.Clone(v.about)}
}

// GlobalNamespace is the schema in which global temporary views live.
const GlobalNamespace = "global_temp"

// View finds a temporary view by its name's parts: the plan that its name stands for.
func (s *Session) View(parts []string) (plan.Node, bool) {
	switch {
	case len(parts) == 1:
		return s.views.get(parts[0])
	case len(parts) == 2 && strings.EqualFold(parts[0], GlobalNamespace):
		return s.globals.get(parts[1])
	}
	return nil, false
}

// ViewInfo is what is known of a temporary view besides its plan.
func (s *Session) ViewInfo(parts []string) (ViewInfo, bool) {
	v := s.views
	if len(parts) == 2 && strings.EqualFold(parts[0], GlobalNamespace) {
		v, parts = s.globals, parts[1:]
	}
	if len(parts) != 1 {
		return ViewInfo{}, false
	}
	v.mu.RLock()
	defer v.mu.RUnlock()
	info, ok := v.about[strings.ToLower(parts[0])]
	return info, ok
}

// CreateView names a plan. Temporary views in it are replaced by what they stand for now, as Spark does, so that a
// view may be redefined in terms of itself; tables stay names and are read as they are when the view is.
func (s *Session) CreateView(info ViewInfo, n plan.Node, global, replace bool) error {
	n, err := s.inlineViews(n, nil)
	if err != nil {
		return err
	}
	target := s.views
	if global {
		target = s.globals
	}
	if old, ok := target.get(info.Name); ok && replace && !reflect.DeepEqual(old, n) {
		s.uncacheView(old)
	}
	info.Created, info.Within = time.Now(), strings.Join(s.Namespace(), ".")
	if !target.put(info, n, replace) {
		return errs.New("TEMP_TABLE_OR_VIEW_ALREADY_EXISTS", "relationName", "`"+info.Name+"`")
	}
	return nil
}

// DropView removes a temporary view and reports whether it was there.
func (s *Session) DropView(name string, global bool) bool {
	target := s.views
	if global {
		target = s.globals
	}
	if old, ok := target.get(name); ok {
		s.uncacheView(old)
	}
	return target.drop(name)
}

// Views lists the temporary views' names, and the global ones'.
func (s *Session) Views() (local, global []string) { return s.views.list(), s.globals.list() }

// Inline replaces temporary views in a plan by what they stand for now.
func (s *Session) Inline(n plan.Node) (plan.Node, error) { return s.inlineViews(n, nil) }

// Streaming reports whether a plan reads a streaming source, by itself or through a temporary view.
func (s *Session) Streaming(n plan.Node) bool {
	inlined, err := s.inlineViews(n, nil)
	return err == nil && plan.IsStreaming(inlined)
}

func (s *Session) inlineViews(n plan.Node, hidden map[string]bool) (plan.Node, error) {
	switch n := n.(type) {
	case *plan.UnresolvedRelation:
		if len(n.Parts) == 1 && hidden[strings.ToLower(n.Parts[0])] || n.Travel != nil {
			return n, nil
		}
		if v, ok := s.View(n.Parts); ok {
			return &plan.SubqueryAlias{Input: v, Name: n.Parts[len(n.Parts)-1:]}, nil
		}
		return n, nil
	case *plan.With:
		inner := map[string]bool{}
		for name := range hidden {
			inner[name] = true
		}
		for _, cte := range n.CTEs {
			inner[strings.ToLower(cte.Name)] = true
		}
		hidden = inner
	}
	return mapInputs(n, func(c plan.Node) (plan.Node, error) { return s.inlineViews(c, hidden) })
}

// mapInputs rebuilds a node over f of its inputs and of the plans inside its expressions.
func mapInputs(n plan.Node, f func(plan.Node) (plan.Node, error)) (plan.Node, error) {
	children := n.Children()
	fresh := make([]plan.Node, len(children))
	changed := false
	for i, c := range children {
		var err error
		if fresh[i], err = f(c); err != nil {
			return nil, err
		}
		changed = changed || fresh[i] != c
	}
	if changed {
		n = n.WithChildren(fresh)
	}
	return plan.MapExprs(n, func(e plan.Expr) (plan.Expr, error) {
		return plan.TransformExpr(e, func(e plan.Expr) (plan.Expr, error) {
			q, ok := e.(*plan.Subquery)
			if !ok || q.Plan == nil {
				return e, nil
			}
			p, err := f(q.Plan)
			if err != nil || p == q.Plan {
				return e, err
			}
			inner := *q
			inner.Plan = p
			return &inner, nil
		})
	})
}

// Namespace is the current schema, as parts of a name.
func (s *Session) Namespace() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.namespace...)
}

// SetNamespace changes the current schema.
func (s *Session) SetNamespace(parts []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.namespace = append([]string(nil), parts...)
}

// Catalog is the cluster's catalog, or nil.
func (s *Session) Catalog() Catalog { return s.catalog }

// Engine is what runs the session's plans.
func (s *Session) Engine() Engine { return s.engine }

// KeepFrame stores a plan that the client will refer to by id.
func (s *Session) KeepFrame(id string, n plan.Node) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.frames[id] = n
}

// Frame is the plan kept under an id.
func (s *Session) Frame(id string) (plan.Node, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n, ok := s.frames[id]; ok {
		return n, nil
	}
	return nil, errs.New("CONNECT_INVALID_PLAN.DATAFRAME_NOT_FOUND", "dfId", id, "sessionId", s.ID)
}

// DropFrame forgets a kept plan.
func (s *Session) DropFrame(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.frames, id)
}
