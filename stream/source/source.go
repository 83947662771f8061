package source

import (
	"context"
	"strings"

	"millrace/errs"
	"millrace/plan"
	"millrace/session"
	"millrace/storage"
)

// Source is a streaming source as one run of a query reads it. An offset is a JSON text that says up to where the source has been read; empty
// is before anything was. One goroutine calls it, but for Wait.
type Source interface {
	plan.StreamTable
	// Description is what progress reports call the source.
	Description() string
	// Latest is up to where a batch that begins at start may read: the newest there is, or less where the options bound a batch. It is start
	// when there is nothing new. With all the options' bounds do not count, as trigger(once=True) asks.
	Latest(ctx context.Context, start string, all bool) (string, error)
	// Freeze makes Latest go no further than what there is now: trigger(availableNow=True).
	Freeze(ctx context.Context) error
	// Span is the relation of the rows between two offsets, and how many rows that is (-1: unknown). It is the same whenever it is asked.
	Span(ctx context.Context, start, end string) (plan.Node, int64, error)
	// Wait returns when there may be something after an offset, or when ctx ends. Errors are those that reading would meet.
	Wait(ctx context.Context, after string) error
	// Forget says that nothing before an offset will be asked for again.
	Forget(offset string)
	Close()
}

// option finds an option, whose names have no case.
func option(options map[string]string, name string) (string, bool) {
	if v, ok := options[name]; ok {
		return v, true
	}
	for k, v := range options {
		if strings.EqualFold(k, name) {
			return v, true
		}
	}
	return "", false
}

// Keeper is a source that keeps something of its own in the checkpoint, below the store it is given; Keep is called before the first Latest.
type Keeper interface {
	Source
	Keep(ctx context.Context, s storage.Store) error
}

// Open finds the source that a streaming read names. Its format is set.
func Open(ctx context.Context, env Env, s *session.Session, r *plan.UnresolvedSource) (Source, error) {
	switch format := strings.ToLower(r.Format); format {
	case "delta":
		return OpenDelta(ctx, env, s, r)
	case "rate":
		return OpenRate(r)
	case "parquet", "csv", "json", "text", "orc", "avro", "xml", "socket", "kafka", "rate-micro-batch", "kinesis", "statestore":
		return nil, errs.Unsupportedf("The streaming source %s is not supported yet; delta and rate are.", format)
	}
	return nil, errs.New("DATA_SOURCE_NOT_FOUND", "provider", r.Format)
}

func illegal(option, value, why string) error {
	return errs.New("DELTA_ILLEGAL_OPTION", "input", value, "name", option, "explain", why)
}
