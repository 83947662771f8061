package worker

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc"

	"millrace/cache"
	"millrace/cluster"
	"millrace/errs"
	"millrace/memory"
	"millrace/python"
	"millrace/shuffle"
	"millrace/state"
)

// Config is a worker's flags.
type Config struct {
	Join         []string      `required:"" placeholder:"HOST:PORT" help:"Addresses of members of the cluster; one that answers is enough."`
	Dir          string        `required:"" placeholder:"DIR" help:"Directory for spilled data and task outputs; made if missing, emptied of old ones at start."`
	Listen       string        `default:"127.0.0.1:0" placeholder:"ADDR" help:"Host and port for tasks, exchange and gossip; port 0 picks a free one. Default: a free port of the loopback."`
	Advertise    string        `placeholder:"HOST" help:"Host by which others reach this worker. Default: the one that it listens on."`
	Memory       cluster.Bytes `default:"4GiB" placeholder:"BYTES" help:"Memory budget of all tasks together, such as 512MiB or 4GiB; what does not fit is spilled to --dir. Default: 4GiB."`
	Cores        int           `default:"0" placeholder:"N" help:"Number of tasks of staged queries at once. Default: the machine's cores."`
	DrainTimeout time.Duration `default:"30s" help:"After SIGTERM, how long to wait for running tasks and for queries that still need outputs of this worker. Default: 30s."`
	LogLevel     slog.Level    `default:"WARN" help:"Least level of what is logged on stderr: DEBUG, INFO, WARN or ERROR. Default: WARN."`
	cluster.TLS  `embed:""`
}

// Run runs a worker until ctx ends, and then drains it. Problems with the flags have the kind Invalid.
func Run(ctx context.Context, cfg Config, tables Tables) error {
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: cfg.LogLevel}))
	if cfg.Cores <= 0 {
		cfg.Cores = runtime.NumCPU()
	}
	debug.SetMemoryLimit(int64(cfg.Memory) * 8 / 10)
	memory.BoundGarbage(min(256<<20, int64(cfg.Memory)/8))
	unlock, err := cluster.LockDir(cfg.Dir)
	if err != nil {
		return err
	}
	defer unlock()
	l, err := cluster.Listen(cfg.Listen)
	if err != nil {
		return err
	}
	defer l.Close()
	p, err := newProcess(cfg, l, tables, log)
	if err != nil {
		return err
	}
	defer p.close()
	if err := p.members.Join(ctx, splitList(cfg.Join)); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	log.Info("worker joined", "id", p.runtime.ID, "address", l.Address(cfg.Advertise), "slots", cfg.Cores, "memory", cfg.Memory)
	err = p.stay(ctx, splitList(cfg.Join))
	p.drain(cfg.DrainTimeout)
	return err
}

// alone is how often a worker that no coordinator controls looks for the cluster at the addresses it once joined by: a coordinator that
// has died and was started again knows no member.
const alone = 250 * time.Millisecond

// stay keeps the worker in its cluster until ctx ends, or a coordinator of another version has taken the cluster over.
func (p *process) stay(ctx context.Context, addresses []string) error {
	tick := time.NewTicker(alone)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if p.runtime.Controlled() {
			continue
		}
		if err := p.members.Rejoin(addresses); err != nil {
			return err
		}
	}
}

func splitList(list []string) []string {
	var out []string
	for _, s := range list {
		for _, x := range strings.Split(s, ",") {
			if x = strings.TrimSpace(x); x != "" {
				out = append(out, x)
			}
		}
	}
	return out
}

// process is a running worker.
type process struct {
	runtime *Runtime
	members *cluster.Members
	server  *grpc.Server
}

func newProcess(cfg Config, l *cluster.Listener, tables Tables, log *slog.Logger) (*process, error) {
	address := l.Address(cfg.Advertise)
	pool := memory.NewPool("worker "+address, int64(cfg.Memory)*6/10) // the rest is for what tasks do not reserve
	store, err := shuffle.NewStore(filepath.Join(cfg.Dir, "shuffle"), pool)
	if err != nil {
		return nil, errs.Newf(errs.Invalid, "--dir %s cannot be used: %v", cfg.Dir, err)
	}
	states, err := state.NewProvider(filepath.Join(cfg.Dir, "state"), state.Options{CacheBytes: min(max(int64(cfg.Memory)/32, 8<<20), 256<<20), Log: log})
	if err != nil {
		store.Close()
		return nil, errs.Newf(errs.Invalid, "--dir %s cannot be used: %v", cfg.Dir, err)
	}
	dial, err := cfg.TLS.Client()
	if err != nil {
		return nil, err
	}
	creds, err := cfg.TLS.Server(true)
	if err != nil {
		return nil, err
	}
	frames, err := cache.NewStore(filepath.Join(cfg.Dir, "cache"), pool)
	if err != nil {
		store.Close()
		return nil, errs.Newf(errs.Invalid, "--dir %s cannot be used: %v", cfg.Dir, err)
	}
	r := &Runtime{ID: uuid.NewString(), Version: cluster.Version, Slots: cfg.Cores, Pool: pool, Store: store, Cache: frames, Tables: tables, States: states,
		Log:    log,
		Python: &python.Pool{Log: log},
		Client: shuffle.NewClient(store, address, dial)}
	p := &process{runtime: r, server: grpc.NewServer(creds, grpc.MaxRecvMsgSize(shuffle.MaxMessage), grpc.MaxSendMsgSize(shuffle.MaxMessage),
		grpc.InitialWindowSize(4<<20), grpc.InitialConnWindowSize(16<<20), grpc.WriteBufferSize(256<<10))}
	r.Register(p.server)
	store.Register(p.server)
	go p.server.Serve(l.GRPC())
	p.members, err = cluster.Start(cluster.Config{Listener: l, Log: log, Self: cluster.Member{ID: r.ID, Role: cluster.Worker, Address: address,
		Version: cluster.Version, Cores: cfg.Cores, Memory: int64(cfg.Memory)}})
	if err != nil {
		p.server.Stop()
		store.Close()
		states.Close()
		return nil, err
	}
	return p, nil
}

// drain takes nothing new, and waits until nothing runs and no query needs what is here.
func (p *process) drain(timeout time.Duration) {
	p.runtime.Drain()
	end := time.Now().Add(timeout)
	for !p.runtime.Idle() && time.Now().Before(end) {
		time.Sleep(20 * time.Millisecond)
	}
	p.members.Leave()
}

func (p *process) close() {
	p.server.Stop()
	p.members.Close()
	p.runtime.Client.Close()
	p.runtime.Store.Close()
	p.runtime.Cache.Close()
	p.runtime.closeStates()
	p.runtime.Python.Close()
}
