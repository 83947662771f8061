package jobs

import (
	"context"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"millrace/errs"
	"millrace/jobs"
	pb "millrace/proto/millrace/jobs/v1"
)

// Service answers the calls.
type Service struct {
	pb.UnimplementedJobsServer
	m *jobs.Manager
}

// New makes the service of a manager.
func New(m *jobs.Manager) *Service { return &Service{m: m} }

// Register adds the service to a server.
func (s *Service) Register(g *grpc.Server) { pb.RegisterJobsServer(g, s) }

// Submit implements pb.JobsServer.
func (s *Service) Submit(ctx context.Context, r *pb.SubmitRequest) (*pb.Job, error) {
	spec := jobs.Spec{Name: r.Name, User: r.User, Conf: r.Conf}
	for _, step := range r.Steps {
		spec.Steps = append(spec.Steps, jobs.Step{SQL: step.GetSql(), Python: step.GetPython(), Name: step.Name})
	}
	return answer(s.m.Submit(ctx, spec))
}

// List implements pb.JobsServer.
func (s *Service) List(ctx context.Context, _ *pb.ListRequest) (*pb.ListResponse, error) {
	all, err := s.m.List(ctx)
	if err != nil {
		return nil, failure(err)
	}
	out := &pb.ListResponse{}
	for _, j := range all {
		out.Jobs = append(out.Jobs, message(j))
	}
	return out, nil
}

// Get implements pb.JobsServer.
func (s *Service) Get(ctx context.Context, r *pb.GetRequest) (*pb.Job, error) {
	return answer(s.m.Get(ctx, r.Id))
}

// Cancel implements pb.JobsServer.
func (s *Service) Cancel(ctx context.Context, r *pb.CancelRequest) (*pb.Job, error) {
	return answer(s.m.Cancel(ctx, r.Id))
}

// Logs implements pb.JobsServer.
func (s *Service) Logs(r *pb.LogsRequest, out grpc.ServerStreamingServer[pb.LogsResponse]) error {
	return failure(s.m.Logs(out.Context(), r.Id, r.Follow, func(text string) error { return out.Send(&pb.LogsResponse{Text: text}) }))
}

func answer(j jobs.Job, err error) (*pb.Job, error) {
	if err != nil {
		return nil, failure(err)
	}
	return message(j), nil
}

func message(j jobs.Job) *pb.Job {
	return &pb.Job{Id: j.ID, Name: j.Name, User: j.User, State: string(j.State), Error: j.Error, Condition: j.Condition, SubmittedMs: millis(j.Submitted),
		StartedMs: millis(j.Started), EndedMs: millis(j.Ended), Steps: uint32(len(j.Steps)), Done: uint32(j.Done), Attempt: uint32(j.Attempt)}
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// failure is an error as gRPC carries it: its kind as the code, its text as the message.
func failure(err error) error {
	switch {
	case err == nil:
		return nil
	case errs.Is(err, errs.NotFound):
		return status.Error(codes.NotFound, err.Error())
	case errs.Is(err, errs.Invalid), errs.Is(err, errs.Unsupported):
		return status.Error(codes.InvalidArgument, err.Error())
	}
	return status.Error(codes.Internal, err.Error())
}
