package source

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"millrace/errs"
	"millrace/plan"
	"millrace/storage"
	"millrace/types"
)

// Rate makes so many rows a second, each with the time for which it was made and a number. Its offsets are whole seconds since the query's
// first start, which it keeps in the checkpoint.
type Rate struct {
	rows, ramp int64 // rows a second; seconds until that speed is reached
	partitions int
	started    time.Time
	last       int64 // seconds to read up to, or -1
}

var _ Source = (*Rate)(nil)

// OpenRate makes the source that a streaming read describes.
func OpenRate(r *plan.UnresolvedSource) (*Rate, error) {
	s := &Rate{rows: 1, started: time.Now(), last: -1}
	if v, ok := option(r.Options, "rowsPerSecond"); ok {
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil {
			return nil, errs.Newf(errs.Invalid, "For input string: %q", v)
		}
		if s.rows = n; n <= 0 {
			return nil, errs.Newf(errs.Invalid, "Invalid value '%s'. The option 'rowsPerSecond' must be positive", v)
		}
	}
	if v, ok := option(r.Options, "rampUpTime"); ok {
		d, err := seconds(v)
		if err != nil || d < 0 {
			return nil, errs.Newf(errs.Invalid, "Invalid value '%s'. The option 'rampUpTime' must not be negative", v)
		}
		s.ramp = d
	}
	if v, ok := option(r.Options, "numPartitions"); ok {
		n, err := strconv.Atoi(v)
		if err != nil {
			return nil, errs.Newf(errs.Invalid, "For input string: %q", v)
		}
		if s.partitions = n; n <= 0 {
			return nil, errs.Newf(errs.Invalid, "Invalid value '%s'. The option 'numPartitions' must be positive", v)
		}
	}
	return s, nil
}

// seconds reads a duration such as 5s, 2min or 10.
func seconds(text string) (int64, error) {
	text = strings.ToLower(strings.TrimSpace(text))
	digits := strings.TrimRight(text, "abcdefghijklmnopqrstuvwxyz")
	unit, ok := map[string]int64{"": 1, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}[text[len(digits):]]
	if !ok {
		return 0, errs.Newf(errs.Invalid, "%s is no duration", text)
	}
	n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
	return n * unit, err
}

var rateSchema = types.Struct(types.Field{Name: "timestamp", Type: types.Timestamp, Nullable: true}, types.Field{Name: "value", Type: types.Long, Nullable: true})

// Streaming implements plan.StreamTable.
func (s *Rate) Streaming() {}

// Name implements plan.Table.
func (s *Rate) Name() string { return "rate" }

// Schema implements plan.Table.
func (s *Rate) Schema() *types.Type { return rateSchema }

// Format implements plan.Table.
func (s *Rate) Format() string { return "rate" }

// Rows implements plan.Table.
func (s *Rate) Rows() int64 { return -1 }

// SizeBytes implements plan.Table.
func (s *Rate) SizeBytes() int64 { return -1 }

// Description implements Source.
func (s *Rate) Description() string {
	n := "default"
	if s.partitions > 0 {
		n = strconv.Itoa(s.partitions)
	}
	return fmt.Sprintf("RateStreamV2[rowsPerSecond=%d, rampUpTimeSeconds=%d, numPartitions=%s", s.rows, s.ramp, n)
}

// Keep implements Keeper: the first start's time is kept, so that the seconds count on from there.
func (s *Rate) Keep(ctx context.Context, store storage.Store) error {
	s.started = time.Now()
	err := store.PutIfAbsent(ctx, "0", fmt.Appendf(nil, "v1\n%d", s.started.UnixMilli()))
	if !errs.Is(err, errs.Conflict) {
		return err
	}
	data, err := store.Get(ctx, "0")
	if err != nil {
		return err
	}
	text, ok := strings.CutPrefix(strings.TrimSpace(string(data)), "v1\n")
	ms, err := strconv.ParseInt(text, 10, 64)
	if !ok || err != nil {
		return errs.Newf(errs.Invalid, "The checkpoint's file %s/0 does not hold the rate source's start time; use another checkpoint location.", store.URL())
	}
	s.started = time.UnixMilli(ms)
	return nil
}

func (s *Rate) elapsed() int64 { return max(0, time.Since(s.started).Milliseconds()/1000) }

// Freeze implements Source.
func (s *Rate) Freeze(context.Context) error { s.last = s.elapsed(); return nil }

// Latest implements Source.
func (s *Rate) Latest(_ context.Context, start string, _ bool) (string, error) {
	now := s.elapsed()
	if s.last >= 0 {
		now = min(now, s.last)
	}
	if start != "" {
		from, err := parseSecond(start)
		if err != nil {
			return "", err
		}
		now = max(now, from)
	}
	return strconv.FormatInt(now, 10), nil
}

func parseSecond(offset string) (int64, error) {
	n, err := strconv.ParseInt(offset, 10, 64)
	if err != nil || n < 0 {
		return 0, errs.Newf(errs.Invalid, "The checkpoint's offset %s is none of a rate source.", offset)
	}
	return n, nil
}

// until is how many rows are made in the first so many seconds.
func (s *Rate) until(second int64) int64 {
	step := s.rows / (s.ramp + 1)
	up := min(second, s.ramp)
	return step*(up*(up+1)/2) + (second-up)*s.rows
}

// Span implements Source: the rows of a span are spread evenly over its time.
func (s *Rate) Span(_ context.Context, start, end string) (plan.Node, int64, error) {
	var from, to int64
	var err error
	if start != "" {
		if from, err = parseSecond(start); err != nil {
			return nil, 0, err
		}
	}
	if to = from; end != "" {
		if to, err = parseSecond(end); err != nil {
			return nil, 0, err
		}
	}
	first, last := s.until(from), s.until(to)
	rows := &plan.Range{Start: first, End: last, Step: 1, Partitions: s.partitions}
	perRow := 0.0
	if last > first {
		perRow = float64(to-from) * 1000 / float64(last-first)
	}
	n := plan.Fn("-", plan.Col("id"), plan.BigInt(first))
	after := &plan.Cast{Child: plan.Fn("*", n, &plan.Literal{Value: perRow, T: types.Double}), To: types.Long}
	at := plan.Fn("timestamp_millis", plan.Fn("+", after, plan.BigInt(s.started.UnixMilli()+from*1000)))
	return &plan.Project{Input: rows, Exprs: []plan.Expr{&plan.Alias{Child: at, Names: []string{"timestamp"}},
		&plan.Alias{Child: plan.Col("id"), Names: []string{"value"}}}}, last - first, nil
}

// Wait implements Source.
func (s *Rate) Wait(ctx context.Context, after string) error {
	if after == "" {
		return nil
	}
	from, err := parseSecond(after)
	if err != nil {
		return err
	}
	if s.last >= 0 && from >= s.last {
		<-ctx.Done()
		return ctx.Err()
	}
	t := time.NewTimer(time.Until(s.started.Add(time.Duration(from+1) * time.Second)))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Forget implements Source.
func (s *Rate) Forget(string) {}

// Close implements Source.
func (s *Rate) Close() {}
