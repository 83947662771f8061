package web

import (
	"context"
	"time"

	"millrace/session"
	"millrace/types"
)

// Cluster is what the page tells of workers and queries. Calls are cheap: they are made several times a second while somebody looks.
type Cluster interface {
	Leader() bool
	Workers() []Worker
	// Runs lists the queries that run on workers, by start, and those that have ended lately, newest first; without their plans.
	Runs() (running, ended []Run)
	// Run tells of one, with its plan.
	Run(id string) (Run, bool)
	// Cancel ends a run, and reports whether it was running.
	Cancel(id string) bool
}

// Operations are what clients asked for, of which each may take several runs.
type Operations interface {
	List() (running, ended []session.Doing)
	Find(id string) (session.Doing, bool)
	Cancel(id string) bool
}

// Worker is a worker process.
type Worker struct {
	ID         string `json:"id"`
	Address    string `json:"address"`
	State      string `json:"state"` // connected, draining or lost
	Slots      int    `json:"slots"`
	Running    int    `json:"running"` // tasks
	Memory     int64  `json:"memory"`  // bytes it may use
	MemoryUsed int64  `json:"memoryUsed"`
	Error      string `json:"error,omitempty"`
}

// Run is a query's run on the workers.
type Run struct {
	ID        string
	Purpose   session.Purpose
	Pipelined bool
	Started   time.Time
	Ended     time.Time // zero while it runs
	Err       error
	Waiting   string
	Stages    []Stage
	Plan      []PlanLine // of Cluster.Run only
}

// Stage is how far a stage of a run is.
type Stage struct {
	Run          int   `json:"run"` // place of the run among those of its query, from 0
	ID           int   `json:"id"`
	Tasks        int   `json:"tasks"`
	Done         int   `json:"done"`
	Running      int   `json:"running"`
	Retries      int   `json:"retries"`
	Rows         int64 `json:"rows"` // of its output so far
	Bytes        int64 `json:"bytes"`
	Milliseconds int64 `json:"milliseconds"` // that its finished tasks ran, added up
	MemoryPeak   int64 `json:"memoryPeak"`   // of one task, in bytes
}

// PlanLine is a line of a plan: a stage's head at depth 0, or an operator with what it has counted so far.
type PlanLine struct {
	Run          int    `json:"run"`
	Stage        int    `json:"stage"`
	Depth        int    `json:"depth"`
	Text         string `json:"text"`
	Rows         *int64 `json:"rows,omitempty"`
	Milliseconds *int64 `json:"milliseconds,omitempty"`
	Spilled      int64  `json:"spilled,omitempty"`   // bytes
	BytesRead    int64  `json:"bytesRead,omitempty"` // from files
	Files        int64  `json:"files,omitempty"`
	FilesSkipped int64  `json:"filesSkipped,omitempty"`
}

// Tables finds tables and follows them.
type Tables interface {
	// List gives the catalogued tables by name, then those without a name that queries have used lately.
	List(ctx context.Context) ([]Table, error)
	// Find looks up a name of one or two parts; an error of kind NotFound when there is none.
	Find(ctx context.Context, name []string) (Table, error)
	// Detail reads a Delta table's newest version from its log.
	Detail(ctx context.Context, location string) (*Detail, error)
	// History lists a Delta table's commits, newest first.
	History(ctx context.Context, location string, limit int) ([]Commit, error)
	// Watch yields a Delta table's versions as this cluster commits them; the channel is closed when ctx ends.
	Watch(ctx context.Context, location string) (<-chan int64, error)
}

// Table is where a table is. Detail is there when it is known without asking the store.
type Table struct {
	Namespace string  `json:"namespace,omitempty"`
	Name      string  `json:"name,omitempty"` // empty for a table known by its place only
	Kind      string  `json:"kind"`           // MANAGED, EXTERNAL, VIEW or PATH
	Format    string  `json:"format"`
	Location  string  `json:"location,omitempty"`
	Comment   string  `json:"comment,omitempty"`
	Detail    *Detail `json:"detail,omitempty"`
}

// Detail is a Delta table's newest version.
type Detail struct {
	Version     int64       `json:"version"`
	Changed     time.Time   `json:"changed"` // when the version was committed
	Files       int         `json:"files"`
	Bytes       int64       `json:"bytes"`
	Schema      *types.Type `json:"-"`
	PartitionBy []string    `json:"partitionBy,omitempty"`
}

// Commit is a line of a table's history.
type Commit struct {
	Version    int64             `json:"version"`
	Time       time.Time         `json:"time"`
	Operation  string            `json:"operation"`
	Parameters map[string]string `json:"parameters,omitempty"`
	Metrics    map[string]string `json:"metrics,omitempty"`
	User       string            `json:"user,omitempty"`
	Engine     string            `json:"engine,omitempty"`
	Note       string            `json:"note,omitempty"` // userMetadata
}

// Reader runs SQL text for the page and gives the first rows as text, in Spark's rendering.
type Reader interface {
	Fetch(ctx context.Context, text string, rows int) (*session.Table, error)
	// Schema is the columns of what the text asks for.
	Schema(ctx context.Context, text string) (*types.Type, error)
}

// Streams lists the streaming queries, those that run and those that have ended lately.
type Streams interface {
	Streams() []session.StreamingQuery
}

// Jobs lists detached jobs, newest first.
type Jobs interface {
	Jobs(ctx context.Context) ([]Job, error)
}

// Job is a detached job.
type Job struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	User      string     `json:"user,omitempty"`
	State     string     `json:"state"` // queued, running, succeeded, failed or cancelled
	Submitted time.Time  `json:"submitted"`
	Started   *time.Time `json:"started,omitempty"`
	Ended     *time.Time `json:"ended,omitempty"`
	Steps     int        `json:"steps"` // statements in all
	Done      int        `json:"done"`
	Error     *Problem   `json:"error,omitempty"`
}

// Problem is an error as the API tells it.
type Problem struct {
	Condition string `json:"condition,omitempty"` // Spark's, where it has one
	Message   string `json:"message"`
}
