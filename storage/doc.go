// Package storage reads and writes files of a lake: on local disks and in S3 buckets, under one small interface.
//
//	s, err := storage.Open("s3://lake/sales/orders")           // a Store rooted at that place
//	err = s.PutIfAbsent(ctx, "_delta_log/00000000000000000007.json", commit) // errs.Conflict: somebody else has it
//
// A file becomes visible whole or not at all. The package knows nothing of tables or file formats.
package storage
