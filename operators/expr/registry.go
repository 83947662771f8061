package expr

import (
	"context"

	planpb "millrace/proto/millrace/plan/v1"
	"millrace/types"
	"millrace/vector"
)

// Ctx is what an evaluation may use; one per task, not shared between goroutines.
type Ctx struct {
	context.Context
	Settings  *planpb.Settings
	Partition int // the task's partition, for rand, monotonically_increasing_id, spark_partition_id
}

// Evaluator computes an expression. It is used by one goroutine at a time.
type Evaluator interface {
	// Type is the result's type.
	Type() *types.Type
	// Eval computes the rows in sel (nil: all b.N rows).
	Eval(ctx *Ctx, b *vector.Batch, sel []uint32) (*vector.Vector, error)
}

// Call is what a kernel is built for.
type Call struct {
	Name     string
	Args     []*types.Type
	Consts   []*vector.Vector // per argument: its one value if it is a literal, else nil
	Out      *types.Type
	Nullable bool
	Mode     planpb.EvalMode
	Options  map[string]string
	Settings *planpb.Settings
	Origin   *planpb.Origin // attach to errors with Wrap
}

// Kernel computes rows sel (nil: 0..n-1) of out from args. The caller has Reset out to Call.Out and n rows; args may be Const
// or dictionary vectors (Plain and Str look through them). For Strict kernels, out.Valid is already set to the rows whose
// arguments are all non-null and sel lists only those rows, unless the kernel is Total; a kernel may set further rows to null.
// Strings are appended in row order: call out.AppendStr for every row in turn, with nothing for rows not in sel, or use StringWriter.
type Kernel func(ctx *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error

// Func is a registered kernel.
type Func struct {
	// Strict: a null argument makes a null result.
	Strict bool
	// Total: never fails and may be run on rows that hold anything (so that dense loops need not look at nulls).
	Total bool
	// Pure: the result depends on the arguments alone, so that a call whose only non-constant argument is a dictionary vector is
	// computed once per dictionary entry (when an entry fails, rows are computed one by one).
	Pure bool
	// Build makes the kernel for one call; it refuses types it does not know.
	Build func(c *Call) (Kernel, error)
	// Lazy, instead of Build, is for forms that choose which arguments to evaluate: and, or, case, coalesce, if.
	Lazy func(c *Call, args []Evaluator) (Evaluator, error)
}

var funcs = map[string]Func{}

// Register adds a kernel under its name; a name may be registered once.
func Register(name string, f Func) {
	if _, twice := funcs[name]; twice {
		panic("expr: registered twice: " + name)
	}
	funcs[name] = f
}

// Registered reports whether a kernel of that name exists.
func Registered(name string) bool { _, ok := funcs[name]; return ok }
