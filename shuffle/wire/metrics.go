package wire

import (
	"sort"

	"millrace/operators"
	workerpb "millrace/proto/millrace/worker/v1"
)

// Metrics are a task's counters as messages, by operator.
func Metrics(m *operators.Metrics) []*workerpb.OperatorReport {
	var list []*workerpb.OperatorReport
	for id, o := range m.ByOperator {
		list = append(list, &workerpb.OperatorReport{Id: id, RowsOut: o.RowsOut, BytesOut: o.BytesOut, Nanos: o.Nanos,
			SpilledBytes: o.SpilledBytes, RowGroups: o.RowGroups, RowGroupsSkipped: o.RowGroupsSkipped, Files: o.Files,
			FilesSkipped: o.FilesSkipped, BytesRead: o.BytesRead, RowsSkipped: o.RowsSkipped, State: stateReport(o.State), EventTime: eventTime(o.EventTime),
			Observed: o.Observed})
	}
	sort.Slice(list, func(i, k int) bool { return list[i].Id < list[k].Id })
	return list
}

// AddMetrics adds a task's report to the query's counters.
func AddMetrics(sum map[uint32]*operators.OperatorMetrics, r *workerpb.TaskReport) {
	for _, o := range r.GetOperators() {
		m := sum[o.Id]
		if m == nil {
			m = &operators.OperatorMetrics{}
			sum[o.Id] = m
		}
		m.RowsOut += o.RowsOut
		m.BytesOut += o.BytesOut
		m.Nanos += o.Nanos
		m.SpilledBytes += o.SpilledBytes
		m.RowGroups += o.RowGroups
		m.RowGroupsSkipped += o.RowGroupsSkipped
		m.Files += o.Files
		m.FilesSkipped += o.FilesSkipped
		m.BytesRead += o.BytesRead
		m.RowsSkipped += o.RowsSkipped
		addState(m, o.State)
		addEventTime(m, o.EventTime)
		m.Observed = append(m.Observed, o.Observed...)
	}
}

func stateReport(s *operators.StateMetrics) *workerpb.StateReport {
	if s == nil {
		return nil
	}
	return &workerpb.StateReport{Operator: uint32(s.Operator), Rows: s.Rows, Bytes: s.Bytes, Updated: s.Updated, Removed: s.Removed, Late: s.Late,
		LoadNanos: s.LoadNanos, UpdateNanos: s.UpdateNanos, RemoveNanos: s.RemoveNanos, CommitNanos: s.SaveNanos, Reloads: s.Reloads, Stores: s.Stores}
}

func addState(m *operators.OperatorMetrics, r *workerpb.StateReport) {
	if r == nil {
		return
	}
	if m.State == nil {
		m.State = &operators.StateMetrics{Operator: int(r.Operator)}
	}
	s := m.State
	s.Rows += r.Rows
	s.Bytes += r.Bytes
	s.Updated += r.Updated
	s.Removed += r.Removed
	s.Late += r.Late
	s.LoadNanos += r.LoadNanos
	s.UpdateNanos += r.UpdateNanos
	s.RemoveNanos += r.RemoveNanos
	s.SaveNanos += r.CommitNanos
	s.Reloads += r.Reloads
	s.Stores += r.Stores
}

func eventTime(e *operators.EventTime) *workerpb.EventTime {
	if e == nil {
		return nil
	}
	return &workerpb.EventTime{Operator: uint32(e.Operator), Count: e.Count, Max: e.Max, Min: e.Min, Sum: e.Sum}
}

func addEventTime(m *operators.OperatorMetrics, r *workerpb.EventTime) {
	switch {
	case r == nil:
		return
	case m.EventTime == nil:
		m.EventTime = &operators.EventTime{Operator: int(r.Operator), Max: r.Max, Min: r.Min}
	}
	e := m.EventTime
	e.Count += r.Count
	e.Max, e.Min = max(e.Max, r.Max), min(e.Min, r.Min)
	e.Sum += r.Sum
}
