package scheduler

import (
	"millrace/errs"
	"millrace/scheduler/adaptive"
)

// Decision is something that the driver has to do.
type Decision interface{ decision() }

// Output says where the output of a task lies.
type Output struct {
	Worker  string
	Attempt int
}

// Input is where a stage's outputs lie, by task. The slice is shared by all launches that read it and never changes.
type Input struct {
	Stage   uint32
	Outputs []Output
}

// The decisions.
type (
	Launch struct {
		Ref    Ref
		Worker string
		Inputs []Input
		Slice  *adaptive.Slice // what of them the task reads, where the stage's tasks were cut anew
	}
	// Adapted says that a stage none of whose tasks was launched before has other tasks than the job said.
	Adapted struct {
		Job      string
		Stage    uint32
		Decision *adaptive.Decision
	}
	// CancelTask stops a task and forgets its output.
	CancelTask struct {
		Ref    Ref
		Worker string
	}
	// ResultReady says that an output of the final stage may be read, from its beginning; it replaces one of a lower attempt.
	ResultReady struct {
		Ref    Ref
		Worker string
	}
	// ResultGranted answers ResultStarted: the rows may be handed out. Without it the attempt has been given up.
	ResultGranted struct{ Ref Ref }
	JobSucceeded  struct{ Job string }
	JobFailed     struct {
		Job  string
		Kind errs.Kind
		Err  error
	}
	Waiting struct{ Job, Reason string }
)

func (Launch) decision()        {}
func (Adapted) decision()       {}
func (CancelTask) decision()    {}
func (ResultReady) decision()   {}
func (ResultGranted) decision() {}
func (JobSucceeded) decision()  {}
func (JobFailed) decision()     {}
func (Waiting) decision()       {}
