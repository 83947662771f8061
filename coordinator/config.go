package coordinator

import (
	"log/slog"
	"strings"
	"time"

	"millrace/cluster"
)

// Config is a coordinator's flags.
type Config struct {
	Dir         string        `required:"" placeholder:"DIR" help:"Directory for etcd's data and for what sessions upload and spill; made if missing."`
	Listen      string        `default:"127.0.0.1:15002" placeholder:"ADDR" help:"Host and port for clients, gossip and workers; port 0 picks a free one. Default: 127.0.0.1:15002."`
	UI          string        `name:"ui" default:"127.0.0.1:4040" placeholder:"ADDR" help:"Host and port of the web page, metrics and health; port 0 picks a free one. Default: 127.0.0.1:4040."`
	Advertise   string        `placeholder:"HOST" help:"Host by which others reach this coordinator. Default: the one that it listens on."`
	Etcd        string        `default:"embedded" placeholder:"embedded|URL,URL" help:"etcd of the cluster; coordinators with the same one share it. Default: embedded, for a single coordinator."`
	Join        []string      `placeholder:"ADDR" help:"Addresses of members of a running cluster. Default: none; workers join this coordinator."`
	Warehouse   string        `placeholder:"DIR|URL" help:"Where tables without a location of their own are kept. Default: DIR/warehouse."`
	NoWorker    time.Duration `name:"no-worker-timeout" default:"30s" help:"How long a query waits while there is no worker. Default: 30s."`
	TokenFile   string        `placeholder:"FILE" help:"File with the token that clients must present. Default: none is asked for."`
	LogLevel    slog.Level    `default:"WARN" help:"Least level of what is logged on stderr: DEBUG, INFO, WARN or ERROR. Default: WARN."`
	Await       int           `name:"await-workers" default:"0" placeholder:"N" help:"Print the ready line only when N workers have joined. Default: 0."`
	UnsafeEtcd  bool          `name:"unsafe-no-fsync" help:"For tests only: the embedded etcd does not wait for the disk, and a crash of the machine may lose commits. Default: off."`
	cluster.TLS `embed:""`
}

func (c *Config) etcdEndpoints() []string {
	if c.Etcd == "" || c.Etcd == "embedded" {
		return nil
	}
	return splitList([]string{c.Etcd})
}

func splitList(list []string) []string {
	var out []string
	for _, s := range list {
		for _, x := range strings.Split(s, ",") {
			if x = strings.TrimSpace(x); x != "" {
				out = append(out, x)
			}
		}
	}
	return out
}
