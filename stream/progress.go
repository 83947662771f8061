package stream

import (
	"encoding/json"
	"time"

	"millrace/session"
)

// progress is a StreamingQueryProgress.
type progress struct {
	ID            string            `json:"id"`
	RunID         string            `json:"runId"`
	Name          *string           `json:"name"`
	Timestamp     string            `json:"timestamp"`
	BatchID       int64             `json:"batchId"`
	BatchDuration int64             `json:"batchDuration"`
	Rows          int64             `json:"numInputRows"`
	InputRate     *float64          `json:"inputRowsPerSecond,omitempty"`
	ProcessedRate *float64          `json:"processedRowsPerSecond,omitempty"`
	DurationMs    map[string]int64  `json:"durationMs"`
	EventTime     map[string]string `json:"eventTime"`
	State         []stateProgress   `json:"stateOperators"`
	Sources       []sourceProgress  `json:"sources"`
	Sink          sinkProgress      `json:"sink"`
	Observed      map[string]any    `json:"observedMetrics"`
}

type sourceProgress struct {
	Description   string            `json:"description"`
	Start         json.RawMessage   `json:"startOffset"`
	End           json.RawMessage   `json:"endOffset"`
	Latest        json.RawMessage   `json:"latestOffset"`
	Rows          int64             `json:"numInputRows"`
	InputRate     float64           `json:"inputRowsPerSecond"`
	ProcessedRate float64           `json:"processedRowsPerSecond"`
	Metrics       map[string]string `json:"metrics"`
}

type sinkProgress struct {
	Description string            `json:"description"`
	Rows        int64             `json:"numOutputRows"`
	Metrics     map[string]string `json:"metrics"`
}

// stateProgress is one stateful operator's.
type stateProgress struct {
	Name       string           `json:"operatorName"`
	Total      int64            `json:"numRowsTotal"`
	Updated    int64            `json:"numRowsUpdated"`
	UpdatesMs  int64            `json:"allUpdatesTimeMs"`
	Removed    int64            `json:"numRowsRemoved"`
	RemovalsMs int64            `json:"allRemovalsTimeMs"`
	CommitMs   int64            `json:"commitTimeMs"`
	Memory     int64            `json:"memoryUsedBytes"`
	Late       int64            `json:"numRowsDroppedByWatermark"`
	Partitions int64            `json:"numShufflePartitions"`
	Stores     int64            `json:"numStateStoreInstances"`
	Custom     map[string]int64 `json:"customMetrics"`
}

func statesOf(list []session.StateMetrics) []stateProgress {
	out := make([]stateProgress, 0, len(list))
	for _, s := range list {
		out = append(out, stateProgress{"stateStoreSave", s.Rows, s.Updated, s.Update.Milliseconds(), s.Removed, s.Remove.Milliseconds(),
			s.Save.Milliseconds(), s.Bytes, s.Late, s.Stores, s.Stores, map[string]int64{"reloadedPartitions": s.Reloads}})
	}
	return out
}

// phases measures the parts of a trigger.
type phases struct {
	start time.Time
	last  time.Time
	ms    map[string]int64
}

func newPhases() *phases {
	now := time.Now()
	return &phases{start: now, last: now, ms: map[string]int64{}}
}

// end closes a phase that began where the one before ended.
func (p *phases) end(name string) {
	now := time.Now()
	p.ms[name] += now.Sub(p.last).Milliseconds()
	p.last = now
}

// batchReport is what a trigger has done.
type batchReport struct {
	batch      int64
	starts     []string
	ends       []string
	rows       []int64 // by source
	written    written
	phases     *phases
	sincePrior time.Duration // from the start of the trigger before; 0: there was none
}

func rawOffset(text string) json.RawMessage {
	if text == "" || !json.Valid([]byte(text)) {
		return json.RawMessage("null")
	}
	return json.RawMessage(text)
}

// report makes a trigger's progress.
func (q *query) report(r batchReport) progress {
	total := time.Since(r.phases.start)
	r.phases.ms["triggerExecution"] = total.Milliseconds()
	p := progress{ID: q.id, RunID: q.runID, Name: optional(q.name), Timestamp: stamp(r.phases.start), BatchID: r.batch,
		BatchDuration: total.Milliseconds(), DurationMs: r.phases.ms, EventTime: map[string]string{}, State: statesOf(r.written.metrics.States),
		Sink: sinkProgress{q.sink.description(), r.written.rows, map[string]string{}}, Observed: map[string]any{}}
	for i, s := range q.sources {
		n := max(r.rows[i], 0)
		p.Rows += n
		p.Sources = append(p.Sources, sourceProgress{Description: s.Description(), Start: rawOffset(r.starts[i]), End: rawOffset(r.ends[i]),
			Latest: rawOffset(""), Rows: n, InputRate: rate(n, r.sincePrior), ProcessedRate: rate(n, total), Metrics: map[string]string{}})
	}
	in, out := rate(p.Rows, r.sincePrior), rate(p.Rows, total)
	p.InputRate, p.ProcessedRate = &in, &out
	return p
}

func rate(n int64, d time.Duration) float64 {
	if d <= 0 {
		return 0
	}
	return float64(n) / d.Seconds()
}
