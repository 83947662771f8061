package web

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// described is openapi.json, as far as the tests read it.
func described(t *testing.T) (paths map[string]map[string]any, schema func(pointer string) *jsonschema.Schema) {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(openapi)))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("http://millrace/openapi.json", doc); err != nil {
		t.Fatal(err)
	}
	paths = map[string]map[string]any{}
	for p, ops := range doc.(map[string]any)["paths"].(map[string]any) {
		paths[p] = ops.(map[string]any)
	}
	return paths, func(pointer string) *jsonschema.Schema {
		s, err := c.Compile("http://millrace/openapi.json#" + pointer)
		if err != nil {
			t.Fatalf("%s: %v", pointer, err)
		}
		return s
	}
}

func TestEveryRouteIsDescribed(t *testing.T) {
	paths, _ := described(t)
	s, _ := page(t)
	served := map[string]bool{}
	for _, r := range s.api() {
		method, path, _ := strings.Cut(r.pattern, " ")
		served[strings.ToLower(method)+" "+path] = true
		if paths[path][strings.ToLower(method)] == nil {
			t.Errorf("%s is not described", r.pattern)
		}
	}
	for path, ops := range paths {
		for method := range ops {
			if !served[method+" "+path] {
				t.Errorf("%s %s is described and not served", method, path)
			}
		}
	}
}

func TestAnswersAreAsDescribed(t *testing.T) {
	_, schema := described(t)
	s, tables := page(t)
	for _, c := range []struct {
		method, target, path string
		status               int
	}{
		{"GET", "/api/v1/openapi.json", "", 200},
		{"GET", "/api/v1/cluster", "", 200},
		{"GET", "/api/v1/queries?limit=5", "/api/v1/queries", 200},
		{"GET", "/api/v1/queries/op1", "/api/v1/queries/{id}", 200},
		{"GET", "/api/v1/queries/op2", "/api/v1/queries/{id}", 200},
		{"GET", "/api/v1/queries/alone", "/api/v1/queries/{id}", 200},
		{"GET", "/api/v1/queries/nope", "/api/v1/queries/{id}", 404},
		{"GET", "/api/v1/queries/hidden", "/api/v1/queries/{id}", 404},
		{"GET", "/api/v1/queries/nope/events", "/api/v1/queries/{id}/events", 404},
		{"POST", "/api/v1/queries/op1/cancel", "/api/v1/queries/{id}/cancel", 200},
		{"POST", "/api/v1/queries/op2/cancel", "/api/v1/queries/{id}/cancel", 200},
		{"POST", "/api/v1/queries/nope/cancel", "/api/v1/queries/{id}/cancel", 404},
		{"GET", "/api/v1/streams", "", 200},
		{"GET", "/api/v1/jobs", "", 200},
		{"GET", "/api/v1/tables", "", 200},
		{"GET", "/api/v1/table?name=loans", "/api/v1/table", 200},
		{"GET", "/api/v1/table?name=none", "/api/v1/table", 404},
		{"GET", "/api/v1/table?name=a+b", "/api/v1/table", 400},
		{"GET", "/api/v1/table?path=/lake/none", "/api/v1/table", 404},
		{"GET", "/api/v1/table", "", 400},
		{"GET", "/api/v1/table/history?path=/lake/lo`ans&limit=2", "/api/v1/table/history", 200},
		{"GET", "/api/v1/table/rows?name=loans", "/api/v1/table/rows", 200},
		{"GET", "/api/v1/table/picture?name=loans", "/api/v1/table/picture", 200},
		{"GET", "/api/v1/table/picture?name=loans&by=nope", "/api/v1/table/picture", 400},
		{"GET", "/api/v1/table/picture?name=loans&value=addr_state", "/api/v1/table/picture", 400},
		{"GET", "/api/v1/table/events?name=none", "/api/v1/table/events", 404},
	} {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest(c.method, c.target, nil))
		if w.Code != c.status {
			t.Errorf("%s %s gives %d: %s", c.method, c.target, w.Code, w.Body)
			continue
		}
		path := c.path
		if path == "" {
			path = c.target
		}
		pointer := "/paths/" + strings.ReplaceAll(path, "/", "~1") + "/" + strings.ToLower(c.method) + "/responses/" + statusText(c.status) + "/content/application~1json/schema"
		v, err := jsonschema.UnmarshalJSON(w.Body)
		if err == nil {
			err = schema(strings.NewReplacer("{", "%7B", "}", "%7D").Replace(pointer)).Validate(v)
		}
		if err != nil {
			t.Errorf("%s %s: %v", c.method, c.target, err)
		}
	}
	for _, text := range tables.asked {
		if strings.Contains(text, "lo`ans") && !strings.Contains(text, "lo``ans") {
			t.Errorf("the table's place is not quoted in %s", text)
		}
	}
}

func statusText(code int) string { b, _ := json.Marshal(code); return string(b) }

func TestQueriesAndTheirRuns(t *testing.T) {
	s, _ := page(t)
	q := s.queries(10)
	if len(q.Running) != 1 || q.Running[0].ID != "op1" || len(q.Recent) != 2 || q.Recent[0].ID != "alone" || q.Recent[1].ID != "op2" {
		t.Fatalf("%+v", q)
	}
	op := q.Running[0]
	if op.Runs != 2 || op.Tasks != 10 || op.Done != 4 || op.Running != 2 || op.Retries != 2 || op.Rows != 6 || op.Bytes != 1000 || op.Milliseconds != 60_000 ||
		op.User != "ann" || op.Text != "SELECT 1" || len(op.Stages) != 4 || op.Stages[0].Run != 0 || op.Stages[3].Run != 1 {
		t.Errorf("%+v", op)
	}
	if failed := q.Recent[1]; failed.State != "failed" || failed.Error.Condition != "DIVIDE_BY_ZERO" || failed.Milliseconds != 1000 {
		t.Errorf("%+v", failed)
	}
	if alone := q.Recent[0]; alone.State != "cancelled" || alone.Kind != "plan" || alone.Runs != 1 {
		t.Errorf("%+v", alone)
	}
	if one := s.query("op1"); len(one.Plan) != 4 || one.Plan[3].Run != 1 || *one.Plan[3].Rows != 5 {
		t.Errorf("%+v", one.Plan)
	}
}

func TestStreamsFromProgress(t *testing.T) {
	s, _ := page(t)
	var got struct{ Streams []Stream }
	if err := json.Unmarshal(encode(s.streams()), &got); err != nil {
		t.Fatal(err)
	}
	x := got.Streams[0]
	if x.State != "running" || x.Batch != 7 || x.Rows != 100 || x.RowsPerSecond != 200.25 || x.Milliseconds != 500 || x.Sink != "DeltaSink[/lake/gold]" ||
		len(x.Sources) != 1 || len(x.Recent) != 2 || x.Recent[0].Rows != 40 {
		t.Errorf("%+v", x)
	}
	if f := got.Streams[1]; f.State != "failed" || f.Error == nil || f.Error.Condition != "DIVIDE_BY_ZERO" {
		t.Errorf("%+v", f)
	}
}
