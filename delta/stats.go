package delta

import (
	"encoding/json"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"millrace/types"
)

// Stats are what a data file's writer knows about its columns. They become the stats of an add action by JSON.
type Stats struct {
	NumRecords  int64
	Columns     []ColumnStats // in the schema's order
	TightBounds *bool         // set where the table has deletion vectors
}

// ColumnStats are a leaf column's. Min and Max are nil where the type has none (see HasBounds), where all values are
// null, or where a value cannot be bounded.
type ColumnStats struct {
	Path      []string // physical names
	Type      *types.Type
	Min, Max  Value
	NullCount int64
}

// HasBounds reports whether Delta keeps the least and greatest values of a type.
func HasBounds(t *types.Type) bool {
	switch t.Kind {
	case types.KindString:
		return t.Collation == ""
	case types.KindDate, types.KindTimestamp, types.KindTimestampNTZ:
		return true
	}
	return t.IsNumeric()
}

// StatsPrefix is the number of UTF-16 units to which strings are cut.
const StatsPrefix = 32

// JSON is Delta's form of the statistics.
func (s *Stats) JSON() string {
	b := append([]byte(`{"numRecords":`), itoa(s.NumRecords)...)
	b = s.section(b, "minValues", func(b []byte, c *ColumnStats) []byte {
		if v, ok := c.Min.(string); ok {
			return AppendStat(b, c.Type, TruncateMin(v, StatsPrefix))
		}
		return AppendStat(b, c.Type, c.Min)
	})
	b = s.section(b, "maxValues", func(b []byte, c *ColumnStats) []byte {
		if v, ok := c.Max.(string); ok {
			if v, ok = TruncateMax(v, StatsPrefix); !ok {
				return b
			}
			return AppendStat(b, c.Type, v)
		}
		return AppendStat(b, c.Type, c.Max)
	})
	b = s.section(b, "nullCount", func(b []byte, c *ColumnStats) []byte { return strconv.AppendInt(b, c.NullCount, 10) })
	if s.TightBounds != nil {
		b = strconv.AppendBool(append(b, `,"tightBounds":`...), *s.TightBounds)
	}
	return string(append(b, '}'))
}

// section writes an object nested as the columns' paths are; columns for which value writes nothing are left out.
func (s *Stats) section(b []byte, name string, value func([]byte, *ColumnStats) []byte) []byte {
	start := len(b)
	b = append(append(append(b, `,"`...), name...), `":{`...)
	var open []string
	wrote := false
	for i := range s.Columns {
		c := &s.Columns[i]
		text := value(nil, c)
		if len(text) == 0 {
			continue
		}
		parents := c.Path[:len(c.Path)-1]
		common := 0
		for common < len(open) && common < len(parents) && open[common] == parents[common] {
			common++
		}
		for len(open) > common {
			open, b = open[:len(open)-1], append(b, '}')
		}
		if wrote {
			b = append(b, ',')
		}
		for _, p := range parents[common:] {
			b = append(AppendJSONString(b, p), ":{"...)
			open = append(open, p)
		}
		b = append(append(AppendJSONString(b, c.Path[len(c.Path)-1]), ':'), text...)
		wrote = true
	}
	if !wrote {
		if name == "nullCount" || s.NumRecords > 0 {
			return append(b[:start], `,"`+name+`":{}`...)
		}
		return b[:start]
	}
	for range open {
		b = append(b, '}')
	}
	return append(b, '}')
}

// AppendJSONString appends a JSON string without escaping <, > and &.
func AppendJSONString(b []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < 0x20 || c == '"' || c == '\\' || c >= 0x7f {
			text, _ := compact(s)
			return append(b, text...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

// AppendStat appends a bound as Delta writes it; nothing for null.
func AppendStat(b []byte, t *types.Type, v Value) []byte {
	switch x := v.(type) {
	case bool:
		return strconv.AppendBool(b, x)
	case int64:
		return appendIntStat(b, t, x)
	case float64:
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return AppendJSONString(b, JavaDouble(x, false))
		}
		return append(b, JavaDouble(x, t != nil && t.Kind == types.KindFloat)...)
	case string:
		return AppendJSONString(b, x)
	case Decimal:
		return append(b, x.String()...)
	}
	return b
}

func appendIntStat(b []byte, t *types.Type, n int64) []byte {
	if t != nil {
		switch t.Kind {
		case types.KindDate:
			return AppendJSONString(b, time.Unix(n*86400, 0).UTC().Format("2006-01-02"))
		case types.KindTimestamp:
			return AppendJSONString(b, millis(n).Format("2006-01-02T15:04:05.000Z"))
		case types.KindTimestampNTZ:
			return AppendJSONString(b, millis(n).Format("2006-01-02T15:04:05.000"))
		case types.KindDecimal:
			return append(b, Decimal{big.NewInt(n), t.Scale}.String()...)
		}
	}
	return strconv.AppendInt(b, n, 10)
}

// millis cuts microseconds to milliseconds, downward; readers of statistics widen the upper bound again.
func millis(micros int64) time.Time { return time.UnixMicro(micros).UTC().Truncate(time.Millisecond) }

// utf16Prefix is the byte length of the first n UTF-16 units of s, never cutting a pair of surrogates.
func utf16Prefix(s string, n int) int {
	units := 0
	for i, r := range s {
		if units >= n {
			return i
		}
		units++
		if r > 0xffff {
			units++
		}
	}
	return len(s)
}

// TruncateMin is a prefix of at most n UTF-16 units (one more where it would cut a character): never greater than s.
func TruncateMin(s string, n int) string { return s[:utf16Prefix(s, n)] }

const (
	asciiMax = "\u007f"
	utf8Max  = "\U0010ffff"
)

// TruncateMax is a short string that is not less than s, or not ok when there is none.
func TruncateMax(s string, n int) (string, bool) {
	limit := utf16Prefix(s, 2*n)
	for at := utf16Prefix(s, n); at <= limit; {
		rest := s[at:]
		switch {
		case rest == "":
			return s, true
		case strings.HasPrefix(rest, utf8Max):
			at += len(utf8Max)
		case rest[0] < asciiMax[0]:
			return s[:at] + asciiMax, true
		default:
			return s[:at] + utf8Max, true
		}
	}
	return "", false
}

// FileStats are statistics read from the log. Bounds are found by path, and parsed when they are asked for.
type FileStats struct {
	NumRecords  int64
	TightBounds bool
	known       bool // the log has numRecords
	min, max    map[string]json.RawMessage
	nulls       map[string]json.RawMessage
}

// ReadStats reads the JSON of an add action. What is missing or malformed is unknown, never an error.
func ReadStats(text string) *FileStats {
	var raw struct {
		NumRecords           *int64
		MinValues, MaxValues map[string]json.RawMessage
		NullCount            map[string]json.RawMessage
		TightBounds          *bool
	}
	s := &FileStats{TightBounds: true}
	if text == "" || json.Unmarshal([]byte(text), &raw) != nil {
		return s
	}
	if raw.NumRecords != nil {
		s.NumRecords, s.known = *raw.NumRecords, true
	}
	if raw.TightBounds != nil {
		s.TightBounds = *raw.TightBounds
	}
	s.min, s.max, s.nulls = raw.MinValues, raw.MaxValues, raw.NullCount
	return s
}

// Records is the number of rows in the file, deleted ones included, if known.
func (s *FileStats) Records() (int64, bool) { return s.NumRecords, s.known }

// Nulls is a column's number of nulls, if known.
func (s *FileStats) Nulls(path []string) (int64, bool) {
	n, err := strconv.ParseInt(string(member(s.nulls, path)), 10, 64)
	return n, err == nil
}

// Min is a column's lower bound, if known.
func (s *FileStats) Min(path []string, t *types.Type) (Value, bool) {
	return bound(member(s.min, path), t)
}

// Max is a column's upper bound, if known. Strings may be greater than any that is there, and timestamps are cut to
// milliseconds, for which one millisecond is added here.
func (s *FileStats) Max(path []string, t *types.Type) (Value, bool) {
	v, ok := bound(member(s.max, path), t)
	if n, is := v.(int64); is && (t.Kind == types.KindTimestamp || t.Kind == types.KindTimestampNTZ) {
		v = n + 999
	}
	return v, ok
}

// MaxAsKept is a column's upper bound as the log has it, or nil.
func (s *FileStats) MaxAsKept(path []string, t *types.Type) Value {
	v, _ := bound(member(s.max, path), t)
	return v
}

func member(m map[string]json.RawMessage, path []string) json.RawMessage {
	for i, name := range path {
		raw, ok := m[name]
		if !ok || i == len(path)-1 {
			return raw
		}
		m = nil
		if json.Unmarshal(raw, &m) != nil {
			return nil
		}
	}
	return nil
}

func bound(raw json.RawMessage, t *types.Type) (Value, bool) {
	if len(raw) == 0 || string(raw) == "null" || t == nil {
		return nil, false
	}
	if raw[0] != '"' {
		if t.Kind == types.KindString || t.Kind == types.KindBinary {
			return nil, false
		}
		return parseText(t, string(raw), time.UTC)
	}
	var s string
	if json.Unmarshal(raw, &s) != nil || !utf8.ValidString(s) {
		return nil, false
	}
	v, ok := parseText(t, s, time.UTC)
	if f, is := v.(float64); is && math.IsNaN(f) {
		return nil, false
	}
	return v, ok
}

// RecordsJSON is Delta's form of statistics that know the number of rows alone.
func (s *Stats) RecordsJSON() string { return `{"numRecords":` + itoa(s.NumRecords) + `}` }
