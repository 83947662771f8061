package cluster

import (
	"context"
	"io"
	"log"
	"log/slog"
	"net"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"
	"google.golang.org/protobuf/proto"

	"millrace/errs"
	clusterpb "millrace/proto/millrace/cluster/v1"
)

// The roles of members.
const (
	Coordinator = "coordinator"
	Worker      = "worker"
)

// Member is what a member tells about itself.
type Member struct {
	ID      string // new with each start of the process
	Role    string
	Address string // host:port of its gRPC server and its gossip
	Version string
	Cores   int
	Memory  int64
}

// Config is how a member takes part.
type Config struct {
	Listener *Listener
	Self     Member
	// Joined and Left are called one at a time and must not block. Left may be wrong: a member that only could not be heard joins again.
	Joined func(Member)
	Left   func(Member)
	Log    *slog.Logger
}

// Members is the membership as this process sees it.
type Members struct {
	cfg  Config
	list *memberlist.Memberlist
	tr   *transport

	mu      sync.Mutex
	refused error // why another member refused us, or we it
}

// Start begins to gossip, alone at first.
func Start(cfg Config) (*Members, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	m := &Members{cfg: cfg}
	host, _, err := net.SplitHostPort(cfg.Self.Address)
	if err != nil {
		return nil, errs.Newf(errs.Invalid, "the address %q has no port: %v", cfg.Self.Address, err)
	}
	ip, err := net.ResolveIPAddr("ip", host)
	if err != nil {
		return nil, errs.Newf(errs.Invalid, "the advertised host %q is not known: %v", host, err)
	}
	m.tr = newTransport(cfg.Listener, ip.IP)
	c := memberlist.DefaultLANConfig()
	c.Name, c.Transport = cfg.Self.ID, m.tr
	c.AdvertiseAddr, c.AdvertisePort, c.BindPort = ip.IP.String(), cfg.Listener.Port(), cfg.Listener.Port()
	c.Delegate, c.Events, c.Merge, c.Alive = (*delegate)(m), (*delegate)(m), (*delegate)(m), (*delegate)(m)
	c.ProbeInterval, c.ProbeTimeout, c.SuspicionMult, c.SuspicionMaxTimeoutMult = 500*time.Millisecond, 300*time.Millisecond, 3, 2
	c.GossipInterval, c.GossipToTheDeadTime, c.TCPTimeout = 100*time.Millisecond, 10*time.Second, 3*time.Second
	c.Logger = log.New(gossipLog{cfg.Log}, "", 0)
	if m.list, err = memberlist.Create(c); err != nil {
		m.tr.Shutdown()
		return nil, errs.Wrap(err, "start gossip")
	}
	return m, nil
}

// gossipLog keeps memberlist's warnings and errors.
type gossipLog struct{ log *slog.Logger }

func (g gossipLog) Write(p []byte) (int, error) {
	text := strings.TrimSpace(string(p))
	if strings.Contains(text, "[ERR]") || strings.Contains(text, "[WARN]") {
		g.log.Debug("gossip", "message", text)
	}
	return len(p), nil
}

var _ io.Writer = gossipLog{}

// Join tries the addresses until one member has taken us in, or ctx ends. A cluster of another version refuses at once.
func (m *Members) Join(ctx context.Context, addresses []string) error {
	pause := 10 * time.Millisecond
	for {
		n, err := m.list.Join(addresses)
		if refused := m.refusal(); refused != nil {
			return refused
		}
		if n > 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return errs.Newf(errs.Lost, "cannot join a cluster at %s: %v", strings.Join(addresses, ", "), err)
		case <-time.After(pause):
			pause = min(2*pause, time.Second)
		}
	}
}

// Rejoin tries the addresses once. Only a refusal is an error.
func (m *Members) Rejoin(addresses []string) error {
	if _, err := m.list.Join(addresses); err != nil {
		m.cfg.Log.Debug("look for the cluster again", "error", err)
	}
	return m.refusal()
}

func (m *Members) refusal() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.refused
}

// List is the members now, this one included, by address.
func (m *Members) List() []Member {
	var list []Member
	for _, n := range m.list.Members() {
		if x, err := parseMember(n.Meta); err == nil {
			list = append(list, x)
		}
	}
	sort.Slice(list, func(i, k int) bool { return list[i].Address < list[k].Address })
	return list
}

// Leave tells the others that this member goes, and stops gossiping.
func (m *Members) Leave() {
	m.list.Leave(500 * time.Millisecond)
	m.Close()
}

// Close stops gossiping without a word.
func (m *Members) Close() {
	m.list.Shutdown()
	m.tr.Shutdown()
}

func parseMember(meta []byte) (Member, error) {
	var p clusterpb.Member
	if err := proto.Unmarshal(meta, &p); err != nil || p.Role == "" {
		return Member{}, errs.Newf(errs.Invalid, "a gossiping process is no member of a millrace cluster")
	}
	return Member{p.Id, p.Role, p.Address, p.Version, int(p.Cores), int64(p.Memory)}, nil
}

// delegate is what memberlist asks and tells.
type delegate Members

func (d *delegate) NodeMeta(limit int) []byte {
	s := d.cfg.Self
	b, err := proto.Marshal(&clusterpb.Member{Id: s.ID, Role: s.Role, Address: s.Address, Version: s.Version, Cores: uint32(s.Cores), Memory: uint64(s.Memory)})
	if err != nil || len(b) > limit {
		panic("cluster: a member's description does not fit into gossip")
	}
	return b
}

func (d *delegate) NotifyMsg([]byte)                {}
func (d *delegate) GetBroadcasts(int, int) [][]byte { return nil }
func (d *delegate) LocalState(bool) []byte          { return nil }
func (d *delegate) MergeRemoteState([]byte, bool)   {}
func (d *delegate) NotifyUpdate(*memberlist.Node)   {}

// NotifyMerge refuses a cluster, or a member that joins, of another version.
func (d *delegate) NotifyMerge(peers []*memberlist.Node) error {
	for _, n := range peers {
		if err := d.check(n); err != nil {
			return err
		}
	}
	return nil
}

// NotifyAlive refuses gossip about a member of another version.
func (d *delegate) NotifyAlive(peer *memberlist.Node) error { return d.check(peer) }

func (d *delegate) check(n *memberlist.Node) error {
	x, err := parseMember(n.Meta)
	if err != nil || x.Version == d.cfg.Self.Version {
		return err
	}
	d.cfg.Log.Warn("refused a member of another version", "member", x.Address, "role", x.Role, "version", x.Version, "own", d.cfg.Self.Version)
	self := d.cfg.Self
	err = errs.New("CLUSTER_VERSION_MISMATCH", "role", self.Role, "name", self.Address, "version", self.Version, "clusterVersion", x.Version)
	if self.Role == Worker && x.Role == Coordinator {
		d.mu.Lock()
		d.refused = err
		d.mu.Unlock()
	}
	return err
}

func (d *delegate) NotifyJoin(n *memberlist.Node) {
	if x, err := parseMember(n.Meta); err == nil && x.ID != d.cfg.Self.ID && d.cfg.Joined != nil {
		d.cfg.Joined(x)
	}
}

func (d *delegate) NotifyLeave(n *memberlist.Node) {
	if x, err := parseMember(n.Meta); err == nil && x.ID != d.cfg.Self.ID && d.cfg.Left != nil {
		d.cfg.Left(x)
	}
}
