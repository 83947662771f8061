package e2e

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const client = "4.2.0"

func root() string {
	dir, err := filepath.Abs("..")
	if err != nil {
		panic(err)
	}
	return dir
}

func TestMain(m *testing.M) {
	if os.Getenv("MILLRACE_E2E") == "" {
		fmt.Println("e2e: skipped; make e2e builds what it needs and runs it")
		return
	}
	os.Exit(m.Run())
}

// cluster is a running `millrace up`, or a coordinator alone.
type cluster struct {
	t      *testing.T
	cmd    *exec.Cmd
	Remote string
	UI     string
	stderr *bytes.Buffer
}

// up starts a cluster that the end of the test stops, and checks that it ends well.
func up(t *testing.T, args ...string) *cluster {
	t.Helper()
	c := start(t, t.TempDir(), args...)
	t.Cleanup(func() { c.stop() })
	return c
}

func start(t *testing.T, dir string, args ...string) *cluster {
	t.Helper()
	return launch(t, "millrace", append([]string{"up", "--dir", dir, "--port", "0", "--ui-port", "0"}, args...)...)
}

// launch starts a program of bin and waits for its ready line.
func launch(t *testing.T, name string, args ...string) *cluster {
	t.Helper()
	c := &cluster{t: t, stderr: &bytes.Buffer{}}
	c.cmd = program(name, args...)
	c.cmd.Stderr = c.stderr
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	words := strings.Fields(line)
	if err != nil || len(words) != 4 || words[0] != "ready" || words[2] != "ui" {
		_ = c.cmd.Process.Kill()
		t.Fatalf("the first line on stdout is %q (%v); stderr:\n%s", line, err, c.stderr)
	}
	c.Remote, c.UI = words[1], words[3]
	return c
}

func (c *cluster) stop() {
	c.t.Helper()
	if c.cmd.ProcessState != nil {
		return
	}
	_ = c.cmd.Process.Signal(syscall.SIGTERM)
	done := make(chan error, 1)
	go func() { done <- c.cmd.Wait() }()
	select {
	case err := <-done:
		if err != nil {
			c.t.Errorf("up ended with %v; stderr:\n%s", err, c.stderr)
		}
	case <-time.After(30 * time.Second):
		_ = c.cmd.Process.Kill()
		c.t.Errorf("up did not end within 30 s of SIGTERM; stderr:\n%s", c.stderr)
	}
	for _, p := range children(c.cmd.Process.Pid) {
		c.t.Errorf("the process %d (%s) is left", p, cmdline(p))
	}
}

// children lists the processes below pid whose command line has all the words.
func children(pid int, words ...string) []int {
	var out []int
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, f := range stats {
		b, err := os.ReadFile(f)
		if err != nil {
			continue
		}
		fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
		if len(fields) < 2 || fields[1] != strconv.Itoa(pid) {
			continue
		}
		p, _ := strconv.Atoi(filepath.Base(filepath.Dir(f)))
		if line := cmdline(p); matches(line, words) {
			out = append(out, p)
		}
		out = append(out, children(p, words...)...)
	}
	return out
}

func matches(line string, words []string) bool {
	for _, w := range words {
		if !strings.Contains(line, w) {
			return false
		}
	}
	return true
}

func cmdline(pid int) string {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	return strings.ReplaceAll(string(b), "\x00", " ")
}

func (c *cluster) workers() []int { return children(c.cmd.Process.Pid, "millrace worker ") }

// python runs a script of e2e/py with a client's version and gives its output; a failure fails the test.
func python(t *testing.T, version, script string, args ...string) string {
	t.Helper()
	out, err := tryPython(version, script, args...)
	if err != nil {
		t.Fatalf("%s with client %s: %v\n%s", script, version, err, tail(out))
	}
	return out
}

func tryPython(version, script string, args ...string) (string, error) {
	exe := filepath.Join(root(), ".cache", "venv-"+version, "bin", "python")
	if !filepath.IsAbs(script) {
		script = filepath.Join(root(), "e2e", "py", script)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, exe, append([]string{script}, args...)...)
	cmd.Env = append(os.Environ(), "PYTHONPATH="+filepath.Join(root(), "e2e", "py"))
	b, err := cmd.CombinedOutput()
	return string(b), err
}

func tail(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	if len(lines) > 40 {
		lines = lines[len(lines)-40:]
	}
	return strings.Join(lines, "\n")
}

// sql runs `millrace sql -c` and gives stdout, stderr and the exit code.
func (c *cluster) sql(statement string, args ...string) (stdout, stderr string, code int) {
	c.t.Helper()
	return millrace(append([]string{"sql", "--remote", c.Remote, "-c", statement}, args...)...)
}

func millrace(args ...string) (stdout, stderr string, code int) {
	return output(program("millrace", args...))
}

// program is a command of bin.
func program(name string, args ...string) *exec.Cmd {
	return exec.Command(filepath.Join(root(), "bin", name), args...)
}

// output runs a command to its end.
func output(cmd *exec.Cmd) (stdout, stderr string, code int) {
	var o, e bytes.Buffer
	cmd.Stdout, cmd.Stderr = &o, &e
	_ = cmd.Run()
	return o.String(), e.String(), cmd.ProcessState.ExitCode()
}

// get gives the body and the status of a page of the UI port.
func (c *cluster) get(path string) (string, int) {
	c.t.Helper()
	r, err := http.Get(c.UI + path)
	if err != nil {
		c.t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return string(body), r.StatusCode
}

// metric is the value of a metric that has no labels.
func (c *cluster) metric(name string) float64 {
	c.t.Helper()
	body, _ := c.get("/metrics")
	for line := range strings.Lines(body) {
		if v, ok := strings.CutPrefix(line, name+" "); ok {
			f, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
			if err != nil {
				c.t.Fatal(err)
			}
			return f
		}
	}
	c.t.Fatalf("there is no metric %s", name)
	return 0
}

// await waits until something is so.
func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it never happened: %s", what)
		}
	}
}

// haveSpark reports whether the real Spark has been set up for tests (bench/setup.sh spark).
func haveSpark() bool {
	_, err := os.Stat(filepath.Join(root(), ".cache", "spark-jars"))
	return err == nil
}

// spark runs a script of e2e/py in a classic Spark session with Delta Lake.
func spark(t *testing.T, script string, args ...string) string {
	t.Helper()
	if !haveSpark() {
		t.Skip("Spark is not set up; bench/setup.sh spark does it")
	}
	return python(t, "spark", script, args...)
}
