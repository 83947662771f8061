// Package worker is the worker process: it joins the cluster, runs tasks for coordinators, keeps their outputs and serves them.
//
// A coordinator opens a control stream and sends queries and tasks down it; what came through a stream is cancelled and forgotten
// when the stream breaks. A task is one goroutine that pulls one operator tree into a shuffle output. A panic in it fails the
// task and not the worker. Tasks share the worker's memory budget.
//
// On SIGTERM the worker takes nothing new, finishes what it runs, keeps its outputs until the queries that may read them have
// ended (or the time for draining is over; then they are computed elsewhere) and leaves.
package worker
