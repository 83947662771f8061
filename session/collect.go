package session

import (
	"bytes"
	"context"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"

	"millrace/plan"
)

// Collect reads a small result to its end and makes it a relation of its rows. The result is closed.
func (s *Session) Collect(ctx context.Context, r Result) (*plan.LocalRelation, error) {
	defer r.Close() // Next reports what went wrong
	schema, err := ArrowSchema(r.Schema(), s.Conf.Get("spark.sql.session.timeZone"))
	if err != nil {
		return nil, err
	}
	out := &plan.LocalRelation{T: r.Schema()}
	var buf bytes.Buffer
	w := ipc.NewWriter(&buf, ipc.WithSchema(schema))
	for {
		b, err := r.Next(ctx)
		if err != nil {
			return nil, err
		}
		if b == nil {
			break
		}
		out.Rows += b.NumRows()
		err = w.Write(array.NewRecordBatch(schema, b.Columns(), b.NumRows()))
		b.Release()
		if err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	out.Arrow = buf.Bytes()
	return out, nil
}

// settle runs the commands on whose rows a plan stands, and puts the rows in their places.
func (s *Session) settle(ctx context.Context, n plan.Node) (plan.Node, error) {
	if _, ok := n.(*plan.Explain); ok {
		return n, nil
	}
	_, each := n.(*plan.InsertEach) // whose commands are its own
	return mapInputs(n, func(c plan.Node) (plan.Node, error) {
		if _, ok := c.(plan.Command); !ok || each {
			return s.settle(ctx, c)
		}
		r, err := s.Run(ctx, c)
		if err != nil {
			return nil, err
		}
		return s.Collect(ctx, r)
	})
}
