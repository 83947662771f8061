package web

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// Stream is a streaming query with its last micro-batch.
type Stream struct {
	ID            string        `json:"id"`
	RunID         string        `json:"runId"`
	Name          string        `json:"name"`
	State         string        `json:"state"`   // running, stopped or failed
	Message       string        `json:"message"` // as query.status words it
	Error         *Problem      `json:"error,omitempty"`
	Batch         int64         `json:"batch"` // -1 before the first
	Time          *time.Time    `json:"time,omitempty"`
	Rows          int64         `json:"rows"`          // of the last batch
	RowsPerSecond float64       `json:"rowsPerSecond"` // that it worked off
	InputRate     float64       `json:"inputRate"`     // rows a second that came in
	Milliseconds  int64         `json:"milliseconds"`  // that the last batch took
	Sources       []string      `json:"sources"`
	Sink          string        `json:"sink"`
	Recent        []StreamBatch `json:"recent"` // oldest first
}

// StreamBatch is one of the last micro-batches.
type StreamBatch struct {
	Batch         int64   `json:"batch"`
	Rows          int64   `json:"rows"`
	RowsPerSecond float64 `json:"rowsPerSecond"`
	Milliseconds  int64   `json:"milliseconds"`
}

// progress is what the page reads of Spark's StreamingQueryProgress.
type progress struct {
	Timestamp              time.Time        `json:"timestamp"`
	BatchID                int64            `json:"batchId"`
	NumInputRows           int64            `json:"numInputRows"`
	InputRowsPerSecond     float64          `json:"inputRowsPerSecond"`
	ProcessedRowsPerSecond float64          `json:"processedRowsPerSecond"`
	DurationMs             map[string]int64 `json:"durationMs"`
	Sources                []struct {
		Description string `json:"description"`
	} `json:"sources"`
	Sink struct {
		Description string `json:"description"`
	} `json:"sink"`
}

const shownBatches = 40

func (s *Server) streams() any {
	list := []Stream{}
	if s.o.Streams != nil {
		for _, q := range s.o.Streams.Streams() {
			status := q.Status()
			x := Stream{ID: q.ID(), RunID: q.RunID(), Name: q.Name(), State: "stopped", Message: status.Message, Batch: -1,
				Error: problem(q.Err()), Sources: []string{}, Recent: []StreamBatch{}}
			switch {
			case status.Active:
				x.State = "running"
			case x.Error != nil:
				x.State = "failed"
			}
			x.tell(q.Progress(shownBatches))
			list = append(list, x)
		}
	}
	slices.SortStableFunc(list, func(a, b Stream) int {
		switch {
		case a.State == "running" && b.State == "running": // in an order that stays
			return strings.Compare(a.Name+a.ID, b.Name+b.ID)
		case a.State == "running":
			return -1
		case b.State == "running":
			return 1
		}
		return 0
	})
	return map[string]any{"streams": list}
}

// tell fills in what the progress of the last batches says.
func (x *Stream) tell(list []string) {
	for i, text := range list {
		var p progress
		if json.Unmarshal([]byte(text), &p) != nil {
			continue
		}
		took := p.DurationMs["triggerExecution"]
		x.Recent = append(x.Recent, StreamBatch{p.BatchID, p.NumInputRows, p.ProcessedRowsPerSecond, took})
		if i < len(list)-1 {
			continue
		}
		x.Batch, x.Rows, x.RowsPerSecond, x.InputRate, x.Milliseconds = p.BatchID, p.NumInputRows, p.ProcessedRowsPerSecond, p.InputRowsPerSecond, took
		x.Time, x.Sink = &p.Timestamp, p.Sink.Description
		for _, s := range p.Sources {
			x.Sources = append(x.Sources, s.Description)
		}
	}
}
