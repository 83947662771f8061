package python

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"millrace/errs"
)

// Batch says how to run a function of foreachBatch.
type Batch struct {
	Executable string
	Version    string // major.minor of the Python that made Function
	Function   []byte // cloudpickle of func(frame, batch id)
	Session    string // id of the client's session, to which the process connects as another client
	User       string // its user, for messages
	// Remote is the service's address as Spark Connect's clients write it, with its parameters: sc://host:port/;user_id=ann
	Remote string
	Env    []string
	// Files are modules and archives that the function may import, by their names.
	Files map[string]string
	Log   *slog.Logger
}

// startTimeout is how long a process may take to connect back: importing PySpark is slow on a busy machine.
const startTimeout = 2 * time.Minute

// exception is what a worker sends in front of a traceback.
const exception = -2

// Worker is a process with a function of foreachBatch. Run and Close may be called from different goroutines; one batch runs at a time.
type Worker struct {
	b      Batch
	dir    string
	cmd    *exec.Cmd
	exited chan struct{}
	output *tail

	running sync.Mutex
	conn    net.Conn
	wire    wire
	close   sync.Once
}

// StartBatch starts the process and hands it the function. Its errors: an executable that does not start or cannot unpickle.
func StartBatch(ctx context.Context, b Batch) (*Worker, error) {
	dir, err := os.MkdirTemp("", "millrace-python-")
	if err != nil {
		return nil, errs.Wrap(err, "start Python")
	}
	w := &Worker{b: b, dir: dir, exited: make(chan struct{}), output: &tail{log: b.Log, what: "foreachBatch"}}
	if err := w.start(ctx); err != nil {
		w.Close()
		return nil, err
	}
	return w, nil
}

func (w *Worker) start(ctx context.Context) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return errs.Wrap(err, "start Python")
	}
	defer listener.Close() // one process connects
	secret := rand.Text()
	path, err := w.copyFiles()
	if err != nil {
		return errs.Wrap(err, "start Python")
	}
	w.cmd = exec.Command(w.b.Executable, "-m", "pyspark.sql.connect.streaming.worker.foreach_batch_worker")
	w.cmd.Dir = w.dir
	w.cmd.Env = append(environment(), "SPARK_HOME="+w.dir, "PYTHONUNBUFFERED=YES", "SPARK_CONNECT_LOCAL_URL="+w.b.Remote, "PYTHONPATH="+path,
		"PYTHON_WORKER_FACTORY_PORT="+strconv.Itoa(listener.Addr().(*net.TCPAddr).Port), "PYTHON_WORKER_FACTORY_SECRET="+secret)
	w.cmd.Env = append(w.cmd.Env, w.b.Env...)
	w.cmd.Stdout, w.cmd.Stderr = w.output, w.output
	w.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := w.cmd.Start(); err != nil {
		return errs.Newf(errs.Invalid, "Python worker failed to start: %v", err)
	}
	go func() {
		_ = w.cmd.Wait() // how it ended does not matter: it is always killed or gone by itself
		close(w.exited)
	}()
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if err := w.accept(ctx, listener, secret); err != nil {
		return err
	}
	return w.guarded(ctx, w.handOver)
}

// environment is the server's without what would make PySpark think that it runs somewhere else.
func environment() []string {
	var env []string
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "SPARK_") && !strings.HasPrefix(kv, "PYTHON_WORKER_FACTORY_") && !strings.HasPrefix(kv, "PYTHONPATH=") {
			env = append(env, kv)
		}
	}
	return env
}

// copyFiles puts the client's modules where the process imports from and gives its PYTHONPATH.
func (w *Worker) copyFiles() (string, error) {
	path := []string{w.dir}
	for name, from := range w.b.Files {
		to := filepath.Join(w.dir, filepath.Base(name))
		data, err := os.ReadFile(from)
		if err != nil {
			return "", err
		}
		if err := os.WriteFile(to, data, 0o600); err != nil {
			return "", err
		}
		if !strings.HasSuffix(name, ".py") {
			path = append(path, to)
		}
	}
	if own := os.Getenv("PYTHONPATH"); own != "" {
		path = append(path, own)
	}
	return strings.Join(path, string(os.PathListSeparator)), nil
}

// accept waits for the process to connect and to show the secret.
func (w *Worker) accept(ctx context.Context, listener net.Listener, secret string) error {
	stop := context.AfterFunc(ctx, func() { listener.Close() })
	defer stop()
	go func() { // a process that has died connects no more
		<-w.exited
		listener.Close()
	}()
	conn, err := listener.Accept()
	if err != nil {
		if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.DeadlineExceeded) {
			return cause
		}
		return w.lost("connect back")
	}
	w.conn, w.wire = conn, newWire(conn)
	return w.guarded(ctx, func() error {
		shown, err := w.wire.text()
		if err != nil {
			return err
		}
		if subtle.ConstantTimeCompare([]byte(shown), []byte(secret)) != 1 {
			return fmt.Errorf("the process that connected is not the one that was started")
		}
		if err := w.wire.putText("ok"); err != nil {
			return err
		}
		if err := w.wire.flush(); err != nil {
			return err
		}
		_, err = w.wire.int() // its process id
		return err
	})
}

// handOver sends what the function needs and waits until it is unpickled.
func (w *Worker) handOver() error {
	for _, put := range []error{w.wire.putText(w.b.Version), w.wire.putText(w.b.Session), w.wire.putBytes(w.b.Function), w.wire.flush()} {
		if put != nil {
			return put
		}
	}
	return w.answer()
}

// Run calls the function with a frame that the session keeps under an id. An exception in it is the condition PYTHON_EXCEPTION with the
// traceback. When ctx ends the process is killed and the worker is of no more use.
func (w *Worker) Run(ctx context.Context, frame string, batch int64) error {
	w.running.Lock()
	defer w.running.Unlock()
	return w.guarded(ctx, func() error {
		for _, put := range []error{w.wire.putText(frame), w.wire.putLong(batch), w.wire.flush()} {
			if put != nil {
				return put
			}
		}
		return w.answer()
	})
}

// answer reads whether all went well.
func (w *Worker) answer() error {
	code, err := w.wire.int()
	switch {
	case err != nil:
		return err
	case code == exception:
		trace, err := w.wire.text()
		if err != nil {
			return err
		}
		return errs.New("PYTHON_EXCEPTION", "traceback", trace,
			"msg", fmt.Sprintf("[session: %s] [userId: %s] Found error inside foreachBatch Python process", w.b.Session, w.b.User))
	case code != 0:
		return fmt.Errorf("the Python process answered %d", code)
	}
	return nil
}

// guarded runs a conversation with the process; when ctx ends the process is killed, which ends it.
func (w *Worker) guarded(ctx context.Context, talk func() error) error {
	stop := context.AfterFunc(ctx, w.kill)
	err := talk()
	if !stop() && ctx.Err() != nil && !errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
		return context.Cause(ctx)
	}
	if err != nil && errs.ConditionOf(err) == "" {
		return w.lost(err.Error())
	}
	return err
}

// lost is the error of a process that has gone or talks nonsense, with the last that it said.
func (w *Worker) lost(doing string) error {
	text := "Python worker failed to " + doing + "."
	if doing != "connect back" {
		text = "Python worker exited unexpectedly (" + doing + ")."
	}
	w.kill()
	select {
	case <-w.exited: // all its output is there
	case <-time.After(5 * time.Second):
	}
	return gone(text, w.output)
}

// gone is the error of a process that has gone, with the last that it printed.
func gone(text string, output *tail) error {
	if said := output.last(); said != "" {
		text += " Its last output:\n" + said
	}
	e := errs.Newf(errs.Invalid, "%s", text)
	e.Class = errs.ClassSpark
	return e
}

// kill ends the process and what it has started. It is not asked to end by itself: a client that exits drops its session's models.
func (w *Worker) kill() {
	if w.cmd != nil && w.cmd.Process != nil {
		select {
		case <-w.exited:
		default:
			syscall.Kill(-w.cmd.Process.Pid, syscall.SIGKILL) // it may have just gone
		}
	}
	if w.conn != nil {
		w.conn.Close()
	}
}

// Close ends the process.
func (w *Worker) Close() {
	w.close.Do(func() {
		w.kill()
		if w.cmd != nil && w.cmd.Process != nil {
			<-w.exited
		}
		os.RemoveAll(w.dir) // a temporary directory
	})
}

// tail logs what a process prints, by lines, and keeps the last of it.
type tail struct {
	log  *slog.Logger
	what string // prints

	mu   sync.Mutex
	part []byte
	text []byte
}

const keptOutput = 4096

var _ io.Writer = (*tail)(nil)

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if n := len(t.text) - keptOutput; n > 0 {
		t.text = append(t.text[:0], t.text[n:]...)
	}
	t.part = append(t.part, p...)
	for t.log != nil {
		n, line, err := bufio.ScanLines(t.part, false)
		if err != nil || n == 0 {
			break
		}
		t.log.Info(t.what, "output", string(line))
		t.part = t.part[n:]
	}
	if len(t.part) > keptOutput {
		t.part = nil
	}
	return len(p), nil
}

func (t *tail) last() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(strings.ToValidUTF8(string(t.text), ""))
}
