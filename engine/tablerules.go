package engine

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"millrace/delta"
	"millrace/errs"
	"millrace/plan"
	"millrace/plan/analyze"
	"millrace/sql"
	"millrace/types"
)

// rules are what a table asks of the rows that are written to it: columns that it fills and conditions that all rows meet.
type rules struct {
	st       *statement
	metadata *delta.Metadata
	schema   *types.Type
	last     plan.ID
	identity *identity // of the column that the write fills, or nil
}

// identity is an identity column's counter.
type identity struct {
	column      string
	start, step int64
	always      bool
	next        int64
}

func (st *statement) rules(m *delta.Metadata, schema *types.Type, last plan.ID) *rules {
	return &rules{st: st, metadata: m, schema: schema, last: last}
}

func (r *rules) id() plan.ID { r.last++; return r.last }

// generated is the expression that fills a column, or empty.
func generated(f types.Field) string {
	if raw := delta.FieldMetadata(f, "delta.generationExpression"); raw != nil {
		return delta.Text(raw)
	}
	return ""
}

// identityOf is a column's counter, or nil.
func identityOf(f types.Field) *identity {
	number := func(key string) (int64, bool) {
		raw := delta.FieldMetadata(f, key)
		n, err := strconv.ParseInt(strings.Trim(string(raw), `"`), 10, 64)
		return n, raw != nil && err == nil
	}
	start, ok := number("delta.identity.start")
	if !ok {
		return nil
	}
	step, _ := number("delta.identity.step")
	i := &identity{column: f.Name, start: start, step: step, next: start, always: string(delta.FieldMetadata(f, "delta.identity.allowExplicitInsert")) != "true"}
	if high, ok := number("delta.identity.highWaterMark"); ok {
		i.next = high + step
	}
	return i
}

// asked reports whether the table asks anything.
func (r *rules) asked() bool {
	for key := range r.metadata.Configuration {
		if strings.HasPrefix(key, "delta.constraints.") {
			return true
		}
	}
	found := false
	delta.WalkFields(r.schema, func(f types.Field) {
		found = found || !f.Nullable || delta.Filled(f) || charLength(f) > 0 || invariant(f) != ""
	})
	return found
}

// complete is rows with all of a table's columns, in its order and types; those that the input lacks are filled.
func (r *rules) complete(input plan.Node) (plan.Node, error) {
	out := input.(plan.Resolved).Output()
	first := &plan.Project{Input: input}
	later := map[int]string{}
	for i, f := range r.schema.Fields {
		k := find(out, f.Name)
		var e plan.Expr
		switch id := identityOf(f); {
		case k >= 0 && id != nil && id.always:
			return nil, errs.New("DELTA_IDENTITY_COLUMNS_EXPLICIT_INSERT_NOT_SUPPORTED", "colName", f.Name)
		case k >= 0:
			e = padded(unaliased(as(out[k], f, 0)), f)
		case id != nil:
			r.identity = id
			e = id.call()
		case generated(f) != "":
			later[i] = generated(f)
			e = &plan.Literal{T: f.Type}
		default:
			var err error
			if e, err = r.st.defaultOf(f); err != nil {
				return nil, err
			}
			if e, err = r.st.storedExpr(e, f, f.Name); err != nil {
				return nil, err
			}
		}
		first.Exprs = append(first.Exprs, &plan.Alias{Child: e, Names: []string{f.Name}, ID: r.id(), Metadata: f.Metadata})
	}
	if r.identity != nil {
		first.Input = &plan.Repartition{Input: input, N: 1}
	}
	if len(later) == 0 {
		return first, nil
	}
	return r.generate(first, later)
}

// padded is a value as a char column keeps it.
func padded(e plan.Expr, f types.Field) plan.Expr {
	n := charLength(f)
	if n == 0 || !isChar(f) {
		return e
	}
	length := call("length", types.Integer, true, e)
	return call("case", types.String, true, call("<", types.Boolean, true, length, plan.Int(int64(n))),
		call("rpad", types.String, true, e, plan.Int(int64(n)), plan.Str(" ")), e)
}

func isChar(f types.Field) bool {
	raw := delta.FieldMetadata(f, "__CHAR_VARCHAR_TYPE_STRING")
	return f.Type.Char || raw != nil && strings.HasPrefix(delta.Text(raw), "char(")
}

func unaliased(e plan.Expr) plan.Expr {
	if a, ok := e.(*plan.Alias); ok {
		return a.Child
	}
	return e
}

// generate computes generated columns from the others.
func (r *rules) generate(in *plan.Project, later map[int]string) (plan.Node, error) {
	out := &plan.Project{Input: in}
	for i, a := range in.Output() {
		text, ok := later[i]
		if !ok {
			out.Exprs = append(out.Exprs, a)
			continue
		}
		e, err := r.parsed(text, in)
		if err != nil {
			return nil, err
		}
		f := r.schema.Fields[i]
		if e, err = r.st.storedExpr(e, f, f.Name); err != nil {
			return nil, err
		}
		out.Exprs = append(out.Exprs, &plan.Alias{Child: e, Names: []string{f.Name}, ID: r.id()})
	}
	return out, nil
}

func (r *rules) parsed(text string, over plan.Node) (plan.Expr, error) {
	e, err := sql.ParseExpression(text)
	if err != nil {
		return nil, err
	}
	return analyze.Expression(e, over, r.st, r.st.conf())
}

func (i *identity) call() plan.Expr {
	return &plan.Call{Name: "table_identity", T: types.Long, Nondetermined: true,
		Options: map[string]string{"start": itoa(i.next), "step": itoa(i.step)}}
}

// moved is the metadata after so many values were given.
func (i *identity) moved(m *delta.Metadata, n int64) (*delta.Metadata, error) {
	if n == 0 {
		return m, nil
	}
	c := m.Clone()
	schema, err := delta.ParseSchema(m.SchemaString)
	if err != nil {
		return nil, err
	}
	for k, f := range schema.Fields {
		if f.Name == i.column {
			schema.Fields[k] = delta.WithFieldMetadata(f, map[string]any{"delta.identity.highWaterMark": i.next + i.step*(n-1)})
		}
	}
	c.SchemaString = schema.JSON()
	return c, nil
}

// enforce has rows, whose columns from a place on are the table's, meet the table's conditions; applies (nil: always) says for which rows they hold.
func (r *rules) enforce(in plan.Node, from int, applies plan.Expr) (plan.Node, error) {
	attrs := in.(plan.Resolved).Output()[from : from+len(r.schema.Fields)]
	scope := &plan.Project{Input: in}
	for i, a := range attrs {
		b := *a
		b.Name, b.Qualifier = r.schema.Fields[i].Name, nil
		scope.Exprs = append(scope.Exprs, &b)
	}
	if applies == nil {
		applies = plan.Bool(true)
	}
	var list []plan.Expr
	for i, f := range r.schema.Fields {
		list = append(list, notNull(attrs[i], f, f.Name, applies)...)
		list = append(list, tooLong(attrs[i], f, applies)...)
		checks := map[string]string{}
		if text := generated(f); text != "" {
			checks["Generated Column"] = "(" + types.QuoteIfNeeded(f.Name) + " <=> " + text + ")"
		}
		if text := invariant(f); text != "" {
			checks["EXPRESSION("+text+")"] = "(" + text + ")"
		}
		for name, text := range checks {
			c, err := r.check(name, text, scope, applies)
			if err != nil {
				return nil, err
			}
			list = append(list, c)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(r.metadata.Configuration)) {
		name, ok := strings.CutPrefix(key, "delta.constraints.")
		if !ok {
			continue
		}
		c, err := r.check(name, "("+r.metadata.Configuration[key]+")", scope, applies)
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	if len(list) == 0 {
		return in, nil
	}
	return &plan.Filter{Input: in, Condition: both(list...)}, nil
}

// invariant is the condition that an early kind of metadata puts on a column, or empty.
func invariant(f types.Field) string {
	raw := delta.FieldMetadata(f, "delta.invariants")
	if raw == nil {
		return ""
	}
	var v struct {
		Expression struct {
			Expression string `json:"expression"`
		} `json:"expression"`
	}
	if json.Unmarshal([]byte(delta.Text(raw)), &v) != nil {
		return ""
	}
	return v.Expression.Expression
}

// rule is a condition that raises an error where it is not met.
func rule(options map[string]string, applies, ok plan.Expr, values ...plan.Expr) plan.Expr {
	return &plan.Call{Name: "table_rule", Args: append([]plan.Expr{applies, ok}, values...), T: types.Boolean, Mode: plan.ModeANSI, Nondetermined: true, Options: options}
}

// notNull are the rules of a column, and of fields below it, that may not be null.
func notNull(e plan.Expr, f types.Field, name string, applies plan.Expr) (list []plan.Expr) {
	if !f.Nullable {
		list = append(list, rule(map[string]string{"condition": "DELTA_NOT_NULL_CONSTRAINT_VIOLATED", "column": name}, applies, call("isnotnull", types.Boolean, false, e)))
	}
	if f.Type.Kind != types.KindStruct {
		return list
	}
	have := plan.TypeOf(e)
	for i, g := range f.Type.Fields {
		null := true
		if i < len(have.Fields) {
			null = have.Fields[i].Nullable || plan.IsNullable(e)
		}
		list = append(list, notNull(call("field", g.Type, null, e, plan.Int(int64(i))), g, name+"."+g.Name, applies)...)
	}
	return list
}

// tooLong is the rule of a char or varchar column.
func tooLong(a *plan.Attribute, f types.Field, applies plan.Expr) []plan.Expr {
	n := charLength(f)
	if n == 0 {
		return nil
	}
	length := call("length", types.Integer, true, a)
	fits := call("or", types.Boolean, true, call("isnull", types.Boolean, false, a), call("<=", types.Boolean, true, length, plan.Int(int64(n))))
	options := map[string]string{"condition": "DELTA_EXCEED_CHAR_VARCHAR_LIMIT",
		"expression": "((" + f.Name + " IS NULL) OR (length(" + f.Name + ") <= " + strconv.Itoa(n) + "))"}
	return []plan.Expr{rule(options, applies, fits, a)}
}

// charLength is how many characters a column may have, or 0.
func charLength(f types.Field) int {
	if f.Type.Kind == types.KindString && f.Type.Length > 0 {
		return f.Type.Length
	}
	raw := delta.FieldMetadata(f, "__CHAR_VARCHAR_TYPE_STRING")
	if raw == nil || f.Type.Kind != types.KindString {
		return 0
	}
	_, rest, _ := strings.Cut(delta.Text(raw), "(")
	n, err := strconv.Atoi(strings.TrimSuffix(rest, ")"))
	if err != nil {
		return 0
	}
	return n
}

// check is the rule of a condition in the table's metadata.
func (r *rules) check(name, text string, scope plan.Node, applies plan.Expr) (plan.Expr, error) {
	cond, err := r.parsed(text, scope)
	if err != nil {
		return nil, err
	}
	return rule(valueOptions("DELTA_VIOLATE_CONSTRAINT_WITH_VALUES", name, analyze.Pretty(cond), cond), applies, cond, valuesOf(cond)...), nil
}

// columnsIn are the columns that an expression reads, by name.
func columnsIn(e plan.Expr) []*plan.Attribute {
	var list []*plan.Attribute
	plan.WalkExpr(e, func(e plan.Expr) bool {
		if a, ok := e.(*plan.Attribute); ok && !slices.ContainsFunc(list, func(b *plan.Attribute) bool { return a.ID == b.ID }) {
			list = append(list, a)
		}
		return true
	})
	slices.SortFunc(list, func(a, b *plan.Attribute) int { return strings.Compare(a.Name, b.Name) })
	return list
}

func valuesOf(e plan.Expr) []plan.Expr { return exprs(columnsIn(e)) }

func valueOptions(condition, name, text string, e plan.Expr) map[string]string {
	var names []string
	for _, a := range columnsIn(e) {
		names = append(names, a.Name)
	}
	return map[string]string{"condition": condition, "name": name, "expression": text, "columns": strings.Join(names, "\n")}
}

// ruled is an input as the table takes it: with all columns, and held against its conditions. The identity is of a column that it fills.
func (st *statement) ruled(input plan.Node, m *delta.Metadata) (plan.Node, *identity, error) {
	schema, err := delta.ParseSchema(m.SchemaString)
	if err != nil {
		return nil, nil, err
	}
	r := st.rules(m, schema, plan.MaxID(input))
	if !r.asked() {
		return input, nil, nil
	}
	if input, err = r.complete(input); err != nil {
		return nil, nil, err
	}
	input, err = r.enforce(input, 0, nil)
	return input, r.identity, err
}

// counted moves an identity column's counter in the metadata that a write commits.
func counted(id *identity, m *delta.Metadata, actions []delta.Action, rows int64) (*delta.Metadata, []delta.Action, error) {
	moved, err := id.moved(m, rows)
	if err != nil || moved == m {
		return m, actions, err
	}
	actions = slices.DeleteFunc(slices.Clone(actions), func(a delta.Action) bool { return a.Metadata != nil })
	return moved, append([]delta.Action{{Metadata: moved}}, actions...), nil
}
