package engine

import (
	"slices"

	"millrace/delta"
	"millrace/plan"
	"millrace/table/deltatable"
	"millrace/txn"
)

// completeFeed gives all statements of a transaction images of the rows that they changed when one of them has some: a version with files of images
// tells its changes by these alone.
func (st *statement) completeFeed(x *txTable) error {
	if len(x.requests) < 2 || !x.now.BoolProperty("delta.enableChangeDataFeed") || !slices.ContainsFunc(x.requests, hasImages) {
		return nil
	}
	for i := range x.requests {
		if r := &x.requests[i]; !hasImages(*r) {
			images, err := st.images(x.now, r.Actions)
			if err != nil {
				return err
			}
			r.Actions = append(slices.Clip(r.Actions), images...)
		}
	}
	return nil
}

func hasImages(r txn.Request) bool {
	return slices.ContainsFunc(r.Actions, func(a delta.Action) bool { return a.CDC != nil })
}

// images writes the rows that actions add and remove as files of the change data feed.
func (st *statement) images(s *delta.Snapshot, actions []delta.Action) ([]delta.Action, error) {
	changes, err := delta.Changes(actions)
	if err != nil || len(changes) == 0 {
		return nil, err
	}
	l, err := st.e.o.Logs.Table(s.Table)
	if err != nil {
		return nil, err
	}
	sink, err := st.fileSink(l.URL(), s.Metadata, s.Schema())
	if err != nil {
		return nil, err
	}
	feed := deltatable.NewFeed(l, s, st.zone(), []deltatable.FeedCommit{{Changes: changes}})
	scan := plan.NullableScan(feed, feed.Schema().Fields[:len(s.Schema().Fields)+1])
	adds, _, err := st.writeInto(imageSink(sink, s.Schema()), scan)
	out := make([]delta.Action, len(adds))
	for i, a := range adds {
		out[i] = delta.Action{CDC: &delta.AddCDC{Path: a.Path, PartitionValues: a.PartitionValues, Size: a.Size}}
	}
	return out, err
}
