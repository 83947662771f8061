package cluster

import (
	"net"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"
)

// transport carries gossip over a Listener.
type transport struct {
	l        *Listener
	host     net.IP
	packets  chan *memberlist.Packet
	streams  chan net.Conn
	shutdown chan struct{}
	once     sync.Once
	group    sync.WaitGroup
}

var _ memberlist.Transport = (*transport)(nil)

func newTransport(l *Listener, host net.IP) *transport {
	t := &transport{l: l, host: host, packets: make(chan *memberlist.Packet), streams: make(chan net.Conn), shutdown: make(chan struct{})}
	t.group.Add(2)
	go t.readPackets()
	go t.acceptStreams()
	return t
}

func (t *transport) FinalAdvertiseAddr(string, int) (net.IP, int, error) {
	return t.host, t.l.Port(), nil
}

func (t *transport) WriteTo(b []byte, address string) (time.Time, error) {
	to, err := net.ResolveUDPAddr("udp", address)
	if err != nil {
		return time.Time{}, err
	}
	_, err = t.l.udp.WriteTo(b, to)
	return time.Now(), err
}

func (t *transport) PacketCh() <-chan *memberlist.Packet { return t.packets }
func (t *transport) StreamCh() <-chan net.Conn           { return t.streams }

func (t *transport) DialTimeout(address string, timeout time.Duration) (net.Conn, error) {
	return net.DialTimeout("tcp", address, timeout)
}

func (t *transport) readPackets() {
	defer t.group.Done()
	for {
		buf := make([]byte, 65536)
		n, from, err := t.l.udp.ReadFrom(buf)
		if err != nil {
			select {
			case <-t.shutdown:
				return
			case <-t.l.closed:
				return
			default:
				continue // a reader's error does not close the port
			}
		}
		if n == 0 {
			continue
		}
		select {
		case t.packets <- &memberlist.Packet{Buf: buf[:n], From: from, Timestamp: time.Now()}:
		case <-t.shutdown:
			return
		}
	}
}

func (t *transport) acceptStreams() {
	defer t.group.Done()
	for {
		select {
		case c := <-t.l.gossip:
			select {
			case t.streams <- c:
			case <-t.shutdown:
				c.Close()
				return
			}
		case <-t.shutdown:
			return
		}
	}
}

// Shutdown stops the gossip; the port stays open for gRPC.
func (t *transport) Shutdown() error {
	t.once.Do(func() {
		close(t.shutdown)
		t.l.udp.SetReadDeadline(time.Now())
	})
	t.group.Wait()
	return nil
}
