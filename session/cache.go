package session

import (
	"context"
	"fmt"
	"strings"

	"millrace/errs"
	"millrace/plan"
)

// StorageLevel is where a cached frame is to be kept, as Spark's users say it.
type StorageLevel struct {
	Disk, Memory, OffHeap, Deserialized bool
	Replication                         int
}

// DefaultLevel is df.cache()'s.
var DefaultLevel = StorageLevel{Disk: true, Memory: true, Deserialized: true, Replication: 1}

// NoLevel is that of a frame that is not cached.
var NoLevel = StorageLevel{Replication: 1}

// Keeps reports whether a frame of this level is kept at all.
func (l StorageLevel) Keeps() bool { return l.Disk || l.Memory }

func (l StorageLevel) String() string {
	var parts []string
	for _, p := range []struct {
		on   bool
		name string
	}{{l.Disk, "disk"}, {l.Memory, "memory"}, {l.OffHeap, "offheap"}, {l.Deserialized, "deserialized"}} {
		if p.on {
			parts = append(parts, p.name)
		}
	}
	return fmt.Sprintf("StorageLevel(%s, %d replicas)", strings.Join(parts, ", "), l.Replication)
}

var levels = map[string]StorageLevel{
	"NONE":                  {false, false, false, false, 1},
	"DISK_ONLY":             {true, false, false, false, 1},
	"DISK_ONLY_2":           {true, false, false, false, 2},
	"DISK_ONLY_3":           {true, false, false, false, 3},
	"MEMORY_ONLY":           {false, true, false, true, 1},
	"MEMORY_ONLY_2":         {false, true, false, true, 2},
	"MEMORY_ONLY_SER":       {false, true, false, false, 1},
	"MEMORY_ONLY_SER_2":     {false, true, false, false, 2},
	"MEMORY_AND_DISK":       {true, true, false, true, 1},
	"MEMORY_AND_DISK_2":     {true, true, false, true, 2},
	"MEMORY_AND_DISK_SER":   {true, true, false, false, 1},
	"MEMORY_AND_DISK_SER_2": {true, true, false, false, 2},
	"OFF_HEAP":              {true, true, true, false, 1},
}

// ParseLevel is the level that CACHE TABLE … OPTIONS ('storageLevel' = '…') names.
func ParseLevel(name string) (StorageLevel, error) {
	l, ok := levels[strings.ToUpper(name)]
	if !ok {
		return l, errs.Newf(errs.Invalid, "Invalid StorageLevel: %s", name)
	}
	return l, nil
}

// Cacher is an Engine that keeps frames. What is kept belongs to a session and ends with it.
type Cacher interface {
	Engine
	// Persist marks a relation, whose rows are then kept when a query first needs them. A relation that is marked stays as it is.
	Persist(ctx context.Context, s *Session, n plan.Node, l StorageLevel) error
	// Unpersist forgets a relation and its rows; nothing happens where it is not kept.
	Unpersist(ctx context.Context, s *Session, n plan.Node) error
	// StorageLevel is that of a relation, or NoLevel.
	StorageLevel(ctx context.Context, s *Session, n plan.Node) (StorageLevel, error)
	// Refresh forgets the rows, and not the marks, of all relations that read what n reads.
	Refresh(ctx context.Context, s *Session, n plan.Node) error
	// RefreshPath forgets the rows of all relations that read files below a path.
	RefreshPath(s *Session, path string)
	// ClearCache forgets everything that the session keeps.
	ClearCache(s *Session)
}

func (s *Session) cacher() (Cacher, error) {
	c, ok := s.engine.(Cacher)
	if !ok {
		return nil, errs.Unsupportedf("Caching is not supported here.")
	}
	return c, nil
}

// Persist is df.persist.
func (s *Session) Persist(ctx context.Context, n plan.Node, l StorageLevel) error {
	c, err := s.cacher()
	if err != nil {
		return err
	}
	if n, err = s.settle(ctx, n); err != nil {
		return err
	}
	return c.Persist(ctx, s, n, l)
}

// Unpersist is df.unpersist.
func (s *Session) Unpersist(ctx context.Context, n plan.Node) error {
	c, err := s.cacher()
	if err != nil {
		return err
	}
	if n, err = s.settle(ctx, n); err != nil {
		return err
	}
	return c.Unpersist(ctx, s, n)
}

// StorageLevel is df.storageLevel.
func (s *Session) StorageLevel(ctx context.Context, n plan.Node) (StorageLevel, error) {
	c, err := s.cacher()
	if err != nil {
		return NoLevel, err
	}
	if n, err = s.settle(ctx, n); err != nil {
		return NoLevel, err
	}
	return c.StorageLevel(ctx, s, n)
}

// OnClose has f called when the session ends, or now if it has.
func (s *Session) OnClose(f func()) {
	s.mu.Lock()
	closed := s.closed
	if !closed {
		s.closers = append(s.closers, f)
	}
	s.mu.Unlock()
	if closed {
		f()
	}
}

// uncacheView forgets the rows of a view that goes.
func (s *Session) uncacheView(n plan.Node) {
	if c, ok := s.engine.(Cacher); ok {
		_ = c.Unpersist(context.Background(), s, n) // one that cannot be resolved any more is not kept
	}
}

// cache carries out CACHE TABLE, UNCACHE TABLE, CLEAR CACHE and REFRESH.
func (s *Session) cache(ctx context.Context, c *plan.Cache) (Result, error) {
	k, err := s.cacher()
	if err != nil {
		return nil, err
	}
	switch c.Kind {
	case "clear":
		k.ClearCache(s)
	case "refresh":
		err = s.refresh(ctx, k, c.Name)
	case "uncache":
		err = k.Unpersist(ctx, s, &plan.UnresolvedRelation{Parts: c.Name, Origin: c.Origin})
		if c.IfExists && errs.ConditionOf(err) == "TABLE_OR_VIEW_NOT_FOUND" {
			err = nil
		}
	default:
		err = s.cacheTable(ctx, k, c)
	}
	if err != nil {
		return nil, err
	}
	return none()
}

// refresh is REFRESH TABLE, and REFRESH 'path'.
func (s *Session) refresh(ctx context.Context, k Cacher, name []string) error {
	if len(name) == 1 && strings.ContainsAny(name[0], "/:") {
		k.RefreshPath(s, name[0])
		return nil
	}
	return k.Refresh(ctx, s, &plan.UnresolvedRelation{Parts: name})
}

func (s *Session) cacheTable(ctx context.Context, k Cacher, c *plan.Cache) error {
	level := DefaultLevel
	for name, v := range c.Options {
		if strings.EqualFold(name, "storageLevel") {
			var err error
			if level, err = ParseLevel(v); err != nil {
				return err
			}
		}
	}
	n := plan.Node(&plan.UnresolvedRelation{Parts: c.Name, Origin: c.Origin})
	if c.Query != nil {
		if len(c.Name) != 1 {
			return errs.New("TEMP_VIEW_NAME_TOO_MANY_NAME_PARTS", "actualName", strings.Join(c.Name, "."))
		}
		if _, err := s.engine.Analyze(ctx, s, c.Query); err != nil {
			return err
		}
		if err := s.CreateView(ViewInfo{Name: c.Name[0]}, c.Query, false, false); err != nil {
			return err
		}
	}
	if err := k.Persist(ctx, s, n, level); err != nil || c.Lazy {
		return err
	}
	return s.drain(ctx, n)
}

// drain runs a relation's count, upon which its rows are kept.
func (s *Session) drain(ctx context.Context, n plan.Node) error {
	count := &plan.Aggregate{Input: n, Exprs: []plan.Expr{plan.Fn("count", plan.Int(1))}}
	r, err := s.engine.Execute(ctx, s, count)
	if err != nil {
		return err
	}
	defer r.Close()
	for {
		rec, err := r.Next(ctx)
		if err != nil || rec == nil {
			return err
		}
		rec.Release()
	}
}

// Text is the level as an argument of a catalog call; LevelOf reads it.
func (l StorageLevel) Text() string {
	return fmt.Sprint(l.Disk, " ", l.Memory, " ", l.OffHeap, " ", l.Deserialized, " ", l.Replication)
}

// LevelOf reads Text; without one it is the default level.
func LevelOf(text string) StorageLevel {
	var l StorageLevel
	if _, err := fmt.Sscan(text, &l.Disk, &l.Memory, &l.OffHeap, &l.Deserialized, &l.Replication); err != nil {
		return DefaultLevel
	}
	return l
}

// cacheCall is a call of the catalog API that caches, or ends that. Calls mark only: rows are kept when they are first needed.
func (s *Session) cacheCall(ctx context.Context, op string, name []string, args map[string]any) (Result, error) {
	k, err := s.cacher()
	if err != nil {
		return nil, err
	}
	text := func(key string) string { v, _ := args[key].(string); return v }
	n := &plan.UnresolvedRelation{Parts: name}
	switch op {
	case "cacheTable":
		err = k.Persist(ctx, s, n, LevelOf(text("level")))
	case "uncacheTable":
		err = k.Unpersist(ctx, s, n)
	case "clearCache":
		k.ClearCache(s)
	case "refreshTable":
		err = k.Refresh(ctx, s, n)
	case "refreshByPath":
		k.RefreshPath(s, text("path"))
	}
	if err != nil {
		return nil, err
	}
	return done()
}

// isCached answers spark.catalog.isCached.
func (s *Session) isCached(ctx context.Context, name []string) (Result, error) {
	k, err := s.cacher()
	if err != nil {
		return nil, err
	}
	l, err := k.StorageLevel(ctx, s, &plan.UnresolvedRelation{Parts: name})
	if err != nil {
		return nil, err
	}
	return one(l.Keeps())
}

// Materializer is an Engine that keeps the rows of one relation for many plans over it.
type Materializer interface {
	Engine
	// Materialize runs a relation and keeps its rows on the workers until release is called. The frame is a leaf for plans of the session.
	Materialize(ctx context.Context, s *Session, n plan.Node) (frame plan.Resolved, release func(), err error)
}

// Materialize keeps a relation's rows for plans that read them many times. Where the engine keeps none, the frame is the relation itself.
func (s *Session) Materialize(ctx context.Context, n plan.Node) (frame plan.Node, release func(), err error) {
	m, ok := s.engine.(Materializer)
	if !ok {
		return n, func() {}, nil
	}
	if n, err = s.settle(ctx, n); err != nil {
		return nil, nil, err
	}
	return m.Materialize(ctx, s, n)
}
