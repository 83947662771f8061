package connect

import (
	"millrace/errs"
	"millrace/plan"
	pb "millrace/proto/spark/connect"
	"millrace/session"
	"millrace/types"
)

// catalog translates a call of the catalog API: changes become commands, questions calls that the session answers.
func (t *translator) catalog(c *pb.Catalog) (plan.Node, error) {
	switch cat := c.CatType.(type) {
	case *pb.Catalog_CreateTable:
		r := cat.CreateTable
		return t.createTable(r.TableName, r.GetPath(), r.GetSource(), r.GetDescription(), r.Schema, r.Options)
	case *pb.Catalog_CreateExternalTable:
		r := cat.CreateExternalTable
		return t.createTable(r.TableName, r.GetPath(), r.GetSource(), "", r.Schema, r.Options)
	case *pb.Catalog_DropTable:
		name, err := t.name(cat.DropTable.TableName)
		return &plan.Drop{Kind: "table", Name: name, IfExists: cat.DropTable.IfExists, Purge: cat.DropTable.Purge}, err
	case *pb.Catalog_DropView:
		name, err := t.name(cat.DropView.ViewName)
		return &plan.Drop{Kind: "view", Name: name, IfExists: cat.DropView.IfExists}, err
	case *pb.Catalog_CreateDatabase:
		name, err := t.name(cat.CreateDatabase.DbName)
		return newNamespace(name, cat.CreateDatabase), err
	case *pb.Catalog_DropDatabase:
		name, err := t.name(cat.DropDatabase.DbName)
		return &plan.Drop{Kind: "schema", Name: name, IfExists: cat.DropDatabase.IfExists, Cascade: cat.DropDatabase.Cascade}, err
	}
	if n, err := t.catalogStatement(c); n != nil || err != nil {
		return n, err
	}
	op, arg, list := catalogQuestion(c)
	if op == "" {
		return nil, errs.Unsupportedf("The catalog call %s is not supported.", kindOf(c, "cat_type"))
	}
	args := map[string]any{}
	for k, v := range arg {
		args[k] = v
	}
	var name []string
	for _, part := range list {
		if part == "" {
			continue
		}
		parts, err := t.name(part)
		if err != nil {
			return nil, err
		}
		name = append(name, parts...)
	}
	args["name"] = name
	return &plan.Generic{Name: session.CatalogCall + op, Args: args}, nil
}

// madeBy is the name under which a session keeps the table that a createTable of the catalog has made; empty for other relations.
func madeBy(r *pb.Relation) string {
	if r.GetCommon() == nil || r.Common.PlanId == nil || r.GetCatalog().GetCreateTable() == nil && r.GetCatalog().GetCreateExternalTable() == nil {
		return ""
	}
	return "catalog/" + itoa(int(*r.Common.PlanId))
}

func newNamespace(name []string, c *pb.CreateDatabase) plan.Node {
	n := &plan.CreateNamespace{Name: name, IfNotExists: c.IfNotExists, Properties: map[string]string{}}
	for k, v := range c.Properties {
		switch k {
		case "comment":
			n.Comment = v
		case "location":
			n.Location = v
		default:
			n.Properties[k] = v
		}
	}
	return n
}

// catalogStatement translates the calls about one table that are statements of SQL too; nil: it is another call.
func (t *translator) catalogStatement(c *pb.Catalog) (plan.Node, error) {
	var table string
	var statement func(name []string) plan.Node
	show := func(kind string) func([]string) plan.Node {
		return func(name []string) plan.Node { return &plan.Show{Kind: kind, Name: name} }
	}
	switch cat := c.CatType.(type) {
	case *pb.Catalog_AnalyzeTable:
		table = cat.AnalyzeTable.TableName
		statement = func(name []string) plan.Node { return &plan.Analyze{Name: name, NoScan: cat.AnalyzeTable.NoScan} }
	case *pb.Catalog_TruncateTable:
		table, statement = cat.TruncateTable.TableName, func(name []string) plan.Node { return &plan.Truncate{Name: name} }
	case *pb.Catalog_RecoverPartitions:
		table = cat.RecoverPartitions.TableName
		statement = func(name []string) plan.Node {
			return &plan.AlterTable{Name: name, Actions: []plan.AlterAction{{Kind: "recover partitions"}}}
		}
	case *pb.Catalog_ListPartitions:
		table, statement = cat.ListPartitions.TableName, show("partitions")
	case *pb.Catalog_GetTableProperties:
		table, statement = cat.GetTableProperties.TableName, show("tblproperties")
	case *pb.Catalog_GetCreateTableString:
		if cat.GetCreateTableString.AsSerde {
			return nil, errs.Unsupportedf("getCreateTableString with asSerde is not supported.")
		}
		table, statement = cat.GetCreateTableString.TableName, show("create table")
	default:
		return nil, nil
	}
	name, err := t.name(table)
	return statement(name), err
}

// catalogQuestion gives a call's name, its text arguments, and the names that, put together, say what it is about.
func catalogQuestion(c *pb.Catalog) (op string, args map[string]string, name []string) {
	switch cat := c.CatType.(type) {
	case *pb.Catalog_CurrentDatabase:
		return "currentDatabase", nil, nil
	case *pb.Catalog_SetCurrentDatabase:
		return "setCurrentDatabase", nil, []string{cat.SetCurrentDatabase.DbName}
	case *pb.Catalog_ListDatabases:
		return "listDatabases", pattern(cat.ListDatabases.Pattern), nil
	case *pb.Catalog_ListTables:
		return "listTables", pattern(cat.ListTables.Pattern), []string{cat.ListTables.GetDbName()}
	case *pb.Catalog_ListViews:
		return "listViews", pattern(cat.ListViews.Pattern), []string{cat.ListViews.GetDbName()}
	case *pb.Catalog_ListFunctions:
		return "listFunctions", pattern(cat.ListFunctions.Pattern), []string{cat.ListFunctions.GetDbName()}
	case *pb.Catalog_ListColumns:
		return "listColumns", nil, []string{cat.ListColumns.GetDbName(), cat.ListColumns.TableName}
	case *pb.Catalog_GetDatabase:
		return "getDatabase", nil, []string{cat.GetDatabase.DbName}
	case *pb.Catalog_GetTable:
		return "getTable", nil, []string{cat.GetTable.GetDbName(), cat.GetTable.TableName}
	case *pb.Catalog_GetFunction:
		return "getFunction", nil, []string{cat.GetFunction.GetDbName(), cat.GetFunction.FunctionName}
	case *pb.Catalog_DatabaseExists:
		return "databaseExists", nil, []string{cat.DatabaseExists.DbName}
	case *pb.Catalog_TableExists:
		return "tableExists", nil, []string{cat.TableExists.GetDbName(), cat.TableExists.TableName}
	case *pb.Catalog_FunctionExists:
		return "functionExists", nil, []string{cat.FunctionExists.GetDbName(), cat.FunctionExists.FunctionName}
	}
	return catalogMore(c)
}

func pattern(p *string) map[string]string {
	if p == nil {
		return nil
	}
	return map[string]string{"pattern": *p}
}

func catalogMore(c *pb.Catalog) (op string, args map[string]string, name []string) {
	switch cat := c.CatType.(type) {
	case *pb.Catalog_DropTempView:
		return "dropTempView", map[string]string{"view": cat.DropTempView.ViewName}, nil
	case *pb.Catalog_DropGlobalTempView:
		return "dropGlobalTempView", map[string]string{"view": cat.DropGlobalTempView.ViewName}, nil
	case *pb.Catalog_IsCached:
		return "isCached", nil, []string{cat.IsCached.TableName}
	case *pb.Catalog_CacheTable:
		level := session.DefaultLevel
		if cat.CacheTable.StorageLevel != nil {
			level = levelOf(cat.CacheTable.StorageLevel)
		}
		return "cacheTable", map[string]string{"level": level.Text()}, []string{cat.CacheTable.TableName}
	case *pb.Catalog_UncacheTable:
		return "uncacheTable", nil, []string{cat.UncacheTable.TableName}
	case *pb.Catalog_ClearCache:
		return "clearCache", nil, nil
	case *pb.Catalog_RefreshTable:
		return "refreshTable", nil, []string{cat.RefreshTable.TableName}
	case *pb.Catalog_RefreshByPath:
		return "refreshByPath", map[string]string{"path": cat.RefreshByPath.Path}, nil
	case *pb.Catalog_CurrentCatalog:
		return "currentCatalog", nil, nil
	case *pb.Catalog_SetCurrentCatalog:
		return "setCurrentCatalog", map[string]string{"catalog": cat.SetCurrentCatalog.CatalogName}, nil
	case *pb.Catalog_ListCatalogs:
		return "listCatalogs", pattern(cat.ListCatalogs.Pattern), nil
	}
	return "", nil, nil
}

func (t *translator) createTable(table, path, source, comment string, schema *pb.DataType, options map[string]string) (plan.Node, error) {
	name, err := t.name(table)
	if err != nil {
		return nil, err
	}
	n := &plan.CreateTable{Name: name, Provider: source, Location: path, Comment: comment, Options: options}
	if n.Provider == "" {
		n.Provider = t.s.Conf.Get("spark.sql.sources.default")
	}
	if schema == nil {
		return n, nil
	}
	s, err := fromDataType(schema)
	if err != nil {
		return nil, err
	}
	n.Columns = columnDefs(s)
	return n, nil
}

func columnDefs(s *types.Type) []plan.ColumnDef {
	var out []plan.ColumnDef
	for _, f := range s.Fields {
		out = append(out, plan.ColumnDef{Name: f.Name, Type: f.Type, Nullable: f.Nullable})
	}
	return out
}
