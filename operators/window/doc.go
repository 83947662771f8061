// Package window computes functions over windows of sorted rows. The caller gathers the rows of complete partitions in a Block, then asks
// for the functions' results batch by batch, in the order of the rows:
//
//	w, err := window.New(specs)                 // functions whose arguments are columns of the rows
//	b := window.NewBlock(columnTypes, files, pageBytes)
//	b.Add(columns, rows, starts, peers)         // rows, and where partitions and groups of peers begin
//	w.Begin(b, stop)
//	err = w.Next(from, n, out)                  // a column of each function, for rows from..from+n-1
//
// Every frame is a range of row numbers of the block, found by cursors that only go forward, so that the rows may lie in files and are
// read about three times. An aggregate over a frame is computed, whichever is cheapest, once for a partition, running from row to row, by
// differences of sums, from the frame's own rows, or from a tree of states. The package knows nothing of plans and expressions.
package window
