package table

import (
	"bufio"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"millrace/delta"
	"millrace/errs"
	"millrace/storage"
	"millrace/table/parquet"
	"millrace/types"
)

// openFile is a file being written.
type openFile struct {
	path      string
	partition string
	out       storage.Writer
	counted   *countingWriter
	writer    fileWriter
	used      int64
}

// countingWriter gathers small writes and counts bytes.
type countingWriter struct {
	*bufio.Writer
	n int64
}

func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.Writer.Write(p)
	c.n += int64(n)
	return n, err
}

// file is the open file of a partition's directory.
func (s *sink) file(place, partition string) (*openFile, error) {
	if f := s.open[place]; f != nil {
		return f, nil
	}
	if len(s.open) >= maxOpenFiles {
		if err := s.closeOldest(); err != nil {
			return nil, err
		}
	}
	dir, bucket, _ := strings.Cut(place, "\x00")
	separator := "-"
	if dir != "" || bucket != "" {
		separator = "."
	}
	prefix := s.plan.Prefix
	if prefix == "" {
		prefix = "part-"
	}
	name := fmt.Sprintf("%s%05d-%s%sc%03d%s", prefix, s.ctx.Partition, s.id+bucket, separator, s.counts[place], s.format.extension(s.plan.Options))
	s.counts[place]++
	if dir != "" {
		name = dir + "/" + name
	}
	if s.plan.Directory != "" {
		name = s.plan.Directory + "/" + name
	}
	ctx := s.ctx.Context
	if ctx == nil {
		ctx = context.Background()
	}
	out, err := s.store.Create(ctx, name)
	if err != nil {
		return nil, errs.Wrap(err, "create %s", name)
	}
	f := &openFile{path: name, partition: partition, out: out, counted: &countingWriter{Writer: bufio.NewWriterSize(out, 1<<20)}}
	if f.writer, err = s.format.create(f.counted, s.schema, s.plan, s.env.Settings); err != nil {
		_ = out.Abort() // the first error tells more
		return nil, err
	}
	s.open[place] = f
	return f, nil
}

func (s *sink) closeOldest() error {
	oldest := ""
	for key, f := range s.open {
		if o := s.open[oldest]; o == nil || f.used < o.used {
			oldest = key
		}
	}
	return s.closeFile(oldest, s.open[oldest])
}

// closeFile makes a file visible and notes it for the report.
func (s *sink) closeFile(key string, f *openFile) error {
	rows := f.writer.Rows()
	if err := f.writer.Close(); err != nil {
		return err
	}
	if err := f.counted.Flush(); err != nil {
		return err
	}
	if err := f.out.Close(); err != nil {
		return errs.Wrap(err, "write %s", f.path)
	}
	delete(s.open, key)
	s.files = append(s.files, written{path: f.path, bytes: f.counted.n, modifiedMs: time.Now().UnixMilli(), partition: f.partition,
		stats: s.stats(f.writer, rows), rows: rows})
	return nil
}

// stats are a Parquet file's statistics as the Delta log keeps them.
func (s *sink) stats(w fileWriter, rows int64) string {
	p, ok := w.(*parquet.Writer)
	if !ok || s.plan.StatsColumns == 0 && len(s.plan.StatsPaths) == 0 && s.plan.Options["delta"] != "true" {
		return ""
	}
	st := delta.Stats{NumRecords: rows}
	if s.plan.TightBounds {
		yes := true
		st.TightBounds = &yes
	}
	leaves := p.Statistics()
	last := len(leaves) - int(s.plan.RowColumns)
	if s.plan.PartitionsInFiles {
		last -= len(s.plan.PartitionColumns)
	}
	for i, l := range leaves {
		if !s.hasStats(i, l.Path) || i >= last {
			continue
		}
		c := delta.ColumnStats{Path: l.Path, Type: l.Type, NullCount: l.Nulls}
		if delta.HasBounds(l.Type) {
			c.Min, c.Max = deltaValue(l.Min, l.Type), deltaValue(l.Max, l.Type)
		}
		st.Columns = append(st.Columns, c)
	}
	return st.JSON()
}

// hasStats reports whether the log keeps statistics of the file's column number i.
func (s *sink) hasStats(i int, path []string) bool {
	if len(s.plan.StatsPaths) == 0 {
		return s.plan.StatsColumns < 0 || i < int(s.plan.StatsColumns)
	}
	name := strings.Join(path, ".")
	return slices.ContainsFunc(s.plan.StatsPaths, func(p string) bool {
		return p == name || strings.HasPrefix(name, p+".")
	})
}

func deltaValue(v any, t *types.Type) delta.Value {
	if d, ok := v.(decimal128.Num); ok {
		return delta.Decimal{Unscaled: d.BigInt(), Scale: t.Scale}
	}
	return v
}
