package engine

import (
	"net/url"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"millrace/delta"
	"millrace/delta/log"
	"millrace/errs"
	"millrace/plan"
	"millrace/sql"
	"millrace/storage"
	"millrace/types"
)

// convertedStatistics reads Parquet files that become a table's and notes of each what the log keeps of its columns. It is one aggregation, by file.
func (st *statement) convertedStatistics(l *log.Table, m *delta.Metadata, adds []*delta.Add) error {
	schema, err := delta.ParseSchema(m.SchemaString)
	if err != nil {
		return err
	}
	leaves := (&delta.Snapshot{Metadata: m}).WithSchema(schema).StatsLeaves()
	text := []string{"_metadata.file_path", "count(1)"}
	for _, c := range leaves {
		name := types.QuoteParts(c.Path...)
		if delta.HasBounds(c.Type) {
			text = append(text, "min("+name+")", "max("+name+")")
		}
		text = append(text, "count("+name+")")
	}
	const here = "files to convert"
	q, err := sql.ParseStatement("SELECT " + strings.Join(text, ", ") + " FROM " + types.Quote(here) + " GROUP BY _metadata.file_path")
	if err != nil {
		return err
	}
	if q, err = plan.Transform(q, func(n plan.Node) (plan.Node, error) {
		if r, ok := n.(*plan.UnresolvedRelation); ok && r.Parts[0] == here {
			return &plan.UnresolvedSource{Format: "parquet", Paths: []string{l.URL()}, Options: map[string]string{"mergeSchema": "true"}}, nil
		}
		return n, nil
	}); err != nil {
		return err
	}
	if q, err = st.analyze(q); err != nil {
		return err
	}
	rows, err := st.collect(q, 0)
	if err != nil {
		return err
	}
	byPath := map[string]*delta.Add{}
	for _, a := range adds {
		byPath[plainURL(storage.Join(l.URL(), storage.Unescape(a.Path)))] = a
	}
	for _, row := range rows {
		path, err := url.PathUnescape(row[0].(string))
		if err != nil {
			return errs.Newf(errs.Internal, "a file to convert is called %q: %v", row[0], err)
		}
		if a := byPath[plainURL(path)]; a != nil {
			a.Stats = fileStats(leaves, row[1].(int64), row[2:])
		}
	}
	return nil
}

// plainURL gives the spellings of a local place one form.
func plainURL(path string) string {
	if rest, ok := strings.CutPrefix(path, "file:"); ok {
		return "/" + strings.TrimLeft(rest, "/")
	}
	return path
}

// fileStats is what the log keeps of a file: of each column its least and greatest value, where it has those, and how many values are there.
func fileStats(leaves []delta.Leaf, rows int64, values []any) string {
	s := &delta.Stats{NumRecords: rows}
	for _, l := range leaves {
		c := delta.ColumnStats{Path: l.Physical, Type: l.Type}
		if delta.HasBounds(l.Type) {
			c.Min, c.Max, values = logged(values[0], l.Type), logged(values[1], l.Type), values[2:]
		}
		c.NullCount, values = rows-values[0].(int64), values[1:]
		s.Columns = append(s.Columns, c)
	}
	return s.JSON()
}

// logged is a result's value in the form of the log's statistics.
func logged(v any, t *types.Type) delta.Value {
	if d, ok := v.(decimal128.Num); ok {
		return delta.Decimal{Unscaled: d.BigInt(), Scale: t.Scale}
	}
	return v
}
