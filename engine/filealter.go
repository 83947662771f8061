package engine

import (
	"slices"
	"strings"

	"millrace/delta"
	"millrace/errs"
	"millrace/plan"
	"millrace/session"
	"millrace/types"
)

// alterFiles is ALTER TABLE of a table of files: what changes is the catalog's record alone.
func (st *statement) alterFiles(seen Entry, actions []plan.AlterAction) (session.Result, error) {
	return emptyResult(), st.e.o.Catalog.Alter(st.ctx, seen, func(e *Entry) error {
		schema, err := e.fileSchema()
		if err != nil {
			return err
		}
		for _, a := range actions {
			switch a.Kind {
			case "set properties", "unset properties":
				err = e.alterProperties(a)
			case "add columns":
				err = st.addFileColumns(e, schema, a)
			case "alter column":
				err = describeFileColumn(e, schema, a)
			case "recover partitions": // the directories are the partitions
				if len(e.PartitionBy) == 0 {
					err = errs.New("NOT_A_PARTITIONED_TABLE", "operation", "ALTER TABLE RECOVER PARTITIONS", "tableIdentWithDB", (target{entry: e}).name())
				}
			case "add key":
			case "default collation":
				e.Collation = a.To
			default:
				err = unsupportedChange(e, strings.ToUpper(a.Kind))
			}
			if err != nil {
				return err
			}
		}
		e.Schema = schema.JSON()
		return nil
	})
}

func unsupportedChange(e *Entry, operation string) error {
	return errs.New("UNSUPPORTED_FEATURE.TABLE_OPERATION", "tableName", (target{entry: e}).name(), "operation", operation)
}

func (e *Entry) alterProperties(a plan.AlterAction) error {
	all := map[string]string{}
	for k, v := range e.Properties {
		all[k] = v
	}
	for k, v := range a.Properties {
		if advice, reserved := reservedProperties[k]; reserved {
			return errs.New("UNSUPPORTED_FEATURE.SET_TABLE_PROPERTY", "property", k, "msg", advice)
		}
		if all[k] = v; k == "comment" {
			e.Comment = v
			delete(all, k)
		}
	}
	for _, k := range a.Keys {
		if delete(all, k); k == "comment" {
			e.Comment = ""
		}
	}
	e.Properties = all
	return nil
}

// addFileColumns puts columns behind those that the files have and before the partition columns. Files that lack them have nulls.
func (st *statement) addFileColumns(e *Entry, schema *types.Type, a plan.AlterAction) error {
	for i, c := range a.Columns {
		switch {
		case i < len(a.Paths) && len(a.Paths[i]) > 1 || a.First || a.After != "":
			return unsupportedChange(e, "ADD COLUMN of a nested column, or at a place")
		case c.Default != "" || c.Generated != "" || c.Identity != nil:
			return errs.Unsupportedf("ADD COLUMNS with DEFAULT to a %s table is not supported yet.", e.Provider)
		}
		if _, at := schema.Field(c.Name, st.settings.CaseSensitive); at >= 0 {
			return errs.New("COLUMN_ALREADY_EXISTS", "columnName", types.Quote(strings.ToLower(c.Name)))
		}
	}
	added, err := columnsOf(a.Columns)
	if err != nil {
		return err
	}
	if e.Collation != "" && e.Collation != "UTF8_BINARY" && holdsString(added) {
		return errs.Unsupportedf("ADD COLUMNS of strings to %s, which has a default collation, is not supported.", (target{entry: e}).name())
	}
	own := len(schema.Fields) - len(e.PartitionBy)
	last := append([]types.Field(nil), schema.Fields[own:]...)
	schema.Fields = append(append(schema.Fields[:own:own], added.AsNullable().Fields...), last...)
	return st.checkFileColumns(e.Provider, schema, e.PartitionBy)
}

// holdsString reports whether a type is, or holds, a string of which no collation is said.
func holdsString(t *types.Type) bool {
	return t != nil && (t.Kind == types.KindString && t.Collation == "" || holdsString(t.Elem) || holdsString(t.Key) ||
		slices.ContainsFunc(t.Fields, func(f types.Field) bool { return holdsString(f.Type) }))
}

// describeFileColumn gives a column another comment; nothing else of it may change, as the files stay as they are.
func describeFileColumn(e *Entry, schema *types.Type, a plan.AlterAction) error {
	if a.First || a.After != "" || a.NotNull != nil || a.Default != nil || a.To != "" || len(a.Column) > 1 {
		return unsupportedChange(e, "ALTER COLUMN")
	}
	f, i := schema.Field(a.Column[0], false)
	if i < 0 {
		return errs.New("UNRESOLVED_COLUMN.WITH_SUGGESTION", "objectName", types.QuoteParts(a.Column...), "proposal", quotedList(schema.Names()))
	}
	if a.Type != nil && !a.Type.SameData(f.Type) {
		return errs.New("NOT_SUPPORTED_CHANGE_COLUMN", "table", (target{entry: e}).name(), "originName", types.Quote(f.Name), "originType", `"`+f.Type.SQL()+`"`,
			"newName", types.Quote(f.Name), "newType", `"`+a.Type.SQL()+`"`)
	}
	if a.Comment != nil {
		schema.Fields[i] = delta.WithFieldMetadata(f, map[string]any{"comment": *a.Comment})
	}
	return nil
}
