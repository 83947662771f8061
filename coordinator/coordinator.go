package coordinator

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc"

	"millrace/cluster"
	"millrace/errs"
	"millrace/memory"
	"millrace/scheduler"
	"millrace/scheduler/driver"
	"millrace/shuffle"
	"millrace/stream"
)

// Service is a front door.
type Service interface {
	Register(*grpc.Server)
	Close()
}

// NewService makes a front door of a coordinator whose parts have all started.
type NewService func(c *Coordinator) (Service, error)

// Coordinator is the parts of a running coordinator, for front doors.
type Coordinator struct {
	Config  Config
	ID      string
	Address string // host:port that clients use
	UI      string // host:port of the HTTP server
	Etcd    *cluster.Etcd
	Driver  *driver.Driver
	Members *cluster.Members
	Streams *stream.Manager // set by the front door that makes it
	HTTP    *http.ServeMux
	Log     *slog.Logger

	listener *cluster.Listener
	server   *grpc.Server
	web      *http.Server
	services []Service
	leader   atomic.Bool
	serving  atomic.Bool
	stopLead func()
	token    token
	clients  connections
}

// Run runs a coordinator until ctx ends. It prints the ready line when clients may come. Problems with the flags have the kind Invalid.
func Run(ctx context.Context, cfg Config, out io.Writer, services []NewService) error {
	memory.BoundGarbage(64 << 20)
	unlock, err := cluster.LockDir(cfg.Dir)
	if err != nil {
		return err
	}
	defer unlock()
	c := &Coordinator{Config: cfg, ID: uuid.NewString(), HTTP: http.NewServeMux(),
		Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: cfg.LogLevel}))}
	defer c.close()
	if err := c.start(ctx, services); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	if !c.awaitWorkers(ctx) {
		return nil
	}
	fmt.Fprintf(out, "ready sc://%s ui http://%s\n", c.Address, c.UI)
	<-ctx.Done()
	return nil
}

// start brings the parts up: what takes long at the same time.
func (c *Coordinator) start(ctx context.Context, services []NewService) error {
	etcd := make(chan error, 1)
	go func() { etcd <- c.startEtcd(ctx) }()
	err := c.listen()
	if e := <-etcd; e != nil {
		return e
	}
	if err != nil {
		return err
	}
	lead, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	c.stopLead = func() { stop(); <-done }
	go func() {
		defer close(done)
		c.Etcd.Campaign(lead, "millrace/leader", c.Address, func(ctx context.Context) {
			c.leader.Store(true)
			<-ctx.Done()
			c.leader.Store(false)
		})
	}()
	for _, make := range services {
		s, err := make(c)
		if err != nil {
			return err
		}
		s.Register(c.server)
		c.services = append(c.services, s)
	}
	go c.server.Serve(c.listener.GRPC())
	if len(c.Config.Join) > 0 {
		if err := c.Members.Join(ctx, splitList(c.Config.Join)); err != nil {
			return err
		}
	}
	c.serving.Store(true)
	return nil
}

func (c *Coordinator) startEtcd(ctx context.Context) (err error) {
	if urls := c.Config.etcdEndpoints(); urls != nil {
		c.Etcd, err = cluster.DialEtcd(ctx, urls)
		return err
	}
	c.Etcd, err = cluster.EmbedEtcd(ctx, filepath.Join(c.Config.Dir, "etcd"), c.Config.UnsafeEtcd)
	return err
}

// listen opens the ports and starts what needs no etcd: HTTP, the driver and the membership.
func (c *Coordinator) listen() error {
	cfg := c.Config
	dial, err := cfg.TLS.Client()
	if err != nil {
		return err
	}
	creds, err := cfg.TLS.Server(false)
	if err != nil {
		return err
	}
	if c.token, err = readToken(cfg.TokenFile); err != nil {
		return err
	}
	if c.listener, err = cluster.Listen(cfg.Listen); err != nil {
		return err
	}
	c.Address = c.listener.Address(cfg.Advertise)
	if err := c.listenHTTP(); err != nil {
		return err
	}
	c.server = grpc.NewServer(append(serverOptions(), creds, grpc.StatsHandler(&c.clients), grpc.UnaryInterceptor(c.token.unary), grpc.StreamInterceptor(c.token.stream))...)
	c.Driver = driver.New(driver.Config{ID: c.ID, Version: cluster.Version, Scheduler: scheduler.Config{WorkerWait: cfg.NoWorker}, Log: c.Log,
		Dial: []grpc.DialOption{dial, grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(shuffle.MaxMessage), grpc.MaxCallSendMsgSize(shuffle.MaxMessage))}})
	c.Members, err = cluster.Start(cluster.Config{Listener: c.listener, Log: c.Log,
		Self: cluster.Member{ID: c.ID, Role: cluster.Coordinator, Address: c.Address, Version: cluster.Version, Cores: runtime.NumCPU()},
		Joined: func(m cluster.Member) {
			if m.Role == cluster.Worker {
				c.Driver.Join(m.ID, m.Address)
			}
		},
		Left: func(m cluster.Member) {
			if m.Role == cluster.Worker {
				c.Driver.Leave(m.ID)
			}
		}})
	return err
}

func (c *Coordinator) listenHTTP() error {
	l, err := net.Listen("tcp", c.Config.UI)
	if err != nil {
		return errs.Newf(errs.Invalid, "cannot listen on %s for the web page: %v", c.Config.UI, err)
	}
	c.UI = l.Addr().String()
	c.routes()
	c.web = &http.Server{Handler: c.HTTP, ReadHeaderTimeout: 10 * time.Second}
	go c.web.Serve(l)
	return nil
}

// Leader reports whether this coordinator leads.
func (c *Coordinator) Leader() bool { return c.leader.Load() }

// workers is the number of connected workers.
func (c *Coordinator) workers() int {
	n := 0
	for _, w := range c.Driver.Workers() {
		if w.Connected && !w.Draining {
			n++
		}
	}
	return n
}

func (c *Coordinator) awaitWorkers(ctx context.Context) bool {
	for c.workers() < c.Config.Await {
		select {
		case <-ctx.Done():
			return false
		case <-time.After(5 * time.Millisecond):
		}
	}
	return ctx.Err() == nil
}

// close takes the parts down, front doors first.
func (c *Coordinator) close() {
	c.serving.Store(false)
	for _, s := range c.services {
		s.Close()
	}
	if c.Driver != nil {
		c.Driver.Close()
	}
	if c.server != nil {
		stopped := make(chan struct{})
		go func() { c.server.GracefulStop(); close(stopped) }()
		select {
		case <-stopped:
		case <-time.After(time.Second):
			c.server.Stop()
		}
	}
	if c.Members != nil {
		c.Members.Leave()
	}
	if c.listener != nil {
		c.listener.Close()
	}
	if c.web != nil {
		c.web.Close()
	}
	if c.stopLead != nil {
		c.stopLead()
	}
	if c.Etcd != nil {
		c.Etcd.Close()
	}
}
