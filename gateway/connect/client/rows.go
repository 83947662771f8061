package client

import (
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"google.golang.org/grpc"

	"millrace/errs"
	pb "millrace/proto/spark/connect"
)

// Rows is a statement's result, read batch by batch. Not for concurrent use. Closing it, or ending its context, stops the query.
type Rows struct {
	// Query tells a query from a command, whose rows, if any, say what was done.
	Query bool

	client   *Client
	ctx      context.Context
	cancel   context.CancelFunc
	stream   grpc.ServerStreamingClient[pb.ExecutePlanResponse]
	response *pb.ExecutePlanResponse
	schema   *arrow.Schema
	types    *pb.DataType
	reader   *ipc.Reader
	chunks   []byte
	err      error
}

// advance reads the next response.
func (r *Rows) advance() bool {
	if r.err != nil {
		return false
	}
	r.response, r.err = r.stream.Recv()
	if r.err == nil && r.response.Schema != nil {
		r.types = r.response.Schema
	}
	return r.err == nil
}

// Next reads the next batch and reports whether there is one. It is valid until the following Next.
func (r *Rows) Next() bool {
	for {
		if r.reader != nil {
			if r.reader.Next() {
				return true
			}
			if err := r.reader.Err(); err != nil {
				r.err = err
			}
			r.reader.Release()
			r.reader = nil
		}
		if !r.advance() {
			return false
		}
		b := r.response.GetArrowBatch()
		if b == nil {
			continue
		}
		data := b.Data
		if n := b.GetNumChunksInBatch(); n > 1 {
			r.chunks = append(r.chunks, b.Data...)
			if b.GetChunkIndex() != n-1 {
				continue
			}
			data, r.chunks = r.chunks, nil
		}
		if r.reader, r.err = ipc.NewReader(bytes.NewReader(data)); r.err != nil {
			r.reader = nil
			return false
		}
		r.schema = r.reader.Schema()
	}
}

// Batch is the batch that Next read.
func (r *Rows) Batch() arrow.RecordBatch { return r.reader.RecordBatch() }

// Schema is the Arrow schema; known once Next has been called, also where there are no rows.
func (r *Rows) Schema() *arrow.Schema { return r.schema }

// Types is the schema in Spark's types, likewise.
func (r *Rows) Types() *pb.DataType { return r.types }

// Err is what ended the rows early, or nil.
func (r *Rows) Err() error {
	if r.err == nil || errors.Is(r.err, io.EOF) {
		return nil
	}
	return r.client.failure(r.ctx, r.err)
}

// Close stops the query if it still runs and gives the error that ended it, if one did.
func (r *Rows) Close() error {
	err := r.Err()
	r.cancel()
	if r.reader != nil {
		r.reader.Release()
		r.reader = nil
	}
	if r.err == nil {
		r.err = io.EOF
	}
	if errs.Is(err, errs.Cancelled) && r.ctx.Err() == nil {
		return nil
	}
	return err
}
