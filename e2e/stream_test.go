package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// kills is how many processes TestStreamSurvivesKills kills.
func kills(t *testing.T) int {
	text := os.Getenv("MILLRACE_KILLS")
	if text == "" {
		return 10
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("MILLRACE_KILLS is no number: %s", text)
	}
	return n
}

// quickDeaths is how often a process is killed soon after it was started before it is left alone for a while: millrace up gives up on one
// that dies at once again and again.
const quickDeaths = 3

// TestStreamSurvivesKills kills the coordinator or the worker, again and again and at any moment, while delta-rs writes into the table that
// a stream reads. In the end each row is in the sink once.
func TestStreamSurvivesKills(t *testing.T) {
	c := up(t)
	dir := t.TempDir()
	src, sink, stop := filepath.Join(dir, "src"), filepath.Join(dir, "sink"), filepath.Join(dir, "stop")
	python(t, client, "stream.py", "seed", src)
	id := lastLine(python(t, client, "stream.py", "start", c.Remote, src, sink))
	writer := exec.Command(filepath.Join(root(), ".cache", "venv-"+client, "bin", "python"), filepath.Join(root(), "e2e", "py", "stream.py"), "write", src, stop)
	out := &strings.Builder{}
	writer.Stdout, writer.Stderr = out, os.Stderr
	if err := writer.Start(); err != nil {
		t.Fatal(err)
	}
	died, quick := map[string]int{}, map[string]int{}
	for range kills(t) {
		time.Sleep(time.Duration(100+rand.IntN(1500)) * time.Millisecond)
		what := []string{"worker", "coordinator"}[rand.IntN(2)]
		if quick[what]++; quick[what] > quickDeaths {
			time.Sleep(6 * time.Second)
			quick = map[string]int{what: 1}
		}
		for _, p := range children(c.cmd.Process.Pid, "millrace "+what+" ") {
			if err := syscall.Kill(p, syscall.SIGKILL); err == nil {
				died[what]++
			}
		}
	}
	if err := os.WriteFile(stop, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := writer.Wait(); err != nil {
		t.Fatalf("the writer: %v\n%s", err, out)
	}
	n, err := strconv.Atoi(strings.TrimSpace(out.String()))
	if err != nil {
		t.Fatalf("the writer said %q", out)
	}
	want := fmt.Sprint(n, " ", n, " ", n*(n-1)/2)
	if got := lastLine(python(t, client, "stream.py", "check", sink, strconv.Itoa(n), "90")); got != want {
		t.Errorf("the sink has %s (rows, distinct ids, sum of ids), want %s; killed %v; stderr:\n%s", got, want, died, c.stderr)
	}
	want = fmt.Sprint(n, " ", n*(n-1)/2, " ", 7)
	if got := lastLine(python(t, client, "stream.py", "sums", sink, strconv.Itoa(n), "90")); got != want {
		t.Errorf("the running sums are %s (rows, sum of ids, groups), want %s; killed %v; stderr:\n%s", got, want, died, c.stderr)
	}
	if got := python(t, client, "stream.py", "active", c.Remote); !strings.Contains(got, id) || len(strings.Fields(got)) != 2 {
		t.Errorf("the queries that run are %q, want two and among them %q", got, id)
	}
	python(t, client, "stream.py", "stop", c.Remote)
	t.Logf("%d rows, killed %v", n, died)
}

// TestStreamChangesHands lets Spark and millrace run one stream from one checkpoint in turns.
func TestStreamChangesHands(t *testing.T) {
	if !haveSpark() {
		t.Skip("Spark is not set up; bench/setup.sh spark does it")
	}
	c := up(t)
	dir := t.TempDir()
	src, sink := filepath.Join(dir, "src"), filepath.Join(dir, "sink")
	python(t, client, "stream.py", "seed", src)
	total := 100
	for i, who := range []string{c.Remote, "spark", c.Remote} {
		version := client
		if who == "spark" {
			version = "spark"
		}
		python(t, version, "stream.py", "drain", who, src, sink)
		if got, want := lastLine(python(t, client, "stream.py", "check", sink, strconv.Itoa(total), "1")), fmt.Sprint(total, " ", total, " ", total*(total-1)/2); got != want {
			t.Fatalf("after run %d, of %s: %s, want %s", i, who, got, want)
		}
		python(t, client, "stream.py", "append", src, strconv.Itoa(total))
		total += 50
	}
}
