package engine

import (
	"context"
	"math"
	"strconv"
	"strings"

	"millrace/errs"
	"millrace/plan"
	"millrace/plan/analyze"
	"millrace/plan/fn"
	"millrace/session"
	"millrace/types"
)

// variable finds the session variable that a name begins with, and the fields that the name goes on with.
func (st *statement) variable(parts []string) (*plan.Literal, []string) {
	try := func(n int) (*plan.Literal, []string) {
		if len(parts) < n {
			return nil, nil
		}
		name, ok := temporaryName(parts[:n])
		if !ok {
			return nil, nil
		}
		v, ok := st.s.Variable(name)
		if !ok {
			return nil, nil
		}
		l := *v.Value
		l.Context = "variablereference(system.session." + types.QuoteIfNeeded(v.Name) + "=" + literalSQL(&l) + ")"
		return &l, parts[n:]
	}
	if v, n := session.Local(st.ctx, parts); v != nil {
		l := *v.Value
		l.Context = "variablereference(" + types.QuoteIfNeeded(v.Name) + "=" + literalSQL(&l) + ")"
		return &l, parts[n:]
	}
	for n := 3; n > 0; n-- {
		if l, rest := try(n); l != nil {
			return l, rest
		}
	}
	return nil, nil
}

// literalSQL is a value as Spark writes it in SQL.
func literalSQL(l *plan.Literal) string {
	text := analyze.Pretty(l)
	switch {
	case l.Value == nil && l.T.Kind != types.KindNull:
		return "CAST(NULL AS " + l.T.SQL() + ")"
	case l.T.Kind == types.KindString && l.Value != nil:
		return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(text) + "'"
	case l.T.Kind == types.KindLong:
		return text + "L"
	case l.T.Kind == types.KindShort:
		return text + "S"
	case l.T.Kind == types.KindByte:
		return text + "Y"
	case l.T.Kind == types.KindDecimal:
		return text + "BD"
	case l.T.Kind == types.KindDouble:
		return text + "D"
	}
	return text
}

func variableName(parts []string) string {
	return types.QuoteParts("system", "session", parts[len(parts)-1])
}

func unknownVariable(parts []string, o *plan.Origin) error {
	err := errs.New("UNRESOLVED_VARIABLE", "variableName", types.QuoteParts(parts...), "searchPath", "`SYSTEM`.`SESSION`")
	return placed(err, o)
}

func placed(err *errs.Error, o *plan.Origin) error {
	if o == nil {
		return err
	}
	r := []rune(o.SQL)
	return err.With(errs.QueryContext{Start: o.Start, Stop: o.Stop, SQL: o.SQL, Fragment: string(r[o.Start:min(o.Stop+1, len(r))])})
}

// value computes an expression that reads no columns; nil t: the type is the expression's own.
func (st *statement) value(e plan.Expr, t *types.Type) (*plan.Literal, error) {
	n, err := st.analyze(&plan.Project{Input: &plan.OneRow{}, Exprs: []plan.Expr{&plan.Alias{Child: e, Names: []string{"value"}}}})
	if err != nil {
		return nil, err
	}
	return st.oneValue(n, t)
}

func (st *statement) oneValue(n plan.Node, t *types.Type) (*plan.Literal, error) {
	row, err := st.oneRow(n, []*types.Type{t})
	if err != nil {
		return nil, err
	}
	return row[0], nil
}

// oneRow runs a resolved query of at most one row, whose values are converted to the given types; no row is a row of nulls.
func (st *statement) oneRow(n plan.Node, to []*types.Type) ([]*plan.Literal, error) {
	out := n.(plan.Resolved).Output()
	p := &plan.Project{Input: n}
	id := plan.MaxID(n)
	for i, c := range out {
		if to[i] == nil {
			to[i] = c.T
		}
		if !c.T.SameData(to[i]) && !fn.CanCast(true, c.T, to[i]) {
			return nil, errs.New("DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION", "sqlExpr", `"CAST(`+c.Name+` AS `+to[i].SQL()+`)"`,
				"srcType", `"`+c.T.SQL()+`"`, "targetType", `"`+to[i].SQL()+`"`)
		}
		var e plan.Expr = c
		if !c.T.SameData(to[i]) {
			e = &plan.Cast{Child: c, To: to[i], Mode: plan.ModeANSI}
		}
		id++
		p.Exprs = append(p.Exprs, &plan.Alias{Child: e, Names: []string{c.Name}, ID: id})
	}
	rows, err := st.collect(p, 2)
	if err != nil {
		return nil, err
	}
	if len(rows) > 1 {
		return nil, errs.New("ROW_SUBQUERY_TOO_MANY_ROWS")
	}
	list := make([]*plan.Literal, len(out))
	for i := range out {
		list[i] = &plan.Literal{T: to[i]}
		if len(rows) == 1 {
			list[i].Value = rows[0][i]
		}
	}
	return list, nil
}

func (st *statement) declareVariables(c *plan.DeclareVariables) (session.Result, error) {
	seen := map[string]bool{}
	var names []string
	for _, parts := range c.Names {
		name, ok := temporaryName(parts)
		if !ok {
			return nil, unknownVariable(parts, c.Origin)
		}
		if seen[strings.ToLower(name)] {
			return nil, errs.New("DUPLICATE_VARIABLE_NAME_INSIDE_DECLARE", "variableName", types.Quote(name))
		}
		seen[strings.ToLower(name)] = true
		if _, there := st.s.Variable(name); there && !c.Replace {
			return nil, errs.New("VARIABLE_ALREADY_EXISTS", "variableName", variableName(parts))
		}
		names = append(names, name)
	}
	value := &plan.Literal{T: c.Type}
	if c.Default != nil {
		if hasSubquery(c.Default) {
			return nil, errs.New("INVALID_DEFAULT_VALUE.SUBQUERY_EXPRESSION", "statement", "DECLARE VARIABLE", "colName", types.QuoteParts(c.Names[0]...), "defaultValue", c.Text)
		}
		var err error
		if value, err = st.value(c.Default, c.Type); err != nil {
			return nil, err
		}
	}
	for _, name := range names {
		st.s.PutVariables(session.Variable{Name: name, Value: value, Default: c.Default})
	}
	return emptyResult(), nil
}

// setVariables computes all values before any variable changes.
func (st *statement) setVariables(c *plan.SetVariables) (session.Result, error) {
	list := make([]session.Variable, len(c.Names))
	local := make([]*session.Variable, len(c.Names))
	to := make([]*types.Type, len(c.Names))
	seen := map[string]bool{}
	for i, parts := range c.Names {
		name, ok := temporaryName(parts)
		if v, n := session.Local(st.ctx, parts); v != nil && n == len(parts) {
			local[i], list[i], ok = v, *v, true
			name = strings.Join(parts, ".")
		} else if ok {
			list[i], ok = st.s.Variable(name)
		}
		if !ok {
			return nil, unknownVariable(parts, c.Origin)
		}
		if seen[strings.ToLower(name)] {
			return nil, errs.New("DUPLICATE_ASSIGNMENTS", "nameList", types.Quote(name))
		}
		seen[strings.ToLower(name)] = true
		to[i] = list[i].Value.T
	}
	var values []*plan.Literal
	if c.Query != nil {
		n, err := st.analyze(c.Query)
		if err != nil {
			return nil, err
		}
		if got := len(n.(plan.Resolved).Output()); got != len(list) {
			return nil, errs.New("ASSIGNMENT_ARITY_MISMATCH", "numTarget", strconv.Itoa(len(list)), "numExpr", strconv.Itoa(got))
		}
		if values, err = st.oneRow(n, to); err != nil {
			return nil, err
		}
	}
	for i, e := range c.Values {
		if _, ok := e.(*plan.DefaultValue); ok {
			if e = list[i].Default; e == nil {
				e = &plan.Literal{T: types.Null}
			}
		}
		v, err := st.value(e, to[i])
		if err != nil {
			return nil, err
		}
		values = append(values, v)
	}
	var lasting []session.Variable
	for i := range list {
		if local[i] != nil {
			local[i].Value = values[i]
			continue
		}
		list[i].Value = values[i]
		lasting = append(lasting, list[i])
	}
	st.s.PutVariables(lasting...)
	return emptyResult(), nil
}

func (st *statement) dropVariable(c *plan.DropVariable) (session.Result, error) {
	name, ok := temporaryName(c.Name)
	if !ok {
		return nil, unknownVariable(c.Name, c.Origin)
	}
	if !st.s.DropVariable(name) && !c.IfExists {
		return nil, errs.New("VARIABLE_NOT_FOUND", "variableName", variableName(c.Name))
	}
	return emptyResult(), nil
}

var _ session.Evaluator = (*Engine)(nil)

// Evaluate implements session.Evaluator.
func (e *Engine) Evaluate(ctx context.Context, s *session.Session, x plan.Expr) (*plan.Literal, error) {
	st := e.statement(ctx, s)
	defer st.haveRead()
	return st.value(x, nil)
}

// Rows implements session.Evaluator.
func (e *Engine) Rows(ctx context.Context, s *session.Session, n plan.Node) ([]types.Field, [][]any, error) {
	st := e.statement(ctx, s)
	n, err := st.analyze(n)
	if err != nil {
		return nil, nil, err
	}
	st.haveRead()
	rows, err := st.collect(n, math.MaxInt)
	return plan.Schema(n).Fields, rows, err
}
