package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"millrace/cmd/internal/cli"
	"millrace/errs"
	"millrace/gateway/connect/client"
	"millrace/shell"
	"millrace/types"
)

// remote is the flag of every client command.
type remote struct {
	Remote string `default:"sc://127.0.0.1:15002" placeholder:"URL" help:"Spark Connect address of the cluster, with ;token=… and ;use_ssl=true where secured. Default: sc://127.0.0.1:15002."`
}

// with calls f with a client, and ends the process with the exit code that belongs to its error.
func (r remote) with(f func(ctx context.Context, c *client.Client) error) error {
	ctx := cli.Context()
	c, err := client.Dial(ctx, r.Remote)
	if err == nil {
		defer c.Close()
		err = f(ctx, c)
	}
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return cli.Code(cli.Interrupted, errors.New("interrupted; the statement is cancelled on the cluster"))
	case errs.Is(err, errs.Transient):
		return cli.Code(cli.Unreachable, err)
	}
	return cli.Code(cli.Failed, err)
}

type sqlCmd struct {
	remote  `embed:""`
	Command string `short:"c" xor:"in" placeholder:"SQL" help:"Statements to run, separated by semicolons. Default: read from a prompt, or from standard input where that is no terminal."`
	File    string `short:"f" xor:"in" placeholder:"FILE" help:"File with statements to run."`
	Output  string `default:"table" enum:"table,csv,json,arrow" help:"Form of the results: table, csv, json (an object a line) or arrow (a stream). Default: table."`
}

// Run runs statements and prints what comes out.
func (s *sqlCmd) Run() error {
	script := s.Command
	interactive := false
	switch {
	case s.File != "":
		b, err := os.ReadFile(s.File)
		if err != nil {
			return errs.Newf(errs.Invalid, "cannot read the statements: %v", err)
		}
		script = string(b)
	case script == "":
		if info, err := os.Stdin.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			interactive = true
			break
		}
		b, err := io.ReadAll(os.Stdin)
		if err != nil {
			return err
		}
		script = string(b)
	}
	return s.with(func(ctx context.Context, c *client.Client) error {
		if interactive {
			return shell.REPL(ctx, c, shell.Format(s.Output), os.Stdout)
		}
		return shell.Run(ctx, c, script, shell.Format(s.Output), os.Stdout)
	})
}

// tableCmd is what can be asked of or done to a Delta table.
type tableCmd struct {
	History  tableHistory  `cmd:"" help:"Show who changed a table when, newest first."`
	Describe tableDescribe `cmd:"" help:"Show a table's format, place, size and properties."`
	Restore  tableRestore  `cmd:"" help:"Bring a table back to an earlier version or time."`
	Vacuum   tableVacuum   `cmd:"" help:"Delete files that no version within the table's retention needs."`
	Optimize tableOptimize `cmd:"" help:"Write small files together, or put rows in the table's clustering order."`
}

type tableArgs struct {
	remote `embed:""`
	Table  string `arg:"" placeholder:"PATH|NAME" help:"Path or URL of a Delta table, or its name in the catalog."`
	Output string `default:"table" enum:"table,csv,json,arrow" help:"Form of the result: table, csv, json or arrow. Default: table."`
}

// name is the table as SQL names it: whatever has a slash or a scheme is a path.
func (t tableArgs) name() string {
	if !strings.ContainsAny(t.Table, "/:") {
		return t.Table
	}
	path := t.Table
	if abs, err := filepath.Abs(path); err == nil && !strings.Contains(path, ":") {
		path = abs // relative to where the command runs, not to where the cluster does
	}
	return "delta." + types.Quote(path)
}

func (t tableArgs) run(statement string) error {
	return t.with(func(ctx context.Context, c *client.Client) error {
		return shell.Run(ctx, c, statement, shell.Format(t.Output), os.Stdout)
	})
}

type tableHistory struct {
	tableArgs `embed:""`
	Limit     int `default:"0" placeholder:"N" help:"How many versions; 0: all. Default: 0."`
}

// Run shows the history.
func (t *tableHistory) Run() error {
	q := "DESCRIBE HISTORY " + t.name()
	if t.Limit > 0 {
		q += fmt.Sprintf(" LIMIT %d", t.Limit)
	}
	return t.run(q)
}

type tableDescribe struct {
	tableArgs `embed:""`
}

// Run describes the table.
func (t *tableDescribe) Run() error { return t.run("DESCRIBE DETAIL " + t.name()) }

type tableRestore struct {
	tableArgs `embed:""`
	Version   *int64 `xor:"to" required:"" placeholder:"N" help:"Version to go back to."`
	Timestamp string `xor:"to" required:"" placeholder:"TIME" help:"Time to go back to, such as '2026-01-31 12:00:00' in the session's time zone."`
}

// Run restores the table.
func (t *tableRestore) Run() error {
	if t.Version != nil {
		return t.run(fmt.Sprintf("RESTORE TABLE %s TO VERSION AS OF %d", t.name(), *t.Version))
	}
	return t.run(fmt.Sprintf("RESTORE TABLE %s TO TIMESTAMP AS OF '%s'", t.name(), strings.ReplaceAll(t.Timestamp, "'", "\\'")))
}

type tableVacuum struct {
	tableArgs `embed:""`
	DryRun    bool `help:"Show up to 1000 files that would be deleted, and delete nothing. Default: false."`
	Lite      bool `help:"Find the files in the log instead of listing the table's directory. Default: false."`
}

// Run deletes files.
func (t *tableVacuum) Run() error {
	q := "VACUUM " + t.name()
	if t.Lite {
		q += " LITE"
	}
	if t.DryRun {
		q += " DRY RUN"
	}
	return t.run(q)
}

type tableOptimize struct {
	tableArgs `embed:""`
	Where     string `placeholder:"SQL" help:"Only the partitions for which this condition on partition columns holds. Default: all."`
	ZOrderBy  string `name:"zorder-by" placeholder:"COLUMNS" help:"Columns, separated by commas, along whose Z-order the rows are put. Default: none."`
}

// Run compacts files.
func (t *tableOptimize) Run() error {
	q := "OPTIMIZE " + t.name()
	if t.Where != "" {
		q += " WHERE " + t.Where
	}
	if t.ZOrderBy != "" {
		q += " ZORDER BY (" + t.ZOrderBy + ")"
	}
	return t.run(q)
}
