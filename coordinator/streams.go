package coordinator

import (
	"context"
	"strings"
	"sync"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"

	"millrace/errs"
	"millrace/stream"
)

// streamRecords keeps the records of streaming queries in etcd, and the claims to them under this process's lease.
type streamRecords struct {
	c    *clientv3.Client
	self string

	mu      sync.Mutex
	session *concurrency.Session // nil until the first claim
	lost    chan struct{}        // holds a token after a lease was lost
}

const (
	streamRecordKey = "/millrace/stream/record/"
	streamOwnerKey  = "/millrace/stream/owner/"
	streamLease     = 3 // seconds
)

var _ stream.Records = (*streamRecords)(nil)

// newStreamRecords makes the records. Alone says that this process's etcd is nobody else's: claims of earlier processes are void.
func newStreamRecords(ctx context.Context, c *clientv3.Client, self string, alone bool) (*streamRecords, error) {
	if alone {
		if _, err := c.Delete(ctx, streamOwnerKey, clientv3.WithPrefix()); err != nil {
			return nil, errs.Wrap(err, "void old claims to streaming queries")
		}
	}
	return &streamRecords{c: c, self: self, lost: make(chan struct{}, 1)}, nil
}

func etcdError(err error, doing string) error {
	if err == nil {
		return nil
	}
	return errs.Newf(errs.Transient, "%s in etcd: %v", doing, err)
}

// Save implements stream.Records.
func (r *streamRecords) Save(ctx context.Context, id string, record []byte) error {
	_, err := r.c.Put(ctx, streamRecordKey+id, string(record))
	return etcdError(err, "keep a streaming query")
}

// Remove implements stream.Records.
func (r *streamRecords) Remove(ctx context.Context, id string, wanted bool) error {
	txn := r.c.Txn(ctx)
	if !wanted {
		txn = txn.If(clientv3.Compare(clientv3.Value(streamOwnerKey+id), "=", r.self))
	}
	_, err := txn.Then(clientv3.OpDelete(streamRecordKey+id), clientv3.OpDelete(streamOwnerKey+id)).Commit()
	return etcdError(err, "forget a streaming query")
}

// Release implements stream.Records.
func (r *streamRecords) Release(ctx context.Context, id string) error {
	_, err := r.c.Txn(ctx).If(clientv3.Compare(clientv3.Value(streamOwnerKey+id), "=", r.self)).Then(clientv3.OpDelete(streamOwnerKey + id)).Commit()
	return etcdError(err, "let a streaming query go")
}

// lease is this process's lease, a new one when the last was lost.
func (r *streamRecords) lease(ctx context.Context) (clientv3.LeaseID, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.session != nil {
		select {
		case <-r.session.Done():
		default:
			return r.session.Lease(), nil
		}
	}
	grant, err := r.c.Grant(ctx, streamLease)
	if err != nil {
		return 0, etcdError(err, "get a lease")
	}
	s, err := concurrency.NewSession(r.c, concurrency.WithLease(grant.ID))
	if err != nil {
		return 0, etcdError(err, "keep a lease")
	}
	r.session = s
	go func() {
		<-s.Done()
		select {
		case r.lost <- struct{}{}:
		default:
		}
	}()
	return s.Lease(), nil
}

// Claim implements stream.Records.
func (r *streamRecords) Claim(ctx context.Context, id string) (bool, error) {
	lease, err := r.lease(ctx)
	if err != nil {
		return false, err
	}
	key := streamOwnerKey + id
	res, err := r.c.Txn(ctx).If(clientv3.Compare(clientv3.CreateRevision(key), "=", 0)).Then(clientv3.OpPut(key, r.self, clientv3.WithLease(lease))).
		Else(clientv3.OpGet(key)).Commit()
	if err != nil {
		return false, etcdError(err, "claim a streaming query")
	}
	if res.Succeeded {
		return true, nil
	}
	kvs := res.Responses[0].GetResponseRange().Kvs
	return len(kvs) > 0 && string(kvs[0].Value) == r.self && clientv3.LeaseID(kvs[0].Lease) == lease, nil
}

// Load implements stream.Records.
func (r *streamRecords) Load(ctx context.Context) (map[string][]byte, error) {
	res, err := r.c.Get(ctx, streamRecordKey, clientv3.WithPrefix())
	if err != nil {
		return nil, etcdError(err, "read the streaming queries")
	}
	out := make(map[string][]byte, len(res.Kvs))
	for _, kv := range res.Kvs {
		out[strings.TrimPrefix(string(kv.Key), streamRecordKey)] = kv.Value
	}
	return out, nil
}

// Changes implements stream.Records.
func (r *streamRecords) Changes(ctx context.Context) <-chan stream.Change {
	out := make(chan stream.Change)
	events := r.c.Watch(ctx, "/millrace/stream/", clientv3.WithPrefix())
	go func() {
		defer close(out)
		for {
			var c stream.Change
			select {
			case _, ok := <-events:
				if !ok {
					if ctx.Err() != nil {
						return
					}
					events = r.c.Watch(ctx, "/millrace/stream/", clientv3.WithPrefix())
				}
			case <-r.lost:
				c.Lost = true
			case <-ctx.Done():
				return
			}
			select {
			case out <- c:
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}

// close ends the lease, and with it all claims.
func (r *streamRecords) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.session != nil {
		r.session.Close() // one that cannot be ended runs out
	}
}
