package connect

import (
	"strconv"

	"google.golang.org/protobuf/types/known/anypb"

	"millrace/errs"
	"millrace/plan"
	delta "millrace/proto/delta/connect"
	"millrace/session"
	"millrace/sql"
	"millrace/types"
)

// extension translates the relations of the DeltaTable API. Those that change a table are commands.
func (t *translator) extension(a *anypb.Any) (plan.Node, error) {
	r := &delta.DeltaRelation{}
	if err := a.UnmarshalTo(r); err != nil {
		return nil, errs.Unsupportedf("The relation %s is not supported.", a.GetTypeUrl())
	}
	switch rel := r.RelationType.(type) {
	case *delta.DeltaRelation_Scan:
		return t.deltaScan(rel.Scan.Table)
	case *delta.DeltaRelation_DescribeHistory:
		name, path, err := t.deltaTable(rel.DescribeHistory.Table)
		return &plan.Describe{Kind: "history", Name: name, Path: path}, err
	case *delta.DeltaRelation_DescribeDetail:
		name, path, err := t.deltaTable(rel.DescribeDetail.Table)
		return &plan.Describe{Kind: "detail", Name: name, Path: path}, err
	case *delta.DeltaRelation_RestoreTable:
		return t.restore(rel.RestoreTable)
	case *delta.DeltaRelation_IsDeltaTable:
		return &plan.Generic{Name: IsDeltaTable, Args: map[string]any{"path": rel.IsDeltaTable.Path}}, nil
	case *delta.DeltaRelation_DeleteFromTable:
		return t.deltaDelete(rel.DeleteFromTable)
	case *delta.DeltaRelation_UpdateTable:
		return t.deltaUpdate(rel.UpdateTable)
	case *delta.DeltaRelation_MergeIntoTable:
		return t.deltaMerge(rel.MergeIntoTable)
	case *delta.DeltaRelation_OptimizeTable:
		return t.deltaOptimize(rel.OptimizeTable)
	case *delta.DeltaRelation_ConvertToDelta:
		return t.deltaConvert(rel.ConvertToDelta)
	}
	return nil, errs.Unsupportedf("The Delta relation %s is not supported.", kindOf(r, "relation_type"))
}

// IsDeltaTable is the name of the plan.Generic that asks whether a path (Args: path) holds a Delta table; the engine answers
// with one boolean.
const IsDeltaTable = session.DeltaCall + "isDeltaTable"

// extensionCommand translates the commands of the DeltaTable API.
func (t *translator) extensionCommand(a *anypb.Any) (plan.Node, error) {
	c := &delta.DeltaCommand{}
	if err := a.UnmarshalTo(c); err != nil {
		return nil, errs.Unsupportedf("The command %s is not supported.", a.GetTypeUrl())
	}
	switch cmd := c.CommandType.(type) {
	case *delta.DeltaCommand_VacuumTable:
		name, path, err := t.deltaTable(cmd.VacuumTable.Table)
		return &plan.Vacuum{Name: name, Path: path, Hours: cmd.VacuumTable.RetentionHours}, err
	case *delta.DeltaCommand_CreateDeltaTable:
		return t.deltaCreate(cmd.CreateDeltaTable)
	case *delta.DeltaCommand_CloneTable:
		return t.deltaClone(cmd.CloneTable)
	case *delta.DeltaCommand_Generate:
		name, path, err := t.deltaTable(cmd.Generate.Table)
		return &plan.Generic{Name: session.DeltaCall + "generate", Args: map[string]any{"mode": cmd.Generate.Mode, "name": name, "path": path}}, err
	case *delta.DeltaCommand_UpgradeTableProtocol:
		c := cmd.UpgradeTableProtocol
		return t.deltaProperties(c.Table, map[string]string{"delta.minReaderVersion": strconv.Itoa(int(c.ReaderVersion)),
			"delta.minWriterVersion": strconv.Itoa(int(c.WriterVersion))})
	case *delta.DeltaCommand_AddFeatureSupport:
		c := cmd.AddFeatureSupport
		return t.deltaProperties(c.Table, map[string]string{"delta.feature." + c.FeatureName: "supported"})
	case *delta.DeltaCommand_DropFeatureSupport:
		c := cmd.DropFeatureSupport
		return t.deltaAlter(c.Table, plan.AlterAction{Kind: "drop feature", To: c.FeatureName, Purge: c.GetTruncateHistory()})
	}
	return nil, errs.Unsupportedf("The Delta command %s is not supported.", kindOf(c, "command_type"))
}

// deltaTable is a table's name, or its path.
func (t *translator) deltaTable(d *delta.DeltaTable) (name []string, path string, err error) {
	switch a := d.GetAccessType().(type) {
	case *delta.DeltaTable_Path_:
		return nil, a.Path.Path, nil
	case *delta.DeltaTable_TableOrViewName:
		name, err = t.name(a.TableOrViewName)
		return name, "", err
	}
	return nil, "", notSet("delta.connect.DeltaTable", "ACCESSTYPE_NOT_SET")
}

func (t *translator) deltaScan(d *delta.DeltaTable) (plan.Node, error) {
	name, path, err := t.deltaTable(d)
	if err != nil {
		return nil, err
	}
	if path != "" {
		name = []string{"delta", path}
	}
	return &plan.UnresolvedRelation{Parts: name, Options: d.GetPath().GetHadoopConf()}, nil
}

func (t *translator) restore(r *delta.RestoreTable) (plan.Node, error) {
	name, path, err := t.deltaTable(r.Table)
	n := &plan.Restore{Name: name, Path: path, Travel: &plan.TimeTravel{}}
	switch v := r.VersionOrTimestamp.(type) {
	case *delta.RestoreTable_Version:
		n.Travel.Version = &v.Version
	case *delta.RestoreTable_Timestamp:
		n.Travel.Timestamp = plan.Str(v.Timestamp)
	}
	return n, err
}

func (t *translator) deltaDelete(r *delta.DeleteFromTable) (plan.Node, error) {
	target, err := t.input(r.Target)
	if err != nil {
		return nil, err
	}
	n := &plan.Delete{Target: target}
	if r.Condition != nil {
		n.Condition, err = t.expr(r.Condition)
	}
	return n, err
}

func (t *translator) deltaUpdate(r *delta.UpdateTable) (plan.Node, error) {
	target, err := t.input(r.Target)
	if err != nil {
		return nil, err
	}
	n := &plan.Update{Target: target}
	if n.Columns, n.Values, err = t.assignments(r.Assignments); err != nil {
		return nil, err
	}
	if r.Condition != nil {
		n.Condition, err = t.expr(r.Condition)
	}
	return n, err
}

func (t *translator) assignments(list []*delta.Assignment) (columns, values []plan.Expr, err error) {
	for _, a := range list {
		c, err := t.expr(a.Field)
		if err != nil {
			return nil, nil, err
		}
		v, err := t.expr(a.Value)
		if err != nil {
			return nil, nil, err
		}
		columns, values = append(columns, c), append(values, v)
	}
	return columns, values, nil
}

func (t *translator) deltaMerge(r *delta.MergeIntoTable) (plan.Node, error) {
	target, err := t.input(r.Target)
	if err != nil {
		return nil, err
	}
	source, err := t.input(r.Source)
	if err != nil {
		return nil, err
	}
	on, err := t.expr(r.Condition)
	if err != nil {
		return nil, err
	}
	n := &plan.Merge{Target: target, Source: source, On: on, SchemaEvolution: r.GetWithSchemaEvolution()}
	for _, group := range []struct {
		match   plan.MergeMatch
		actions []*delta.MergeIntoTable_Action
	}{{plan.Matched, r.MatchedActions}, {plan.NotMatched, r.NotMatchedActions}, {plan.NotMatchedBySource, r.NotMatchedBySourceActions}} {
		for _, a := range group.actions {
			c, err := t.deltaAction(a)
			if err != nil {
				return nil, err
			}
			c.Match = group.match
			n.Clauses = append(n.Clauses, c)
		}
	}
	return n, nil
}

func (t *translator) deltaAction(a *delta.MergeIntoTable_Action) (*plan.MergeClause, error) {
	c := &plan.MergeClause{}
	var err error
	if a.Condition != nil {
		if c.Condition, err = t.expr(a.Condition); err != nil {
			return nil, err
		}
	}
	switch act := a.ActionType.(type) {
	case *delta.MergeIntoTable_Action_DeleteAction_:
		c.Action = "delete"
	case *delta.MergeIntoTable_Action_UpdateAction_:
		c.Action = "update"
		c.Columns, c.Values, err = t.assignments(act.UpdateAction.Assignments)
	case *delta.MergeIntoTable_Action_UpdateStarAction_:
		c.Action, c.Star = "update", true
	case *delta.MergeIntoTable_Action_InsertAction_:
		c.Action = "insert"
		c.Columns, c.Values, err = t.assignments(act.InsertAction.Assignments)
	case *delta.MergeIntoTable_Action_InsertStarAction_:
		c.Action, c.Star = "insert", true
	default:
		err = notSet("delta.connect.MergeIntoTable.Action", "ACTIONTYPE_NOT_SET")
	}
	return c, err
}

func (t *translator) deltaOptimize(r *delta.OptimizeTable) (plan.Node, error) {
	name, path, err := t.deltaTable(r.Table)
	if err != nil {
		return nil, err
	}
	n := &plan.Optimize{Name: name, Path: path, ZBy: r.ZorderColumns}
	for _, f := range r.PartitionFilters {
		e, err := t.parser().ParseExpression(f)
		if err != nil {
			return nil, err
		}
		if n.Where != nil {
			e = plan.Fn("and", n.Where, e)
		}
		n.Where = e
	}
	return n, nil
}

// deltaAlter is a change of a table that ALTER TABLE makes too.
func (t *translator) deltaAlter(d *delta.DeltaTable, a plan.AlterAction) (plan.Node, error) {
	name, path, err := t.deltaTable(d)
	if path != "" {
		name = []string{"delta", path}
	}
	return &plan.AlterTable{Name: name, Actions: []plan.AlterAction{a}}, err
}

func (t *translator) deltaProperties(d *delta.DeltaTable, properties map[string]string) (plan.Node, error) {
	return t.deltaAlter(d, plan.AlterAction{Kind: "set properties", Properties: properties})
}

// deltaClone is DeltaTable.clone and its kin, whose target is a path.
func (t *translator) deltaClone(c *delta.CloneTable) (plan.Node, error) {
	name, path, err := t.deltaTable(c.Table)
	if err != nil {
		return nil, err
	}
	if path != "" {
		name = []string{"delta", path}
	}
	n := &plan.CreateTable{Provider: "delta", Name: []string{"delta", c.Target}, Like: name, Clone: "deep", Properties: c.Properties,
		Replace: c.Replace, OrCreate: c.Replace}
	if c.IsShallow {
		n.Clone = "shallow"
	}
	switch v := c.VersionOrTimestamp.(type) {
	case *delta.CloneTable_Version:
		version := int64(v.Version)
		n.LikeTravel = &plan.TimeTravel{Version: &version}
	case *delta.CloneTable_Timestamp:
		n.LikeTravel = &plan.TimeTravel{Timestamp: plan.Str(v.Timestamp)}
	}
	return n, nil
}

// deltaConvert is DeltaTable.convertToDelta, which answers with the table's name.
func (t *translator) deltaConvert(c *delta.ConvertToDelta) (plan.Node, error) {
	name, err := t.name(c.Identifier)
	if err != nil {
		return nil, err
	}
	args := map[string]any{"name": name, "answer": c.Identifier}
	switch p := c.PartitionSchema.(type) {
	case *delta.ConvertToDelta_PartitionSchemaString:
		args["partitions"], err = sql.ParseSchema(p.PartitionSchemaString)
	case *delta.ConvertToDelta_PartitionSchemaStruct:
		args["partitions"], err = fromDataType(p.PartitionSchemaStruct)
	}
	return &plan.Generic{Name: session.DeltaCall + "convert", Args: args}, err
}

func (t *translator) deltaCreate(c *delta.CreateDeltaTable) (plan.Node, error) {
	n := &plan.CreateTable{Provider: "delta", Location: c.GetLocation(), Comment: c.GetComment(), Properties: c.Properties,
		PartitionBy: c.PartitioningColumns, ClusterBy: c.ClusteringColumns}
	switch c.Mode {
	case delta.CreateDeltaTable_MODE_CREATE:
	case delta.CreateDeltaTable_MODE_CREATE_IF_NOT_EXISTS:
		n.IfNotExists = true
	case delta.CreateDeltaTable_MODE_REPLACE:
		n.Replace = true
	case delta.CreateDeltaTable_MODE_CREATE_OR_REPLACE:
		n.Replace, n.OrCreate = true, true
	default:
		return nil, errs.Unsupportedf("The mode %s of creating a table is not supported.", c.Mode)
	}
	var err error
	switch {
	case c.TableName != nil:
		n.Name, err = t.name(*c.TableName)
	case c.Location != nil:
		n.Name = []string{"delta", *c.Location}
	}
	for _, col := range c.Columns {
		d, colErr := deltaColumn(col)
		if colErr != nil {
			return nil, colErr
		}
		n.Columns = append(n.Columns, d)
	}
	return n, err
}

func deltaColumn(c *delta.CreateDeltaTable_Column) (plan.ColumnDef, error) {
	var ct *types.Type
	ct, err := fromDataType(c.DataType)
	d := plan.ColumnDef{Name: c.Name, Type: ct, Nullable: c.Nullable, Comment: c.GetComment(), Generated: c.GetGeneratedAlwaysAs()}
	if i := c.IdentityInfo; i != nil {
		d.Identity = &plan.Identity{Start: i.Start, Step: i.Step, AllowExplicit: i.AllowExplicitInsert}
	}
	return d, err
}
