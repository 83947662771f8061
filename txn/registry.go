package txn

import (
	"context"

	"millrace/delta/log"
)

// Registry is the catalog of tables with the feature catalogManaged: it decides which of the staged commits become versions.
// Each method is one atomic step.
type Registry interface {
	// Ratify makes a staged commit the next version. Version 0 registers the table. It is errs.Conflict when the head is not the version
	// before.
	Ratify(ctx context.Context, table string, version int64, staged string) error
	// Published says that all versions up to one are in the log by their own names, and forgets their staged names.
	Published(ctx context.Context, table string, version int64) error
	// Backlog are the tables with commits that are not published yet.
	Backlog(ctx context.Context) ([]string, error)
	// Unregister forgets a table.
	Unregister(ctx context.Context, table string) error
	log.Registry
}
