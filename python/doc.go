// Package python runs functions that clients send in processes of the clients' own Python, as PySpark's server does.
//
// A function of foreachBatch has a process to itself, which is another client of the server:
//
//	exe, err := python.Find(ctx, "3.11", "", "grpc")
//	w, err := python.StartBatch(ctx, python.Batch{Executable: exe, Version: "3.11", Function: pickled, Session: id, Remote: "sc://…/;user_id=ann"})
//	err = w.Run(ctx, "the frame's id", 7)
//	w.Close()
//
// The functions of a query's task run in a process that a Pool's warm one forks (serve.py), by PySpark's own worker code:
//
//	exe, err := python.Find(ctx, "3.11", "")
//	t, err := pool.Start(ctx, exe, python.Request{Eval: 101, …})
//	… write the input to t.Input() and t.End, read t.Output() meanwhile …
//	t.Close()
//
// The processes have the machine's user and environment: whoever may send functions may do what the server may. The package knows
// PySpark's own worker modules and how they speak over a socket; it knows nothing of plans, sessions or queries.
package python
