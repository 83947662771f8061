package session

import (
	"context"
	"time"

	"millrace/plan"
)

// Streams are the cluster's streaming queries. Front doors start and watch them through it; package stream runs them.
type Streams interface {
	// Start checks a query as Spark does and starts it; it runs after the call and after the session's end.
	Start(ctx context.Context, s *Session, q StreamStart) (StreamingQuery, error)
	// Active are the running queries that the session may see: its own, and its user's that outlived a coordinator.
	Active(s *Session) []StreamingQuery
	// Get finds a query by its id (of whichever run) or its run's id; nil when the session may see none such.
	Get(s *Session, id string) StreamingQuery
	// AwaitAny waits until one of the session's queries has ended since ResetTerminated, and gives its error. A timeout of 0 waits for ever.
	AwaitAny(ctx context.Context, s *Session, timeout time.Duration) (ended bool, err error)
	ResetTerminated(s *Session)
	// Listen yields events of the session's queries, in order, until ctx ends. A slow listener delays nothing: events wait for it.
	Listen(ctx context.Context, s *Session) <-chan StreamEvent
}

// StreamStart is what writeStream…start asks for.
type StreamStart struct {
	Query       plan.Node // not analysed; its sources are marked Streaming
	Name        string    // queryName; empty: none
	Format      string    // empty: the session's default source (spark.sql.sources.default)
	Options     map[string]string
	Path        string // start(path), or empty
	Table       string // toTable(name), or empty
	OutputMode  string // append, complete, update; empty: append
	PartitionBy []string
	ClusterBy   []string
	Trigger     StreamTrigger
	// Batch, when set, is called with each micro-batch instead of writing to a format: foreachBatch.
	Batch func(ctx context.Context, rows plan.Node, batchID int64) error
}

// StreamTrigger is when micro-batches start. The zero value starts one as soon as the one before has ended and there is data.
type StreamTrigger struct {
	Every        time.Duration // processingTime
	Once         bool
	AvailableNow bool
	Continuous   time.Duration // continuous processing's checkpoint interval; refused by name so far
	RealTime     time.Duration // real-time mode's batch duration; refused by name so far
}

// StreamingQuery is a handle to a query that runs or has ended.
type StreamingQuery interface {
	ID() string    // stays the same over restarts from one checkpoint
	RunID() string // new for each start
	Name() string
	Status() StreamStatus
	// Progress are the latest micro-batches' StreamingQueryProgress as JSON in Spark's form, oldest first; at most n, all that are kept for n <= 0.
	Progress(n int) []string
	// Explain is the last micro-batch's plan.
	Explain(extended bool) string
	// Stop ends the query when the running micro-batch has been cancelled or committed.
	Stop(ctx context.Context) error
	// ProcessAllAvailable returns when all that the sources had at the time of the call is in the sink, or with the query's error.
	ProcessAllAvailable(ctx context.Context) error
	// Await waits for the query's end; timeout 0 waits for ever. The error is what ended the query, STREAM_FAILED around its cause.
	Await(ctx context.Context, timeout time.Duration) (ended bool, err error)
	// Err is what ended the query, or nil.
	Err() error
}

// StreamStatus is what query.status shows.
type StreamStatus struct {
	Message       string // as Spark words it: Waiting for data to arrive, Processing new data, Stopped, …
	DataAvailable bool
	TriggerActive bool
	Active        bool
}

// StreamEventKind says what a StreamEvent tells.
type StreamEventKind int

// The kinds of events that listeners get.
const (
	StreamStarted StreamEventKind = iota
	StreamProgress
	StreamIdle
	StreamTerminated
)

// StreamEvent is one event of a query, JSON in the form of Spark's StreamingQueryListener events.
type StreamEvent struct {
	Kind StreamEventKind
	JSON string
}
