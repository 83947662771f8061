package txn

import (
	"context"
	"fmt"
	"net/url"
	"sync"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"

	"millrace/delta/log"
)

func startEtcd(t *testing.T) string {
	cfg := embed.NewConfig()
	cfg.Dir = t.TempDir()
	cfg.LogLevel = "fatal"
	cfg.UnsafeNoFsync = true
	any, _ := url.Parse("http://127.0.0.1:0")
	cfg.ListenClientUrls, cfg.AdvertiseClientUrls = []url.URL{*any}, []url.URL{*any}
	cfg.ListenPeerUrls, cfg.AdvertisePeerUrls = []url.URL{*any}, []url.URL{*any}
	cfg.InitialCluster = cfg.InitialClusterFromName(cfg.Name)
	e, err := embed.StartEtcd(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	select {
	case <-e.Server.ReadyNotify():
	case <-time.After(time.Minute):
		t.Fatal("etcd is not ready")
	}
	return e.Clients[0].Addr().String()
}

func dial(t *testing.T, addr string) *clientv3.Client {
	c, err := clientv3.New(clientv3.Config{Endpoints: []string{addr}, DialTimeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestEtcd has two coordinators on one etcd, the takeover of a dead one's table, a lost answer, and a watcher.
func TestEtcd(t *testing.T) {
	if testing.Short() {
		t.Skip("starts an etcd")
	}
	addr := startEtcd(t)
	dir := t.TempDir()
	var cs [2]*Committer
	var clients [2]*clientv3.Client
	for i := range cs {
		clients[i] = dial(t, addr)
		cs[i] = New(log.NewCache(), NewEtcdHeads(clients[i], "/test", time.Second))
	}
	create(t, cs[0], dir)
	ctx, cancel := context.WithCancel(t.Context())
	heads, err := cs[1].Watch(ctx, dir)
	if err != nil {
		t.Fatal(err)
	}
	if v := <-heads; v != 0 {
		t.Fatal("watch begins at", v)
	}
	want := map[string]bool{}
	var wg sync.WaitGroup
	start := time.Now()
	for g := range 8 {
		for i := range 10 {
			want[fmt.Sprintf("e%d-%d", g, i)] = true
		}
		wg.Go(func() {
			for i := range 10 {
				if _, err := appendOne(cs[g%2], dir, fmt.Sprintf("e%d-%d", g, i), 0); err != nil {
					t.Error(err)
				}
			}
		})
	}
	last := int64(0)
	wg.Go(func() {
		for v := range heads {
			if v <= last {
				t.Errorf("watched %d after %d", v, last)
			}
			last = v
		}
	})
	time.AfterFunc(time.Minute, cancel)
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	for {
		head, err := cs[0].Head(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		if s := log.NewCache(); head > 0 {
			table, _ := s.Table(dir)
			if snap, err := table.Snapshot(t.Context()); err == nil && snap.NumFiles() == len(want) {
				break
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Logf("80 appends by two coordinators in %v", time.Since(start))
	cancel()
	<-done
	takeover(t, cs, clients, dir, want)
	audit(t, dir, want)
}

// takeover kills the first coordinator while it holds the table's lock.
func takeover(t *testing.T, cs [2]*Committer, clients [2]*clientv3.Client, dir string, want map[string]bool) {
	table, err := cs[0].logs.Table(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cs[0].heads.Lock(t.Context(), table.URL()); err != nil {
		t.Fatal(err)
	}
	cs[0].Close()
	clients[0].Close() // no more signs of life: the lease ends
	start := time.Now()
	want["after"] = true
	res, err := appendOne(cs[1], dir, "after", 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("takeover after %v", time.Since(start))
	if v, found, err := cs[1].Outcome(t.Context(), dir, "after", 0); err != nil || !found || v != res.Version {
		t.Error(v, found, err)
	}
	if v, found, err := cs[1].heads.Outcome(t.Context(), table.URL(), "e0-0"); err != nil || !found {
		t.Error("the dead coordinator's outcome is lost", v, found, err)
	}
	cs[1].Close()
	clients[1].Close()
}
