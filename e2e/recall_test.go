package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestOutcomeOfADeadCoordinator kills the coordinator as soon as a statement's version is in the log, before the client has the answer. The client sends the
// operation again by itself, as PySpark does, and must be told: what it is told was done has been done once, and what it is told was not has not been.
func TestOutcomeOfADeadCoordinator(t *testing.T) {
	c := up(t)
	dir := t.TempDir()
	create := func(name string) {
		t.Helper()
		for _, q := range []string{fmt.Sprintf("CREATE OR REPLACE TABLE %s (id BIGINT, v BIGINT) USING delta LOCATION '%s/%s' TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')", name, dir, name),
			fmt.Sprintf("INSERT OVERWRITE %s SELECT id, 0 FROM range(10)", name)} {
			await(t, q, func() bool { _, _, code := c.sql(q); return code == 0 }) // the workers may still be on their way back
		}
	}
	state := func() string {
		var out string
		await(t, "the tables can be read", func() bool {
			var code int
			out, _, code = c.sql("SELECT count(*) || ' ' || sum(a.v) || ' ' || (SELECT sum(b.v) FROM b) AS state FROM a", "--output", "csv")
			return code == 0
		})
		return strings.TrimSpace(strings.TrimPrefix(out, "state\n"))
	}

	for i, k := range []struct{ kind, after string }{
		{"insert", "11 1 0"}, {"write", "12 2 0"}, {"update", "10 5 0"}, {"delete", "9 0 0"}, {"merge", "11 2 0"}, {"overwrite", "10 10 0"}, {"column", "10 0 0"}, {"transaction", "10 1 -1"},
	} {
		warm := fmt.Sprint(i % 2)
		create("a")
		create("b")
		end := underKill(t, c, k.kind, warm, filepath.Join(dir, "a"))
		got, want := state(), "10 0 0"
		t.Logf("%s (warm %s): %s", k.kind, warm, end)
		if end == "done" {
			want = k.after
		} else if !strings.Contains(end, "SESSION_CHANGED") {
			t.Errorf("%s ended with %s", k.kind, end)
		}
		if got != want {
			t.Errorf("%s (warm %s) ended with %s, and the tables are %s, not %s", k.kind, warm, end, got, want)
		}
	}
	c.stop()
	recalled := strings.Count(c.stderr.String(), "an operation that a coordinator had committed before its end is answered")
	if recalled == 0 {
		t.Error("no coordinator died between a commit and its answer")
	}
	t.Logf("%d answers of 8 were given by another coordinator", recalled)
}

// underKill runs a statement of recall.py, and kills the coordinator when a new version is in the log of the table at path.
func underKill(t *testing.T, c *cluster, kind, warm, path string) string {
	t.Helper()
	before, _ := filepath.Glob(filepath.Join(path, "_delta_log", "0*.json"))
	next := filepath.Join(path, "_delta_log", fmt.Sprintf("%020d.json", len(before)))
	cmd := exec.Command(filepath.Join(root(), ".cache", "venv-"+client, "bin", "python"), filepath.Join(root(), "e2e", "py", "recall.py"), c.Remote, kind, warm, path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	coordinators := children(c.cmd.Process.Pid, "millrace coordinator ")
	lines := bufio.NewScanner(out)
	for lines.Scan() && lines.Text() != "go" {
	}
	go func() {
		for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(50 * time.Microsecond) {
			if _, err := os.Lstat(next); err == nil {
				for _, p := range coordinators {
					_ = syscall.Kill(p, syscall.SIGKILL)
				}
				return
			}
		}
	}()
	var answer struct{ End string }
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), `{"end"`) {
			if err := json.Unmarshal(lines.Bytes(), &answer); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Wait()
	time.Sleep(5 * time.Second) // up gives up on a coordinator that dies young again and again
	return answer.End
}
