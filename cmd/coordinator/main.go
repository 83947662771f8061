// Command coordinator is a coordinator of a millrace cluster.
package main

import (
	"os"

	"millrace/cmd/internal/cli"
	"millrace/coordinator"
)

func main() {
	var cfg coordinator.Config
	cli.Parse("coordinator", "A coordinator of a millrace cluster: it takes queries, plans them and has workers run them.", &cfg)
	cli.Exit("coordinator", coordinator.Run(cli.Context(), cfg, os.Stdout, coordinator.Services()))
}
