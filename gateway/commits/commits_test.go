package commits

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"millrace/delta"
	"millrace/delta/log"
	"millrace/errs"
	"millrace/txn"
)

const schema = `{"type":"struct","fields":[{"name":"id","type":"long","nullable":true,"metadata":{}}]}`

func add(path string) delta.Action {
	return delta.Action{Add: &delta.Add{Path: path, PartitionValues: delta.PartitionValues{}, Size: 1, DataChange: true, Stats: `{"numRecords":1}`}}
}

// serve starts the service; lose says whether a call's answer is lost after it was carried out.
func serve(t testing.TB, c *txn.Committer, lose func() bool) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := grpc.NewServer(grpc.UnaryInterceptor(func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
		res, err := next(ctx, req)
		if lose() {
			return nil, status.Error(codes.Unavailable, "the answer was lost")
		}
		return res, err
	}))
	New(c).Register(g)
	go g.Serve(l)
	t.Cleanup(g.Stop)
	return l.Addr().String()
}

// TestLostAnswers drops answers at random; every transaction is committed once all the same, and its client knows where.
func TestLostAnswers(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var mu sync.Mutex
	lost := 0
	lose := func() bool {
		mu.Lock()
		defer mu.Unlock()
		if rng.IntN(3) > 0 {
			return false
		}
		lost++
		return true
	}
	heads := txn.NewMemoryHeads()
	var addresses []string
	for range 2 { // two coordinators
		c := txn.New(log.NewCache(), heads)
		t.Cleanup(c.Close)
		addresses = append(addresses, serve(t, c, lose))
	}
	client, err := Dial(addresses...)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	dirs := []string{t.TempDir(), t.TempDir()}
	for _, dir := range dirs {
		create := txn.Request{Table: dir, ReadVersion: -1, TxnID: "create", Info: delta.Info("CREATE TABLE"),
			Actions: []delta.Action{{Metadata: &delta.Metadata{SchemaString: schema, PartitionColumns: []string{}, Configuration: map[string]string{}}}}}
		if _, err := client.Commit(t.Context(), create); err != nil {
			t.Fatal(err)
		}
	}
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 6 {
				id := fmt.Sprintf("c%d-%d", g, i)
				req := txn.Request{Table: dirs[0], TxnID: id, Actions: []delta.Action{add(id)}, Info: delta.Info("WRITE")}
				var version int64
				if i%3 == 0 {
					other := req
					other.Table = dirs[1]
					all, err := client.CommitAll(t.Context(), id, []txn.Request{req, other})
					if err != nil {
						t.Error(err)
						return
					}
					version = all[0].Version
				} else {
					res, err := client.Commit(t.Context(), req)
					if err != nil {
						t.Error(err)
						return
					}
					version = res.Version
				}
				if v, committed, err := client.Outcome(t.Context(), dirs[0], id, 0); err != nil || !committed || v != version {
					t.Error(id, v, version, committed, err)
				}
			}
		})
	}
	wg.Wait()
	for i, want := range []int{48, 16} {
		table, _ := log.Open(dirs[i])
		s, err := table.Snapshot(t.Context())
		if err != nil || s.NumFiles() != want {
			t.Error(i, s.NumFiles(), err)
		}
	}
	_, err = client.Commit(t.Context(), txn.Request{Table: dirs[0], TxnID: "late", ReadTable: true, Actions: []delta.Action{add("late")}, Info: delta.Info("WRITE")})
	if errs.ConditionOf(err) != "DELTA_CONCURRENT_APPEND.WITHOUT_HINT" || !errs.Is(err, errs.Conflict) {
		t.Error(err)
	}
	if _, committed, err := client.Outcome(t.Context(), dirs[0], "late", 0); committed || err != nil {
		t.Error("committed after a conflict", err)
	}
	if lost == 0 {
		t.Error("no answer was lost")
	}
}

// BenchmarkWriters has 2,048 clients append to one table: logical commits and versions a second.
func BenchmarkWriters(b *testing.B) {
	c := txn.New(log.NewCache(), txn.NewMemoryHeads())
	defer c.Close()
	address := serve(b, c, func() bool { return false })
	dir := b.TempDir()
	client, err := Dial(address)
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	create := txn.Request{Table: dir, ReadVersion: -1, TxnID: "create", Info: delta.Info("CREATE TABLE"),
		Actions: []delta.Action{{Metadata: &delta.Metadata{SchemaString: schema, PartitionColumns: []string{}, Configuration: map[string]string{}}}}}
	if _, err := client.Commit(b.Context(), create); err != nil {
		b.Fatal(err)
	}
	conn, err := grpc.NewClient("passthrough:///"+address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	var n atomic.Int64
	var wg sync.WaitGroup
	b.ResetTimer()
	for w := range 2048 {
		wg.Go(func() {
			read := int64(0)
			for i := 0; n.Add(1) <= int64(b.N); i++ {
				id := fmt.Sprintf("w%d-%d", w, i)
				res, err := NewClient(conn).Commit(b.Context(), txn.Request{Table: dir, ReadVersion: read, TxnID: id, Actions: []delta.Action{add(id)}, Info: delta.Info("WRITE")})
				if err != nil {
					b.Error(err)
					return
				}
				read = res.Version
			}
		})
	}
	wg.Wait()
	s := b.Elapsed().Seconds()
	v, _ := c.Newest(b.Context(), dir)
	b.ReportMetric(float64(b.N)/s, "commits/s")
	b.ReportMetric(float64(v)/s, "versions/s")
}
