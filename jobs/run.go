package jobs

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"millrace/errs"
	"millrace/plan"
	"millrace/session"
	"millrace/sql"
)

// shownRows is how many rows of a query's result the log shows.
const shownRows = 100

// attempt runs the steps that are not done.
func (m *Manager) attempt(ctx context.Context, c *claim, j *Job) error {
	j.Attempt++
	if j.State = Running; j.Started.IsZero() {
		j.Started = time.Now().UTC()
	}
	begin := fmt.Sprintf("-- job %s (%s) on coordinator %s", j.ID, j.Name, m.o.Self)
	if j.Attempt > 1 {
		begin += fmt.Sprintf(": attempt %d, from step %d", j.Attempt, j.Done+1)
	}
	if err := c.log(ctx, begin); err != nil {
		return cause(ctx, err)
	}
	if err := c.save(ctx, *j); err != nil {
		return cause(ctx, err)
	}
	s := m.o.Sessions.Detached(j.User, j.Conf, []string{"default"})
	for i, step := range j.Steps {
		if i < j.Done && !onlySession(step) {
			continue
		}
		if err := m.step(ctx, c, s, j, i); err != nil {
			return cause(ctx, err)
		}
		if i < j.Done {
			continue
		}
		j.Done = i + 1
		if err := c.save(ctx, *j); err != nil {
			return cause(ctx, err)
		}
	}
	return nil
}

// cause is why a job was told to stop rather than what came of that.
func cause(ctx context.Context, err error) error {
	if why := context.Cause(ctx); why != nil && errs.Is(why, errs.Cancelled) {
		return why
	}
	return err
}

// onlySession reports whether a step changes nothing but the session: it is run again when another coordinator goes on with the job.
func onlySession(s Step) bool {
	if s.SQL == "" {
		return false
	}
	n, err := sql.ParseStatement(s.SQL)
	if err != nil {
		return false
	}
	switch c := n.(type) {
	case *plan.Set, *plan.Use:
		return true
	case *plan.CreateView:
		return c.Temp || c.Global
	}
	return false
}

// step runs one step and logs what comes out.
func (m *Manager) step(ctx context.Context, c *claim, s *session.Session, j *Job, i int) error {
	step, began := j.Steps[i], time.Now()
	again := i < j.Done
	if !again {
		if err := c.log(ctx, fmt.Sprintf("\n-- step %d of %d\n%s", i+1, len(j.Steps), title(step))); err != nil {
			return err
		}
	}
	if step.Python != "" {
		return m.script(ctx, c, j, step)
	}
	text, err := m.statement(ctx, s, j, i)
	if err != nil || again {
		return err
	}
	return c.log(ctx, fmt.Sprintf("%s-- %.3f s", text, time.Since(began).Seconds()))
}

func title(s Step) string {
	if s.Python != "" {
		return "python " + s.Name
	}
	return s.SQL
}

// statement runs SQL. What it writes to a Delta table is the transaction number i of the application that is the job.
func (m *Manager) statement(ctx context.Context, s *session.Session, j *Job, i int) (string, error) {
	n, err := sql.ParseStatement(j.Steps[i].SQL)
	if err != nil {
		return "", err
	}
	if err := s.Conf.Set("spark.databricks.delta.write.txnAppId", "millrace-job-"+j.ID); err != nil {
		return "", err
	}
	if err := s.Conf.Set("spark.databricks.delta.write.txnVersion", strconv.Itoa(i)); err != nil {
		return "", err
	}
	ctx, op, err := s.Begin(ctx, fmt.Sprintf("%s-%d-%d", j.ID, i, j.Attempt), []string{"job " + j.ID})
	if err != nil {
		return "", err
	}
	s.Describe(op, j.Steps[i].SQL)
	if _, command := n.(plan.Command); !command {
		n = &plan.ShowString{Input: n, Rows: shownRows, Truncate: 0}
	}
	text, err := output(ctx, s, n)
	s.End(op, err)
	return text, err
}

// output runs a plan and gives its rows as text: a query's as a table, a command's with tabs between the values.
func output(ctx context.Context, s *session.Session, n plan.Node) (string, error) {
	r, err := s.Run(ctx, n)
	if err != nil {
		return "", err
	}
	defer r.Close()
	var text strings.Builder
	for {
		b, err := r.Next(ctx)
		if err != nil || b == nil {
			return text.String(), err
		}
		for i := range int(b.NumRows()) {
			for k, f := range r.Schema().Fields {
				if k > 0 {
					text.WriteByte('\t')
				}
				text.Write(session.AppendText(nil, f.Type, b.Column(k), i, time.UTC))
			}
			if b.NumCols() > 0 && !strings.HasSuffix(text.String(), "\n") {
				text.WriteByte('\n')
			}
		}
		b.Release()
	}
}

// script runs a Python script in a folder of its own; what it prints is logged as it comes.
func (m *Manager) script(ctx context.Context, c *claim, j *Job, step Step) error {
	dir := filepath.Join(m.o.Dir, j.ID)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return errs.Wrap(err, "make a folder for the script %s", step.Name)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, filepath.Base(step.Name))
	if err := os.WriteFile(path, []byte(step.Python), 0o600); err != nil {
		return errs.Wrap(err, "write the script %s", step.Name)
	}
	cmd := exec.CommandContext(ctx, python(j.Conf), "-u", path)
	cmd.Dir = dir
	cmd.Env = append(append(os.Environ(), m.o.Env...), "SPARK_REMOTE="+m.o.Remote, "MILLRACE_JOB_ID="+j.ID, "MILLRACE_JOB_ATTEMPT="+strconv.Itoa(j.Attempt))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	out, in := io.Pipe()
	cmd.Stdout, cmd.Stderr = in, in
	logged := make(chan error, 1)
	go func() { logged <- copyLines(ctx, c, out) }()
	err := cmd.Run()
	in.Close()
	if lost := <-logged; lost != nil {
		return lost
	}
	if err != nil {
		return errs.Newf(errs.Invalid, "the script %s failed: %v", step.Name, err)
	}
	return nil
}

// python is the interpreter of a job's scripts, chosen as Spark chooses it.
func python(conf map[string]string) string {
	for _, p := range []string{conf["spark.pyspark.python"], os.Getenv("PYSPARK_PYTHON")} {
		if p != "" {
			return p
		}
	}
	return "python3"
}

// copyLines logs lines, those that come at once together.
func copyLines(ctx context.Context, c *claim, out *io.PipeReader) error {
	r := bufio.NewReaderSize(out, maxLine)
	for {
		line, err := r.ReadSlice('\n')
		text := string(line)
		for r.Buffered() > 0 && len(text) < maxLine/2 {
			more, _ := r.ReadSlice('\n')
			text += string(more)
		}
		if text != "" {
			if err := c.log(ctx, text); err != nil {
				out.CloseWithError(err)
				return err
			}
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return nil
		}
	}
}
