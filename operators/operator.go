package operators

import (
	"millrace/memory"
	"millrace/operators/expr"
	"millrace/types"
	"millrace/vector"
)

// Operator is one step of a task's pipeline, pulled by its consumer. It is used by one goroutine at a time.
//
// Open is called once before the first Next and opens the inputs. Next returns the next batch, which has at least one
// row and stays valid until the next call of Next or Close; it returns nil at the end, and after the end or an error nothing more
// may be asked of it. Close releases all memory and files, is called once, also after an error or in mid-stream, and closes the inputs.
// Cancelling Ctx makes Next return the context's error within 100 ms.
type Operator interface {
	Open(ctx *Ctx) error
	Next() (*vector.Batch, error)
	Close() error
	// Output is the columns' types in order.
	Output() []*types.Type
}

// Lasting is an operator whose batches have no selection and stay as they are when the next one comes: who gets them may keep them, and change nothing.
type Lasting interface{ Lasting() bool }

func lasting(in Operator) bool {
	l, ok := in.(Lasting)
	return ok && l.Lasting()
}

// appendRows appends a batch of an operator to a builder, without a copy where it lasts.
func appendRows(to *vector.Builder, in Operator, b *vector.Batch) {
	if b.Sel == nil && lasting(in) {
		to.Keep(b)
	} else {
		to.AppendSelected(b)
	}
}

// Ctx is what a task gives to its operators.
type Ctx struct {
	expr.Ctx
	Memory  *memory.Pool // the task's reservations come from here
	TempDir string       // for spill files; removed with the query
	Metrics *Metrics
}

// Metrics counts what an operator did, by the plan's operator id; one writer each, read when the task reports.
type Metrics struct {
	ByOperator map[uint32]*OperatorMetrics
}

// OperatorMetrics are one operator's counters in one task.
type OperatorMetrics struct {
	RowsOut, BytesOut           int64
	Nanos                       int64
	SpilledBytes                int64
	RowGroups, RowGroupsSkipped int64
	RowsSkipped                 int64 // of row groups that were read
	Files, FilesSkipped         int64
	BytesRead                   int64
	State                       *StateMetrics // of a stateful operator
	EventTime                   *EventTime    // of a watermark
	Observed                    [][]byte      // of an observation, by task: its aggregates' states
}

// StateMetrics are what a stateful operator did to its partition of the state, or to all of them together.
type StateMetrics struct {
	Operator                                       int   // of the streaming query
	Rows, Bytes                                    int64 // of the state after the batch: keys, and bytes of keys and values
	Updated, Removed, Late                         int64 // keys; Late were dropped
	LoadNanos, UpdateNanos, RemoveNanos, SaveNanos int64
	Reloads, Stores                                int64 // partitions read from the checkpoint, and all
}

// EventTime is what a watermark has seen, in microseconds since 1970.
type EventTime struct {
	Operator        int // of the streaming query
	Count, Max, Min int64
	Sum             float64
}
