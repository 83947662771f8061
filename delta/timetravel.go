package delta

import (
	"sort"
	"strings"
	"time"

	"millrace/errs"
)

// Commit is a version and when it was committed, in milliseconds.
type Commit struct {
	Version   int64
	Timestamp int64
}

// Commits are the commits of a log in order with their files' times, made to rise from each to the next as Delta does:
// clocks of writers differ, time travel must not.
func Commits(files []LogFile) []Commit {
	var out []Commit
	for _, f := range files {
		if f.Kind == CommitFile {
			out = append(out, Commit{f.Version, f.Modified.UnixMilli()})
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Version < out[j].Version })
	return Rising(out)
}

// Rising raises the timestamps that are not later than the one before, to one millisecond after it.
func Rising(commits []Commit) []Commit {
	for i := 1; i < len(commits); i++ {
		if commits[i].Timestamp <= commits[i-1].Timestamp {
			commits[i].Timestamp = commits[i-1].Timestamp + 1
		}
	}
	return commits
}

// AtTime is the newest commit that is not later than a time in milliseconds. Commits are those that can still be read, rising. A
// time before the first is an error, and unless latest is set one after the last too. Zone is the session's, for messages.
func AtTime(commits []Commit, at int64, latest bool, zone *time.Location) (Commit, error) {
	if len(commits) == 0 {
		return Commit{}, errs.New("DELTA_NO_COMMITS_FOUND", "logPath", "")
	}
	i := sort.Search(len(commits), func(i int) bool { return commits[i].Timestamp > at }) - 1
	if i < 0 {
		first := commits[0].Timestamp
		return Commit{}, errs.New("DELTA_TIMESTAMP_EARLIER_THAN_COMMIT_RETENTION", "userTimestamp", javaTimestamp(at, zone),
			"commitTs", javaTimestamp(first, zone), "timestampString", seconds(first, zone))
	}
	last := commits[len(commits)-1]
	if !latest && at > last.Timestamp {
		return Commit{}, errs.New("DELTA_TIMESTAMP_GREATER_THAN_COMMIT", "providedTimestamp", javaTimestamp(at, zone),
			"lastCommitTimestamp", javaTimestamp(last.Timestamp, zone), "maximumTimestamp", seconds(last.Timestamp, zone))
	}
	return commits[i], nil
}

// RestoreAtTime is AtTime for RESTORE, which has errors of its own.
func RestoreAtTime(commits []Commit, at int64, zone *time.Location) (Commit, error) {
	if n := len(commits); n > 0 {
		if first := commits[0].Timestamp; at < first {
			return Commit{}, errs.New("DELTA_CANNOT_RESTORE_TIMESTAMP_EARLIER", "requestedTimestamp", javaTimestamp(at, zone),
				"earliestTimestamp", javaTimestamp(first, zone))
		}
		if last := commits[n-1].Timestamp; at > last {
			return Commit{}, errs.New("DELTA_CANNOT_RESTORE_TIMESTAMP_GREATER", "requestedTimestamp", javaTimestamp(at, zone),
				"latestTimestamp", javaTimestamp(last, zone))
		}
	}
	return AtTime(commits, at, true, zone)
}

func seconds(ms int64, zone *time.Location) string {
	return inZone(ms, zone).Format("2006-01-02 15:04:05")
}

func inZone(ms int64, zone *time.Location) time.Time {
	if zone == nil {
		zone = time.UTC
	}
	return time.UnixMilli(ms).In(zone)
}

// javaTimestamp is java.sql.Timestamp.toString: at least one digit of the second's fraction, and no zeros after it.
func javaTimestamp(ms int64, zone *time.Location) string {
	s := strings.TrimRight(inZone(ms, zone).Format("2006-01-02 15:04:05.000"), "0")
	if strings.HasSuffix(s, ".") {
		s += "0"
	}
	return s
}
