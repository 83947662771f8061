package analyze

import (
	"strings"

	"millrace/errs"
	"millrace/plan"
	"millrace/plan/fn"
	"millrace/types"
)

// structCall is struct(a, b + 1): fields take the names of their values, or col1, col2, ….
func (a *analyzer) structCall(s *scope, u *plan.UnresolvedFunction) (plan.Expr, error) {
	args, err := a.expandArgs(s, u.Args)
	if err != nil {
		return nil, err
	}
	values, err := a.exprs(s, args)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(values))
	shown := make([]string, len(values))
	for i, v := range values {
		names[i] = "col" + itoa(i+1)
		shown[i] = Pretty(v)
		if n, ok := nameOf(args[i], v); ok {
			names[i] = n
			if al, is := args[i].(*plan.Alias); is {
				shown[i] += " AS " + al.Names[0]
			}
		}
	}
	c := a.structOf(names, values)
	c.Pretty = "struct(" + join(shown) + ")"
	return c, nil
}

// nameOf is the name that an expression brings with it.
func nameOf(written, resolved plan.Expr) (string, bool) {
	switch e := written.(type) {
	case *plan.UnresolvedFunction:
		if e.Name[0] == ":" && len(e.Args) == 3 {
			if l, ok := e.Args[2].(*plan.Literal); ok {
				name, _ := l.Value.(string)
				return name, name != ""
			}
		}
	case *plan.Alias:
		return e.Names[0], true
	case *plan.UnresolvedAttribute:
		if c, ok := resolved.(*plan.Attribute); ok {
			return c.Name, true
		}
		if c, ok := resolved.(*plan.Call); ok && contexts[c.Name] != nil {
			return "", false
		}
		return e.Parts[len(e.Parts)-1], true
	case *plan.Attribute:
		return e.Name, true
	}
	return "", false
}

func (a *analyzer) namedStruct(s *scope, u *plan.UnresolvedFunction) (plan.Expr, error) {
	if len(u.Args) == 0 || len(u.Args)%2 != 0 {
		return nil, errs.New("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "functionName", "`named_struct`", "expectedNum", "2n (n > 0)",
			"actualNum", itoa(len(u.Args)), "docroot", docroot)
	}
	args, err := a.exprs(s, u.Args)
	if err != nil {
		return nil, err
	}
	var names []string
	var values []plan.Expr
	var shown []string
	for i := 0; i < len(args); i += 2 {
		l := a.constant(args[i])
		name, ok := "", false
		if l != nil {
			name, ok = l.Value.(string)
		}
		if !ok {
			return nil, errs.New("DATATYPE_MISMATCH.CREATE_NAMED_STRUCT_WITHOUT_FOLDABLE_STRING", "sqlExpr", "\"named_struct\"", "inputExprs", "["+SQL(args[i])+"]")
		}
		names, values = append(names, name), append(values, args[i+1])
		shown = append(shown, Pretty(args[i]), Pretty(args[i+1]))
	}
	c := a.structOf(names, values)
	c.Pretty = "named_struct(" + join(shown) + ")"
	return c, nil
}

// between is low <= x and x <= high.
func (a *analyzer) between(s *scope, u *plan.UnresolvedFunction) (plan.Expr, error) {
	if len(u.Args) != 3 {
		return nil, wrongArgs(u.Name, 3, 3, len(u.Args))
	}
	args, err := a.exprs(s, u.Args)
	if err != nil {
		return nil, err
	}
	low, err := a.apply(">=", u.Origin, args[0], args[1])
	if err != nil {
		return nil, err
	}
	high, err := a.apply("<=", u.Origin, args[0], args[2])
	if err != nil {
		return nil, err
	}
	c, err := a.apply("and", u.Origin, low, high)
	if err != nil {
		return nil, err
	}
	c.Pretty = "between(" + Pretty(args[0]) + ", " + Pretty(args[1]) + ", " + Pretty(args[2]) + ")"
	return c, nil
}

// apply calls a function on resolved arguments.
func (a *analyzer) apply(name string, o *plan.Origin, args ...plan.Expr) (*plan.Call, error) {
	f := fn.Lookup(name)
	if f == nil {
		return nil, errs.Unsupportedf("the function %s is not supported", name)
	}
	known := make([]fn.Arg, len(args))
	for i, e := range args {
		known[i] = a.describe(e)
	}
	c, err := a.resolveCall(f, name, args, known, o)
	if err != nil {
		return nil, at(err, o)
	}
	return c, nil
}

func (a *analyzer) extractCall(s *scope, u *plan.UnresolvedFunction) (plan.Expr, error) {
	args, err := a.exprs(s, u.Args)
	if err != nil {
		return nil, err
	}
	e, err := a.extract(args[0], args[1])
	if c, ok := e.(*plan.Call); ok && plan.TypeOf(args[0]).Kind == types.KindNull {
		c.Pretty = Pretty(args[0]) + "[" + Pretty(args[1]) + "]"
	}
	return e, err
}

// countCall is count: * among its arguments is the constant 1.
func (a *analyzer) countCall(s *scope, u *plan.UnresolvedFunction) (plan.Expr, error) {
	if legacy := strings.EqualFold(a.conf.get("spark.sql.legacy.allowParameterlessCount"), "true"); legacy && len(u.Args) == 0 {
		v := *u
		v.Args = []plan.Expr{null}
		return a.ordinary(s, &v, "count")
	} else if len(u.Args) == 0 {
		return nil, errs.New("WRONG_NUM_ARGS.WITH_SUGGESTION", "functionName", "`count`", "expectedNum", " >= 1", "actualNum", "0", "legacyNum", "0",
			"legacyConfKey", `"spark.sql.legacy.allowParameterlessCount"`, "legacyConfValue", `"true"`)
	}
	if len(u.Args) == 1 {
		star, ok := u.Args[0].(*plan.UnresolvedStar)
		switch {
		case !ok || star.Except != nil || u.Distinct:
		case len(star.Target) == 0:
			v := *u
			v.Args = []plan.Expr{plan.Int(1)}
			u = &v
		case !strings.EqualFold(a.conf.get("spark.sql.legacy.allowStarWithSingleTableIdentifierInCount"), "true"):
			return nil, errs.New("INVALID_USAGE_OF_STAR_WITH_TABLE_IDENTIFIER_IN_COUNT", "tableName", types.QuoteParts(star.Target...))
		}
	}
	return a.ordinary(s, u, "count")
}

// whenCall is the DataFrame's when(…).otherwise(…), which is CASE.
func (a *analyzer) whenCall(s *scope, u *plan.UnresolvedFunction) (plan.Expr, error) {
	return a.ordinary(s, u, "case")
}

// decodeCall is decode(bytes, charset), or decode(e, search, result, …, default): a CASE in which null equals null.
func (a *analyzer) decodeCall(s *scope, u *plan.UnresolvedFunction) (plan.Expr, error) {
	if len(u.Args) < 3 {
		return a.ordinary(s, u, "decode")
	}
	args, err := a.exprs(s, u.Args)
	if err != nil {
		return nil, err
	}
	var branches []plan.Expr
	rest := args[1:]
	for ; len(rest) > 1; rest = rest[2:] {
		same, err := a.apply("<=>", u.Origin, args[0], rest[0])
		if err != nil {
			return nil, err
		}
		branches = append(branches, same, rest[1])
	}
	c, err := a.apply("case", u.Origin, append(branches, rest...)...)
	if err != nil {
		return nil, err
	}
	c.Pretty = prettyCall("decode", &plan.Call{Args: args})
	return c, nil
}

func (a *analyzer) castCall(s *scope, u *plan.UnresolvedFunction, t *types.Type) (plan.Expr, error) {
	if len(u.Args) != 1 {
		return nil, wrongArgs(u.Name, 1, 1, len(u.Args))
	}
	return a.cast(s, &plan.Cast{Child: u.Args[0], To: t, Origin: u.Origin, Implicit: true})
}

// contexts are the functions that are constant in a statement, with their results' types. finish replaces them by values.
var contexts = map[string]*types.Type{"current_timestamp": types.Timestamp, "now": types.Timestamp, "current_date": types.Date,
	"curdate": types.Date, "localtimestamp": types.TimestampNTZ, "current_timezone": types.String, "current_user": types.String,
	"user": types.String, "session_user": types.String, "current_database": types.String, "current_schema": types.String,
	"current_catalog": types.String, "current_path": types.String, "version": types.String, "current_time": {Kind: types.KindTime, Precision: 6}}

func (a *analyzer) contextual(name string, args []plan.Expr) (plan.Expr, error) {
	t := contexts[name]
	if t == nil {
		return nil, nil
	}
	if len(args) > 0 {
		return nil, wrongArgs([]string{name}, 0, 0, len(args))
	}
	shown := name
	if name == "curdate" || name == "current_database" {
		shown = shownAs[name]
	}
	return &plan.Call{Name: name, T: t, Pretty: shown + "()"}, nil
}

// currentTime is current_time([precision]), of six digits if it is not said.
func (a *analyzer) currentTime(s *scope, u *plan.UnresolvedFunction) (plan.Expr, error) {
	precision := int64(6)
	if len(u.Args) > 1 {
		return nil, wrongArgs(u.Name, 0, 1, len(u.Args))
	}
	if len(u.Args) == 1 {
		e, err := a.expr(s, u.Args[0])
		if err != nil {
			return nil, err
		}
		l := a.constant(e)
		n, ok := int64(0), false
		if l != nil {
			n, ok = l.Value.(int64)
		}
		shown := "\"current_time(" + Pretty(e) + ")\""
		switch {
		case l == nil:
			return nil, errs.New("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", "sqlExpr", shown, "inputName", "`precision`", "inputType", `"INT"`, "inputExpr", SQL(e))
		case !ok:
			return nil, errs.New("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "sqlExpr", shown, "paramIndex", "first", "inputSql", SQL(e),
				"inputType", `"`+plan.TypeOf(e).SQL()+`"`, "requiredType", `"INT"`)
		case n < 0 || n > 6:
			return nil, errs.New("DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", "sqlExpr", shown, "exprName", "`precision`", "valueRange", "[0, 6]", "currentValue", itoa(int(n)))
		}
		precision = n
	}
	t := &types.Type{Kind: types.KindTime, Precision: int(precision)}
	return &plan.Call{Name: "current_time", T: t, Pretty: "current_time(" + itoa(int(precision)) + ")"}, nil
}

// wordFunction is a function that SQL calls without parentheses.
func (a *analyzer) wordFunction(name string, o *plan.Origin) (plan.Expr, bool) {
	name = strings.ToLower(name)
	switch name {
	case "current_time":
		return &plan.Call{Name: name, T: contexts[name], Pretty: "current_time(6)", Origin: o}, true
	case "current_timestamp", "current_date", "current_user", "user", "session_user", "localtimestamp", "current_catalog", "current_database", "current_path":
		return &plan.Call{Name: name, T: contexts[name], Pretty: name + "()", Origin: o}, true
	}
	return nil, false
}

// splitName splits a.b.`c.d` at its dots.
func splitName(name string) []string {
	var parts []string
	var b strings.Builder
	quoted := false
	for _, r := range name {
		switch {
		case r == '`':
			quoted = !quoted
		case r == '.' && !quoted:
			parts = append(parts, b.String())
			b.Reset()
		default:
			b.WriteRune(r)
		}
	}
	return append(parts, b.String())
}

// datePart is the function that each field of EXTRACT stands for.
var datePart = map[string]string{}

func init() {
	for name, fields := range map[string]string{
		"year": "YEAR Y YEARS YR YRS", "quarter": "QUARTER QTR", "month": "MONTH MON MONS MONTHS", "weekofyear": "WEEK W WEEKS",
		"dayofmonth": "DAY D DAYS", "dayofweek": "DAYOFWEEK DOW", "dayofyear": "DOY", "hour": "HOUR H HOURS HR HRS",
		"minute": "MINUTE M MIN MINS MINUTES", "second_with_fraction": "SECOND S SEC SECONDS SECS", "year_of_week": "YEAROFWEEK",
		"dayofweek_iso": "DAYOFWEEK_ISO DOW_ISO",
	} {
		for _, f := range strings.Fields(fields) {
			datePart[f] = name
		}
	}
}

// extractField is EXTRACT(field FROM e): the function of the field's name. A function extract of the table goes first.
func (a *analyzer) extractField(s *scope, u *plan.UnresolvedFunction) (plan.Expr, error) {
	if fn.Lookup(u.Name[len(u.Name)-1]) != nil {
		return a.ordinary(s, u, strings.ToLower(u.Name[len(u.Name)-1]))
	}
	if len(u.Args) != 2 {
		return nil, wrongArgs(u.Name, 2, 2, len(u.Args))
	}
	args, err := a.exprs(s, u.Args)
	if err != nil {
		return nil, err
	}
	field := ""
	if l := a.constant(args[0]); l != nil {
		field, _ = l.Value.(string)
	}
	name := datePart[strings.ToUpper(field)]
	if name == "" {
		return nil, errs.Unsupportedf("the field %s of EXTRACT is not supported", field)
	}
	c, err := a.apply(name, u.Origin, args[1])
	if err != nil {
		return nil, err
	}
	called := strings.ToLower(u.Name[len(u.Name)-1])
	c.Pretty = called + "(" + field + " FROM " + Pretty(args[1]) + ")"
	if called != "extract" {
		c.Pretty = called + "(" + field + ", " + Pretty(args[1]) + ")"
	}
	return c, nil
}
