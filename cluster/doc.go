// Package cluster is how the processes of a cluster find each other and agree: gossip for membership, etcd for what must be
// decided once, and elections.
//
// A process listens on one port: its gossip (UDP, and TCP for whole states) and its gRPC server share it, so that the address of
// any member is all that a new one has to know.
//
//	l, err := cluster.Listen("127.0.0.1:0")
//	m, err := cluster.Start(cluster.Config{Listener: l, Self: self, Events: onEvent})
//	go grpcServer.Serve(l.GRPC())
//	err = m.Join(ctx, []string{"10.0.0.5:15002"})
//
// The package does not know what members do.
package cluster

// Version is this build's; all members of a cluster have the same.
var Version = "dev"
