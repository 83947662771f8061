package session

import (
	"context"
	"encoding/json"
	"regexp"
	"sort"
	"strings"

	"millrace/errs"
	"millrace/plan"
	"millrace/types"
)

// CatalogCall is in front of the names of plan.Generic commands that are calls of a client's catalog API.
const CatalogCall = "catalog."

// DefaultCatalog is the name of the one catalog.
const DefaultCatalog = "spark_catalog"

var catalogReads = map[string]bool{"currentDatabase": true, "currentCatalog": true, "listCatalogs": true, "listDatabases": true,
	"listTables": true, "listViews": true, "listColumns": true, "listFunctions": true, "getDatabase": true, "getTable": true,
	"getFunction": true, "databaseExists": true, "tableExists": true, "functionExists": true, "isCached": true}

var (
	stringList    = types.ArrayOf(types.String, true)
	databaseShape = nullable(fields("name", types.String, "catalog", types.String, "description", types.String, "locationUri", types.String))
	tableShape    = lastNotNull(fields("name", types.String, "catalog", types.String, "namespace", stringList,
		"description", types.String, "tableType", types.String, "isTemporary", types.Boolean), 1)
	// FunctionShape is what spark.catalog says of a function.
	FunctionShape = lastNotNull(fields("name", types.String, "catalog", types.String, "namespace", stringList,
		"description", types.String, "className", types.String, "isTemporary", types.Boolean), 1)
	columnShape = lastNotNull(fields("name", types.String, "description", types.String, "dataType", types.String,
		"nullable", types.Boolean, "isPartition", types.Boolean, "isBucket", types.Boolean, "isCluster", types.Boolean), 4)
)

func lastNotNull(t *types.Type, n int) *types.Type {
	nullable(t)
	for i := len(t.Fields) - n; i < len(t.Fields); i++ {
		t.Fields[i].Nullable = false
	}
	return t
}

// runCatalog answers a call of the client's catalog API. Arguments are strings under name, namespace and pattern.
func (s *Session) runCatalog(ctx context.Context, op string, args map[string]any) (Result, error) {
	arg := func(name string) string { v, _ := args[name].(string); return v }
	name, _ := args["name"].([]string)
	switch op {
	case "currentDatabase":
		return one(strings.Join(s.Namespace(), "."))
	case "currentCatalog":
		return one(DefaultCatalog)
	case "listCatalogs":
		var rows [][]any
		if Matches(arg("pattern"), DefaultCatalog) {
			rows = [][]any{{DefaultCatalog, nil}}
		}
		return NewRows(nullable(fields("name", types.String, "description", types.String)), rows)
	case "setCurrentCatalog":
		if arg("catalog") != DefaultCatalog {
			return nil, errs.New("CATALOG_NOT_FOUND", "catalogName", types.Quote(arg("catalog")), "config",
				`"spark.sql.catalog.`+arg("catalog")+`"`)
		}
		return done()
	case "setCurrentDatabase":
		if _, err := s.use(ctx, &plan.Use{Name: name}); err != nil {
			return nil, err
		}
		return done()
	case "listDatabases", "getDatabase", "databaseExists":
		return s.databases(ctx, op, name, arg("pattern"))
	case "listTables", "listViews":
		return s.tables(ctx, name, arg("pattern"), op == "listViews")
	case "isCached":
		return s.isCached(ctx, name)
	case "getTable", "tableExists", "listColumns":
		return s.table(ctx, op, name)
	case "listFunctions", "getFunction", "functionExists":
		return s.engine.Execute(ctx, s, &plan.Generic{Name: CatalogCall + op, Args: args})
	case "dropTempView":
		return one(s.DropView(arg("view"), false))
	case "dropGlobalTempView":
		return one(s.DropView(arg("view"), true))
	case "cacheTable", "uncacheTable", "clearCache", "refreshTable", "refreshByPath":
		return s.cacheCall(ctx, op, name, args)
	}
	return nil, errs.Unsupportedf("The catalog call %s is not supported.", op)
}

func one(v any) (Result, error) {
	t := types.String
	_, isText := v.(string)
	if !isText {
		t = types.Boolean
	}
	return NewRows(types.Struct(types.Field{Name: "value", Type: t, Nullable: isText}), [][]any{{v}})
}

func done() (Result, error) { return NewRows(fields("value", types.String), nil) }

func (s *Session) namespaces(ctx context.Context) ([]Namespace, error) {
	if s.catalog == nil {
		return []Namespace{{Name: "default", Description: "default database"}}, nil
	}
	all, err := s.catalog.Namespaces(ctx)
	sort.Slice(all, func(i, j int) bool { return all[i].Name < all[j].Name })
	return all, err
}

// namespaceOf is the schema in a name of one or two parts, or the current one, and an error when it does not exist.
func (s *Session) namespaceOf(ctx context.Context, parts []string) (Namespace, error) {
	if len(parts) > 0 && strings.EqualFold(parts[0], DefaultCatalog) && len(parts) > 1 {
		parts = parts[1:]
	}
	if len(parts) == 0 {
		parts = s.Namespace()
	}
	name := strings.Join(parts, ".")
	all, err := s.namespaces(ctx)
	if err != nil {
		return Namespace{}, err
	}
	for _, n := range all {
		if strings.EqualFold(n.Name, name) {
			return n, nil
		}
	}
	return Namespace{}, errs.New("SCHEMA_NOT_FOUND", "schemaName", types.QuoteParts(append([]string{DefaultCatalog}, parts...)...))
}

func (s *Session) use(ctx context.Context, c *plan.Use) (Result, error) {
	if len(c.Name) == 1 && strings.EqualFold(c.Name[0], DefaultCatalog) {
		return none()
	}
	n, err := s.namespaceOf(ctx, c.Name)
	if err != nil {
		return nil, err
	}
	s.SetNamespace([]string{n.Name})
	return none()
}

func (s *Session) databases(ctx context.Context, op string, name []string, pattern string) (Result, error) {
	if op == "listDatabases" {
		all, err := s.namespaces(ctx)
		if err != nil {
			return nil, err
		}
		var rows [][]any
		for _, n := range all {
			if Matches(pattern, n.Name) {
				rows = append(rows, []any{n.Name, DefaultCatalog, n.Description, n.Location})
			}
		}
		return NewRows(databaseShape, rows)
	}
	n, err := s.namespaceOf(ctx, name)
	if op == "databaseExists" {
		if err != nil && !errs.Is(err, errs.NotFound) {
			return nil, err
		}
		return one(err == nil)
	}
	if err != nil {
		return nil, err
	}
	return NewRows(databaseShape, [][]any{{n.Name, DefaultCatalog, n.Description, n.Location}})
}

// listed gives the tables of a schema and the session's views, by name.
func (s *Session) listed(ctx context.Context, namespace []string, pattern string, viewsOnly bool) ([]TableInfo, error) {
	var all []TableInfo
	local, global := s.Views()
	if len(namespace) == 1 && strings.EqualFold(namespace[0], GlobalNamespace) {
		for _, name := range global {
			all = append(all, TableInfo{Namespace: GlobalNamespace, Name: name, Kind: "TEMPORARY"})
		}
	} else {
		n, err := s.namespaceOf(ctx, namespace)
		if err != nil {
			return nil, err
		}
		if s.catalog != nil {
			if all, err = s.catalog.Tables(ctx, n.Name); err != nil {
				return nil, err
			}
		}
	}
	for _, name := range local {
		all = append(all, TableInfo{Name: name, Kind: "TEMPORARY"})
	}
	kept := all[:0]
	for _, t := range all {
		if Matches(pattern, t.Name) && (!viewsOnly || t.Kind == "VIEW" || t.Kind == "TEMPORARY") {
			kept = append(kept, t)
		}
	}
	sort.SliceStable(kept, func(i, j int) bool { return kept[i].Name < kept[j].Name })
	return kept, nil
}

func (s *Session) tables(ctx context.Context, namespace []string, pattern string, viewsOnly bool) (Result, error) {
	all, err := s.listed(ctx, namespace, pattern, viewsOnly)
	if err != nil {
		return nil, err
	}
	var rows [][]any
	for _, t := range all {
		rows = append(rows, tableRow(t))
	}
	return NewRows(tableShape, rows)
}

func tableRow(t TableInfo) []any {
	if t.Kind == "TEMPORARY" {
		return []any{t.Name, nil, []string{}, nil, t.Kind, true}
	}
	return []any{t.Name, DefaultCatalog, []string{t.Namespace}, emptyIsNull(t.Description), t.Kind, false}
}

func emptyIsNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// find describes a view or table by name; nil when there is none.
func (s *Session) find(ctx context.Context, name []string) (*TableInfo, error) {
	if view, ok := s.View(name); ok {
		schema, err := s.Schema(ctx, view)
		return &TableInfo{Name: name[len(name)-1], Kind: "TEMPORARY", Schema: schema}, err
	}
	if s.catalog == nil || len(name) == 0 {
		return nil, nil
	}
	n, err := s.namespaceOf(ctx, name[:len(name)-1])
	if errs.Is(err, errs.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return s.catalog.Table(ctx, n.Name, name[len(name)-1])
}

func (s *Session) table(ctx context.Context, op string, name []string) (Result, error) {
	t, err := s.find(ctx, name)
	if err != nil {
		return nil, err
	}
	switch {
	case op == "tableExists":
		return one(t != nil)
	case t == nil:
		return nil, errs.New("TABLE_OR_VIEW_NOT_FOUND", "relationName", types.QuoteParts(name...))
	case op == "getTable":
		return NewRows(tableShape, [][]any{tableRow(*t)})
	}
	return s.columns(ctx, name)
}

// Partitioned is a table that is divided by the values of columns.
type Partitioned interface{ PartitionColumns() []string }

// columns describes the columns of a table or view.
func (s *Session) columns(ctx context.Context, name []string) (Result, error) {
	n, err := s.engine.Analyze(ctx, s, &plan.UnresolvedRelation{Parts: name})
	if err != nil {
		return nil, err
	}
	var partition []string
	for in := plan.Node(n); in != nil; {
		switch m := in.(type) {
		case *plan.SubqueryAlias:
			in = m.Input
			continue
		case *plan.Scan:
			if p, ok := m.Table.(Partitioned); ok {
				partition = p.PartitionColumns()
			}
		}
		break
	}
	in := func(list []string, name string) bool {
		for _, n := range list {
			if strings.EqualFold(n, name) {
				return true
			}
		}
		return false
	}
	var rows [][]any
	for _, f := range plan.Schema(n).Fields {
		rows = append(rows, []any{f.Name, comment(f), f.Type.String(), f.Nullable, in(partition, f.Name), false, false})
	}
	return NewRows(columnShape, rows)
}

func comment(f types.Field) any {
	var meta map[string]any
	if json.Unmarshal([]byte(f.Metadata), &meta) != nil {
		return nil
	}
	if c, ok := meta["comment"].(string); ok {
		return c
	}
	return nil
}

// showNames answers SHOW TABLES, SCHEMAS, VIEWS, CATALOGS and CURRENT NAMESPACE; nil for other kinds.
func (s *Session) showNames(ctx context.Context, c *plan.Show) (Result, error) {
	switch kind := strings.ToLower(c.Kind); kind {
	case "schemas", "databases", "namespaces":
		all, err := s.namespaces(ctx)
		if err != nil {
			return nil, err
		}
		var rows [][]any
		for _, n := range all {
			if Matches(c.Pattern, n.Name) {
				rows = append(rows, []any{n.Name})
			}
		}
		return NewRows(fields("namespace", types.String), rows)
	case "tables", "views":
		all, err := s.listed(ctx, c.Name, c.Pattern, kind == "views")
		if err != nil {
			return nil, err
		}
		var rows [][]any
		for _, t := range all {
			rows = append(rows, []any{t.Namespace, t.Name, t.Kind == "TEMPORARY"})
		}
		return NewRows(fields("namespace", types.String, strings.TrimSuffix(kind, "s")+"Name", types.String, "isTemporary", types.Boolean), rows)
	case "columns":
		t, err := s.engine.Analyze(ctx, s, &plan.UnresolvedRelation{Parts: c.Name})
		if err != nil {
			return nil, err
		}
		var rows [][]any
		for _, a := range t.Output() {
			rows = append(rows, []any{a.Name})
		}
		return NewRows(fields("col_name", types.String), rows)
	case "catalogs":
		return NewRows(fields("catalog", types.String), [][]any{{DefaultCatalog}})
	case "current namespace", "current schema", "current database":
		return NewRows(fields("catalog", types.String, "namespace", types.String), [][]any{{DefaultCatalog, strings.Join(s.Namespace(), ".")}})
	}
	return nil, nil
}

// Matches is Spark's pattern of SHOW commands: * is anything, | separates alternatives, case is ignored. An empty
// pattern matches all.
func Matches(pattern, name string) bool {
	if pattern == "" {
		return true
	}
	for alternative := range strings.SplitSeq(pattern, "|") {
		re, err := regexp.Compile("(?i)^" + strings.ReplaceAll(strings.TrimSpace(alternative), "*", ".*") + "$")
		if err == nil && re.MatchString(name) {
			return true
		}
	}
	return false
}

// DeltaCall is in front of the names of plan.Generic commands of the DeltaTable API, which the Engine answers.
const DeltaCall = "delta."
