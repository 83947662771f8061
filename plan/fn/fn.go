package fn

import (
	"sort"
	"strings"

	"millrace/types"
)

// Kind is how a function is run.
type Kind uint8

// The kinds of functions.
const (
	Scalar Kind = iota
	Aggregate
	WindowOnly
	Generator
	Table
)

// Arg is what is known of an argument at analysis.
type Arg struct {
	Type     *types.Type
	Nullable bool
	IsConst  bool // foldable; Const is its value in plan.Literal's form
	Const    any
	Fault    error  // of computing a value that is the same for every row
	SQL      string // how messages show it
	Name     string // of the column or field that it is
	Lambda   bool   // a lambda: Type is nil until the function has said what its parameters are
}

// Context is what a signature depends on besides its arguments.
type Context struct {
	ANSI          bool
	CaseSensitive bool
	TimeZone      string
	Conf          func(key string) string
	ParseSchema   func(text string) (*types.Type, error) // reads a type or the columns of a table, as DDL or JSON
	AvroType      func(function, schema string, options map[string]string) (*types.Type, error)
	ProtobufType  func(function string, p *Protobuf) (*types.Type, error) // reads the file of p.Path into p.Set
}

// Result is a resolved call.
type Result struct {
	Args          []*types.Type // the types to which the arguments are cast; a nil entry (or a nil list) leaves one as it is
	Type          *types.Type
	Nullable      bool
	Kernel        string // empty: the function's first name
	Shown         string // the name that columns and messages show, if it is not the one that was written
	Options       map[string]string
	Skip          int  // how many of the first arguments do not reach the kernel
	Swap          bool // the first two arguments change places
	Keep          int  // when not 0, how many of the arguments reach the kernel; the others were only for the signature
	Deterministic bool // set by Resolve only when Func.Nondeterministic depends on arguments
}

// Func is one function under all of its names.
type Func struct {
	Names            []string // lower case; the first is the kernel's default name
	Kind             Kind
	Min, Max         int // numbers of arguments; Max -1: any
	Nondeterministic bool
	// Resolve is called with Min..Max arguments, all resolved.
	Resolve func(c *Context, args []Arg) (Result, error)
	// Lambdas are the places of arguments that are lambdas; any other expression there is the body of one that ignores its parameters.
	Lambdas []int
	// LambdaTypes gives, for higher-order functions, the parameter types of argument i's lambda.
	LambdaTypes func(c *Context, args []Arg, i int) ([]types.Field, error)
}

var table = map[string]*Func{}

// Register adds functions; files of this package call it from init. A name may be registered once.
func Register(funcs ...*Func) {
	for _, f := range funcs {
		for _, n := range f.Names {
			if table[n] != nil {
				panic("fn: registered twice: " + n)
			}
			table[n] = f
		}
	}
}

// Lookup finds a function by name, without regard to case.
func Lookup(name string) *Func {
	if f := table[name]; f != nil {
		return f
	}
	return table[strings.ToLower(name)]
}

// Names lists all names in order.
func Names() []string {
	names := make([]string, 0, len(table))
	for n := range table {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}
