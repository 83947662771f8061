// Package driver runs queries on real workers: it feeds the scheduler's state machine with what workers report and does what it
// decides, and it reads the result.
//
//	d := driver.New(driver.Config{ID: "c1", Version: "1"})
//	d.Join("w1", "10.0.0.5:15003")
//	r, err := d.Run(ctx, driver.Query{ID: "q1", Stages: stages, Mode: scheduler.Pipelined})
//	for b, err := r.Next(); b != nil && err == nil; b, err = r.Next() { … }
//	r.Close()
//
// Each worker has one control stream. The stream is the worker's lease: when it breaks, or nothing was heard on it for the time
// of the lease, the worker's tasks are lost, whatever the gossip says; when the gossip says that a worker is gone, the driver
// only checks at once. A worker that comes back begins anew under another name.
//
// Rows of a result are held back, up to a limit, until the result is whole, so that a small query survives the loss of any
// worker; after the first row was handed out a pipelined query cannot start again.
//
// The package does not know how plans are made, and reads batches only to pass them on.
package driver
