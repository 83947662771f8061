package main

import (
	"bufio"
	"context"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"millrace/cluster"
	"millrace/errs"
	"millrace/planconv"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/scheduler"
	"millrace/scheduler/driver"
	"millrace/shuffle"
	"millrace/types"
	"millrace/vector"
)

// TestMain makes this binary the program itself when it is started as one.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && (os.Args[1] == "up" || os.Args[1] == "coordinator" || os.Args[1] == "worker" || os.Args[1] == "version") {
		main()
	}
	os.Exit(m.Run())
}

// program starts this program; its standard output comes line by line.
func program(t *testing.T, args ...string) (*exec.Cmd, <-chan string) {
	t.Helper()
	c := exec.Command(os.Args[0], args...)
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Process.Kill(); c.Wait() })
	lines := make(chan string, 16)
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			lines <- s.Text()
		}
	}()
	return c, lines
}

// descendants are the processes whose command line names dir.
func descendants(dir string) (pids []string) {
	list, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, f := range list {
		if b, err := os.ReadFile(f); err == nil && strings.Contains(string(b), dir) {
			pids = append(pids, filepath.Base(filepath.Dir(f)))
		}
	}
	return pids
}

func files(t *testing.T, dir string) (list []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			list = append(list, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it never happened: %s", what)
		}
	}
}

func TestUpAndDown(t *testing.T) {
	dir := t.TempDir()
	begin := time.Now()
	c, lines := program(t, "up", "--dir", dir, "--port", "0", "--ui-port", "0", "--unsafe-no-fsync")
	line := <-lines
	t.Logf("ready after %v", time.Since(begin))
	var port, ui int
	if n, err := fmt.Sscanf(line, "ready sc://127.0.0.1:%d ui http://127.0.0.1:%d", &port, &ui); n != 2 || err != nil {
		t.Fatalf("the ready line is %q", line)
	}
	r, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/readyz", ui))
	if err != nil || r.StatusCode != http.StatusOK {
		t.Errorf("readyz: %v %v", r, err)
	}
	if n := len(descendants(dir)); n != 4 {
		t.Errorf("%d processes run, not 4", n)
	}
	c.Process.Signal(syscall.SIGTERM)
	if err := c.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	if extra, more := <-lines; more {
		t.Errorf("another line on stdout: %q", extra)
	}
	if left := descendants(dir); len(left) > 0 {
		t.Errorf("processes are left: %v", left)
	}
	for _, f := range files(t, dir) {
		if strings.Contains(f, "worker-") {
			t.Errorf("a worker left %s", f)
		}
	}
}

func TestChildrenDieWithTheParent(t *testing.T) {
	dir := t.TempDir()
	c, lines := program(t, "up", "--dir", dir, "--port", "0", "--ui-port", "0", "--unsafe-no-fsync")
	<-lines
	c.Process.Kill()
	c.Wait()
	await(t, "all children are gone", func() bool { return len(descendants(dir)) == 0 })
}

func TestWrongUse(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"up", "--dir", filepath.Join(file, "below")}, {"up", "--frob"}, {"up", "--worker-memory", "lots"},
		{"worker", "--dir", t.TempDir()}, {"worker", "--join", "127.0.0.1:1", "--dir", filepath.Join(file, "below")}} {
		c := exec.Command(os.Args[0], args...)
		var stderr strings.Builder
		c.Stderr = &stderr
		c.Run()
		if code, text := c.ProcessState.ExitCode(), stderr.String(); code != 2 || strings.Count(text, "\n") != 1 {
			t.Errorf("%v: exit code %d, stderr %q", args, code, text)
		}
	}
}

// gather is a driver in this process for workers in others.
func gather(t *testing.T) (*driver.Driver, string) {
	t.Helper()
	l, err := cluster.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := driver.New(driver.Config{ID: "c", Version: cluster.Version, Dial: []grpc.DialOption{grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(shuffle.MaxMessage))}})
	m, err := cluster.Start(cluster.Config{Listener: l, Self: cluster.Member{ID: "c", Role: cluster.Coordinator, Address: l.Address(""), Version: cluster.Version},
		Joined: func(m cluster.Member) { d.Join(m.ID, m.Address) }, Left: func(m cluster.Member) { d.Leave(m.ID) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close(); m.Close(); l.Close() })
	return d, l.Address("")
}

var longColumn = []*planpb.Column{{Name: "id", Type: planconv.TypePB(types.Long)}}

// lastTen gives the last ten of n numbers after looking at all of them.
func lastTen(id string, n int64, tasks int32, mode scheduler.Mode) driver.Query {
	long, boolean := planconv.TypePB(types.Long), planconv.TypePB(types.Boolean)
	predicate := &planpb.Expr{Type: boolean, Kind: &planpb.Expr_Call{Call: &planpb.Call{Name: ">=", Args: []*planpb.Expr{
		{Type: long, Kind: &planpb.Expr_Column{Column: 0}},
		{Type: long, Kind: &planpb.Expr_Literal{Literal: &planpb.Literal{Value: &planpb.Literal_Integer{Integer: n - 10}}}}}}}}
	numbers := &planpb.Operator{Id: 1, Output: longColumn, Kind: &planpb.Operator_Range{Range: &planpb.Range{End: n, Step: 1, Partitions: tasks}}}
	single := &planpb.Partitioning{Kind: planpb.Partitioning_SINGLE, Partitions: 1}
	return driver.Query{ID: id, Mode: mode, Settings: &planpb.Settings{TimeZone: "UTC", Ansi: true}, Stages: []*planpb.Stage{
		{Id: 0, Tasks: tasks, Partitioning: single, Root: &planpb.Operator{Id: 2, Output: longColumn, Children: []*planpb.Operator{numbers},
			Kind: &planpb.Operator_Filter{Filter: &planpb.Filter{Predicate: predicate}}}},
		{Id: 1, Tasks: 1, Inputs: []uint32{0}, Partitioning: single, Root: &planpb.Operator{Id: 3, Output: longColumn,
			Kind: &planpb.Operator_ExchangeSource{ExchangeSource: &planpb.ExchangeSource{Stage: 0}}}},
	}}
}

func TestWorkerProcessIsKilledInMidQuery(t *testing.T) {
	d, address := gather(t)
	dir := t.TempDir()
	var workers []*exec.Cmd
	for i := range 3 {
		c, _ := program(t, "worker", "--join", address, "--dir", filepath.Join(dir, fmt.Sprint(i)), "--cores", "2", "--memory", "256MiB")
		workers = append(workers, c)
	}
	await(t, "three workers join", func() bool { return d.Slots() == 6 })
	const n = 300_000_000
	for i, mode := range []scheduler.Mode{scheduler.Staged, scheduler.Pipelined} {
		begin := time.Now()
		r, err := d.Run(context.Background(), lastTen(mode.String(), n, 12, mode))
		if err != nil {
			t.Fatal(err)
		}
		await(t, "tasks run", func() bool { w := d.Workers(); return w[0].Running+w[1].Running > 0 })
		workers[i].Process.Kill()
		sum := int64(0)
		for {
			b, err := r.Next()
			if err != nil {
				t.Fatalf("%v: %v", mode, err)
			}
			if b == nil {
				break
			}
			for _, v := range vector.Values[int64](b.Cols[0])[:b.N] {
				sum += v
			}
		}
		r.Close()
		if want := int64(10*n - 55); sum != want {
			t.Errorf("%v: the sum is %d, not %d", mode, sum, want)
		}
		t.Logf("%v: %v", mode, time.Since(begin))
	}
	cancelProcesses(t, d)
	workers[2].Process.Signal(syscall.SIGTERM)
	if err := workers[2].Wait(); err != nil {
		t.Errorf("the last worker ended with %v", err)
	}
	if left := files(t, filepath.Join(dir, "2")); len(left) > 0 {
		t.Errorf("files are left: %v", left)
	}
}

// cancelProcesses measures how long a cancelled query lives.
func cancelProcesses(t *testing.T, d *driver.Driver) {
	ctx, cancel := context.WithCancel(context.Background())
	r, err := d.Run(ctx, lastTen("long", 1<<50, 4, scheduler.Staged))
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(300 * time.Millisecond)
	begin := time.Now()
	cancel()
	if _, err := r.Next(); !errs.Is(err, errs.Cancelled) {
		t.Errorf("%v", err)
	}
	r.Close()
	t.Logf("cancelled after %v", time.Since(begin))
	await(t, "the worker is idle", func() bool {
		n := 0
		for _, w := range d.Workers() {
			if w.Connected {
				n += w.Running
			}
		}
		return n == 0
	})
}

// TestDeadProcessesStartAgain kills the coordinator, a worker, and then all of a cluster, which must come back at the same addresses.
func TestDeadProcessesStartAgain(t *testing.T) {
	dir := t.TempDir()
	c, lines := program(t, "up", "--dir", dir, "--port", "0", "--ui-port", "0", "--unsafe-no-fsync")
	var port, ui int
	if n, err := fmt.Sscanf(<-lines, "ready sc://127.0.0.1:%d ui http://127.0.0.1:%d", &port, &ui); n != 2 || err != nil {
		t.Fatal(err)
	}
	for _, victim := range []string{"/coordinator", "/worker-1", ""} {
		for _, pid := range descendants(dir + victim) {
			if n, _ := strconv.Atoi(pid); n != c.Process.Pid {
				if err := syscall.Kill(n, syscall.SIGKILL); err != nil {
					t.Fatal(err)
				}
			}
		}
		await(t, "two workers are there after the end of "+victim, func() bool {
			return len(descendants(dir)) == 4 && metric(fmt.Sprintf("http://127.0.0.1:%d/metrics", ui), "millrace_workers") == "2"
		})
	}
	c.Process.Signal(syscall.SIGTERM)
	if err := c.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	if extra, more := <-lines; more {
		t.Errorf("another line on stdout: %q", extra)
	}
	if left := descendants(dir); len(left) > 0 {
		t.Errorf("processes are left: %v", left)
	}
}

// metric is a metric's value as text; empty when nobody answers.
func metric(url, name string) string {
	r, err := http.Get(url)
	if err != nil {
		return ""
	}
	defer r.Body.Close()
	for s := bufio.NewScanner(r.Body); s.Scan(); {
		if value, ok := strings.CutPrefix(s.Text(), name+" "); ok {
			return value
		}
	}
	return ""
}
