// Package checkpoint keeps how far a streaming query has come, in Spark's layout, so that Spark can go on where millrace stopped and the
// other way round:
//
//	metadata     {"id":"…"}: the query's identity over all its runs
//	offsets/N    up to where batch N reads each source; written before the batch runs
//	commits/N    batch N is done; written after its rows are in the sink
//	sources/I    what source I keeps for itself
//
// Each file is written whole and once: of two runs that both want to write offsets/N one wins, and the other ends. It knows nothing of plans
// or sources; an offset is a text.
package checkpoint
