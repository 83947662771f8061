package checkpoint

import (
	"math"
	"math/big"
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go"

	"millrace/delta"
	"millrace/types"
)

// Parsed columns repeat what add actions keep as texts, statistics and partition values, in the columns' own types, so that readers can leave files out
// without parsing JSON.

// parsedColumn is a leaf of add.stats_parsed or add.partitionValues_parsed.
type parsedColumn struct {
	path []string // below the section
	typ  *types.Type
	of   parsedSection
}

type parsedSection uint8

const (
	recordsSection parsedSection = iota
	minSection
	maxSection
	nullSection
	tightSection
	partitionSection
)

// parsedColumns are the leaves that the files of a snapshot have, by their paths below the action.
func parsedColumns(s *delta.Snapshot) map[string]parsedColumn {
	all := map[string]parsedColumn{}
	put := func(c parsedColumn, above ...string) {
		all[strings.Join(append(above, c.path...), "\x00")] = c
	}
	put(parsedColumn{typ: types.Long, of: recordsSection}, "stats_parsed", "numRecords")
	if s.Protocol.Supports("deletionVectors") {
		put(parsedColumn{typ: types.Boolean, of: tightSection}, "stats_parsed", "tightBounds")
	}
	for _, l := range s.StatsLeaves() {
		put(parsedColumn{l.Physical, types.Long, nullSection}, "stats_parsed", "nullCount")
		if delta.HasBounds(l.Type) {
			put(parsedColumn{l.Physical, l.Type, minSection}, "stats_parsed", "minValues")
			put(parsedColumn{l.Physical, l.Type, maxSection}, "stats_parsed", "maxValues")
		}
	}
	for _, name := range s.PartitionColumns() {
		f, i := s.Schema().Field(name, false)
		if i >= 0 && leafNode(f.Type) != nil && f.Type.Kind != types.KindTimestamp { // the text of a timestamp need not name its zone
			put(parsedColumn{[]string{delta.PhysicalName(f)}, f.Type, partitionSection}, "partitionValues_parsed")
		}
	}
	return all
}

// leafNode is the column of a type as Spark writes it; nil for types that have no values in statistics or partitions.
func leafNode(t *types.Type) parquet.Node {
	switch t.Kind {
	case types.KindBoolean:
		return parquet.Leaf(parquet.BooleanType)
	case types.KindByte:
		return parquet.Int(8)
	case types.KindShort:
		return parquet.Int(16)
	case types.KindInteger:
		return parquet.Int(32)
	case types.KindLong:
		return parquet.Int(64)
	case types.KindFloat:
		return parquet.Leaf(parquet.FloatType)
	case types.KindDouble:
		return parquet.Leaf(parquet.DoubleType)
	case types.KindString:
		return parquet.String()
	case types.KindDate:
		return parquet.Date()
	case types.KindTimestamp:
		return parquet.TimestampAdjusted(parquet.Microsecond, true)
	case types.KindTimestampNTZ:
		return parquet.TimestampAdjusted(parquet.Microsecond, false)
	case types.KindDecimal:
		switch {
		case t.Precision <= 9:
			return parquet.Decimal(t.Scale, t.Precision, parquet.Int32Type)
		case t.Precision <= 18:
			return parquet.Decimal(t.Scale, t.Precision, parquet.Int64Type)
		}
		return parquet.Decimal(t.Scale, t.Precision, parquet.FixedLenByteArrayType(decimalBytes(t.Precision)))
	}
	return nil
}

// decimalBytes is how many bytes hold all decimals of a precision.
func decimalBytes(precision int) int {
	return int(math.Ceil((float64(precision)*math.Log2(10) + 1) / 8))
}

// withParsed adds the parsed columns to an add action's group.
func withParsed(add parquet.Group, columns map[string]parsedColumn) parquet.Node {
	tree := parquet.Group{}
	for path, c := range columns {
		insert(tree, strings.Split(path, "\x00"), parquet.Optional(leafNode(c.typ)))
	}
	out := parquet.Group{}
	for name, n := range add {
		out[name] = n
	}
	for name, n := range tree {
		out[name] = optional1(n)
	}
	return group(out)
}

func insert(g parquet.Group, path []string, leaf parquet.Node) {
	if len(path) == 1 {
		g[path[0]] = leaf
		return
	}
	below, ok := g[path[0]].(parquet.Group)
	if !ok {
		below = parquet.Group{}
		g[path[0]] = below
	}
	insert(below, path[1:], leaf)
}

// optional1 makes groups at any depth optional; leaves are.
func optional1(n parquet.Node) parquet.Node {
	g, ok := n.(parquet.Group)
	if !ok {
		return n
	}
	out := parquet.Group{}
	for name, below := range g {
		out[name] = optional1(below)
	}
	return parquet.Optional(out)
}

// parsedLevel appends a parsed column of a file. The groups above a missing value are there where the file has statistics at all.
func (t *target) parsedLevel(row parquet.Row, a *delta.Add, stats *delta.FileStats) parquet.Row {
	c := t.parsed
	if c.of != partitionSection && a.Stats == "" {
		return append(row, parquet.NullValue().Level(0, 1, t.index))
	}
	var v delta.Value
	switch c.of {
	case recordsSection:
		if n, ok := stats.Records(); ok {
			v = n
		}
	case tightSection:
		v = stats.TightBounds
	case nullSection:
		if n, ok := stats.Nulls(c.path); ok {
			v = n
		}
	case minSection:
		v, _ = stats.Min(c.path, c.typ)
	case maxSection:
		v = stats.MaxAsKept(c.path, c.typ)
	case partitionSection:
		v, _ = delta.ParsePartition(c.typ, a.PartitionValues[c.path[0]], nil)
	}
	if p, ok := leafValue(c.typ, v); ok {
		return append(row, p.Level(0, t.depth, t.index))
	}
	return append(row, parquet.NullValue().Level(0, t.depth-1, t.index))
}

// leafValue is a value in the column of its type; false for null and for what the column cannot hold.
func leafValue(t *types.Type, v delta.Value) (parquet.Value, bool) {
	switch x := v.(type) {
	case bool:
		return parquet.BooleanValue(x), t.Kind == types.KindBoolean
	case string:
		return parquet.ByteArrayValue([]byte(x)), t.Kind == types.KindString
	case int64:
		switch t.Kind {
		case types.KindLong, types.KindTimestamp, types.KindTimestampNTZ:
			return parquet.Int64Value(x), true
		case types.KindByte, types.KindShort, types.KindInteger, types.KindDate:
			return parquet.Int32Value(int32(x)), int64(int32(x)) == x
		}
	case float64:
		switch t.Kind {
		case types.KindFloat:
			return parquet.FloatValue(float32(x)), true
		case types.KindDouble:
			return parquet.DoubleValue(x), true
		}
	case delta.Decimal:
		return decimalValue(t, x)
	}
	return parquet.NullValue(), false
}

func decimalValue(t *types.Type, d delta.Decimal) (parquet.Value, bool) {
	limit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(t.Precision)), nil)
	if t.Kind != types.KindDecimal || d.Scale != t.Scale || d.Unscaled.CmpAbs(limit) >= 0 {
		return parquet.NullValue(), false
	}
	switch {
	case t.Precision <= 9:
		return parquet.Int32Value(int32(d.Unscaled.Int64())), true
	case t.Precision <= 18:
		return parquet.Int64Value(d.Unscaled.Int64()), true
	}
	b := make([]byte, decimalBytes(t.Precision))
	n := d.Unscaled
	if n.Sign() < 0 { // two's complement
		n = new(big.Int).Add(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return parquet.FixedLenByteArrayValue(n.FillBytes(b)), true
}

// form says how the files of a checkpoint keep their statistics.
type statsForm struct{ json, parsed bool }

// formOf follows the table's properties. Columns of their own are written where the table asks for them, and where statistics would otherwise be lost.
func formOf(s *delta.Snapshot) statsForm {
	f := statsForm{json: !strings.EqualFold(s.Property("delta.checkpoint.writeStatsAsJson", "true"), "false")}
	f.parsed = strings.EqualFold(s.Property("delta.checkpoint.writeStatsAsStruct", boolText(!f.json)), "true")
	return f
}

func boolText(b bool) string {
	if b {
		return "true"
	}
	return "false"
}

// layoutOf is the schema of a checkpoint's file: the given actions, with the columns of the form.
func layoutOf(s *delta.Snapshot, f statsForm, names ...string) *layout {
	g := parquet.Group{}
	for _, n := range names {
		g[n] = nodes[n]
	}
	columns := map[string]parsedColumn{}
	if f.parsed {
		columns = parsedColumns(s)
	}
	add := parquet.Group{}
	for name, n := range addColumns {
		if name != "stats" || f.json {
			add[name] = n
		}
	}
	g["add"] = withParsed(add, columns)
	l := newLayout(g)
	for i := range l.targets {
		t := &l.targets[i]
		if t.path[0] == "add" && slices.Contains([]string{"stats_parsed", "partitionValues_parsed"}, t.path[1]) {
			c := columns[strings.Join(t.path[1:], "\x00")]
			t.parsed = &c
		}
	}
	return l
}
