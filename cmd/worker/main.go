// Command worker is a worker of a millrace cluster.
package main

import (
	"millrace/cmd/internal/cli"
	"millrace/worker"
)

func main() {
	var cfg worker.Config
	cli.Parse("worker", "A worker of a millrace cluster: it runs the tasks of queries.", &cfg)
	cli.Exit("worker", worker.Run(cli.Context(), cfg, worker.DefaultTables(int64(cfg.Memory))))
}
