package web

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"millrace/types"
)

// Picture is a table summed up by a category.
type Picture struct {
	Version *int64     `json:"version,omitempty"` // of a Delta table
	Changed *time.Time `json:"changed,omitempty"` // when that version was committed
	Kind    string     `json:"kind"`              // map: by US state; bars: by something else; none: the table has no such columns
	By      string     `json:"by"`
	Value   string     `json:"value"` // the column that is summed up, or * for the number of rows
	Choices Choices    `json:"choices"`
	Total   float64    `json:"total"`  // of the groups
	Groups  []Group    `json:"groups"` // by value, the greatest first
	More    bool       `json:"more"`   // there are more groups
	Problem *Problem   `json:"problem,omitempty"`
}

// Group is a value of the category.
type Group struct {
	Key   *string  `json:"key"`   // null for the rows without one
	Value *float64 `json:"value"` // null when there is nothing to sum up
	Text  string   `json:"text"`  // the value exactly
}

const (
	shownGroups  = 200
	sampledRows  = 200
	shownCommits = 20
)

// choiceFor decides what a picture of the table shows.
func (s *Server) choiceFor(ctx context.Context, t Table, schema *types.Type, asked choice) (choice, error) {
	if asked.By != "" && asked.Value != "" {
		return choose(schema, asked, nil)
	}
	sample, err := s.o.Reader.Fetch(ctx, "SELECT * FROM "+t.source(), sampledRows)
	if err != nil {
		return asked, err
	}
	return choose(schema, asked, sample)
}

// draw sums the table up, at the version that its Detail has.
func (s *Server) draw(ctx context.Context, t Table, schema *types.Type, c choice) (*Picture, error) {
	p := &Picture{Kind: "none", By: c.By, Value: c.Value, Choices: choicesOf(schema), Groups: []Group{}}
	from := t.source()
	if t.Detail != nil {
		p.Version, p.Changed = &t.Detail.Version, &t.Detail.Changed
		from += fmt.Sprintf(" VERSION AS OF %d", t.Detail.Version)
	}
	if c.By == "" {
		return p, nil
	}
	value := "count(*)"
	if c.Value != countRows {
		value = "sum(" + types.Quote(c.Value) + ")"
	}
	text := fmt.Sprintf("SELECT CAST(k AS STRING) AS key, CAST(v AS STRING) AS value, k IS NULL AS nokey, v IS NULL AS novalue FROM (SELECT %s AS k, %s AS v FROM %s GROUP BY %[1]s) ORDER BY v DESC NULLS LAST, k",
		types.Quote(c.By), value, from)
	rows, err := s.o.Reader.Fetch(ctx, text, shownGroups)
	if err != nil {
		return nil, err
	}
	p.Kind, p.More = "bars", rows.More
	var keys []string
	for _, row := range rows.Rows {
		p.Groups = append(p.Groups, groupOf(row))
		if row[2] != "true" {
			keys = append(keys, row[0])
		}
		if v := p.Groups[len(p.Groups)-1].Value; v != nil {
			p.Total += *v
		}
	}
	if areStates(keys) {
		p.Kind = "map"
	}
	return p, nil
}

func groupOf(row []string) Group {
	g := Group{}
	if row[2] != "true" {
		g.Key = &row[0]
	}
	if row[3] == "true" {
		return g
	}
	g.Text = row[1]
	if v, err := strconv.ParseFloat(row[1], 64); err == nil && !math.IsInf(v, 0) && !math.IsNaN(v) {
		g.Value = &v
	}
	return g
}

func (s *Server) getPicture(r *http.Request) (any, error) {
	t, err := s.resolve(r)
	if err != nil {
		return nil, err
	}
	schema, err := s.schema(r, t)
	if err != nil {
		return nil, err
	}
	c, err := s.choiceFor(r.Context(), t, schema, choice{r.FormValue("by"), r.FormValue("value")})
	if err != nil {
		return nil, err
	}
	return s.draw(r.Context(), t, schema, c)
}

// tableEvents streams a table's picture and history, anew for each version.
func (s *Server) tableEvents(w http.ResponseWriter, r *http.Request) {
	t, err := s.resolve(r)
	var schema *types.Type
	if err == nil {
		schema, err = s.schema(r, t)
	}
	var c choice
	if err == nil {
		c, err = s.choiceFor(r.Context(), t, schema, choice{r.FormValue("by"), r.FormValue("value")})
	}
	if err != nil {
		s.answer(func(*http.Request) (any, error) { return nil, err })(w, r)
		return
	}
	name := fmt.Sprintf("table %q %q %q", t.source(), c.By, c.Value)
	s.serveFeed(w, r, name, func(ctx context.Context, b *board) {
		f := follower{s: s, t: t, asked: c, schema: schema, b: b}
		f.run(ctx)
	})
}

const (
	lookEvery  = time.Second            // for commits of writers outside of the cluster
	drawEvery  = 200 * time.Millisecond // at most
	plainEvery = 5 * time.Second        // tables without versions
)

// follower draws a table again and again while somebody looks.
type follower struct {
	s      *Server
	t      Table
	asked  choice
	schema *types.Type
	b      *board

	drawn   int64 // version of the picture; -1 before the first
	commits []Commit
}

func (f *follower) run(ctx context.Context) {
	f.drawn = -1
	var versions <-chan int64
	every := plainEvery
	if f.t.Detail != nil {
		every = lookEvery
		versions, _ = f.s.o.Tables.Watch(ctx, f.t.Location) // without it the clock has to do
	}
	look := time.NewTicker(every)
	defer look.Stop()
	for {
		begin := time.Now()
		f.look(ctx)
		took := time.Since(begin)
		if !pause(ctx, max(drawEvery-took, took)) { // the page takes at most half of one core's time
			return
		}
		select {
		case _, ok := <-versions:
			if !ok {
				versions = nil
			}
		case <-look.C:
		case <-ctx.Done():
			return
		}
	}
}

// look draws the table if it has changed. What goes wrong is shown and tried again.
func (f *follower) look(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := f.draw(ctx); err != nil && ctx.Err() == nil {
		f.b.post("picture", "", encode(&Picture{Kind: "none", Choices: choicesOf(f.schema), By: f.asked.By, Value: f.asked.Value, Groups: []Group{}, Problem: problem(err)}))
		f.drawn = -1
	}
}

func (f *follower) draw(ctx context.Context) error {
	if f.t.Detail == nil {
		p, err := f.s.draw(ctx, f.t, f.schema, f.asked)
		if err == nil {
			f.b.post("picture", "", encode(p))
			f.b.post("history", "", []byte(`{"commits":[]}`))
		}
		return err
	}
	d, err := f.s.o.Tables.Detail(ctx, f.t.Location)
	if err != nil || d.Version == f.drawn {
		return err
	}
	f.t.Detail, f.schema = d, d.Schema
	p, err := f.s.draw(ctx, f.t, f.schema, f.asked)
	if err != nil {
		return err
	}
	f.b.post("picture", strconv.FormatInt(d.Version, 10), encode(p))
	f.drawn = d.Version
	return f.history(ctx, d.Version)
}

// history reads the commits that are new.
func (f *follower) history(ctx context.Context, version int64) error {
	last := int64(-1)
	if len(f.commits) > 0 && f.commits[0].Version < version {
		last = f.commits[0].Version
	}
	fresh, err := f.s.o.Tables.History(ctx, f.t.Location, int(min(version-last, shownCommits)))
	if err != nil {
		return err
	}
	list := []Commit{}
	for _, c := range fresh {
		if c.Version > last {
			list = append(list, c)
		}
	}
	if last >= 0 {
		list = append(list, f.commits...)
	}
	f.commits = list[:min(len(list), shownCommits)]
	f.b.post("history", "", encode(map[string]any{"commits": f.commits}))
	return nil
}
