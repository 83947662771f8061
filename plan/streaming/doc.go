// Package streaming is what streaming queries need of plans beyond what queries do: which ones can be run as micro-batches, and how a
// micro-batch's plan keeps state.
//
// A streaming query's analysed plan has leaves that stand for streams; in a micro-batch's plan, which is else the same, each is a relation
// of the batch's new rows. Query.New tells them from other relations.
//
//	q := streaming.Query{Mode: plan.UpdateOutput, New: isNewRows}
//	err := q.Check(analysed)                       // once, at the query's start
//	n, err := q.MicroBatch(analysed, batch)        // for each batch, before optimising
//
// Aggregates over new rows become plan.StatefulAggregate; aggregates of tables alone stay what they are.
package streaming
