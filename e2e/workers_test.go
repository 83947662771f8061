package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// alone starts a coordinator without workers.
func alone(t *testing.T, args ...string) *cluster {
	t.Helper()
	c := launch(t, "coordinator", append([]string{"--dir", t.TempDir(), "--listen", "127.0.0.1:0", "--ui", "127.0.0.1:0"}, args...)...)
	t.Cleanup(c.stop)
	return c
}

// join is a worker's command; exe is its program.
func (c *cluster) join(exe string) *exec.Cmd {
	return exec.Command(exe, "--join", strings.TrimPrefix(c.Remote, "sc://"), "--dir", c.t.TempDir(), "--memory", "512MiB")
}

func TestNoWorker(t *testing.T) {
	c := alone(t, "--no-worker-timeout", "2s")
	if body, status := c.get("/readyz"); status != 503 || !strings.Contains(body, "no worker") {
		t.Errorf("readyz: status %d, %s", status, body)
	}
	began := time.Now()
	_, stderr, code := c.sql("SELECT sum(id) FROM range(1000)")
	if took := time.Since(began); code != 1 || !strings.HasPrefix(stderr, "[CLUSTER_NO_WORKER]") || !strings.Contains(stderr, "2s") || took < 2*time.Second {
		t.Errorf("after %v: exit code %d, %s", took, code, stderr)
	}
}

// TestWorkerJoinsLater has a job wait for the first worker, which then leaves in order.
func TestWorkerJoinsLater(t *testing.T) {
	c := alone(t, "--no-worker-timeout", "5m")
	type answer struct {
		stdout, stderr string
		code           int
	}
	answers := make(chan answer, 1)
	go func() {
		var a answer
		a.stdout, a.stderr, a.code = millrace("sql", "--remote", c.Remote, "-c", "SELECT sum(id) AS s FROM range(1000)", "--output", "csv")
		answers <- a
	}()
	await(t, "the query waits", func() bool { return c.metric("millrace_queries_running") > 0 })
	w := c.join(filepath.Join(root(), "bin", "worker"))
	w.Stderr = os.Stderr
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	if a := <-answers; a.code != 0 || a.stdout != "s\n499500\n" {
		t.Errorf("exit code %d, %s %s", a.code, a.stdout, a.stderr)
	}
	_ = w.Process.Signal(syscall.SIGTERM)
	if err := w.Wait(); err != nil {
		t.Errorf("the worker ended with %v", err)
	}
	await(t, "the worker has left", func() bool { return c.metric("millrace_workers") == 0 })
}

// TestWorkerOfAnotherVersion has one refused, with both versions named on both sides.
func TestWorkerOfAnotherVersion(t *testing.T) {
	exe := filepath.Join(t.TempDir(), "worker")
	build := exec.Command("go", "build", "-ldflags", "-X millrace/cluster.Version=v0.0.0-other", "-o", exe, "./cmd/worker")
	build.Dir = root()
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	c := alone(t)
	version, _, _ := millrace("version")
	version = strings.TrimSpace(strings.TrimPrefix(version, "millrace "))
	_, stderr, code := output(c.join(exe))
	if last := lastLine(stderr); code == 0 || !matches(last, []string{"CLUSTER_VERSION_MISMATCH", "v0.0.0-other", version}) {
		t.Errorf("exit code %d, %s", code, stderr)
	}
	c.stop()
	if log := c.stderr.String(); !matches(log, []string{"v0.0.0-other", version}) {
		t.Errorf("the coordinator logs\n%s", log)
	}
}

func lastLine(s string) string {
	s = strings.TrimSpace(s)
	return s[strings.LastIndexByte(s, '\n')+1:]
}
