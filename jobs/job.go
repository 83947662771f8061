package jobs

import (
	"time"

	"millrace/errs"
	"millrace/sql"
)

// State is how far a job has come.
type State string

// The states of a job; the last three are final.
const (
	Queued    State = "QUEUED"
	Running   State = "RUNNING"
	Succeeded State = "SUCCEEDED"
	Failed    State = "FAILED"
	Cancelled State = "CANCELLED"
)

// Ended reports whether the state is final.
func (s State) Ended() bool { return s == Succeeded || s == Failed || s == Cancelled }

// Step is one statement or one script.
type Step struct {
	SQL    string `json:",omitempty"`
	Python string `json:",omitempty"` // a script's text
	Name   string `json:",omitempty"` // of the script, for logs
}

// Spec is what a client asks for.
type Spec struct {
	Name  string
	User  string
	Steps []Step
	Conf  map[string]string `json:",omitempty"` // settings of the job's session
}

// Job is a job as it is kept.
type Job struct {
	ID string
	Spec
	State     State
	Error     string `json:",omitempty"` // why it failed
	Condition string `json:",omitempty"` // the error's condition
	Submitted time.Time
	Started   time.Time // zero: not yet
	Ended     time.Time
	Done      int // steps
	Attempt   int // how many times a coordinator has begun to run it
}

// maxSpec is the most bytes of all steps together: etcd takes records of up to 1.5 MB.
const maxSpec = 1 << 20

// Check refuses a job that cannot run: one without steps, or with a statement that has a syntax error.
func (s *Spec) Check() error {
	if len(s.Steps) == 0 {
		return errs.Newf(errs.Invalid, "The job %q has no statement and no script.", s.Name)
	}
	size := 0
	for _, step := range s.Steps {
		size += len(step.SQL) + len(step.Python)
		if step.SQL == "" {
			continue
		}
		if _, err := sql.ParseStatement(step.SQL); err != nil {
			return err
		}
	}
	if size > maxSpec {
		return errs.Newf(errs.Invalid, "The job %q has %d bytes of statements and scripts; at most %d fit.", s.Name, size, maxSpec)
	}
	return nil
}
