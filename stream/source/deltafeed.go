package source

import (
	"context"
	"strconv"
	"time"

	"millrace/delta"
	"millrace/errs"
	"millrace/plan"
	"millrace/table/deltatable"
)

// feed is what a stream of a table's change data feed knows of the changes that it hands out: each stands as a file among the stream's.
type feed struct {
	known   map[*delta.Add]deltatable.FeedCommit
	checked int64 // the version from which on it is known that the table keeps its feed; -1: none
	initial *delta.Snapshot
}

func newFeed() feed { return feed{known: map[*delta.Add]deltatable.FeedCommit{}, checked: -1} }

func (f *feed) forget(files []*delta.Add) {
	for _, a := range files {
		delete(f.known, a)
	}
}

// begin notes the version whose rows come first, as inserts.
func (f *feed) begin(s *delta.Snapshot) error {
	f.initial = s
	return keepsFeed(s, s.Version)
}

func keepsFeed(s *delta.Snapshot, version int64) error {
	const key = "delta.enableChangeDataFeed"
	if s.BoolProperty(key) {
		return nil
	}
	v := strconv.FormatInt(version, 10)
	return errs.New("DELTA_MISSING_CHANGE_DATA", "startVersion", v, "endVersion", v, "version", v, "key", key)
}

// changes puts a version's changes in the place of the files that it added.
func (d *Delta) changes(ctx context.Context, version int64, actions []delta.Action, c *commit) error {
	if d.feed.checked < 0 || version < d.feed.checked {
		s, err := d.log.At(ctx, version)
		if err != nil {
			return err
		}
		if c.change = keepsFeed(s, version); c.change != nil {
			return nil
		}
		d.feed.checked = version
	}
	at := int64(-1)
	for i := range actions {
		switch a := &actions[i]; {
		case a.Metadata != nil:
			if c.change = keepsFeed(&delta.Snapshot{Metadata: a.Metadata}, version); c.change != nil {
				return nil
			}
		case a.CommitInfo != nil && a.CommitInfo.InCommitTimestamp != nil:
			at = *a.CommitInfo.InCommitTimestamp
		}
	}
	if at < 0 {
		info, err := d.log.Store().Stat(ctx, delta.CommitPath(version))
		if err != nil {
			return err
		}
		at = info.Modified.UnixMilli()
	}
	list, err := delta.Changes(actions)
	if err != nil {
		return err
	}
	c.adds = nil
	for _, x := range list {
		a := &delta.Add{Path: x.Path, Size: x.Size}
		d.feed.known[a] = deltatable.FeedCommit{Version: version, Timestamp: at, Changes: []delta.Changed{x}}
		c.adds = append(c.adds, a)
	}
	return nil
}

// feedSpan are the changes of a span.
func (d *Delta) feedSpan(files []*delta.Add, zone *time.Location) plan.Node {
	var commits []deltatable.FeedCommit
	for _, a := range files {
		c, ok := d.feed.known[a]
		if !ok { // of the version with which the stream begins
			c = deltatable.FeedCommit{Version: d.feed.initial.Version, Timestamp: d.feed.initial.Timestamp, Changes: []delta.Changed{{Path: a.Path, Size: a.Size,
				Modified: a.ModificationTime, PartitionValues: a.PartitionValues, Kind: "insert", Stats: a.Stats, Without: a.DeletionVector}}}
		}
		commits = append(commits, c)
	}
	t := deltatable.NewFeed(d.log, d.base, zone, commits)
	t.Private = true
	return plan.NullableScan(t, t.Schema().Fields)
}
