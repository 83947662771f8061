package session

import (
	"context"
	"encoding/json"
	"strings"

	"millrace/errs"
	"millrace/plan"
	"millrace/types"
)

// Run starts a plan: what concerns only the session is done here, the rest by the engine.
func (s *Session) Run(ctx context.Context, n plan.Node) (Result, error) {
	n, err := s.settle(ctx, n)
	if err != nil {
		return nil, err
	}
	switch c := n.(type) {
	case *plan.PlanID:
		return s.Run(ctx, c.Input)
	case *plan.ShowString:
		return s.show(ctx, c)
	case *plan.CreateView:
		if _, temporary := s.View(c.Name); c.Alter && temporary {
			d := *c
			info, _ := s.ViewInfo(c.Name)
			d.Temp, d.Global, d.Collation, d.Comment = true, len(c.Name) == 2, info.Collation, info.Comment
			c = &d
		}
		if c.Temp || c.Global {
			return s.createView(ctx, c)
		}
	case *plan.AlterTable:
		if _, temporary := s.View(c.Name); temporary && c.Actions[0].Kind == "rename" {
			return s.renameView(c.Name, c.Actions[0].Column)
		}
	case *plan.Drop:
		if (strings.EqualFold(c.Kind, "view") || strings.EqualFold(c.Kind, "table")) && s.dropView(c.Name) { // as in Spark, a table's name finds the view first
			return none()
		}
	case *plan.Set:
		return s.set(c)
	case *plan.Use:
		return s.use(ctx, c)
	case *plan.Explain:
		return s.explain(ctx, c)
	case *plan.Script:
		return s.runScript(ctx, c)
	case *plan.Cache:
		return s.cache(ctx, c)
	case *plan.Show:
		if r, err := s.showNames(ctx, c); r != nil || err != nil {
			return r, err
		}
	case *plan.Describe:
		if r, err := s.describe(ctx, c); r != nil || err != nil {
			return r, err
		}
	case *plan.Generic:
		if op, ok := strings.CutPrefix(c.Name, CatalogCall); ok {
			return s.runCatalog(ctx, op, c.Args)
		}
	}
	return s.engine.Execute(ctx, s, n)
}

// explain draws a plan in one row. What is wrong with the query is shown in the place of its plan, a row for each line, as Spark does.
func (s *Session) explain(ctx context.Context, c *plan.Explain) (Result, error) {
	out, err := s.engine.Explain(ctx, s, c.Input, c.Mode)
	rows := [][]any{{out}}
	if err != nil {
		if ctx.Err() != nil || strings.EqualFold(c.Mode, "analyze") { // which has run the query
			return nil, err
		}
		rows = nil
		for line := range strings.SplitSeq("Error occurred during query planning: \n"+err.Error(), "\n") {
			rows = append(rows, []any{line})
		}
	}
	return NewRows(nullable(fields("plan", types.String)), rows)
}

// Schema is what a plan's rows will have.
func (s *Session) Schema(ctx context.Context, n plan.Node) (*types.Type, error) {
	if command, ok := n.(plan.Command); ok && readOnly(command) {
		r, err := s.Run(ctx, n)
		if err != nil {
			return nil, err
		}
		defer r.Close() // nothing was read
		return r.Schema(), nil
	}
	if show, ok := n.(*plan.ShowString); ok {
		if show.HTML {
			return fields("html_string", types.String), nil
		}
		return fields("show_string", types.String), nil
	}
	n, err := s.settle(ctx, n)
	if err != nil {
		return nil, err
	}
	resolved, err := s.engine.Analyze(ctx, s, n)
	if err != nil {
		return nil, err
	}
	t := &types.Type{Kind: types.KindStruct}
	for _, a := range resolved.Output() {
		t.Fields = append(t.Fields, types.Field{Name: a.Name, Type: a.T, Nullable: a.Null, Metadata: a.Metadata})
	}
	return t, nil
}

func readOnly(c plan.Command) bool {
	switch c := c.(type) {
	case *plan.Show, *plan.Explain, *plan.Describe:
		return true
	case *plan.Set:
		return c.Value == nil && !c.Reset
	case *plan.Generic:
		op, ok := strings.CutPrefix(c.Name, CatalogCall)
		return ok && catalogReads[op]
	}
	return false
}

func none() (Result, error) { return NewRows(&types.Type{Kind: types.KindStruct}, nil) }

func nullable(t *types.Type) *types.Type {
	for i := range t.Fields {
		t.Fields[i].Nullable = true
	}
	return t
}

// createView makes a temporary view.
func (s *Session) createView(ctx context.Context, c *plan.CreateView) (Result, error) {
	if len(c.Name) > 1 && !(c.Global && len(c.Name) == 2 && strings.EqualFold(c.Name[0], GlobalNamespace)) {
		return nil, errs.New("TEMP_VIEW_NAME_TOO_MANY_NAME_PARTS", "actualName", types.QuoteParts(c.Name...))
	}
	query := c.Query
	if c.Collation != "" {
		p := s.Parser()
		p.Collation = c.Collation
		var err error
		if query, err = p.ParseStatement(c.Text); err != nil {
			return nil, err
		}
	}
	resolved, err := s.engine.Analyze(ctx, s, query)
	if err != nil {
		return nil, err
	}
	info := ViewInfo{Name: c.Name[len(c.Name)-1], Text: c.Text, Comment: c.Comment, Collation: c.Collation}
	for _, a := range resolved.Output() {
		info.Query = append(info.Query, a.Name)
	}
	if query, err = viewColumns(query, info, c.Columns); err != nil {
		return nil, err
	}
	if _, there := s.View(viewName(info.Name, c.Global)); there && c.IfNotExists {
		return none()
	}
	if err := s.CreateView(info, query, c.Global, c.Replace); err != nil {
		return nil, err
	}
	return none()
}

// viewColumns gives a query's columns the names and comments that a view has for them.
func viewColumns(query plan.Node, info ViewInfo, given []plan.ColumnDef) (plan.Node, error) {
	if given == nil {
		return query, nil
	}
	names, commented := make([]string, len(given)), false
	for i, c := range given {
		names[i], commented = c.Name, commented || c.Comment != ""
	}
	if n := len(info.Query); n != len(names) {
		kind := "NOT_ENOUGH"
		if n > len(names) {
			kind = "TOO_MANY"
		}
		return nil, errs.New("CREATE_VIEW_COLUMN_ARITY_MISMATCH."+kind+"_DATA_COLUMNS", "viewName", types.Quote(info.Name),
			"viewColumns", quotedNames(names), "dataColumns", quotedNames(info.Query))
	}
	query = &plan.SubqueryAlias{Input: query, Name: []string{info.Name}, Columns: names}
	if !commented {
		return query, nil
	}
	p := &plan.Project{Input: query}
	for _, c := range given {
		var e plan.Expr = &plan.UnresolvedAttribute{Parts: []string{c.Name}}
		if c.Comment != "" {
			meta, err := json.Marshal(map[string]string{"comment": c.Comment})
			if err != nil {
				return nil, err
			}
			e = &plan.Alias{Child: e, Names: []string{c.Name}, Metadata: string(meta)}
		}
		p.Exprs = append(p.Exprs, e)
	}
	return p, nil
}

func quotedNames(names []string) string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = types.Quote(n)
	}
	return strings.Join(out, ", ")
}

// renameView is ALTER VIEW … RENAME TO of a temporary view.
func (s *Session) renameView(from, to []string) (Result, error) {
	v := s.views
	if len(from) == 2 {
		v = s.globals
	}
	if len(to) > 1 {
		return nil, errs.New("TEMP_VIEW_NAME_TOO_MANY_NAME_PARTS", "actualName", types.QuoteParts(to...))
	}
	if !v.rename(from[len(from)-1], to[0]) {
		return nil, errs.New("TABLE_OR_VIEW_ALREADY_EXISTS", "relationName", types.QuoteParts(to...))
	}
	return none()
}

func viewName(name string, global bool) []string {
	if global {
		return []string{GlobalNamespace, name}
	}
	return []string{name}
}

func (s *Session) dropView(name []string) bool {
	switch {
	case len(name) == 1:
		return s.DropView(name[0], false)
	case len(name) == 2 && strings.EqualFold(name[0], GlobalNamespace):
		return s.DropView(name[1], true)
	}
	return false
}

func (s *Session) set(c *plan.Set) (Result, error) {
	pairs := fields("key", types.String, "value", types.String)
	switch {
	case c.Reset && c.Key != "":
		if err := s.Conf.Unset(c.Key); err != nil {
			return nil, err
		}
		if !c.Shown {
			return none()
		}
	case c.Reset:
		s.Conf.reset()
		return none()
	case c.Key == "" || c.Key == "-v":
		var rows [][]any
		list := s.Conf.All("")
		if c.Key != "" {
			list = s.Conf.Defaults()
		}
		for _, p := range list {
			rows = append(rows, []any{p[0], p[1]})
		}
		return NewRows(pairs, rows)
	case c.Value != nil:
		if err := s.Conf.Set(c.Key, *c.Value); err != nil {
			return nil, err
		}
		return NewRows(pairs, [][]any{{c.Key, *c.Value}})
	}
	v, defined, _ := s.Conf.Lookup(c.Key)
	if !defined {
		v = "<undefined>"
	}
	return NewRows(pairs, [][]any{{c.Key, v}})
}

func (c *Conf) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.set)
}

func (s *Session) describe(ctx context.Context, c *plan.Describe) (Result, error) {
	n := c.Query
	if view, ok := s.View(c.Name); ok && strings.EqualFold(c.Kind, "table") && c.Path == "" && c.Partition == nil {
		n = view
	} else if !strings.EqualFold(c.Kind, "query") || n == nil {
		return nil, nil
	}
	schema, err := s.Schema(ctx, n)
	if err != nil {
		return nil, err
	}
	out := fields("col_name", types.String, "data_type", types.String, "comment", types.String)
	out.Fields[2].Nullable = true
	var rows [][]any
	for _, f := range schema.Fields {
		rows = append(rows, []any{f.Name, f.Type.String(), comment(f)})
	}
	return NewRows(out, rows)
}
