package cluster

import (
	"bufio"
	"errors"
	"net"
	"strconv"
	"sync"
	"time"

	"millrace/errs"
)

// Listener is a port that gossip and gRPC share. A TCP connection that begins like HTTP/2 or TLS is gRPC's.
type Listener struct {
	tcp    net.Listener
	udp    *net.UDPConn
	grpc   chan net.Conn
	gossip chan net.Conn
	closed chan struct{}
	once   sync.Once
	group  sync.WaitGroup
}

// Listen opens a port for TCP and UDP; port 0 chooses one.
func Listen(address string) (*Listener, error) {
	var last error
	for range 20 { // a port that is free for TCP may be taken for UDP
		tcp, err := net.Listen("tcp", address)
		if err != nil {
			return nil, errs.Newf(errs.Invalid, "cannot listen on %s: %v", address, err)
		}
		udp, err := net.ListenPacket("udp", tcp.Addr().String())
		if err == nil {
			l := &Listener{tcp: tcp, udp: udp.(*net.UDPConn), grpc: make(chan net.Conn), gossip: make(chan net.Conn), closed: make(chan struct{})}
			l.group.Add(1)
			go l.accept()
			return l, nil
		}
		tcp.Close()
		if last = err; !portZero(address) {
			break
		}
	}
	return nil, errs.Newf(errs.Invalid, "cannot listen on %s: %v", address, last)
}

func portZero(address string) bool {
	_, port, err := net.SplitHostPort(address)
	return err == nil && port == "0"
}

// Port is the port's number.
func (l *Listener) Port() int { return l.tcp.Addr().(*net.TCPAddr).Port }

// Host is the address that was listened on.
func (l *Listener) Host() string { return l.tcp.Addr().(*net.TCPAddr).IP.String() }

// Address is host:port as others reach it; advertise, if not empty, is the host.
func (l *Listener) Address(advertise string) string {
	if advertise == "" {
		advertise = l.Host()
		if ip := net.ParseIP(advertise); ip != nil && ip.IsUnspecified() {
			advertise = outwardIP()
		}
	}
	return net.JoinHostPort(advertise, strconv.Itoa(l.Port()))
}

// outwardIP is the first address of the machine that is not its loopback.
func outwardIP() string {
	list, _ := net.InterfaceAddrs()
	for _, a := range list {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && !n.IP.IsLoopback() && !n.IP.IsLinkLocalUnicast() {
			return n.IP.String()
		}
	}
	return "127.0.0.1"
}

func (l *Listener) accept() {
	defer l.group.Done()
	for {
		c, err := l.tcp.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			time.Sleep(10 * time.Millisecond) // out of file descriptors
			continue
		}
		l.group.Add(1)
		go func() { defer l.group.Done(); l.sort(c) }()
	}
}

// sort looks at a connection's first byte, which must come soon.
func (l *Listener) sort(c net.Conn) {
	c.SetReadDeadline(time.Now().Add(10 * time.Second))
	r := bufio.NewReaderSize(c, 512)
	first, err := r.Peek(1)
	if err != nil {
		c.Close()
		return
	}
	c.SetReadDeadline(time.Time{})
	to := l.gossip
	if first[0] == 'P' || first[0] == 0x16 { // "PRI * HTTP/2.0", or a TLS handshake
		to = l.grpc
	}
	select {
	case to <- &peeked{Conn: c, r: r}:
	case <-l.closed:
		c.Close()
	}
}

// peeked is a connection of which something has been read ahead.
type peeked struct {
	net.Conn
	r *bufio.Reader
}

func (p *peeked) Read(b []byte) (int, error) {
	if p.r == nil {
		return p.Conn.Read(b)
	}
	n, err := p.r.Read(b)
	if p.r.Buffered() == 0 {
		p.r = nil
	}
	return n, err
}

// Close closes the port. Connections live on.
func (l *Listener) Close() {
	l.once.Do(func() {
		close(l.closed)
		l.tcp.Close()
		l.udp.Close()
	})
}

// GRPC is the listener of the gRPC connections. Closing it closes nothing else.
func (l *Listener) GRPC() net.Listener { return &grpcListener{l: l, closed: make(chan struct{})} }

type grpcListener struct {
	l      *Listener
	closed chan struct{}
	once   sync.Once
}

func (g *grpcListener) Accept() (net.Conn, error) {
	select {
	case c := <-g.l.grpc:
		return c, nil
	case <-g.l.closed:
	case <-g.closed:
	}
	return nil, net.ErrClosed
}

func (g *grpcListener) Addr() net.Addr { return g.l.tcp.Addr() }
func (g *grpcListener) Close() error   { g.once.Do(func() { close(g.closed) }); return nil }
