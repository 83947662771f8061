package engine

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"millrace/delta"
	"millrace/errs"
	"millrace/plan"
	"millrace/plan/fn"
	"millrace/sql"
	"millrace/types"
)

func jsonList(list []string) string {
	if list == nil {
		list = []string{}
	}
	text, _ := json.Marshal(list) // strings always can be
	return string(text)
}

// shownColumn is a column as the history shows it: nested types by their kind alone.
type shownColumn struct {
	Name     string          `json:"name"`
	Type     string          `json:"type"`
	Nullable bool            `json:"nullable"`
	Metadata json.RawMessage `json:"metadata"`
}

func shown(f types.Field, path []string) shownColumn {
	name := strings.Trim(f.Type.JSON(), `"`)
	switch f.Type.Kind {
	case types.KindStruct:
		name = "struct"
	case types.KindArray:
		name = "array"
	case types.KindMap:
		name = "map"
	}
	metadata := json.RawMessage(delta.UserField(f).Metadata)
	if len(metadata) == 0 {
		metadata = json.RawMessage("{}")
	}
	return shownColumn{strings.Join(path, "."), name, f.Nullable, metadata}
}

func jsonValue(v any) string {
	text, _ := json.Marshal(v) // of strings and booleans
	return string(text)
}

func (a *alteration) addColumns(actions []plan.AlterAction) error {
	type entry struct {
		Column   shownColumn `json:"column"`
		Position string      `json:"position,omitempty"`
	}
	var list []entry
	for _, c := range actions {
		schema, err := columnsOf(c.Columns)
		if err != nil {
			return err
		}
		f := schema.Fields[0]
		if !f.Nullable {
			return errs.New("DELTA_OPERATION_NOT_ALLOWED", "operation", "NOT NULL in ALTER TABLE ADD COLUMNS")
		}
		if d := c.Columns[0]; d.Generated != "" || d.Identity != nil {
			return errs.Unsupportedf("A column that is added cannot be generated (column %s).", f.Name)
		}
		if c.Columns[0].Default != "" {
			return errs.New("WRONG_COLUMN_DEFAULTS_FOR_DELTA_ALTER_TABLE_ADD_COLUMN_NOT_SUPPORTED")
		}
		path := c.Paths[0]
		if n := len(path); n > 1 {
			_, spelled, err := a.find(path[:n-1])
			if err != nil {
				return err
			}
			path = append(slices.Clone(spelled), path[n-1])
		}
		at := delta.Place{First: c.First, After: c.After}
		if a.schema, err = delta.AddColumn(a.schema, path, f, at); err != nil {
			return err
		}
		list = append(list, entry{shown(f, path), at.String()})
	}
	if err := a.checkSchema(); err != nil {
		return err
	}
	a.info = delta.Info("ADD COLUMNS", delta.Param{Name: "columns", Value: jsonValue(list)})
	return nil
}

// checkSchema refuses names and types that the table cannot have.
func (a *alteration) checkSchema() error {
	if err := delta.CheckDuplicates(a.schema); err != nil {
		return err
	}
	if err := delta.CheckColumnNames(a.schema, a.before.MappingMode()); err != nil {
		return err
	}
	if err := delta.CheckTypes(a.schema); err != nil {
		return err
	}
	return a.before.CheckAutomaticFeatures(a.m, a.schema)
}

const mappingHint = "\nPlease enable Column Mapping on your Delta table with mapping mode 'name'.\nYou can use one of the following commands.\n\n" +
	"ALTER TABLE table_name SET TBLPROPERTIES ('delta.columnMapping.mode' = 'name')\n\n" +
	"Note, if your table is not on the required protocol version it will be upgraded.\nColumn mapping requires at least protocol (2, 5)\n"

func (a *alteration) dropColumns(c plan.AlterAction) error {
	var dropped []string
	for _, path := range c.Paths {
		_, spelled, err := a.find(path)
		if err != nil {
			if c.IfExists {
				continue
			}
			return err
		}
		if a.before.MappingMode() == "none" {
			return errs.New("DELTA_UNSUPPORTED_DROP_COLUMN", "advice", mappingHint)
		}
		name := strings.Join(spelled, ".")
		for _, p := range a.m.PartitionColumns {
			if strings.EqualFold(p, name) {
				return errs.New("DELTA_UNSUPPORTED_DROP_PARTITION_COLUMN", "columnList", name)
			}
		}
		if slices.Contains(a.before.ClusteringColumns(), name) {
			return errs.New("DELTA_UNSUPPORTED_DROP_CLUSTERING_COLUMN", "columnList", name)
		}
		if err := a.checkUse(spelled); err != nil {
			return err
		}
		if a.schema, err = delta.DropColumn(a.schema, spelled); err != nil {
			return err
		}
		dropped = append(dropped, name)
	}
	if len(dropped) > 0 {
		a.info = delta.Info("DROP COLUMNS", delta.Param{Name: "columns", Value: jsonList(dropped)})
	}
	return nil
}

func (a *alteration) renameColumn(c plan.AlterAction) error {
	_, spelled, err := a.find(c.Column)
	if err != nil {
		return err
	}
	if a.before.MappingMode() == "none" {
		return errs.New("DELTA_UNSUPPORTED_RENAME_COLUMN", "hint", mappingHint)
	}
	if err := a.checkUse(spelled); err != nil {
		return err
	}
	if a.schema, err = delta.RenameColumn(a.schema, spelled, c.To); err != nil {
		return err
	}
	for i, p := range a.m.PartitionColumns {
		if len(spelled) == 1 && strings.EqualFold(p, spelled[0]) {
			a.m.PartitionColumns[i] = c.To
		}
	}
	if err := delta.CheckColumnNames(a.schema, a.before.MappingMode()); err != nil {
		return err
	}
	to := append(slices.Clone(spelled[:len(spelled)-1]), c.To)
	a.info = delta.Info("RENAME COLUMN", delta.Param{Name: "oldColumnPath", Value: strings.Join(spelled, ".")},
		delta.Param{Name: "newColumnPath", Value: strings.Join(to, ".")})
	return nil
}

// checkUse refuses to change a column that constraints or generated columns read.
func (a *alteration) checkUse(path []string) error {
	var constraints, generated []string
	for _, key := range slices.Sorted(maps.Keys(a.m.Configuration)) {
		if name, ok := strings.CutPrefix(key, "delta.constraints."); ok && reads(a.m.Configuration[key], path) {
			constraints = append(constraints, name+" -> "+a.m.Configuration[key])
		}
	}
	for _, f := range a.schema.Fields {
		if raw := delta.FieldMetadata(f, "delta.generationExpression"); raw != nil && reads(delta.Text(raw), path) {
			generated = append(generated, f.Name+" -> "+delta.Text(raw))
		}
	}
	column := strings.Join(path, ".")
	switch {
	case len(constraints) > 0:
		return errs.New("DELTA_CONSTRAINT_DEPENDENT_COLUMN_CHANGE", "columnName", column, "constraints", strings.Join(constraints, "\n"))
	case len(generated) > 0:
		return errs.New("DELTA_GENERATED_COLUMNS_DEPENDENT_COLUMN_CHANGE", "columnName", column, "generatedColumns", strings.Join(generated, "\n"))
	}
	return nil
}

// reads reports whether the text of an expression names a column, a part of it, or what it is a part of.
func reads(text string, path []string) bool {
	e, err := sql.ParseExpression(text)
	if err != nil {
		return true
	}
	found := false
	plan.WalkExpr(e, func(e plan.Expr) bool {
		if u, ok := e.(*plan.UnresolvedAttribute); ok {
			n := min(len(u.Parts), len(path))
			found = found || slices.EqualFunc(u.Parts[:n], path[:n], strings.EqualFold)
		}
		return true
	})
	return found
}

// changeColumns is ALTER COLUMN: type, comment, nullability, default and place.
func (a *alteration) changeColumns(actions []plan.AlterAction) error {
	for _, c := range actions {
		if err := a.changeColumn(c); err != nil {
			return err
		}
	}
	if len(actions) > 1 {
		var list []shownColumn
		for _, c := range actions {
			f, spelled, _ := a.find(c.Column)
			list = append(list, shown(f, spelled))
		}
		a.info = delta.Info("CHANGE COLUMNS", delta.Param{Name: "columns", Value: jsonValue(list)})
	}
	return nil
}

func (a *alteration) changeColumn(c plan.AlterAction) error {
	if c.To != "" {
		return errs.New("_LEGACY_ERROR_TEMP_0034", "operation", "Renaming column", "command", "ALTER COLUMN", "msg", ", please run RENAME COLUMN instead")
	}
	f, path, err := a.find(c.Column)
	if err != nil {
		return err
	}
	if c.Type != nil && !c.Type.SameData(f.Type) {
		if err := a.widen(f, path, c.Type); err != nil {
			return err
		}
	}
	members := map[string]any{}
	if c.Comment != nil {
		members["comment"] = *c.Comment
	}
	if c.Default != nil {
		if !a.before.Protocol.Supports("allowColumnDefaults") && *c.Default != "" {
			return errs.New("WRONG_COLUMN_DEFAULTS_FOR_DELTA_FEATURE_NOT_ENABLED", "commandType", "ALTER TABLE")
		}
		members["CURRENT_DEFAULT"] = nil
		if *c.Default != "" {
			members["CURRENT_DEFAULT"] = *c.Default
		}
	}
	if c.NotNull != nil && *c.NotNull && f.Nullable {
		return errs.New("_LEGACY_ERROR_TEMP_2330", "fieldName", strings.Join(path, "."))
	}
	if len(members) > 0 || c.NotNull != nil {
		a.schema, err = delta.ChangeColumn(a.schema, path, func(f types.Field) (types.Field, error) {
			f.Nullable = f.Nullable || c.NotNull != nil
			return delta.SetFieldMetadata(f, members), nil
		})
		if err != nil {
			return err
		}
	}
	at := delta.Place{First: c.First, After: c.After}
	if at != (delta.Place{}) {
		if a.schema, err = delta.MoveColumn(a.schema, path, at); err != nil {
			return err
		}
	}
	f, path, _ = a.find(path)
	params := []delta.Param{{Name: "column", Value: jsonValue(shown(f, path))}}
	if p := at.String(); p != "" {
		params = append(params, delta.Param{Name: "position", Value: p})
	}
	a.info = delta.Info("CHANGE COLUMN", params...)
	return nil
}

// widen changes a column's type, which takes the feature typeWidening.
func (a *alteration) widen(f types.Field, path []string, to *types.Type) error {
	if !fn.CanUpCast(f.Type, to) && !(a.before.BoolProperty("delta.enableTypeWidening") && delta.Widens(f.Type, to)) {
		return errs.New("NOT_SUPPORTED_CHANGE_COLUMN", "table", "`spark_catalog`."+strings.TrimPrefix(a.target.name(), "`spark_catalog`."), "originName", types.QuoteParts(path...),
			"originType", `"`+f.Type.SQL()+`"`, "newName", types.QuoteParts(path...), "newType", `"`+to.SQL()+`"`)
	}
	if !a.before.BoolProperty("delta.enableTypeWidening") || !delta.Widens(f.Type, to) {
		return errs.New("DELTA_UNSUPPORTED_ALTER_TABLE_CHANGE_COL_OP", "fieldPath", strings.Join(path, "."), "oldField", f.Type.SQL(), "newField", to.SQL())
	}
	if err := a.checkUse(path); err != nil {
		return err
	}
	var err error
	if a.schema, err = delta.WidenColumn(a.schema, path, to); err != nil {
		return err
	}
	return a.before.CheckAutomaticFeatures(a.m, a.schema)
}

// replaceColumns is REPLACE COLUMNS, which may add and reorder but drop nothing.
func (a *alteration) replaceColumns(c plan.AlterAction) error {
	schema, err := columnsOf(c.Columns)
	if err != nil {
		return err
	}
	var missing []string
	for _, f := range a.schema.Fields {
		g, i := schema.Field(f.Name, false)
		switch {
		case i < 0:
			missing = append(missing, f.Name)
		case !g.Type.SameData(f.Type):
			return errs.New("DELTA_UNSUPPORTED_ALTER_TABLE_REPLACE_COL_OP", "details", "changing data type of "+f.Name+" from "+f.Type.String()+" to "+g.Type.String(),
				"oldSchema", delta.TreeString(a.schema), "newSchema", delta.TreeString(schema))
		default:
			g.Metadata, g.Name = f.Metadata, f.Name
			if d := c.Columns[i]; d.Comment != "" {
				g = delta.SetFieldMetadata(g, map[string]any{"comment": d.Comment})
			}
			g.Type, schema.Fields[i] = f.Type, g
			schema.Fields[i].Type = f.Type
		}
	}
	if len(missing) > 0 {
		return errs.New("DELTA_UNSUPPORTED_ALTER_TABLE_REPLACE_COL_OP", "details", "[DELTA_CANNOT_CHANGE_DATA_TYPE] Cannot change data type: dropping column(s) ["+strings.Join(missing, ", ")+"]",
			"oldSchema", delta.TreeString(a.schema), "newSchema", delta.TreeString(schema))
	}
	a.schema = schema
	var list []shownColumn
	for _, f := range schema.Fields {
		list = append(list, shown(f, []string{f.Name}))
	}
	a.info = delta.Info("REPLACE COLUMNS", delta.Param{Name: "columns", Value: jsonValue(list)})
	return a.checkSchema()
}
