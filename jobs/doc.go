// Package jobs runs detached jobs: a list of SQL statements and Python scripts that a client leaves in the cluster.
//
//	m := jobs.New(jobs.Options{Etcd: client, Sessions: sessions, Remote: "sc://127.0.0.1:15002", Dir: dir})
//	go m.Run(ctx)
//	job, err := m.Submit(ctx, jobs.Spec{Name: "report", Steps: []jobs.Step{{SQL: "SELECT 1"}}})
//
// A job is a record in etcd. Any coordinator may run it: it claims the job with a lease, so that one runs it at a time, and writes how many steps are
// done after each. When a coordinator dies its claim expires and another one, or the same after its restart, goes on with the first step that is
// not done. Steps that only change the session (SET, USE, temporary views) run again then. A statement that was interrupted runs again as a
// whole; what it writes to a Delta table carries the job's id and the step's number as its transaction, so that it counts once. A script
// is started again from its beginning.
//
// The package knows sessions and etcd; it knows no protocol by which jobs are submitted (gateway/jobs) and nothing of how statements run.
package jobs
