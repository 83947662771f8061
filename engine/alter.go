package engine

import (
	"strings"

	"millrace/delta"
	"millrace/delta/log"
	"millrace/errs"
	"millrace/plan"
	"millrace/session"
	"millrace/types"
)

// alteration is an ALTER TABLE on its way: what becomes of a Delta table's metadata, and what the history says.
type alteration struct {
	st      *statement
	log     *log.Table
	target  *target
	before  *delta.Snapshot
	base    *delta.Protocol // that the change starts from
	m       *delta.Metadata // as it will be
	schema  *types.Type
	actions []delta.Action // besides metadata and protocol
	info    delta.CommitInfo
	reads   bool // the rows of the table have been looked at
}

// alterTable is ALTER TABLE, all of whose changes become one version.
func (st *statement) alterTable(c *plan.AlterTable) (session.Result, error) {
	if c.View {
		return st.alterView(c)
	}
	if err := st.tableNotView(c); err != nil {
		return nil, err
	}
	if e, err := st.filesEntry(c.Name); err != nil || e != nil && c.Actions[0].Kind != "rename" && !strings.HasSuffix(c.Actions[0].Kind, "p partition") && c.Actions[0].Kind != "add partition" {
		if err != nil {
			return nil, err
		}
		return st.alterFiles(*e, c.Actions)
	}
	switch first := c.Actions[0]; first.Kind {
	case "default collation":
		if _, _, err := st.deltaTarget("ALTER TABLE", c.Name, ""); err != nil { // it may not be there
			return nil, err
		}
		return nil, errs.Unsupportedf("DEFAULT COLLATION of a Delta table is not supported.")
	case "add partition", "drop partition":
		return emptyResult(), st.alterPartitions(c.Name, first)
	case "rename":
		return emptyResult(), st.renameTable(c.Name, first.Column)
	case "set location":
		return emptyResult(), st.setLocation(c.Name, first.To)
	case "drop feature":
		return st.dropFeature(c.Name, first.To, first.Purge)
	case "add key", "recover partitions":
		if first.Kind != "add key" {
			if _, _, err := st.deltaTarget("ALTER TABLE RECOVER PARTITIONS", c.Name, ""); err != nil { // it may not be there
				return nil, err
			}
			return nil, errs.New("DELTA_OPERATION_NOT_ALLOWED", "operation", "ALTER TABLE "+strings.ToUpper(first.Kind))
		}
		return emptyResult(), nil // keys are informational
	}
	a, err := st.alteration(c.Name)
	if err != nil {
		return nil, err
	}
	if err := a.carryOut(c.Actions); err != nil {
		return nil, err
	}
	if a.info.Operation == "" { // nothing is there to be changed
		return emptyResult(), nil
	}
	return emptyResult(), a.commit()
}

// tableNotView refuses ALTER TABLE of a view.
func (st *statement) tableNotView(c *plan.AlterTable) error {
	first := c.Actions[0]
	name := types.QuoteParts(c.Name...)
	if _, temporary := st.s.View(c.Name); !temporary {
		t, err := st.target(c.Name)
		if err != nil || t == nil || t.entry == nil || t.entry.View == "" {
			return err
		}
		name = t.name()
	}
	operation, alternative := "ALTER TABLE ... "+strings.ToUpper(first.Kind), "NO_ALTERNATIVE"
	switch first.Kind {
	case "rename":
		return nil
	case "set properties", "unset properties":
		operation, alternative = strings.Replace(viewOperation(first.Kind), "VIEW", "TABLE", 1), "USE_ALTER_VIEW"
	case "alter column":
		if operation = "ALTER TABLE ... ALTER COLUMN"; first.Change {
			operation = "ALTER TABLE ... CHANGE COLUMN"
		}
	}
	return errs.New("EXPECT_TABLE_NOT_VIEW."+alternative, "operation", operation, "viewName", name)
}

// alteration begins to change a Delta table.
func (st *statement) alteration(name []string) (*alteration, error) {
	l, t, err := st.deltaTarget("ALTER TABLE", name, "")
	if err != nil {
		return nil, err
	}
	st.writing = l.URL()
	before, err := st.newestOf(l)
	if err != nil {
		return nil, err
	}
	if err := before.Protocol.CheckKnown(l.URL()); err != nil {
		return nil, err
	}
	return &alteration{st: st, log: l, target: t, before: before, base: before.Protocol, m: before.Metadata.Clone(), schema: before.Schema()}, nil
}

func (a *alteration) carryOut(actions []plan.AlterAction) error {
	switch actions[0].Kind {
	case "set properties":
		return a.setProperties(actions[0].Properties)
	case "unset properties":
		return a.unsetProperties(actions[0])
	case "add columns":
		return a.addColumns(actions)
	case "drop columns":
		return a.dropColumns(actions[0])
	case "rename column":
		return a.renameColumn(actions[0])
	case "alter column":
		return a.changeColumns(actions)
	case "replace columns":
		return a.replaceColumns(actions[0])
	case "add constraint":
		return a.addConstraint(actions[0])
	case "drop constraint":
		return a.dropConstraint(actions[0])
	case "cluster by":
		return a.clusterBy(actions[0].Keys)
	}
	return errs.Unsupportedf("ALTER TABLE %s is not supported yet.", strings.ToUpper(actions[0].Kind))
}

// commit completes the metadata and the protocol, and commits.
func (a *alteration) commit() error {
	a.m.SchemaString = a.schema.JSON()
	p, err := a.m.Complete(a.before.Metadata, a.base)
	if err != nil {
		return err
	}
	for _, v := range []string{"1", "2"} {
		if key := "delta.enableIcebergCompatV" + v; strings.EqualFold(a.m.Configuration[key], "true") && !a.before.BoolProperty(key) {
			a.reads = true
			for f := range a.before.All() {
				if f.DeletionVector != nil {
					return errs.New("DELTA_ICEBERG_COMPAT_VIOLATION.DELETION_VECTORS_NOT_PURGED", "version", v)
				}
			}
		}
	}
	actions := []delta.Action{{Metadata: a.m}}
	if p != a.before.Protocol {
		actions = append(actions, delta.Action{Protocol: p})
	}
	if p.Supports("rowTracking") && !a.before.Protocol.Supports("rowTracking") {
		for f := range a.before.All() { // those that are there get identifiers for their rows
			again := *f
			again.DataChange = false
			actions = append(actions, delta.Action{Add: &again})
		}
	}
	return a.put(append(actions, a.actions...))
}

func (a *alteration) put(actions []delta.Action) error {
	a.info.EngineInfo, a.info.UserMetadata = a.st.e.o.Version, a.st.userMetadata(nil)
	r := request(a.before, actions, a.info)
	r.ReadTable = a.reads || len(actions) > 2
	_, err := a.st.commit(r)
	return err
}

// find is a column that must be there, with its path in the table's spelling.
func (a *alteration) find(path []string) (types.Field, []string, error) {
	f, spelled, ok := delta.FindField(a.schema, path)
	if !ok {
		names := make([]string, 0, len(a.schema.Fields))
		for _, n := range a.schema.Names() {
			names = append(names, types.Quote(n))
		}
		return f, nil, errs.New("UNRESOLVED_COLUMN.WITH_SUGGESTION", "objectName", types.QuoteParts(path...), "proposal", strings.Join(names, ", "))
	}
	return f, spelled, nil
}

// tableName is the table as Delta's messages call it.
func (a *alteration) tableName() string {
	if a.target.entry != nil {
		return a.target.name()
	}
	return "delta.`" + a.log.URL() + "`"
}

// reservedProperties are Spark's own, which other clauses set.
var reservedProperties = map[string]string{"external": "please use CREATE EXTERNAL TABLE", "location": "please use the LOCATION clause to specify it",
	"provider": "please use the USING clause to specify it", "owner": "it will be set to the current user"}

// setProperties is SET TBLPROPERTIES, and COMMENT ON TABLE by the property comment.
func (a *alteration) setProperties(given map[string]string) error {
	checked, err := delta.CheckProperties(given, a.st.s.Conf.Bool("spark.databricks.delta.allowArbitraryProperties.enabled"))
	if err != nil {
		if errs.ConditionOf(err) == "" {
			err = errs.New("UNSUPPORTED_TABLE_CHANGE", "reason", err.Error())
		}
		return err
	}
	for key, value := range checked {
		if advice, reserved := reservedProperties[key]; reserved {
			return errs.New("UNSUPPORTED_FEATURE.SET_TABLE_PROPERTY", "property", key, "msg", advice)
		}
		switch {
		case key == "delta.columnMapping.maxColumnId":
			return errs.New("DELTA_CANNOT_MODIFY_TABLE_PROPERTY", "prop", key)
		case strings.HasPrefix(strings.ToLower(key), "delta.constraints."):
			return errs.New("DELTA_ADD_CONSTRAINTS")
		case key == "comment":
			a.m.Description = value
		default:
			a.m.Configuration[key] = value
		}
	}
	a.info = delta.SetPropertiesInfo(checked)
	return nil
}

func (a *alteration) unsetProperties(u plan.AlterAction) error {
	for _, key := range u.Keys {
		switch {
		case strings.HasPrefix(strings.ToLower(key), "delta.columnmapping."):
			return errs.New("DELTA_CANNOT_MODIFY_TABLE_PROPERTY", "prop", key)
		case key == "comment":
			a.m.Description = ""
		}
		for have := range a.m.Configuration {
			if have == key || strings.HasPrefix(strings.ToLower(key), "delta.") && strings.EqualFold(have, key) {
				delete(a.m.Configuration, have)
			}
		}
	}
	a.info = delta.Info("UNSET TBLPROPERTIES", delta.Param{Name: "properties", Value: jsonList(u.Keys)}, delta.Param{Name: "ifExists", Value: true})
	return nil
}
