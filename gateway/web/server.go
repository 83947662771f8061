package web

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"time"

	"millrace/errs"
)

// Options are what the page shows and how it is guarded.
type Options struct {
	Version    string
	Address    string // host:port that clients use
	Token      string // what browsers must present too; empty lets everybody in
	Cluster    Cluster
	Operations Operations
	Tables     Tables
	Reader     Reader
	Streams    Streams // nil: none
	Jobs       Jobs    // nil: none
	Log        *slog.Logger
	Now        func() time.Time // nil: time.Now
}

// Server is the page. It is safe for concurrent use; Close ends its streams.
type Server struct {
	o       Options
	handler http.Handler
	feeds   feeds
	ctx     context.Context
	stop    context.CancelFunc
}

var _ http.Handler = (*Server)(nil)

// New makes the page.
func New(o Options) *Server {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{o: o, feeds: feeds{running: map[string]*feed{}}}
	s.ctx, s.stop = context.WithCancel(context.Background())
	s.handler = s.routes()
	return s
}

// Close ends all feeds, and returns when nothing of them is left.
func (s *Server) Close() {
	s.stop()
	s.feeds.group.Wait()
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// route is one thing that the server answers.
type route struct {
	pattern string // of http.ServeMux
	serve   http.HandlerFunc
}

func (s *Server) routes() http.Handler {
	mux, open := http.NewServeMux(), http.NewServeMux()
	for _, r := range append(s.api(), s.pages()...) {
		mux.HandleFunc(r.pattern, r.serve)
	}
	for _, r := range s.static() {
		open.HandleFunc(r.pattern, r.serve)
	}
	open.HandleFunc("GET /login", s.loginPage)
	open.HandleFunc("POST /login", s.login)
	open.Handle("/", s.guard(mux))
	return secure(http.NewCrossOriginProtection().Handler(open))
}

// policy lets a page load from here only, and run no script that stands in it.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func secure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("X-Frame-Options", "DENY")
		next.ServeHTTP(w, r)
	})
}

// api lists the routes below /api/v1; openapi.json describes each.
func (s *Server) api() []route {
	return []route{
		{"GET /api/v1/openapi.json", s.description},
		{"GET /api/v1/cluster", s.answer(func(r *http.Request) (any, error) { return s.cluster(), nil })},
		{"GET /api/v1/queries", s.answer(func(r *http.Request) (any, error) {
			return s.queries(parseLimit(r.FormValue("limit"), shownRecent, 500)), nil
		})},
		{"GET /api/v1/queries/{id}", s.answer(s.getQuery)},
		{"GET /api/v1/queries/{id}/events", s.queryEvents},
		{"POST /api/v1/queries/{id}/cancel", s.answer(s.cancelQuery)},
		{"GET /api/v1/streams", s.answer(func(r *http.Request) (any, error) { return s.streams(), nil })},
		{"GET /api/v1/jobs", s.answer(func(r *http.Request) (any, error) { return s.jobs(r.Context()) })},
		{"GET /api/v1/tables", s.answer(func(r *http.Request) (any, error) { return s.tables(r.Context()) })},
		{"GET /api/v1/table", s.answer(s.getTable)},
		{"GET /api/v1/table/history", s.answer(s.getHistory)},
		{"GET /api/v1/table/rows", s.answer(s.getRows)},
		{"GET /api/v1/table/picture", s.answer(s.getPicture)},
		{"GET /api/v1/table/events", s.tableEvents},
		{"GET /api/v1/events", s.events},
	}
}

var statusOf = map[errs.Kind]int{errs.Invalid: http.StatusBadRequest, errs.NotFound: http.StatusNotFound, errs.Unsupported: http.StatusBadRequest,
	errs.Unauthorized: http.StatusForbidden, errs.Transient: http.StatusServiceUnavailable, errs.Exhausted: http.StatusServiceUnavailable}

func statusFor(err error) int {
	if known := statusOf[errs.KindOf(err)]; known != 0 {
		return known
	}
	return http.StatusInternalServerError
}

// answer makes a handler of a function that gives what to write as JSON.
func (s *Server) answer(get func(r *http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 30*time.Second)
		defer cancel()
		v, err := get(r.WithContext(ctx))
		status := http.StatusOK
		if err != nil {
			status = statusFor(err)
			v = map[string]any{"error": problem(err)}
		}
		writeJSON(w, status, v)
	}
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the browser has gone
}

// encode is JSON of the page's own types, which always have some.
func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		b, _ = json.Marshal(map[string]any{"error": problem(err)})
	}
	return b
}
