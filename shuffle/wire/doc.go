// Package wire turns errors and metrics into the messages between worker and coordinator, and back.
package wire
