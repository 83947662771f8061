// Package engine runs what sessions ask for: it resolves names to tables and files, drives a query through analysis,
// optimisation and planning to the workers, and carries out commands, of which those that change a table end in one commit.
//
//	e := engine.New(engine.Options{Runner: driver, Committer: committer, Logs: logs, Catalog: catalog})
//	result, err := e.Execute(ctx, session, node)
//
// Cached frames. A frame is matched by what it computes and not by the versions of the tables it reads: its rows stay those of the versions at which it
// was filled until a write through this engine (not a stream's batch, nor another program's commit) to a place that it reads, as in Spark. A partition that
// is lost with its worker is made again by the stages that made it: alone where those are one stage whose tasks give the same rows each time, else with
// all others, so that no query sees rows of two fillings. rand() and randn() without a seed get one when the frame is filled.
//
// It knows nothing of wire protocols; it reads and writes table data only through tasks on workers.
package engine
