package commits

import (
	"context"
	"errors"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"millrace/delta"
	"millrace/errs"
	pb "millrace/proto/millrace/commits/v1"
	"millrace/txn"
)

// Service answers the calls.
type Service struct {
	pb.UnimplementedCommitsServer
	c *txn.Committer
}

// New makes the service of a committer.
func New(c *txn.Committer) *Service { return &Service{c: c} }

// Register adds the service to a server.
func (s *Service) Register(g *grpc.Server) { pb.RegisterCommitsServer(g, s) }

// Commit implements pb.CommitsServer.
func (s *Service) Commit(ctx context.Context, r *pb.CommitRequest) (*pb.CommitResponse, error) {
	req, err := request(r)
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	res, err := s.c.Commit(ctx, req)
	if err != nil {
		f, err := failure(err)
		return &pb.CommitResponse{Failure: f}, err
	}
	return response(res), nil
}

// CommitAll implements pb.CommitsServer.
func (s *Service) CommitAll(ctx context.Context, r *pb.CommitAllRequest) (*pb.CommitAllResponse, error) {
	parts := make([]txn.Request, len(r.Parts))
	for i, p := range r.Parts {
		var err error
		if parts[i], err = request(p); err != nil {
			return nil, status.Error(codes.InvalidArgument, err.Error())
		}
	}
	all, err := s.c.CommitAll(ctx, r.TxnId, parts)
	if err != nil {
		f, err := failure(err)
		return &pb.CommitAllResponse{Failure: f}, err
	}
	out := &pb.CommitAllResponse{}
	for _, res := range all {
		out.Parts = append(out.Parts, response(res))
	}
	return out, nil
}

// Outcome implements pb.CommitsServer.
func (s *Service) Outcome(ctx context.Context, r *pb.OutcomeRequest) (*pb.OutcomeResponse, error) {
	v, found, err := s.c.Outcome(ctx, r.Table, r.TxnId, r.ReadVersion)
	if err != nil {
		return nil, status.Error(codes.Unavailable, err.Error())
	}
	return &pb.OutcomeResponse{Committed: found, Version: v}, nil
}

// Head implements pb.CommitsServer.
func (s *Service) Head(ctx context.Context, r *pb.HeadRequest) (*pb.HeadResponse, error) {
	v, err := s.c.Newest(ctx, r.Table)
	if err != nil {
		return nil, status.Error(codes.Unavailable, err.Error())
	}
	return &pb.HeadResponse{Version: v}, nil
}

func response(r txn.Result) *pb.CommitResponse {
	return &pb.CommitResponse{Version: r.Version, TimestampMs: r.Timestamp, Known: r.Known, Skipped: r.Skipped, Grouped: uint32(r.Grouped)}
}

// request reads a transaction; the commitInfo among its actions becomes its info.
func request(r *pb.CommitRequest) (txn.Request, error) {
	out := txn.Request{Table: r.Table, ReadVersion: r.ReadVersion, TxnID: r.TxnId, Isolation: txn.Isolation(r.Isolation), ReadTable: r.ReadTable,
		ReadFiles: r.ReadFiles, AppID: r.AppId, AppVersion: r.AppVersion}
	actions, err := delta.ParseCommit("the request", r.Actions)
	if err != nil {
		return out, err
	}
	for _, a := range actions {
		if a.CommitInfo != nil {
			out.Info = *a.CommitInfo
			continue
		}
		out.Actions = append(out.Actions, a)
	}
	return out, nil
}

// failure tells a final no, which is an answer, from what the caller has to ask again about.
func failure(err error) (*pb.Failure, error) {
	var e *errs.Error
	switch kind := errs.KindOf(err); {
	case kind == errs.Transient || kind == errs.Lost || kind == errs.Cancelled || kind == errs.Internal || !errors.As(err, &e):
		return nil, status.Error(codes.Unavailable, err.Error())
	default:
		return &pb.Failure{Condition: e.Condition, Message: e.Message, SqlState: e.SQLState, Kind: kind.String()}, nil
	}
}
