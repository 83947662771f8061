package shuffle

import (
	"context"
	"sync"

	"github.com/apache/arrow-go/v18/arrow/flight"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"millrace/errs"
	workerpb "millrace/proto/millrace/worker/v1"
	"millrace/types"
	"millrace/vector"
)

// Client reads outputs on any worker. It keeps one connection for each address.
type Client struct {
	local   *Store // outputs at Self are read from here
	self    string
	options []grpc.DialOption

	mu    sync.Mutex
	conns map[string]*grpc.ClientConn
}

// NewClient makes a client. local, which may be nil, is the store at the address self.
func NewClient(local *Store, self string, options ...grpc.DialOption) *Client {
	options = append([]grpc.DialOption{grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(MaxMessage)),
		grpc.WithInitialWindowSize(4 << 20), grpc.WithInitialConnWindowSize(16 << 20), grpc.WithReadBufferSize(256 << 10)}, options...)
	return &Client{local: local, self: self, options: options, conns: map[string]*grpc.ClientConn{}}
}

func (c *Client) conn(address string) (*grpc.ClientConn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if conn := c.conns[address]; conn != nil {
		return conn, nil
	}
	conn, err := grpc.NewClient("passthrough:///"+address, c.options...)
	if err != nil {
		return nil, errs.Wrap(err, "connect to %s", address)
	}
	c.conns[address] = conn
	return conn, nil
}

// Forget closes the connection to a worker that is gone.
func (c *Client) Forget(address string) {
	c.mu.Lock()
	conn := c.conns[address]
	delete(c.conns, address)
	c.mu.Unlock()
	if conn != nil {
		conn.Close()
	}
}

// Close closes all connections.
func (c *Client) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.conns {
		conn.Close()
	}
	c.conns = map[string]*grpc.ClientConn{}
}

// Open begins to read a partition of an output at an address. Errors of reading are LostInputs.
func (c *Client) Open(ctx context.Context, address string, output Ref, partition int, wait bool, columns []*types.Type) (Reader, error) {
	return c.openRange(ctx, address, output, partition, 0, wait, columns)
}

// openRange is Open of a partition and so many behind it.
func (c *Client) openRange(ctx context.Context, address string, output Ref, partition, more int, wait bool, columns []*types.Type) (Reader, error) {
	if c.local != nil && address == c.self {
		r, err := c.local.openRange(ctx, output, partition, more, wait)
		if err != nil {
			return nil, lost(ctx, output, err)
		}
		return &checkedReader{Reader: r, ctx: ctx, output: output}, nil
	}
	conn, err := c.conn(address)
	if err != nil {
		return nil, lost(ctx, output, err)
	}
	ticket, err := proto.Marshal(&workerpb.Ticket{Output: output.PB(), Partition: uint32(partition), More: uint32(more), Wait: wait})
	if err != nil {
		return nil, errs.Wrap(err, "make a ticket")
	}
	sub, cancel := context.WithCancel(ctx)
	stream, err := flight.NewFlightServiceClient(conn).DoGet(sub, &flight.Ticket{Ticket: ticket})
	if err != nil {
		cancel()
		return nil, lost(ctx, output, err)
	}
	f := &flightReader{cancel: cancel}
	f.dec = newDecoder(columns, func() (message, error) {
		data, err := stream.Recv()
		if err != nil {
			return message{}, err
		}
		return message{data.DataHeader, data.DataBody}, nil
	})
	return &checkedReader{Reader: f, ctx: ctx, output: output}, nil
}

// checkedReader says which output is lost.
type checkedReader struct {
	Reader
	ctx    context.Context
	output Ref
}

func (r *checkedReader) Next() (*vector.Batch, error) {
	b, err := r.Reader.Next()
	return b, lost(r.ctx, r.output, err)
}

type flightReader struct {
	cancel context.CancelFunc
	dec    *decoder
}

func (r *flightReader) Next() (*vector.Batch, error) { return eof(r.dec.decode()) }
func (r *flightReader) Close()                       { r.cancel() }
