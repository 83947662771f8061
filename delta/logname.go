package delta

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// LogDir is the log's directory in a table.
const LogDir = "_delta_log"

// LogKind is what a file of the log is.
type LogKind uint8

// The kinds of log files.
const (
	CommitFile LogKind = iota
	CheckpointFile
	CompactedFile
	ChecksumFile
)

// LogFile is a file of _delta_log.
type LogFile struct {
	Name     string // without the directory
	Kind     LogKind
	Version  int64
	Through  int64 // last version of a compacted file
	Part     int   // 1 to Parts of a multi-part checkpoint, else 0
	Parts    int
	V2       bool // named by a UUID
	Size     int64
	Modified time.Time
}

// CommitName is the name of a version's commit in _delta_log.
func CommitName(version int64) string { return fmt.Sprintf("%020d.json", version) }

// CheckpointName is the name of a version's single-file checkpoint.
func CheckpointName(version int64) string { return fmt.Sprintf("%020d.checkpoint.parquet", version) }

// SidecarDir is the directory, in the log's, of the sidecars of checkpoints.
const SidecarDir = "_sidecars"

// CheckpointNameV2 is the name of a version's checkpoint in the V2 form; id is a UUID.
func CheckpointNameV2(version int64, id string) string {
	return fmt.Sprintf("%020d.checkpoint.%s.parquet", version, id)
}

// ChecksumName is the name of a version's checksum in _delta_log.
func ChecksumName(version int64) string { return fmt.Sprintf("%020d.crc", version) }

// CommitPath is CommitName with the directory in front.
func CommitPath(version int64) string { return LogDir + "/" + CommitName(version) }

// ParseLogName tells what a file of _delta_log is by its name; ok is false for anything else.
func ParseLogName(name string) (f LogFile, ok bool) {
	digits, rest, found := strings.Cut(name, ".")
	version, err := strconv.ParseInt(digits, 10, 64)
	if !found || err != nil || len(digits) != 20 || version < 0 {
		return f, false
	}
	f = LogFile{Name: name, Version: version, Through: version}
	switch {
	case rest == "json":
		return f, true
	case rest == "crc":
		f.Kind = ChecksumFile
		return f, true
	case strings.HasSuffix(rest, ".compacted.json"):
		f.Kind = CompactedFile
		f.Through, err = strconv.ParseInt(strings.TrimSuffix(rest, ".compacted.json"), 10, 64)
		return f, err == nil && f.Through >= f.Version
	}
	return parseCheckpoint(f, rest)
}

func parseCheckpoint(f LogFile, rest string) (LogFile, bool) {
	parts := strings.Split(rest, ".")
	if parts[0] != "checkpoint" {
		return f, false
	}
	f.Kind = CheckpointFile
	switch n := len(parts); {
	case n == 2:
		return f, parts[1] == "parquet"
	case n == 3 && len(parts[1]) == 36:
		f.V2 = true
		return f, parts[2] == "parquet" || parts[2] == "json"
	case n == 4 && parts[3] == "parquet":
		var err1, err2 error
		f.Part, err1 = strconv.Atoi(parts[1])
		f.Parts, err2 = strconv.Atoi(parts[2])
		return f, err1 == nil && err2 == nil && f.Part >= 1 && f.Part <= f.Parts
	}
	return f, false
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// StagedCommitName is the name below LogDir of a commit that waits to be ratified by the table's catalog.
func StagedCommitName(version int64, id string) string {
	return "_staged_commits/" + strings.TrimSuffix(CommitName(version), ".json") + "." + id + ".json"
}
