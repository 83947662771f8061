package shuffle

import (
	"context"
	"errors"
	"io"

	"github.com/apache/arrow-go/v18/arrow/flight"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"millrace/errs"
	workerpb "millrace/proto/millrace/worker/v1"
)

// MaxMessage is the largest gRPC message that an exchange sends; servers and clients must allow it.
const MaxMessage = 1 << 30

// Register adds the store's Flight service to a server.
func (s *Store) Register(g *grpc.Server) {
	flight.RegisterFlightServiceServer(g, &flightServer{store: s})
}

type flightServer struct {
	flight.BaseFlightServer
	store *Store
}

func (f *flightServer) DoGet(t *flight.Ticket, stream flight.FlightService_DoGetServer) error {
	var ticket workerpb.Ticket
	if err := proto.Unmarshal(t.Ticket, &ticket); err != nil {
		return status.Error(codes.InvalidArgument, "the ticket is not one of an exchange")
	}
	err := f.send(&ticket, stream)
	if errs.Is(err, errs.Lost) {
		return status.Error(codes.DataLoss, err.Error())
	}
	return err
}

func (f *flightServer) send(t *workerpb.Ticket, stream flight.FlightService_DoGetServer) error {
	ctx := stream.Context()
	o, err := f.store.find(ctx, RefOf(t.Output), t.Wait)
	if err != nil {
		return err
	}
	if filed, ok := o.(*filedOutput); ok {
		return sendFrames(filed, int(t.Partition), int(t.More), stream)
	}
	r, err := o.open(ctx, int(t.Partition), int(t.More))
	if err != nil {
		return err
	}
	defer r.Close()
	enc := newEncoder(o.(*queuedOutput).spec.Types)
	for {
		b, err := r.Next()
		if b == nil || err != nil {
			return err
		}
		msgs, err := enc.encode(b)
		if err != nil {
			return err
		}
		for _, m := range msgs {
			if err := stream.Send(&flight.FlightData{DataHeader: m.meta, DataBody: m.body}); err != nil {
				return err
			}
		}
	}
}

// sendFrames sends a file's messages as they are, without looking at the values.
func sendFrames(o *filedOutput, partition, more int, stream flight.FlightService_DoGetServer) error {
	r, err := o.frames(partition, more)
	if err != nil {
		return err
	}
	for {
		m, err := r.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := stream.Send(&flight.FlightData{DataHeader: m.meta, DataBody: m.body}); err != nil {
			return err
		}
	}
}

// RefOf is the reference in a message.
func RefOf(r *workerpb.Ref) Ref {
	return Ref{r.GetQuery(), r.GetStage(), int(r.GetTask()), int(r.GetAttempt())}
}

// PB is the reference as a message.
func (r Ref) PB() *workerpb.Ref {
	return &workerpb.Ref{Query: r.Query, Stage: r.Stage, Task: uint32(r.Task), Attempt: uint32(r.Attempt)}
}

// LostInput is the error of an output that cannot be read.
type LostInput struct {
	Output Ref
	Cause  error
}

func (l *LostInput) Error() string {
	return errs.Newf(errs.Lost, "the output of task %d of stage %d (attempt %d) cannot be read: %v", l.Output.Task, l.Output.Stage, l.Output.Attempt, l.Cause).Error()
}

// Unwrap gives the error its kind.
func (l *LostInput) Unwrap() error { return errs.Newf(errs.Lost, "%v", l.Cause) }

// lost makes err a LostInput, unless the reader itself was cancelled.
func lost(ctx context.Context, output Ref, err error) error {
	var already *LostInput
	switch {
	case err == nil || errors.Is(err, io.EOF) || errors.As(err, &already):
		return err
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return &LostInput{output, err}
}
