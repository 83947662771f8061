package engine

import (
	"context"
	"strings"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"millrace/delta"
	"millrace/delta/log"
	"millrace/errs"
	"millrace/session"
	"millrace/storage"
	"millrace/table/parquet"
	"millrace/types"
)

// convert is CONVERT TO DELTA: a log is put into a directory of Parquet files.
func (st *statement) convert(name []string, partitions *types.Type, statistics bool) (session.Result, error) {
	t, err := st.target(name)
	switch {
	case err != nil:
		return nil, err
	case t == nil:
		return nil, errs.New("TABLE_OR_VIEW_NOT_FOUND", "relationName", types.QuoteParts(name...))
	case t.provider == "delta":
		return emptyResult(), nil
	case t.provider != "parquet":
		return nil, errs.New("DELTA_CONVERT_NON_PARQUET_TABLE", "sourceName", t.provider, "tableId", t.name())
	}
	l, err := st.e.o.Logs.Table(t.path)
	if err != nil {
		return nil, err
	}
	if s, err := st.newest(l); err != nil {
		return nil, err
	} else if !s.Exists() {
		if err := st.putLog(l, partitions, statistics); err != nil {
			return nil, err
		}
	}
	if t.entry == nil {
		return emptyResult(), nil
	}
	return emptyResult(), st.e.o.Catalog.Alter(st.ctx, *t.entry, func(e *Entry) error {
		e.Provider = "delta"
		return nil
	})
}

func (st *statement) putLog(l *log.Table, partitions *types.Type, statistics bool) error {
	files, err := st.dataFiles(l)
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return errs.New("DELTA_EMPTY_DIRECTORY", "directory", l.URL())
	}
	source, err := st.openFiles("parquet", []string{l.URL()}, map[string]string{"mergeSchema": "true"}, nil)
	if err != nil {
		return err
	}
	if partitions == nil {
		partitions = types.Struct()
	}
	schema := types.Struct()
	for _, f := range source.Schema().Fields {
		if _, i := partitions.Field(f.Name, false); i < 0 {
			schema.Fields = append(schema.Fields, f)
		}
	}
	schema.Fields = append(schema.Fields, partitions.Fields...)
	m, err := delta.Empty(l.URL()).Evolve(schema, delta.WriteOptions{PartitionBy: partitions.Names()})
	if err != nil {
		return err
	}
	now := st.settings.NowMicros / 1000
	m.ID, m.CreatedTime = uuid.NewString(), &now
	if err := st.defaultProperties(m); err != nil {
		return err
	}
	p, err := m.Complete(nil, nil)
	if err != nil {
		return err
	}
	actions := []delta.Action{{Protocol: p}, {Metadata: m}}
	adds, err := st.addsOf(l, files, partitions)
	if err != nil {
		return err
	}
	statistics = statistics && st.s.Conf.Get("spark.databricks.delta.stats.collect") != "false"
	if statistics {
		if err := st.convertedStatistics(l, m, adds); err != nil {
			return err
		}
	}
	for _, a := range adds {
		actions = append(actions, delta.Action{Add: a})
	}
	info := delta.Info("CONVERT", delta.Param{Name: "numFiles", Value: len(adds)}, delta.Param{Name: "partitionedBy", Value: jsonList(partitions.Names())},
		delta.Param{Name: "collectStats", Value: statistics}, delta.Param{Name: "sourceFormat", Value: "parquet"})
	info.OperationMetrics = delta.Metrics("numConvertedFiles", len(adds))
	info.EngineInfo, info.UserMetadata = st.e.o.Version, st.userMetadata(nil)
	r := request(delta.Empty(l.URL()), actions, info)
	r.ReadTable = true
	_, err = st.commit(r)
	return err
}

func (st *statement) dataFiles(l *log.Table) ([]storage.Info, error) {
	var files []storage.Info
	for info, err := range l.Store().List(st.ctx, "", "") {
		if err != nil {
			return nil, err
		}
		if !hidden(info.Name) {
			files = append(files, info)
		}
	}
	return files, nil
}

// addsOf are the actions for files that are there; their rows are counted by their footers.
func (st *statement) addsOf(l *log.Table, files []storage.Info, partitions *types.Type) ([]*delta.Add, error) {
	adds := make([]*delta.Add, len(files))
	g, ctx := errgroup.WithContext(st.ctx)
	g.SetLimit(vacuumDeletes)
	for i, f := range files {
		g.Go(func() (err error) {
			adds[i], err = addOfFile(ctx, l, f, partitions)
			return err
		})
	}
	return adds, g.Wait()
}

func addOfFile(ctx context.Context, l *log.Table, f storage.Info, partitions *types.Type) (*delta.Add, error) {
	a := &delta.Add{Path: delta.EscapePath(f.Name), Size: f.Size, ModificationTime: f.Modified.UnixMilli(), DataChange: true, PartitionValues: delta.PartitionValues{}}
	var found []string
	for part := range strings.SplitSeq(f.Name, "/") {
		column, value, is := strings.Cut(part, "=")
		if !is {
			continue
		}
		column, value = storage.Unescape(column), storage.Unescape(value)
		found = append(found, types.Quote(column))
		if p, i := partitions.Field(column, false); i >= 0 {
			a.PartitionValues[p.Name] = nil
			if value != "__HIVE_DEFAULT_PARTITION__" {
				if _, err := delta.ParsePartition(p.Type, &value, nil); err != nil {
					return nil, err
				}
				a.PartitionValues[p.Name] = &value
			}
		}
	}
	if len(found) != len(partitions.Fields) || len(a.PartitionValues) != len(partitions.Fields) {
		wanted := make([]string, len(partitions.Fields))
		for i, n := range partitions.Names() {
			wanted[i] = types.Quote(n)
		}
		return nil, errs.New("DELTA_UNEXPECTED_NUM_PARTITION_COLUMNS_FROM_FILE_NAME", "expectedColsSize", itoa(int64(len(wanted))), "expectedCols", "["+strings.Join(wanted, ", ")+"]",
			"parsedColsSize", itoa(int64(len(found))), "parsedCols", "["+strings.Join(found, ", ")+"]", "path", l.URL()+"/"+f.Name)
	}
	r, err := l.Store().Open(ctx, f.Name)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	file, err := parquet.Open(r, f.Size, f.Name)
	if err != nil {
		return nil, err
	}
	a.Stats = (&delta.Stats{NumRecords: file.Rows}).RecordsJSON()
	return a, nil
}
