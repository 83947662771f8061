package txn

import (
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// NewEtcdHeads is etcdheads.New, which the tests of this package cannot import.
var NewEtcdHeads func(*clientv3.Client, string, time.Duration) Heads
