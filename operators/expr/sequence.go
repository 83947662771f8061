package expr

import (
	"fmt"
	"math"

	"millrace/errs"
	"millrace/javatime"
	"millrace/types"
	"millrace/vector"
)

func init() { Register("sequence", Func{Strict: true, Pure: true, Build: buildSequence}) }

// buildSequence makes the numbers or moments from one to another.
func buildSequence(c *Call) (Kernel, error) {
	t := c.Args[0]
	row := integerSequence
	switch t.Kind {
	case types.KindDate, types.KindTimestamp, types.KindTimestampNTZ:
		row = momentSequence(c, zoneFor(c, t))
	case types.KindNull:
		return func(_ *Ctx, _ []*vector.Vector, _ []uint32, n int, out *vector.Vector) error { return allNull(out, n) }, nil
	}
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		var values []int64
		next := 0
		err := RowsErr(sel, n, func(i int) (err error) {
			for ; next < i; next++ {
				out.Offsets[next+1] = out.Offsets[next]
			}
			values, err = row(args, i, values)
			out.Offsets[i+1] = int32(len(values))
			next = i + 1
			return err
		})
		if err != nil {
			return err
		}
		for ; next < n; next++ {
			out.Offsets[next+1] = out.Offsets[next]
		}
		out.Children = []*vector.Vector{integersOf(out.Type.Elem, values)}
		return nil
	}, nil
}

// integersOf is a column of a type that integers are stored in.
func integersOf(t *types.Type, values []int64) *vector.Vector {
	v := &vector.Vector{}
	v.Reset(t, len(values))
	switch vector.Width(t) {
	case 1:
		copyIntegers(vector.Values[int8](v), values)
	case 2:
		copyIntegers(vector.Values[int16](v), values)
	case 4:
		copyIntegers(vector.Values[int32](v), values)
	default:
		copy(vector.Values[int64](v), values)
	}
	return v
}

func copyIntegers[T int8 | int16 | int32](out []T, values []int64) {
	for i, x := range values {
		out[i] = T(x)
	}
}

// sequenceSize is the number of values, all of which have to fit in memory.
func sequenceSize(start, stop, step int64) (int64, error) {
	switch {
	case step > 0 && start <= stop, step < 0 && start >= stop:
	case step == 0 && start == stop:
		return 1, nil
	default:
		e := errs.Newf(errs.Invalid, "requirement failed: Illegal sequence boundaries: %d to %d by %d", start, stop, step)
		e.Class = errs.ClassIllegalArgument
		return 0, e
	}
	gap, by := uint64(stop)-uint64(start), uint64(step)
	if step < 0 {
		gap, by = uint64(start)-uint64(stop), -uint64(step)
	}
	if n := gap/by + 1; n == 0 || n > maxArray {
		return 0, errs.New("COLLECTION_SIZE_LIMIT_EXCEEDED.PARAMETER", "numberOfElements", fmt.Sprint(n), "functionName", "`sequence`",
			"maxRoundedArrayLength", itoa(maxArray), "parameter", "`count`")
	}
	return int64(gap/by) + 1, nil
}

func integerSequence(args []*vector.Vector, i int, dst []int64) ([]int64, error) {
	start, stop, step := numAt(args[0], i), numAt(args[1], i), int64(1)
	if len(args) > 2 {
		step = numAt(args[2], i)
	} else if start > stop {
		step = -1
	}
	n, err := sequenceSize(start, stop, step)
	if err != nil || int64(len(dst))+n > maxArray {
		return dst, err
	}
	for k := range n {
		dst = append(dst, start+k*step)
	}
	return dst, nil
}

// stepOf is an interval of any of the three types.
func stepOf(v *vector.Vector, i int) vector.CalendarInterval {
	v, i = slotOf(v, i)
	switch v.Type.Kind {
	case types.KindCalendar:
		return vector.Values[vector.CalendarInterval](v)[i]
	case types.KindYearMonth:
		return vector.CalendarInterval{Months: int32(intAt(v, i))}
	}
	micros := intAt(v, i) // whole days are days of the calendar
	return vector.CalendarInterval{Days: int32(micros / javatime.MicrosPerDay), Micros: micros % javatime.MicrosPerDay}
}

// momentSequence adds multiples of the interval to the start, so that month's ends do not drift. Dates are midnights.
func momentSequence(c *Call, zone *javatime.Zone) func([]*vector.Vector, int, []int64) ([]int64, error) {
	scale := int64(1)
	isDate := c.Args[0].Kind == types.KindDate
	if isDate {
		scale, zone = javatime.MicrosPerDay, javatime.UTC
	}
	return func(args []*vector.Vector, i int, dst []int64) ([]int64, error) {
		first, last := numAt(args[0], i), numAt(args[1], i)
		step := vector.CalendarInterval{Days: 1}
		if len(args) > 2 {
			step = stepOf(args[2], i)
			if isDate && step.Months == 0 && step.Days == 0 && max(step.Micros, -step.Micros) < javatime.MicrosPerDay {
				return dst, errs.New("_LEGACY_ERROR_TEMP_3242", "intervalType", stepType(c.Args[2]))
			}
		} else if first > last {
			step.Days = -1
		}
		rough := int64(step.Months)*28*javatime.MicrosPerDay + int64(step.Days)*javatime.MicrosPerDay + step.Micros
		n, err := sequenceSize(first, last, atLeastOne(rough, scale))
		if err != nil {
			return dst, err
		}
		start, stop := first*scale, last*scale
		for k := range n + 1 {
			t := addInterval(start, int64(step.Months)*k, int64(step.Days)*k, step.Micros*k, zone)
			if rough > 0 && t > stop || rough < 0 && t < stop {
				break
			}
			dst = append(dst, javatime.FloorDiv(t, scale))
			if rough == 0 {
				break
			}
		}
		return dst, nil
	}
}

// atLeastOne is a step in units of scale, not rounded to nothing.
func atLeastOne(step, scale int64) int64 {
	if q := step / scale; q != 0 || step == 0 {
		return q
	}
	return step / max(step, -step)
}

func stepType(t *types.Type) string {
	switch t.Kind {
	case types.KindCalendar:
		return "interval"
	case types.KindYearMonth:
		return types.YearMonth.String()
	}
	return types.DayTime.String()
}

// addInterval adds months and days on the zone's clock, and then microseconds.
func addInterval(t, months, days, micros int64, zone *javatime.Zone) int64 {
	if months != 0 || days != 0 {
		local := zone.ToLocal(t)
		day := javatime.FloorDiv(local, javatime.MicrosPerDay)
		rest := local - day*javatime.MicrosPerDay
		if months = min(max(months, math.MinInt32), math.MaxInt32); months != 0 {
			day = javatime.AddMonths(day, int(months))
		}
		t = zone.ToUTC((day+days)*javatime.MicrosPerDay + rest)
	}
	return t + micros
}
