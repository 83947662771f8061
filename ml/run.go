package ml

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"

	"millrace/plan"
	"millrace/types"
	"millrace/vector"
)

// Runner runs plans for a session. Cancelling ctx ends a call within 100 ms.
type Runner interface {
	// Schema is what a relation's rows will have.
	Schema(ctx context.Context, n plan.Node) (*types.Type, error)
	// Run starts a relation or carries out a command, which is done when Run returns.
	Run(ctx context.Context, n plan.Node) (Rows, error)
	// Materialize keeps a relation's rows on the workers for queries over kept, until release is called. Where nothing can be kept, kept is n.
	Materialize(ctx context.Context, n plan.Node) (kept plan.Node, release func(), err error)
	// Conf is a session's setting.
	Conf(key string) string
}

// Rows are a running plan's rows. The caller calls Next until it gives nil and releases every batch, then Close; or Close at any time.
type Rows interface {
	Schema() *types.Type
	Next(ctx context.Context) (arrow.RecordBatch, error)
	Close() error
}

// Context is what a call of a client gives to those who serve it.
type Context struct {
	context.Context
	Runner Runner
}

// Collect runs a relation whose result is small and returns it as one batch of columns, which may be dictionary vectors.
func (c *Context) Collect(n plan.Node) (*vector.Batch, error) {
	rows, err := c.Runner.Run(c, n)
	if err != nil {
		return nil, err
	}
	defer rows.Close() // Next reports what went wrong
	columns := make([]*types.Type, len(rows.Schema().Fields))
	for i, f := range rows.Schema().Fields {
		columns[i] = f.Type
	}
	builder, decoder := vector.NewBuilder(columns), vector.NewArrowDecoder(columns)
	for {
		rec, err := rows.Next(c)
		if err != nil {
			return nil, err
		}
		if rec == nil {
			break
		}
		b, err := decoder.Decode(rec)
		if err == nil {
			builder.AppendSelected(b)
		}
		rec.Release()
		if err != nil {
			return nil, err
		}
	}
	if b := builder.Take(); b != nil {
		return b, nil
	}
	empty := &vector.Batch{}
	for _, t := range columns {
		empty.Cols = append(empty.Cols, vector.NewEmpty(t))
	}
	return empty, nil
}

// Do carries out a command.
func (c *Context) Do(n plan.Node) error {
	rows, err := c.Runner.Run(c, n)
	if err != nil {
		return err
	}
	for {
		rec, err := rows.Next(c)
		if err != nil || rec == nil {
			rows.Close()
			return err
		}
		rec.Release()
	}
}
