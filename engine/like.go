package engine

import (
	"strings"

	"github.com/google/uuid"

	"millrace/delta"
	"millrace/delta/log"
	"millrace/errs"
	"millrace/plan"
	"millrace/session"
	"millrace/storage"
	"millrace/types"
)

var cloneSchema = mustSchema("source_table_size BIGINT, source_num_of_files BIGINT, num_removed_files BIGINT, num_copied_files BIGINT, removed_files_size BIGINT, copied_files_size BIGINT")

// createLike is CREATE TABLE … LIKE and CREATE TABLE … CLONE.
func (st *statement) createLike(n newTable, c *plan.CreateTable, replace bool) (session.Result, error) {
	if c.Clone != "" {
		return st.clone(n, c, replace)
	}
	source, err := st.target(c.Like)
	if err != nil {
		return nil, err
	}
	if source == nil {
		return nil, errs.New("TABLE_OR_VIEW_NOT_FOUND", "relationName", types.QuoteParts(c.Like...))
	}
	if source.provider != "delta" {
		resolved, err := st.analyze(&plan.UnresolvedRelation{Parts: c.Like})
		if err != nil {
			return nil, err
		}
		return st.createEmpty(n, plan.Schema(resolved), replace)
	}
	tab, err := st.delta(source.path, nil, source.name())
	if err != nil {
		return nil, err
	}
	if n.format == "" {
		n.format = "delta"
	}
	n.partitionBy = tab.Snapshot.PartitionColumns()
	properties := map[string]string{}
	for k, v := range tab.Snapshot.Metadata.Configuration {
		if k != "delta.columnMapping.maxColumnId" && !strings.HasPrefix(k, "delta.rowTracking.") && !strings.HasPrefix(k, "delta.inCommitTimestampEnablement") {
			properties[k] = v
		}
	}
	for k, v := range n.properties {
		properties[k] = v
	}
	n.properties = properties
	if n.comment == "" {
		n.comment = tab.Snapshot.Metadata.Description
	}
	return st.createEmpty(n, delta.WithoutMapping(tab.Snapshot.Schema()), replace)
}

// clone is SHALLOW CLONE: a new table whose files are those of another.
func (st *statement) clone(n newTable, c *plan.CreateTable, replace bool) (session.Result, error) {
	if c.Clone != "shallow" {
		return nil, errs.Unsupportedf("DEEP CLONE is not supported; use SHALLOW CLONE or CREATE TABLE … AS SELECT.")
	}
	source, t, err := st.deltaTarget("CLONE", c.Like, "")
	if err != nil {
		return nil, err
	}
	old, err := st.snapshot(source, c.LikeTravel)
	if err != nil {
		return nil, err
	}
	n.format = "delta"
	e, err := st.entry(n)
	if err != nil {
		return nil, err
	}
	l, err := st.e.o.Logs.Table(e.Location)
	if err != nil {
		return nil, err
	}
	before, err := st.newest(l)
	if err != nil {
		return nil, err
	}
	if before.Exists() && !replace {
		return nil, errs.New("DELTA_PATH_EXISTS", "path", l.URL())
	}
	copied, err := st.cloned(l, source, before, old, n)
	if err != nil {
		return nil, err
	}
	info := delta.Info("CLONE", delta.Param{Name: "source", Value: t.plainName()}, delta.Param{Name: "sourceVersion", Value: old.Version},
		delta.Param{Name: "isShallow", Value: true})
	files, bytes := int64(old.NumFiles()), old.SizeInBytes()
	removed, removedBytes := int64(before.NumFiles()), before.SizeInBytes()
	info.OperationMetrics = delta.Metrics("sourceTableSize", bytes, "sourceNumOfFiles", files, "numRemovedFiles", removed, "numCopiedFiles", int64(0),
		"removedFilesSize", removedBytes, "copiedFilesSize", int64(0))
	info.EngineInfo, info.UserMetadata = st.e.o.Version, st.userMetadata(nil)
	r := request(before, copied, info)
	r.ReadTable = before.Exists()
	if _, err := st.commit(r); err != nil {
		return nil, err
	}
	if err := st.name(n, e, replace); err != nil {
		return nil, err
	}
	return st.rowsResult(cloneSchema, [][]any{{bytes, files, removed, int64(0), removedBytes, int64(0)}})
}

// cloned are the actions that make a table of another's files.
func (st *statement) cloned(l, source *log.Table, before, old *delta.Snapshot, n newTable) ([]delta.Action, error) {
	m := old.Metadata.Clone()
	now := st.settings.NowMicros / 1000
	m.ID, m.CreatedTime = uuid.NewString(), &now
	if before.Exists() {
		m.ID = before.Metadata.ID
	}
	for k, v := range n.properties {
		m.Configuration[k] = v
	}
	p := old.Protocol.Merge(before.Protocol)
	actions := []delta.Action{{Protocol: p}, {Metadata: m}}
	for _, d := range old.Domains() {
		actions = append(actions, delta.Action{Domain: d})
	}
	for a := range before.All() {
		actions = append(actions, delta.Action{Remove: a.Remove(now, true)})
	}
	for a := range old.All() {
		there := *a
		there.DataChange = true
		there.Path = delta.EscapePath(storage.Join(source.URL(), storage.Unescape(a.Path)))
		var err error
		if there.DeletionVector, err = absoluteVector(source.URL(), a.DeletionVector); err != nil {
			return nil, err
		}
		actions = append(actions, delta.Action{Add: &there})
	}
	return actions, nil
}

// absoluteVector names a deletion vector from anywhere.
func absoluteVector(table string, d *delta.DeletionVector) (*delta.DeletionVector, error) {
	if d == nil || d.StorageType != "u" {
		return d, nil
	}
	path, err := d.Path()
	if err != nil {
		return nil, err
	}
	c := *d
	c.StorageType, c.PathOrInlineDV = "p", delta.EscapePath(storage.Join(table, path))
	return &c, nil
}
