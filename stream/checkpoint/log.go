package checkpoint

import (
	"bytes"
	"context"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"millrace/errs"
	"millrace/storage"
)

// Log is a query's checkpoint location. One goroutine uses it at a time, but for Metadata.
type Log struct{ store storage.Store }

// New is the checkpoint at a store's root.
func New(s storage.Store) *Log { return &Log{s} }

// URL is the checkpoint's place.
func (l *Log) URL() string { return l.store.URL() }

// ID is the query's identity: that of the checkpoint, which a new one is given.
func (l *Log) ID(ctx context.Context) (string, error) {
	data, err := l.store.Get(ctx, "metadata")
	if errs.Is(err, errs.NotFound) {
		return l.create(ctx)
	}
	if err != nil {
		return "", errs.Wrap(err, "read the checkpoint %s", l.URL())
	}
	var m struct{ ID string }
	if json.Unmarshal(data, &m) != nil || m.ID == "" {
		return "", malformed(l.URL()+"/metadata", "it is no JSON with an id")
	}
	return m.ID, nil
}

func (l *Log) create(ctx context.Context) (string, error) {
	for _, dir := range []string{"offsets", "commits"} {
		if _, found, err := l.latest(ctx, dir); err != nil {
			return "", err
		} else if found {
			return "", errs.New("STREAMING_CHECKPOINT_MISSING_METADATA_FILE", "checkpointLocation", l.URL())
		}
	}
	id := uuid.NewString()
	err := l.store.PutIfAbsent(ctx, "metadata", []byte(`{"id":"`+id+`"}`))
	if errs.Is(err, errs.Conflict) {
		return l.ID(ctx)
	}
	return id, errs.Wrap(err, "make the checkpoint %s", l.URL())
}

// Latest is the newest batch that was planned, and the newest that is done; -1: none.
func (l *Log) Latest(ctx context.Context) (planned, done int64, err error) {
	if planned, _, err = l.latest(ctx, "offsets"); err == nil {
		done, _, err = l.latest(ctx, "commits")
	}
	return planned, done, err
}

func (l *Log) latest(ctx context.Context, dir string) (n int64, found bool, err error) {
	n = -1
	for info, err := range l.store.List(ctx, dir+"/", "") {
		if err != nil {
			return n, false, errs.Wrap(err, "list the checkpoint %s", l.URL())
		}
		if b, err := strconv.ParseInt(strings.TrimPrefix(info.Name, dir+"/"), 10, 64); err == nil && b > n {
			n, found = b, true
		}
	}
	return n, found, nil
}

// Offsets reads what a batch was to read; false when there is no such batch.
func (l *Log) Offsets(ctx context.Context, batch int64) (Offsets, bool, error) {
	name := file("offsets", batch)
	data, err := l.store.Get(ctx, name)
	if errs.Is(err, errs.NotFound) {
		return Offsets{}, false, nil
	}
	if err != nil {
		return Offsets{}, false, errs.Wrap(err, "read the checkpoint %s", l.URL())
	}
	o, err := DecodeOffsets(l.URL()+"/"+name, data)
	return o, err == nil, err
}

// Commit reads a batch's end; false when it is not done.
func (l *Log) Commit(ctx context.Context, batch int64) (Commit, bool, error) {
	name := file("commits", batch)
	data, err := l.store.Get(ctx, name)
	if errs.Is(err, errs.NotFound) {
		return Commit{}, false, nil
	}
	if err != nil {
		return Commit{}, false, errs.Wrap(err, "read the checkpoint %s", l.URL())
	}
	c, err := DecodeCommit(l.URL()+"/"+name, data)
	return c, err == nil, err
}

// Plan writes what a batch is to read. Another run's entry for the batch is CONCURRENT_STREAM_LOG_UPDATE.
func (l *Log) Plan(ctx context.Context, batch int64, o Offsets) error {
	return l.put(ctx, "offsets", batch, o.Encode())
}

// Done writes that a batch is in the sink.
func (l *Log) Done(ctx context.Context, batch int64, c Commit) error {
	return l.put(ctx, "commits", batch, c.Encode())
}

// put writes an entry once. An entry of the very same content is taken for our own, whose answer was lost: to the batch it makes no difference.
func (l *Log) put(ctx context.Context, dir string, batch int64, data []byte) error {
	name := file(dir, batch)
	err := l.store.PutIfAbsent(ctx, name, data)
	if err == nil {
		return nil
	}
	if errs.Is(err, errs.Conflict) || errs.Is(err, errs.Transient) {
		there, readErr := l.store.Get(ctx, name)
		switch {
		case readErr == nil && bytes.Equal(there, data) && errs.Is(err, errs.Transient):
			return nil
		case readErr == nil || errs.Is(err, errs.Conflict):
			return errs.New("CONCURRENT_STREAM_LOG_UPDATE", "batchId", strconv.FormatInt(batch, 10))
		}
	}
	return errs.Wrap(err, "write %s of the checkpoint %s", name, l.URL())
}

// Forget removes the entries of a batch that nobody will ask for again.
func (l *Log) Forget(ctx context.Context, batch int64) error {
	if batch < 0 {
		return nil
	}
	for _, dir := range []string{"offsets", "commits"} {
		if err := l.store.Delete(ctx, file(dir, batch)); err != nil {
			return errs.Wrap(err, "remove an old entry of the checkpoint %s", l.URL())
		}
	}
	return nil
}

func file(dir string, batch int64) string { return dir + "/" + strconv.FormatInt(batch, 10) }
