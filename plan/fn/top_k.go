package fn

import (
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"millrace/errs"
	"millrace/types"
)

// The most frequent items, and the sketches of them.
func init() {
	Register(
		&Func{Names: []string{"approx_top_k"}, Kind: Aggregate, Min: 1, Max: 3, Resolve: topK},
		&Func{Names: []string{"approx_top_k_accumulate"}, Kind: Aggregate, Min: 1, Max: 2, Resolve: topKState},
		&Func{Names: []string{"approx_top_k_combine"}, Kind: Aggregate, Min: 1, Max: 2, Resolve: topKCombine},
		&Func{Names: []string{"approx_top_k_estimate"}, Min: 1, Max: 2, Resolve: topKEstimate},
	)
}

const (
	topKDefault  = 5
	trackDefault = 10_000
	trackMost    = 1_000_000
)

func topK(c *Context, args []Arg) (Result, error) {
	if err := countable(args[0].Type); err != nil {
		return Result{}, err
	}
	k, err := topKNumber(c, args, 1, "k", "K must be a constant literal", topKDefault)
	if err != nil {
		return Result{}, err
	}
	size, err := topKNumber(c, args, 2, "maxItemsTracked", "Number of items tracked must be a constant literal", trackDefault)
	if err != nil {
		return Result{}, err
	}
	if size < k {
		return Result{}, errs.New("APPROX_TOP_K_MAX_ITEMS_TRACKED_LESS_THAN_K", "maxItemsTracked", strconv.Itoa(size), "k", strconv.Itoa(k))
	}
	return Result{Type: topItems(args[0].Type), Keep: 1, Deterministic: true, Options: map[string]string{"k": strconv.Itoa(k), "size": strconv.Itoa(size)}}, nil
}

func topKState(c *Context, args []Arg) (Result, error) {
	if err := countable(args[0].Type); err != nil {
		return Result{}, err
	}
	size, err := topKNumber(c, args, 1, "maxItemsTracked", "Number of items tracked must be a constant literal", trackDefault)
	return Result{Type: stateOf(args[0].Type), Keep: 1, Deterministic: true, Options: map[string]string{"size": strconv.Itoa(size)}}, err
}

// topKCombine unites states. Without a size of its own the result has theirs, which must be the same.
func topKCombine(c *Context, args []Arg) (Result, error) {
	item, err := stateItem(args)
	if err != nil {
		return Result{}, err
	}
	r := Result{Type: stateOf(item), Keep: 1, Deterministic: true}
	if len(args) == 2 {
		size, err := topKNumber(c, args, 1, "maxItemsTracked", "Number of items tracked must be a constant literal", trackDefault)
		if err != nil {
			return Result{}, err
		}
		r.Options = map[string]string{"size": strconv.Itoa(size)}
	}
	return r, nil
}

func topKEstimate(c *Context, args []Arg) (Result, error) {
	item, err := stateItem(args)
	if err != nil {
		return Result{}, err
	}
	k, err := topKNumber(c, args, 1, "k", "K must be a constant literal", topKDefault)
	return Result{Type: topItems(item), Keep: 1, Deterministic: true, Options: map[string]string{"k": strconv.Itoa(k)}}, err
}

// topKNumber is the constant argument i, a positive number.
func topKNumber(c *Context, args []Arg, i int, name, constant string, without int) (int, error) {
	if i >= len(args) {
		return without, nil
	}
	a := args[i]
	if t, ok := ImplicitCast(c, a.Type, types.Integer); !ok || t == nil {
		return 0, unexpected("", args, i, quoted(types.Integer))
	}
	if !a.IsConst {
		return 0, mismatch(constant)
	}
	n, null, err := wholeNumber(a)
	switch {
	case err != nil:
		return 0, err
	case null:
		return 0, errs.New("APPROX_TOP_K_NULL_ARG", "argName", "`"+name+"`")
	case name != "k" && n > trackMost:
		return 0, errs.New("APPROX_TOP_K_MAX_ITEMS_TRACKED_EXCEEDS_LIMIT", "maxItemsTracked", strconv.Itoa(n), "limit", strconv.Itoa(trackMost))
	case n <= 0:
		return 0, errs.New("APPROX_TOP_K_NON_POSITIVE_ARG", "argName", "`"+name+"`", "argValue", strconv.Itoa(n))
	}
	return n, nil
}

// wholeNumber is a constant as it is when cast to an integer.
func wholeNumber(a Arg) (n int, null bool, err error) {
	if a.Fault != nil {
		return 0, false, a.Fault
	}
	switch x := a.Const.(type) {
	case nil:
		return 0, true, nil
	case int64:
		for range a.Type.Scale {
			x /= 10
		}
		if x == int64(int32(x)) {
			return int(x), false, nil
		}
	case float64:
		if x > -1<<31-1 && x < 1<<31 {
			return int(x), false, nil
		}
	case decimal128.Num:
		if s, _, _ := strings.Cut(x.ToString(int32(a.Type.Scale)), "."); len(s) < 12 {
			if n, err := strconv.ParseInt(s, 10, 32); err == nil {
				return int(n), false, nil
			}
		}
	case string:
		if n, err := strconv.ParseInt(strings.TrimSpace(x), 10, 32); err == nil {
			return int(n), false, nil
		}
		return 0, false, errs.New("CAST_INVALID_INPUT", "expression", "'"+x+"'", "sourceType", quoted(a.Type), "targetType", quoted(types.Integer), "ansiConfig", `"spark.sql.ansi.enabled"`)
	}
	return 0, false, errs.New("CAST_OVERFLOW", "value", a.SQL, "sourceType", quoted(a.Type), "targetType", quoted(types.Integer), "ansiConfig", `"spark.sql.ansi.enabled"`)
}

func mismatch(msg string) error {
	return errs.New("DATATYPE_MISMATCH.TYPE_CHECK_FAILURE_WITH_HINT", "sqlExpr", "", "hint", "", "msg", msg)
}

func countableKind(t *types.Type) bool {
	switch t.Kind {
	case types.KindBoolean, types.KindDate, types.KindTimestamp, types.KindTimestampNTZ, types.KindString:
		return true
	}
	return t.IsNumeric()
}

func countable(t *types.Type) error {
	if countableKind(t) {
		return nil
	}
	name, _, _ := strings.Cut(t.String(), "<")
	return mismatch(name + " columns are not supported")
}

// topItems is the type of a list of items with their counts.
func topItems(item *types.Type) *types.Type {
	return types.ArrayOf(types.Struct(types.Field{Name: "item", Type: item, Nullable: true}, types.Field{Name: "count", Type: types.Long}), false)
}

// stateOf is the type of a sketch with what has to be known of it; the third field is always null, for its type.
func stateOf(item *types.Type) *types.Type {
	return types.Struct(types.Field{Name: "sketch", Type: types.Binary}, types.Field{Name: "maxItemsTracked", Type: types.Integer},
		types.Field{Name: "itemDataType", Type: item, Nullable: true}, types.Field{Name: "itemDataTypeDDL", Type: types.String})
}

// stateItem is the type of the items of a state, which is the first argument.
func stateItem(args []Arg) (*types.Type, error) {
	t := args[0].Type
	if t.Kind == types.KindNull {
		t = types.Struct()
	}
	if t.Kind != types.KindStruct {
		return nil, unexpected("", args, 0, `"STRUCT"`)
	}
	if len(t.Fields) != 4 {
		return nil, mismatch("State must be a struct with 4 fields. Expected struct: struct<sketch:binary,maxItemsTracked:int,itemDataType:any,itemDataTypeDDL:string>. Got: " + t.String())
	}
	for i, f := range []struct {
		place, want string
		ok          bool
	}{
		{"first", "binary", t.Fields[0].Type.Kind == types.KindBinary}, {"second", "int", t.Fields[1].Type.Kind == types.KindInteger},
		{"third", "a supported data type", countableKind(t.Fields[2].Type)}, {"fourth", "string", t.Fields[3].Type.Kind == types.KindString},
	} {
		if !f.ok {
			return nil, mismatch("State struct must have the " + f.place + " field to be " + f.want + ". Got: " + t.Fields[i].Type.String())
		}
	}
	return t.Fields[2].Type, nil
}
