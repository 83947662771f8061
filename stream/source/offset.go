package source

import (
	"encoding/json"
	"math"

	"millrace/errs"
)

// deltaOffset is how far a Delta table has been read, in Delta's form. Everything before the file of number Index in version Version has
// been, and that file too; Index none stands before the version's first file. With Initial the files are those of the table at that
// version, oldest first, instead of those that the version added.
type deltaOffset struct {
	SourceVersion int    `json:"sourceVersion"`
	TableID       string `json:"reservoirId"`
	Version       int64  `json:"reservoirVersion"`
	Index         int64  `json:"index"`
	Initial       bool   `json:"isStartingVersion"`
}

// none is the index before a version's first file: -1 in offsets of source version 1, -100 in those of version 3.
const none = -1

// endIndex is the least of the indexes that stand for the end of a version.
const endIndex = math.MaxInt64 - 1000

func (o deltaOffset) String() string {
	b, _ := json.Marshal(o)
	return string(b)
}

// parseDelta reads an offset from a checkpoint.
func parseDelta(text string) (deltaOffset, error) {
	var raw struct {
		SourceVersion *int
		ReservoirID   *string
		Version       *int64 `json:"reservoirVersion"`
		Index         *int64
		Initial       *bool `json:"isStartingVersion"`
	}
	bad := func(why string) (deltaOffset, error) {
		return deltaOffset{}, errs.Newf(errs.Invalid, "The checkpoint's offset %s is none of a Delta source: %s.", text, why)
	}
	switch err := json.Unmarshal([]byte(text), &raw); {
	case err != nil:
		return bad("it is no JSON object of that form")
	case raw.SourceVersion == nil || *raw.SourceVersion != 1 && *raw.SourceVersion != 3:
		return bad("its sourceVersion is not 1 or 3")
	case raw.ReservoirID == nil || raw.Version == nil || raw.Index == nil || raw.Initial == nil:
		return bad("it lacks reservoirId, reservoirVersion, index or isStartingVersion")
	}
	o := deltaOffset{1, *raw.ReservoirID, *raw.Version, *raw.Index, *raw.Initial}
	if o.Index <= -100 {
		o.Index = none
	}
	if o.Index >= endIndex {
		o.Version, o.Index, o.Initial = o.Version+1, none, false
	}
	return o, nil
}
