package etcdheads

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strconv"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"

	"millrace/errs"
	"millrace/txn"
)

// Outcomes are kept under leases, one for each spell of time, so that old ones vanish by themselves.
const (
	outcomeSpell = 10 * time.Minute
	outcomeTTL   = 2 * time.Hour
)

// heads keeps heads, locks and outcomes in etcd:
//
//	<prefix>/tables/<hash of the URL>/head        the newest version, 20 digits
//	<prefix>/tables/<hash of the URL>/owner/…     the lock, one key for each that waits
//	<prefix>/tables/<hash of the URL>/txn/<id>    a transaction's version
type heads struct {
	client *clientv3.Client
	prefix string
	ttl    int // seconds that a dead process's locks last

	mu      sync.Mutex // guards the rest
	session *concurrency.Session
	lease   clientv3.LeaseID
	until   time.Time // when the next lease for outcomes is due
}

// New is txn.Heads for all processes that share an etcd and a prefix. A dead process's locks end after ttl.
func New(client *clientv3.Client, prefix string, ttl time.Duration) txn.Heads {
	return &heads{client: client, prefix: prefix, ttl: max(1, int(ttl/time.Second))}
}

func (e *heads) key(table string) string { return e.prefix + "/tables/" + hash(table) }

func hash(table string) string {
	sum := sha256.Sum256([]byte(table))
	return hex.EncodeToString(sum[:16])
}

// live is the process's session, a new one when the last has ended.
func (e *heads) live(ctx context.Context) (*concurrency.Session, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.session != nil {
		select {
		case <-e.session.Done():
		default:
			return e.session, nil
		}
	}
	lease, err := e.client.Grant(ctx, int64(e.ttl))
	if err != nil {
		return nil, errs.Newf(errs.Transient, "lease in etcd: %v", err)
	}
	s, err := concurrency.NewSession(e.client, concurrency.WithLease(lease.ID))
	if err != nil {
		return nil, errs.Newf(errs.Transient, "session in etcd: %v", err)
	}
	e.session = s
	return s, nil
}

func (e *heads) Lock(ctx context.Context, table string) (func(), error) {
	for {
		s, err := e.live(ctx)
		if err != nil {
			return nil, err
		}
		m := concurrency.NewMutex(s, e.key(table)+"/owner")
		err = m.Lock(ctx)
		if errors.Is(err, concurrency.ErrSessionExpired) && ctx.Err() == nil {
			continue // this process was too slow to keep its lease: begin a new one
		}
		if err != nil {
			return nil, errs.Newf(errs.Transient, "lock %s in etcd: %v", table, err)
		}
		return func() { e.unlock(m) }, nil
	}
}

func (e *heads) unlock(m *concurrency.Mutex) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(e.ttl)*time.Second)
	defer cancel()
	_ = m.Unlock(ctx) // a lock that cannot be given back ends with its lease
}

// outcomeLease is the lease for what is published now.
func (e *heads) outcomeLease(ctx context.Context) (clientv3.LeaseID, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if time.Now().Before(e.until) {
		return e.lease, nil
	}
	l, err := e.client.Grant(ctx, int64(outcomeTTL/time.Second))
	if err != nil {
		return 0, err
	}
	e.lease, e.until = l.ID, time.Now().Add(outcomeSpell)
	return e.lease, nil
}

const opsPerTxn = 100 // etcd's own limit is 128

func (e *heads) Publish(ctx context.Context, table string, version int64, txnIDs []string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	lease, err := e.outcomeLease(ctx)
	if err != nil {
		return errs.Newf(errs.Transient, "lease in etcd: %v", err)
	}
	key, text := e.key(table), digits(version)
	ops := []clientv3.Op{e.headOp(key, text)}
	for i, id := range txnIDs {
		ops = append(ops, clientv3.OpPut(key+"/txn/"+id, text, clientv3.WithLease(lease)))
		if len(ops) == opsPerTxn && i < len(txnIDs)-1 {
			if _, err := e.client.Txn(ctx).Then(ops...).Commit(); err != nil {
				return errs.Newf(errs.Transient, "publish version %d of %s in etcd: %v", version, table, err)
			}
			ops = ops[:0]
		}
	}
	if _, err := e.client.Txn(ctx).Then(ops...).Commit(); err != nil {
		return errs.Newf(errs.Transient, "publish version %d of %s in etcd: %v", version, table, err)
	}
	return nil
}

func (e *heads) get(ctx context.Context, key string) (int64, bool, error) {
	r, err := e.client.Get(ctx, key)
	if err != nil {
		return 0, false, errs.Newf(errs.Transient, "read %s in etcd: %v", key, err)
	}
	if len(r.Kvs) == 0 {
		return 0, false, nil
	}
	v, err := strconv.ParseInt(string(r.Kvs[0].Value), 10, 64)
	return v, err == nil, errs.Wrap(err, "read %s in etcd", key)
}

func (e *heads) Outcome(ctx context.Context, table, txnID string) (int64, bool, error) {
	return e.get(ctx, e.key(table)+"/txn/"+txnID)
}

func (e *heads) Head(ctx context.Context, table string) (int64, error) {
	v, found, err := e.get(ctx, e.key(table)+"/head")
	if !found {
		return -1, err
	}
	return v, err
}

func (e *heads) Watch(ctx context.Context, table string) (<-chan int64, error) {
	key := e.key(table) + "/head"
	r, err := e.client.Get(ctx, key)
	if err != nil {
		return nil, errs.Newf(errs.Transient, "watch %s in etcd: %v", table, err)
	}
	out := make(chan int64)
	go func() {
		defer close(out)
		send := func(text []byte) bool {
			v, err := strconv.ParseInt(string(text), 10, 64)
			if err != nil {
				return true
			}
			select {
			case out <- v:
				return true
			case <-ctx.Done():
				return false
			}
		}
		if len(r.Kvs) > 0 && !send(r.Kvs[0].Value) {
			return
		}
		for w := range e.client.Watch(ctx, key, clientv3.WithRev(r.Header.Revision+1)) {
			for _, ev := range w.Events {
				if !send(ev.Kv.Value) {
					return
				}
			}
		}
	}()
	return out, nil
}
