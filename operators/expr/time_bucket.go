package expr

import (
	"millrace/javatime"
	"millrace/types"
)

func init() {
	Register("time_bucket", Func{Strict: true, Pure: true, Build: timeBucket})
}

// timeBucket goes from the origin by whole buckets to the last that does not begin after the time. Buckets of days and months follow the
// zone's calendar, shorter ones the clock.
func timeBucket(c *Call) (Kernel, error) {
	zone := zoneFor(c, c.Out)
	months := c.Args[0].Kind == types.KindYearMonth
	start := zone.ToUTC(0)
	return fixedKernel(func(in *inputs, i int) (int64, error) {
		size, t, origin := in.num(0, i), in.num(1, i), start
		if len(in.vec) > 2 {
			origin = in.num(2, i)
		}
		if months {
			return monthBucket(size, t, origin, zone), nil
		}
		past := t - origin
		if (t^origin)&(t^past) < 0 {
			return 0, overflowError("long overflow", "")
		}
		n := javatime.FloorDiv(past, size)
		if size < microsPerDay {
			at, ok := sumOf([2]int64{origin, 1}, [2]int64{n, size})
			if !ok {
				return 0, overflowError("long overflow", "")
			}
			return at, nil
		}
		edge := func(n int64) (int64, error) {
			by, ok := sumOf([2]int64{n, size})
			if !ok {
				return 0, overflowError("long overflow", "")
			}
			return ShiftTimestamp(origin, 0, int32(by/microsPerDay), by%microsPerDay, zone.Location()), nil
		}
		at, err := edge(n)
		if err != nil || at > t {
			return edge(n - 1)
		}
		if next, err := edge(n + 1); err != nil || next <= t { // a day of the calendar may be shorter than one of the clock
			return next, err
		}
		return at, nil
	}), nil
}

func monthBucket(size, t, origin int64, zone *javatime.Zone) int64 {
	month := func(at int64) int64 {
		y, m, _ := javatime.Civil(javatime.FloorDiv(zone.ToLocal(at), javatime.MicrosPerDay))
		return int64(y)*12 + int64(m)
	}
	n := javatime.FloorDiv(month(t)-month(origin), size)
	at := ShiftTimestamp(origin, int32(n*size), 0, 0, zone.Location())
	if at > t {
		at = ShiftTimestamp(origin, int32((n-1)*size), 0, 0, zone.Location())
	}
	return at
}
