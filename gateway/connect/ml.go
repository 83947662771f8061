package connect

import (
	"context"

	"google.golang.org/protobuf/proto"

	"millrace/errs"
	"millrace/ml"
	"millrace/plan"
	pb "millrace/proto/spark/connect"
	"millrace/session"
	"millrace/types"
)

// mlRunner lets estimators run plans in a session.
type mlRunner struct{ s *session.Session }

var _ ml.Runner = mlRunner{}

func (r mlRunner) Schema(ctx context.Context, n plan.Node) (*types.Type, error) {
	return r.s.Schema(ctx, n)
}

func (r mlRunner) Run(ctx context.Context, n plan.Node) (ml.Rows, error) { return r.s.Run(ctx, n) }

func (r mlRunner) Conf(key string) string { return r.s.Conf.Get(key) }

func (r mlRunner) Materialize(ctx context.Context, n plan.Node) (plan.Node, func(), error) {
	return r.s.Materialize(ctx, n)
}

func mlContext(ctx context.Context, s *session.Session) *ml.Context {
	return &ml.Context{Context: ctx, Runner: mlRunner{s}}
}

// mlObjects are the session's models.
func mlObjects(s *session.Session) *ml.Objects {
	return s.Kept("ml", func() any { return ml.NewObjects() }).(*ml.Objects)
}

// mlHelper is the object on which clients call what belongs to no model.
const mlHelper = "______ML_CONNECT_HELPER______"

// mlCommand carries out a command of machine learning and sends its result.
func (t *translator) mlCommand(ctx context.Context, e *execution, c *pb.MlCommand) error {
	result, err := t.mlResult(mlContext(ctx, t.s), c)
	if err != nil {
		return err
	}
	return e.send(ctx, &pb.ExecutePlanResponse{ResponseType: &pb.ExecutePlanResponse_MlCommandResult{MlCommandResult: result}})
}

func (t *translator) mlResult(c *ml.Context, cmd *pb.MlCommand) (*pb.MlCommandResult, error) {
	objects := mlObjects(t.s)
	switch cmd := cmd.Command.(type) {
	case *pb.MlCommand_Fit_:
		return t.mlFit(c, cmd.Fit)
	case *pb.MlCommand_Fetch:
		v, err := t.mlFetch(c, cmd.Fetch.ObjRef, cmd.Fetch.Methods)
		if err != nil {
			return nil, err
		}
		return mlValue(v)
	case *pb.MlCommand_Evaluate_:
		return t.mlEvaluate(c, cmd.Evaluate)
	case *pb.MlCommand_Write_:
		return mlText(""), t.mlWrite(c, cmd.Write)
	case *pb.MlCommand_Read_:
		return t.mlRead(c, cmd.Read)
	case *pb.MlCommand_Delete_:
		ids := make([]string, len(cmd.Delete.ObjRefs))
		for i, r := range cmd.Delete.ObjRefs {
			ids[i] = r.Id
		}
		return mlRefs(objects.Delete(ids, cmd.Delete.GetEvictOnly())), nil
	case *pb.MlCommand_CleanCache_:
		return mlValue(int64(objects.Clean()))
	case *pb.MlCommand_GetCacheInfo_:
		return mlValue(objects.Info())
	case *pb.MlCommand_GetModelSize_:
		x, err := objects.Get(cmd.GetModelSize.ModelRef.GetId())
		if err != nil {
			return nil, err
		}
		return mlValue(x.Model.Size())
	case *pb.MlCommand_CreateSummary_:
		data, err := t.plan(cmd.CreateSummary.Dataset)
		if err != nil {
			return nil, err
		}
		if err := objects.CreateSummary(c, cmd.CreateSummary.ModelRef.GetId(), data); err != nil {
			return nil, err
		}
		return mlValue(true)
	}
	return nil, errs.Unsupportedf("The machine learning command %s is not supported.", kindOf(cmd, "command"))
}

func (t *translator) mlFit(c *ml.Context, f *pb.MlCommand_Fit) (*pb.MlCommandResult, error) {
	data, params, err := t.mlInput(f.Dataset, f.Params)
	if err != nil {
		return nil, err
	}
	x, err := mlObjects(t.s).Fit(c, f.Estimator.GetName(), f.Estimator.GetUid(), params, data)
	if err != nil {
		return nil, err
	}
	return mlRefs([]string{x.ID}), nil
}

func (t *translator) mlEvaluate(c *ml.Context, e *pb.MlCommand_Evaluate) (*pb.MlCommandResult, error) {
	data, params, err := t.mlInput(e.Dataset, e.Params)
	if err != nil {
		return nil, err
	}
	metric, err := ml.Evaluate(c, e.Evaluator.GetName(), e.Evaluator.GetUid(), params, data)
	if err != nil {
		return nil, err
	}
	return mlValue(metric)
}

// mlInput translates a dataset and parameters.
func (t *translator) mlInput(r *pb.Relation, p *pb.MlParams) (plan.Node, map[string]any, error) {
	params, err := mlParams(p)
	if err != nil {
		return nil, nil, err
	}
	data, err := t.plan(r)
	return data, params, err
}

// mlFetch follows a chain of attributes from a model, or calls the helper.
func (t *translator) mlFetch(c *ml.Context, ref *pb.ObjectRef, methods []*pb.Fetch_Method) (any, error) {
	chain := make([]ml.Call, len(methods))
	for i, m := range methods {
		chain[i].Method = m.Method
		for _, a := range m.Args {
			var v any
			var err error
			if a.GetInput() != nil {
				v, err = t.relation(a.GetInput())
			} else {
				v, err = mlParam(a.GetParam())
			}
			if err != nil {
				return nil, err
			}
			chain[i].Args = append(chain[i].Args, v)
		}
	}
	if len(chain) == 0 {
		return nil, errs.Newf(errs.Invalid, "A fetch from %s names no method.", ref.GetId())
	}
	if ref.GetId() == mlHelper {
		return mlObjects(t.s).Help(c, chain[0])
	}
	return mlObjects(t.s).Fetch(c, ref.GetId(), chain)
}

var mlKinds = map[pb.MlOperator_OperatorType]ml.Kind{pb.MlOperator_OPERATOR_TYPE_ESTIMATOR: ml.Estimator,
	pb.MlOperator_OPERATOR_TYPE_TRANSFORMER: ml.Transformer, pb.MlOperator_OPERATOR_TYPE_EVALUATOR: ml.Evaluator,
	pb.MlOperator_OPERATOR_TYPE_MODEL: ml.ModelClass}

func (t *translator) mlWrite(c *ml.Context, w *pb.MlCommand_Write) error {
	params, err := mlParams(w.Params)
	if err != nil {
		return err
	}
	if op := w.GetOperator(); op != nil {
		return ml.Write(c, op.Name, mlKinds[op.Type], op.Uid, params, w.Path, w.GetShouldOverwrite())
	}
	return mlObjects(t.s).Write(c, w.GetObjRef().GetId(), params, w.Path, w.GetShouldOverwrite())
}

func (t *translator) mlRead(c *ml.Context, r *pb.MlCommand_Read) (*pb.MlCommandResult, error) {
	info := &pb.MlCommandResult_MlOperatorInfo{}
	var p *ml.Params
	if r.Operator.GetType() == pb.MlOperator_OPERATOR_TYPE_MODEL {
		x, err := mlObjects(t.s).Read(c, r.Operator.GetName(), r.Path)
		if err != nil {
			return nil, err
		}
		info.Type, p = &pb.MlCommandResult_MlOperatorInfo_ObjRef{ObjRef: &pb.ObjectRef{Id: x.ID}}, x.Params
	} else {
		var err error
		if p, err = ml.Read(c, r.Operator.GetName(), mlKinds[r.Operator.GetType()], r.Path); err != nil {
			return nil, err
		}
		info.Type = &pb.MlCommandResult_MlOperatorInfo_Name{Name: r.Operator.GetName()}
	}
	info.Uid, info.Params = proto.String(p.UID), &pb.MlParams{Params: map[string]*pb.Expression_Literal{}}
	for name, v := range p.Set() {
		l, err := mlLiteral(v)
		if err != nil {
			return nil, err
		}
		info.Params.Params[name] = l
	}
	return &pb.MlCommandResult{ResultType: &pb.MlCommandResult_OperatorInfo{OperatorInfo: info}}, nil
}

// mlRelation translates a transformation, or an attribute that is a relation.
func (t *translator) mlRelation(r *pb.MlRelation) (plan.Node, error) {
	switch rel := r.MlType.(type) {
	case *pb.MlRelation_Transform_:
		tr := rel.Transform
		in, err := t.input(tr.Input)
		if err != nil {
			return nil, err
		}
		params, err := mlParams(tr.Params)
		if err != nil {
			return nil, err
		}
		if op := tr.GetTransformer(); op != nil {
			return ml.Apply(op.Name, op.Uid, params, in)
		}
		return mlObjects(t.s).Transform(tr.GetObjRef().GetId(), params, in)
	case *pb.MlRelation_Fetch:
		return t.mlAttribute(rel.Fetch, r.ModelSummaryDataset)
	}
	return nil, notSet("spark.connect.MlRelation", "MLTYPE_NOT_SET")
}

// mlAttribute asks a model for a relation. A training summary that was dropped is made again from the dataset that comes along.
func (t *translator) mlAttribute(f *pb.Fetch, dataset *pb.Relation) (plan.Node, error) {
	c := mlContext(context.Background(), t.s)
	v, err := t.mlFetch(c, f.ObjRef, f.Methods)
	if errs.ConditionOf(err) == "CONNECT_ML.MODEL_SUMMARY_LOST" && dataset != nil {
		data, terr := t.relation(dataset)
		if terr != nil {
			return nil, terr
		}
		if terr := mlObjects(t.s).CreateSummary(c, f.ObjRef.GetId(), data); terr != nil {
			return nil, terr
		}
		v, err = t.mlFetch(c, f.ObjRef, f.Methods)
	}
	if err != nil {
		return nil, err
	}
	n, ok := v.(plan.Node)
	if !ok {
		return nil, errs.Newf(errs.Invalid, "The attribute %s is not a relation.", f.Methods[len(f.Methods)-1].Method)
	}
	return n, nil
}
