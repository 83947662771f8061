package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	"millrace/cluster"
	"millrace/cmd/internal/cli"
	"millrace/errs"
)

// up is `millrace up`.
type up struct {
	Workers      int           `default:"2" placeholder:"N" help:"Number of worker processes. Default: 2."`
	Dir          string        `default:".millrace" placeholder:"DIR" help:"Directory for the cluster's state, spilled data and tables; made if missing. Default: .millrace."`
	Port         int           `default:"15002" help:"Port for clients on 127.0.0.1; 0 picks a free one. Default: 15002."`
	UIPort       int           `name:"ui-port" default:"4040" help:"Port of the web page on 127.0.0.1; 0 picks a free one. Default: 4040."`
	WorkerMemory cluster.Bytes `default:"2GiB" placeholder:"BYTES" help:"Memory budget of each worker. Default: 2GiB."`
	WorkerCores  int           `default:"0" placeholder:"N" help:"Task slots of each worker. Default: the machine's cores shared among the workers."`
	Warehouse    string        `placeholder:"DIR|URL" help:"Where tables without a location of their own are kept. Default: DIR/coordinator/warehouse."`
	LogLevel     string        `default:"WARN" help:"Least level of what the processes log on stderr: DEBUG, INFO, WARN or ERROR. Default: WARN."`
	UnsafeEtcd   bool          `name:"unsafe-no-fsync" help:"For tests only: acknowledge commits before they are on the disk. Default: off."`
}

// stopGrace is how long children may take to drain before they are killed.
const stopGrace = 20 * time.Second

// Run starts the processes, prints the ready line, starts again those that die, and stops them when it is told to.
func (u *up) Run() error {
	ctx := cli.Context()
	if u.Workers < 1 {
		return errs.Newf(errs.Invalid, "--workers is %d and must be at least 1", u.Workers)
	}
	dir, err := filepath.Abs(u.Dir)
	if err != nil {
		return errs.Newf(errs.Invalid, "--dir %s: %v", u.Dir, err)
	}
	unlock, err := cluster.LockDir(dir)
	if err != nil {
		return err
	}
	defer unlock()
	port, err := pickPort(u.Port)
	if err != nil {
		return err
	}
	// A coordinator that is started again must be found where the first one was.
	if u.UIPort, err = pickPort(u.UIPort); err != nil {
		return err
	}
	f := &family{failed: make(chan error, u.Workers+1)}
	defer u.clean(dir)
	defer f.stop()
	ready, err := u.start(f, dir, port)
	if err != nil {
		return err
	}
	for {
		select {
		case line := <-ready:
			fmt.Println(line)
			ready = nil // a coordinator that was started again says so again
		case err := <-f.failed:
			return err
		case <-ctx.Done():
			return nil
		}
	}
}

// start starts all processes at once and returns where the coordinator's ready line will come.
func (u *up) start(f *family, dir string, port int) (<-chan string, error) {
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	args := []string{"coordinator", "--dir", filepath.Join(dir, "coordinator"), "--listen", address,
		"--ui", net.JoinHostPort("127.0.0.1", strconv.Itoa(u.UIPort)), "--await-workers", strconv.Itoa(u.Workers), "--log-level", u.LogLevel}
	if u.Warehouse != "" {
		args = append(args, "--warehouse", u.Warehouse)
	}
	if u.UnsafeEtcd {
		args = append(args, "--unsafe-no-fsync")
	}
	out, err := f.spawn("coordinator", true, args)
	if err != nil {
		return nil, err
	}
	cores := u.WorkerCores
	if cores <= 0 {
		cores = max(1, runtime.NumCPU()/u.Workers)
	}
	for i := range u.Workers {
		name := fmt.Sprint("worker-", i+1)
		_, err := f.spawn(name, false, []string{"worker", "--join", address, "--dir", filepath.Join(dir, name), "--memory", u.WorkerMemory.String(),
			"--cores", strconv.Itoa(cores), "--log-level", u.LogLevel})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// clean removes what workers that were killed have left.
func (u *up) clean(dir string) {
	for i := range u.Workers {
		os.RemoveAll(filepath.Join(dir, fmt.Sprint("worker-", i+1)))
	}
}

// pickPort is the port, or one that is free now for TCP and UDP.
func pickPort(port int) (int, error) {
	if port != 0 {
		return port, nil
	}
	l, err := cluster.Listen("127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Port(), nil
}
