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
	if !t.entry.Managed {
		return emptyResult(), st.e.o.Catalog.Drop(st.ctx, *t.entry)
	}
	return emptyResult(), st.e.o.Committer.Drop(st.ctx, t.path, func() error { return st.dropManaged(t.entry) })
}

// dropManaged deletes a table's files and then its name, so that a table that takes the name, and the place with it, comes after the last file.
func (st *statement) dropManaged(e *Entry) error {
	now, err := st.e.o.Catalog.Lookup(st.ctx, e.Namespace, e.Name)
	if err != nil || now == nil || !now.same(e) {
		return err // somebody else has dropped it
	}
	store, err := storage.Open(e.Location)
	if err != nil {
		return err
	}
	files, err := st.filesIn(store)
	if err != nil {
		return err
	}
	for _, name := range files {
		if err := store.Delete(st.ctx, name); err != nil {
			return err
		}
	}
	return st.e.o.Catalog.Drop(st.ctx, *e)
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
