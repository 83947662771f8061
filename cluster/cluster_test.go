package cluster

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"millrace/errs"
)

func start(t *testing.T, role, version string, events chan string) (*Members, *Listener) {
	t.Helper()
	l, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	self := Member{ID: fmt.Sprint(role, l.Port()), Role: role, Address: l.Address(""), Version: version, Cores: 2, Memory: 1 << 30}
	c := Config{Listener: l, Self: self}
	if events != nil {
		c.Joined = func(m Member) { events <- "joined " + m.Role }
		c.Left = func(m Member) { events <- "left " + m.Role }
	}
	m, err := Start(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close(); l.Close() })
	return m, l
}

func TestMembersShareThePortWithGRPC(t *testing.T) {
	events := make(chan string, 10)
	_, l := start(t, Coordinator, "1", events)
	g := grpc.NewServer()
	healthpb.RegisterHealthServer(g, health.NewServer())
	go g.Serve(l.GRPC())
	defer g.Stop()

	w, _ := start(t, Worker, "1", nil)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := w.Join(ctx, []string{l.Address("")}); err != nil {
		t.Fatal(err)
	}
	if e := <-events; e != "joined worker" {
		t.Fatal(e)
	}
	if n := len(w.List()); n != 2 {
		t.Fatalf("%d members", n)
	}
	conn, err := grpc.NewClient(l.Address(""), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := healthpb.NewHealthClient(conn).Check(ctx, &healthpb.HealthCheckRequest{}); err != nil {
		t.Fatal(err)
	}
	w.Leave()
	if e := <-events; e != "left worker" {
		t.Fatal(e)
	}
}

func TestAnotherVersionIsRefused(t *testing.T) {
	_, l := start(t, Coordinator, "1.0", nil)
	w, _ := start(t, Worker, "2.0", nil)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	err := w.Join(ctx, []string{l.Address("")})
	if errs.ConditionOf(err) != "CLUSTER_VERSION_MISMATCH" || !strings.Contains(err.Error(), "1.0") || !strings.Contains(err.Error(), "2.0") {
		t.Fatal(err)
	}
}

func TestEtcdAndElection(t *testing.T) {
	begin := time.Now()
	ctx, cancel := context.WithCancel(context.Background())
	e, err := EmbedEtcd(ctx, t.TempDir(), false)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("etcd started in %v", time.Since(begin))
	led := make(chan string)
	for _, name := range []string{"a", "b"} {
		go e.Campaign(ctx, "millrace/leader", name, func(ctx context.Context) {
			led <- name
			select {
			case <-ctx.Done():
			case <-time.After(50 * time.Millisecond):
			}
		})
	}
	first := <-led
	if now, err := e.Leader(ctx, "millrace/leader"); err != nil || now != first {
		t.Errorf("the leader is %q, %v; %q leads", now, err, first)
	}
	second := <-led
	if second == first {
		second = <-led
	}
	if second == first {
		t.Errorf("only %s ever leads", first)
	}
	cancel()
	e.Close()
}

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("gopkg.in/natefinch/lumberjack%2ev2.(*Logger).millRun"),
		goleak.IgnoreAnyFunction("github.com/hashicorp/memberlist.(*Memberlist).pushPullTrigger"))
}
