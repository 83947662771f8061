package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html/template"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed static/*.js static/*.css static/*.svg
var files embed.FS

//go:embed templates/*.html
var templates embed.FS

//go:embed openapi.json
var openapi []byte

var shells = parseShells("overview", "table", "query", "login")

func parseShells(names ...string) map[string]*template.Template {
	all := map[string]*template.Template{}
	for _, n := range names {
		all[n] = template.Must(template.ParseFS(templates, "templates/layout.html", "templates/"+n+".html"))
	}
	return all
}

// render writes a page's shell; scripts fill it.
func (s *Server) render(w http.ResponseWriter, status int, name string, data map[string]any) {
	data["Version"], data["Address"], data["Guarded"] = s.o.Version, s.o.Address, s.o.Token != ""
	var b bytes.Buffer
	if err := shells[name].ExecuteTemplate(&b, "layout", data); err != nil {
		s.o.Log.Error("cannot render the page", "page", name, "error", err)
		http.Error(w, "the page cannot be rendered", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // the browser has gone
}

func (s *Server) pages() []route {
	return []route{{"GET /{$}", s.overviewPage}, {"GET /table", s.tablePage}, {"GET /query", s.queryPage}}
}

func (s *Server) overviewPage(w http.ResponseWriter, _ *http.Request) {
	s.render(w, http.StatusOK, "overview", map[string]any{"Title": "Cluster", "Script": "overview"})
}

func (s *Server) tablePage(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 30*time.Second)
	defer cancel()
	t, err := s.resolve(r.WithContext(ctx))
	heading := t.Name
	if heading == "" {
		heading = path.Base(strings.TrimRight(t.Location, "/"))
	}
	if err != nil {
		heading = r.FormValue("name") + r.FormValue("path")
		s.render(w, statusFor(err), "table", map[string]any{"Title": "No table", "Heading": heading, "Problem": problem(err)})
		return
	}
	s.render(w, http.StatusOK, "table", map[string]any{"Title": heading, "Heading": heading, "Script": "table"})
}

func (s *Server) queryPage(w http.ResponseWriter, r *http.Request) {
	id := r.FormValue("id")
	if s.query(id) == nil {
		s.render(w, http.StatusNotFound, "query", map[string]any{"Title": "No query", "Problem": problem(noQuery(id))})
		return
	}
	s.render(w, http.StatusOK, "query", map[string]any{"Title": "Query", "Script": "query"})
}

// static are the files that every page loads; they say nothing about the cluster.
func (s *Server) static() []route {
	return []route{
		{"GET /static/{file}", func(w http.ResponseWriter, r *http.Request) { serveFile(w, r, r.PathValue("file")) }},
		{"GET /favicon.ico", func(w http.ResponseWriter, r *http.Request) { serveFile(w, r, "mark.svg") }},
	}
}

func serveFile(w http.ResponseWriter, r *http.Request, name string) {
	b, err := files.ReadFile("static/" + name)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	sum := sha256.Sum256(b)
	tag := `"` + hex.EncodeToString(sum[:8]) + `"`
	w.Header().Set("ETag", tag)
	w.Header().Set("Cache-Control", "no-cache")
	if strings.Contains(r.Header.Get("If-None-Match"), tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	kind := mime.TypeByExtension(path.Ext(name))
	if path.Ext(name) == ".js" {
		kind = "text/javascript; charset=utf-8"
	}
	w.Header().Set("Content-Type", kind)
	_, _ = w.Write(b) // the browser has gone
}

func (s *Server) description(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(openapi) // the browser has gone
}
