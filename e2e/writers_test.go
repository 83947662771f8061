package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

// operation is a line of writers.py.
type operation struct {
	ID, Kind, End string
	Began, Ended  float64
}

// TestWriters has writer processes run random operations on a table with deletion vectors while the coordinator and workers are killed.
// delta-rs replays the log row by row, and the versions have to be those of a register. MILLRACE_WRITERS_OPS makes it longer, and
// MILLRACE_WRITERS_SEED repeats a run's operations.
func TestWriters(t *testing.T) {
	seed, n := uint64(time.Now().UnixNano()), 40
	if v, err := strconv.ParseUint(os.Getenv("MILLRACE_WRITERS_SEED"), 10, 64); err == nil {
		seed = v
	}
	if v, err := strconv.Atoi(os.Getenv("MILLRACE_WRITERS_OPS")); err == nil {
		n = v
	}
	t.Logf("seed %d", seed)
	c := up(t)
	path := filepath.Join(t.TempDir(), "t")
	if _, stderr, code := c.sql(fmt.Sprintf("CREATE TABLE writers (id BIGINT, v BIGINT) USING delta LOCATION '%s' TBLPROPERTIES ('delta.enableDeletionVectors' = 'true', 'delta.checkpointInterval' = '1000000')", path)); code != 0 {
		t.Fatal(stderr)
	}
	var lines bytes.Buffer
	var mu sync.Mutex
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			out, err := tryPython(client, "writers.py", c.Remote, path, "write", fmt.Sprint(seed), fmt.Sprint(w), fmt.Sprint(n))
			if err != nil {
				t.Errorf("writer %d: %v", w, err)
			}
			mu.Lock()
			defer mu.Unlock()
			for line := range strings.Lines(out) { // the client logs there, too
				if strings.HasPrefix(line, `{"id"`) {
					lines.WriteString(line)
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	kill(t, c, rand.New(rand.NewPCG(seed, 1)), done, path)
	exe := filepath.Join(root(), ".cache", "venv-"+client, "bin", "python")
	cmd := exec.Command(exe, filepath.Join(root(), "e2e", "py", "writers.py"), c.Remote, path, "check")
	cmd.Stdin = bytes.NewReader(lines.Bytes())
	out, stderr, code := output(cmd)
	at := map[string]int64{}
	if err := json.Unmarshal([]byte(out), &at); err != nil || code != 0 {
		t.Fatalf("seed %d: exit code %d, %v: %s", seed, code, err, tail(stderr))
	}
	register(t, seed, lines.String(), at)
}

// kill kills workers and the coordinator at random while the writers work, once they have begun.
func kill(t *testing.T, c *cluster, rng *rand.Rand, done <-chan struct{}, path string) {
	victims := []string{"millrace worker ", "millrace coordinator ", "millrace worker "}
	for i := 0; ; i++ {
		select {
		case <-done:
			return
		case <-time.After(800*time.Millisecond + time.Duration(rng.IntN(1500))*time.Millisecond):
		}
		if commits, _ := filepath.Glob(filepath.Join(path, "_delta_log", "*.json")); len(commits) < 4 || i > 12 {
			continue
		}
		if p := children(c.cmd.Process.Pid, victims[i%3]); len(p) > 0 {
			t.Logf("kill %s", victims[i%3])
			_ = syscall.Kill(p[rng.IntN(len(p))], syscall.SIGKILL)
		}
	}
}

// register checks that versions follow the order of time: what ended before another began has an earlier version.
func register(t *testing.T, seed uint64, lines string, at map[string]int64) {
	var history []porcupine.Operation
	ends := map[string]int{}
	for line := range strings.SplitSeq(strings.TrimSpace(lines), "\n") {
		var o operation
		if err := json.Unmarshal([]byte(line), &o); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		ends[o.Kind+" "+o.End]++
		if v, ok := at[o.ID]; ok {
			client, _ := strconv.Atoi(o.ID[1:strings.IndexByte(o.ID, '-')])
			history = append(history, porcupine.Operation{ClientId: client, Input: v, Call: int64(o.Began * 1e6), Return: int64(o.Ended * 1e6)})
		}
	}
	model := porcupine.Model{Init: func() any { return int64(0) }, Step: func(state, in, _ any) (bool, any) {
		return in.(int64) >= state.(int64), in // a group shares a version; other versions are between
	}}
	if !porcupine.CheckOperations(model, history) {
		t.Errorf("seed %d: the versions are in another order than the operations", seed)
	}
	t.Logf("%d versions: %v", len(at), ends)
}
