package fn

import (
	"strconv"
	"strings"

	"millrace/errs"
	"millrace/types"
)

// Tuple sketches of Apache DataSketches count distinct values and keep a number for each.
func init() {
	for suffix, number := range map[string]*types.Type{"double": types.Double, "integer": types.Integer} {
		name := func(s string) string { return "tuple_" + s + "_" + suffix }
		total := types.Double
		if number == types.Integer {
			total = types.Long
		}
		register := func(short string, sketches int, size, mode bool, out *types.Type) {
			f := &Func{Names: []string{name(short)}, Min: sketches, Max: sketches, Resolve: tupleCall(name(short), sketches, size, out)}
			if strings.Contains(short, "agg") {
				f.Kind = Aggregate
			}
			if size {
				f.Max++
			}
			if mode {
				f.Max++
			}
			Register(f)
		}
		Register(&Func{Names: []string{name("sketch_agg")}, Kind: Aggregate, Min: 2, Max: 4, Resolve: tupleAgg(name("sketch_agg"), number)})
		register("union_agg", 1, true, true, types.Binary)
		register("intersection_agg", 1, false, true, types.Binary)
		for _, with := range []string{"", "_theta"} {
			register("union"+with, 2, true, true, types.Binary)
			register("intersection"+with, 2, false, true, types.Binary)
			register("difference"+with, 2, false, false, types.Binary)
		}
		register("sketch_estimate", 1, false, false, types.Double)
		register("sketch_theta", 1, false, false, types.Double)
		register("sketch_summary", 1, false, true, total)
	}
}

// tupleAgg makes a sketch of keys and numbers.
func tupleAgg(name string, number *types.Type) func(*Context, []Arg) (Result, error) {
	keys := []*types.Type{types.ArrayOf(types.Integer, true), types.ArrayOf(types.Long, true), types.Binary, types.Double, types.Float, types.Integer, types.Long, types.String}
	return func(c *Context, args []Arg) (Result, error) {
		key, err := exactly(args, 0, keys...)
		if err != nil {
			ok := false
			for _, t := range keys {
				if key, ok = ImplicitCast(c, args[0].Type, t); ok {
					break
				}
			}
			if !ok {
				return Result{}, err
			}
		}
		as, ok := ImplicitCast(c, args[1].Type, number)
		if !ok {
			return Result{}, unexpected("", args, 1, quoted(number))
		}
		options, err := tupleOptions(c, name, args, 2, true)
		return Result{Args: []*types.Type{key, as}, Type: types.Binary, Keep: 2, Deterministic: true, Options: options}, err
	}
}

// tupleCall takes so many sketches, then perhaps the size of the result, then perhaps a mode.
func tupleCall(name string, sketches int, size bool, out *types.Type) func(*Context, []Arg) (Result, error) {
	return func(c *Context, args []Arg) (Result, error) {
		casts := make([]*types.Type, sketches)
		for i := range casts {
			var err error
			if casts[i], err = exactly(args, i, types.Binary); err != nil {
				return Result{}, err
			}
		}
		options, err := tupleOptions(c, name, args, sketches, size)
		if err != nil {
			return Result{}, err
		}
		if strings.Contains(name, "_agg") {
			return Result{Args: casts, Type: out, Keep: sketches, Deterministic: true, Options: options}, nil
		}
		r, err := strict(args[:sketches], out, false, casts...)
		r.Keep, r.Options = sketches, options
		return r, err
	}
}

// tupleOptions reads the constant arguments from place i on: the logarithm of the number of entries, where there is one, and the mode.
func tupleOptions(c *Context, name string, args []Arg, i int, sized bool) (map[string]string, error) {
	options := map[string]string{"mode": "sum"}
	type option struct {
		name  string
		as    *types.Type
		shown string
	}
	wanted := []option{{"lgNomEntries", types.Integer, "int"}, {"mode", types.String, "string"}}
	if !sized {
		wanted = wanted[1:]
	}
	for k, o := range wanted {
		if i+k >= len(args) {
			break
		}
		a := args[i+k]
		if t, ok := ImplicitCast(c, a.Type, o.as); !ok || t == nil || !strings.Contains(name, "agg") && a.Type.Kind != o.as.Kind && a.Type.Kind != types.KindNull {
			return nil, unexpected("", args, i+k, quoted(o.as))
		}
		switch {
		case !a.IsConst:
			return nil, errs.New("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", "sqlExpr", "", "inputName", o.name, "inputType", o.shown, "inputExpr", a.SQL)
		case a.Const == nil:
			return nil, errs.New("DATATYPE_MISMATCH.UNEXPECTED_NULL", "sqlExpr", "", "exprName", o.name)
		}
		if o.name == "mode" {
			text, _ := a.Const.(string)
			switch m := strings.ToLower(text); m {
			case "sum", "min", "max", "alwaysone":
				options["mode"] = m
			default:
				return nil, mismatch("[TUPLE_INVALID_SKETCH_MODE] Invalid call to `" + name + "`: mode '" + text + "' is not supported. Valid modes are: sum, min, max, alwaysone. SQLSTATE: 22023")
			}
			continue
		}
		n, _, err := wholeNumber(a)
		switch {
		case err != nil:
			return nil, err
		case n < 4 || n > 26:
			return nil, mismatch("[SKETCH_INVALID_LG_NOM_ENTRIES] Invalid call to `" + name + "`; the `lgNomEntries` value must be between 4 and 26, inclusive: " +
				strconv.Itoa(n) + ". SQLSTATE: 22003")
		case n == 4:
			return nil, errs.Unsupportedf("The number 4 of lgNomEntries of %s is not supported; the least is 5.", name)
		}
		options["size"] = strconv.Itoa(n)
	}
	return options, nil
}
