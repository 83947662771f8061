package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"millrace/cmd/internal/cli"
	"millrace/errs"
	"millrace/gateway/connect/client"
	doors "millrace/gateway/jobs"
	"millrace/jobs"
	pb "millrace/proto/millrace/jobs/v1"
)

// withJobs is with for commands about jobs.
func (r remote) withJobs(f func(ctx context.Context, c *doors.Client, user string) error) error {
	return r.with(func(ctx context.Context, c *client.Client) error {
		return f(c.Outgoing(ctx), doors.NewClient(c.Conn()), c.User())
	})
}

type submitCmd struct {
	remote `embed:""`
	Name   string `placeholder:"NAME" help:"The job's name. Default: what the file says, or the file's own name."`
	Watch  bool   `help:"Print the job's log on stderr until it ends; the exit code is 1 unless it succeeds. Default: off."`
	File   string `arg:"" placeholder:"FILE" help:"SQL statements (.sql), a Python script (.py) that finds the cluster in SPARK_REMOTE, or a list of such steps (.yaml)."`
}

// Run leaves a job in the cluster and prints its id.
func (s *submitCmd) Run() error {
	spec, err := jobs.ReadFile(s.File)
	if err != nil {
		return err
	}
	if s.Name != "" {
		spec.Name = s.Name
	}
	return s.withJobs(func(ctx context.Context, c *doors.Client, user string) error {
		spec.User = user
		j, err := c.Submit(ctx, spec)
		if err != nil {
			return err
		}
		fmt.Println(j.Id)
		if !s.Watch {
			return nil
		}
		if err := c.Logs(ctx, j.Id, true, os.Stderr); err != nil {
			return err
		}
		return outcome(ctx, c, j.Id)
	})
}

// outcome is the error of a job that has not succeeded.
func outcome(ctx context.Context, c *doors.Client, id string) error {
	j, err := c.Get(ctx, id)
	if err == nil && jobs.State(j.State) != jobs.Succeeded {
		text := j.Error
		if text == "" {
			text = "the job " + id + " is " + j.State
		}
		err = errors.New(text)
	}
	return err
}

type jobsCmd struct {
	remote `embed:""`
	Output string `default:"table" enum:"table,json" help:"Form of the list: table or json (an array). Default: table."`
}

// Run lists the jobs.
func (l *jobsCmd) Run() error {
	return l.withJobs(func(ctx context.Context, c *doors.Client, _ string) error {
		all, err := c.List(ctx)
		if err != nil {
			return err
		}
		if l.Output == "json" {
			list := []jobView{}
			for _, j := range all {
				list = append(list, viewOf(j))
			}
			return printJSON(list)
		}
		return printJobs(all)
	})
}

type jobCmd struct {
	remote `embed:""`
	ID     string `arg:"" placeholder:"ID" help:"The job's id, as submit printed it."`
	Logs   bool   `help:"Print what the job has written instead. Default: off."`
	Follow bool   `help:"With --logs, go on until the job ends. Default: off."`
	Output string `default:"table" enum:"table,json" help:"Form of the answer: table or json (an object). Default: table."`
}

// Run shows one job or its log.
func (j *jobCmd) Run() error {
	return j.withJobs(func(ctx context.Context, c *doors.Client, _ string) error {
		if j.Logs {
			return c.Logs(ctx, j.ID, j.Follow, os.Stdout)
		}
		job, err := c.Get(ctx, j.ID)
		if err != nil {
			return err
		}
		if j.Output == "json" {
			return printJSON(viewOf(job))
		}
		if err := printJobs([]*pb.Job{job}); err != nil || job.Error == "" {
			return err
		}
		_, err = fmt.Println(job.Error)
		return err
	})
}

type cancelCmd struct {
	remote `embed:""`
	ID     string `arg:"" placeholder:"ID" help:"The job's id, as submit printed it."`
}

// Run asks a job to stop.
func (k *cancelCmd) Run() error {
	return k.withJobs(func(ctx context.Context, c *doors.Client, _ string) error {
		j, err := c.Cancel(ctx, k.ID)
		if err == nil && jobs.State(j.State).Ended() {
			err = cli.Code(cli.Failed, errs.Newf(errs.Invalid, "the job %s has ended: %s", k.ID, j.State))
		}
		return err
	})
}

// jobView is a job as JSON; times are ISO 8601 in UTC, and absent until they have come.
type jobView struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	User      string `json:"user"`
	State     string `json:"state"`
	Error     string `json:"error"`
	Condition string `json:"condition,omitempty"`
	Submitted string `json:"submitted,omitempty"`
	Started   string `json:"started,omitempty"`
	Ended     string `json:"ended,omitempty"`
	Steps     uint32 `json:"steps"`
	Done      uint32 `json:"done"`
	Attempt   uint32 `json:"attempt"`
}

func viewOf(j *pb.Job) jobView {
	return jobView{j.Id, j.Name, j.User, j.State, j.Error, j.Condition, stamp(j.SubmittedMs), stamp(j.StartedMs), stamp(j.EndedMs), j.Steps, j.Done, j.Attempt}
}

func stamp(ms int64) string {
	if ms == 0 {
		return ""
	}
	return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z")
}

func printJSON(v any) error {
	e := json.NewEncoder(os.Stdout)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

func printJobs(all []*pb.Job) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "id\tname\tstate\tsteps\tsubmitted\ttook")
	for _, j := range all {
		took := ""
		if j.StartedMs > 0 && j.EndedMs > 0 {
			took = (time.Duration(j.EndedMs-j.StartedMs) * time.Millisecond).String()
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%d/%d\t%s\t%s\n", j.Id, j.Name, j.State, j.Done, j.Steps, stamp(j.SubmittedMs), took)
	}
	return w.Flush()
}
