package delta

import (
	"sort"
	"strings"
	"time"

	"millrace/errs"
	"millrace/types"
)

// Latest stands for the newest version of a table.
const Latest int64 = -1

// Segment is the part of a log that makes up one version: a checkpoint, if any, and the commits after it in order.
type Segment struct {
	Version           int64
	CheckpointVersion int64     // -1 without a checkpoint
	Checkpoint        []LogFile // one file, or all parts
	Commits           []LogFile // or compactions of several commits
}

// SelectSegment picks the files that make up a version (or the Latest) from a listing, which may be in any order and
// may begin anywhere at or before the newest complete checkpoint. Table names the table in errors.
func SelectSegment(table string, files []LogFile, version int64) (Segment, error) {
	var commits []LogFile
	checkpoints := map[int64][]LogFile{}
	newest := int64(-1)
	for _, f := range files {
		if f.Kind == CommitFile {
			newest = max(newest, f.Version)
			if version == Latest || f.Version <= version {
				commits = append(commits, f)
			}
		}
		if f.Kind == CheckpointFile && (version == Latest || f.Version <= version) {
			checkpoints[f.Version] = append(checkpoints[f.Version], f)
		}
	}
	s := Segment{CheckpointVersion: -1}
	for v, found := range checkpoints {
		if v > s.CheckpointVersion {
			if whole := wholeCheckpoint(found); whole != nil {
				s.CheckpointVersion, s.Checkpoint = v, whole
			}
		}
	}
	sort.Slice(commits, func(i, j int) bool { return commits[i].Version < commits[j].Version })
	first := sort.Search(len(commits), func(i int) bool { return commits[i].Version > s.CheckpointVersion })
	s.Commits = commits[first:]
	s.Version = s.CheckpointVersion
	if n := len(s.Commits); n > 0 {
		s.Version = s.Commits[n-1].Version
	}
	if err := s.check(table, version, max(newest, s.Version)); err != nil {
		return s, err
	}
	s.compact(files)
	return s, nil
}

// compact puts log compactions in the place of the commits that they cover: from the first version on, the one that begins
// there and comes first in the listing, as Delta does.
func (s *Segment) compact(files []LogFile) {
	chosen := map[int64]LogFile{}
	for _, f := range files {
		if f.Kind == CompactedFile && f.Through <= s.Version && (chosen[f.Version].Name == "" || f.Through < chosen[f.Version].Through) {
			chosen[f.Version] = f
		}
	}
	if len(chosen) == 0 {
		return
	}
	var out []LogFile
	for i := 0; i < len(s.Commits); {
		c := s.Commits[i]
		if f, ok := chosen[c.Version]; ok {
			out = append(out, f)
			i += int(f.Through - f.Version + 1)
			continue
		}
		out = append(out, c)
		i++
	}
	s.Commits = out
}

// check finds gaps. newest is the last version that the listing shows.
func (s *Segment) check(table string, wanted, newest int64) error {
	if s.Version < 0 {
		return TableNotFound(table)
	}
	if wanted != Latest && s.Version < wanted && newest < wanted {
		return VersionNotFound(wanted, s.first(), newest)
	}
	if len(s.Commits) > 0 {
		if s.CheckpointVersion < 0 && s.Commits[0].Version != 0 {
			return truncated(table, s.Version)
		}
		if s.CheckpointVersion >= 0 && s.Commits[0].Version != s.CheckpointVersion+1 {
			return s.gap(wanted)
		}
	}
	for i := 1; i < len(s.Commits); i++ {
		if a, b := s.Commits[i-1].Version, s.Commits[i].Version; b != a+1 {
			return s.gap(wanted)
		}
	}
	if wanted != Latest && s.Version < wanted {
		return s.gap(wanted)
	}
	return nil
}

func (s *Segment) first() int64 {
	if s.CheckpointVersion >= 0 {
		return s.CheckpointVersion
	}
	return s.Commits[0].Version
}

// gap is Delta's error for a missing commit: it names all versions that are there and the first and the last of them.
func (s *Segment) gap(wanted int64) error {
	versions := make([]string, len(s.Commits))
	for i, c := range s.Commits {
		versions[i] = itoa(c.Version)
	}
	first, last := s.CheckpointVersion, s.CheckpointVersion
	if n := len(s.Commits); n > 0 {
		first, last = s.Commits[0].Version, s.Commits[n-1].Version
	}
	return errs.New("DELTA_VERSIONS_NOT_CONTIGUOUS", "versionList", strings.Join(versions, ", "),
		"startVersion", itoa(first), "endVersion", itoa(last), "versionToLoad", itoa(wanted))
}

// TableNotFound is the error for a place without a Delta log.
func TableNotFound(table string) error {
	return errs.New("DELTA_TABLE_NOT_FOUND", "tableName", types.Quote(strings.TrimPrefix(table, "file:")))
}

func truncated(table string, version int64) error {
	return errs.New("DELTA_TRUNCATED_TRANSACTION_LOG", "path", table+"/"+LogDir+"/"+CommitName(0), "version", itoa(version),
		"logRetentionKey", "delta.logRetentionDuration", "logRetention", "30 days",
		"checkpointRetentionKey", "delta.checkpointRetentionDuration", "checkpointRetention", "2 days")
}

// VersionNotFound is the error for a version that the table does not have.
func VersionNotFound(version, earliest, latest int64) error {
	return errs.New("DELTA_VERSION_NOT_FOUND", "userVersion", itoa(version), "earliest", itoa(earliest), "latest", itoa(latest))
}

// wholeCheckpoint picks a complete checkpoint among the files of one version: a single file, else all parts, else one
// named by a UUID.
func wholeCheckpoint(files []LogFile) []LogFile {
	parts := map[int][]LogFile{}
	var v2 []LogFile
	for _, f := range files {
		switch {
		case f.V2:
			v2 = append(v2, f)
		case f.Parts == 0:
			return []LogFile{f}
		default:
			parts[f.Parts] = append(parts[f.Parts], f)
		}
	}
	for n, found := range parts {
		if len(found) == n {
			sort.Slice(found, func(i, j int) bool { return found[i].Part < found[j].Part })
			return found
		}
	}
	if len(v2) > 0 {
		sort.Slice(v2, func(i, j int) bool { return v2[i].Name < v2[j].Name })
		return v2[len(v2)-1:]
	}
	return nil
}

// EarliestVersion is the oldest version that a log's files can still make up.
func EarliestVersion(files []LogFile) (int64, bool) {
	first, checkpoints := int64(-1), map[int64][]LogFile{}
	for _, f := range files {
		switch f.Kind {
		case CommitFile:
			if first < 0 || f.Version < first {
				first = f.Version
			}
		case CheckpointFile:
			checkpoints[f.Version] = append(checkpoints[f.Version], f)
		}
	}
	if first == 0 {
		return 0, true
	}
	oldest := int64(-1)
	for v, parts := range checkpoints {
		if wholeCheckpoint(parts) != nil && (oldest < 0 || v < oldest) {
			oldest = v
		}
	}
	return oldest, oldest >= 0
}

// KeepFrom is the version from which on a log has to be kept so that versions after a time can be read: the newest with a whole checkpoint
// among those that were committed before, or -1 when nothing may go.
func KeepFrom(files []LogFile, cutoff time.Time) int64 {
	old := map[int64]bool{}
	checkpoints := map[int64][]LogFile{}
	for _, f := range files {
		switch f.Kind {
		case CommitFile:
			if f.Modified.Before(cutoff) {
				old[f.Version] = true
			}
		case CheckpointFile:
			checkpoints[f.Version] = append(checkpoints[f.Version], f)
		}
	}
	keep := int64(-1)
	for v, parts := range checkpoints {
		if v > keep && old[v] && wholeCheckpoint(parts) != nil {
			keep = v
		}
	}
	return keep
}
