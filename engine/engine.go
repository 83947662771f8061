package engine

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"

	"millrace/delta"
	"millrace/delta/log"
	"millrace/errs"
	"millrace/operators/expr"
	"millrace/plan"
	"millrace/plan/analyze"
	"millrace/plan/fn"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/session"
	"millrace/sql"
	"millrace/table"
	"millrace/table/avro"
	_ "millrace/table/functions" // kernels
	"millrace/table/protobuf"
	"millrace/txn"
	"millrace/types"
	"millrace/vector"
)

// Runner runs planned queries on workers.
type Runner interface {
	// Run starts a query. Cancelling ctx ends it within 100 ms.
	Run(ctx context.Context, q Query) (Rows, error)
	// Slots is the number of tasks that the workers run at once; at least 1.
	Slots() int
}

// Query is what a Runner runs; the last stage's tasks, read in order, are the result.
type Query struct {
	Name      string
	Stages    []*planpb.Stage
	Settings  *planpb.Settings
	Pipelined bool
}

// Rows is a running query's result.
type Rows interface {
	// Next is the next batch, valid until the following call; nil at the end.
	Next(ctx context.Context) (*vector.Batch, error)
	// Metrics are complete once Next has given nil.
	Metrics() session.Metrics
	Close() error
}

// Options are the engine's parts.
type Options struct {
	Runner    Runner
	Committer *txn.Committer
	Logs      *log.Cache
	Catalog   *Catalog
	Version   string // written into commits as the engine's
	Now       func() time.Time
	// StreamTable finds what a streaming read names, as far as its schema goes; nil: streaming reads are refused.
	StreamTable func(ctx context.Context, s *session.Session, r *plan.UnresolvedSource) (plan.StreamTable, error)
	SmallRows   int64 // how many rows one task handles alone; 0: the planner's own number
}

// Engine implements session.Engine. It is safe for concurrent use.
type Engine struct {
	o       Options
	footers *table.Footers
	frames  *frames

	compacted compactedPartitions
}

var (
	_ session.Cacher   = (*Engine)(nil)
	_ session.Recaller = (*Engine)(nil)
)

// New makes an engine.
func New(o Options) *Engine {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Engine{o: o, footers: table.NewFooters(0, 0), frames: newFrames(o.Runner)}
}

// Analyze implements session.Engine.
func (e *Engine) Analyze(ctx context.Context, s *session.Session, n plan.Node) (plan.Resolved, error) {
	st := e.statement(ctx, s)
	if c, ok := n.(plan.Command); ok {
		return st.commandSchema(c)
	}
	out, err := st.analyze(n)
	if err != nil {
		return nil, err
	}
	return out.(plan.Resolved), nil
}

// Execute implements session.Engine.
func (e *Engine) Execute(ctx context.Context, s *session.Session, n plan.Node) (session.Result, error) {
	if each, ok := n.(*plan.InsertEach); ok {
		return e.insertEach(ctx, s, each)
	}
	if c, ok := n.(plan.Command); ok {
		return e.execute(ctx, s, c, part{})
	}
	st := e.statement(ctx, s)
	resolved, err := st.analyze(n)
	if err != nil {
		return nil, err
	}
	st.haveRead()
	return st.query(resolved)
}

// statement is one request on its way through the engine.
type statement struct {
	e        *Engine
	ctx      context.Context
	s        *session.Session
	settings *planpb.Settings
	streams  streams
	metrics  session.Metrics       // of the last query that was run to its end for the statement itself
	observed []session.Observation // by all queries of the statement
	// looseStructs lets a struct that is stored lack fields of the column's, which are null then: a MERGE that evolves the schema.
	looseStructs bool
	creating     *plan.CreateFunction       // whose body is checked
	read         []*deltaTable              // the Delta tables that the statement reads
	seen         map[string]*delta.Snapshot // of each table the version that the statement has looked at first, by place: it looks at no other
	agreed       int                        // how many of these are known to show the same of every transaction of several tables
	writing      string                     // the place of the table that the statement writes, or empty
	draws        map[plan.ID]int64          // the seeds of what WITH queries draw
	part         part                       // of a statement that writes several times
	checking     bool                       // a write stops before anything is written
	unchanged    *deltaTable                // that the statement was to change rows of, and has not, or nil
}

func (e *Engine) statement(ctx context.Context, s *session.Session) *statement {
	return &statement{e: e, ctx: ctx, s: s, settings: &planpb.Settings{
		TimeZone:      s.Conf.Get("spark.sql.session.timeZone"),
		Ansi:          s.Conf.Bool("spark.sql.ansi.enabled"),
		CaseSensitive: s.Conf.Bool("spark.sql.caseSensitive"),
		NowMicros:     e.o.Now().UnixMicro(),
		Conf:          kernelSettings(s),
	}}
}

// kernelSettings are the session's settings that kernels look at, of those that differ from their defaults.
func kernelSettings(s *session.Session) map[string]string {
	var set map[string]string
	for key, usual := range expr.Settings {
		if v := s.Conf.Get(key); v != "" && v != usual {
			if set == nil {
				set = map[string]string{}
			}
			set[key] = v
		}
	}
	return set
}

func (st *statement) analyze(n plan.Node) (plan.Node, error) {
	before, fresh := len(st.read), len(st.seen) == 0
	for try := 0; ; try++ {
		out, err := analyze.Analyze(n, st, st.conf())
		if err == nil {
			err = st.agree()
		}
		if errs.ConditionOf(err) != tablesMoved || !fresh || try == maxLooks {
			return out, err
		}
		st.read, st.seen = st.read[:before], nil // a transaction of several of these tables was committed between their reading
	}
}

// maxLooks is how often a query looks at its tables anew while transactions over several of them are committed.
const maxLooks = 1000

func (st *statement) conf() analyze.Conf {
	return analyze.Conf{ANSI: st.settings.Ansi, CaseSensitive: st.settings.CaseSensitive, TimeZone: st.settings.TimeZone,
		NowMicros: st.settings.NowMicros, User: st.s.User, Database: st.database(), Get: st.s.Conf.Get, Eval: st.fold, ParseSchema: parseSchema, AvroType: avroType, ProtobufType: protobufType, TextsType: st.textsType, ParseInterval: sql.ParseInterval,
		Span: st.streams.Span, Variable: st.variable, Collect: st.collect}
}

func avroType(function, schema string, options map[string]string) (*types.Type, error) {
	c, err := avro.ParseConversion(function, schema, options)
	if err != nil {
		return nil, err
	}
	return c.Type, nil
}

func (st *statement) textsType(format string, options map[string]string, texts [][]byte) (*types.Type, error) {
	return table.InferTexts(format, options, st.settings.TimeZone, st.settings.NowMicros, st.settings.CaseSensitive, texts)
}

// protobufType is the struct that a call reads messages as; one that writes them has none.
func protobufType(function string, p *fn.Protobuf) (*types.Type, error) {
	if p.Path != "" {
		set, err := os.ReadFile(p.Path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil, errs.New("PROTOBUF_DESCRIPTOR_FILE_NOT_FOUND", "filePath", p.Path)
		case err != nil:
			return nil, errs.New("CANNOT_PARSE_PROTOBUF_DESCRIPTOR")
		}
		p.Set = append([]byte{}, set...)
	}
	m, err := protobuf.Find(p.Set, p.Message)
	if err != nil {
		return nil, err
	}
	o, err := protobuf.ParseOptions(p.Options)
	if err != nil || function != "from_protobuf" {
		return nil, err
	}
	return m.Type(o)
}

// parseSchema reads a type, or the columns of a table, as DDL or as JSON.
func parseSchema(text string) (*types.Type, error) {
	if t, err := sql.ParseType(text); err == nil {
		return t, nil
	}
	t, err := sql.ParseTypeOrSchema(text)
	if err != nil {
		if j, bad := types.ParseJSON([]byte(text)); bad == nil {
			return j, nil
		}
	}
	return t, err
}

func (st *statement) database() string {
	if ns := st.s.Namespace(); len(ns) > 0 {
		return ns[len(ns)-1]
	}
	return defaultNamespace
}
