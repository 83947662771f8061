// Package errs holds the one error type that users of millrace ever see: a kind, which decides what the
// program does next (retry, give up, run the task elsewhere), and a condition, which is the name, SQLSTATE and
// message that Spark and Delta give to the same mistake.
//
//	return errs.New("DIVIDE_BY_ZERO", "config", `"spark.sql.ansi.enabled"`)
//
// The package knows nothing of queries, tables or the network.
package errs
