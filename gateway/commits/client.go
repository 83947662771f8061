package commits

import (
	"context"
	"math"
	"math/rand/v2"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"millrace/delta"
	"millrace/errs"
	pb "millrace/proto/millrace/commits/v1"
	"millrace/txn"
)

// Client commits through coordinators. Transactions of one client may run at once.
type Client struct {
	stubs []pb.CommitsClient
	conns []*grpc.ClientConn
}

// Dial makes a client of some coordinators, of which any will do. Nothing is sent yet.
func Dial(addresses ...string) (*Client, error) {
	c := &Client{}
	for _, a := range addresses {
		conn, err := grpc.NewClient("passthrough:///"+a, grpc.WithTransportCredentials(insecure.NewCredentials()),
			grpc.WithDefaultCallOptions(grpc.MaxCallSendMsgSize(math.MaxInt32), grpc.MaxCallRecvMsgSize(math.MaxInt32)))
		if err != nil {
			c.Close()
			return nil, errs.Newf(errs.Invalid, "connect to %s: %v", a, err)
		}
		c.conns = append(c.conns, conn)
		c.stubs = append(c.stubs, pb.NewCommitsClient(conn))
	}
	return c, nil
}

// NewClient makes a client of one connection, which stays the caller's.
func NewClient(conn grpc.ClientConnInterface) *Client {
	return &Client{stubs: []pb.CommitsClient{pb.NewCommitsClient(conn)}}
}

// Close closes what Dial opened.
func (c *Client) Close() {
	for _, conn := range c.conns {
		conn.Close()
	}
}

// Commit commits a transaction. Whatever happens to connections and coordinators it asks again, with the transaction's
// identifier, until the outcome is known or the context ends.
func (c *Client) Commit(ctx context.Context, r txn.Request) (txn.Result, error) {
	p, err := part(r)
	if err != nil {
		return txn.Result{}, err
	}
	var res txn.Result
	err = c.ask(ctx, func(s pb.CommitsClient) (*pb.Failure, error) {
		a, err := s.Commit(ctx, p)
		res = result(a)
		return a.GetFailure(), err
	})
	return res, err
}

// CommitAll commits transactions of several tables, all or none, and likewise asks until it knows.
func (c *Client) CommitAll(ctx context.Context, txnID string, parts []txn.Request) ([]txn.Result, error) {
	r := &pb.CommitAllRequest{TxnId: txnID}
	for _, q := range parts {
		p, err := part(q)
		if err != nil {
			return nil, err
		}
		r.Parts = append(r.Parts, p)
	}
	var all []txn.Result
	err := c.ask(ctx, func(s pb.CommitsClient) (*pb.Failure, error) {
		a, err := s.CommitAll(ctx, r)
		all = nil
		for _, p := range a.GetParts() {
			all = append(all, result(p))
		}
		return a.GetFailure(), err
	})
	return all, err
}

// Outcome tells what became of a transaction: the version that it was committed as, or that the log does not have it.
func (c *Client) Outcome(ctx context.Context, table, txnID string, readVersion int64) (version int64, committed bool, err error) {
	err = c.ask(ctx, func(s pb.CommitsClient) (*pb.Failure, error) {
		a, err := s.Outcome(ctx, &pb.OutcomeRequest{Table: table, TxnId: txnID, ReadVersion: readVersion})
		version, committed = a.GetVersion(), a.GetCommitted()
		return nil, err
	})
	return version, committed, err
}

// Head is a table's newest version, -1 where there is none.
func (c *Client) Head(ctx context.Context, table string) (version int64, err error) {
	err = c.ask(ctx, func(s pb.CommitsClient) (*pb.Failure, error) {
		a, err := s.Head(ctx, &pb.HeadRequest{Table: table})
		version = a.GetVersion()
		return nil, err
	})
	return version, err
}

// ask calls coordinators in turn until one answers.
func (c *Client) ask(ctx context.Context, call func(pb.CommitsClient) (*pb.Failure, error)) error {
	at := rand.IntN(len(c.stubs))
	for try := 0; ; try++ {
		f, err := call(c.stubs[(at+try)%len(c.stubs)])
		switch {
		case err == nil && f == nil:
			return nil
		case err == nil:
			return no(f)
		case ctx.Err() != nil:
			return ctx.Err()
		case status.Code(err) == codes.InvalidArgument || status.Code(err) == codes.Unauthenticated || status.Code(err) == codes.Unimplemented:
			return errs.Newf(errs.Invalid, "%s", status.Convert(err).Message())
		}
		select {
		case <-time.After(rand.N(min(10*time.Millisecond<<min(try, 6), 500*time.Millisecond))):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// no is the error of a final no.
func no(f *pb.Failure) error {
	kinds := map[string]errs.Kind{}
	for k := errs.Internal; k <= errs.Exhausted; k++ {
		kinds[k.String()] = k
	}
	e := errs.Newf(kinds[f.Kind], "%s", f.Message)
	e.Condition, e.SQLState = f.Condition, f.SqlState
	if c, ok := errs.Lookup(f.Condition); ok {
		e.Class = c.Class
	}
	return e
}

func result(a *pb.CommitResponse) txn.Result {
	return txn.Result{Version: a.GetVersion(), Timestamp: a.GetTimestampMs(), Known: a.GetKnown(), Skipped: a.GetSkipped(), Grouped: int(a.GetGrouped())}
}

// part puts a transaction into a message. Predicates do not travel: they stand for the whole table.
func part(r txn.Request) (*pb.CommitRequest, error) {
	info := r.Info
	actions, err := delta.EncodeCommit(append([]delta.Action{{CommitInfo: &info}}, r.Actions...))
	if err != nil {
		return nil, err
	}
	return &pb.CommitRequest{Table: r.Table, ReadVersion: r.ReadVersion, TxnId: r.TxnID, Actions: actions, Isolation: string(r.Isolation),
		ReadTable: r.ReadTable || len(r.Reads) > 0, ReadFiles: r.ReadFiles, AppId: r.AppID, AppVersion: r.AppVersion}, nil
}
