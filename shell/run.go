package shell

import (
	"context"
	"fmt"
	"io"
	"time"

	"millrace/gateway/connect/client"
	"millrace/sql"
)

// Format is how results are printed.
type Format string

// The formats.
const (
	Table Format = "table"
	CSV   Format = "csv"
	JSON  Format = "json"
	Arrow Format = "arrow"
)

// Run runs the statements of a script one after another and prints their results; the first error ends it.
func Run(ctx context.Context, c *client.Client, script string, f Format, out io.Writer) error {
	for _, text := range sql.ParseStatements(script) {
		if err := one(ctx, c, text, f, out, false); err != nil {
			return err
		}
	}
	return nil
}

// one runs a statement; timed adds a line on how many rows came and how long it took.
func one(ctx context.Context, c *client.Client, text string, f Format, out io.Writer, timed bool) error {
	began := time.Now()
	rows, err := c.SQL(ctx, text)
	if err != nil {
		return err
	}
	defer rows.Close() // what went wrong is in Err
	n, err := write(rows, f, out)
	if err != nil {
		return err
	}
	if timed {
		fmt.Fprintf(out, "%d %s (%.3f s)\n", n, plural(n, "row"), time.Since(began).Seconds())
	}
	return nil
}

func plural(n int64, word string) string {
	if n == 1 {
		return word
	}
	return word + "s"
}
