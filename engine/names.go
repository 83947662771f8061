package engine

import (
	"strings"

	"millrace/errs"
	"millrace/plan"
	"millrace/session"
	"millrace/storage"
	"millrace/types"
)

// drop forgets a table, with its files when it is managed, a view or a schema.
func (st *statement) drop(c *plan.Drop) (session.Result, error) {
	kind := strings.ToLower(c.Kind)
	if kind == "schema" {
		return st.dropSchema(c)
	}
	t, err := st.target(c.Name)
	if err != nil {
		return nil, err
	}
	switch {
	case t == nil || t.entry == nil:
		if c.IfExists {
			return emptyResult(), nil
		}
		return nil, errs.New("TABLE_OR_VIEW_NOT_FOUND", "relationName", types.QuoteParts(c.Name...))
	case kind == "view" && t.entry.View == "": // DROP TABLE takes views too
		return nil, errs.New("WRONG_COMMAND_FOR_OBJECT_TYPE", "operation", "DROP VIEW", "requiredType", "VIEW or METRIC_VIEW",
			"objectName", t.plainName(), "foundType", t.entry.info().Kind, "alternative", "DROP TABLE")
	}
	st.e.frames.gone(t.path)
	if err := st.forgetStatistics(t.entry); err != nil {
		return nil, err
	}
	if err := st.e.o.Catalog.Drop(st.ctx, t.entry.Namespace, t.entry.Name); err != nil || !t.entry.Managed {
		return emptyResult(), err
	}
	store, err := storage.Open(t.path)
	if err != nil {
		return nil, err
	}
	files, err := st.filesIn(store)
	if err != nil {
		return nil, err
	}
	for _, name := range files {
		if err := store.Delete(st.ctx, name); err != nil {
			return nil, err
		}
	}
	return emptyResult(), st.e.o.Committer.Forget(st.ctx, t.path)
}

func (st *statement) dropSchema(c *plan.Drop) (session.Result, error) {
	name := c.Name[len(c.Name)-1]
	if strings.EqualFold(name, defaultNamespace) {
		return nil, errs.New("UNSUPPORTED_FEATURE.DROP_DATABASE", "database", types.QuoteParts("spark_catalog", defaultNamespace))
	}
	ok, err := st.e.o.Catalog.HasNamespace(st.ctx, name)
	if err != nil {
		return nil, err
	}
	if !ok {
		if c.IfExists {
			return emptyResult(), nil
		}
		return nil, schemaNotFound(name)
	}
	tables, err := st.e.o.Catalog.Tables(st.ctx, name)
	if err != nil {
		return nil, err
	}
	if len(tables) > 0 && !c.Cascade {
		return nil, errs.New("SCHEMA_NOT_EMPTY", "schemaName", types.Quote(name))
	}
	for _, t := range tables {
		kind := "table"
		if t.Kind == "VIEW" {
			kind = "view"
		}
		if _, err := st.drop(&plan.Drop{Kind: kind, Name: []string{name, t.Name}}); err != nil {
			return nil, err
		}
	}
	return emptyResult(), st.e.o.Catalog.DropNamespace(st.ctx, name)
}
