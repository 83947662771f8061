// Package cli is what millrace's commands have in common: flags with environment variables, signals and exit codes.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"millrace/errs"
)

// The exit codes.
const (
	Done        = 0
	Failed      = 1
	WrongUse    = 2
	Unreachable = 3
	Interrupted = 130
)

// Parse reads the arguments into grammar, or says in one line what is wrong with them and exits.
func Parse(name, description string, grammar any, options ...kong.Option) *kong.Context {
	options = append([]kong.Option{kong.Name(name), kong.Description(description), kong.DefaultEnvars("MILLRACE"), kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true})}, options...)
	p, err := kong.New(grammar, options...)
	if err != nil {
		panic(err)
	}
	c, err := p.Parse(os.Args[1:])
	if err != nil {
		Fail(name, WrongUse, err)
	}
	return c
}

// Fail says what is wrong in one line and exits.
func Fail(name string, code int, err error) {
	fmt.Fprintf(os.Stderr, "%s: %s\n", name, strings.ReplaceAll(err.Error(), "\n", " "))
	os.Exit(code)
}

// Code is err with the exit code that it ends the process with; without one, what was wrong has been said.
func Code(code int, err error) error { return &coded{code, err} }

type coded struct {
	code int
	err  error
}

func (c *coded) Error() string {
	if c.err == nil {
		return ""
	}
	return c.err.Error()
}
func (c *coded) Unwrap() error { return c.err }

// Exit ends the process as err says.
func Exit(name string, err error) {
	var c *coded
	if errors.As(err, &c) {
		if c.err != nil {
			fmt.Fprintln(os.Stderr, strings.TrimSpace(c.Error()))
		}
		os.Exit(c.code)
	}
	switch {
	case err == nil:
		os.Exit(Done)
	case errs.Is(err, errs.Invalid):
		Fail(name, WrongUse, err)
	case errs.Is(err, errs.Lost):
		Fail(name, Unreachable, err)
	}
	Fail(name, Failed, err)
}

// ParentPipe is the environment variable that tells a process to end when its standard input does.
const ParentPipe = "MILLRACE_PARENT_PIPE"

// Context ends on SIGTERM and SIGINT, and, for a child of `millrace up`, with its parent. A second signal ends the process at once.
func Context() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-signals
		cancel()
		<-signals
		os.Exit(Interrupted)
	}()
	if os.Getenv(ParentPipe) != "" {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			cancel()
		}()
	}
	return ctx
}
