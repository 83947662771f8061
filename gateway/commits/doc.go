// Package commits is the gRPC door of the commit service, for programs that write data files themselves: the service of
// proto/millrace/commits/v1 over package txn, and its client, for which unknown outcomes do not exist: it asks until it knows.
//
//	c, err := commits.Dial("host:15002")
//	res, err := c.Commit(ctx, txn.Request{Table: "/lake/t", ReadVersion: 4, TxnID: id, Actions: adds, Info: info})
package commits
