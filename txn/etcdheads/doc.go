// Package etcdheads lets committers of several processes share tables by etcd: locks, outcomes, transactions of several tables, and the commits of tables with the
// feature catalogManaged.
//
//	heads := etcdheads.New(client, "/lake", 3*time.Second)
//	c := txn.New(log.NewCache(), heads)
//
// It is apart from package txn so that a program that commits alone has no etcd in it.
package etcdheads
