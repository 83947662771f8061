// Command millrace starts local clusters and talks to running ones.
package main

import (
	"fmt"
	"os"

	"millrace/cluster"
	"millrace/cmd/internal/cli"
	"millrace/coordinator"
	"millrace/worker"
)

var grammar struct {
	Up      up         `cmd:"" help:"Start a coordinator and workers as processes of this machine, until interrupted."`
	SQL     sqlCmd     `cmd:"" name:"sql" help:"Run SQL statements on a cluster, or read them at a prompt."`
	Table   tableCmd   `cmd:"" help:"Look at a Delta table or take it back in time."`
	Submit  submitCmd  `cmd:"" help:"Leave a job in the cluster: it goes on without this client."`
	Jobs    jobsCmd    `cmd:"" help:"List the jobs."`
	Job     jobCmd     `cmd:"" help:"Show a job, or what it has written."`
	Cancel  cancelCmd  `cmd:"" help:"Ask a job to stop."`
	Version versionCmd `cmd:"" help:"Print the version."`

	Coordinator coordinatorCmd `cmd:"" hidden:"" help:"Run a coordinator."`
	Worker      workerCmd      `cmd:"" hidden:"" help:"Run a worker."`
}

type versionCmd struct{}

// Run prints the version.
func (versionCmd) Run() error {
	fmt.Println("millrace", cluster.Version)
	return nil
}

type coordinatorCmd struct {
	coordinator.Config `embed:""`
}

// Run runs a coordinator in this process.
func (c *coordinatorCmd) Run() error {
	return coordinator.Run(cli.Context(), c.Config, os.Stdout, coordinator.Services())
}

type workerCmd struct {
	worker.Config `embed:""`
}

// Run runs a worker in this process.
func (c *workerCmd) Run() error {
	return worker.Run(cli.Context(), c.Config, worker.DefaultTables(int64(c.Memory)))
}

func main() {
	c := cli.Parse("millrace", "A compute cluster over Delta Lake tables for PySpark clients.", &grammar)
	cli.Exit("millrace", c.Run())
}
