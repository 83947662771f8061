package errs

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"strings"
)

// Kind says what a caller may do about an error.
type Kind uint8

// The kinds. A Lost input is recomputed, a Transient failure is retried, a Conflict is rebased; all others end the job.
const (
	Internal     Kind = iota // a broken invariant of ours
	Invalid                  // the user's input is wrong
	NotFound                 // a table, file, column or function does not exist
	Unsupported              // known, named, and not built
	Conflict                 // another writer won
	Lost                     // an exchange's output or a worker is gone
	Transient                // worth trying again unchanged
	Unauthorized             // not allowed
	Cancelled                // the user or the deadline ended it
	Exhausted                // memory, disk or another budget is used up
)

var kindNames = [...]string{"internal", "invalid", "not found", "unsupported", "conflict", "lost", "transient",
	"unauthorized", "cancelled", "exhausted"}

func (k Kind) String() string { return kindNames[k] }

// Class is the family of Spark exceptions that a condition belongs to; the Spark Connect gateway maps it to the
// list of Java class names by which a client picks its own exception type.
type Class uint8

// The classes of exceptions that clients tell apart.
const (
	ClassSpark                  Class = iota // SparkException
	ClassAnalysis                            // AnalysisException
	ClassParse                               // ParseException, an AnalysisException
	ClassArithmetic                          // SparkArithmeticException
	ClassNumberFormat                        // SparkNumberFormatException
	ClassDateTime                            // SparkDateTimeException
	ClassIllegalArgument                     // SparkIllegalArgumentException
	ClassArrayIndex                          // SparkArrayIndexOutOfBoundsException
	ClassRuntime                             // SparkRuntimeException
	ClassUnsupported                         // SparkUnsupportedOperationException
	ClassUpgrade                             // SparkUpgradeException
	ClassNoSuchTable                         // NoSuchTableException, an AnalysisException
	ClassTableExists                         // TableAlreadyExistsException, an AnalysisException
	ClassNoSuchNamespace                     // NoSuchNamespaceException, an AnalysisException
	ClassFileNotFound                        // java.io.FileNotFoundException inside a SparkException
	ClassNoSuchElement                       // java.util.NoSuchElementException (unknown configuration keys)
	ClassConcurrentModification              // DeltaConcurrentModificationException and what is below it
	ClassStreaming                           // StreamingQueryException
	ClassIO                                  // java.io.IOException
)

// QueryContext points at the part of the user's text or program that an error is about.
type QueryContext struct {
	DataFrame   bool   // the origin is a DataFrame call, not SQL text
	ObjectType  string // VIEW, or empty
	ObjectName  string
	Start, Stop int    // character offsets in the SQL text, inclusive
	Fragment    string // the SQL text or the name of the DataFrame call
	CallSite    string // file:line of the DataFrame call
	SQL         string // the whole statement, to render the summary
}

// Error is an error that a user can act on.
type Error struct {
	Kind      Kind
	Class     Class
	Condition string            // such as DIVIDE_BY_ZERO or UNRESOLVED_COLUMN.WITH_SUGGESTION; empty for internal ones
	SQLState  string            // five characters, or empty
	Params    map[string]string // the condition's message parameters
	Message   string            // the message without the [CONDITION] in front
	Context   []QueryContext
	Trailer   string // what Error writes after the SQLSTATE: a syntax error's line, position and marked text
	Cause     error
}

// Condition is the fixed part of a condition: Template has <name> where a parameter goes.
type Condition struct {
	Kind     Kind
	Class    Class
	SQLState string
	Template string
}

var conditions = map[string]Condition{}

// register adds an area's conditions to the table; a name may stand in one area only.
func register(area map[string]Condition) struct{} {
	for name, c := range area {
		if _, twice := conditions[name]; twice {
			panic("errs: condition registered twice: " + name)
		}
		conditions[name] = c
	}
	return struct{}{}
}

// Lookup returns the condition of that name.
func Lookup(name string) (Condition, bool) { c, ok := conditions[name]; return c, ok }

// New makes the error of a registered condition. Params are pairs of name and value; each <name> in the template is
// replaced. An unknown condition is a mistake of ours and says so.
func New(condition string, params ...string) *Error {
	c, ok := conditions[condition]
	if !ok {
		return &Error{Kind: Internal, Condition: "INTERNAL_ERROR", SQLState: "XX000",
			Message: fmt.Sprintf("The condition %s is not in the table of errs (parameters %q).", condition, params)}
	}
	e := &Error{Kind: c.Kind, Class: c.Class, Condition: condition, SQLState: c.SQLState,
		Params: make(map[string]string, len(params)/2)}
	pairs := make([]string, 0, len(params))
	for i := 0; i+1 < len(params); i += 2 {
		e.Params[params[i]] = params[i+1]
		pairs = append(pairs, "<"+params[i]+">", params[i+1])
	}
	e.Message = strings.NewReplacer(pairs...).Replace(c.Template)
	return e
}

// Newf makes an error without a condition: the kind and a sentence.
func Newf(kind Kind, format string, args ...any) *Error {
	e := &Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
	for _, a := range args {
		if err, ok := a.(error); ok {
			e.Cause = err
		}
	}
	return e
}

// Wrap says what was being done to what when err happened, and keeps err's kind and condition.
func Wrap(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return &wrapped{fmt.Sprintf(format, args...), err}
}

type wrapped struct {
	doing string
	err   error
}

func (w *wrapped) Error() string { return w.doing + ": " + w.err.Error() }
func (w *wrapped) Unwrap() error { return w.err }

// Unsupportedf names something that is known but not built: a relation, an option, a table feature.
func Unsupportedf(format string, args ...any) *Error {
	return &Error{Kind: Unsupported, Class: ClassUnsupported, Condition: "UNSUPPORTED_FEATURE", SQLState: "0A000",
		Message: fmt.Sprintf(format, args...), Params: map[string]string{}}
}

func (e *Error) Error() string {
	var b strings.Builder
	if e.Condition != "" && !strings.HasPrefix(e.Condition, "_LEGACY_ERROR_") { // Spark keeps the names of these to itself
		b.WriteString("[" + e.Condition + "] ")
	}
	b.WriteString(e.Message)
	if e.SQLState != "" {
		b.WriteString(" SQLSTATE: " + e.SQLState)
	}
	b.WriteString(e.Trailer)
	return b.String()
}

func (e *Error) Unwrap() error { return e.Cause }

// With returns a copy of the error with the query context added.
func (e *Error) With(c QueryContext) *Error {
	n := *e
	n.Context = append(append([]QueryContext(nil), e.Context...), c)
	return &n
}

// KindOf is the kind of the first Error in err's chain; context errors are Cancelled, all else Internal.
func KindOf(err error) Kind {
	var e *Error
	switch {
	case errors.As(err, &e):
		return e.Kind
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return Cancelled
	}
	return Internal
}

// Is reports whether err's chain holds an Error of that kind.
func Is(err error, k Kind) bool { return err != nil && KindOf(err) == k }

// ConditionOf is the condition name of the first Error in err's chain, or empty.
func ConditionOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Condition
	}
	return ""
}

// Known reports whether a name is that of a condition, or of several that go on after a dot.
func Known(name string) bool {
	if _, ok := conditions[name]; ok {
		return true
	}
	for n := range conditions {
		if strings.HasPrefix(n, name+".") {
			return true
		}
	}
	return false
}

// Conditions lists the registered names in order.
func Conditions() []string {
	names := make([]string, 0, len(conditions))
	for n := range conditions {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}
