package web

import (
	"slices"
	"strconv"
	"time"

	"millrace/errs"
	"millrace/session"
)

// Query is what somebody asked for, with all of its runs on the workers.
type Query struct {
	ID           string     `json:"id"`
	Kind         string     `json:"kind"` // operation, or what runs by itself: stream, job, …
	User         string     `json:"user,omitempty"`
	Session      string     `json:"session,omitempty"`
	Text         string     `json:"text"`
	State        string     `json:"state"` // running, succeeded, failed or cancelled
	Started      time.Time  `json:"started"`
	Ended        *time.Time `json:"ended,omitempty"`
	Milliseconds int64      `json:"milliseconds"`
	Runs         int        `json:"runs"` // on the workers
	Tasks        int        `json:"tasks"`
	Done         int        `json:"done"`
	Running      int        `json:"running"`
	Retries      int        `json:"retries"`
	Rows         int64      `json:"rows"`  // that its runs gave out
	Bytes        int64      `json:"bytes"` // that went from stage to stage
	Waiting      string     `json:"waiting,omitempty"`
	Error        *Problem   `json:"error,omitempty"`
	Stages       []Stage    `json:"stages"` // of the latest runs
	Plan         []PlanLine `json:"plan,omitempty"`

	runs []Run
}

// Queries is the list of queries.
type Queries struct {
	Running []*Query `json:"running"` // by start
	Recent  []*Query `json:"recent"`  // newest first
}

const (
	shownRuns   = 4 // whose stages are listed, the latest
	shownRecent = 50
)

// hidden are the purposes of runs that have lists of their own, or that the page itself causes.
var hidden = map[string]bool{"page": true, "stream": true}

// queries joins operations with the runs that they took.
func (s *Server) queries(recent int) Queries {
	byID := map[string]*Query{}
	var all []*Query
	running, ended := s.o.Operations.List()
	for _, d := range append(running, ended...) {
		q := operationQuery(d, s.o.Now())
		byID[q.ID] = q
		all = append(all, q)
	}
	runs, before := s.o.Cluster.Runs()
	for _, r := range slices.Concat(runs, before) {
		if hidden[r.Purpose.Kind] {
			continue
		}
		q := byID[queryID(r)]
		if q == nil {
			if r.Purpose.Kind == "operation" {
				continue // of an operation that is too long ago
			}
			q = runQuery(r)
			byID[q.ID] = q
			all = append(all, q)
		}
		q.runs = append(q.runs, r)
	}
	out := Queries{Running: []*Query{}, Recent: []*Query{}}
	slices.SortStableFunc(all, func(a, b *Query) int { return b.Started.Compare(a.Started) })
	for _, q := range all {
		q.settle(s.o.Now())
		if q.State == "running" {
			out.Running = append(out.Running, q)
		} else if len(out.Recent) < recent {
			out.Recent = append(out.Recent, q)
		}
	}
	slices.Reverse(out.Running)
	return out
}

func queryID(r Run) string {
	if r.Purpose.ID != "" {
		return r.Purpose.ID
	}
	return r.ID
}

// query is one of them with its plan; nil when it is not known.
func (s *Server) query(id string) *Query {
	var q *Query
	if d, ok := s.o.Operations.Find(id); ok {
		q = operationQuery(d, s.o.Now())
	}
	running, ended := s.o.Cluster.Runs()
	for _, r := range slices.Concat(running, ended) {
		if r.Purpose.Kind == "page" || queryID(r) != id {
			continue
		}
		if q == nil {
			q = runQuery(r)
		}
		q.runs = append(q.runs, r)
	}
	if q == nil {
		return nil
	}
	q.settle(s.o.Now())
	for i := max(0, len(q.runs)-shownRuns); i < len(q.runs); i++ {
		r, _ := s.o.Cluster.Run(q.runs[i].ID)
		for _, l := range r.Plan {
			l.Run = i
			q.Plan = append(q.Plan, l)
		}
	}
	return q
}

var stateNames = map[session.State]string{session.Running: "running", session.Succeeded: "succeeded", session.Failed: "failed", session.Cancelled: "cancelled"}

func operationQuery(d session.Doing, now time.Time) *Query {
	q := &Query{ID: d.ID, Kind: "operation", User: d.Session.User, Session: d.Session.ID, Text: d.Text, State: stateNames[d.State],
		Started: d.Started, Error: problem(d.Err), Stages: []Stage{}}
	q.time(d.Ended, now)
	return q
}

func (q *Query) time(ended, now time.Time) {
	q.Ended = nil
	if !ended.IsZero() {
		q.Ended, now = &ended, ended
	}
	q.Milliseconds = max(0, now.Sub(q.Started).Milliseconds())
}

// runQuery stands for runs that no operation asked for.
func runQuery(r Run) *Query {
	q := &Query{ID: queryID(r), Kind: r.Purpose.Kind, Text: r.Purpose.Text, State: "", Started: r.Started, Stages: []Stage{}}
	if q.Kind == "" {
		q.Kind = "plan"
	}
	return q
}

// settle counts the runs in, and keeps the stages of the latest.
func (q *Query) settle(now time.Time) {
	slices.SortStableFunc(q.runs, func(a, b Run) int { return a.Started.Compare(b.Started) })
	q.Runs = len(q.runs)
	for i, r := range q.runs {
		if q.Kind != "operation" {
			q.stand(r, now)
		}
		if r.Ended.IsZero() && r.Waiting != "" {
			q.Waiting = r.Waiting
		}
		for k, st := range r.Stages {
			q.count(st, k == len(r.Stages)-1)
			if st.Run = i; i >= len(q.runs)-shownRuns {
				q.Stages = append(q.Stages, st)
			}
		}
	}
}

// count adds a stage up; what the last one of a run puts out goes to the client.
func (q *Query) count(st Stage, last bool) {
	q.Tasks += st.Tasks
	q.Done += st.Done
	q.Running += st.Running
	q.Retries += st.Retries
	if last {
		q.Rows += st.Rows
	} else {
		q.Bytes += st.Bytes
	}
}

// stand makes the query's state that of its runs: it runs while one does, and has ended with the last.
func (q *Query) stand(r Run, now time.Time) {
	if r.Started.Before(q.Started) {
		q.Started = r.Started
	}
	switch {
	case r.Ended.IsZero():
		q.State, q.Error = "running", nil
		q.time(time.Time{}, now)
	case q.State != "running" && (q.Ended == nil || !r.Ended.Before(*q.Ended)):
		q.State, q.Error = "succeeded", problem(r.Err)
		if errs.Is(r.Err, errs.Cancelled) {
			q.State = "cancelled"
		} else if r.Err != nil {
			q.State = "failed"
		}
		q.time(r.Ended, now)
	}
}

func problem(err error) *Problem {
	if err == nil {
		return nil
	}
	return &Problem{Condition: errs.ConditionOf(err), Message: err.Error()}
}

func parseLimit(text string, otherwise, most int) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return otherwise
	}
	return min(n, most)
}
