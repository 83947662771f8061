package web

import (
	"context"
	"net/http"
	"time"

	"millrace/errs"
)

// Overview is the cluster in one look.
type Overview struct {
	Version string   `json:"version"`
	Address string   `json:"address"` // that clients connect to
	Leader  bool     `json:"leader"`
	Workers []Worker `json:"workers"`
	Totals  Totals   `json:"totals"`
}

// Totals are sums over the connected workers, and what runs.
type Totals struct {
	Workers    int   `json:"workers"`
	Slots      int   `json:"slots"`
	Running    int   `json:"running"` // tasks
	Memory     int64 `json:"memory"`
	MemoryUsed int64 `json:"memoryUsed"`
}

func (s *Server) cluster() Overview {
	o := Overview{Version: s.o.Version, Address: s.o.Address, Leader: s.o.Cluster.Leader(), Workers: s.o.Cluster.Workers()}
	if o.Workers == nil {
		o.Workers = []Worker{}
	}
	for _, w := range o.Workers {
		if w.State == "lost" {
			continue
		}
		o.Totals.Workers++
		o.Totals.Slots += w.Slots
		o.Totals.Running += w.Running
		o.Totals.Memory += w.Memory
		o.Totals.MemoryUsed += w.MemoryUsed
	}
	return o
}

func (s *Server) jobs(ctx context.Context) (any, error) {
	list := []Job{}
	if s.o.Jobs != nil {
		found, err := s.o.Jobs.Jobs(ctx)
		if err != nil {
			return nil, err
		}
		list = append(list, found...)
	}
	return map[string]any{"jobs": list}, nil
}

func (s *Server) tables(ctx context.Context) (any, error) {
	list, err := s.o.Tables.List(ctx)
	if list == nil {
		list = []Table{}
	}
	return map[string]any{"tables": list}, err
}

const (
	overviewEvery = 400 * time.Millisecond
	tablesEvery   = 2 * time.Second
)

// events streams the front page's documents.
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	s.serveFeed(w, r, "overview", s.watchOverview)
}

func (s *Server) watchOverview(ctx context.Context, b *board) {
	var nextTables time.Time
	for {
		b.post("cluster", "", encode(s.cluster()))
		b.post("queries", "", encode(s.queries(shownRecent)))
		b.post("streams", "", encode(s.streams()))
		s.postOr(ctx, b, "jobs", s.jobs)
		if now := time.Now(); now.After(nextTables) {
			s.postOr(ctx, b, "tables", s.tables)
			nextTables = now.Add(tablesEvery)
		}
		if !pause(ctx, overviewEvery) {
			return
		}
	}
}

// postOr posts what can be had; what fails for now leaves the last document where it is.
func (s *Server) postOr(ctx context.Context, b *board, name string, get func(context.Context) (any, error)) {
	v, err := get(ctx)
	if err != nil {
		if ctx.Err() == nil {
			s.o.Log.Warn("the page cannot show "+name, "error", err)
		}
		return
	}
	b.post(name, "", encode(v))
}

func noQuery(id string) error {
	return errs.Newf(errs.NotFound, "No query %s runs or has ended lately.", id)
}

func (s *Server) getQuery(r *http.Request) (any, error) {
	id := r.PathValue("id")
	if q := s.query(id); q != nil {
		return q, nil
	}
	return nil, noQuery(id)
}

func (s *Server) cancelQuery(r *http.Request) (any, error) {
	id := r.PathValue("id")
	if s.o.Operations.Cancel(id) || s.o.Cluster.Cancel(id) {
		return map[string]any{"cancelled": true}, nil
	}
	if s.query(id) == nil {
		return nil, noQuery(id)
	}
	return map[string]any{"cancelled": false}, nil
}

func (s *Server) queryEvents(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	if s.query(id) == nil {
		writeJSON(w, http.StatusNotFound, map[string]any{"error": problem(noQuery(id))})
		return
	}
	s.serveFeed(w, r, "query "+id, func(ctx context.Context, b *board) {
		for {
			if q := s.query(id); q != nil {
				b.post("query", "", encode(q))
			}
			if !pause(ctx, overviewEvery) {
				return
			}
		}
	})
}
