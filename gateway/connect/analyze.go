package connect

import (
	"context"
	"hash/fnv"

	"millrace/errs"
	"millrace/plan"
	pb "millrace/proto/spark/connect"
	"millrace/session"
	"millrace/sql"
	"millrace/types"
)

// AnalyzePlan answers questions about plans without running them.
func (s *Service) AnalyzePlan(ctx context.Context, r *pb.AnalyzePlanRequest) (*pb.AnalyzePlanResponse, error) {
	sess, err := s.session(ctx, r)
	if err != nil {
		return nil, s.fail(r.SessionId, err)
	}
	out := &pb.AnalyzePlanResponse{SessionId: sess.ID, ServerSideSessionId: sess.ServerID}
	a := analysis{s: s, ctx: ctx, sess: sess, out: out}
	if err := a.answer(r); err != nil {
		return nil, s.fail(sess.ID, err)
	}
	return out, nil
}

type analysis struct {
	s    *Service
	ctx  context.Context
	sess *session.Session
	out  *pb.AnalyzePlanResponse
}

func (a *analysis) answer(r *pb.AnalyzePlanRequest) error {
	switch q := r.Analyze.(type) {
	case *pb.AnalyzePlanRequest_Schema_:
		return a.schema(q.Schema.Plan)
	case *pb.AnalyzePlanRequest_TreeString_:
		t, err := a.schemaOf(q.TreeString.Plan)
		if err != nil {
			return err
		}
		a.out.Result = &pb.AnalyzePlanResponse_TreeString_{TreeString: &pb.AnalyzePlanResponse_TreeString{
			TreeString: session.TreeString(t, int(q.TreeString.GetLevel()))}}
	case *pb.AnalyzePlanRequest_Explain_:
		return a.explain(q.Explain)
	case *pb.AnalyzePlanRequest_IsLocal_:
		n, err := a.node(q.IsLocal.Plan)
		if err != nil {
			return err
		}
		a.out.Result = &pb.AnalyzePlanResponse_IsLocal_{IsLocal: &pb.AnalyzePlanResponse_IsLocal{IsLocal: isLocal(n)}}
	case *pb.AnalyzePlanRequest_IsStreaming_:
		n, err := a.node(q.IsStreaming.Plan)
		if err != nil {
			return err
		}
		a.out.Result = &pb.AnalyzePlanResponse_IsStreaming_{IsStreaming: &pb.AnalyzePlanResponse_IsStreaming{IsStreaming: a.sess.Streaming(n)}}
	case *pb.AnalyzePlanRequest_SparkVersion_:
		a.out.Result = &pb.AnalyzePlanResponse_SparkVersion_{SparkVersion: &pb.AnalyzePlanResponse_SparkVersion{Version: a.s.o.Version}}
	case *pb.AnalyzePlanRequest_DdlParse:
		return a.ddl(q.DdlParse.DdlString)
	case *pb.AnalyzePlanRequest_JsonToDdl:
		t, err := types.ParseJSON([]byte(q.JsonToDdl.JsonString))
		if err != nil {
			return errs.Newf(errs.Invalid, "%v", err)
		}
		a.out.Result = &pb.AnalyzePlanResponse_JsonToDdl{JsonToDdl: &pb.AnalyzePlanResponse_JsonToDDL{DdlString: session.DDL(t)}}
	default:
		return a.more(r)
	}
	return nil
}

func (a *analysis) more(r *pb.AnalyzePlanRequest) error {
	switch q := r.Analyze.(type) {
	case *pb.AnalyzePlanRequest_InputFiles_:
		return a.inputFiles(q.InputFiles.Plan)
	case *pb.AnalyzePlanRequest_SameSemantics_:
		same, err := a.same(q.SameSemantics.TargetPlan, q.SameSemantics.OtherPlan)
		if err != nil {
			return err
		}
		a.out.Result = &pb.AnalyzePlanResponse_SameSemantics_{SameSemantics: &pb.AnalyzePlanResponse_SameSemantics{Result: same}}
	case *pb.AnalyzePlanRequest_SemanticHash_:
		root, _, err := operationOf(q.SemanticHash.Plan)
		if err != nil {
			return err
		}
		h := fnv.New32a()
		h.Write(canonical(root)) // a hash takes everything
		a.out.Result = &pb.AnalyzePlanResponse_SemanticHash_{SemanticHash: &pb.AnalyzePlanResponse_SemanticHash{Result: int32(h.Sum32())}}
	case *pb.AnalyzePlanRequest_Persist_:
		return a.persist(q.Persist)
	case *pb.AnalyzePlanRequest_Unpersist_:
		return a.unpersist(q.Unpersist.Relation)
	case *pb.AnalyzePlanRequest_GetStorageLevel_:
		return a.storageLevel(q.GetStorageLevel.Relation)
	case nil:
		return notSet("spark.connect.AnalyzePlanRequest", "ANALYZE_NOT_SET")
	default:
		return errs.Unsupportedf("The analysis %s is not supported.", kindOf(r, "analyze"))
	}
	return nil
}

func (a *analysis) node(p *pb.Plan) (plan.Node, error) {
	root, command, err := operationOf(p)
	if err != nil {
		return nil, err
	}
	if command != nil {
		return nil, errs.Unsupportedf("A command cannot be analyzed.")
	}
	return newTranslator(a.sess).plan(root)
}

func (a *analysis) schemaOf(p *pb.Plan) (*types.Type, error) {
	n, err := a.node(p)
	if err != nil {
		return nil, err
	}
	return a.sess.Schema(a.ctx, n)
}

func (a *analysis) schema(p *pb.Plan) error {
	t, err := a.schemaOf(p)
	if err != nil {
		return err
	}
	d, err := toDataType(t)
	a.out.Result = &pb.AnalyzePlanResponse_Schema_{Schema: &pb.AnalyzePlanResponse_Schema{Schema: d}}
	return err
}

var explainModes = map[pb.AnalyzePlanRequest_Explain_ExplainMode]string{
	pb.AnalyzePlanRequest_Explain_EXPLAIN_MODE_EXTENDED:  "extended",
	pb.AnalyzePlanRequest_Explain_EXPLAIN_MODE_CODEGEN:   "codegen",
	pb.AnalyzePlanRequest_Explain_EXPLAIN_MODE_COST:      "cost",
	pb.AnalyzePlanRequest_Explain_EXPLAIN_MODE_FORMATTED: "formatted",
}

func (a *analysis) explain(q *pb.AnalyzePlanRequest_Explain) error {
	n, err := a.node(q.Plan)
	if err != nil {
		return err
	}
	mode := explainModes[q.ExplainMode]
	if mode == "" {
		mode = "simple"
	}
	text, err := a.sess.Engine().Explain(a.ctx, a.sess, n, mode)
	a.out.Result = &pb.AnalyzePlanResponse_Explain_{Explain: &pb.AnalyzePlanResponse_Explain{ExplainString: text}}
	return err
}

// ddl parses a schema or a bare type.
func (a *analysis) ddl(text string) error {
	t, err := sql.ParseType(text)
	if err != nil {
		if t, err = sql.ParseSchema(text); err != nil {
			return err
		}
	}
	d, err := toDataType(t)
	a.out.Result = &pb.AnalyzePlanResponse_DdlParse{DdlParse: &pb.AnalyzePlanResponse_DDLParse{Parsed: d}}
	return err
}

// Files is an Engine that knows which files a plan reads.
type Files interface {
	InputFiles(ctx context.Context, s *session.Session, n plan.Node) ([]string, error)
}

func (a *analysis) inputFiles(p *pb.Plan) error {
	n, err := a.node(p)
	if err != nil {
		return err
	}
	e, ok := a.sess.Engine().(Files)
	if !ok {
		return errs.Unsupportedf("inputFiles is not supported.")
	}
	files, err := e.InputFiles(a.ctx, a.sess, n)
	a.out.Result = &pb.AnalyzePlanResponse_InputFiles_{InputFiles: &pb.AnalyzePlanResponse_InputFiles{Files: files}}
	return err
}

func (a *analysis) same(x, y *pb.Plan) (bool, error) {
	l, _, err := operationOf(x)
	if err != nil {
		return false, err
	}
	r, _, err := operationOf(y)
	return string(canonical(l)) == string(canonical(r)), err
}

func isLocal(n plan.Node) bool {
	switch n := n.(type) {
	case *plan.LocalRelation:
		return true
	case *plan.PlanID:
		return isLocal(n.Input)
	}
	return false
}

func (a *analysis) relation(r *pb.Relation) (plan.Node, error) { return newTranslator(a.sess).plan(r) }

func (a *analysis) persist(q *pb.AnalyzePlanRequest_Persist) error {
	n, err := a.relation(q.Relation)
	if err != nil {
		return err
	}
	level := session.DefaultLevel
	if q.StorageLevel != nil {
		level = levelOf(q.StorageLevel)
	}
	a.out.Result = &pb.AnalyzePlanResponse_Persist_{Persist: &pb.AnalyzePlanResponse_Persist{}}
	return a.sess.Persist(a.ctx, n, level)
}

func (a *analysis) unpersist(r *pb.Relation) error {
	n, err := a.relation(r)
	if err != nil {
		return err
	}
	a.out.Result = &pb.AnalyzePlanResponse_Unpersist_{Unpersist: &pb.AnalyzePlanResponse_Unpersist{}}
	return a.sess.Unpersist(a.ctx, n)
}

func (a *analysis) storageLevel(r *pb.Relation) error {
	n, err := a.relation(r)
	if err != nil {
		return err
	}
	l, err := a.sess.StorageLevel(a.ctx, n)
	a.out.Result = &pb.AnalyzePlanResponse_GetStorageLevel_{GetStorageLevel: &pb.AnalyzePlanResponse_GetStorageLevel{StorageLevel: &pb.StorageLevel{
		UseDisk: l.Disk, UseMemory: l.Memory, UseOffHeap: l.OffHeap, Deserialized: l.Deserialized, Replication: int32(l.Replication)}}}
	return err
}

func levelOf(l *pb.StorageLevel) session.StorageLevel {
	return session.StorageLevel{Disk: l.UseDisk, Memory: l.UseMemory, OffHeap: l.UseOffHeap, Deserialized: l.Deserialized,
		Replication: int(l.Replication)}
}
