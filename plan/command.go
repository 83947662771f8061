package plan

import "millrace/types"

// Command is a node that changes something or reports about it. The session runs it once and answers with a small
// relation. Queries inside it are analysed like any other.
type Command interface {
	Node
	command()
}

// SaveMode is what a write does when there is something already.
type SaveMode uint8

// The save modes.
const (
	SaveErrorIfExists SaveMode = iota
	SaveAppend
	SaveOverwrite
	SaveIgnore
)

// Commands.
type (
	// Write is df.write: to a path (Path set) or a table (Table set; SaveAsTable or insertInto).
	Write struct {
		Input       Node
		Format      string
		Path        string
		Table       []string
		InsertInto  bool
		Mode        SaveMode
		PartitionBy []string
		SortBy      []string
		BucketBy    []string
		Buckets     int
		ClusterBy   []string
		Options     map[string]string
	}
	// WriteV2 is df.writeTo(table).<Action>().
	WriteV2 struct {
		Input       Node
		Table       []string
		Provider    string
		Action      string // create, replace, createOrReplace, append, overwrite, overwritePartitions
		Condition   Expr
		Options     map[string]string
		Properties  map[string]string
		PartitionBy []Expr
		ClusterBy   []string
	}
	// Insert is INSERT INTO | OVERWRITE | INTO … REPLACE WHERE.
	Insert struct {
		Table        []string
		Input        Node
		Columns      []string
		ByName       bool
		Overwrite    bool
		Partition    map[string]Expr // nil value: dynamic
		ReplaceIf    Expr
		Matching     string   // USING or ON: rows that match new ones are replaced
		MatchColumns []string // of USING
		MatchText    string   // the condition of ON
		Alias        string   // of the table, in that condition
		IfNotExists  bool
		// SchemaEvolution adds columns to the table that only the rows have.
		SchemaEvolution bool
	}
	// InsertEach is FROM … INSERT … INSERT: Inserts and Writes to directories, which are done in order, each by itself.
	InsertEach struct{ Inserts []Node }
	// CreateTable is CREATE [OR REPLACE] TABLE, with a query (CTAS) or columns.
	CreateTable struct {
		Name        []string
		Columns     []ColumnDef
		Provider    string
		Location    string
		PartitionBy []string
		ClusterBy   []string
		Comment     string
		Properties  map[string]string
		Options     map[string]string
		Query       Node
		IfNotExists bool
		Like        []string    // the table whose columns, or with Clone whose rows, the new one gets
		Clone       string      // shallow, deep or empty
		LikeTravel  *TimeTravel // of a clone
		Replace     bool        // REPLACE, or with OrCreate CREATE OR REPLACE
		OrCreate    bool
		Buckets     int // rows go to so many files by the hash of BucketBy, each in the order of SortBy; 0: they do not
		BucketBy    []string
		SortBy      []string
		Collation   string // of the strings of which nothing else is said; empty: the schema's
	}
	// CreateView is CREATE VIEW, createOrReplaceTempView and, with Alter, ALTER VIEW … AS. Text is the query's own text; empty: it was not made by SQL.
	CreateView struct {
		Name        []string
		Query       Node
		Text        string
		Columns     []ColumnDef
		Temp        bool
		Global      bool
		Replace     bool
		Alter       bool
		IfNotExists bool
		Comment     string
		Properties  map[string]string
		Collation   string // of the strings of which the query says nothing else; empty: the default one
		Mode        string // BINDING, COMPENSATION, TYPE EVOLUTION or EVOLUTION; empty: not said
		ModeOrigin  *Origin
	}
	// Drop is DROP TABLE | VIEW | SCHEMA.
	Drop struct {
		Kind     string // table, view, schema
		Name     []string
		IfExists bool
		Cascade  bool
		Purge    bool
	}
	// CreateNamespace is CREATE SCHEMA.
	CreateNamespace struct {
		Name        []string
		IfNotExists bool
		Location    string
		Comment     string
		Properties  map[string]string
		Collation   string
	}
	// Use is USE [SCHEMA] name.
	Use struct{ Name []string }
	// Show is SHOW TABLES | SCHEMAS | COLUMNS | TBLPROPERTIES | CREATE TABLE | PARTITIONS | FUNCTIONS | VIEWS.
	Show struct {
		Kind      string
		Name      []string
		Pattern   string
		Partition map[string]Expr // nil: not said
		Scope     string          // of functions: user, system or all
	}
	// Describe is DESCRIBE TABLE | HISTORY | DETAIL | QUERY | FUNCTION | SCHEMA, or of one Column (kind column), or AS JSON (json).
	Describe struct {
		Kind     string
		Column   []string
		Name     []string // a table's name, or format and path
		Path     string
		Query    Node
		Extended bool
		Limit    *int64
		// Partition, of a table: nil where not said.
		Partition map[string]Expr
	}
	// Analyze is ANALYZE TABLE, or with Schema ANALYZE TABLES of the schema Name.
	Analyze struct {
		Name      []string
		Schema    bool
		Partition map[string]Expr // nil value: any
		NoScan    bool
		Columns   []string // FOR COLUMNS
		All       bool     // FOR ALL COLUMNS
	}
	// AlterNamespace is ALTER SCHEMA and COMMENT ON SCHEMA; what is not said stays as it is.
	AlterNamespace struct {
		Name       []string
		Properties map[string]string
		Unset      []string
		Location   string
		Collation  string
		Comment    *string
	}
	// Truncate is TRUNCATE TABLE.
	Truncate struct {
		Name      []string
		Partition map[string]Expr
	}
	// Restore is RESTORE TABLE … TO VERSION | TIMESTAMP AS OF.
	Restore struct {
		Name   []string
		Path   string
		Travel *TimeTravel
	}
	// Set is SET [key[=value]] and RESET [key].
	Set struct {
		Key   string
		Value *string
		Reset bool
		Shown bool // a RESET that answers with the value that holds then: SET TIME ZONE LOCAL
	}
	// Explain is EXPLAIN of a plan; Mode simple, extended, formatted, cost, codegen, analyze.
	Explain struct {
		Mode  string
		Input Node
	}
	// Cache is CACHE | UNCACHE TABLE, CLEAR CACHE, REFRESH.
	Cache struct {
		Kind     string // cache, uncache, clear, refresh
		Name     []string
		Lazy     bool
		IfExists bool
		Options  map[string]string
		Query    Node
		Origin   *Origin // of the name
	}
	// Delete is DELETE FROM. Target is a relation, which may have an alias.
	Delete struct {
		Target    Node
		Condition Expr // nil: all rows
	}
	// Update is UPDATE … SET; Values[i] goes to the column that Columns[i] names.
	Update struct {
		Target          Node
		Columns, Values []Expr
		Condition       Expr
	}
	// Merge is MERGE INTO.
	Merge struct {
		Target, Source  Node
		On              Expr
		Clauses         []*MergeClause
		SchemaEvolution bool
	}
	// Optimize is OPTIMIZE.
	Optimize struct {
		Name  []string
		Path  string
		Where Expr
		ZBy   []string
		Full  bool
		Purge bool // REORG … APPLY (PURGE)
	}
	// Vacuum is VACUUM.
	Vacuum struct {
		Name   []string
		Path   string
		Hours  *float64 // nil: the table's own retention
		DryRun bool
		Lite   bool
	}
	// AlterTable is ALTER TABLE and ALTER VIEW.
	AlterTable struct {
		Name    []string
		View    bool
		Actions []AlterAction
	}
	// CreateFunction is CREATE FUNCTION of a function written in SQL: an expression (Body), or a query for its rows or its one value.
	CreateFunction struct {
		Python        *PythonFunction // of one that a client has sent, and nothing else but Name and Temp
		Name          []string
		Temp          bool
		Replace       bool
		IfNotExists   bool
		Params        []FunctionParam
		Returns       *types.Type // nil: a table function, or as the body says
		Table         bool
		Columns       []ColumnDef // of a table function; nil: as the query says
		Body          Expr
		Query         Node
		Comment       string
		NotDetermined bool
		Determined    bool
		Access        string            // CONTAINS SQL or READS SQL DATA, where it was said
		Collation     string            // of literals and types STRING of which nothing else is said; empty: the default one
		ANSI          bool              // how it computes
		Created       int64             // in milliseconds; 0: not known
		Settings      map[string]string // of the session that made it
		BodyText      string
		Text          string // the whole statement
	}
	// DropFunction is DROP [TEMPORARY] FUNCTION.
	DropFunction struct {
		Name     []string
		Temp     bool
		IfExists bool
	}
	// DeclareVariables is DECLARE: Default is nil for NULL, Type for that of the default.
	DeclareVariables struct {
		Names   [][]string
		Type    *types.Type
		Default Expr
		Text    string // of the default
		Replace bool
		Origin  *Origin
	}
	// SetVariables is SET VARIABLE: Values, which may be DefaultValues, or the one row of Query.
	SetVariables struct {
		Names  [][]string
		Values []Expr
		Query  Node
		Origin *Origin
	}
	// DropVariable is DROP TEMPORARY VARIABLE.
	DropVariable struct {
		Name     []string
		IfExists bool
		Origin   *Origin
	}
	// Script is BEGIN … END.
	Script struct{ Body []*ScriptStep }
	// Generic is a statement that is parsed, named and not built: the session refuses it by Name.
	Generic struct {
		Name string
		Args map[string]any
	}
)

// ScriptStep is a statement of a script. Kind is BEGIN, LOOP, WHILE, REPEAT, FOR, IF, LEAVE, ITERATE, CONDITION, HANDLER or STATEMENT.
type ScriptStep struct {
	Kind, Label string
	Name        string    // of FOR's row, or a condition
	Triggers    []Trigger // of a handler
	Node        Node      // FOR's query, or the statement; nil: Text is parsed when it runs
	Text        string
	Conds       []Expr          // of WHILE and REPEAT, and of IF's branches
	Bodies      [][]*ScriptStep // one for each branch, with ELSE's last
}

// Trigger is what a script's handler is for. Kind is SQLSTATE or CONDITION, of a Name, SQLEXCEPTION or NOT FOUND.
type Trigger struct{ Kind, Name string }

// Shown is how messages name a trigger.
func (t Trigger) Shown() string {
	if t.Name != "" {
		return t.Name
	}
	return t.Kind
}

// FunctionParam is a parameter of a function that a user wrote.
type FunctionParam struct {
	Name    string
	Type    *types.Type
	Default Expr   // nil: none
	Text    string // of the default
	Comment string
}

// MergeClause is one WHEN … THEN of a MERGE.
type MergeClause struct {
	Match     MergeMatch
	Condition Expr   // nil: none
	Action    string // update, delete, insert
	Star      bool   // UPDATE SET *, INSERT *
	Columns   []Expr // names of the target's columns
	Values    []Expr
}

// MergeMatch says to which rows a MERGE clause applies.
type MergeMatch uint8

// The rows of a MERGE.
const (
	Matched MergeMatch = iota
	NotMatched
	NotMatchedBySource
)

// AlterAction is one change of ALTER TABLE. Kind is one of: add columns, drop columns, rename column, alter column, rename, set
// properties, unset properties, set location, cluster by, add constraint, drop constraint, add partition, drop partition, drop feature, replace columns,
// recover partitions, schema mode (of a view).
type AlterAction struct {
	Kind       string
	Column     []string // the column, or the new name of a table
	To         string   // a column's new name; a location; a constraint's or feature's name
	Columns    []ColumnDef
	Paths      [][]string // where the columns lie: Paths[i] is the full name of Columns[i], or a column to drop
	First      bool
	After      string // the column after which to put Column
	Type       *types.Type
	Comment    *string
	NotNull    *bool   // SET or DROP NOT NULL
	Default    *string // SET DEFAULT, or DROP DEFAULT when empty
	Properties map[string]string
	Keys       []string
	Check      string // a constraint's condition as text
	IfExists   bool
	Purge      bool // TRUNCATE HISTORY of DROP FEATURE
	Partitions []map[string]Expr
	Change     bool // CHANGE COLUMN, not ALTER COLUMN
	Origin     *Origin
}

// ColumnDef is a column in DDL.
type ColumnDef struct {
	Name      string
	Type      *types.Type
	Nullable  bool
	Comment   string
	Default   string // the SQL text, or empty
	Generated string // the SQL text of GENERATED ALWAYS AS (…), or empty
	Identity  *Identity
}

// Identity is GENERATED … AS IDENTITY.
type Identity struct {
	Start, Step   int64
	AllowExplicit bool
}
