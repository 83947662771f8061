package python

import (
	"bufio"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"millrace/errs"
)

//go:embed serve.py
var serve string

// Pool keeps a warm process for each executable, whose children run tasks. It is safe for concurrent use.
type Pool struct {
	Log *slog.Logger

	mu      sync.Mutex
	dir     string
	servers map[string]*server
	closed  bool
}

// server is a warm process.
type server struct {
	ready chan struct{} // closed when the process listens or has failed
	err   error
	path  string // of its socket
	cmd   *exec.Cmd
	mu    sync.Mutex
	stdin io.WriteCloser
	said  *tail
	gone  chan struct{}
}

// File is a module or an archive that functions may import.
type File struct {
	Name string
	Data []byte
}

// Request tells a process what it is to do.
type Request struct {
	Python    string            `json:"python"` // major.minor of the Python that made the functions
	Eval      int               `json:"eval"`   // PySpark's PythonEvalType
	Stage     int               `json:"stage"`
	Partition int               `json:"partition"`
	Attempt   int               `json:"attempt"`
	Conf      map[string]string `json:"conf"`      // Spark's settings that workers look at
	EvalConf  map[string]string `json:"eval_conf"` // and what goes with the kind of functions
	Env       map[string]string `json:"env"`
	Input     string            `json:"input"`   // Spark's JSON of the type of a row of arguments
	Outputs   []string          `json:"outputs"` // and of each function's results
	Functions []Function        `json:"functions"`
	Files     []File            `json:"-"`

	Dir      string   `json:"dir"` // where Files are
	Includes []string `json:"includes"`
}

// Function is a chain of functions, each of the result of the one before, and where the first one's arguments are.
type Function struct {
	Commands [][]byte `json:"commands"` // cloudpickle of (function, its results' type)
	Args     []Arg    `json:"args"`
}

// Arg is an argument: a column of the input, by name where Name is not empty.
type Arg struct {
	Offset int
	Name   string
}

// MarshalJSON implements json.Marshaler.
func (a Arg) MarshalJSON() ([]byte, error) {
	if a.Name == "" {
		return json.Marshal([]any{a.Offset, nil})
	}
	return json.Marshal([]any{a.Offset, a.Name})
}

// Task is a process that runs functions. Input and Output are for two goroutines; Close may be called from any.
type Task struct {
	s    *server
	conn *net.UnixConn
	in   *bufio.Writer
	wire wire
	pid  int32
	said *tail
	read chan struct{} // closed when all that the process prints was read
	once sync.Once
	stop func() bool
	ctx  context.Context
}

// Start makes a process for a task. When ctx ends it is killed.
func (p *Pool) Start(ctx context.Context, executable string, r Request) (*Task, error) {
	s, err := p.server(ctx, executable)
	if err != nil {
		return nil, err
	}
	if err := p.put(&r); err != nil {
		return nil, errs.Wrap(err, "keep the files of a Python function")
	}
	t, err := p.connect(ctx, s, r)
	if err != nil {
		return nil, errs.Wrap(err, "start a Python task")
	}
	return t, nil
}

func (p *Pool) connect(ctx context.Context, s *server, r Request) (*Task, error) {
	body, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: s.path, Net: "unix"})
	if err != nil {
		return nil, err
	}
	read, write, err := os.Pipe()
	if err != nil {
		conn.Close()
		return nil, err
	}
	t := &Task{s: s, conn: conn, in: bufio.NewWriterSize(conn, 1<<16), wire: newWire(conn), said: &tail{log: p.Log, what: "Python function"}, read: make(chan struct{}), ctx: ctx}
	_, _, err = conn.WriteMsgUnix([]byte{0}, syscall.UnixRights(int(write.Fd())), nil)
	write.Close()
	go func() {
		_, _ = io.Copy(t.said, read) // it ends with the processes that print
		read.Close()
		close(t.read)
	}()
	t.stop = context.AfterFunc(ctx, t.kill)
	if err == nil {
		_, err = t.in.Write(binary.BigEndian.AppendUint32(nil, uint32(len(body))))
	}
	if err == nil {
		_, err = t.in.Write(body)
	}
	if err == nil {
		err = t.in.Flush()
	}
	if err == nil {
		t.pid, err = t.wire.int()
	}
	if err != nil {
		t.Close()
		return nil, t.Lost(err)
	}
	return t, nil
}

// Input is what the functions are given, in PySpark's framing.
func (t *Task) Input() *bufio.Writer { return t.in }

// End says that the input is complete.
func (t *Task) End() error {
	const endOfStream = -4
	if _, err := t.in.Write(binary.BigEndian.AppendUint32(nil, uint32(0x1_0000_0000+endOfStream))); err != nil {
		return err
	}
	return t.in.Flush()
}

// What comes next in the output of a task.
const (
	arrowStream = -6
	timing      = -3
	endOfData   = -1
)

// Next reads up to the next Arrow stream: true, and Output begins with it; or to the end. A function's exception is the condition PYTHON_EXCEPTION.
func (t *Task) Next() (bool, error) {
	code, err := t.wire.int()
	switch {
	case err != nil:
		return false, t.Lost(err)
	case code == arrowStream:
		return true, nil
	case code == exception:
		trace, err := t.wire.text()
		if err != nil {
			return false, t.Lost(err)
		}
		return false, errs.New("PYTHON_EXCEPTION", "traceback", trace, "msg", "An exception was thrown from the Python worker")
	case code == timing, code == endOfData:
		return false, nil
	}
	return false, t.Lost(fmt.Errorf("it answered %d", code))
}

// Output is what comes after Next has said that an Arrow stream comes.
func (t *Task) Output() io.Reader { return t.wire.r }

// Lost is the error of a process that has gone or talks nonsense, with the last that it printed.
func (t *Task) Lost(err error) error {
	if cause := context.Cause(t.ctx); cause != nil {
		return cause
	}
	t.kill()
	select {
	case <-t.read:
	case <-time.After(time.Second):
	}
	text := "Python worker exited unexpectedly (crashed)."
	if !errors.Is(err, io.EOF) {
		text = fmt.Sprintf("Python worker exited unexpectedly (crashed): %v.", err)
	}
	return gone(text, t.said)
}

func (t *Task) kill() {
	if t.pid > 0 {
		t.s.mu.Lock()
		_, _ = fmt.Fprintf(t.s.stdin, "%d\n", t.pid) // a server that has gone has taken its children with it
		t.s.mu.Unlock()
	}
	t.conn.Close()
}

// Close ends the process.
func (t *Task) Close() {
	t.once.Do(func() {
		t.stop()
		t.kill()
	})
}

// server is the warm process of an executable; the first who asks for it starts it.
func (p *Pool) server(ctx context.Context, executable string) (*server, error) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, errs.Newf(errs.Lost, "The worker stops.")
	}
	s := p.servers[executable]
	if s != nil && s.dead() {
		s.close()
		s = nil
	}
	if s == nil {
		s = &server{ready: make(chan struct{}), gone: make(chan struct{}), said: &tail{log: p.Log, what: "Python"}}
		if p.servers == nil {
			p.servers = map[string]*server{}
		}
		p.servers[executable] = s
		if p.dir == "" {
			p.dir, s.err = os.MkdirTemp("", "millrace-python-")
		}
		if s.err == nil {
			s.path = filepath.Join(p.dir, fmt.Sprintf("%d.sock", time.Now().UnixNano()))
			go s.start(executable)
		} else {
			close(s.ready)
			close(s.gone)
		}
	}
	p.mu.Unlock()
	select {
	case <-s.ready:
		return s, s.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (s *server) dead() bool {
	select {
	case <-s.gone:
		return true
	default:
		return false
	}
}

// start runs the process until it listens.
func (s *server) start(executable string) {
	defer close(s.ready)
	fail := func(err error) {
		s.err = errs.Newf(errs.Invalid, "Python worker failed to start: %v", err)
		if said := s.said.last(); said != "" {
			s.err = errs.Newf(errs.Invalid, "Python worker failed to start: %v. Its last output:\n%s", err, said)
		}
	}
	cmd := exec.Command(executable, "-c", serve, s.path)
	cmd.Env = append(environment(), "PYTHONUNBUFFERED=YES", "SPARK_PYTHON_RUNTIME=PYTHON_WORKER", "SPARK_SIMPLIFIED_TRACEBACK=True")
	if own := os.Getenv("PYTHONPATH"); own != "" {
		cmd.Env = append(cmd.Env, "PYTHONPATH="+own)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Stderr = s.said
	stdin, err := cmd.StdinPipe()
	if err == nil {
		s.stdin = stdin
		var out io.ReadCloser
		if out, err = cmd.StdoutPipe(); err == nil {
			if err = cmd.Start(); err == nil {
				s.cmd = cmd
				timer := time.AfterFunc(startTimeout, s.close)
				line, bad := bufio.NewReader(out).ReadString('\n')
				timer.Stop()
				go func() {
					_ = cmd.Wait() // how it ends does not matter: it is killed or its tasks fail
					close(s.gone)
				}()
				if bad != nil || strings.TrimSpace(line) != "ready" {
					s.close()
					<-s.gone
					fail(fmt.Errorf("it does not answer"))
				}
				return
			}
		}
	}
	close(s.gone)
	fail(err)
}

// close ends the process and all of its children.
func (s *server) close() {
	if s.cmd != nil && s.cmd.Process != nil && !s.dead() {
		syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL) // it may have just gone
	}
}

// put writes the files of a request where its functions import from. Files of the same content are written once.
func (p *Pool) put(r *Request) error {
	h := sha256.New()
	for _, f := range r.Files {
		fmt.Fprintf(h, "%d %s %d ", len(f.Name), f.Name, len(f.Data))
		h.Write(f.Data)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	r.Dir, r.Includes = filepath.Join(p.dir, hex.EncodeToString(h.Sum(nil)[:16])), []string{}
	for _, f := range r.Files {
		if !strings.HasSuffix(f.Name, ".py") {
			r.Includes = append(r.Includes, filepath.Base(f.Name))
		}
	}
	if _, err := os.Stat(r.Dir); err == nil {
		return nil
	}
	next := r.Dir + ".new"
	if err := os.MkdirAll(next, 0o700); err != nil {
		return err
	}
	for _, f := range r.Files {
		if err := os.WriteFile(filepath.Join(next, filepath.Base(f.Name)), f.Data, 0o600); err != nil {
			return err
		}
	}
	return os.Rename(next, r.Dir)
}

// Close ends all processes.
func (p *Pool) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, s := range p.servers {
		<-s.ready
		s.close()
		<-s.gone
	}
	if p.dir != "" {
		os.RemoveAll(p.dir) // a temporary directory
	}
}
