package shell

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"

	"github.com/chzyer/readline"

	"millrace/gateway/connect/client"
	"millrace/sql"
)

const (
	prompt     = "millrace> "
	promptMore = "      ... "
	help       = `Statements end with a semicolon. Also:
  \d          tables        \d NAME     a table's columns
  \h NAME     a Delta table's history
  \o FORMAT   output: table, csv, json
  \q          leave (or Ctrl-D); Ctrl-C cancels what runs
`
)

// REPL reads statements at a prompt until the end of input, and prints results and errors. An interrupt cancels the running
// statement on the cluster.
func REPL(ctx context.Context, c *client.Client, f Format, out io.Writer) error {
	history := ""
	if home, err := os.UserHomeDir(); err == nil {
		history = filepath.Join(home, ".millrace_history")
	}
	in, err := readline.NewEx(&readline.Config{Prompt: prompt, HistoryFile: history, InterruptPrompt: "^C", Stdout: out})
	if err != nil {
		return err
	}
	defer in.Close()
	fmt.Fprintln(out, `Type a statement and a semicolon; \? for help.`)
	r := &repl{ctx: ctx, c: c, format: f, out: out}
	for {
		line, err := in.Readline()
		switch {
		case errors.Is(err, readline.ErrInterrupt):
			r.pending = ""
		case err != nil:
			return nil
		case !r.line(line):
			return nil
		}
		in.SetPrompt(prompt)
		if strings.TrimSpace(r.pending) != "" {
			in.SetPrompt(promptMore)
		}
	}
}

type repl struct {
	ctx     context.Context
	c       *client.Client
	format  Format
	out     io.Writer
	pending string
}

// line takes a line of input; false ends the loop.
func (r *repl) line(line string) bool {
	if r.pending == "" && strings.HasPrefix(strings.TrimSpace(line), `\`) {
		return r.meta(strings.Fields(line))
	}
	r.pending += line + "\n"
	if !strings.HasSuffix(strings.TrimSpace(line), ";") {
		return true
	}
	script := r.pending
	r.pending = ""
	for _, text := range sql.ParseStatements(script) {
		if !r.run(text) {
			break
		}
	}
	return true
}

func (r *repl) meta(words []string) bool {
	arg := strings.Join(words[1:], " ")
	switch words[0] {
	case `\q`, `\quit`:
		return false
	case `\d`:
		if arg == "" {
			r.run("SHOW TABLES")
		} else {
			r.run("DESCRIBE TABLE " + arg)
		}
	case `\h`:
		r.run("DESCRIBE HISTORY " + arg)
	case `\o`:
		switch Format(arg) {
		case Table, CSV, JSON:
			r.format = Format(arg)
		default:
			fmt.Fprintf(r.out, "%q is no format: table, csv or json\n", arg)
		}
	default:
		fmt.Fprint(r.out, help)
	}
	return true
}

// run runs a statement; false when it failed.
func (r *repl) run(text string) bool {
	ctx, stop := signal.NotifyContext(r.ctx, os.Interrupt)
	defer stop()
	if err := one(ctx, r.c, text, r.format, r.out, true); err != nil {
		if ctx.Err() != nil {
			fmt.Fprintln(r.out, "cancelled")
		} else {
			fmt.Fprintln(r.out, err)
		}
		return false
	}
	return true
}
