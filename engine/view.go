package engine

import (
	"maps"
	"slices"
	"strings"

	"millrace/delta"
	"millrace/errs"
	"millrace/plan"
	"millrace/plan/analyze"
	"millrace/session"
	"millrace/types"
)

// viewShape is what a view's record says besides its text: the columns that it promises, and how.
type viewShape struct {
	Query    []string          `json:"query,omitempty"`    // the names of its query's columns when it was made
	Mode     string            `json:"mode,omitempty"`     // as in plan.CreateView; empty: spark.sql.legacy.viewSchemaBindingMode was off
	Settings map[string]string `json:"settings,omitempty"` // of the session that made it
}

// viewSettings are the settings that a view's text means the same with for everybody; those that the session has changed are kept too.
var viewSettings = []string{"spark.sql.ansi.enabled", "spark.sql.session.timeZone"}

const (
	bindingMode      = "spark.sql.legacy.viewSchemaBindingMode"
	compensationMode = "spark.sql.legacy.viewSchemaCompensation"
)

// viewName is the schema and the name of a catalogued view.
func (st *statement) viewName(parts []string) (namespace, name string) {
	namespace, name = st.database(), parts[len(parts)-1]
	if len(parts) > 1 {
		namespace = parts[len(parts)-2]
	}
	return strings.ToLower(namespace), strings.ToLower(name)
}

// createView is CREATE VIEW of a catalogued view, and ALTER VIEW … AS: its text is kept and read again when it is used.
func (st *statement) createView(c *plan.CreateView) (session.Result, error) {
	namespace, name := st.viewName(c.Name)
	e := Entry{Namespace: namespace, Name: name, View: c.Text, Within: st.database(), Comment: c.Comment, Properties: c.Properties, Created: st.settings.NowMicros / 1000,
		Collation: c.Collation, Shape: &viewShape{}}
	if c.Text == "" {
		return nil, errs.Unsupportedf("A view of the catalog is made of SQL text.")
	}
	if err := st.hasSchema(namespace); err != nil {
		return nil, err
	}
	old, err := st.e.o.Catalog.Lookup(st.ctx, namespace, name)
	if err != nil {
		return nil, err
	}
	switch {
	case c.Alter && old == nil:
		return nil, errs.New("TABLE_OR_VIEW_NOT_FOUND", "relationName", types.QuoteParts(c.Name...))
	case c.Alter && old.View == "":
		return nil, errs.New("EXPECT_VIEW_NOT_TABLE.NO_ALTERNATIVE", "tableName", types.QuoteParts("spark_catalog", namespace, name), "operation", "ALTER VIEW ... AS")
	case c.Alter:
		e.Comment, e.Properties, e.Created, e.Collation = old.Comment, old.Properties, old.Created, old.Collation
		if old.Shape != nil {
			e.Shape.Mode = old.Shape.Mode
		}
	case old == nil:
	case c.IfNotExists:
		return emptyResult(), nil
	case old.View == "":
		return nil, errs.New("EXPECT_VIEW_NOT_TABLE.NO_ALTERNATIVE", "tableName", types.QuoteParts("spark_catalog", namespace, name), "operation", "CREATE OR REPLACE VIEW")
	case !c.Replace:
		return nil, errs.New("TABLE_OR_VIEW_ALREADY_EXISTS", "relationName", types.QuoteParts("spark_catalog", namespace, name))
	}
	if err := st.viewMode(c, e.Shape); err != nil {
		return nil, err
	}
	if e.Collation == "" && !c.Alter {
		if e.Collation, err = st.e.o.Catalog.collationOf(st.ctx, namespace); err != nil {
			return nil, err
		}
	}
	if err := st.shapeView(c, &e); err != nil {
		return nil, err
	}
	return emptyResult(), st.e.o.Catalog.Create(st.ctx, e, old != nil)
}

// viewMode is what is to become of a view when the tables below it change.
func (st *statement) viewMode(c *plan.CreateView, s *viewShape) error {
	enabled := st.s.Conf.Bool(bindingMode)
	switch {
	case c.Mode != "" && !enabled:
		err := errs.New("FEATURE_NOT_ENABLED", "featureName", "VIEW ... WITH SCHEMA ...", "configKey", bindingMode, "configValue", "true")
		return located(err, c.ModeOrigin)
	case c.Mode != "":
		s.Mode = c.Mode
	case s.Mode != "" || !enabled:
	case st.s.Conf.Bool(compensationMode):
		s.Mode = "COMPENSATION"
	default:
		s.Mode = "BINDING"
	}
	return nil
}

// located points at the part of the text that an error is about.
func located(err *errs.Error, o *plan.Origin) *errs.Error {
	if o == nil {
		return err
	}
	return err.With(errs.QueryContext{Start: o.Start, Stop: o.Stop, SQL: o.SQL, Fragment: string([]rune(o.SQL)[o.Start : o.Stop+1])})
}

// shapeView analyses a view's query and records its columns.
func (st *statement) shapeView(c *plan.CreateView, e *Entry) error {
	e.Shape.Settings = st.textSettings()
	query := c.Query
	if e.Collation != "" {
		var err error
		if query, err = e.query(); err != nil {
			return err
		}
	}
	resolved, err := st.analyze(query)
	if err != nil {
		return err
	}
	full := types.QuoteParts("spark_catalog", e.Namespace, e.Name)
	var temporary error
	st.temporaries(c.Query, func(kind string, name []string) {
		temporary = errs.New("INVALID_TEMP_OBJ_REFERENCE", "obj", "VIEW", "objName", full, "tempObj", kind, "tempObjName", types.QuoteParts(name...))
	})
	if temporary != nil {
		return temporary
	}
	if err := st.uncircled(e, c.Query); err != nil {
		return err
	}
	schema, err := viewColumns(full, plan.Schema(resolved), c.Columns)
	if err != nil {
		return err
	}
	for _, a := range resolved.(plan.Resolved).Output() {
		e.Shape.Query = append(e.Shape.Query, a.Name)
	}
	if e.Shape.Mode == "EVOLUTION" && c.Columns != nil {
		e.Shape.Mode = "TYPE EVOLUTION" // the names are given
	}
	e.Schema = schema.JSON()
	return nil
}

// viewColumns are the columns of a view over a query's: with the names and comments that it gives them.
func viewColumns(view string, query *types.Type, given []plan.ColumnDef) (*types.Type, error) {
	if given == nil {
		for _, f := range query.Fields {
			if f.Metadata == types.AutoNamed {
				return nil, errs.New("CREATE_PERMANENT_VIEW_WITHOUT_ALIAS", "name", view, "attr", `"`+f.Name+`"`)
			}
		}
		return query, uniqueNames(query)
	}
	if n := len(query.Fields); len(given) != n {
		kind := "NOT_ENOUGH"
		if n > len(given) {
			kind = "TOO_MANY"
		}
		return nil, errs.New("CREATE_VIEW_COLUMN_ARITY_MISMATCH."+kind+"_DATA_COLUMNS", "viewName", view,
			"viewColumns", quotedList(columnNames(given)), "dataColumns", quotedList(query.Names()))
	}
	out := query.WithoutAutoNames()
	for i, g := range given {
		f := &out.Fields[i]
		if f.Name = g.Name; g.Comment != "" {
			*f = delta.WithFieldMetadata(*f, map[string]any{"comment": g.Comment})
		}
	}
	return out, uniqueNames(out)
}

func columnNames(defs []plan.ColumnDef) []string {
	names := make([]string, len(defs))
	for i, d := range defs {
		names[i] = d.Name
	}
	return names
}

// uncircled refuses a view that would read itself.
func (st *statement) uncircled(e *Entry, query plan.Node) error {
	self := types.QuoteParts("spark_catalog", e.Namespace, e.Name)
	var walk func(n plan.Node, in analyze.Catalog, path []string) error
	walk = func(n plan.Node, in analyze.Catalog, path []string) (err error) {
		st.relations(n, func(parts []string) {
			if err != nil {
				return
			}
			t, found := st.target(partsIn(in, parts))
			if found != nil || t == nil || t.entry == nil || t.entry.View == "" {
				err = found
				return
			}
			next := append(path[:len(path):len(path)], t.name())
			switch {
			case t.name() == self:
				err = errs.New("RECURSIVE_VIEW", "viewIdent", self, "newPath", strings.Join(next, " -> "))
			case slices.Contains(path, t.name()):
			default:
				var inner plan.Node
				if inner, err = t.entry.query(); err == nil {
					err = walk(inner, st.In(t.entry.Within), next)
				}
			}
		})
		return err
	}
	return walk(query, st, []string{self})
}

func partsIn(c analyze.Catalog, parts []string) []string {
	if in, ok := c.(inSchema); ok {
		return in.full(parts)
	}
	return parts
}

// query is what a view's text stands for, read with the settings of the session that made it.
func (e *Entry) query() (plan.Node, error) {
	s := e.Shape
	if s == nil {
		s = &viewShape{}
	}
	p := session.ParserOf(session.NewConf(s.Settings))
	p.Collation = e.Collation
	n, err := p.ParseStatement(e.View)
	if err != nil || len(e.Columns) == 0 {
		return n, err
	}
	return &plan.SubqueryAlias{Input: n, Name: []string{e.Name}, Columns: e.Columns}, nil
}

// textSettings are the settings with which the text of a view or function is read again.
func (st *statement) textSettings() map[string]string {
	settings := st.s.Conf.Changed()
	for _, key := range viewSettings {
		settings[key] = st.s.Conf.Get(key)
	}
	return settings
}

// viewRelation is a catalogued view as the analyser takes it.
func (st *statement) viewRelation(e *Entry) (analyze.Relation, error) {
	n, err := e.query()
	r := analyze.Relation{View: n, Name: []string{"spark_catalog", e.Namespace, e.Name}, Within: e.Within}
	if err != nil || e.Shape == nil {
		return r, err
	}
	ansi := strings.EqualFold(e.Shape.Settings["spark.sql.ansi.enabled"], "true")
	r.ANSI = &ansi
	schema, err := e.fileSchema()
	if err != nil {
		return r, err
	}
	mode := e.Shape.Mode
	if mode == "" {
		mode = "BINDING"
		if st.s.Conf.Bool(compensationMode) {
			mode = "COMPENSATION"
		}
	}
	r.Promise = &analyze.Promise{Mode: mode, Columns: schema.Fields, Query: e.Shape.Query, Remedy: e.remedy(schema)}
	if strings.HasSuffix(mode, "EVOLUTION") {
		r.Promise.Changed = func(now *types.Type) error { return st.evolveView(*e, schema, now) }
	}
	return r, nil
}

// remedy is the statement by which a view that no longer fits its tables may be made anew.
func (e *Entry) remedy(schema *types.Type) string {
	columns := ""
	if !slices.Equal(e.Shape.Query, schema.Names()) {
		columns = " (" + strings.Join(schema.Names(), ", ") + ")"
	}
	return "CREATE OR REPLACE VIEW spark_catalog." + e.Namespace + "." + e.Name + columns + " AS " + e.View
}

// evolveView puts the columns that a view has now into its record, if they are others. Comments stay unless the columns are the query's own.
func (st *statement) evolveView(seen Entry, old, now *types.Type) error {
	fresh := now.WithoutAutoNames()
	if fresh.JSON() == old.JSON() {
		return nil
	}
	return st.e.o.Catalog.Alter(st.ctx, seen, func(e *Entry) error {
		if e.View == seen.View && e.Schema == seen.Schema {
			e.Schema = fresh.JSON()
		}
		return nil
	})
}

// alterView is ALTER VIEW, but for AS.
func (st *statement) alterView(c *plan.AlterTable) (session.Result, error) {
	first := c.Actions[0]
	if _, temporary := st.s.View(c.Name); temporary && first.Kind != "rename" {
		return nil, errs.New("EXPECT_PERMANENT_VIEW_NOT_TEMP", "operation", viewOperation(first.Kind), "viewName", types.QuoteParts(c.Name...))
	}
	t, err := st.target(c.Name)
	switch {
	case err != nil:
		return nil, err
	case t == nil || t.entry == nil:
		return nil, errs.New("TABLE_OR_VIEW_NOT_FOUND", "relationName", types.QuoteParts(c.Name...))
	case t.entry.View == "":
		return nil, errs.New("EXPECT_VIEW_NOT_TABLE.USE_ALTER_TABLE", "tableName", t.name(), "operation", viewOperation(first.Kind))
	}
	if first.Kind == "rename" {
		return emptyResult(), st.renameTable(c.Name, first.Column)
	}
	return emptyResult(), st.e.o.Catalog.Alter(st.ctx, *t.entry, func(e *Entry) error {
		switch first.Kind {
		case "set properties", "unset properties":
			return e.alterProperties(first)
		case "schema mode":
			if e.Shape == nil {
				e.Shape = &viewShape{}
			}
			return st.viewMode(&plan.CreateView{Mode: first.To, ModeOrigin: first.Origin}, e.Shape)
		}
		return errs.Unsupportedf("ALTER VIEW %s is not supported yet.", strings.ToUpper(first.Kind))
	})
}

func viewOperation(kind string) string {
	switch kind {
	case "set properties":
		return "ALTER VIEW ... SET TBLPROPERTIES"
	case "unset properties":
		return "ALTER VIEW ... UNSET TBLPROPERTIES"
	case "schema mode":
		return "ALTER VIEW ... WITH SCHEMA"
	case "rename":
		return "ALTER VIEW ... RENAME TO"
	}
	return "ALTER VIEW"
}

// viewDetails are the lines about a view of DESCRIBE EXTENDED and SHOW TABLE EXTENDED.
func (st *statement) viewDetails(e *Entry) [][2]string {
	var out [][2]string
	add := func(key, value string) { out = append(out, [2]string{key, value}) }
	add("View Text", e.View)
	add("View Original Text", e.View)
	if e.Shape == nil {
		add("View Catalog and Namespace", "spark_catalog."+types.QuoteIfNeeded(e.Within))
		return out
	}
	if mode := st.shownMode(e.Shape.Mode); mode != "" {
		add("View Schema Mode", mode)
	}
	add("View Catalog and Namespace", "spark_catalog."+types.QuoteIfNeeded(e.Within))
	add("View Query Output Columns", "["+strings.Join(quoted(e.Shape.Query), ", ")+"]")
	return out
}

// shownMode is how a view's mode is shown: not at all where modes are switched off.
func (st *statement) shownMode(mode string) string {
	switch {
	case !st.s.Conf.Bool(bindingMode):
		return ""
	case mode == "":
		return "BINDING"
	}
	return mode
}

// showCreateView is SHOW CREATE TABLE of a view.
func (st *statement) showCreateView(e *Entry) (session.Result, error) {
	var b strings.Builder
	b.WriteString("CREATE VIEW " + (target{entry: e}).shortName())
	if e.Schema != "" {
		schema, err := e.fileSchema()
		if err != nil {
			return nil, err
		}
		b.WriteString(" (")
		for i, f := range schema.Fields {
			if i > 0 {
				b.WriteString(",")
			}
			b.WriteString("\n  " + types.QuoteIfNeeded(f.Name))
			if c, ok := comment(f).(string); ok {
				b.WriteString(" COMMENT " + textLiteral(c))
			}
		}
		b.WriteString(")")
	}
	b.WriteString("\n")
	if e.Comment != "" {
		b.WriteString("COMMENT " + textLiteral(e.Comment) + "\n")
	}
	if e.Collation != "" {
		b.WriteString("DEFAULT COLLATION " + e.Collation + "\n")
	}
	if len(e.Properties) > 0 {
		b.WriteString("TBLPROPERTIES (")
		for i, k := range slices.Sorted(maps.Keys(e.Properties)) {
			if i > 0 {
				b.WriteString(",")
			}
			b.WriteString("\n  " + textLiteral(k) + " = " + textLiteral(e.Properties[k]))
		}
		b.WriteString(")\n")
	}
	if e.Shape != nil {
		if mode := st.shownMode(e.Shape.Mode); mode != "" {
			b.WriteString("WITH SCHEMA " + mode + "\n")
		}
	}
	b.WriteString("AS " + e.View + "\n")
	return st.rowsResult(createdSchema, [][]any{{b.String()}})
}
