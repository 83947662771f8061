package plan

import (
	"math"

	"millrace/types"
)

// Node is a relation. Children lists its inputs; WithChildren makes the same node over others.
type Node interface {
	Children() []Node
	WithChildren([]Node) Node
}

// Resolved is a node whose output is known. After analysis every relation of a query is one.
type Resolved interface {
	Node
	Output() []*Attribute
}

// Relations that only the analyser sees; it replaces all of them.
type (
	// UnresolvedRelation is a name: a view, a CTE, a table, or format.`path`.
	UnresolvedRelation struct {
		Parts     []string
		Options   map[string]string
		Travel    *TimeTravel
		Streaming bool
		Origin    *Origin
	}
	// UnresolvedSource is spark.read.format(…).schema(…).options(…).load(paths).
	UnresolvedSource struct {
		Format    string
		Schema    *types.Type // nil: to be inferred
		Options   map[string]string
		Paths     []string
		Streaming bool
	}
	// With is WITH name AS (…): in Body, names stand for the queries. Recursive ones may name themselves.
	With struct {
		CTEs      []CTE
		Recursive bool
		Body      Node
	}
	// UnresolvedTVF is a table-valued function: range(10), explode(…).
	UnresolvedTVF struct {
		Name   []string
		Args   []Expr
		Origin *Origin
	}
	// InlineTable is VALUES (…), (…) [AS t(a, b)].
	InlineTable struct {
		Names  []string
		Rows   [][]Expr
		Origin *Origin
	}
	// WithColumns adds or replaces columns by name.
	WithColumns struct {
		Input   Node
		Aliases []*Alias
	}
	// RenameColumns is withColumnsRenamed, in order.
	RenameColumns struct {
		Input Node
		Pairs [][2]string
	}
	// DropColumns is df.drop.
	DropColumns struct {
		Input Node
		Names []string
		Exprs []Expr
	}
	// ToDF renames all columns.
	ToDF struct {
		Input Node
		Names []string
	}
	// ToSchema is df.to(schema).
	ToSchema struct {
		Input  Node
		Schema *types.Type
	}
	// Deduplicate is dropDuplicates.
	Deduplicate struct {
		Input  Node
		Names  []string
		All    bool
		Within bool // within the watermark
	}
	// Pipe is an operator of SQL's pipes that has rules of its own. Op is EXTEND (Exprs after all columns), SET (Exprs are Aliases that take the
	// places of columns, each seeing those before it), DROP (Exprs are names), AGGREGATE (Groups, which may be places of input columns, in
	// front of Exprs), or empty: a boundary, below which names of what comes next are not looked for.
	Pipe struct {
		Input  Node
		Op     string
		Groups []Expr
		Exprs  []Expr
	}
	// Hint is a planner's hint: BROADCAST, REPARTITION, COALESCE, …; unknown ones are ignored as Spark does.
	Hint struct {
		Input Node
		Name  string
		Args  []Expr
	}
	// PlanID marks the relation to which a DataFrame's own column references are tied.
	PlanID struct {
		Input Node
		ID    int64
	}
	// Deferred becomes what Make gives once the columns of Input are known: a machine learning transformer reads types and metadata
	// of columns to say what it adds. Make is called once an analysis with a node that stands for Input, and must be pure.
	Deferred struct {
		Input Node
		Make  func(schema *types.Type, in Node) (Node, error)
	}
	// WithRelations gives plans that subquery expressions in Root name by their plan ids.
	WithRelations struct {
		Root Node
		Refs []Node
	}
)

// CTE is one WITH query.
type CTE struct {
	Name     string
	Columns  []string
	Query    Node
	MaxLevel int64 // MAX RECURSION LEVEL; 0: not given
}

// TimeTravel is VERSION AS OF (Version set) or TIMESTAMP AS OF.
type TimeTravel struct {
	Version   *int64
	Timestamp Expr
}

// Relations of resolved plans. Those with expressions stand in unresolved plans as well.
type (
	// Scan reads files of a table or source. Attributes are its chosen columns in order.
	Scan struct {
		Table  Table
		Attrs  []*Attribute
		Fields []int // Attrs[i] is column Fields[i] of Table.Schema()
		// Pushed holds conjuncts by which the table may leave out files, row groups and pages; a Filter above still applies them.
		Pushed []Expr
		Limit  int64 // 0: none; else the number of rows beyond which nobody reads
	}
	// StreamScan is what a streaming source yields. Rows is the relation that holds a micro-batch's span of it, and takes its place before
	// the plan is optimised; nil while no micro-batch runs, when only the columns are known.
	StreamScan struct {
		Source StreamTable
		Attrs  []*Attribute
		Rows   Node
	}
	// Analyzed stands for a resolved plan within one that is not: the analyser takes a copy with columns of its own.
	Analyzed struct{ Input Node }
	// LocalRelation is rows that came with the plan, as an Arrow IPC stream.
	LocalRelation struct {
		Attrs []*Attribute
		Arrow []byte
		Rows  int64
		T     *types.Type // the schema as the client gave it, until Attrs is set
	}
	// Range is spark.range; its one column is id.
	Range struct {
		Start, End, Step int64
		Partitions       int // 0: the cluster's default
		Attr             *Attribute
	}
	// OneRow is SELECT without FROM.
	OneRow struct{}
	// Project computes columns.
	Project struct {
		Input Node
		Exprs []Expr // resolved: Attribute or Alias
	}
	// Filter keeps the rows for which Condition is true.
	Filter struct {
		Input     Node
		Condition Expr
		Having    bool // unresolved HAVING over Aggregate
		Qualify   bool // unresolved QUALIFY over a SELECT
	}
	// Aggregate groups. Resolved: Groups are Attributes (the analyser computes others in a Project below), and each of Exprs, the output, is
	// one of them or an Alias directly over an aggregate Call; what is computed from those stands in a Project above.
	Aggregate struct {
		Input  Node
		Groups []Expr
		Exprs  []Expr
		Sets   [][]int // GROUPING SETS: places in Groups; nil: one plain set
		// DataFrame says that Groups go in front of Exprs in the output (df.groupBy().agg()).
		DataFrame bool
		// AllGroups is GROUP BY ALL.
		AllGroups bool
		// Deduplicate says that it is dropDuplicates: the first row of each group.
		Deduplicate bool
	}
	// Join pairs rows.
	Join struct {
		Left, Right Node
		Type        JoinType
		Condition   Expr     // nil: none
		Using       []string // unresolved USING (…)
		Natural     bool
		Lateral     bool
		Hint        string     // BROADCAST_LEFT, BROADCAST_RIGHT, or empty
		Exists      *Attribute // of an ExistenceJoin: whether the left row has a match
		SetOp       bool       // what INTERSECT or EXCEPT was
	}
	// AsOfJoin pairs each row of the left with at most one of the right, the nearest by LeftAsOf and RightAsOf; the analyser rewrites it.
	AsOfJoin struct {
		Left, Right         Node
		LeftAsOf, RightAsOf Expr
		Condition           Expr     // nil: none
		Using               []string // columns of equal values
		Tolerance           Expr     // nil: any distance
		Direction           AsOfDirection
		Exact               bool // what is equal matches
		Outer               bool // rows of the left without a match stay
	}
	// Sort orders all rows, or those of each partition when Local.
	Sort struct {
		Input Node
		Keys  []*SortOrder
		Local bool
	}
	// Limit keeps the first Count rows after skipping Offset; Count nil means all. Both are foldable.
	Limit struct {
		Input  Node
		Count  Expr
		Offset Expr
	}
	// Tail keeps the last rows.
	Tail struct {
		Input Node
		Count int64
	}
	// SetOp is UNION, INTERSECT or EXCEPT. ByName matches columns by name; Missing lets them lack.
	SetOp struct {
		Kind        SetOpKind
		Left, Right Node
		All         bool
		ByName      bool
		Missing     bool
	}
	// Union is the resolved form of UNION ALL over inputs of equal types.
	Union struct {
		Inputs []Node
		Attrs  []*Attribute
	}
	// Distinct removes duplicates.
	Distinct struct{ Input Node }
	// SubqueryAlias gives a name to a relation and, optionally, to its columns.
	SubqueryAlias struct {
		Input   Node
		Name    []string
		Columns []string
	}
	// Recursion is a recursive common table expression: the rows of Anchor, then those that Step makes of them, and so on until it makes none.
	Recursion struct {
		Anchor, Step Node
		Attrs        []*Attribute
		Loop         int64
		MaxLevel     int64 // of steps; 0: as the session says
		Limit        int64 // of rows that anybody reads; 0: none
		Unlimited    bool  // LIMIT ALL: there may be as many rows as there are
	}
	// RecursionRef stands in a Recursion's Step for the rows that were made last.
	RecursionRef struct {
		Loop  int64
		Attrs []*Attribute
	}
	// Sample keeps rows whose random number lies in [Lower, Upper).
	Sample struct {
		Input        Node
		Lower, Upper float64
		Replacement  bool
		Seed         int64
		Ordered      bool // sort each partition first, so that the same rows come out whatever their order was
	}
	// Repartition sets the number of partitions; Exprs partition by hash or, with Ranges, by range.
	Repartition struct {
		Input   Node
		N       int // 0: by size
		Exprs   []Expr
		Ranges  []*SortOrder
		Shuffle bool
		Direct  bool // the only one of Ranges is the number of the row's partition
		// Cut says that Bounds are known, the ends of all ranges but the last: an Arrow IPC stream with a column for each of Ranges, or nothing
		// where all rows are one range.
		Cut    bool
		Bounds []byte
		Parts  int
	}
	// WindowNode computes window functions; Exprs are Aliases over Window.
	WindowNode struct {
		Input Node
		Exprs []Expr
	}
	// Generate joins each row with a generator's rows (LATERAL VIEW, explode in SELECT).
	Generate struct {
		Input     Node
		Generator Expr
		Outer     bool
		Qualifier string
		Names     []string
		Attrs     []*Attribute
	}
	// PythonEval computes functions of Python for each row; Exprs are Aliases over their calls, all of one kind.
	PythonEval struct {
		Input Node
		Exprs []Expr
	}
	// PythonWindow computes functions of Python, all of one kind, over windows of one partitioning and order; Exprs are Aliases over their calls.
	// A function of a frame that is not the whole partition has the numbers of its first row and of the row behind its last as first arguments.
	PythonWindow struct {
		Input     Node
		Exprs     []Expr
		Partition []Expr // Attributes
		Order     []*SortOrder
		Bounded   []bool // by function
	}
	// PythonMap makes rows of rows by a function of Python: of all rows of a task, or with Keys of each group of rows, which together with the
	// group of the same RightKeys of Right if there is one.
	PythonMap struct {
		Input     Node
		Right     Node // nil: none
		Grouped   bool
		Keys      []Expr // resolved: Attributes
		RightKeys []Expr
		Values    []Expr // resolved: the columns that a function for groups is given
		RightVals []Expr
		Function  *PythonFunction
		Attrs     []*Attribute
	}
	// PythonAggregate is an Aggregate whose functions are of Python, all of one kind. Resolved only.
	PythonAggregate struct {
		Input  Node
		Groups []Expr
		Exprs  []Expr
	}
	// Expand makes of each row one row for every list of expressions.
	Expand struct {
		Input Node
		Lists [][]Expr
		Attrs []*Attribute
	}
	// StatefulAggregate is an aggregation of a streaming query in one micro-batch: Input is the batch's new rows, and what earlier
	// ones have come to is in State. Groups and Exprs are as in a resolved Aggregate.
	StatefulAggregate struct {
		Input  Node
		Groups []Expr
		Exprs  []Expr
		State  StateStore
		Mode   OutputMode
		// Time is 1 + the place in Groups of the one that has an event time, a time or a window; 0: none has.
		Time int
		// Late is the watermark below which new rows are dropped, Evict the one below which groups are final and leave the state, both
		// in microseconds since 1970; at NoWatermark nothing is.
		Late, Evict int64
	}
	// Watermark marks a column as the event time (withWatermark): a row may be late by Delay microseconds. The rows pass unchanged.
	Watermark struct {
		Input  Node
		Column Expr
		Delay  int64
		// Operator numbers the watermarks of a query from 1; 0 where nobody asks for the greatest event time.
		Operator int
	}
	// Observe is df.observe: aggregates over the rows that pass.
	Observe struct {
		Input   Node
		Name    string
		PlanID  int64
		Metrics []Expr
	}
	// ShowString is df.show: one row with the text.
	ShowString struct {
		Input    Node
		Rows     int
		Truncate int
		Vertical bool
		HTML     bool
	}
	// Stat is a df.stat, df.describe, df.summary or df.na call by name, with its parameters; the analyser rewrites it.
	Stat struct {
		Input Node
		Name  string // describe, summary, crosstab, cov, corr, approxQuantile, freqItems, transpose, sampleBy, fill, drop, replace
		Cols  []string
		Args  []any
		Exprs []Expr
	}
	// Pivot is GROUP BY … PIVOT. Without Values these are those that Column has.
	Pivot struct {
		Input      Node
		Groups     []Expr
		Rest       bool // the groups are all columns that neither Column nor Aggregates read, as in SQL
		Column     Expr
		Values     []Expr
		Aggregates []Expr
	}
	// ParseTexts is spark.read.json(df) and its like: the rows that are written in the texts of a column, which is the input's only one. Without a schema (nil) it is
	// inferred from all texts.
	ParseTexts struct {
		Input   Node
		Format  string // json, csv or xml
		Schema  *types.Type
		Options map[string]string
	}
	// Unpivot is df.unpivot and UNPIVOT.
	Unpivot struct {
		Input             Node
		IDs, Values       []Expr // Values nil: all others
		Variable, ValueAs string
		// SQL says that the text gave the values alone and IDs are all other columns. Its values may be rows of several columns
		// (Sets, to be called ValueNames), and Labels[i], where not empty, is what Variable holds for value i.
		SQL        bool
		Sets       [][]Expr
		ValueNames []string
		Labels     []string
		DropNulls  bool // rows all of whose values are null
	}
)

// StateStore names the state of one stateful operator of a streaming query, and a version of it: version n is what n batches
// have made.
type StateStore struct {
	Location   string // the checkpoint's directory of states
	Query, Run string // the streaming query's identifier and its run's: a worker's copy of the state is good for one run
	Operator   int    // from 0, in the plan's order
	Version    int64  // that the batch reads, which is the batch's number; it makes Version+1
	Partitions int    // fixed for the checkpoint's life
	// SnapshotEvery is after how many versions the state is written whole; Retain for how many versions it can be read again.
	SnapshotEvery, Retain int
	// Input identifies the batch's input (its offsets' text, say): a version that other input has made is refused. Empty: not checked.
	Input string
}

// OutputMode is what a streaming query gives to its sink of a result that changes.
type OutputMode uint8

// The output modes: rows that are final, rows that have changed, all rows.
const (
	AppendOutput OutputMode = iota
	UpdateOutput
	CompleteOutput
)

// NoWatermark is the watermark before the first event.
const NoWatermark = math.MinInt64

// JoinType is the kind of a join.
type JoinType uint8

// The kinds of joins, in the order of the physical plan's.
const (
	InnerJoin JoinType = iota
	LeftJoin
	RightJoin
	FullJoin
	SemiJoin
	AntiJoin
	CrossJoin
	NullAwareAntiJoin
	ExistenceJoin
)

// AsOfDirection is where an as-of join looks for the nearest row.
type AsOfDirection uint8

// The directions: not after, not before, either way.
const (
	AsOfBackward AsOfDirection = iota
	AsOfForward
	AsOfNearest
)

// SetOpKind is the kind of a set operation.
type SetOpKind uint8

// The set operations.
const (
	UnionOp SetOpKind = iota
	IntersectOp
	ExceptOp
)

// Table is a source of files that the planner can ask about without reading data. Implementations are in table/.
type Table interface {
	// Name is what messages and EXPLAIN call it.
	Name() string
	// Schema is a struct of all columns, partition columns included, in the table's order.
	Schema() *types.Type
	// Format is the reader's name: delta, parquet, csv, json, text.
	Format() string
	// Rows is the number of rows if the metadata has it, else -1.
	Rows() int64
	// SizeBytes is the size of the files, or -1.
	SizeBytes() int64
}

// Identified is a Table that says which rows it has: within a statement two of one identity have the same.
type Identified interface {
	Table
	Identity() string
}

// Located is a Table whose rows know where they come from: they have a column _metadata that nothing shows. In a Scan its members are the fields behind
// those of Schema, and what input_file_name shows is the one behind them.
type Located interface {
	Table
	// Members are those of the column; nil: there is none.
	Members() []types.Field
}

// Statistics is a Table that knows something of its columns' values. It is asked while queries are planned: metadata must do.
type Statistics interface {
	Table
	// ColumnStatistics is what is known of column i of Schema.
	ColumnStatistics(i int) (ColumnStatistics, bool)
}

// Exact is a Table whose metadata may answer for it. It is asked while queries are planned.
type Exact interface {
	Table
	// Exact is the number of rows that the table has, and of each of these columns of Schema the nulls, and the bounds, which are attained (nil: it
	// has nulls only); false unless all of this is certain.
	Exact(columns []int) (rows int64, known []ColumnStatistics, ok bool)
}

// ColumnStatistics tells of a column of a table: bounds in a Literal's form (nil: unknown), which need not be attained.
type ColumnStatistics struct {
	Min, Max any
	Nulls    int64 // -1: unknown
	Distinct int64 // 0: unknown
}

// StreamTable is a source that goes on: its rows are read span by span by a streaming query.
type StreamTable interface {
	Table
	Streaming()
}

// Streams lists the streaming sources of a resolved plan in the order in which they stand in it, those in subqueries of expressions left out.
func Streams(n Node) []*StreamScan {
	var out []*StreamScan
	Walk(n, func(n Node) bool {
		if s, ok := n.(*StreamScan); ok {
			out = append(out, s)
		}
		return true
	})
	return out
}
