package engine_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/google/uuid"

	"millrace/delta/log"
	"millrace/engine"
	"millrace/engine/enginetest"
	"millrace/errs"
	"millrace/session"
	"millrace/txn"
	"millrace/types"
)

// setup is how a test's engine runs its queries. The answers may depend on none of it.
type setup struct {
	tasks     int
	staged    bool
	memory    int64 // of all tasks together
	broadcast bool  // small sides of joins are broadcast
}

const (
	plenty = 1 << 30
	scarce = 512 << 10 // every operator that can spill does
)

var setups = []setup{
	{1, false, plenty, true}, {4, false, plenty, true}, {4, true, plenty, false}, {4, true, scarce, false},
	{1, true, scarce, false}, {4, false, scarce, true}, {3, false, plenty, false}, {1, true, plenty, true},
}

func (s setup) String() string {
	name := fmt.Sprintf("%d-tasks", s.tasks)
	if s.staged {
		name += "-staged"
	}
	if s.memory == scarce {
		name += "-spilling"
	}
	if s.broadcast {
		name += "-broadcast"
	}
	return name
}

// cluster is an engine over a runner in this process.
type cluster struct {
	t        testing.TB
	dir      string
	runner   *enginetest.Runner
	engine   *engine.Engine
	logs     *log.Cache
	names    *enginetest.KV // the catalog's store
	catalog  *engine.Catalog
	sessions *session.Manager
}

// newCluster makes an engine whose exchanges are cut as if its tables were large.
func newCluster(t *testing.T, s setup) *cluster { return newClusterWith(t, s, txn.Options{}) }

func newClusterWith(t *testing.T, s setup, commits txn.Options) *cluster {
	c := &cluster{t: t, dir: t.TempDir(), runner: enginetest.NewRunner(t, s.tasks, s.staged, s.memory)}
	logs := log.NewCache()
	c.logs = logs
	commits.Engine = "test"
	committer := txn.New(logs, txn.NewMemoryHeads(), commits)
	t.Cleanup(committer.Close)
	c.names = enginetest.NewKV()
	catalog := engine.NewCatalog(c.names, filepath.Join(c.dir, "warehouse"))
	c.catalog = catalog
	c.engine = engine.New(engine.Options{Runner: c.runner, Committer: committer, Logs: logs, Catalog: catalog, Version: "test", SmallRows: 1})
	conf := map[string]string{"spark.sql.session.timeZone": "UTC"}
	if !s.broadcast {
		conf["spark.sql.autoBroadcastJoinThreshold"] = "-1"
	}
	if s.staged { // exchanges of many partitions, few of which stay as they are
		conf["millrace.exchange.pipelinedMaxBytes"] = "0"
		conf["spark.sql.adaptive.coalescePartitions.initialPartitionNum"] = "11"
		conf["spark.sql.adaptive.advisoryPartitionSizeInBytes"] = "1k"
		conf["spark.sql.adaptive.skewJoin.skewedPartitionFactor"] = "1.0"
		conf["spark.sql.adaptive.skewJoin.skewedPartitionThresholdInBytes"] = "1"
		if s.broadcast { // but late
			conf["spark.sql.autoBroadcastJoinThreshold"] = "-1"
			conf["spark.sql.adaptive.autoBroadcastJoinThreshold"] = "10m"
		}
	}
	c.sessions = session.NewManager(session.Options{Engine: c.engine, Catalog: catalog, Conf: conf, Dir: filepath.Join(c.dir, "sessions")})
	return c
}

// session makes a new session.
func (c *cluster) session() *session.Session {
	s, err := c.sessions.Get(session.Key{User: "test", ID: uuid.NewString()}, "")
	if err != nil {
		c.t.Fatal(err)
	}
	return s
}

// query runs a statement and returns its columns and rows as text.
func query(s *session.Session, text string) (*types.Type, []string, error) {
	return queryWithin(context.Background(), s, text)
}

func queryWithin(ctx context.Context, s *session.Session, text string) (*types.Type, []string, error) {
	n, err := s.Parser().ParseStatement(text)
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r, err := s.Run(ctx, n)
	if err != nil {
		return nil, nil, err
	}
	defer r.Close()
	var rows []string
	for {
		rec, err := r.Next(ctx)
		if err != nil {
			return nil, nil, err
		}
		if rec == nil {
			return r.Schema(), rows, nil
		}
		rows = append(rows, rowsOf(rec)...)
		rec.Release()
	}
}

// condition is the name of an error's condition, or its kind where it has none.
func condition(err error) string {
	if c := errs.ConditionOf(err); c != "" {
		return c
	}
	return errs.KindOf(err).String()
}
