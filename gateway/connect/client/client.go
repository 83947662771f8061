package client

import (
	"context"
	"crypto/tls"
	"math"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	"millrace/errs"
	pb "millrace/proto/spark/connect"
)

const (
	agent = "millrace"
	// reachWithin is how long a server may take to accept a connection before it counts as unreachable.
	reachWithin = 5 * time.Second
)

// Client is one session on a server. It is safe for concurrent use.
type Client struct {
	address *Address
	conn    *grpc.ClientConn
	stub    pb.SparkConnectServiceClient
}

// Dial connects to a server and checks that it answers.
func Dial(ctx context.Context, address string) (*Client, error) {
	a, err := ParseURL(address)
	if err != nil {
		return nil, err
	}
	return DialAddress(ctx, a, nil)
}

// DialAddress is Dial for a parsed address; tls may add certificates.
func DialAddress(ctx context.Context, a *Address, config *tls.Config) (*Client, error) {
	creds := insecure.NewCredentials()
	if a.TLS || config != nil {
		creds = credentials.NewTLS(config)
	}
	conn, err := grpc.NewClient("passthrough:///"+a.Host, grpc.WithTransportCredentials(creds), grpc.WithUserAgent(agent),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(math.MaxInt32), grpc.MaxCallSendMsgSize(math.MaxInt32)))
	if err != nil {
		return nil, errs.Newf(errs.Invalid, "connect to %s: %v", a.Host, err)
	}
	c := &Client{address: a, conn: conn, stub: pb.NewSparkConnectServiceClient(conn)}
	if err := c.reach(ctx); err != nil {
		conn.Close() // nothing was sent
		return nil, err
	}
	return c, nil
}

// reach waits for the connection, but not for ever: a dead server would look like a slow one.
func (c *Client) reach(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, reachWithin)
	defer cancel()
	c.conn.Connect()
	for {
		state := c.conn.GetState()
		if state == connectivity.Ready {
			return nil
		}
		if state == connectivity.TransientFailure || !c.conn.WaitForStateChange(ctx, state) {
			return errs.Newf(errs.Transient, "The cluster at sc://%s cannot be reached.", c.address.Host)
		}
	}
}

// SessionID is the session's id.
func (c *Client) SessionID() string { return c.address.SessionID }

func (c *Client) user() *pb.UserContext {
	return &pb.UserContext{UserId: c.address.User, UserName: c.address.User}
}

// Conn is the connection, for other services of the same server; Outgoing makes the context that authenticates their calls.
func (c *Client) Conn() *grpc.ClientConn { return c.conn }

// User is the name that the client goes by.
func (c *Client) User() string { return c.address.User }

// Outgoing adds what authenticates the client to a call's context.
func (c *Client) Outgoing(ctx context.Context) context.Context { return c.outgoing(ctx) }

func (c *Client) outgoing(ctx context.Context) context.Context {
	pairs := []string{}
	if c.address.Token != "" {
		pairs = append(pairs, "authorization", "Bearer "+c.address.Token)
	}
	for k, v := range c.address.Metadata {
		pairs = append(pairs, k, v)
	}
	return metadata.AppendToOutgoingContext(ctx, pairs...)
}

// Version is the server's version of Spark.
func (c *Client) Version(ctx context.Context) (string, error) {
	r, err := c.stub.AnalyzePlan(c.outgoing(ctx), &pb.AnalyzePlanRequest{SessionId: c.address.SessionID, UserContext: c.user(),
		Analyze: &pb.AnalyzePlanRequest_SparkVersion_{SparkVersion: &pb.AnalyzePlanRequest_SparkVersion{}}})
	if err != nil {
		return "", c.failure(ctx, err)
	}
	return r.GetSparkVersion().GetVersion(), nil
}

// SetConf changes the session's configuration.
func (c *Client) SetConf(ctx context.Context, key, value string) error {
	_, err := c.stub.Config(c.outgoing(ctx), &pb.ConfigRequest{SessionId: c.address.SessionID, UserContext: c.user(),
		Operation: &pb.ConfigRequest_Operation{OpType: &pb.ConfigRequest_Operation_Set{
			Set: &pb.ConfigRequest_Set{Pairs: []*pb.KeyValue{{Key: key, Value: &value}}}}}})
	return c.failure(ctx, err)
}

// Interrupt cancels everything that runs in the session.
func (c *Client) Interrupt(ctx context.Context) error {
	_, err := c.stub.Interrupt(c.outgoing(ctx), &pb.InterruptRequest{SessionId: c.address.SessionID, UserContext: c.user(),
		InterruptType: pb.InterruptRequest_INTERRUPT_TYPE_ALL})
	return c.failure(ctx, err)
}

// SQL runs a statement. A command has done its work when SQL returns; a query's rows come as they are read.
func (c *Client) SQL(ctx context.Context, text string) (*Rows, error) {
	command := &pb.Plan{OpType: &pb.Plan_Command{Command: &pb.Command{CommandType: &pb.Command_SqlCommand{
		SqlCommand: &pb.SqlCommand{Input: &pb.Relation{RelType: &pb.Relation_Sql{Sql: &pb.SQL{Query: text}}}}}}}}
	first, err := c.execute(ctx, command)
	if err != nil {
		return nil, err
	}
	var rel *pb.Relation
	for first.advance() {
		if r := first.response.GetSqlCommandResult().GetRelation(); r != nil {
			rel = r
		}
	}
	if err := first.Close(); err != nil {
		return nil, err
	}
	if rel == nil {
		return nil, errs.Newf(errs.Internal, "The server gave no result for the statement.")
	}
	rows, err := c.execute(ctx, &pb.Plan{OpType: &pb.Plan_Root{Root: rel}})
	if err != nil {
		return nil, err
	}
	rows.Query = rel.GetLocalRelation() == nil
	return rows, nil
}

func (c *Client) execute(ctx context.Context, p *pb.Plan) (*Rows, error) {
	ctx, cancel := context.WithCancel(ctx)
	id := uuid.NewString()
	stream, err := c.stub.ExecutePlan(c.outgoing(ctx), &pb.ExecutePlanRequest{SessionId: c.address.SessionID, UserContext: c.user(),
		ClientType: optional(agent), OperationId: &id, Plan: p})
	if err != nil {
		cancel()
		return nil, c.failure(ctx, err)
	}
	return &Rows{client: c, ctx: ctx, cancel: cancel, stream: stream}, nil
}

func optional(s string) *string { return &s }

// Close ends the session and the connection.
func (c *Client) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	//nolint:errcheck // the server forgets the session by itself
	c.stub.ReleaseSession(c.outgoing(ctx), &pb.ReleaseSessionRequest{SessionId: c.address.SessionID, UserContext: c.user()})
	return c.conn.Close()
}
