package coordinator

import (
	"context"
	"net/url"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	clientv3 "go.etcd.io/etcd/client/v3"

	"millrace/engine"
	"millrace/operators"
	"millrace/scheduler"
	"millrace/scheduler/driver"
	"millrace/session"
	"millrace/vector"
)

// runner lets the engine run queries on the driver.
type runner struct{ d *driver.Driver }

var _ engine.Keeper = runner{}

// Usable implements engine.Keeper.
func (r runner) Usable(worker string) bool { return r.d.Usable(worker) }

// Forget implements engine.Keeper.
func (r runner) Forget(id string) { r.d.Forget(id) }

func (r runner) Slots() int { return max(r.d.Slots(), 1) }

func (r runner) Run(ctx context.Context, q engine.Query) (engine.Rows, error) {
	mode := scheduler.Staged
	if q.Pipelined {
		mode = scheduler.Pipelined
	}
	res, err := r.d.Run(ctx, driver.Query{ID: uuid.NewString(), Stages: q.Stages, Settings: q.Settings, Mode: mode,
		Note: noteOf(ctx, q)})
	if err != nil {
		return nil, err
	}
	return rows{res}, nil
}

// rows are a query's rows on their way to a session.
type rows struct{ *driver.Result }

var _ engine.Placed = rows{}

func (r rows) Next(context.Context) (*vector.Batch, error) { return r.Result.Next() }

func (r rows) Metrics() session.Metrics {
	all := r.Result.Metrics()
	m := session.Metrics{Operators: engine.OperatorMetrics(all), Told: engine.Told(all), Adapted: r.Adapted()}
	for _, o := range all {
		addStreaming(&m, o)
	}
	return m
}

// addStreaming adds what a stateful operator and a watermark say of a micro-batch.
func addStreaming(m *session.Metrics, o *operators.OperatorMetrics) {
	if s := o.State; s != nil {
		m.States = append(m.States, session.StateMetrics{Operator: s.Operator, Rows: s.Rows, Bytes: s.Bytes, Updated: s.Updated, Removed: s.Removed,
			Late: s.Late, Load: time.Duration(s.LoadNanos), Update: time.Duration(s.UpdateNanos), Remove: time.Duration(s.RemoveNanos),
			Save: time.Duration(s.SaveNanos), Reloads: s.Reloads, Stores: s.Stores})
		sort.Slice(m.States, func(i, k int) bool { return m.States[i].Operator < m.States[k].Operator })
	}
	if e := o.EventTime; e != nil && e.Count > 0 {
		m.EventTimes = append(m.EventTimes, session.EventTime{Operator: e.Operator, Count: e.Count, Max: e.Max, Min: e.Min,
			Mean: int64(e.Sum / float64(e.Count))})
		sort.Slice(m.EventTimes, func(i, k int) bool { return m.EventTimes[i].Operator < m.EventTimes[k].Operator })
	}
}

// etcdKV keeps catalog records in etcd.
type etcdKV struct{ c *clientv3.Client }

var _ engine.KV = etcdKV{}

func (k etcdKV) Get(ctx context.Context, key string) ([]byte, error) {
	r, err := k.c.Get(ctx, key)
	if err != nil || len(r.Kvs) == 0 {
		return nil, err
	}
	return r.Kvs[0].Value, nil
}

func (k etcdKV) List(ctx context.Context, prefix string) (map[string][]byte, error) {
	r, err := k.c.Get(ctx, prefix, clientv3.WithPrefix())
	if err != nil {
		return nil, err
	}
	out := make(map[string][]byte, len(r.Kvs))
	for _, kv := range r.Kvs {
		out[string(kv.Key)] = kv.Value
	}
	return out, nil
}

func (k etcdKV) Create(ctx context.Context, key string, value []byte) (bool, error) {
	r, err := k.c.Txn(ctx).If(clientv3.Compare(clientv3.CreateRevision(key), "=", 0)).Then(clientv3.OpPut(key, string(value))).Commit()
	return err == nil && r.Succeeded, err
}

func (k etcdKV) Put(ctx context.Context, key string, value []byte) error {
	_, err := k.c.Put(ctx, key, string(value))
	return err
}

func (k etcdKV) Delete(ctx context.Context, key string) error {
	_, err := k.c.Delete(ctx, key)
	return err
}

func (k etcdKV) Change(ctx context.Context, when, then map[string][]byte) (bool, error) {
	var conditions []clientv3.Cmp
	for key, value := range when {
		if value == nil {
			conditions = append(conditions, clientv3.Compare(clientv3.CreateRevision(key), "=", 0))
		} else {
			conditions = append(conditions, clientv3.Compare(clientv3.Value(key), "=", string(value)))
		}
	}
	var changes []clientv3.Op
	for key, value := range then {
		if value == nil {
			changes = append(changes, clientv3.OpDelete(key))
		} else {
			changes = append(changes, clientv3.OpPut(key, string(value)))
		}
	}
	r, err := k.c.Txn(ctx).If(conditions...).Then(changes...).Commit()
	return err == nil && r.Succeeded, err
}

// How long the records of sessions are kept, and for how long one lease serves for new ones.
const (
	sessionTTL   = 24 * time.Hour
	sessionSpell = time.Hour
)

// etcdSessions keeps records of sessions in etcd.
type etcdSessions struct {
	client *clientv3.Client

	mu    sync.Mutex // guards the rest
	lease clientv3.LeaseID
	until time.Time // when the next lease is due
}

var _ session.Records = (*etcdSessions)(nil)

func sessionRecord(k session.Key) string {
	return "/millrace/sessions/" + url.PathEscape(k.User) + "/" + k.ID
}

// Begun implements session.Records.
func (e *etcdSessions) Begun(ctx context.Context, k session.Key, serverID string) error {
	lease, err := e.current(ctx)
	if err == nil {
		_, err = e.client.Put(ctx, sessionRecord(k), serverID, clientv3.WithLease(lease))
	}
	return err
}

func (e *etcdSessions) current(ctx context.Context) (clientv3.LeaseID, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if time.Now().Before(e.until) {
		return e.lease, nil
	}
	l, err := e.client.Grant(ctx, int64(sessionTTL/time.Second))
	if err != nil {
		return 0, err
	}
	e.lease, e.until = l.ID, time.Now().Add(sessionSpell)
	return e.lease, nil
}

// Known implements session.Records.
func (e *etcdSessions) Known(ctx context.Context, k session.Key) (string, error) {
	r, err := e.client.Get(ctx, sessionRecord(k))
	if err != nil || len(r.Kvs) == 0 {
		return "", err
	}
	return string(r.Kvs[0].Value), nil
}

// absolute is a warehouse's place whatever the working directory is later.
func absolute(place string) (string, error) {
	if strings.Contains(place, ":") {
		return place, nil
	}
	return filepath.Abs(place)
}
