// Package stream runs streaming queries. A query is a loop of plans: up to where the sources have come → a plan of the rows in between →
// a commit that happens once → the batch is done. What it needs to go on is in its checkpoint (package checkpoint) and, so that another
// coordinator knows of it, in a record:
//
//	m := stream.New(stream.Options{Engine: e, Sessions: sessions, Sources: env, Records: records})
//	q, err := m.Start(ctx, session, session.StreamStart{Query: plan, Format: "delta", Path: "/lake/t", …})
//
// A micro-batch, step by step, and what a death there leaves:
//
//	1 offsets/N is written    the next run reads the same rows again
//	2 the plan runs           files that nobody refers to
//	3 the sink commits        the sink knows (query, N), and takes it once
//	4 commits/N is written    done
//
// Writing 1 goes on while 2 runs, and 4 while the next batch is planned, where nothing can tell the difference; 3 waits for 1 always.
// Two runs of one query harm nothing: of both entries N of the checkpoint one is refused, and the sink takes batch N once.
//
// It must not know of wire protocols, nor how plans are run.
package stream
