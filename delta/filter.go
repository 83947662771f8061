package delta

import (
	"slices"
	"strings"
	"time"

	"millrace/types"
)

// Op is a comparison in a filter.
type Op uint8

// The comparisons.
const (
	Eq Op = iota
	Ne
	Lt
	Le
	Gt
	Ge
	In
	IsNull
	IsNotNull
	StartsWith
)

// Filter is a conjunction: a row passes when all its parts are true. An empty filter passes all rows.
type Filter []Condition

// Condition compares a column with literals, or is a disjunction of filters when Any is set.
type Condition struct {
	Column []string // logical names from the table down
	Op     Op
	Value  Value   // in the column's own type; see Value for the forms
	Values []Value // of In
	Any    []Filter
}

// Skipped counts the files that a filter left out.
type Skipped struct {
	Partitions, Statistics int
}

// Files are the live files that may hold rows passing the filter, oldest first. Every file left out holds none.
func (s *Snapshot) Files(f Filter) ([]*Add, Skipped) {
	var skipped Skipped
	out := make([]*Add, 0, s.NumFiles())
	m := s.Matcher(f)
	for a := range s.All() {
		switch m.match(a) {
		case noPartition:
			skipped.Partitions++
		case noStatistics:
			skipped.Statistics++
		default:
			out = append(out, a)
		}
	}
	return out, skipped
}

type verdict uint8

const (
	maybe verdict = iota
	noPartition
	noStatistics
)

// Matcher decides which files a filter can leave out.
type Matcher struct {
	all  []*bound1
	zone *time.Location
}

// bound1 is a condition with its column looked up in a schema.
type bound1 struct {
	Condition
	path      []string // physical
	typ       *types.Type
	partition string // physical name, or empty
	any       []*Matcher
	unknown   bool
}

// Matcher binds a filter to the table's columns. A column that the table lacks decides nothing, and neither do timestamps of partitions
// that name no zone.
func (s *Snapshot) Matcher(f Filter) *Matcher { return s.matcher(f, nil) }

// MatcherIn is Matcher where partition values without a zone are in the session's.
func (s *Snapshot) MatcherIn(f Filter, zone *time.Location) *Matcher { return s.matcher(f, zone) }

func (s *Snapshot) matcher(f Filter, zone *time.Location) *Matcher {
	m := &Matcher{zone: zone}
	for _, c := range f {
		b := &bound1{Condition: c}
		for _, branch := range c.Any {
			b.any = append(b.any, s.matcher(branch, zone))
		}
		if len(c.Any) == 0 {
			s.bind(b)
		}
		m.all = append(m.all, b)
	}
	return m
}

func (s *Snapshot) bind(b *bound1) {
	t := s.Schema()
	for i, name := range b.Column {
		f, at := t.Field(name, false)
		if at < 0 {
			b.unknown = true
			return
		}
		b.path = append(b.path, PhysicalName(f))
		t = f.Type
		if i == 0 && len(b.Column) == 1 && slices.ContainsFunc(s.PartitionColumns(), func(p string) bool { return strings.EqualFold(p, f.Name) }) {
			b.partition = PhysicalName(f)
		}
	}
	b.typ = t
	b.unknown = t.Kind == types.KindString && t.Collation != "" || len(b.path) == 0
}

// Match reports whether the file may hold rows that pass.
func (m *Matcher) Match(a *Add) bool { return m.match(a) == maybe }

func (m *Matcher) match(a *Add) verdict {
	var stats *FileStats
	for _, b := range m.all {
		if b.partition != "" && len(b.any) == 0 && !b.unknown && !b.partitionPasses(a, m.zone) {
			return noPartition
		}
	}
	for _, b := range m.all {
		if b.partition != "" || b.unknown {
			continue
		}
		if len(b.any) > 0 {
			if !slices.ContainsFunc(b.any, func(branch *Matcher) bool { return branch.Match(a) }) {
				return noStatistics
			}
			continue
		}
		if stats == nil {
			stats = ReadStats(a.Stats)
		}
		if stats.known && !b.statsPass(stats) {
			return noStatistics
		}
	}
	return maybe
}

// partitionPasses evaluates the condition on the file's one value.
func (b *bound1) partitionPasses(a *Add, zone *time.Location) bool {
	text, ok := a.PartitionValues[b.partition]
	if !ok && len(a.PartitionValues) > 0 {
		return true
	}
	v, err := ParsePartition(b.typ, text, zone)
	if err != nil || v != nil && zone == nil && b.typ.Kind == types.KindTimestamp && !strings.HasSuffix(*text, "Z") {
		return true
	}
	if v == nil || b.Op == IsNull || b.Op == IsNotNull {
		return (v == nil) == (b.Op == IsNull)
	}
	return b.possible(v, v, true)
}

func (b *bound1) statsPass(s *FileStats) bool {
	n, _ := s.Records()
	nulls, known := s.Nulls(b.path)
	switch {
	case b.typ.Kind == types.KindStruct: // null counts are of the leaves
		return true
	case b.Op == IsNull:
		return !known || nulls > 0
	case known && nulls >= n && n > 0:
		return false // all null: nothing else is true
	case b.Op == IsNotNull:
		return true
	case n == 0:
		return false
	}
	low, lowKnown := s.Min(b.path, b.typ)
	high, highKnown := s.Max(b.path, b.typ)
	if !lowKnown {
		low = nil
	}
	if !highKnown || b.typ.IsFloating() && !lowKnown {
		high = nil
	}
	return b.possible(low, high, false)
}

// possible reports whether a value between low and high (nil: open) can satisfy the comparison; exact says that all
// values are low.
func (b *bound1) possible(low, high Value, exact bool) bool {
	below := func(x, y Value) bool { c, ok := Compare(x, y); return ok && c < 0 } // surely x < y
	atMost := func(x, y Value) bool { c, ok := Compare(x, y); return ok && c <= 0 }
	// A NaN is greater than all numbers and Delta does not count it in the bounds of a file that has numbers too.
	top := high
	if b.typ.IsFloating() && !exact {
		top = nil
	}
	switch b.Op {
	case Eq:
		return !below(high, b.Value) && !below(b.Value, low)
	case Ne:
		c, ok := Compare(low, b.Value)
		d, ok2 := Compare(high, b.Value)
		return !(exact && ok && c == 0) || !ok2 || d != 0
	case Lt:
		return !atMost(b.Value, low)
	case Le:
		return !below(b.Value, low)
	case Gt:
		return !atMost(top, b.Value)
	case Ge:
		return !below(top, b.Value)
	case In:
		return slices.ContainsFunc(b.Values, func(v Value) bool { return !below(high, v) && !below(v, low) })
	case StartsWith:
		prefix, ok := b.Value.(string)
		l, lok := low.(string)
		h, hok := high.(string)
		return !ok || !(hok && h < prefix || lok && l > prefix && !strings.HasPrefix(l, prefix))
	}
	return true
}
