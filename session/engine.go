package session

import (
	"context"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"millrace/plan"
	"millrace/types"
)

// Engine analyses and runs plans. Sessions call it from many goroutines at once. Cancelling ctx ends the call and
// frees what it held; the error then has the kind Cancelled.
type Engine interface {
	// Analyze resolves a relation: its output is what Execute's rows will have. A command gives its result's columns.
	Analyze(ctx context.Context, s *Session, n plan.Node) (plan.Resolved, error)
	// Execute starts a relation or a command. A command has done its work when Execute returns.
	Execute(ctx context.Context, s *Session, n plan.Node) (Result, error)
	// Explain renders a plan; mode is simple, extended, codegen, cost or formatted.
	Explain(ctx context.Context, s *Session, n plan.Node, mode string) (string, error)
}

// Result is a stream of record batches in the form of ArrowSchema. The caller calls Next until it gives a nil batch,
// then Close; or Close at any time, which stops the query. A batch belongs to the caller, who releases it.
type Result interface {
	// Schema is a struct of the columns.
	Schema() *types.Type
	// Next is the next batch, or nil at the end.
	Next(ctx context.Context) (arrow.RecordBatch, error)
	// Metrics are complete once Next has given nil.
	Metrics() Metrics
	Close() error
}

// Metrics is what a finished query reports about itself.
type Metrics struct {
	Operators []OperatorMetrics
	Observed  []Observation
	Adapted   map[uint32]string // how stages were run otherwise than planned, by their numbers
	// Of a micro-batch of a streaming query, by operator.
	States     []StateMetrics
	EventTimes []EventTime
	// Told is what the tasks say of observations, by operator, before these are made of it.
	Told map[uint32][][]byte
}

// StateMetrics are what a micro-batch did to the state of one stateful operator, all partitions together.
type StateMetrics struct {
	Operator                   int   // as in plan.StateStore
	Rows, Bytes                int64 // after the batch: keys, and bytes of keys and values
	Updated, Removed, Late     int64 // keys; Late were dropped for being below the watermark
	Load, Update, Remove, Save time.Duration
	Reloads, Stores            int64 // partitions that were read from the checkpoint, and all
}

// EventTime is what a micro-batch has seen of one event time column (plan.Watermark), in microseconds since 1970.
type EventTime struct {
	Operator              int
	Count, Max, Min, Mean int64
}

// OperatorMetrics is one operator of the physical plan. ID and Parent link the tree; the root is its own parent.
type OperatorMetrics struct {
	Name       string
	ID, Parent int64
	Values     []MetricValue
}

// MetricValue is one counter: Kind is sum, size, timing (milliseconds) or nsTiming.
type MetricValue struct {
	Key, Name, Kind string
	Value           int64
}

// Observation is what df.observe collected. Values are in plan.Literal's form.
type Observation struct {
	Name   string
	PlanID int64
	Keys   []string
	Values []*plan.Literal
}

// Progress is how far a running query is.
type Progress struct {
	Stages   []StageProgress
	Inflight int64 // tasks that run now
}

// StageProgress is how far one stage is.
type StageProgress struct {
	ID, Tasks, Done, InputBytes int64
	Finished                    bool
}

// Progressing is a Result that can say how far it is while Next is being called.
type Progressing interface {
	Result
	Progress() Progress
}

// Catalog is what survives sessions: schemas (namespaces) and tables. Changes to it are commands for the Engine.
type Catalog interface {
	// Namespaces lists all schemas.
	Namespaces(ctx context.Context) ([]Namespace, error)
	// Tables lists the tables and views of a schema without their columns.
	Tables(ctx context.Context, namespace string) ([]TableInfo, error)
	// Table describes one table without its columns; nil when there is none.
	Table(ctx context.Context, namespace, name string) (*TableInfo, error)
}

// Namespace is a schema.
type Namespace struct {
	Name, Description, Location string
	Collation                   string            `json:",omitempty"` // of its tables' and views' strings; empty: the default one
	Properties                  map[string]string `json:",omitempty"`
}

// TableInfo is a table or view. Kind is MANAGED, EXTERNAL or VIEW.
type TableInfo struct {
	Namespace, Name, Description, Kind string
	Schema                             *types.Type
	Partition, Bucket, Cluster         []string
}
