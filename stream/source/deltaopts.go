package source

import (
	"strconv"
	"strings"
	"time"

	"millrace/errs"
	"millrace/javatime"
)

// deltaOptions are a Delta stream's options.
type deltaOptions struct {
	feed                                      bool // the change data feed instead of the rows
	maxFiles, maxBytes                        int64
	ignoreDeletes, ignoreChanges, skipChanges bool
	startVersion                              *int64
	startLatest                               bool
	startTime                                 *int64 // microseconds since 1970
}

// defaultMaxFiles is Delta's bound of a micro-batch.
const defaultMaxFiles = 1000

func parseDeltaOptions(options map[string]string, zone string) (o deltaOptions, err error) {
	o.maxFiles, o.maxBytes = defaultMaxFiles, 1<<62
	_, bounded := option(options, "maxBytesPerTrigger")
	if bounded {
		o.maxFiles = 1 << 62
	}
	if v, ok := option(options, "maxFilesPerTrigger"); ok {
		if o.maxFiles, err = strconv.ParseInt(strings.TrimSpace(v), 10, 32); err != nil || o.maxFiles <= 0 {
			return o, illegal("maxFilesPerTrigger", v, "must be a positive integer")
		}
	}
	if v, ok := option(options, "maxBytesPerTrigger"); ok {
		if o.maxBytes, err = parseBytes(v); err != nil || o.maxBytes <= 0 {
			return o, illegal("maxBytesPerTrigger", v, "must be a size configuration such as '10g'")
		}
	}
	for name, to := range map[string]*bool{"ignoreDeletes": &o.ignoreDeletes, "ignoreChanges": &o.ignoreChanges, "skipChangeCommits": &o.skipChanges} {
		if *to, err = boolOption(options, name); err != nil {
			return o, err
		}
	}
	for _, name := range []string{"readChangeFeed", "readChangeData"} {
		if on, err := boolOption(options, name); err != nil {
			return o, err
		} else if on {
			o.feed = true
		}
	}
	for _, name := range []string{"schemaTrackingLocation", "schemaLocation", "excludeRegex"} {
		if _, ok := option(options, name); ok {
			return o, errs.Unsupportedf("The Delta stream's option %s is not supported yet.", name)
		}
	}
	for _, name := range []string{"versionAsOf", "timestampAsOf"} {
		if _, ok := option(options, name); ok {
			return o, errs.New("DELTA_UNSUPPORTED_TIME_TRAVEL_VIEWS")
		}
	}
	return o, o.parseStart(options, zone)
}

func (o *deltaOptions) parseStart(options map[string]string, zone string) error {
	version, byVersion := option(options, "startingVersion")
	stamp, byTime := option(options, "startingTimestamp")
	switch {
	case byVersion && byTime:
		return errs.New("DELTA_STARTING_VERSION_AND_TIMESTAMP_BOTH_SET", "version", "startingVersion", "timestamp", "startingTimestamp")
	case byVersion && strings.EqualFold(version, "latest"):
		o.startLatest = true
	case byVersion:
		v, err := strconv.ParseInt(strings.TrimSpace(version), 10, 64)
		if err != nil || v < 0 {
			return illegal("startingVersion", version, "must be greater than or equal to zero")
		}
		o.startVersion = &v
	case byTime:
		z, err := javatime.ZoneOf(zone)
		if err != nil {
			return err
		}
		at, ok := javatime.ParseTimestamp(stamp, z, time.Now().UnixMicro())
		if !ok {
			return errs.New("DELTA_TIMESTAMP_INVALID", "expr", stamp)
		}
		o.startTime = &at
	}
	return nil
}

func boolOption(options map[string]string, name string) (bool, error) {
	v, ok := option(options, name)
	switch {
	case !ok || strings.EqualFold(v, "false"):
		return false, nil
	case strings.EqualFold(v, "true"):
		return true, nil
	}
	return false, illegal(name, v, "must be 'true' or 'false'")
}

// parseBytes reads a size such as 10g, 512m or 1b; a bare number is bytes.
func parseBytes(text string) (int64, error) {
	s := strings.ToLower(strings.TrimSpace(text))
	s = strings.TrimSuffix(s, "b")
	unit := int64(1)
	if n := len(s); n > 0 {
		if i := strings.IndexByte("kmgtp", s[n-1]); i >= 0 {
			unit, s = 1<<(10*(i+1)), s[:n-1]
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n * unit, err
}
