package analyze

import (
	"millrace/errs"
	"millrace/plan"
	"millrace/plan/fn"
	"millrace/types"
)

// Catalog finds what a plan names. Its errors are the user's: TABLE_OR_VIEW_NOT_FOUND, PATH_NOT_FOUND and the like.
type Catalog interface {
	// Relation finds a view or a table by the parts of its name; format.`path` is also a name.
	Relation(r *plan.UnresolvedRelation) (Relation, error)
	// Source finds the table that a reader describes, its schema inferred if need be.
	Source(s *plan.UnresolvedSource) (plan.Table, error)
	// Function finds a function that a user wrote in SQL; nil when there is none.
	Function(name []string) (*plan.CreateFunction, error)
	// In is what names mean in a text that was written when a schema was the current one: temporary objects are not among them.
	In(schema string) Catalog
}

// Relation is what a name stands for: a table, or a view's plan.
type Relation struct {
	// Name qualifies the columns: spark_catalog.default.t for a table, the view's name for a temporary view.
	Name  []string
	Table plan.Table
	View  plan.Node
	// Analyzed says that View is a resolved plan; its columns are given fresh ids.
	Analyzed bool
	// Within is the schema in which the names in an unresolved View are looked up; empty: that of who uses it.
	Within string
	// ANSI is how an unresolved View computes; nil: as who uses it.
	ANSI *bool
	// Promise is what an unresolved View's columns are to be; nil: what its query has.
	Promise *Promise
}

// Promise is the columns that a view has by its record, though the tables below it may have changed.
type Promise struct {
	Mode    string   // as in plan.CreateView
	Query   []string // the query's columns by name, in the order of Columns
	Columns []types.Field
	Remedy  string // the statement that makes the view anew
	// Changed is told the columns that the view has now, by the modes that let them change.
	Changed func(now *types.Type) error
}

// Conf is the part of a session that analysis depends on.
type Conf struct {
	ANSI          bool
	CaseSensitive bool
	TimeZone      string
	NowMicros     int64  // current_timestamp() of the statement
	User          string // current_user()
	Database      string // current_schema(); empty: default
	CatalogName   string // current_catalog(); empty: spark_catalog
	// Get reads a configuration key; nil: all are unset.
	Get func(key string) string
	// Eval computes an expression without columns; nil: only literals are constants.
	Eval func(plan.Expr) (*plan.Literal, error)
	// Collect runs a resolved relation and returns its first rows, at most limit, in plan.Literal's form; nil: what needs that is refused.
	Collect func(n plan.Node, limit int) ([][]any, error)
	// ParseSchema reads a type or the columns of a table; nil: schemas in functions' arguments are not known.
	ParseSchema func(text string) (*types.Type, error)
	// AvroType is the type as which a function on Avro values with these options reads those of a schema's JSON.
	AvroType func(function, schema string, options map[string]string) (*types.Type, error)
	// TextsType infers the schema of texts of a format, in which nil is a null.
	TextsType func(format string, options map[string]string, texts [][]byte) (*types.Type, error)
	// ProtobufType is the same for functions on Protobuf messages; it reads the file of p.Path into p.Set.
	ProtobufType func(function string, p *fn.Protobuf) (*types.Type, error)
	// ParseInterval reads an interval such as "1 day 2 hours"; nil: window's durations are numbers only.
	ParseInterval func(text string) (months, days int32, micros int64, err error)
	// Span is the relation, resolved or not, of the rows that a micro-batch reads of a streaming source; nil: there is no micro-batch.
	Span func(plan.StreamTable) (plan.Node, error)
	// Variable finds a session variable; nil: there are none.
	Variable func(name []string) (*plan.Literal, []string)
	// Parameters are the values of :name and of ? by their places.
	Parameters map[string]plan.Expr
	Positional []plan.Expr
}

func newAnalyzer(c Catalog, conf Conf) *analyzer {
	a := &analyzer{catalog: c, conf: conf, blocks: map[plan.Node]*block{}, hidden: map[plan.Node][]*plan.Attribute{}, observed: map[string]int64{}, madeOf: map[plan.Node][]plan.Node{}, sealed: map[plan.Node]bool{}, made: map[plan.ID][]*plan.Attribute{},
		located: map[*plan.Scan][]*plan.Attribute{}, further: map[plan.ID]*plan.Call{}}
	a.fn = &fn.Context{ANSI: conf.ANSI, CaseSensitive: conf.CaseSensitive, TimeZone: conf.TimeZone, Conf: conf.get, ParseSchema: conf.ParseSchema, AvroType: conf.AvroType,
		ProtobufType: conf.ProtobufType}
	return a
}

// Analyze resolves a query, or the queries in a command.
func Analyze(n plan.Node, c Catalog, conf Conf) (plan.Node, error) {
	a := newAnalyzer(c, conf)
	out, err := a.root(n)
	if err != nil {
		return nil, err
	}
	if out, err = a.finish(out); err != nil {
		return nil, err
	}
	if left := outerColumns(out); len(left) > 0 {
		return nil, errs.Unsupportedf("a correlated subquery in this place is not supported: it reads the column %s", types.Quote(left[0].Name))
	}
	return out, nil
}

// Expression resolves an expression over columns that are given, for commands that hold conditions (DELETE, MERGE).
func Expression(e plan.Expr, over plan.Node, c Catalog, conf Conf) (plan.Expr, error) {
	a := newAnalyzer(c, conf)
	a.last = plan.MaxID(over)
	out, err := a.expr(newScope(over), e)
	if err != nil {
		return nil, err
	}
	return plan.TransformExpr(out, a.constants)
}

func (c Conf) get(key string) string {
	if c.Get == nil {
		return ""
	}
	return c.Get(key)
}

func (c Conf) mode() plan.EvalMode {
	if c.ANSI {
		return plan.ModeANSI
	}
	return plan.ModeLegacy
}

// analyzer is one analysis.
type analyzer struct {
	catalog  Catalog
	conf     Conf
	fn       *fn.Context
	last     plan.ID
	lambdas  uint32
	ctes     []map[string]*cte                // innermost last
	refs     map[int64]plan.Node              // plans that subqueries name by id
	outer    *scope                           // the query around the one being resolved
	blocks   map[plan.Node]*block             // aggregations that ORDER BY may still add to, by their topmost node
	hidden   map[plan.Node][]*plan.Attribute  // columns that USING hides, by projection
	madeOf   map[plan.Node][]plan.Node        // the relations whose columns a node has again, where they are not its inputs
	observed map[string]int64                 // the relations of observations, by name
	located  map[*plan.Scan][]*plan.Attribute // the hidden columns of scans that were asked for
	sealed   map[plan.Node]bool               // relations below which no name is looked for: the stages of a pipe
	made     map[plan.ID][]*plan.Attribute    // columns of generators in SELECT lists, by their aliases
	further  map[plan.ID]*plan.Call           // aggregate calls in subqueries that belong to the query around, by the columns that stand for them
	depth    int
	function *function // whose body is being resolved
}

func (a *analyzer) id() plan.ID {
	a.last++
	return a.last
}

// alias names an expression with a fresh id.
func (a *analyzer) alias(e plan.Expr, name string) *plan.Alias {
	return &plan.Alias{Child: e, Names: []string{name}, ID: a.id()}
}

func (a *analyzer) root(n plan.Node) (plan.Node, error) {
	if c, ok := n.(plan.Command); ok {
		return a.command(c)
	}
	return a.node(n)
}

func output(n plan.Node) []*plan.Attribute {
	if r, ok := n.(plan.Resolved); ok {
		return r.Output()
	}
	return nil
}

func exprsOf(attrs []*plan.Attribute) []plan.Expr {
	out := make([]plan.Expr, len(attrs))
	for i, a := range attrs {
		out[i] = a
	}
	return out
}

// at adds to an error the place of the expression that caused it, unless it has one.
func at(err error, o *plan.Origin) error {
	e, ok := err.(*errs.Error)
	if !ok || o == nil || len(e.Context) > 0 {
		return err
	}
	c := errs.QueryContext{DataFrame: o.DataFrame, Start: o.Start, Stop: o.Stop, Fragment: o.Fragment, CallSite: o.CallSite, SQL: o.SQL}
	if !o.DataFrame && c.Fragment == "" {
		if r := []rune(o.SQL); o.Start >= 0 && o.Start <= o.Stop && o.Stop < len(r) {
			c.Fragment = string(r[o.Start : o.Stop+1])
		}
	}
	return e.With(c)
}

// maxDepth bounds the nesting of views and subqueries.
const maxDepth = 100
