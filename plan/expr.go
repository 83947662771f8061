package plan

import (
	"millrace/types"
)

// Expr is an expression tree. Children lists the direct sub-expressions; WithChildren makes the same expression over
// others, given in the same number and order.
type Expr interface {
	Children() []Expr
	WithChildren([]Expr) Expr
}

// Typed is a resolved expression: it knows its type and whether it may be null.
type Typed interface {
	Expr
	Type() *types.Type
	Nullable() bool
}

// Origin is where the user wrote an expression or relation; errors point at it.
type Origin struct {
	SQL         string // the whole statement
	Start, Stop int    // character offsets in SQL, inclusive
	Fragment    string // the DataFrame call's name
	CallSite    string
	DataFrame   bool
}

// EvalMode says what an overflow, a bad cast or a division by zero does.
type EvalMode uint8

// The modes: raise Spark's error; wrap or give null as before Spark 4; give null.
const (
	ModeDefault EvalMode = iota // the session's: the analyser replaces it
	ModeANSI
	ModeLegacy
	ModeTry
)

// The expressions that the front doors make.
type (
	// UnresolvedAttribute is a name such as a, t.a or t.s.f. PlanID ties it to the relation it was taken from (df.a).
	UnresolvedAttribute struct {
		Parts    []string
		PlanID   *int64
		Metadata bool
		Origin   *Origin
	}
	// UnresolvedStar is *, t.* or s.*; Except drops columns, Replace gives them other values.
	UnresolvedStar struct {
		Target []string
		PlanID *int64
		Except [][]string
		Origin *Origin
	}
	// UnresolvedRegex is the columns whose names match a Java regular expression (df.colRegex).
	UnresolvedRegex struct {
		Pattern string
		Target  []string
		PlanID  *int64
	}
	// UnresolvedFunction is a call by name; operators are functions: + - * / % div = <=> < <= > >= != and or not, in, like,
	// rlike, between, isnull, isnotnull, case (when, then, …, else), ||, [] (extract by key, index or field).
	UnresolvedFunction struct {
		Name        []string
		Args        []Expr
		Distinct    bool
		Filter      Expr
		OrderWithin []*SortOrder // WITHIN GROUP (ORDER BY …)
		IgnoreNulls bool
		Mode        EvalMode
		Origin      *Origin

		RespectNulls bool
	}
	// PythonUDF is a call of a function that the client has sent.
	PythonUDF struct {
		Function *PythonFunction
		Args     []Expr
		Distinct bool
		Origin   *Origin
	}
	// NamedArg is name => value in a call.
	NamedArg struct {
		Name  string
		Value Expr
	}
	// Window is a function over a window. WindowName refers to a WINDOW clause.
	Window struct {
		Function   Expr
		Partition  []Expr
		Order      []*SortOrder
		Frame      *Frame
		WindowName string
		Origin     *Origin // of the specification
	}
	// Subquery is a plan inside an expression.
	Subquery struct {
		Kind   SubqueryKind
		Plan   Node
		PlanID *int64 // Spark Connect: the plan is named by its id until it is resolved
		Values []Expr // x IN (…)
		Origin *Origin
	}
	// Lambda is (x, y) -> body.
	Lambda struct {
		Params []*LambdaVar
		Body   Expr
	}
	// LambdaVar is a lambda's parameter; ID is given by the analyser.
	LambdaVar struct {
		Name string
		ID   uint32
		T    *types.Type
		Null bool
	}
	// UpdateFields is withField (Value set) and dropFields (Value nil).
	UpdateFields struct {
		Struct Expr
		Field  string
		Value  Expr
	}
	// Parameter is :name or ? in a statement; Name is empty for ?, which has its place in Index.
	Parameter struct {
		Name   string
		Index  int
		Origin *Origin
	}
	// DefaultValue is the word DEFAULT in INSERT, UPDATE and MERGE.
	DefaultValue struct{}
)

// SubqueryKind is the way in which an expression uses a plan.
type SubqueryKind uint8

// The kinds of subqueries.
const (
	ScalarSubquery SubqueryKind = iota
	ExistsSubquery
	InSubquery
	TableArgSubquery
)

// Frame is a window's frame.
type Frame struct {
	Rows         bool // ROWS, else RANGE
	Lower, Upper Bound
}

// Bound is one end of a frame: unbounded, the current row, or an offset (negative: before).
type Bound struct {
	Unbounded, Current bool
	Reversed           bool // unbounded on the wrong side: a lower end that follows, or an upper one that precedes
	Offset             Expr
	Value              Expr // when resolved: the offset's value, or for RANGE the sum of the order's key and the offset
}

// Expressions that stand in both unresolved and resolved plans.
type (
	// Literal is a constant. Value is nil, bool, int64 (integrals, dates as days, timestamps as microseconds, intervals,
	// decimals of up to 18 digits unscaled), float64, string, []byte, decimal128.Num, vector-free lists []any (array elements, struct
	// fields, a map's keys and values in turn), or types.KindCalendar's vector.CalendarInterval.
	Literal struct {
		Value  any
		T      *types.Type
		Origin *Origin
		// Context names the function, such as current_timestamp, whose value in this statement it is.
		Context string
		// Shown is how a TIMESTAMP literal of SQL text is written in the session's zone; empty: in UTC.
		Shown string
	}
	// Alias names an expression; several names for generators. ID is zero until the analyser gives it one.
	Alias struct {
		Child    Expr
		Names    []string
		Metadata string
		ID       ID
	}
	// Cast converts. Implicit ones were put in by the analyser.
	Cast struct {
		Child    Expr
		To       *types.Type
		Mode     EvalMode
		Implicit bool
		Column   string // of a table, which the value is stored in
		Origin   *Origin
	}
	// SortOrder is a sort key. NullsDefault: first when ascending, last when descending.
	SortOrder struct {
		Child Expr
		Desc  bool
		Nulls NullOrder
	}
)

// NullOrder is where nulls sort.
type NullOrder uint8

// The places of nulls.
const (
	NullsDefault NullOrder = iota
	NullsFirst
	NullsLast
)

// NullsSortFirst resolves the default.
func (s *SortOrder) NullsSortFirst() bool {
	return s.Nulls == NullsFirst || s.Nulls == NullsDefault && !s.Desc
}

// ID identifies a column across a plan; the analyser gives each column that comes into being a fresh one.
type ID uint64

// Resolved expressions.
type (
	// Attribute is a column of an input.
	Attribute struct {
		ID        ID
		Name      string
		T         *types.Type
		Null      bool
		Qualifier []string
		Metadata  string // JSON object or empty
		PlanIDs   []int64
	}
	// Call is a resolved scalar, generator or (inside Aggregate and Window) aggregate or window function. Args have the types that
	// the kernel takes. Aggregate tells how Name is to be run.
	Call struct {
		Name          string
		Args          []Expr
		T             *types.Type
		Null          bool
		Mode          EvalMode
		Aggregate     bool
		WindowOnly    bool
		Generator     bool
		Distinct      bool
		Filter        Expr
		IgnoreNulls   bool
		Nondetermined bool // rand, uuid: not to be moved, copied or folded
		Draw          ID   // calls of chance with the same one give a row the same value; 0: each is its own
		Options       map[string]string
		Python        *PythonFunction // that is called; Name is PythonCall
		Pretty        string          // how Spark names a column of this call, where that is not derived from Name and Args
		Origin        *Origin
	}
	// Outer is a column of the query around a subquery.
	Outer struct {
		Attr *Attribute
	}
)
