package engine

import (
	"strings"

	"millrace/errs"
	"millrace/plan"
	"millrace/session"
	"millrace/sql"
	"millrace/storage"
	"millrace/types"
)

func (st *statement) createNamespace(c *plan.CreateNamespace) (session.Result, error) {
	name := c.Name[len(c.Name)-1]
	created, err := st.e.o.Catalog.CreateNamespace(st.ctx, session.Namespace{Name: strings.ToLower(name), Location: c.Location})
	if err == nil && !created && !c.IfNotExists {
		err = errs.New("SCHEMA_ALREADY_EXISTS", "schemaName", types.Quote(name))
	}
	return emptyResult(), err
}

// createView is CREATE VIEW of a catalogued view: its text is kept and read again when it is used.
func (st *statement) createView(c *plan.CreateView) (session.Result, error) {
	resolved, err := st.analyze(c.Query)
	if err != nil {
		return nil, err
	}
	if n := len(resolved.(plan.Resolved).Output()); len(c.Columns) > 0 && len(c.Columns) != n {
		return nil, errs.Newf(errs.Invalid, "the view %s has %d columns and its query %d", types.QuoteParts(c.Name...), len(c.Columns), n)
	}
	if c.Text == "" {
		return nil, errs.Unsupportedf("A view of the catalog is made of SQL text.")
	}
	parts := c.Name
	var temporary error
	st.temporaries(c.Query, func(kind string, name []string) {
		temporary = errs.New("INVALID_TEMP_OBJ_REFERENCE", "obj", "VIEW", "objName", types.QuoteParts(parts...), "tempObj", kind, "tempObjName", types.QuoteParts(name...))
	})
	if temporary != nil {
		return nil, temporary
	}
	e := Entry{Namespace: st.database(), Name: parts[len(parts)-1], View: c.Text, Within: st.database()}
	if len(parts) > 1 {
		e.Namespace = parts[len(parts)-2]
	}
	for _, column := range c.Columns {
		e.Columns = append(e.Columns, column.Name)
	}
	err = st.e.o.Catalog.Create(st.ctx, e, c.Replace)
	if c.IfNotExists && errs.ConditionOf(err) == "TABLE_OR_VIEW_ALREADY_EXISTS" {
		err = nil
	}
	return emptyResult(), err
}

// query is what a view stands for.
func (e *Entry) query() (plan.Node, error) {
	n, err := sql.ParseStatement(e.View)
	if err != nil || len(e.Columns) == 0 {
		return n, err
	}
	return &plan.SubqueryAlias{Input: n, Name: []string{e.Name}, Columns: e.Columns}, nil
}

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
		return nil, errs.New("SCHEMA_NOT_FOUND", "schemaName", types.QuoteParts("spark_catalog", name))
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
