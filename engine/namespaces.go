package engine

import (
	"maps"
	"slices"
	"strings"

	"millrace/errs"
	"millrace/plan"
	"millrace/session"
	"millrace/types"
)

func (st *statement) createNamespace(c *plan.CreateNamespace) (session.Result, error) {
	name := c.Name[len(c.Name)-1]
	if err := st.schemaCollation(c.Collation); err != nil {
		return nil, err
	}
	created, err := st.e.o.Catalog.CreateNamespace(st.ctx, session.Namespace{Name: strings.ToLower(name), Location: c.Location, Description: c.Comment,
		Properties: c.Properties, Collation: c.Collation})
	if err == nil && !created && !c.IfNotExists {
		err = errs.New("SCHEMA_ALREADY_EXISTS", "schemaName", types.Quote(name))
	}
	return emptyResult(), err
}

// schemaCollation refuses default collations of schemas as long as a setting does not allow them.
func (st *statement) schemaCollation(name string) error {
	if name != "" && !st.s.Conf.Bool("spark.sql.collation.schemaLevel.enabled") {
		return errs.New("UNSUPPORTED_FEATURE.SCHEMA_LEVEL_COLLATIONS")
	}
	return nil
}

// inheritsCollation refuses what takes its strings' collation from its schema; views do.
func (st *statement) inheritsCollation(name []string) error {
	schema := st.database()
	if len(name) > 1 {
		schema = name[len(name)-2]
	}
	collation, err := st.e.o.Catalog.collationOf(st.ctx, schema)
	if err == nil && collation != "" && collation != "UTF8_BINARY" {
		err = errs.Unsupportedf("%s in a schema with a default collation is not supported, unless it says its own.", types.QuoteParts(name...))
	}
	return err
}

// schemaNamed is the schema that a statement names, or the session's.
func (st *statement) schemaNamed(parts []string) string {
	if len(parts) == 0 {
		return st.database()
	}
	return strings.ToLower(parts[len(parts)-1])
}

// hasSchema is an error where there is no schema of that name.
func (st *statement) hasSchema(name string) error {
	ok, err := st.e.o.Catalog.HasNamespace(st.ctx, name)
	if err == nil && !ok {
		err = schemaNotFound(name)
	}
	return err
}

func schemaNotFound(name string) error {
	return errs.New("SCHEMA_NOT_FOUND", "schemaName", types.QuoteParts("spark_catalog", name))
}

// entriesOf are the tables and views of a schema, which has to exist.
func (st *statement) entriesOf(schema string) ([]Entry, error) {
	if err := st.hasSchema(schema); err != nil {
		return nil, err
	}
	return st.e.o.Catalog.entries(st.ctx, schema)
}

// namespace finds the schema that a statement names.
func (st *statement) namespace(parts []string) (*session.Namespace, error) {
	name := parts[len(parts)-1]
	if strings.EqualFold(name, defaultNamespace) {
		all, err := st.e.o.Catalog.Namespaces(st.ctx)
		if err != nil {
			return nil, err
		}
		for _, n := range all {
			if n.Name == defaultNamespace {
				return &n, nil
			}
		}
	}
	n, err := st.e.o.Catalog.namespace(st.ctx, name)
	if err == nil && n == nil {
		err = schemaNotFound(name)
	}
	return n, err
}

// alterNamespace is ALTER SCHEMA and COMMENT ON SCHEMA.
func (st *statement) alterNamespace(c *plan.AlterNamespace) (session.Result, error) {
	if err := st.schemaCollation(c.Collation); err != nil {
		return nil, err
	}
	n, err := st.namespace(c.Name)
	if err != nil {
		return nil, err
	}
	if n.Name == defaultNamespace {
		return nil, errs.Unsupportedf("ALTER SCHEMA of the schema %s is not supported.", types.Quote(n.Name))
	}
	return emptyResult(), st.e.o.Catalog.alterNamespace(st.ctx, n.Name, func(n *session.Namespace) {
		if n.Properties == nil {
			n.Properties = map[string]string{}
		}
		maps.Copy(n.Properties, c.Properties)
		for _, k := range c.Unset {
			delete(n.Properties, k)
		}
		if c.Location != "" {
			n.Location = c.Location
		}
		if c.Collation != "" {
			n.Collation = c.Collation
		}
		if c.Comment != nil {
			n.Description = *c.Comment
		}
	})
}

var namespaceSchema = mustSchema("info_name STRING NOT NULL COMMENT 'name of the namespace info', info_value STRING NOT NULL COMMENT 'value of the namespace info'")

// describeNamespace is DESCRIBE SCHEMA.
func (st *statement) describeNamespace(c *plan.Describe) (session.Result, error) {
	n, err := st.namespace(c.Name)
	if err != nil {
		return nil, err
	}
	location := n.Location
	if location == "" {
		location = st.e.o.Catalog.schemaRoot(n.Name)
	}
	rows := [][]any{{"Catalog Name", "spark_catalog"}, {"Namespace Name", n.Name}, {"Comment", n.Description}}
	if n.Collation != "" {
		rows = append(rows, []any{"Collation", n.Collation})
	}
	rows = append(rows, []any{"Location", urlOf(location)}, []any{"Owner", st.s.User})
	if c.Extended {
		text := ""
		for i, k := range slices.Sorted(maps.Keys(n.Properties)) {
			if i > 0 {
				text += ", "
			}
			text += "(" + k + "," + redacted(k, n.Properties[k]) + ")"
		}
		if text != "" {
			text = "(" + text + ")"
		}
		rows = append(rows, []any{"Properties", text})
	}
	return st.rowsResult(namespaceSchema, rows)
}
