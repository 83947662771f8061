package engine

import (
	"strings"

	"millrace/delta"
	"millrace/errs"
	"millrace/types"
)

// renameTable is RENAME TO: the catalog's record moves, and with a managed table's default location nothing else.
func (st *statement) renameTable(name, to []string) error {
	t, err := st.target(name)
	if err != nil {
		return err
	}
	if t == nil || t.entry == nil {
		return errs.New("TABLE_OR_VIEW_NOT_FOUND", "relationName", types.QuoteParts(name...))
	}
	parts := to
	if len(parts) == 3 {
		parts = parts[1:]
	}
	if len(parts) == 2 && !strings.EqualFold(parts[0], t.entry.Namespace) {
		return errs.New("_LEGACY_ERROR_TEMP_1073", "db", t.entry.Namespace, "newDb", parts[0])
	}
	return st.e.o.Catalog.Rename(st.ctx, t.entry.Namespace, t.entry.Name, parts[len(parts)-1])
}

// setLocation is SET LOCATION: another Delta table takes the name, if it has the same columns.
func (st *statement) setLocation(name []string, location string) error {
	l, t, err := st.deltaTarget("ALTER TABLE", name, "")
	if err != nil {
		return err
	}
	if t.entry == nil {
		return errs.New("DELTA_CANNOT_SET_LOCATION_ON_PATH_IDENTIFIER")
	}
	now, err := l.Snapshot(st.ctx)
	if err != nil {
		return err
	}
	other, err := st.e.o.Logs.Table(location)
	if err != nil {
		return err
	}
	there, err := other.Snapshot(st.ctx)
	if errs.Is(err, errs.NotFound) {
		return errs.New("DELTA_NOT_A_DELTA_TABLE", "tableName", types.Quote(location))
	}
	if err != nil {
		return err
	}
	bypass := st.s.Conf.Bool("spark.databricks.delta.alterLocation.bypassSchemaCheck")
	if !bypass && !now.Schema().AsNullable().SameData(there.Schema().AsNullable()) {
		return errs.New("DELTA_SET_LOCATION_SCHEMA_MISMATCH", "original", delta.TreeString(now.Schema()), "destination", delta.TreeString(there.Schema()))
	}
	return st.e.o.Catalog.Alter(st.ctx, *t.entry, func(e *Entry) error {
		e.Location, e.Managed = location, false
		return nil
	})
}
