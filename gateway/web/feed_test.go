package web

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"millrace/errs"
)

// viewer is a browser's connection to a stream of events.
type viewer struct {
	t    *testing.T
	body *http.Response
	in   *bufio.Scanner
	id   string
}

func view(t *testing.T, server *httptest.Server, target string) *viewer {
	t.Helper()
	r, err := http.Get(server.URL + target)
	if err != nil {
		t.Fatal(err)
	}
	if kind := r.Header.Get("Content-Type"); kind != "text/event-stream" {
		t.Fatalf("%s is %s", target, kind)
	}
	t.Cleanup(func() { r.Body.Close() })
	return &viewer{t: t, body: r, in: bufio.NewScanner(r.Body)}
}

// next reads on to the next event of a name.
func (v *viewer) next(name string) []byte {
	v.t.Helper()
	event := ""
	for v.in.Scan() {
		field, value, _ := strings.Cut(v.in.Text(), ": ")
		switch {
		case field == "event":
			event = value
		case field == "id":
			v.id = value
		case field == "data" && event == name:
			return []byte(value)
		}
	}
	v.t.Fatalf("the stream ended before an event %s: %v", name, v.in.Err())
	return nil
}

// picture reads on until a picture satisfies.
func (v *viewer) picture(ok func(Picture) bool) Picture {
	v.t.Helper()
	for {
		var p Picture
		if err := json.Unmarshal(v.next("picture"), &p); err != nil {
			v.t.Fatal(err)
		}
		if ok(p) {
			return p
		}
	}
}

func at(version int64) func(Picture) bool {
	return func(p Picture) bool { return p.Version != nil && *p.Version == version && p.Problem == nil }
}

func TestTablePictureMoves(t *testing.T) {
	s, tables := page(t)
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	a, b := view(t, server, "/api/v1/table/events?name=loans"), view(t, server, "/api/v1/table/events?path=/lake/lo`ans")
	first := a.picture(at(0))
	if first.Kind != "map" || first.By != "addr_state" || first.Value != "count" || first.Total != 13.5 || len(first.Groups) != 4 ||
		*first.Groups[0].Key != "CA" || *first.Groups[0].Value != 10 || first.Groups[2].Key != nil || first.Groups[3].Value != nil {
		t.Errorf("%+v", first)
	}
	b.picture(at(0))
	if n := tables.aggregates(); n != 1 {
		t.Errorf("for two viewers the table was summed up %d times", n)
	}
	tables.commit()
	for _, v := range []*viewer{a, b} {
		if p := v.picture(at(1)); *p.Groups[0].Value != 11 || v.id != "1" {
			t.Errorf("version 1, id %s: %+v", v.id, p)
		}
		var h struct{ Commits []Commit }
		if err := json.Unmarshal(v.next("history"), &h); err != nil || len(h.Commits) != 2 || h.Commits[0].Version != 1 {
			t.Errorf("history %+v %v", h, err)
		}
	}
	late := view(t, server, "/api/v1/table/events?name=loans")
	late.picture(at(1))
	if n := tables.aggregates(); n != 2 {
		t.Errorf("for three viewers and two versions the table was summed up %d times", n)
	}
}

func TestOutsideWritersAreSeen(t *testing.T) {
	s, tables := page(t)
	tables.silent = true
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	v := view(t, server, "/api/v1/table/events?name=loans")
	v.picture(at(0))
	tables.commit()
	v.picture(at(1))
}

func TestFailureIsShownAndPasses(t *testing.T) {
	s, tables := page(t)
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	v := view(t, server, "/api/v1/table/events?name=loans&by=addr_state&value=count")
	v.picture(at(0))
	tables.fail(errs.New("CLUSTER_NO_WORKER", "timeout", "1s"))
	tables.commit()
	v.picture(func(p Picture) bool { return p.Problem != nil && p.Problem.Condition == "CLUSTER_NO_WORKER" })
	tables.fail(nil)
	v.picture(at(1))
}

func TestFeedsEndWithTheirViewers(t *testing.T) {
	s, _ := page(t)
	var filling atomic.Int32
	fill := func(ctx context.Context, b *board) {
		filling.Add(1)
		<-ctx.Done()
		filling.Add(-1)
	}
	b, leave := s.feeds.join(s.ctx, "x", fill)
	same, leaveToo := s.feeds.join(s.ctx, "x", fill)
	if b != same {
		t.Error("two viewers of one name have two boards")
	}
	leave()
	leave() // twice does no harm
	if other, leaveOther := s.feeds.join(s.ctx, "x", fill); other != b {
		t.Error("the feed ended with the first of its viewers")
	} else {
		leaveOther()
	}
	leaveToo()
	s.feeds.group.Wait()
	if n := filling.Load(); n != 0 {
		t.Errorf("%d feeds are left", n)
	}
	if other, leave := s.feeds.join(s.ctx, "x", fill); other == b {
		t.Error("a feed that has ended is given out again")
	} else {
		leave()
	}
}

func TestBoardKeepsTheNewest(t *testing.T) {
	b := newBoard()
	b.post("a", "", []byte("1"))
	b.post("b", "", []byte("1"))
	docs, now, changed := b.since(0)
	if len(docs) != 2 || now != 2 {
		t.Fatalf("%v %d", docs, now)
	}
	b.post("a", "", []byte("1"))
	select {
	case <-changed:
		t.Error("the same again is a change")
	default:
	}
	b.post("a", "", []byte("2"))
	b.post("a", "", []byte("3"))
	<-changed
	if docs, _, _ := b.since(now); len(docs) != 1 || string(docs[0].data) != "3" {
		t.Errorf("%v", docs)
	}
}

func TestOverviewStream(t *testing.T) {
	s, tables := page(t)
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	v := view(t, server, "/api/v1/events")
	for _, name := range []string{"cluster", "queries", "streams", "jobs", "tables"} {
		if !json.Valid(v.next(name)) {
			t.Errorf("the event %s is no JSON", name)
		}
	}
	tables.commit()
	if !strings.Contains(string(v.next("tables")), `"version":1`) {
		t.Error("the list of tables does not move")
	}
	one := view(t, server, "/api/v1/queries/op1/events")
	if !strings.Contains(string(one.next("query")), `"id":"op1"`) {
		t.Error("the query's event is another's")
	}
}

func TestCloseEndsStreams(t *testing.T) {
	s, _ := page(t)
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	v := view(t, server, "/api/v1/events")
	v.next("cluster")
	done := make(chan struct{})
	go func() { s.Close(); close(done) }()
	for v.in.Scan() {
	}
	if err := v.in.Err(); err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Error("Close does not return")
	}
}
