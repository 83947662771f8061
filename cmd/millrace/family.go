package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"millrace/cmd/internal/cli"
	"millrace/errs"
)

// family is the processes that this one has started and keeps running. They die with it: the kernel kills them, and their
// standard input ends.
type family struct {
	failed chan error // what ends the whole: a wrong flag, or a process that cannot be kept running

	mu       sync.Mutex
	children []*child
	stopping bool
}

// child is a process that is started again when it dies.
type child struct {
	name  string
	args  []string
	vital bool // its first life must come so far as to print a line: without it the cluster never was
	lines chan string

	done chan struct{} // closed when it has ended for good
	// Under the family's lock: the process of this life.
	cmd   *exec.Cmd
	ready bool // it has once printed a line
	quick int  // lives in a row that were shorter than settled
}

// settled is how long a process lives that is taken to work; tries is how many shorter lives in a row end the cluster.
const (
	settled = 5 * time.Second
	tries   = 5
)

// spawn starts this program with other arguments and keeps it running. Its standard output comes line by line; what nobody
// takes is dropped.
func (f *family) spawn(name string, vital bool, args []string) (<-chan string, error) {
	c := &child{name: name, args: args, vital: vital, lines: make(chan string, 1), done: make(chan struct{})}
	started := make(chan error)
	go func() {
		// The kernel's promise is bound to the thread that starts the child, which therefore stays until the child ends.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(c.done)
		err := f.begin(c)
		started <- err
		for again := err == nil; again; {
			began := time.Now()
			again = f.ended(c, c.cmd.Wait(), time.Since(began))
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	f.mu.Lock()
	f.children = append(f.children, c)
	f.mu.Unlock()
	return c.lines, nil
}

var errStopping = errors.New("the cluster stops")

// begin starts a life of a child.
func (f *family) begin(c *child) error {
	self, err := os.Executable()
	if err != nil {
		return errs.Wrap(err, "find this program")
	}
	cmd := exec.Command(self, c.args...)
	cmd.Env = append(environment(), cli.ParentPipe+"=1")
	cmd.Stderr = os.Stderr
	// A process group of its own: an interrupt at the terminal is for the parent, which drains its children.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if _, err = cmd.StdinPipe(); err != nil {
		return errs.Wrap(err, "start %s", c.name)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return errs.Wrap(err, "start %s", c.name)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.stopping {
		return errStopping
	}
	if err := cmd.Start(); err != nil {
		return errs.Wrap(err, "start %s", c.name)
	}
	c.cmd = cmd
	go f.listen(c, out)
	return nil
}

// listen hands on what a child prints.
func (f *family) listen(c *child, out io.Reader) {
	for s := bufio.NewScanner(out); s.Scan(); {
		f.mu.Lock()
		c.ready = true
		f.mu.Unlock()
		select {
		case c.lines <- s.Text():
		default:
		}
	}
}

// environment is this process's, without the flags that are for itself alone.
func environment() []string {
	var env []string
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "MILLRACE_") {
			env = append(env, e)
		}
	}
	return env
}

// ended looks at how a child's life ended, starts the next one, and reports whether there is one.
func (f *family) ended(c *child, err error, lived time.Duration) bool {
	f.mu.Lock()
	stopping, code := f.stopping, c.cmd.ProcessState.ExitCode()
	if c.quick++; lived >= settled {
		c.quick = 0
	}
	quick, hopeless := c.quick, c.vital && !c.ready
	f.mu.Unlock()
	switch {
	case stopping:
		return false
	case code == cli.WrongUse:
		f.failed <- cli.Code(cli.WrongUse, nil)
		return false
	case hopeless || quick >= tries:
		f.failed <- errs.Newf(errs.Internal, "%s ended: %v", c.name, err)
		return false
	}
	fmt.Fprintf(os.Stderr, "millrace: %s ended (%v); it is started again\n", c.name, err)
	time.Sleep(50 * time.Millisecond << quick)
	if err = f.begin(c); err != nil && !errors.Is(err, errStopping) {
		f.failed <- err
	}
	return err == nil
}

// stop has all children end, the coordinator by ending its queries and the workers by then having nothing to do, and kills
// those that take too long.
func (f *family) stop() {
	f.mu.Lock()
	f.stopping = true
	children := f.children
	for _, c := range children {
		_ = c.cmd.Process.Signal(syscall.SIGTERM)
	}
	f.mu.Unlock()
	end := time.After(stopGrace)
	for _, c := range children {
		select {
		case <-c.done:
		case <-end:
			_ = c.cmd.Process.Kill()
			<-c.done
			end = time.After(0)
		}
	}
}
