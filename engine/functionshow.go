package engine

import (
	"slices"
	"sort"
	"strings"
	"time"

	"millrace/errs"
	"millrace/plan"
	"millrace/plan/fn"
	"millrace/session"
	"millrace/types"
)

var functionDescSchema = mustSchema("function_desc STRING NOT NULL")

// builtin finds a function that is built in by x, builtin.x or system.builtin.x, as in the search path before all others.
func builtin(parts []string) *fn.Description {
	switch strings.ToLower(strings.Join(parts[:len(parts)-1], ".")) {
	case "", "builtin", "system.builtin":
		return fn.Describe(parts[len(parts)-1])
	}
	return nil
}

// namedFunction finds what a function's name stands for: one that is built in, or one of a user's; both are nil when there is none.
func (st *statement) namedFunction(parts []string) (*fn.Description, *plan.CreateFunction, error) {
	if d := builtin(parts); d != nil {
		return d, nil, nil
	}
	if len(parts) > 3 {
		return nil, nil, errs.New("REQUIRES_SINGLE_PART_NAMESPACE", "sessionCatalog", "spark_catalog", "namespace", "identifier "+types.QuoteParts(parts...))
	}
	f, err := st.Function(parts)
	return nil, f, err
}

func (st *statement) noFunction(parts []string) error {
	return errs.New("UNRESOLVED_ROUTINE", "routineName", types.QuoteParts(parts...), "searchPath",
		"[`system`.`builtin`, `system`.`session`, "+types.QuoteParts("spark_catalog", st.database())+"]")
}

// describeFunction is DESCRIBE FUNCTION [EXTENDED].
func (st *statement) describeFunction(c *plan.Describe) (session.Result, error) {
	d, f, err := st.namedFunction(c.Name)
	if err != nil {
		return nil, err
	}
	var lines []string
	switch {
	case d != nil:
		lines = append(lines, "Function: "+d.Name)
		if d.Class != "" {
			lines = append(lines, "Class: "+d.Class)
		}
		if lines = append(lines, "Usage: "+d.Usage()); c.Extended {
			lines = append(lines, "Extended Usage:"+d.Extended())
		}
	case f == nil:
		return nil, st.noFunction(c.Name)
	default:
		if lines, err = st.functionLines(f, c.Extended); err != nil {
			return nil, err
		}
	}
	rows := make([][]any, len(lines))
	for i, l := range lines {
		rows[i] = []any{l}
	}
	return st.rowsResult(functionDescSchema, rows)
}

// functionLines describe a function in SQL: a word, and in the column beside it what that is, in one line or several.
func (st *statement) functionLines(f *plan.CreateFunction, extended bool) ([]string, error) {
	r, err := st.analyze(functionCall(f))
	if err != nil {
		return nil, err
	}
	width := len("Function: ")
	if extended {
		width = len("Deterministic: ")
	}
	var lines []string
	say := func(word string, values ...string) {
		for i, v := range values {
			if i > 0 {
				word = ""
			}
			lines = append(lines, word+strings.Repeat(" ", width-len(word))+v)
		}
	}
	kind := "SCALAR"
	if f.Table {
		kind = "TABLE"
	}
	say("Function:", strings.Join(f.Name, "."))
	say("Type:", kind)
	var params, columns []describedColumn
	for _, p := range f.Params {
		params = append(params, describedColumn{p.Name, p.Type, p.Text, p.Comment})
	}
	for i, a := range r.(plan.Resolved).Output() {
		c := describedColumn{name: a.Name, t: a.T}
		if f.Columns != nil {
			c.comment = f.Columns[i].Comment
		}
		columns = append(columns, c)
	}
	if len(params) == 0 {
		say("Input:", "()")
	}
	say("Input:", columnLines(params, extended)...)
	if f.Table {
		say("Returns:", columnLines(columns, extended)...)
	} else {
		say("Returns:", columns[0].t.SQL())
	}
	if !extended {
		return lines, nil
	}
	if f.Comment != "" {
		say("Comment:", f.Comment)
	}
	determined := f.Determined || !f.NotDetermined && !anyChance(r)
	say("Deterministic:", map[bool]string{true: "true", false: "false"}[determined])
	reads, err := st.readsData(f)
	if err != nil {
		return nil, err
	}
	say("Data Access:", map[bool]string{true: "READS SQL DATA", false: "CONTAINS SQL"}[reads])
	var confs []string
	for key, value := range f.Settings {
		confs = append(confs, key+"="+value)
	}
	sort.Strings(confs)
	say("Configs:", confs...)
	if f.Created != 0 {
		say("Create Time:", time.UnixMilli(f.Created).In(st.zone()).Format("Mon Jan 02 15:04:05 MST 2006"))
	}
	say("Body:", f.BodyText)
	return lines, nil
}

// describedColumn is a parameter or a column of a function's result.
type describedColumn struct {
	name          string
	t             *types.Type
	text, comment string // of the default
}

func columnLines(list []describedColumn, extended bool) []string {
	names, kinds := 0, 0
	for _, c := range list {
		names, kinds = max(names, len(c.name)), max(kinds, len(c.t.SQL()))
	}
	lines := make([]string, len(list))
	for i, c := range list {
		kind := c.t.SQL()
		lines[i] = c.name + strings.Repeat(" ", names-len(c.name)+1) + kind + strings.Repeat(" ", kinds-len(kind))
		if extended && c.text != "" {
			lines[i] += " DEFAULT " + c.text
		}
		if extended && c.comment != "" {
			lines[i] += " '" + c.comment + "'"
		}
	}
	return lines
}

// anyChance reports whether anything in a resolved relation is drawn or otherwise not determined by what is read.
func anyChance(n plan.Node) bool {
	found := false
	plan.Walk(n, func(n plan.Node) bool {
		h, ok := n.(plan.HasExprs)
		if !ok {
			return !found
		}
		for _, e := range h.Expressions() {
			plan.WalkExpr(e, func(e plan.Expr) bool {
				switch e := e.(type) {
				case *plan.Call:
					found = found || e.Nondetermined
				case *plan.Subquery:
					found = found || anyChance(e.Plan)
				}
				return !found
			})
		}
		return !found
	})
	return found
}

// usersFunction is a function that is not built in.
type usersFunction struct {
	name, namespace string // a temporary one has no namespace
}

// usersFunctions are the session's temporary functions and a schema's lasting ones.
func (st *statement) usersFunctions(namespace string) ([]usersFunction, error) {
	if err := st.hasSchema(namespace); err != nil {
		return nil, err
	}
	var all []usersFunction
	for _, name := range st.s.Functions() {
		all = append(all, usersFunction{name: name})
	}
	names, err := st.e.o.Catalog.Functions(st.ctx, namespace)
	for _, name := range names {
		all = append(all, usersFunction{name, namespace})
	}
	return all, err
}

// showFunctions is SHOW [USER | SYSTEM | ALL] FUNCTIONS.
func (st *statement) showFunctions(c *plan.Show) (session.Result, error) {
	namespace, err := st.functionsIn(c.Name)
	if err != nil {
		return nil, err
	}
	users, err := st.usersFunctions(namespace)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, d := range fn.Described() {
		if (c.Scope == "" || c.Scope == "all" || (c.Scope == "user") == d.Injected()) && session.Matches(c.Pattern, d.Name) {
			found = append(found, d.Name)
		}
	}
	for _, f := range users {
		switch {
		case c.Scope == "system" || !session.Matches(c.Pattern, f.name):
		case f.namespace == "":
			found = append(found, f.name)
		default:
			found = append(found, strings.Join([]string{"spark_catalog", f.namespace, f.name}, "."))
		}
	}
	slices.Sort(found)
	rows := make([][]any, len(found))
	for i, name := range found {
		rows[i] = []any{name}
	}
	return st.rowsResult(types.Struct(types.Field{Name: "function", Type: types.String}), rows)
}

// functionsIn is the schema that a list of functions is asked of.
func (st *statement) functionsIn(parts []string) (string, error) {
	if len(parts) > 1 && strings.EqualFold(parts[0], "spark_catalog") {
		parts = parts[1:]
	}
	switch len(parts) {
	case 0:
		return st.database(), nil
	case 1:
		return parts[0], nil
	}
	return "", errs.New("REQUIRES_SINGLE_PART_NAMESPACE", "sessionCatalog", "spark_catalog", "namespace", types.QuoteParts(parts...))
}

// functionCalls are spark.catalog's calls about functions.
func (st *statement) functionCalls(op string, name []string, pattern string) (session.Result, error) {
	ofBuiltin := func(name string, d *fn.Description) []any {
		var class any
		if d.Class != "" {
			class = d.Class
		}
		return []any{name, nil, nil, d.Usage(), class, true}
	}
	ofUsers := func(name, namespace, comment string) []any {
		row := []any{name, nil, nil, comment, "sqlFunction.", true}
		if namespace != "" {
			row[1], row[2], row[5] = "spark_catalog", []any{namespace}, false
		}
		return row
	}
	if op == "listFunctions" {
		namespace, err := st.functionsIn(name)
		if err != nil {
			return nil, err
		}
		users, err := st.usersFunctions(namespace)
		if err != nil {
			return nil, err
		}
		var rows [][]any
		for _, d := range fn.Described() {
			if session.Matches(pattern, d.Name) {
				rows = append(rows, ofBuiltin(d.Name, &d))
			}
		}
		for _, u := range users {
			if !session.Matches(pattern, u.name) {
				continue
			}
			parts := []string{u.name}
			if u.namespace != "" {
				parts = []string{"spark_catalog", u.namespace, u.name}
			}
			f, err := st.Function(parts)
			if err != nil {
				return nil, err
			}
			if f != nil { // else it was dropped meanwhile
				rows = append(rows, ofUsers(u.name, u.namespace, f.Comment))
			}
		}
		return st.rowsResult(session.FunctionShape, rows)
	}
	d, f, err := st.namedFunction(name)
	switch {
	case err != nil:
		return nil, err
	case op == "functionExists":
		return st.rowsResult(types.Struct(types.Field{Name: "value", Type: types.Boolean}), [][]any{{d != nil || f != nil}})
	case d != nil:
		return st.rowsResult(session.FunctionShape, [][]any{ofBuiltin(name[0], d)})
	case f == nil:
		return nil, st.noFunction(name)
	}
	namespace := ""
	if len(f.Name) == 3 {
		namespace = f.Name[1]
	}
	return st.rowsResult(session.FunctionShape, [][]any{ofUsers(f.Name[len(f.Name)-1], namespace, f.Comment)})
}
