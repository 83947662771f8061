package connect

import (
	"context"
	"errors"
	"hash/crc32"
	"io"

	"google.golang.org/grpc"

	"millrace/errs"
	pb "millrace/proto/spark/connect"
	"millrace/session"
)

// AddArtifacts keeps the files that a client sends: small ones many to a message, large ones in chunks.
func (s *Service) AddArtifacts(stream grpc.ClientStreamingServer[pb.AddArtifactsRequest, pb.AddArtifactsResponse]) error {
	var sess *session.Session
	up := upload{summaries: []*pb.AddArtifactsResponse_ArtifactSummary{}}
	for {
		r, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if sess == nil {
			if sess, err = s.session(stream.Context(), r); err != nil {
				return s.fail(r.SessionId, err)
			}
		}
		if err := up.add(sess.Artifacts, r); err != nil {
			return s.fail(sess.ID, err)
		}
	}
	if sess == nil {
		return s.fail("", errs.Newf(errs.Invalid, "No artifact was sent."))
	}
	if up.name != "" {
		return s.fail(sess.ID, errs.Newf(errs.Invalid, "The artifact %s ended after %d of its chunks.", up.name, up.chunks))
	}
	return stream.SendAndClose(&pb.AddArtifactsResponse{SessionId: sess.ID, ServerSideSessionId: sess.ServerID, Artifacts: up.summaries})
}

// upload is a stream of artifacts; one may be partly there.
type upload struct {
	summaries []*pb.AddArtifactsResponse_ArtifactSummary
	name      string
	data      []byte
	chunks    int64
	left      int64
	intact    bool
}

func (u *upload) add(to *session.Artifacts, r *pb.AddArtifactsRequest) error {
	switch p := r.Payload.(type) {
	case *pb.AddArtifactsRequest_Batch_:
		for _, a := range p.Batch.Artifacts {
			u.name, u.data, u.intact = a.Name, a.Data.GetData(), crc(a.Data)
			if err := u.finish(to); err != nil {
				return err
			}
		}
	case *pb.AddArtifactsRequest_BeginChunk:
		b := p.BeginChunk
		u.name, u.chunks, u.left, u.intact = b.Name, 1, b.NumChunks-1, crc(b.InitialChunk)
		u.data = append(make([]byte, 0, min(b.TotalBytes, 1<<28)), b.InitialChunk.GetData()...)
	case *pb.AddArtifactsRequest_Chunk:
		if u.name == "" || u.left <= 0 {
			return errs.Newf(errs.Invalid, "A chunk came that belongs to no artifact.")
		}
		u.data = append(u.data, p.Chunk.Data...)
		u.chunks, u.left, u.intact = u.chunks+1, u.left-1, u.intact && crc(p.Chunk)
	}
	if u.name != "" && u.left == 0 {
		return u.finish(to)
	}
	return nil
}

func (u *upload) finish(to *session.Artifacts) error {
	if u.intact {
		if err := to.Put(u.name, u.data); err != nil {
			return err
		}
	}
	u.summaries = append(u.summaries, &pb.AddArtifactsResponse_ArtifactSummary{Name: u.name, IsCrcSuccessful: u.intact})
	u.name, u.data, u.left = "", nil, 0
	return nil
}

func crc(c *pb.AddArtifactsRequest_ArtifactChunk) bool {
	return int64(crc32.ChecksumIEEE(c.GetData())) == c.GetCrc()
}

// ArtifactStatus tells which artifacts are there.
func (s *Service) ArtifactStatus(ctx context.Context, r *pb.ArtifactStatusesRequest) (*pb.ArtifactStatusesResponse, error) {
	sess, err := s.session(ctx, r)
	if err != nil {
		return nil, s.fail(r.SessionId, err)
	}
	out := &pb.ArtifactStatusesResponse{SessionId: sess.ID, ServerSideSessionId: sess.ServerID,
		Statuses: map[string]*pb.ArtifactStatusesResponse_ArtifactStatus{}}
	for _, name := range r.Names {
		out.Statuses[name] = &pb.ArtifactStatusesResponse_ArtifactStatus{Exists: sess.Artifacts.Has(name)}
	}
	return out, nil
}
