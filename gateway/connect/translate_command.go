package connect

import (
	"context"
	"strconv"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"millrace/errs"
	"millrace/plan"
	pb "millrace/proto/spark/connect"
	"millrace/session"
)

// executeCommand runs a command and sends what the client expects of it.
func (s *Service) executeCommand(ctx context.Context, e *execution, c *pb.Command) error {
	t := newTranslator(e.session)
	switch cmd := c.GetCommandType().(type) {
	case nil:
		return notSet("spark.connect.Command", "COMMANDTYPE_NOT_SET")
	case *pb.Command_SqlCommand:
		return t.sqlCommand(ctx, e, cmd.SqlCommand)
	case *pb.Command_CheckpointCommand:
		return t.checkpoint(ctx, e, cmd.CheckpointCommand)
	case *pb.Command_MlCommand:
		return t.mlCommand(ctx, e, cmd.MlCommand)
	case *pb.Command_RegisterFunction:
		return t.registerFunction(cmd.RegisterFunction)
	case *pb.Command_RemoveCachedRemoteRelationCommand:
		e.session.DropFrame(cmd.RemoveCachedRemoteRelationCommand.Relation.GetRelationId())
		return nil
	case *pb.Command_WriteStreamOperationStart:
		return s.startStream(ctx, e, t, cmd.WriteStreamOperationStart)
	case *pb.Command_StreamingQueryCommand:
		return s.streamCommand(ctx, e, cmd.StreamingQueryCommand)
	case *pb.Command_StreamingQueryManagerCommand:
		return s.streamsCommand(ctx, e, cmd.StreamingQueryManagerCommand)
	case *pb.Command_StreamingQueryListenerBusCommand:
		return s.listenerBus(ctx, e, cmd.StreamingQueryListenerBusCommand)
	case *pb.Command_GetResourcesCommand:
		return e.send(ctx, &pb.ExecutePlanResponse{ResponseType: &pb.ExecutePlanResponse_GetResourcesCommandResult{
			GetResourcesCommandResult: &pb.GetResourcesCommandResult{}}})
	}
	n, err := t.command(c)
	if err != nil {
		return err
	}
	if n, err = t.strip(n); err != nil {
		return err
	}
	result, err := e.session.Run(ctx, n)
	if err != nil {
		return err
	}
	defer result.Close() // Next reports what went wrong
	for {
		b, err := result.Next(ctx)
		switch {
		case err != nil:
			return err
		case b != nil:
			b.Release()
			continue
		}
		if _, observed := toMetrics(result.Metrics()); len(observed) > 0 {
			return e.send(ctx, &pb.ExecutePlanResponse{ObservedMetrics: observed})
		}
		return nil
	}
}

// command translates the commands that are plans.
func (t *translator) command(c *pb.Command) (plan.Node, error) {
	switch cmd := c.CommandType.(type) {
	case *pb.Command_WriteOperation:
		return t.write(cmd.WriteOperation)
	case *pb.Command_WriteOperationV2:
		return t.writeV2(cmd.WriteOperationV2)
	case *pb.Command_CreateDataframeView:
		v := cmd.CreateDataframeView
		in, err := t.input(v.Input)
		if err != nil {
			return nil, err
		}
		name, err := t.name(v.Name)
		if err != nil {
			return nil, errs.New("_LEGACY_ERROR_TEMP_1321", "viewName", v.Name)
		}
		return &plan.CreateView{Name: name, Query: in, Temp: true, Global: v.IsGlobal, Replace: v.Replace}, err
	case *pb.Command_MergeIntoTableCommand:
		return t.merge(cmd.MergeIntoTableCommand)
	case *pb.Command_Extension:
		return t.extensionCommand(cmd.Extension)
	}
	return nil, errs.Unsupportedf("The command %s is not supported.", kindOf(c, "command_type"))
}

// sqlCommand answers spark.sql(). A query comes back as the relation that it is, to be run when its rows are wanted; a
// command is run here, once, and comes back as its rows.
func (t *translator) sqlCommand(ctx context.Context, e *execution, c *pb.SqlCommand) error {
	rel := sqlRelation(c)
	n, err := t.plan(rel)
	if err != nil {
		return err
	}
	if command := asCommand(n); command != nil {
		result, err := e.session.Run(ctx, command)
		if err != nil {
			return err
		}
		return e.sendRows(ctx, result)
	}
	if err := checkQuery(ctx, e.session, n); err != nil {
		return err
	}
	return e.sendRelation(ctx, rel)
}

// sqlRelation is the relation that a statement is sent as.
func sqlRelation(c *pb.SqlCommand) *pb.Relation {
	if c.Input != nil {
		return c.Input
	}
	return &pb.Relation{RelType: &pb.Relation_Sql{Sql: &pb.SQL{Query: c.Sql, Args: c.Args, PosArgs: c.PosArgs,
		NamedArguments: c.NamedArguments, PosArguments: c.PosArguments}}}
}

// sendRows answers spark.sql() with the rows of a command.
func (e *execution) sendRows(ctx context.Context, result session.Result) error {
	rows, err := e.session.Collect(ctx, result)
	if err != nil {
		return err
	}
	return e.sendRelation(ctx, &pb.Relation{RelType: &pb.Relation_LocalRelation{LocalRelation: &pb.LocalRelation{Data: rows.Arrow, Schema: proto.String(rows.T.JSON())}}})
}

func (e *execution) sendRelation(ctx context.Context, rel *pb.Relation) error {
	return e.send(ctx, &pb.ExecutePlanResponse{ResponseType: &pb.ExecutePlanResponse_SqlCommandResult_{
		SqlCommandResult: &pb.ExecutePlanResponse_SqlCommandResult{Relation: rel}}})
}

// checkQuery analyses a query at once: spark.sql() is where its mistakes show.
func checkQuery(ctx context.Context, s *session.Session, n plan.Node) error {
	_, err := s.Schema(ctx, n)
	return err
}

// asCommand finds the command that a statement is.
func asCommand(n plan.Node) plan.Node {
	switch c := n.(type) {
	case *plan.PlanID:
		return asCommand(c.Input)
	case plan.Command:
		return n
	}
	return nil
}

var saveModes = map[pb.WriteOperation_SaveMode]plan.SaveMode{pb.WriteOperation_SAVE_MODE_APPEND: plan.SaveAppend,
	pb.WriteOperation_SAVE_MODE_OVERWRITE: plan.SaveOverwrite, pb.WriteOperation_SAVE_MODE_IGNORE: plan.SaveIgnore,
	pb.WriteOperation_SAVE_MODE_ERROR_IF_EXISTS: plan.SaveErrorIfExists}

// batchInput translates what a method of DataFrame that writes at once is called on.
func (t *translator) batchInput(r *pb.Relation, method string) (plan.Node, error) {
	in, err := t.input(r)
	if err == nil && t.s.Streaming(in) {
		return nil, errs.New("CALL_ON_STREAMING_DATASET_UNSUPPORTED", "methodName", "`"+method+"`")
	}
	return in, err
}

func (t *translator) write(w *pb.WriteOperation) (plan.Node, error) {
	in, err := t.batchInput(w.Input, "write")
	if err != nil {
		return nil, err
	}
	n := &plan.Write{Input: in, Format: w.GetSource(), Mode: saveModes[w.Mode], PartitionBy: w.PartitioningColumns, SortBy: w.SortColumnNames,
		ClusterBy: w.ClusteringColumns, Options: withEvolution(w.Options, w.WithSchemaEvolution)}
	if n.Format == "" {
		n.Format = t.s.Conf.Get("spark.sql.sources.default")
	}
	if w.BucketBy != nil {
		n.BucketBy, n.Buckets = w.BucketBy.BucketColumnNames, int(w.BucketBy.NumBuckets)
	}
	switch to := w.SaveType.(type) {
	case *pb.WriteOperation_Path:
		n.Path = to.Path
	case *pb.WriteOperation_Table:
		n.InsertInto = to.Table.SaveMethod == pb.WriteOperation_SaveTable_TABLE_SAVE_METHOD_INSERT_INTO
		n.Table, err = t.name(to.Table.TableName)
	default:
		n.Path = w.Options["path"]
	}
	return n, err
}

func withEvolution(options map[string]string, evolve bool) map[string]string {
	if !evolve {
		return options
	}
	out := map[string]string{"mergeSchema": "true"}
	for k, v := range options {
		out[k] = v
	}
	return out
}

var writeActions = map[pb.WriteOperationV2_Mode]string{pb.WriteOperationV2_MODE_CREATE: "create",
	pb.WriteOperationV2_MODE_OVERWRITE: "overwrite", pb.WriteOperationV2_MODE_OVERWRITE_PARTITIONS: "overwritePartitions",
	pb.WriteOperationV2_MODE_APPEND: "append", pb.WriteOperationV2_MODE_REPLACE: "replace",
	pb.WriteOperationV2_MODE_CREATE_OR_REPLACE: "createOrReplace"}

func (t *translator) writeV2(w *pb.WriteOperationV2) (plan.Node, error) {
	in, err := t.batchInput(w.Input, "writeTo")
	if err != nil {
		return nil, err
	}
	n := &plan.WriteV2{Input: in, Provider: w.GetProvider(), Action: writeActions[w.Mode], Options: withEvolution(w.Options, w.WithSchemaEvolution),
		Properties: w.TableProperties, ClusterBy: w.ClusteringColumns}
	if n.Action == "" {
		return nil, errs.Unsupportedf("The write mode %s is not supported.", w.Mode)
	}
	if n.Table, err = t.name(w.TableName); err != nil {
		return nil, err
	}
	if n.PartitionBy, err = t.exprs(w.PartitioningColumns); err != nil {
		return nil, err
	}
	if w.OverwriteCondition != nil {
		n.Condition, err = t.expr(w.OverwriteCondition)
	}
	return n, err
}

// checkpoint keeps a relation under an id: its rows as they are now, or, when that is to wait, the plan.
func (t *translator) checkpoint(ctx context.Context, e *execution, c *pb.CheckpointCommand) error {
	n, err := t.plan(c.Relation)
	if err != nil {
		return err
	}
	if c.Eager {
		result, err := e.session.Run(ctx, n)
		if err != nil {
			return err
		}
		if n, err = e.session.Collect(ctx, result); err != nil {
			return err
		}
	}
	id := uuid.NewString()
	e.session.KeepFrame(id, n)
	return e.send(ctx, &pb.ExecutePlanResponse{ResponseType: &pb.ExecutePlanResponse_CheckpointCommandResult{
		CheckpointCommandResult: &pb.CheckpointCommandResult{Relation: &pb.CachedRemoteRelation{RelationId: id}}}})
}

// merge translates df.mergeInto.
func (t *translator) merge(m *pb.MergeIntoTableCommand) (plan.Node, error) {
	name, err := t.name(m.TargetTableName)
	if err != nil {
		return nil, err
	}
	source, err := t.batchInput(m.SourceTablePlan, "mergeInto")
	if err != nil {
		return nil, err
	}
	on, err := t.expr(m.MergeCondition)
	if err != nil {
		return nil, err
	}
	n := &plan.Merge{Target: &plan.UnresolvedRelation{Parts: name}, Source: source, On: on, SchemaEvolution: m.WithSchemaEvolution}
	for _, group := range []struct {
		match   plan.MergeMatch
		actions []*pb.Expression
	}{{plan.Matched, m.MatchActions}, {plan.NotMatched, m.NotMatchedActions}, {plan.NotMatchedBySource, m.NotMatchedBySourceActions}} {
		for _, x := range group.actions {
			clause, err := t.mergeAction(x.GetMergeAction())
			if err != nil {
				return nil, err
			}
			clause.Match = group.match
			n.Clauses = append(n.Clauses, clause)
		}
	}
	if len(n.Clauses) == 0 {
		return nil, errs.New("NO_MERGE_ACTION_SPECIFIED")
	}
	return n, nil
}

func (t *translator) mergeAction(a *pb.MergeAction) (*plan.MergeClause, error) {
	c := &plan.MergeClause{}
	var err error
	if a.GetCondition() != nil {
		if c.Condition, err = t.expr(a.Condition); err != nil {
			return nil, err
		}
	}
	switch a.GetActionType() {
	case pb.MergeAction_ACTION_TYPE_DELETE:
		c.Action = "delete"
	case pb.MergeAction_ACTION_TYPE_INSERT, pb.MergeAction_ACTION_TYPE_INSERT_STAR:
		c.Action, c.Star = "insert", a.ActionType == pb.MergeAction_ACTION_TYPE_INSERT_STAR
	case pb.MergeAction_ACTION_TYPE_UPDATE, pb.MergeAction_ACTION_TYPE_UPDATE_STAR:
		c.Action, c.Star = "update", a.ActionType == pb.MergeAction_ACTION_TYPE_UPDATE_STAR
	default:
		return nil, errs.Unsupportedf("The merge action %s is not supported.", strconv.Quote(a.GetActionType().String()))
	}
	for _, as := range a.Assignments {
		k, err := t.expr(as.Key)
		if err != nil {
			return nil, err
		}
		v, err := t.expr(as.Value)
		if err != nil {
			return nil, err
		}
		c.Columns, c.Values = append(c.Columns, k), append(c.Values, v)
	}
	return c, nil
}
