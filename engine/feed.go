package engine

import (
	"strconv"
	"strings"

	"millrace/delta"
	"millrace/delta/log"
	"millrace/errs"
	"millrace/plan"
	"millrace/table/deltatable"
	"millrace/types"
)

// wantsFeed reports whether a reader asks for a table's change data feed.
func wantsFeed(options map[string]string) bool {
	return isTrue(options, "readChangeFeed") || isTrue(options, "readChangeData")
}

// feed makes the change data feed of a Delta table readable, between the versions or times that the options name.
func (st *statement) feed(path string, options map[string]string) (plan.Table, error) {
	for _, name := range []string{"versionAsOf", "timestampAsOf"} {
		if _, ok := option(options, name); ok {
			return nil, errs.New("DELTA_UNSUPPORTED_TIME_TRAVEL_VIEWS")
		}
	}
	l, err := st.e.o.Logs.Table(path)
	if err != nil {
		return nil, err
	}
	s, err := st.snapshot(l, nil)
	if errs.Is(err, errs.NotFound) {
		return nil, errs.New("DELTA_MISSING_DELTA_TABLE", "tableName", types.Quote(path))
	}
	if err != nil {
		return nil, err
	}
	times, err := l.Commits(st.ctx)
	if err != nil {
		return nil, err
	}
	start, end, err := st.feedRange(s, times, options)
	if err != nil {
		return nil, err
	}
	commits, err := st.feedCommits(l, s, times, start, end)
	if err != nil {
		return nil, err
	}
	if end == s.Version {
		st.read = append(st.read, deltatable.New(l, s, st.zone())) // more may come
	}
	return deltatable.NewFeed(l, s, st.zone(), commits), nil
}

// feedRange are the first and the last version that the options name; last < first where there is none.
func (st *statement) feedRange(s *delta.Snapshot, times []delta.Commit, options map[string]string) (start, end int64, err error) {
	start, ok, err := st.feedBound(s, times, options, "starting")
	if err != nil {
		return 0, 0, err
	}
	if !ok {
		return 0, 0, errs.New("DELTA_NO_START_FOR_CDC_READ")
	}
	if start > s.Version {
		return 0, 0, errs.New("DELTA_CDC_START_VERSION_AFTER_LATEST", "start", itoa(start), "latest", itoa(s.Version))
	}
	end, ok, err = st.feedBound(s, times, options, "ending")
	if err != nil {
		return 0, 0, err
	}
	if !ok {
		end = s.Version
	}
	if end < start {
		return 0, 0, errs.New("DELTA_INVALID_CDC_RANGE", "start", itoa(start), "end", itoa(end))
	}
	return start, min(end, s.Version), nil
}

func (st *statement) feedBound(s *delta.Snapshot, times []delta.Commit, options map[string]string, which string) (int64, bool, error) {
	version, byVersion := option(options, which+"Version")
	stamp, byTime := option(options, which+"Timestamp")
	switch {
	case byVersion && byTime:
		return 0, false, errs.New("DELTA_MULTIPLE_CDC_BOUNDARY", "startingOrEnding", which)
	case byVersion:
		v, err := strconv.ParseInt(strings.TrimSpace(version), 10, 64)
		if err != nil {
			return 0, false, errs.New("DELTA_VERSION_INVALID", "version", version)
		}
		return v, true, nil
	case !byTime:
		return 0, false, nil
	}
	micros, err := st.instant(&plan.Cast{Child: plan.Str(stamp), To: types.Timestamp, Mode: plan.ModeANSI})
	if err != nil {
		return 0, false, errs.New("DELTA_TIMESTAMP_INVALID", "expr", "'"+stamp+"'")
	}
	at := micros / 1000
	if which == "ending" {
		c, err := delta.AtTime(times, at, true, st.zone())
		return c.Version, true, err
	}
	for _, c := range times { // the first that is not earlier
		if c.Timestamp >= at {
			return c.Version, true, nil
		}
	}
	_, err = delta.AtTime(times, at, false, st.zone())
	return s.Version + 1, true, err
}

// feedCommits are the changes of the versions in a range.
func (st *statement) feedCommits(l *log.Table, s *delta.Snapshot, times []delta.Commit, start, end int64) ([]deltatable.FeedCommit, error) {
	at := map[int64]int64{}
	for _, c := range times {
		at[c.Version] = c.Timestamp
	}
	first, err := l.At(st.ctx, max(start, 0))
	if err != nil {
		return nil, err
	}
	on := first.BoolProperty("delta.enableChangeDataFeed")
	var out []deltatable.FeedCommit
	for v := start; v <= end; v++ {
		if _, ok := at[v]; !ok {
			return nil, errs.New("DELTA_LOG_FILE_NOT_FOUND", "version", itoa(v), "checkpointVersion", "-1", "logPath", l.URL()+"/_delta_log")
		}
		actions, err := l.Commit(st.ctx, v)
		if err != nil {
			return nil, err
		}
		for i := range actions {
			if m := actions[i].Metadata; m != nil {
				on = (&delta.Snapshot{Metadata: m}).BoolProperty("delta.enableChangeDataFeed")
			}
		}
		if !on {
			return nil, errs.New("DELTA_MISSING_CHANGE_DATA", "startVersion", itoa(start), "endVersion", itoa(end), "version", itoa(v), "key", "delta.enableChangeDataFeed")
		}
		changes, err := delta.Changes(actions)
		if err != nil {
			return nil, err
		}
		if len(changes) > 0 {
			out = append(out, deltatable.FeedCommit{Version: v, Timestamp: at[v], Changes: changes})
		}
	}
	return out, nil
}
