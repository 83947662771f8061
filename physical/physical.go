package physical

import (
	"context"

	"millrace/plan"
	"millrace/plan/estimate"
	planpb "millrace/proto/millrace/plan/v1"
)

// Source is a table that can plan its own scan.
type Source interface {
	plan.Table
	// PlanScan returns the scan of the chosen columns and the splits of all files that may hold rows for the predicate.
	PlanScan(ctx context.Context, r ScanRequest) (*planpb.FileScan, []*planpb.FileSplit, error)
}

// ScanRequest is what a query wants of a table.
type ScanRequest struct {
	Fields    []int          // places in the table's schema, in output order
	Predicate []*planpb.Expr // conjuncts over the output's ordinals, to skip by
	Limit     int64          // rows beyond which nobody reads; 0: none
}

// Options are the cluster's size and the session's settings.
type Options struct {
	Cores             int   // task slots in the whole cluster
	ShufflePartitions int   // partitions of an exchange of large inputs; 0: Cores
	BroadcastBytes    int64 // an input of at most so many bytes is sent to every task of a join; 0: never
	PipelinedBytes    int64 // a query that scans at most so many bytes runs all stages at once
	// Split bins file splits into at most max lists of about equal size, cutting large files.
	Split     func(files []*planpb.FileSplit, max int) [][]*planpb.FileSplit
	BloomBits int64 // up to so many bits has a filter that one side of a join makes for the other; 0: there are none
	// SmallRows is how many rows one task may handle alone; 0: 100,000.
	SmallRows int64
	// Sample runs a sampling query and returns upper bounds that cut its rows into about equal parts, as an Arrow stream of one
	// batch, and their number (0: all keys are equal). Nil: large orders are merged by one task.
	Sample func(ctx context.Context, r SampleRequest) (bounds []byte, n int, err error)
	// Python is what functions of Python find; nil: those are refused.
	Python func() (*PythonEnv, error)
	// Adaptive is how stages may be changed while the query runs; nil: not at all.
	Adaptive *Adaptive
}

// Query is a planned query. The last stage's tasks, read in order, give the result.
type Query struct {
	Stages    []*planpb.Stage
	Output    []*plan.Attribute
	Pipelined bool
	ScanBytes int64
	Observed  []Observed
}

// Observed is an observation that a query makes on its way. A relation that is planned twice is observed twice, each time as a whole.
type Observed struct {
	Operator uint32
	Name     string
	PlanID   int64
	Attrs    []*plan.Attribute // of Observe's results
	Observe  *planpb.Observe
}

// Plan makes the stages of a resolved, optimised relation.
func Plan(ctx context.Context, n plan.Node, o Options) (*Query, error) {
	return planned(ctx, n, nil, o)
}

// PlanWrite makes the stages that run a relation and write its rows by the sink; the result is the sink's rows about files.
func PlanWrite(ctx context.Context, n plan.Node, sink *planpb.FileSink, o Options) (*Query, error) {
	return planned(ctx, n, sink, o)
}

// planOnce makes the stages of a relation, with a sink or without.
func planOnce(ctx context.Context, n plan.Node, sink *planpb.FileSink, o Options) (*Query, error) {
	p := newPlanner(ctx, o)
	p.staged, p.repeated = mayStop(n), repeats(n)
	root, err := p.buildRoot(n)
	if err != nil {
		return nil, err
	}
	if sink != nil {
		attrs := sinkAttrs(sink.Changes != nil)
		root.wrap(p.op(attrs, &planpb.Operator{Kind: &planpb.Operator_FileSink{FileSink: sink}}), attrs)
	}
	return p.finish(root), nil
}

type planner struct {
	ctx       context.Context
	o         Options
	stages    []*planpb.Stage
	lastOp    uint32
	lastID    plan.ID
	scanBytes int64
	staged    bool              // whatever its size
	same      map[string]uint32 // the stages that others may read, too, by what they do
	est       *estimate.Estimator
	repeated  map[plan.Node]bool // the joins and aggregations of which there is another alike
	observed  []Observed
}

func newPlanner(ctx context.Context, o Options) *planner {
	if o.Cores < 1 {
		o.Cores = 1
	}
	if o.ShufflePartitions < 1 {
		o.ShufflePartitions = o.Cores
	}
	if o.SmallRows == 0 {
		o.SmallRows = 100_000
	}
	return &planner{ctx: ctx, o: o, lastID: 1 << 62, est: estimate.New(), same: map[string]uint32{}}
}

// fresh makes a column that stands in no logical plan.
func (p *planner) fresh(a plan.Attribute) *plan.Attribute {
	p.lastID++
	a.ID = p.lastID
	return &a
}

func (p *planner) finish(root *part) *Query {
	p.endStage(root, &planpb.Partitioning{Kind: planpb.Partitioning_SINGLE, Partitions: 1})
	markIndeterminate(p.stages)
	return &Query{Stages: p.stages, Output: root.attrs, Pipelined: !p.staged && p.scanBytes <= p.o.PipelinedBytes, ScanBytes: p.scanBytes,
		Observed: p.observed}
}

// part is a stage in the making.
type part struct {
	op     *planpb.Operator
	attrs  []*plan.Attribute
	tasks  int
	inputs []uint32
	splits map[uint32][][]*planpb.FileSplit // by scan operator: one list a task
	blocks []taskBlock                      // what CacheScans read
	fixed  bool                             // the number of tasks was asked for
	homes  []string                         // by task: the one worker where it can run, or empty; may be short
	hashed [][]plan.ID                      // rows with equal values in one of these sets of columns are in one task
	rows   float64                          // estimated
	bytes  float64

	sorted   *planpb.Operator // while it is op, each task's rows are sorted by sortedBy
	sortedBy []*planpb.SortKey
}

// op numbers an operator and gives it its output columns.
func (p *planner) op(attrs []*plan.Attribute, o *planpb.Operator) *planpb.Operator {
	p.lastOp++
	o.Id = p.lastOp
	o.Output = columns(attrs)
	return o
}

// wrap puts an operator on top of the part.
func (t *part) wrap(o *planpb.Operator, attrs []*plan.Attribute) {
	o.Children = []*planpb.Operator{t.op}
	t.op, t.attrs = o, attrs
}

// endStage closes a stage and returns its number.
func (p *planner) endStage(t *part, to *planpb.Partitioning) uint32 {
	s := &planpb.Stage{Id: uint32(len(p.stages)), Root: t.op, Partitioning: to, Tasks: int32(t.tasks), Inputs: t.inputs,
		TaskInputs: t.taskInputs(), Adaptive: p.adaptive(t)}
	p.stages = append(p.stages, s)
	return s.Id
}

// exchange ends the part's stage and starts one that reads its output.
func (p *planner) exchange(t *part, to *planpb.Partitioning, merge []*planpb.SortKey) *part {
	stage := p.share(t, to)
	tasks := int(to.Partitions)
	if to.Kind == planpb.Partitioning_SINGLE {
		tasks = 1
	}
	return &part{
		op:    p.op(t.attrs, &planpb.Operator{Kind: &planpb.Operator_ExchangeSource{ExchangeSource: &planpb.ExchangeSource{Stage: stage, Merge: merge}}}),
		attrs: t.attrs, tasks: tasks, inputs: []uint32{stage}, rows: t.rows, bytes: t.bytes,
	}
}

// single gathers a part into one task.
func (p *planner) single(t *part, merge []*planpb.SortKey) *part {
	if t.tasks == 1 {
		return t
	}
	return p.exchange(t, &planpb.Partitioning{Kind: planpb.Partitioning_SINGLE, Partitions: 1}, merge)
}

// partitions is how many tasks should share so many rows.
func (p *planner) partitions(rows float64) int {
	if rows <= float64(p.o.SmallRows) {
		return 1
	}
	return p.o.ShufflePartitions
}

// build makes the part of a relation and says how many rows it is thought to have.
func (p *planner) build(n plan.Node) (*part, error) {
	if err := p.ctx.Err(); err != nil {
		return nil, err
	}
	t, err := p.buildNode(n)
	if err != nil {
		return nil, err
	}
	t.rows = p.est.Of(n).Rows
	t.bytes = t.rows * RowBytes(t.attrs)
	return t, nil
}

func (p *planner) buildNode(n plan.Node) (*part, error) {
	switch n := n.(type) {
	case *plan.Scan:
		return p.scan(n)
	case *plan.LocalRelation:
		return p.values(n), nil
	case *plan.OneRow:
		return p.rangeOf(&plan.Range{Start: 0, End: 1, Step: 1, Partitions: 1}, nil), nil
	case *plan.Range:
		return p.rangeOf(n, []*plan.Attribute{n.Attr}), nil
	case *plan.Project:
		return p.project(n)
	case *plan.Filter:
		return p.filter(n)
	case *plan.Aggregate:
		return p.aggregate(n)
	case *plan.StatefulAggregate:
		return p.statefulAggregate(n)
	case *plan.Watermark:
		return p.watermark(n)
	case *plan.Observe:
		return p.observe(n)
	case *plan.Distinct:
		return p.distinct(n)
	case *plan.Join:
		return p.join(n)
	case *reducedNode:
		return p.reducedScan(n)
	case *plan.Sort:
		return p.sort(n)
	case *plan.Limit:
		return p.limit(n)
	case *plan.Union:
		return p.union(n)
	case *plan.Sample:
		return p.sample(n)
	case *plan.Repartition:
		return p.repartition(n)
	case *plan.Expand:
		return p.expand(n)
	case *plan.Generate:
		return p.generate(n)
	case *plan.WindowNode:
		return p.window(n)
	case *plan.PythonEval:
		return p.pythonEval(n)
	case *plan.PythonWindow:
		return p.pythonWindow(n)
	case *plan.PythonMap:
		return p.pythonMap(n)
	case *plan.PythonAggregate:
		return p.pythonAggregate(n)
	}
	return nil, refused(n)
}
