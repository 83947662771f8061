package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

// The tables of writers.py: one with deletion vectors, one without, one that is managed by the catalog, and one that is overwritten.
var writersTables = map[string]string{"a": "'delta.enableDeletionVectors' = 'true'", "b": "", "m": "'delta.enableDeletionVectors' = 'true', 'delta.feature.catalogManaged' = 'supported'", "o": ""}

// history is a run of writers.py against one cluster.
type history struct {
	t       *testing.T
	seed    uint64
	n       int    // operations of each writer
	place   string // where the tables are, for the cluster
	disk    string // and for the check
	foreign bool   // delta-rs writes, too
	c       *cluster
}

// newHistory takes the seed from MILLRACE_WRITERS_SEED, which repeats a run's operations, and the length from MILLRACE_WRITERS_OPS.
func newHistory(t *testing.T, n int) *history {
	h := &history{t: t, seed: uint64(time.Now().UnixNano()), n: n}
	if v, err := strconv.ParseUint(os.Getenv("MILLRACE_WRITERS_SEED"), 10, 64); err == nil {
		h.seed = v
	}
	if v, err := strconv.Atoi(os.Getenv("MILLRACE_WRITERS_OPS")); err == nil {
		h.n = v
	}
	t.Logf("seed %d", h.seed)
	return h
}

// TestWriters has writer processes, and delta-rs among them, run random operations and transactions over several tables, while the coordinator and
// workers are killed, the coordinator above all where a transaction has begun to be committed. delta-rs replays the logs row by row, the versions
// have to be those of registers, and readers must never see half of a transaction.
func TestWriters(t *testing.T) {
	h := newHistory(t, 36)
	h.disk = t.TempDir()
	h.place, h.foreign = h.disk, true
	h.run()
}

// TestWritersOnASlowStore is the same in a bucket behind a proxy that delays requests, refuses some, and loses the answers of others.
func TestWritersOnASlowStore(t *testing.T) {
	h := newHistory(t, 10)
	bucket := gateway(t)
	h.disk, h.place = filepath.Join(bucket, "w"), "s3://lake/w"
	store, err := url.Parse(os.Getenv("AWS_ENDPOINT_URL"))
	if err != nil {
		t.Fatal(err)
	}
	slow := httptest.NewServer(badNetwork(store, rand.New(rand.NewPCG(h.seed, 2))))
	t.Cleanup(slow.Close)
	t.Setenv("AWS_ENDPOINT_URL", slow.URL)
	h.run()
}

// badNetwork is a proxy before a store.
func badNetwork(store *url.URL, rng *rand.Rand) http.Handler {
	var mu sync.Mutex
	draw := func(n int) int { mu.Lock(); defer mu.Unlock(); return rng.IntN(n) }
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(store); r.Out.Host = r.In.Host }, // the signature holds for the name that the client knows
		ModifyResponse: func(r *http.Response) error {
			if draw(60) == 0 {
				return fmt.Errorf("the answer is lost")
			}
			return nil
		},
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch draw(40) {
		case 0:
			http.Error(w, "not now", http.StatusServiceUnavailable)
			return
		case 1, 2, 3:
			time.Sleep(time.Duration(draw(150)) * time.Millisecond)
		}
		proxy.ServeHTTP(w, r)
	})
}

func (h *history) run() {
	t := h.t
	h.c = up(t)
	for name, properties := range writersTables {
		statement := fmt.Sprintf("CREATE TABLE %s (id BIGINT, v BIGINT) USING delta LOCATION '%s/%s' TBLPROPERTIES (%s'delta.checkpointInterval' = '50')", name, h.place, name, comma(properties))
		if _, stderr, code := h.c.sql(statement); code != 0 {
			t.Fatal(stderr)
		}
		if name == "o" {
			continue
		}
		if _, stderr, code := h.c.sql(fmt.Sprintf("INSERT INTO %s SELECT -1 - id, 0 FROM range(8)", name)); code != 0 {
			t.Fatal(stderr)
		}
	}
	lines := h.write()
	h.published()
	at, undone := h.check(lines)
	h.register(lines, at)
	t.Logf("%d transactions were undone", undone)
}

func comma(s string) string {
	if s != "" {
		s += ", "
	}
	return s
}

// write runs the writers, the readers and the killer, and gives what the writers say.
func (h *history) write() string {
	t := h.t
	var lines bytes.Buffer
	var mu sync.Mutex
	var writers, reader sync.WaitGroup
	process := func(group *sync.WaitGroup, args ...string) {
		group.Go(func() {
			out, err := tryPython(client, "writers.py", args...)
			if err != nil {
				t.Errorf("seed %d: %v: %v\n%s", h.seed, args, err, tail(out))
			}
			mu.Lock()
			defer mu.Unlock()
			for line := range strings.Lines(out) { // the client logs there, too
				switch {
				case strings.HasPrefix(line, `{"id"`):
					lines.WriteString(line)
				case strings.HasPrefix(line, `{"reads"`):
					t.Log(strings.TrimSpace(line))
				}
			}
		})
	}
	stop := filepath.Join(t.TempDir(), "stop")
	process(&reader, "read", h.c.Remote, stop)
	for w := range 4 {
		process(&writers, "write", h.c.Remote, fmt.Sprint(h.seed), fmt.Sprint(w), fmt.Sprint(h.n))
	}
	if h.foreign {
		process(&writers, "foreign", h.tables(), fmt.Sprint(h.seed), fmt.Sprint(h.n/2))
	}
	done := make(chan struct{})
	go func() { writers.Wait(); close(done) }()
	h.kill(done)
	if err := os.WriteFile(stop, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	reader.Wait()
	return lines.String()
}

func (h *history) tables() string {
	places := map[string]string{}
	for name := range writersTables {
		places[name] = filepath.Join(h.disk, name)
	}
	b, err := json.Marshal(places)
	if err != nil {
		h.t.Fatal(err)
	}
	return string(b)
}

// kill kills processes while the writers work, once they have begun: workers and the coordinator now and then, and the coordinator shortly after a
// transaction of several tables has been written down.
func (h *history) kill(done <-chan struct{}) {
	rng := rand.New(rand.NewPCG(h.seed, 1))
	begun := func() []string {
		names, _ := filepath.Glob(filepath.Join(h.disk, "*", "_delta_log", "_intents", "*.json"))
		for i := range names {
			names[i] = filepath.Base(names[i])
		}
		return names
	}
	since := map[int]time.Time{} // when processes were first seen
	for _, p := range children(h.c.cmd.Process.Pid) {
		since[p] = time.Now().Add(-time.Minute)
	}
	ready := func(kind string) []int {
		p := children(h.c.cmd.Process.Pid, "millrace "+kind+" ")
		return slices.DeleteFunc(p, func(pid int) bool {
			if since[pid].IsZero() {
				since[pid] = time.Now()
			}
			return time.Since(since[pid]) < 5500*time.Millisecond // up gives up on one that dies young again and again
		})
	}
	deaths := map[string]int{}
	defer func() { h.t.Logf("killed: %v", deaths) }()
	strike := func(kind, when string) {
		if p := ready(kind); len(p) > 0 {
			_ = syscall.Kill(p[rng.IntN(len(p))], syscall.SIGKILL)
			deaths[kind+when]++
		}
	}
	seen := map[string]bool{}
	next := time.Now().Add(2 * time.Second)
	for {
		select {
		case <-done:
			return
		case <-time.After(3 * time.Millisecond):
		}
		if commits, _ := filepath.Glob(filepath.Join(h.disk, "a", "_delta_log", "*.json")); len(commits) < 4 {
			continue
		}
		for _, name := range begun() {
			if seen[name] {
				continue
			}
			if seen[name] = true; rng.IntN(2) == 0 {
				time.Sleep(time.Duration(rng.IntN(30_000)) * time.Microsecond)
				strike("coordinator", " in a transaction")
			}
		}
		if time.Now().After(next) {
			next = time.Now().Add(time.Second + time.Duration(rng.IntN(3000))*time.Millisecond)
			strike([]string{"worker", "worker", "worker", "coordinator"}[rng.IntN(4)], "")
		}
	}
}

// published waits until the managed table's commits are in its log by their own names, which needs no writer.
func (h *history) published() {
	var stdout string
	await(h.t, "the table's history", func() bool {
		var code int
		stdout, _, code = h.c.sql("DESCRIBE HISTORY m LIMIT 1", "--output", "csv")
		return code == 0
	})
	_, row, _ := strings.Cut(stdout, "\n")
	version, _, _ := strings.Cut(row, ",")
	v, err := strconv.Atoi(version)
	if err != nil {
		h.t.Fatalf("%v: %s", err, stdout)
	}
	await(h.t, "all ratified commits are published", func() bool {
		_, err := os.Stat(filepath.Join(h.disk, "m", "_delta_log", fmt.Sprintf("%020d.json", v)))
		return err == nil
	})
}

// check replays the logs, and gives the version of each operation in each of its tables.
func (h *history) check(lines string) (at map[string]map[string]int64, undone int) {
	exe := filepath.Join(root(), ".cache", "venv-"+client, "bin", "python")
	cmd := exec.Command(exe, filepath.Join(root(), "e2e", "py", "writers.py"), "check", h.tables())
	cmd.Stdin = strings.NewReader(lines)
	out, stderr, code := output(cmd)
	var found struct {
		At     map[string]map[string]int64
		Undone int
	}
	if err := json.Unmarshal([]byte(out), &found); err != nil || code != 0 {
		if dir, err := os.MkdirTemp("", "writers"); err == nil { // for looking into
			_ = os.CopyFS(dir, os.DirFS(h.disk))
			_ = os.WriteFile(filepath.Join(dir, "lines"), []byte(lines), 0o666)
			h.t.Logf("the tables are in %s", dir)
		}
		h.t.Fatalf("seed %d: exit code %d, %v: %s", h.seed, code, err, tail(stderr))
	}
	return found.At, found.Undone
}

// versions are those of all tables, in the order of their names; -1 where an operation is not about a table.
type versions [4]int64

// register checks that versions follow the order of time: what ended before another began has earlier versions, and transactions over the same
// tables have the same order in all of them.
func (h *history) register(lines string, at map[string]map[string]int64) {
	names := slices.Sorted(maps.Keys(writersTables))
	var ops []porcupine.Operation
	ends, several := map[string]int{}, 0
	for line := range strings.SplitSeq(strings.TrimSpace(lines), "\n") {
		var o struct {
			ID, End      string
			Began, Ended float64
			Parts        []struct{ Kind string }
		}
		if err := json.Unmarshal([]byte(line), &o); err != nil {
			h.t.Fatalf("%v: %s", err, line)
		}
		kind := o.Parts[0].Kind
		if len(o.Parts) > 1 {
			kind = "transaction"
		}
		ends[kind+" "+o.End]++
		found, ok := at[o.ID]
		if !ok {
			continue
		}
		if len(found) > 1 {
			several++
		}
		var in versions
		for i, name := range names {
			if in[i], ok = found[name]; !ok {
				in[i] = -1
			}
		}
		client, _ := strconv.Atoi(o.ID[1:strings.IndexByte(o.ID, '-')])
		ops = append(ops, porcupine.Operation{ClientId: client, Input: in, Call: int64(o.Began * 1e6), Return: int64(o.Ended * 1e6)})
	}
	model := porcupine.Model{Init: func() any { return versions{} }, Step: func(state, in, _ any) (bool, any) {
		now := state.(versions)
		for i, v := range in.(versions) {
			if v < 0 {
				continue
			}
			if v < now[i] { // a group shares a version; other versions are between
				return false, now
			}
			now[i] = v
		}
		return true, now
	}}
	if result := porcupine.CheckOperationsTimeout(model, ops, 5*time.Minute); result != porcupine.Ok {
		h.t.Errorf("seed %d: the versions are in another order than the operations: %s", h.seed, result)
	}
	h.t.Logf("%d operations are in the logs, %d of them in several tables: %v", len(at), several, ends)
}
