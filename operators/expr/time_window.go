package expr

import (
	"millrace/javatime"
	"millrace/vector"
)

func init() {
	Register("time_edge", Func{Strict: true, Total: true, Pure: true, Build: timeEdge})
	Register("calendar_interval", Func{Strict: true, Pure: true, Build: func(*Call) (Kernel, error) { return fixedKernel(calendarOf), nil }})
}

// timeEdge is the last of the times start, start+slide, … up to a time, moved by an offset, all in microseconds. All but the time are constants.
func timeEdge(c *Call) (Kernel, error) {
	constant := func(i int) int64 { return vector.Values[int64](c.Consts[i])[0] }
	slide, start, offset := constant(1), constant(2), constant(3)
	edge := func(t int64) int64 {
		past := (t - start) % slide
		if past < 0 {
			past += slide
		}
		return t - past + offset
	}
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		t, r := args[0], vector.Values[int64](out)
		if t.Dict != nil || t.Const || sel != nil {
			Rows(sel, n, func(i int) { r[i] = edge(numAt(t, i)) })
			return nil
		}
		for i, x := range vector.Values[int64](t)[:n] {
			r[i] = edge(x)
		}
		return nil
	}, nil
}

// calendarOf reads an interval; a text that is none is null.
func calendarOf(in *inputs, i int) (vector.CalendarInterval, error) {
	v, err := javatime.ParseInterval(string(in.str(0, i)))
	if err != nil {
		return vector.CalendarInterval{}, errNull
	}
	return vector.CalendarInterval{Months: v.Months, Days: v.Days, Micros: v.Micros}, nil
}
