// Package txn is the commit service: the only writer of _delta_log. It checks a transaction for conflicts with what
// landed since it read the table, writes the next version by one atomic put-if-absent, and remembers the outcome by the
// transaction's identifier, so that whoever lost the answer asks again and learns it: never twice, never lost.
//
//	c := txn.New(log.NewCache(), txn.NewMemoryHeads())
//	res, err := c.Commit(ctx, txn.Request{Table: "/lake/t", ReadVersion: snap.Version, TxnID: id, Actions: adds, Info: info})
//
// Blind appends that wait together become one version. The package must not know of queries or of the cluster; what several
// processes share of it is behind Heads.
package txn
