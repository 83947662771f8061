package expr

import (
	"errors"

	"millrace/errs"
	"millrace/javatime"
	"millrace/types"
)

func init() {
	strict := func(name string, build func(*Call) (Kernel, error)) {
		Register(name, Func{Strict: true, Pure: true, Build: build})
	}
	strict("date_format", func(c *Call) (Kernel, error) { return formatKernel(c, 1), nil })
	strict("from_unixtime", func(c *Call) (Kernel, error) { return formatKernel(c, javatime.MicrosPerSecond), nil })
	strict("unix_timestamp", buildUnixTimestamp)
	for _, name := range []string{"to_date", "try_to_date"} {
		strict(name, func(c *Call) (Kernel, error) { return fixedKernel(parseDates(c)), nil })
	}
	for _, name := range []string{"to_timestamp", "try_to_timestamp", "to_timestamp_ltz", "to_timestamp_ntz"} {
		strict(name, func(c *Call) (Kernel, error) { return fixedKernel(parseTimestamps(c)), nil })
	}
}

// formats compiles patterns; almost always there is one.
type formats struct {
	last    lastPattern[*javatime.Formatter]
	parsing bool
}

func (f *formats) get(pattern []byte) (*javatime.Formatter, error) {
	return f.last.get(pattern, func(text []byte) (*javatime.Formatter, error) {
		out, err := javatime.NewFormatter(string(text), f.parsing)
		var p *javatime.PatternProblem
		if errors.As(err, &p) {
			return nil, errs.New(p.Condition, p.Params...)
		}
		return out, err
	})
}

const defaultPattern = "yyyy-MM-dd HH:mm:ss"

// formatKernel prints moments, given in units of so many microseconds.
func formatKernel(c *Call, unit int64) Kernel {
	zone, f := sessionZone(c), &formats{}
	return textKernel(func(in *inputs, i int, dst []byte) ([]byte, error) {
		pattern := []byte(defaultPattern)
		if len(in.vec) > 1 {
			pattern = in.str(1, i)
		}
		out, err := f.get(pattern)
		if err != nil {
			return nil, err
		}
		return out.Format(dst, in.num(0, i)*unit, zone), nil
	})
}

// misfit is the error of a text that its pattern does not fit; null where Spark gives that.
func misfit(c *Call, function string, err error) error {
	var p *javatime.ParseProblem
	if !errors.As(err, &p) {
		return err
	}
	if !c.Settings.GetAnsi() || c.Mode == modeTry {
		return errNull
	}
	return errs.New("CANNOT_PARSE_TIMESTAMP", "message", p.Error(), "func", "`"+function+"`")
}

// parseDates reads days by a pattern.
func parseDates(c *Call) func(in *inputs, i int) (int32, error) {
	f := &formats{parsing: true}
	return func(in *inputs, i int) (int32, error) {
		format, err := f.get(in.str(1, i))
		if err != nil {
			return 0, err
		}
		fields, err := format.Parse(string(in.str(0, i)))
		if err == nil {
			var days int64
			if days, err = fields.Date(); err == nil {
				return int32(days), nil
			}
		}
		return 0, misfit(c, "try_to_date", err)
	}
}

// parseTimestamps reads moments, or local times, by a pattern.
func parseTimestamps(c *Call) func(in *inputs, i int) (int64, error) {
	f, zone := &formats{parsing: true}, zoneFor(c, c.Out)
	ntz := c.Out.Kind == types.KindTimestampNTZ
	return func(in *inputs, i int) (int64, error) {
		format, err := f.get(in.str(1, i))
		if err != nil {
			return 0, err
		}
		fields, err := format.Parse(string(in.str(0, i)))
		if err == nil {
			var local int64
			if local, err = fields.Local(); err == nil {
				if fields.Zone != nil && !ntz {
					return fields.Zone.ToUTC(local), nil
				}
				return zone.ToUTC(local), nil
			}
		}
		return 0, misfit(c, "try_to_timestamp", err)
	}
}

// buildUnixTimestamp gives the seconds of a timestamp, or of a text by a pattern.
func buildUnixTimestamp(c *Call) (Kernel, error) {
	if c.Args[0].Kind != types.KindString {
		return fixedKernel(func(in *inputs, i int) (int64, error) {
			return javatime.FloorDiv(in.num(0, i), javatime.MicrosPerSecond), nil
		}), nil
	}
	call := *c
	call.Out = types.Timestamp
	parse, f, zone := parseTimestamps(&call), &formats{parsing: true}, sessionZone(c)
	return fixedKernel(func(in *inputs, i int) (int64, error) {
		if len(in.vec) > 1 {
			v, err := parse(in, i)
			return javatime.FloorDiv(v, javatime.MicrosPerSecond), err
		}
		format, err := f.get([]byte(defaultPattern))
		if err != nil {
			return 0, err
		}
		fields, err := format.Parse(string(in.str(0, i)))
		var local int64
		if err == nil {
			local, err = fields.Local()
		}
		if err != nil {
			return 0, misfit(c, "try_to_timestamp", err)
		}
		return javatime.FloorDiv(zone.ToUTC(local), javatime.MicrosPerSecond), nil
	}), nil
}
