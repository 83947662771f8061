package analyze

import (
	"slices"
	"strings"

	"millrace/errs"
	"millrace/plan"
	"millrace/plan/fn"
	"millrace/types"
)

// inlined is the call that stands for a function written in SQL until its one argument, the body, takes its place: it keeps the name that
// columns have of it.
const inlined = "sql function"

// function is a function written in SQL while its body is resolved: its parameters stand for the arguments.
type function struct {
	def    *plan.CreateFunction
	args   []plan.Expr
	parent *function
}

// param finds a parameter by p or f.p, with the fields below it.
func (a *analyzer) param(f *function, parts []string) (plan.Expr, error) {
	own := f.def.Name[len(f.def.Name)-1]
	for skip := 0; skip < min(2, len(parts)); skip++ {
		if skip == 1 && !a.same(parts[0], own) {
			break
		}
		for i, p := range f.def.Params {
			if a.same(p.Name, parts[skip]) {
				return a.fields(f.args[i], parts[skip+1:])
			}
		}
	}
	return nil, nil
}

// parameterNamed is the argument that a name stands for in a function's body; in a query inside it columns of arguments are outer ones.
func (a *analyzer) parameterNamed(s *scope, parts []string) (plan.Expr, error) {
	if a.function == nil {
		return nil, nil
	}
	e, err := a.param(a.function, parts)
	if e == nil || err != nil || s.body {
		return e, err
	}
	if direct := s.outer != nil && s.outer.body; !direct && !readsOnly(e, nil) {
		return nil, nil // as in Spark no query further out is looked into
	}
	return outerRefs(e)
}

// parameterFirst reports whether a function's parameter hides the function without parentheses that has its name.
func (a *analyzer) parameterFirst(s *scope, name string) bool {
	if a.function == nil || a.conf.get("spark.sql.legacy.allowUdfParameterToShadowParameterlessFunction") != "true" {
		return false
	}
	e, err := a.param(a.function, []string{name})
	return e != nil && err == nil
}

// within resolves a function's body apart from the query that calls it.
func (a *analyzer) within(f *plan.CreateFunction, args []plan.Expr, resolve func(*scope) error) error {
	path := types.QuoteParts(f.Name...)
	depth := 0
	for p := a.function; p != nil; p = p.parent {
		depth++
		path = types.QuoteParts(p.def.Name...) + " -> " + path
		if p.def == f || strings.EqualFold(types.QuoteParts(p.def.Name...), types.QuoteParts(f.Name...)) && p.def.Temp == f.Temp {
			return errs.New("CYCLIC_FUNCTION_REFERENCE", "path", path)
		}
	}
	if depth > maxDepth {
		return errs.Unsupportedf("functions that call each other more than %d deep are not supported", maxDepth)
	}
	ctes, outer, refs, around, conf, context := a.ctes, a.outer, a.refs, a.function, a.conf, a.fn
	a.ctes, a.outer, a.refs, a.function = nil, nil, nil, &function{def: f, args: args, parent: around}
	made := *context // a function computes as the session did that made it
	a.conf.ANSI, made.ANSI = f.ANSI, f.ANSI
	a.fn = &made
	err := resolve(&scope{body: true})
	a.ctes, a.outer, a.refs, a.function, a.conf, a.fn = ctes, outer, refs, around, conf, context
	return err
}

// sqlCall inlines a call of a scalar function written in SQL.
func (a *analyzer) sqlCall(s *scope, u *plan.UnresolvedFunction, f *plan.CreateFunction) (plan.Expr, error) {
	switch {
	case f.Table:
		return nil, errs.New("NOT_A_SCALAR_FUNCTION", "functionName", types.QuoteParts(u.Name...))
	case u.Distinct:
		return nil, syntax(u, "DISTINCT")
	case u.Filter != nil:
		return nil, syntax(u, "FILTER CLAUSE")
	}
	inner := s
	if s.inWindow {
		plain := *s
		plain.inWindow = false
		inner = &plain
	}
	given, err := a.expandArgs(inner, u.Args)
	if err != nil {
		return nil, err
	}
	args, err := a.bindArguments(inner, u.Name, f, given)
	if err != nil {
		return nil, err
	}
	var body plan.Expr
	err = a.within(f, args, func(fs *scope) (err error) {
		if e := a.plainSelect(fs, f.Query); e != nil {
			body = e
			return nil
		}
		if f.Query != nil {
			body, err = a.subquery(fs, &plan.Subquery{Kind: plan.ScalarSubquery, Plan: f.Query})
			return err
		}
		body, err = a.expr(fs, f.Body)
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := a.onceOnly(f, args); err != nil {
		return nil, err
	}
	if body, err = a.given(body, f.Returns); err != nil {
		return nil, err
	}
	list := make([]string, 0, len(given))
	for _, e := range args[:min(len(given), len(args))] {
		if c, ok := e.(*plan.Cast); ok && c.Implicit {
			e = c.Child
		}
		list = append(list, Pretty(e))
	}
	name, path := f.Name[len(f.Name)-1], types.QuoteParts(f.Name...)
	if !f.Temp {
		name = strings.Join(f.Name, ".")
	}
	return &plan.Call{Name: inlined, Args: []plan.Expr{body}, T: plan.TypeOf(body), Null: plan.IsNullable(body), Pretty: name + "(" + join(list) + ")",
		Options: map[string]string{"function": path}, Origin: u.Origin}, nil
}

// noFunctions refuses functions written in SQL in a node that Spark does not compute them in.
func noFunctions(node string, list ...plan.Expr) error {
	var err error
	for _, e := range list {
		plan.WalkExpr(e, func(e plan.Expr) bool {
			if c, ok := e.(*plan.Call); ok && c.Name == inlined && err == nil {
				err = at(errs.New("UNSUPPORTED_SQL_UDF_USAGE", "functionName", c.Options["function"], "nodeName", node), c.Origin)
			}
			return err == nil
		})
	}
	return err
}

// plainSelect is the value of a body that is SELECT of an expression without FROM; nil when it is not, or takes more than one row.
func (a *analyzer) plainSelect(s *scope, n plan.Node) plan.Expr {
	p, ok := n.(*plan.Project)
	if !ok || len(p.Exprs) != 1 {
		return nil
	}
	if _, one := p.Input.(*plan.OneRow); !one {
		return nil
	}
	e, err := a.expr(s, p.Exprs[0])
	if err != nil || findAggregate(e) != nil || findWindow(e) != nil {
		return nil
	}
	if _, generator := generatorIn(e); generator {
		return nil
	}
	return e
}

// onceOnly refuses random arguments of parameters that the body names more than once, each of which would draw anew.
func (a *analyzer) onceOnly(f *plan.CreateFunction, args []plan.Expr) error {
	for i, e := range args {
		if !nondeterministic(e) {
			continue
		}
		uses := 0
		count := func(x plan.Expr) {
			plan.WalkExpr(x, func(x plan.Expr) bool {
				if u, ok := x.(*plan.UnresolvedAttribute); ok {
					for _, p := range u.Parts {
						if a.same(p, f.Params[i].Name) {
							uses++
						}
					}
				}
				return true
			})
		}
		if f.Body != nil {
			count(f.Body)
		} else {
			plan.Walk(f.Query, func(n plan.Node) bool {
				if h, ok := n.(plan.HasExprs); ok {
					for _, x := range h.Expressions() {
						count(x)
					}
				}
				return true
			})
		}
		if uses > 1 {
			return errs.Unsupportedf("a random argument of the function %s, whose parameter %s is used more than once, is not supported", types.QuoteParts(f.Name...), types.Quote(f.Params[i].Name))
		}
	}
	return nil
}

// given converts a value to the type that a function declares.
func (a *analyzer) given(e plan.Expr, t *types.Type) (plan.Expr, error) {
	if t == nil || plan.TypeOf(e).SameData(t) {
		return e, nil
	}
	if !fn.CanCast(a.conf.ANSI, plan.TypeOf(e), t) {
		return nil, errs.New("DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION", "sqlExpr", `"CAST(`+Pretty(e)+` AS `+t.SQL()+`)"`,
			"srcType", `"`+plan.TypeOf(e).SQL()+`"`, "targetType", `"`+t.SQL()+`"`)
	}
	return a.castTo(e, t), nil
}

// arrange puts a call's arguments in the places of the parameters that they are for; nil where there is none. named is the last one's name
// that was given by name.
func (a *analyzer) arrange(name []string, params []string, given []plan.Expr) (written []plan.Expr, named string, err error) {
	if len(given) > len(params) {
		return nil, "", wrongArgs(name, len(params), len(params), len(given))
	}
	routine := types.QuoteParts(name...)
	written = make([]plan.Expr, len(params))
	for i, e := range given {
		na, ok := e.(*plan.NamedArg)
		if !ok {
			if named != "" {
				return nil, "", errs.New("UNEXPECTED_POSITIONAL_ARGUMENT", "routineName", routine, "parameterName", types.Quote(named))
			}
			written[i] = e
			continue
		}
		named = na.Name
		at := slices.IndexFunc(params, func(p string) bool { return a.same(p, na.Name) })
		switch {
		case at < 0:
			proposals := make([]string, len(params))
			for k, p := range params {
				proposals[k] = types.Quote(p)
			}
			return nil, "", errs.New("UNRECOGNIZED_PARAMETER_NAME", "routineName", routine, "argumentName", types.Quote(na.Name), "proposal", join(proposals))
		case written[at] == nil:
			written[at] = na.Value
		case at < i && !isNamed(given[at]):
			return nil, "", errs.New("DUPLICATE_ROUTINE_PARAMETER_ASSIGNMENT.BOTH_POSITIONAL_AND_NAMED", "routineName", routine, "parameterName", types.Quote(na.Name))
		default:
			return nil, "", errs.New("DUPLICATE_ROUTINE_PARAMETER_ASSIGNMENT.DOUBLE_NAMED_ARGUMENT_REFERENCE", "routineName", routine, "parameterName", types.Quote(na.Name))
		}
	}
	return written, named, nil
}

func required(name []string, parameter string, place int) error {
	return errs.New("REQUIRED_PARAMETER_NOT_FOUND", "routineName", types.QuoteParts(name...), "parameterName", types.Quote(parameter), "index", itoa(place))
}

// signatures are the parameters of the built-in functions whose arguments may be named; the arguments of all others may not.
var signatures = map[string][]string{"mask": {"str", "upperChar", "lowerChar", "digitChar", "otherChar"}, "explode": {"collection"}, "explode_outer": {"collection"},
	"posexplode": {"collection"}, "posexplode_outer": {"collection"}, "inline": {"input"}, "inline_outer": {"input"},
	"count_min_sketch":         {"column", "epsilon", "confidence", "seed"},
	"tuple_sketch_agg_double":  {"key", "summary", "lgNomEntries", "mode"},
	"tuple_sketch_agg_integer": {"key", "summary", "lgNomEntries", "mode"}}

// unnamed is a call of a built-in function with its named arguments in their places. Parameters before them take their defaults.
func (a *analyzer) unnamed(u *plan.UnresolvedFunction, name string) (*plan.UnresolvedFunction, error) {
	if !slices.ContainsFunc(u.Args, isNamed) {
		return u, nil
	}
	params := signatures[name]
	if params == nil {
		return nil, errs.New("NAMED_PARAMETERS_NOT_SUPPORTED", "functionName", types.QuoteParts(u.Name...))
	}
	args, _, err := a.arrange(u.Name, params, u.Args)
	if err != nil {
		return nil, err
	}
	for args[len(args)-1] == nil {
		args = args[:len(args)-1]
	}
	optional := defaults[name]
	for i := range args {
		switch {
		case args[i] != nil:
		case optional == nil || i < optional.from:
			return nil, required(u.Name, params[i], i)
		default:
			args[i] = optional.values[i-optional.from]
		}
	}
	c := *u
	c.Args = args
	return &c, nil
}

// bindArguments brings a call's arguments into the parameters' order, with their types, and defaults where there are none.
func (a *analyzer) bindArguments(s *scope, name []string, f *plan.CreateFunction, given []plan.Expr) ([]plan.Expr, error) {
	params := f.Params
	names := make([]string, len(params))
	for i, p := range params {
		names[i] = p.Name
	}
	written, named, err := a.arrange(name, names, given)
	if err != nil {
		return nil, err
	}
	out := make([]plan.Expr, len(params))
	for i, p := range params {
		scope, e := s, written[i]
		if e == nil {
			if p.Default == nil && named != "" {
				return nil, required(name, p.Name, i)
			}
			if p.Default == nil {
				return nil, wrongArgs(name, len(params), len(params), len(given))
			}
			scope, e = &scopeless, p.Default
		}
		r, err := a.expr(scope, e)
		if err == nil {
			out[i], err = a.given(r, p.Type)
		}
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

func isNamed(e plan.Expr) bool { _, ok := e.(*plan.NamedArg); return ok }

// scopeless is the scope of what may name no column.
var scopeless scope

// sqlTable inlines a call of a table function written in SQL: its query, with the declared names and types.
func (a *analyzer) sqlTable(n *plan.UnresolvedTVF, f *plan.CreateFunction) (plan.Node, error) {
	if !f.Table {
		return nil, errs.New("NOT_A_TABLE_FUNCTION", "functionName", types.QuoteParts(n.Name...))
	}
	args, err := a.bindArguments(a.scope(), n.Name, f, n.Args)
	if err != nil {
		return nil, err
	}
	var rows plan.Node
	err = a.within(f, args, func(*scope) (err error) {
		rows, err = a.node(f.Query)
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := a.onceOnly(f, args); err != nil {
		return nil, err
	}
	if f.Columns != nil {
		out := output(rows)
		if len(out) != len(f.Columns) {
			return nil, errs.New("USER_DEFINED_FUNCTIONS.RETURN_COLUMN_COUNT_MISMATCH", "name", types.QuoteParts(f.Name...), "outputSize", itoa(len(out)),
				"returnParamSize", itoa(len(f.Columns)))
		}
		p := &plan.Project{Input: rows}
		for i, c := range out {
			e, err := a.given(c, f.Columns[i].Type)
			if err != nil {
				return nil, err
			}
			p.Exprs = append(p.Exprs, a.alias(e, f.Columns[i].Name))
		}
		rows = p
	}
	return &plan.SubqueryAlias{Input: rows, Name: f.Name[len(f.Name)-1:]}, nil
}

// withoutInlined puts the bodies of inlined functions in the places of their calls.
func withoutInlined(e plan.Expr) (plan.Expr, error) {
	if c, ok := e.(*plan.Call); ok && c.Name == inlined {
		return c.Args[0], nil
	}
	return e, nil
}
