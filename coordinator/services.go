package coordinator

import (
	"context"
	"path/filepath"
	"sync"
	"time"

	"google.golang.org/grpc"

	"millrace/cluster"
	"millrace/delta/log"
	"millrace/engine"
	commitdoor "millrace/gateway/commits"
	"millrace/gateway/connect"
	"millrace/gateway/flightsql"
	jobdoor "millrace/gateway/jobs"
	"millrace/gateway/web"
	"millrace/jobs"
	"millrace/plan"
	"millrace/session"
	"millrace/stream"
	"millrace/stream/source"
	"millrace/txn"
	"millrace/txn/etcdheads"
)

// Services are the front doors of this build.
func Services() []NewService { return []NewService{newConnect} }

// sessionIdle closes sessions that nobody has used for so long.
const sessionIdle = 24 * time.Hour

// commitLease is how long another coordinator waits to commit to a table whose lease a dead one held.
const commitLease = 3 * time.Second

// connectService is Spark Connect with what it stands on.
type connectService struct {
	*connect.Service
	jobs      *jobdoor.Service
	flight    *flightsql.Service
	committer *txn.Committer
	streams   *stream.Manager
	records   *streamRecords
	page      *web.Server
	stop      context.CancelFunc
	stopped   sync.WaitGroup
}

func newConnect(c *Coordinator) (Service, error) {
	warehouse := c.Config.Warehouse
	if warehouse == "" {
		warehouse = filepath.Join(c.Config.Dir, "warehouse")
	}
	warehouse, err := absolute(warehouse)
	if err != nil {
		return nil, err
	}
	name := "millrace/" + cluster.Version
	logs := log.NewCache()
	committer := txn.New(logs, etcdheads.New(c.Etcd.Client, "/millrace/txn", commitLease), txn.Options{Engine: name, Logger: c.Log})
	catalog := engine.NewCatalog(etcdKV{c.Etcd.Client}, warehouse)
	sources := source.Env{Logs: logs, Committer: committer}
	e := engine.New(engine.Options{Runner: runner{c.Driver}, Committer: committer, Logs: logs, Catalog: catalog, Version: name,
		StreamTable: func(ctx context.Context, s *session.Session, r *plan.UnresolvedSource) (plan.StreamTable, error) {
			return source.Open(ctx, sources, s, r)
		}})
	sessions := session.NewManager(session.Options{Engine: e, Catalog: catalog, IdleTimeout: sessionIdle, Dir: filepath.Join(c.Config.Dir, "sessions"), Records: &etcdSessions{client: c.Etcd.Client},
		Conf: map[string]string{"spark.sql.warehouse.dir": "file:" + warehouse}})
	ctx, stop := context.WithCancel(context.Background())
	records, err := newStreamRecords(ctx, c.Etcd.Client, c.ID, c.Config.etcdEndpoints() == nil)
	if err != nil {
		stop()
		return nil, err
	}
	c.Streams = stream.New(stream.Options{Engine: e, Sessions: sessions, Sources: sources, Records: records,
		Dir: filepath.Join(c.Config.Dir, "streams"), Log: c.Log})
	self, env := c.self()
	s := connect.New(connect.Options{Sessions: sessions, Streams: c.Streams, Self: self, SelfEnv: env,
		SpillDir: filepath.Join(c.Config.Dir, "responses"), Log: c.Log})
	c.Streams.Recover()
	go sessions.Watch(ctx)
	go s.Watch(ctx)
	detached := jobs.New(jobs.Options{Etcd: c.Etcd.Client, Sessions: sessions, Remote: self, Env: env, Dir: filepath.Join(c.Config.Dir, "jobs"), Self: c.Address, Log: c.Log})
	page := newPage(c, sessions, &pageTables{catalog: catalog, logs: logs, committer: committer}, detached)
	c.HTTP.Handle("/", page)
	service := &connectService{Service: s, jobs: jobdoor.New(detached), flight: flightsql.New(sessions, cluster.Version, c.Log), committer: committer,
		streams: c.Streams, records: records, page: page, stop: stop}
	c.clients.onEnd(service.flight.Disconnected)
	service.stopped.Go(func() { detached.Run(ctx) })
	service.stopped.Go(func() { committer.Watchdog(ctx, commitLease) })
	return service, nil
}

// Register implements Service.
func (s *connectService) Register(g *grpc.Server) {
	s.Service.Register(g)
	s.jobs.Register(g)
	s.flight.Register(g)
	commitdoor.New(s.committer).Register(g)
}

// Close implements Service.
func (s *connectService) Close() {
	s.page.Close()
	s.streams.Close()
	s.records.close()
	s.stop()
	s.stopped.Wait()
	s.committer.Close()
}
