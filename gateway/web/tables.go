package web

import (
	"net/http"

	"millrace/errs"
	"millrace/session"
	"millrace/sql"
	"millrace/types"
)

// Column is a column of a table.
type Column struct {
	Name      string `json:"name"`
	Type      string `json:"type"` // as DDL writes it
	Nullable  bool   `json:"nullable"`
	Partition bool   `json:"partition"`
}

// Described is a table with its columns.
type Described struct {
	Table
	Columns []Column `json:"columns"`
}

// resolve finds the table that a request names, and for a Delta table its newest version.
func (s *Server) resolve(r *http.Request) (Table, error) {
	name, path := r.FormValue("name"), r.FormValue("path")
	t := Table{Kind: "PATH", Format: "delta", Location: path}
	switch {
	case name != "":
		parts, err := sql.ParseIdentifier(name)
		if err != nil {
			return t, err
		}
		if t, err = s.o.Tables.Find(r.Context(), parts); err != nil {
			return t, err
		}
	case path == "":
		return t, errs.Newf(errs.Invalid, "Say which table: ?name=TABLE or ?path=PLACE of a Delta table.")
	}
	if t.Format == "delta" {
		var err error
		if t.Detail, err = s.o.Tables.Detail(r.Context(), t.Location); err != nil {
			return t, err
		}
	}
	return t, nil
}

// source is how SQL text names the table: a Delta table by its place, of which a version may be asked for.
func (t Table) source() string {
	if t.Format == "delta" {
		return "delta." + types.Quote(t.Location)
	}
	return types.QuoteParts(t.Namespace, t.Name)
}

func (s *Server) schema(r *http.Request, t Table) (*types.Type, error) {
	if t.Detail != nil {
		return t.Detail.Schema, nil
	}
	return s.o.Reader.Schema(r.Context(), "SELECT * FROM "+t.source())
}

func (s *Server) getTable(r *http.Request) (any, error) {
	t, err := s.resolve(r)
	if err != nil {
		return nil, err
	}
	schema, err := s.schema(r, t)
	if err != nil {
		return nil, err
	}
	d := Described{Table: t, Columns: []Column{}}
	for _, f := range schema.Fields {
		c := Column{Name: f.Name, Type: f.Type.String(), Nullable: f.Nullable}
		if t.Detail != nil {
			for _, p := range t.Detail.PartitionBy {
				c.Partition = c.Partition || p == f.Name
			}
		}
		d.Columns = append(d.Columns, c)
	}
	return d, nil
}

func (s *Server) getHistory(r *http.Request) (any, error) {
	t, err := s.resolve(r)
	if err != nil {
		return nil, err
	}
	commits := []Commit{}
	if t.Detail != nil {
		found, err := s.o.Tables.History(r.Context(), t.Location, parseLimit(r.FormValue("limit"), shownCommits, 1000))
		if err != nil {
			return nil, err
		}
		commits = append(commits, found...)
	}
	return map[string]any{"commits": commits}, nil
}

// Sample is some rows of a table, as text.
type Sample struct {
	Columns []string   `json:"columns"`
	Rows    [][]string `json:"rows"`
	More    bool       `json:"more"`
}

func (s *Server) getRows(r *http.Request) (any, error) {
	t, err := s.resolve(r)
	if err != nil {
		return nil, err
	}
	rows, err := s.o.Reader.Fetch(r.Context(), "SELECT * FROM "+t.source(), parseLimit(r.FormValue("limit"), 20, 1000))
	if err != nil {
		return nil, err
	}
	return sampleOf(rows), nil
}

func sampleOf(t *session.Table) Sample {
	s := Sample{Columns: t.Columns, Rows: t.Rows, More: t.More}
	if s.Rows == nil {
		s.Rows = [][]string{}
	}
	return s
}
