package scheduler

import (
	"time"

	"millrace/errs"
	"millrace/scheduler/adaptive"
)

// Mode says how the stages of a job follow each other.
type Mode uint8

// The modes.
const (
	Pipelined Mode = iota // all stages at once, for small jobs
	Staged                // a stage when its inputs are whole
)

func (m Mode) String() string { return [...]string{"pipelined", "staged"}[m] }

// Job is a graph of stages. The final stage is the one that no other reads; there must be exactly one.
type Job struct {
	ID     string
	Mode   Mode
	Stages []Stage
	// Counted: what tasks report at their end belongs to the answer. Without it a pipelined job is whole as soon as its rows are.
	Counted bool
}

// Stage is a number of equal tasks over the whole outputs of other stages.
type Stage struct {
	ID     uint32
	Tasks  int
	Inputs []uint32
	// Indeterminate: a second run of a task may place other rows in a partition, so that readers of the first run must run again.
	Indeterminate bool
	// Prefer lists, per task, the workers where it would rather run; may be nil or short.
	Prefer [][]string
	// Bound names, per task, the one worker where it can run, or nothing; may be nil or short. When that worker is lost or drains
	// before the task has finished, the job fails with the kind Lost: whoever knows why the task was bound has to bind it anew.
	Bound []string
	// Adapt says how the tasks of a staged job's stage may be cut anew once its inputs are whole; nil: they stay. Such a stage has no bound tasks.
	Adapt *adaptive.Rule
}

// Ref names one attempt of a task. Attempts count from 1.
type Ref struct {
	Job     string
	Stage   uint32
	Task    int
	Attempt int
}

// Event is something that happened in the cluster.
type Event interface{ event() }

// The events. Worker names are never used again after WorkerLost: a worker that comes back gets another name.
type (
	JobSubmitted struct{ Job Job }
	WorkerJoined struct {
		Worker string
		Slots  int
	}
	WorkerLost     struct{ Worker string }
	WorkerDraining struct{ Worker string } // runs what it has and takes nothing new
	TaskFinished   struct {
		Ref    Ref
		Output *adaptive.Output // where the stage has readers with Adapt; nil counts as empty
	}
	// TaskFailed with the kind Lost is a task whose input could not be read; InputLost for that input comes first.
	TaskFailed struct {
		Ref  Ref
		Kind errs.Kind
		Err  error
	}
	InputLost     struct{ Ref Ref } // the output of that attempt cannot be read
	ResultStarted struct{ Ref Ref } // rows of the final stage's output are about to be handed out
	ResultRead    struct{ Ref Ref } // and now all of them are
	Cancel        struct {
		Job string
		Err error
	}
	Tick struct{ Now time.Duration } // since any fixed moment
)

func (JobSubmitted) event()   {}
func (WorkerJoined) event()   {}
func (WorkerLost) event()     {}
func (WorkerDraining) event() {}
func (TaskFinished) event()   {}
func (TaskFailed) event()     {}
func (InputLost) event()      {}
func (ResultStarted) event()  {}
func (ResultRead) event()     {}
func (Cancel) event()         {}
func (Tick) event()           {}
