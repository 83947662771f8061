package connect

import (
	"context"
	"log/slog"
	"math"
	"os"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"

	pb "millrace/proto/spark/connect"
	"millrace/session"
)

// Options are the service's parts.
type Options struct {
	Sessions *session.Manager
	Streams  session.Streams // nil: streaming queries are refused
	// Version is what spark.version says; empty: 4.2.0.
	Version string
	// BufferBytes bounds what an operation's unread responses hold in memory; 0: 32 MiB. What was read and may be asked for
	// again goes to a file in SpillDir, which is made when needed; empty: the system's directory for temporary files.
	BufferBytes int64
	SpillDir    string
	// Abandon ends an operation to which no client has been attached for so long; 0: five minutes.
	Abandon time.Duration
	// StreamFor ends a stream after so long, upon which the client attaches again; 0: two minutes.
	StreamFor time.Duration
	Log       *slog.Logger
	// Self is the address by which processes of this machine reach the service, as clients write it, with what parameters they need
	// (sc://127.0.0.1:15002/;use_ssl=true); empty: nobody calls back, and foreachBatch is refused. SelfEnv is for their environment.
	Self    string
	SelfEnv []string
	// User checks who is calling and names them; nil trusts what the request says.
	User func(ctx context.Context, claimed string) (string, error)
}

// Service implements the Spark Connect service. It is safe for concurrent use.
type Service struct {
	pb.UnimplementedSparkConnectServiceServer
	o      Options
	errors errorLog

	mu         sync.Mutex
	executions map[executionKey]*execution
	abandoned  map[executionKey]time.Time
	unknown    map[string]time.Time // operations that clients have asked for and that are not here: they send them again
	listeners  map[session.Key]*listener
}

var _ pb.SparkConnectServiceServer = (*Service)(nil)

// New makes a service.
func New(o Options) *Service {
	if o.Version == "" {
		o.Version = "4.2.0"
	}
	if o.BufferBytes == 0 {
		o.BufferBytes = 32 << 20
	}
	if o.SpillDir == "" {
		o.SpillDir = os.TempDir()
	}
	if o.Abandon == 0 {
		o.Abandon = 5 * time.Minute
	}
	if o.StreamFor == 0 {
		o.StreamFor = 2 * time.Minute
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Service{o: o, executions: map[executionKey]*execution{}, abandoned: map[executionKey]time.Time{}, unknown: map[string]time.Time{},
		listeners: map[session.Key]*listener{}}
}

// Register adds the service to a server that was made with ServerOptions.
func (s *Service) Register(g *grpc.Server) { pb.RegisterSparkConnectServiceServer(g, s) }

// ServerOptions are the limits that clients count on: messages as large as theirs, pings while a query is slow.
func ServerOptions() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.MaxRecvMsgSize(math.MaxInt32), grpc.MaxSendMsgSize(math.MaxInt32),
		grpc.InitialWindowSize(1 << 20), grpc.InitialConnWindowSize(4 << 20),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 5 * time.Second, PermitWithoutStream: true}),
	}
}

// Sweep ends abandoned operations; call it now and then.
func (s *Service) Sweep() {
	now := time.Now()
	var idle []*execution
	s.mu.Lock()
	for key, e := range s.executions {
		if since, detached := e.log.detachedSince(); detached && now.Sub(since) > s.o.Abandon {
			idle = append(idle, e)
			delete(s.executions, key)
			s.abandoned[key] = now
		}
	}
	for key, at := range s.abandoned {
		if now.Sub(at) > time.Hour {
			delete(s.abandoned, key)
		}
	}
	for id, at := range s.unknown {
		if now.Sub(at) > time.Hour {
			delete(s.unknown, id)
		}
	}
	s.mu.Unlock()
	for _, e := range idle {
		s.o.Log.Info("operation abandoned", "operation", e.id)
		e.stop()
	}
}

// Watch sweeps until ctx ends.
func (s *Service) Watch(ctx context.Context) {
	tick := time.NewTicker(max(s.o.Abandon/10, time.Second))
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			s.Sweep()
		case <-ctx.Done():
			return
		}
	}
}
