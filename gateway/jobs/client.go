package jobs

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"millrace/errs"
	"millrace/jobs"
	pb "millrace/proto/millrace/jobs/v1"
)

// Client calls the service through a connection to a coordinator. Contexts carry what authenticates the caller.
type Client struct{ stub pb.JobsClient }

// NewClient makes a client.
func NewClient(c grpc.ClientConnInterface) *Client { return &Client{pb.NewJobsClient(c)} }

// Submit queues a job for a user.
func (c *Client) Submit(ctx context.Context, s jobs.Spec) (*pb.Job, error) {
	r := &pb.SubmitRequest{Name: s.Name, User: s.User, Conf: s.Conf}
	for _, step := range s.Steps {
		p := &pb.Step{Name: step.Name, What: &pb.Step_Sql{Sql: step.SQL}}
		if step.Python != "" {
			p.What = &pb.Step_Python{Python: step.Python}
		}
		r.Steps = append(r.Steps, p)
	}
	j, err := c.stub.Submit(ctx, r)
	return j, received(err)
}

// List gives all jobs that are kept, newest first.
func (c *Client) List(ctx context.Context) ([]*pb.Job, error) {
	r, err := c.stub.List(ctx, &pb.ListRequest{})
	return r.GetJobs(), received(err)
}

// Get is one job.
func (c *Client) Get(ctx context.Context, id string) (*pb.Job, error) {
	j, err := c.stub.Get(ctx, &pb.GetRequest{Id: id})
	return j, received(err)
}

// Cancel asks a job to stop.
func (c *Client) Cancel(ctx context.Context, id string) (*pb.Job, error) {
	j, err := c.stub.Cancel(ctx, &pb.CancelRequest{Id: id})
	return j, received(err)
}

// Logs copies a job's log, with follow until its end.
func (c *Client) Logs(ctx context.Context, id string, follow bool, out io.Writer) error {
	stream, err := c.stub.Logs(ctx, &pb.LogsRequest{Id: id, Follow: follow})
	if err != nil {
		return received(err)
	}
	for {
		r, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return received(err)
		}
		if _, err := io.WriteString(out, r.Text); err != nil {
			return err
		}
	}
}

// received is failure's other end.
func received(err error) error {
	if err == nil {
		return nil
	}
	kinds := map[codes.Code]errs.Kind{codes.NotFound: errs.NotFound, codes.InvalidArgument: errs.Invalid, codes.Unavailable: errs.Transient,
		codes.Canceled: errs.Cancelled, codes.Unauthenticated: errs.Unauthorized}
	kind, ok := kinds[status.Code(err)]
	if !ok {
		kind = errs.Internal
	}
	return errs.Newf(kind, "%s", status.Convert(err).Message())
}
