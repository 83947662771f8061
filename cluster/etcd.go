package cluster

import (
	"context"
	"net/url"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"
	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3client"

	"millrace/errs"
)

// Etcd is a connection to what the coordinators agree by.
type Etcd struct {
	Client *clientv3.Client
	server *embed.Etcd
}

// EmbedEtcd starts an etcd of one member that keeps its data in dir and listens nowhere. unsafeNoSync, for tests only, lets a
// crash of the machine lose acknowledged writes.
func EmbedEtcd(ctx context.Context, dir string, unsafeNoSync bool) (*Etcd, error) {
	c := embed.NewConfig()
	c.Dir, c.Name, c.LogLevel, c.UnsafeNoFsync = dir, "millrace", "fatal", unsafeNoSync // what fails is returned
	c.ListenPeerUrls, c.ListenClientUrls = nil, nil
	self := url.URL{Scheme: "http", Host: "127.0.0.1:2380"} // a name only
	c.AdvertisePeerUrls, c.AdvertiseClientUrls = []url.URL{self}, []url.URL{self}
	c.InitialCluster = c.InitialClusterFromName(c.Name)
	c.TickMs, c.ElectionMs = 20, 200
	c.PreVote = false
	c.AutoCompactionMode, c.AutoCompactionRetention = "periodic", "1h"
	c.QuotaBackendBytes = 4 << 30
	s, err := embed.StartEtcd(c)
	if err != nil {
		return nil, errs.Wrap(err, "start etcd in %s", dir)
	}
	select {
	case <-s.Server.ReadyNotify():
	case err := <-s.Err():
		s.Close()
		return nil, errs.Wrap(err, "start etcd in %s", dir)
	case <-ctx.Done():
		s.Close()
		return nil, ctx.Err()
	}
	return &Etcd{v3client.New(s.Server), s}, nil
}

// DialEtcd connects to an etcd cluster.
func DialEtcd(ctx context.Context, endpoints []string) (*Etcd, error) {
	c, err := clientv3.New(clientv3.Config{Endpoints: endpoints, DialTimeout: 5 * time.Second, Context: ctx})
	if err != nil {
		return nil, errs.Wrap(err, "connect to etcd at %v", endpoints)
	}
	probe, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if _, err := c.Get(probe, "millrace/"); err != nil {
		c.Close()
		return nil, errs.Newf(errs.Lost, "etcd at %v does not answer: %v", endpoints, err)
	}
	return &Etcd{Client: c}, nil
}

// Close ends the connection, and the embedded server.
func (e *Etcd) Close() {
	e.Client.Close()
	if e.server != nil {
		e.server.Close()
	}
}

// leaseSeconds is how long a leader stays leader after its death at most.
const leaseSeconds = 3

// Campaign makes this process leader of what key names whenever nobody else is, until ctx ends. While it leads it runs lead,
// whose context ends when leadership is lost; value is what followers see in Leader.
func (e *Etcd) Campaign(ctx context.Context, key, value string, lead func(ctx context.Context)) {
	for ctx.Err() == nil {
		e.term(ctx, key, value, lead)
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// term is one candidacy and, if it is won, leadership.
func (e *Etcd) term(ctx context.Context, key, value string, lead func(ctx context.Context)) {
	s, err := concurrency.NewSession(e.Client, concurrency.WithTTL(leaseSeconds), concurrency.WithContext(ctx))
	if err != nil {
		return
	}
	defer s.Close()
	election := concurrency.NewElection(s, key)
	if election.Campaign(ctx, value) != nil {
		return
	}
	term, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-s.Done():
			cancel()
		case <-term.Done():
		}
	}()
	lead(term)
	done, stop := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer stop()
	election.Resign(done)
}

// Leader is the value of the current leader, or empty.
func (e *Etcd) Leader(ctx context.Context, key string) (string, error) {
	r, err := e.Client.Get(ctx, key+"/", clientv3.WithFirstCreate()...)
	if err != nil {
		return "", errs.Wrap(err, "ask for the leader of %s", key)
	}
	if len(r.Kvs) == 0 {
		return "", nil
	}
	return string(r.Kvs[0].Value), nil
}
