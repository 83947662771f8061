package parquet

import (
	"strconv"
	"strings"

	"github.com/parquet-go/parquet-go/format"

	"millrace/errs"
	"millrace/javatime"
	"millrace/types"
	"millrace/vector"
)

// RebaseMode says in which calendar a file's old dates and times are written when the file does not say it itself.
type RebaseMode uint8

// The modes of spark.sql.parquet.datetimeRebaseModeInRead.
const (
	RebaseCorrected RebaseMode = iota // as they are
	RebaseLegacy                      // in the hybrid calendar
	RebaseException                   // those that may be either are an error
)

// ParseRebaseMode reads a mode's name; anything else than LEGACY and EXCEPTION is CORRECTED.
func ParseRebaseMode(s string) RebaseMode {
	switch strings.ToUpper(s) {
	case "LEGACY":
		return RebaseLegacy
	case "EXCEPTION":
		return RebaseException
	}
	return RebaseCorrected
}

// Rebase is how dates and times of files that say nothing are read.
type Rebase struct {
	Datetime, Int96 RebaseMode
}

// rebaser turns a column's values of the hybrid calendar into those of today's.
type rebaser struct {
	mode RebaseMode
	zone *javatime.Zone
}

// mode is the mode for a file by its footer: by what Spark wrote it, and how.
func (f *File) rebaseMode(given RebaseMode, legacyKey, since string) RebaseMode {
	version, ok := f.KeyValue("org.apache.spark.version")
	if !ok {
		return given
	}
	if _, legacy := f.KeyValue(legacyKey); legacy || older(version, since) {
		return RebaseLegacy
	}
	return RebaseCorrected
}

// older compares versions by their first two numbers.
func older(version, than string) bool {
	a, b := strings.Split(version, "."), strings.Split(than, ".")
	for i := range 2 {
		x, y := 0, 0
		if i < len(a) {
			x, _ = strconv.Atoi(a[i])
		}
		y, _ = strconv.Atoi(b[i])
		if x != y {
			return x < y
		}
	}
	return false
}

// rebaserFor is what a column of the file needs; nil where its values are as they are.
func (f *File) rebaserFor(c *Column, want *types.Type, r Rebase) *rebaser {
	if !timely(want) {
		return nil
	}
	mode := f.rebaseMode(r.Datetime, "org.apache.spark.legacyDateTime", "3.0.0")
	if hasInt96(c) {
		mode = f.rebaseMode(r.Int96, "org.apache.spark.legacyINT96", "3.1.0")
	}
	if mode == RebaseCorrected {
		return nil
	}
	zone := javatime.UTC // Spark takes the server's own zone where the file names none
	if name, ok := f.KeyValue("org.apache.spark.timeZone"); ok {
		if z, err := javatime.ZoneOf(name); err == nil {
			zone = z
		}
	}
	return &rebaser{mode: mode, zone: zone}
}

// timely reports whether a type has dates or times in it.
func timely(t *types.Type) bool {
	switch t.Kind {
	case types.KindDate, types.KindTimestamp:
		return true
	case types.KindArray:
		return timely(t.Elem)
	case types.KindMap:
		return timely(t.Key) || timely(t.Elem)
	case types.KindStruct:
		for _, f := range t.Fields {
			if timely(f.Type) {
				return true
			}
		}
	}
	return false
}

func hasInt96(c *Column) bool {
	if c.isLeaf() {
		return c.physical == format.Int96
	}
	for _, child := range c.Children {
		if hasInt96(child) {
			return true
		}
	}
	return false
}

// apply is the column with its old values rebased; the vector it is given is left as it is.
func (r *rebaser) apply(v *vector.Vector) (*vector.Vector, error) {
	switch v.Type.Kind {
	case types.KindDate:
		return rebased(r, v, func(d int32) bool { return javatime.OldDay(int64(d)) }, func(d int32) int32 { return int32(javatime.HybridDay(int64(d))) })
	case types.KindTimestamp:
		return rebased(r, v, javatime.OldMoment, func(t int64) int64 { return javatime.HybridMoment(t, r.zone) })
	}
	if len(v.Children) == 0 {
		return v, nil
	}
	w := *v
	w.Children = make([]*vector.Vector, len(v.Children))
	for i, c := range v.Children {
		var err error
		if w.Children[i], err = r.apply(c); err != nil {
			return nil, err
		}
	}
	return &w, nil
}

func rebased[T int32 | int64](r *rebaser, v *vector.Vector, old func(T) bool, fresh func(T) T) (*vector.Vector, error) {
	if v.Dict != nil {
		d, err := rebased(r, v.Dict, old, fresh)
		if err != nil || d == v.Dict {
			return v, err
		}
		w := *v
		w.Dict = d
		return &w, nil
	}
	values := vector.Values[T](v)
	var out *vector.Vector
	for i, x := range values {
		if !old(x) || v.IsNull(i) {
			continue
		}
		if r.mode == RebaseException {
			return nil, errs.New("INCONSISTENT_BEHAVIOR_CROSS_VERSION.READ_ANCIENT_DATETIME", "format", "Parquet",
				"config", `"spark.sql.parquet.datetimeRebaseModeInRead"`, "option", `"datetimeRebaseMode"`)
		}
		if out == nil {
			out = &vector.Vector{}
			*out = *v
			out.Data = append([]byte(nil), v.Data...)
		}
		vector.Values[T](out)[i] = fresh(x)
	}
	if out == nil {
		return v, nil
	}
	return out, nil
}
