package coordinator

import (
	"context"
	"crypto/subtle"
	"math"
	"net"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"

	"millrace/errs"
)

// serverOptions are the limits that clients count on: messages as large as theirs, pings while a query is slow.
func serverOptions() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.MaxRecvMsgSize(math.MaxInt32), grpc.MaxSendMsgSize(math.MaxInt32),
		grpc.InitialWindowSize(1 << 20), grpc.InitialConnWindowSize(4 << 20),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 5 * time.Second, PermitWithoutStream: true}),
	}
}

// token is what a client must present; empty lets everybody in.
type token string

func readToken(file string) (token, error) {
	if file == "" {
		return "", nil
	}
	b, err := os.ReadFile(file)
	t := token(strings.TrimSpace(string(b)))
	if err != nil || t == "" {
		return "", errs.Newf(errs.Invalid, "--token-file %s holds no token: %v", file, err)
	}
	return t, nil
}

func (t token) check(ctx context.Context) error {
	if t == "" {
		return nil
	}
	md, _ := metadata.FromIncomingContext(ctx)
	for _, v := range md.Get("authorization") {
		if given, ok := strings.CutPrefix(v, "Bearer "); ok && subtle.ConstantTimeCompare([]byte(given), []byte(t)) == 1 {
			return nil
		}
	}
	return status.Error(codes.Unauthenticated, "the token is missing or wrong; connect with sc://HOST:PORT/;token=…")
}

func (t token) unary(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	if err := t.check(ctx); err != nil {
		return nil, err
	}
	return next(ctx, req)
}

func (t token) stream(srv any, s grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	if err := t.check(s.Context()); err != nil {
		return err
	}
	return next(srv, s)
}

// connections tells whoever asks when a client's connection ends.
type connections struct {
	mu    sync.Mutex
	ended []func(remote net.Addr)
}

type remoteKey struct{}

func (c *connections) onEnd(f func(remote net.Addr)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = append(c.ended, f)
}

// TagConn implements stats.Handler.
func (c *connections) TagConn(ctx context.Context, i *stats.ConnTagInfo) context.Context {
	return context.WithValue(ctx, remoteKey{}, i.RemoteAddr)
}

// HandleConn implements stats.Handler.
func (c *connections) HandleConn(ctx context.Context, s stats.ConnStats) {
	remote, ok := ctx.Value(remoteKey{}).(net.Addr)
	if _, end := s.(*stats.ConnEnd); !end || !ok {
		return
	}
	c.mu.Lock()
	ended := c.ended
	c.mu.Unlock()
	for _, f := range ended {
		f(remote)
	}
}

// TagRPC implements stats.Handler.
func (c *connections) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }

// HandleRPC implements stats.Handler.
func (c *connections) HandleRPC(context.Context, stats.RPCStats) {}

// self is how a Spark Connect client on this machine, such as the process of a user's function, reaches this coordinator, and what its
// environment needs for it.
func (c *Coordinator) self() (remote string, env []string) {
	address := c.Address
	if _, port, err := net.SplitHostPort(c.Address); err == nil && !c.Config.TLS.On() {
		host, _, err := net.SplitHostPort(c.Config.Listen)
		if err != nil || host == "" || net.ParseIP(host).IsUnspecified() {
			host = "127.0.0.1" // all addresses are listened on
		}
		address = net.JoinHostPort(host, port)
	}
	remote = "sc://" + address + "/"
	if t, err := readToken(c.Config.TokenFile); err == nil && t != "" {
		remote += ";token=" + url.QueryEscape(string(t))
	}
	if c.Config.TLS.On() {
		remote += ";use_ssl=true"
		if c.Config.TLS.CA != "" {
			env = append(env, "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH="+c.Config.TLS.CA)
		}
	}
	return remote, env
}
