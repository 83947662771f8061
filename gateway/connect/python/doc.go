// Package python runs functions that clients send in processes of the clients' own Python, as PySpark's server does.
//
//	exe, err := python.Find(ctx, "3.11", "")
//	w, err := python.StartBatch(ctx, python.Batch{Executable: exe, Version: "3.11", Function: pickled, Session: id, Remote: "sc://…/;user_id=ann"})
//	err = w.Run(ctx, "the frame's id", 7)
//	w.Close()
//
// The process has the machine's user and environment: whoever may call foreachBatch may do what the server may. The package knows
// PySpark's own worker modules and how they speak over a socket; it knows nothing of plans, sessions or queries.
package python
