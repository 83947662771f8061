package analyze

import (
	"slices"
	"strings"

	"millrace/errs"
	"millrace/plan"
	"millrace/plan/fn"
	"millrace/types"
)

// special are the functions that need more than their arguments' types: the names of their arguments, stars, lambdas.
var special map[string]func(*analyzer, *scope, *plan.UnresolvedFunction) (plan.Expr, error)

func init() { // the functions refer to special
	special = map[string]func(*analyzer, *scope, *plan.UnresolvedFunction) (plan.Expr, error){
		"struct":       (*analyzer).structCall,
		"named_struct": (*analyzer).namedStruct,
		"between":      (*analyzer).between,
		"[]":           (*analyzer).extractCall,
		"count":        (*analyzer).countCall,
		"when":         (*analyzer).whenCall,
		"grouping":     (*analyzer).groupingFunction,
		"grouping_id":  (*analyzer).groupingFunction,
		"current_time": (*analyzer).currentTime,
		"extract":      (*analyzer).extractField,
		"date_part":    (*analyzer).extractField,
		"datepart":     (*analyzer).extractField,
		"decode":       (*analyzer).decodeCall,
		"collate":      (*analyzer).collateCall,
		":":            (*analyzer).variantPath,
		variantItems:   (*analyzer).variantItems,
		"collation":    (*analyzer).collationCall,
		"window_time":  (*analyzer).windowTime,

		"window":         (*analyzer).timeWindowCall,
		"session_window": (*analyzer).timeWindowCall,

		"distributed_sequence_id": (*analyzer).sequenceID,
	}
	special["sql_keywords"], special["collations"] = notScalar, notScalar
	for name := range variantGenerators {
		special[name] = notScalar
	}
	for name := range inputFile {
		special[name] = (*analyzer).inputFileCall
	}
	for name, t := range castNames {
		special[name] = func(a *analyzer, s *scope, u *plan.UnresolvedFunction) (plan.Expr, error) { return a.castCall(s, u, t) }
	}
}

// castNames are the types that are functions too: int(x) is cast(x as int).
var castNames = map[string]*types.Type{"boolean": types.Boolean, "tinyint": types.Byte, "smallint": types.Short, "int": types.Integer,
	"bigint": types.Long, "float": types.Float, "double": types.Double, "decimal": types.Decimal(10, 0), "date": types.Date,
	"timestamp": types.Timestamp, "binary": types.Binary, "string": types.String, "time": {Kind: types.KindTime, Precision: 6}}

// call resolves a call by name.
func (a *analyzer) call(s *scope, u *plan.UnresolvedFunction) (plan.Expr, error) {
	name, err := a.functionName(u)
	if err != nil {
		f, found := a.catalog.Function(u.Name)
		if f == nil {
			if found != nil {
				err = found
			}
			return nil, at(err, u.Origin)
		}
		if f.Python != nil {
			e, err := a.pythonCall(s, &plan.PythonUDF{Function: f.Python, Args: u.Args, Distinct: u.Distinct, Origin: u.Origin})
			return e, at(err, u.Origin)
		}
		e, err := a.sqlCall(s, u, f)
		return e, at(err, u.Origin)
	}
	origin := u.Origin
	if u, err = a.unnamed(u, name); err != nil {
		return nil, at(err, origin)
	}
	var e plan.Expr
	if rule := special[name]; rule != nil {
		e, err = rule(a, s, u)
	} else if e, err = a.contextual(name, u.Args); e == nil && err == nil {
		e, err = a.ordinary(s, u, name)
	}
	if err != nil {
		return nil, at(err, u.Origin)
	}
	if c, ok := e.(*plan.Call); ok && c.Origin == nil {
		c.Origin = u.Origin
	}
	return e, nil
}

// functionName is the lower-case name without system.builtin.
func (a *analyzer) functionName(u *plan.UnresolvedFunction) (string, error) {
	parts := u.Name
	last := strings.ToLower(parts[len(parts)-1])
	qualifier := strings.ToLower(strings.Join(parts[:len(parts)-1], "."))
	known := special[last] != nil || contexts[last] != nil || fn.Lookup(last) != nil
	builtin := qualifier == "" || qualifier == "builtin" || qualifier == "system.builtin"
	switch {
	case known && builtin:
		return last, nil
	case builtin && fn.Unbuilt(last):
		return "", errs.Unsupportedf("The function %s is not supported.", types.Quote(last))
	}
	db, cat := a.conf.Database, a.conf.CatalogName
	if db == "" {
		db = "default"
	}
	if cat == "" {
		cat = "spark_catalog"
	}
	return "", errs.New("UNRESOLVED_ROUTINE", "routineName", types.QuoteParts(parts...),
		"searchPath", "[`system`.`builtin`, `system`.`session`, "+types.QuoteParts(cat, db)+"]")
}

// ordinary resolves a call of the function table.
func (a *analyzer) ordinary(s *scope, u *plan.UnresolvedFunction, name string) (plan.Expr, error) {
	f := fn.Lookup(name)
	args, err := a.expandArgs(s, u.Args)
	if err != nil {
		return nil, err
	}
	if len(args) < f.Min || f.Max >= 0 && len(args) > f.Max {
		return nil, wrongArgs(u.Name, f.Min, f.Max, len(args))
	}
	inner := s
	if f.Kind == fn.Aggregate && s.deep != nil {
		inner = s.deep
	}
	if s.inWindow {
		plain := *inner
		plain.inWindow = false
		inner = &plain
	}
	resolved, known, err := a.arguments(inner, f, args)
	if err != nil {
		return nil, err
	}
	c, err := a.resolveCall(f, name, resolved, known, u.Origin)
	if err != nil {
		return nil, err
	}
	if u.Mode != plan.ModeDefault {
		c.Mode = u.Mode
	}
	if refs := lateralsIn(c); c.Aggregate && !s.inWindow && len(refs) > 0 {
		return nil, errs.New("UNSUPPORTED_FEATURE.LATERAL_COLUMN_ALIAS_IN_AGGREGATE_FUNC", "lca", types.Quote(refs[0].attr.Name), "aggFunc", SQL(c))
	}
	return a.qualify(s, u, f, c)
}

// resolveCall resolves a call over resolved arguments.
func (a *analyzer) resolveCall(f *fn.Func, name string, args []plan.Expr, known []fn.Arg, o *plan.Origin) (*plan.Call, error) {
	for _, k := range known {
		if collated(k.Type) != nil {
			return a.collatedCall(f, name, args, known, o)
		}
	}
	return a.resolvePlain(f, name, args, known, o)
}

// resolvePlain asks the function what it makes of its arguments and casts them as it says.
func (a *analyzer) resolvePlain(f *fn.Func, name string, args []plan.Expr, known []fn.Arg, o *plan.Origin) (*plan.Call, error) {
	c := &plan.Call{Name: f.Names[0], Args: args, Mode: a.conf.mode(), Aggregate: f.Kind == fn.Aggregate,
		WindowOnly: f.Kind == fn.WindowOnly, Generator: f.Kind == fn.Generator, Origin: o}
	if strings.HasPrefix(name, "try_") {
		c.Mode = plan.ModeTry
	}
	r, err := f.Resolve(a.fn, known)
	if err != nil {
		c.Pretty = prettyCall(name, c)
		return nil, fn.WithSQL(err, Pretty(c))
	}
	if r.Shown != "" {
		if name = r.Shown; r.Keep > 0 {
			c.Args = args[:r.Keep]
		}
	}
	c.Pretty = prettyCall(name, c)
	if r.Keep > 0 {
		args = args[:r.Keep]
	}
	args = args[r.Skip:]
	c.Args = a.castAll(args, r.Args)
	if r.Swap {
		c.Args[0], c.Args[1] = c.Args[1], c.Args[0]
	}
	c.T, c.Null, c.Options = r.Type, r.Nullable, r.Options
	c.Nondetermined = f.Nondeterministic && !c.Aggregate
	if r.Kernel != "" {
		c.Name = r.Kernel
	}
	if name == "from_json" && c.T.Kind == types.KindMap {
		c.Pretty = "entries"
	}
	return c, nil
}

func (a *analyzer) castAll(args []plan.Expr, to []*types.Type) []plan.Expr {
	out := append([]plan.Expr(nil), args...)
	for i := range out {
		if i < len(to) && to[i] != nil {
			if _, lambda := out[i].(*plan.Lambda); !lambda && !onlyCollation(plan.TypeOf(out[i]), to[i]) {
				out[i] = a.castTo(out[i], to[i])
			}
		}
	}
	return out
}

func wrongArgs(name []string, least, most, actual int) error {
	expected := itoa(least)
	switch {
	case most < 0:
		expected = "> " + itoa(least-1)
	case most > least:
		list := make([]string, 0, most-least+1)
		for n := least; n <= most; n++ {
			list = append(list, itoa(n))
		}
		expected = "[" + join(list) + "]"
	}
	return errs.New("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "functionName", types.QuoteParts(name...), "expectedNum", expected,
		"actualNum", itoa(actual), "docroot", docroot)
}

const docroot = "https://spark.apache.org/docs/latest"

func join(list []string) string { return strings.Join(list, ", ") }

// arguments resolves a call's arguments; lambdas after the others, since their parameters' types depend on those.
func (a *analyzer) arguments(s *scope, f *fn.Func, args []plan.Expr) ([]plan.Expr, []fn.Arg, error) {
	out := make([]plan.Expr, len(args))
	known := make([]fn.Arg, len(args))
	for i, e := range args {
		_, lambda := e.(*plan.Lambda)
		if known[i].Lambda = slices.Contains(f.Lambdas, i); known[i].Lambda {
			out[i] = e
			continue
		}
		switch {
		case lambda && f.Lambdas == nil:
			return nil, nil, errs.New("INVALID_LAMBDA_FUNCTION_CALL.NON_HIGHER_ORDER_FUNCTION", "class", f.Names[0])
		case lambda:
			return nil, nil, errs.New("INVALID_LAMBDA_FUNCTION_CALL.PARAMETER_DOES_NOT_ACCEPT_LAMBDA_FUNCTION")
		}
		var err error
		if out[i], err = a.expr(s, e); err != nil {
			return nil, nil, err
		}
		known[i] = a.describe(out[i])
	}
	for _, i := range f.Lambdas {
		if i >= len(args) {
			break
		}
		params, err := f.LambdaTypes(a.fn, known, i)
		if err != nil {
			return nil, nil, fn.WithSQL(err, prettyCall(f.Names[0], &plan.Call{Args: out}))
		}
		l, err := a.lambda(s, args[i], params)
		if err != nil {
			return nil, nil, err
		}
		out[i] = l
		known[i] = fn.Arg{Type: plan.TypeOf(l.Body), Nullable: plan.IsNullable(l.Body), SQL: Pretty(l), Lambda: true}
	}
	return out, known, nil
}

// lambda resolves the body with the parameters. The second of them, where it is the element's place, may be left out.
func (a *analyzer) lambda(s *scope, e plan.Expr, params []types.Field) (*plan.Lambda, error) {
	l, ok := e.(*plan.Lambda)
	if place := len(params) == 2 && params[1].Name == fn.PlaceParameter; place && (!ok || len(l.Params) != 2) {
		params = params[:1]
	}
	if !ok {
		l = &plan.Lambda{Body: e}
		for range params {
			l.Params = append(l.Params, &plan.LambdaVar{})
		}
	}
	if len(l.Params) != len(params) {
		return nil, at(errs.New("INVALID_LAMBDA_FUNCTION_CALL.NUM_ARGS_MISMATCH", "expectedNumArgs", itoa(len(l.Params)), "actualNumArgs", itoa(len(params))), originOf(l.Body))
	}
	if err := a.distinctParameters(l); err != nil {
		return nil, err
	}
	m := &plan.Lambda{Params: make([]*plan.LambdaVar, len(l.Params))}
	for k, p := range l.Params {
		a.lambdas++
		m.Params[k] = &plan.LambdaVar{Name: p.Name, ID: a.lambdas, T: params[k].Type, Null: params[k].Nullable}
	}
	var err error
	m.Body, err = a.expr(s.with(m.Params), l.Body)
	return m, err
}

func (a *analyzer) distinctParameters(l *plan.Lambda) error {
	names := make([]string, len(l.Params))
	equal := false
	for i, p := range l.Params {
		names[i] = types.Quote(p.Name)
		for _, q := range l.Params[:i] {
			equal = equal || p.Name != "" && a.same(p.Name, q.Name)
		}
	}
	if !equal {
		return nil
	}
	return at(errs.New("INVALID_LAMBDA_FUNCTION_CALL.DUPLICATE_ARG_NAMES", "args", join(names), "caseSensitiveConfig", `"spark.sql.caseSensitive"`), originOf(l.Body))
}

// describe is what a function's signature sees of an argument.
func (a *analyzer) describe(e plan.Expr) fn.Arg {
	arg := fn.Arg{Type: plan.TypeOf(e), Nullable: plan.IsNullable(e), SQL: Pretty(e)}
	switch e := e.(type) {
	case *plan.Attribute:
		arg.Name = e.Name
	case *plan.LambdaVar:
		arg.Name = e.Name
	case *plan.Call:
		if e.Name == "field" {
			if i, ok := e.Args[1].(*plan.Literal).Value.(int64); ok {
				arg.Name = plan.TypeOf(e.Args[0]).Fields[i].Name
			}
		}
	}
	l, err := a.folded(e)
	if arg.Fault = err; l != nil {
		arg.IsConst, arg.Const = true, l.Value
	}
	return arg
}

// constant is an expression's value if it reads no column and can be computed now, else nil.
func (a *analyzer) constant(e plan.Expr) *plan.Literal {
	l, _ := a.folded(e)
	return l
}

// folded is constant, with the error of what reads no column and cannot be computed.
func (a *analyzer) folded(e plan.Expr) (*plan.Literal, error) {
	if l, ok := e.(*plan.Literal); ok {
		return l, nil
	}
	if c, ok := e.(*plan.Cast); ok {
		if l := integerCast(c); l != nil {
			return l, nil
		}
	}
	if c, ok := e.(*plan.Call); ok && c.Name == "negative" {
		if l, ok := c.Args[0].(*plan.Literal); ok {
			if v, ok := l.Value.(int64); ok {
				return &plan.Literal{Value: -v, T: l.T}, nil
			}
		}
	}
	if a.conf.Eval == nil || !foldable(e) {
		return nil, nil
	}
	e, _ = plan.TransformExpr(e, withoutInlined)
	return a.conf.Eval(e)
}

// integerCast is a literal integer converted to a type that holds it.
func integerCast(c *plan.Cast) *plan.Literal {
	l, ok := c.Child.(*plan.Literal)
	if !ok || !l.T.IsIntegral() || !c.To.IsIntegral() || c.To.Kind < l.T.Kind {
		return nil
	}
	return &plan.Literal{Value: l.Value, T: c.To}
}

// foldable reports whether an expression is the same for every row.
func foldable(e plan.Expr) bool {
	ok := true
	plan.WalkExpr(e, func(e plan.Expr) bool {
		switch e := e.(type) {
		case *plan.Attribute, *plan.Outer, *plan.Subquery, *plan.Window, *plan.LambdaVar:
			ok = false
		case *plan.Call:
			ok = ok && !e.Aggregate && !e.WindowOnly && !e.Generator && !e.Nondetermined
		}
		return ok
	})
	return ok
}

// expandArgs replaces stars among arguments by the columns they stand for.
func (a *analyzer) expandArgs(s *scope, args []plan.Expr) ([]plan.Expr, error) {
	var out []plan.Expr
	for _, e := range args {
		switch e := e.(type) {
		case *plan.UnresolvedStar, *plan.UnresolvedRegex:
			list, err := a.expand(s, e)
			if err != nil {
				return nil, err
			}
			out = append(out, list...)
		default:
			out = append(out, e)
		}
	}
	return out, nil
}

func syntax(u *plan.UnresolvedFunction, what string) error {
	return errs.New("INVALID_SQL_SYNTAX.FUNCTION_WITH_UNSUPPORTED_SYNTAX", "prettyName", types.QuoteParts(u.Name...), "syntax", what)
}

func notBoolean(e plan.Expr) error {
	return errs.New("DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN", "sqlExpr", SQL(e), "filter", SQL(e), "type", `"`+plan.TypeOf(e).SQL()+`"`)
}
