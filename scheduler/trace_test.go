package scheduler

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"millrace/errs"
)

// TestTraces runs the scripts in testdata: each command is one event, and its result the decisions.
//
//	worker NAME SLOTS | lost NAME | drain NAME | tick DURATION | cancel JOB
//	job NAME pipelined|staged [counted]   with a line for each stage: ID TASKS [<- ID,ID] [indeterminate] [bound WORKER,WORKER]
//	finished JOB/STAGE/TASK/ATTEMPT… | failed REF KIND | input-lost REF | started REF | read REF
func TestTraces(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		s := New(Config{MaxLosses: 5})
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			var args []string
			for _, a := range d.CmdArgs {
				args = append(args, a.Key)
			}
			var out []Decision
			for _, ev := range scriptEvents(t, d.Cmd, args, d.Input) {
				out = s.Step(ev, out)
			}
			if len(out) == 0 {
				return "nothing\n"
			}
			var b strings.Builder
			for _, decision := range out {
				b.WriteString(show(decision) + "\n")
			}
			return b.String()
		})
	})
}

func scriptEvents(t *testing.T, cmd string, args []string, input string) (list []Event) {
	switch cmd {
	case "worker":
		slots, _ := strconv.Atoi(args[1])
		return []Event{WorkerJoined{args[0], slots}}
	case "lost":
		return []Event{WorkerLost{args[0]}}
	case "drain":
		return []Event{WorkerDraining{args[0]}}
	case "cancel":
		return []Event{Cancel{args[0], errs.Newf(errs.Cancelled, "by the user")}}
	case "tick":
		d, err := time.ParseDuration(args[0])
		if err != nil {
			t.Fatal(err)
		}
		return []Event{Tick{d}}
	case "job":
		return []Event{JobSubmitted{scriptJob(args, input)}}
	case "failed":
		kinds := map[string]errs.Kind{"lost": errs.Lost, "transient": errs.Transient, "invalid": errs.Invalid}
		return []Event{TaskFailed{scriptRef(t, args[0]), kinds[args[1]], errs.Newf(kinds[args[1]], "it was %s", args[1])}}
	}
	for _, a := range args {
		r := scriptRef(t, a)
		switch cmd {
		case "finished":
			list = append(list, TaskFinished{Ref: r})
		case "input-lost":
			list = append(list, InputLost{r})
		case "started":
			list = append(list, ResultStarted{r})
		case "read":
			list = append(list, ResultRead{r})
		default:
			t.Fatalf("unknown command %s", cmd)
		}
	}
	return list
}

func scriptJob(args []string, input string) Job {
	j := Job{ID: args[0], Mode: Staged}
	if args[1] == "pipelined" {
		j.Mode = Pipelined
	}
	j.Counted = len(args) > 2 && args[2] == "counted"
	for _, line := range strings.Split(input, "\n") {
		f := strings.Fields(line)
		var st Stage
		fmt.Sscan(f[0], &st.ID)
		fmt.Sscan(f[1], &st.Tasks)
		for i, word := range f[2:] {
			switch word {
			case "<-", "bound":
			case "indeterminate":
				st.Indeterminate = true
			default:
				if f[i+1] == "bound" {
					st.Bound = strings.Split(word, ",")
					continue
				}
				for _, in := range strings.Split(word, ",") {
					id, _ := strconv.Atoi(in)
					st.Inputs = append(st.Inputs, uint32(id))
				}
			}
		}
		j.Stages = append(j.Stages, st)
	}
	return j
}

func scriptRef(t *testing.T, s string) (r Ref) {
	t.Helper()
	f := strings.Split(s, "/")
	if len(f) != 4 {
		t.Fatalf("%s is not JOB/STAGE/TASK/ATTEMPT", s)
	}
	r.Job = f[0]
	fmt.Sscan(f[1], &r.Stage)
	fmt.Sscan(f[2], &r.Task)
	fmt.Sscan(f[3], &r.Attempt)
	return r
}

func (r Ref) text() string { return fmt.Sprintf("%s/%d/%d/%d", r.Job, r.Stage, r.Task, r.Attempt) }

func show(d Decision) string {
	switch d := d.(type) {
	case Launch:
		s := fmt.Sprintf("launch %s on %s", d.Ref.text(), d.Worker)
		for _, in := range d.Inputs {
			s += fmt.Sprintf(" reading %d:", in.Stage)
			for i, o := range in.Outputs {
				s += fmt.Sprintf(" %d/%d@%s", i, o.Attempt, o.Worker)
			}
		}
		return s
	case CancelTask:
		return fmt.Sprintf("cancel %s on %s", d.Ref.text(), d.Worker)
	case ResultReady:
		return fmt.Sprintf("ready %s on %s", d.Ref.text(), d.Worker)
	case ResultGranted:
		return "granted " + d.Ref.text()
	case JobSucceeded:
		return "succeeded " + d.Job
	case JobFailed:
		return fmt.Sprintf("failed %s (%v): %v", d.Job, d.Kind, d.Err)
	case Waiting:
		return fmt.Sprintf("waiting %s: %s", d.Job, d.Reason)
	}
	return fmt.Sprintf("%T", d)
}

// BenchmarkLaunch measures launches and their ends with 1,000 workers.
func BenchmarkLaunch(b *testing.B) {
	s := New(Config{})
	for i := range 1000 {
		s.Step(WorkerJoined{fmt.Sprint("w", i), 4}, nil)
	}
	out := s.Step(JobSubmitted{Job{ID: "j", Mode: Staged, Stages: []Stage{{ID: 0, Tasks: b.N}}}}, nil)
	b.ResetTimer()
	for done := 0; done < b.N; {
		var next []Decision
		for _, d := range out {
			if l, ok := d.(Launch); ok {
				next = s.Step(TaskFinished{Ref: l.Ref}, next)
				done++
			}
		}
		out = next
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "launches/s")
}
