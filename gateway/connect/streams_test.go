package connect

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"millrace/plan"
	"millrace/session"
)

// TestStreams runs every streaming command with each client and compares what start was given.
func TestStreams(t *testing.T) {
	for _, v := range versions {
		t.Run(v, func(t *testing.T) {
			streams := newStubStreams()
			_, address := serve(t, Options{Streams: streams})
			script(t, v, "streams.py", address)
			if t.Failed() || len(streams.starts) < 6 {
				t.FailNow() // or there was no client to run
			}
			got := streams.starts
			want := []session.StreamStart{
				{Format: "delta", Path: "/path", OutputMode: "append", Options: map[string]string{"checkpointLocation": "/c", "mergeSchema": "true"}},
				{Format: "delta", Name: "named", OutputMode: "complete", PartitionBy: []string{"value", "timestamp"}, Trigger: session.StreamTrigger{Every: 10 * time.Second}},
				{Format: "delta", Table: "a.b"},
				{Format: "memory", OutputMode: "update", Trigger: session.StreamTrigger{Every: 90 * time.Second}},
				{},
			}
			if len(got[5].ClusterBy) > 0 { // not all clients have it
				want = append(want, session.StreamStart{Format: "delta", Path: "/clustered", ClusterBy: []string{"value"}})
			}
			for i, w := range want {
				g := got[i]
				g.Query = nil
				if !reflect.DeepEqual(g, w) {
					t.Errorf("start %d: got %+v, want %+v", i, g, w)
				}
			}
			checkWatermark(t, got[4].Query)
			if _, alias := got[3].Query.(*plan.SubqueryAlias); !alias || !plan.IsStreaming(got[3].Query) {
				t.Errorf("the view was not put in the place of its name: %s", plan.Format(got[3].Query))
			}
		})
	}
}

func checkWatermark(t *testing.T, n plan.Node) {
	t.Helper()
	d, ok := n.(*plan.Deduplicate)
	if !ok || !d.Within || !reflect.DeepEqual(d.Names, []string{"value"}) {
		t.Fatalf("got %#v", n)
	}
	w, ok := d.Input.(*plan.Watermark)
	if !ok || w.Delay != (32*24*time.Hour).Microseconds() || !reflect.DeepEqual(w.Column, plan.Col("timestamp")) {
		t.Fatalf("got %#v", d.Input)
	}
}

// TestListenersOverShortStreams ends each stream of events after a moment: the client attaches again and misses none.
func TestListenersOverShortStreams(t *testing.T) {
	_, address := serve(t, Options{Streams: newStubStreams(), StreamFor: 20 * time.Millisecond})
	script(t, "4.2.0", "streams.py", address)
}

// TestForeachBatch calls functions of each client in processes of its Python.
func TestForeachBatch(t *testing.T) {
	for _, v := range versions {
		t.Run(v, func(t *testing.T) {
			s, address := serve(t, Options{Streams: newStubStreams()})
			script(t, v, "foreachbatch.py", address)
			for deadline := time.Now().Add(20 * time.Second); s.running() > 0; time.Sleep(10 * time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatalf("%d operations of a function whose query was stopped still run", s.running())
				}
			}
		})
	}
}

func TestStartedEvent(t *testing.T) {
	q := &stubQuery{id: "i", run: "r"}
	at := time.Date(2026, 1, 2, 3, 4, 5, 6_000_000, time.UTC)
	var event map[string]any
	if err := json.Unmarshal([]byte(startedEvent(q, at)), &event); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"id": "i", "runId": "r", "name": nil, "timestamp": "2026-01-02T03:04:05.006Z", "jobTags": []any{}}
	if !reflect.DeepEqual(event, want) {
		t.Errorf("got %v, want %v", event, want)
	}
}

func (s *Service) running() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.executions {
		if !e.log.finished() {
			n++
		}
	}
	return n
}
