// Package shell is the command line's side of SQL: it runs statements on a cluster through a Client, prints results as a
// table, CSV, JSON lines or an Arrow stream, and reads statements at a prompt.
//
//	err := shell.Run(ctx, client, "SELECT 1; SELECT 2", shell.Table, os.Stdout)
//
// It knows nothing of flags or exit codes.
package shell
