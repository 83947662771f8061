// Package e2e judges millrace from outside, through what docs and the contract promise alone: built binaries, an
// unmodified PySpark client, and other readers and writers of Delta tables. Run it by make e2e.
package e2e
