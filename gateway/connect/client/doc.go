// Package client is a small Spark Connect client in Go, for the command line: it sends SQL and reads Arrow back.
//
//	c, err := client.Dial(ctx, "sc://127.0.0.1:15002")
//	defer c.Close()
//	rows, err := c.SQL(ctx, "SELECT 1")
//	for rows.Next() { use(rows.Batch()) }
//	err = rows.Err()
//
// Errors are errs.Error with the server's condition; one of kind Transient means that the server cannot be reached.
package client
