package connect

import (
	"context"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var versions = []string{"4.0.4", "4.1.3", "4.2.0"}

// script runs a Python script against an address with one of the published clients.
func script(t *testing.T, version, name, address string) {
	t.Helper()
	python, err := filepath.Abs("../../.cache/venv-" + version + "/bin/python")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(python); err != nil {
		t.Skip("no client " + version + " in .cache")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, python, "testdata/"+name, "sc://"+address)
	cmd.Env = append(os.Environ(), "PYTHONWARNINGS=ignore", "PYTHONDONTWRITEBYTECODE=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%s with client %s: %v\n%s", name, version, err, out)
	}
}

func TestClients(t *testing.T) {
	for _, v := range versions {
		t.Run(v, func(t *testing.T) {
			_, address := serve(t, Options{})
			script(t, v, "client.py", address)
		})
	}
}

func TestErrors(t *testing.T) {
	_, address := serve(t, Options{})
	script(t, "4.2.0", "errors.py", address)
}

// TestReattach runs a client through a proxy that drops every connection after some bytes.
func TestReattach(t *testing.T) {
	_, address := serve(t, Options{BufferBytes: 1 << 20, SpillDir: t.TempDir()})
	p := newProxy(t, address, 9_000_000)
	script(t, "4.2.0", "reattach.py", p.address)
	if p.dropped.Load() == 0 {
		t.Error("no connection was dropped")
	}
}

// TestShortStreams ends each stream before its result: the client attaches again.
func TestShortStreams(t *testing.T) {
	_, address := serve(t, Options{StreamFor: 20 * time.Millisecond})
	script(t, "4.2.0", "reattach.py", address)
}

type proxy struct {
	address string
	dropped atomic.Int64
}

func newProxy(t *testing.T, to string, limit int64) *proxy {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{address: listener.Addr().String()}
	var wg sync.WaitGroup
	t.Cleanup(func() { listener.Close(); wg.Wait() })
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { p.pipe(client, to, limit) })
		}
	}()
	return p
}

// pipe copies both ways until the server has sent limit bytes.
func (p *proxy) pipe(client net.Conn, to string, limit int64) {
	defer client.Close()
	server, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		io.Copy(server, client) // the other direction decides
		server.Close()
	}()
	if n, _ := io.CopyN(client, server, limit); n == limit {
		p.dropped.Add(1)
	}
}
