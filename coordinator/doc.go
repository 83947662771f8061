// Package coordinator is the coordinator process: it wires membership, etcd, the scheduler's driver, the front doors and the HTTP
// port together, and holds no logic of its own.
//
//	err := coordinator.Run(ctx, cfg, os.Stdout, coordinator.Services())
package coordinator
