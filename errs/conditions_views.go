package errs

// Conditions of views.
var _ = register(map[string]Condition{
	"CREATE_PERMANENT_VIEW_WITHOUT_ALIAS":                         {Invalid, ClassAnalysis, "0A000", "Not allowed to create the permanent view <name> without explicitly assigning an alias for the expression <attr>."},
	"CREATE_VIEW_COLUMN_ARITY_MISMATCH.NOT_ENOUGH_DATA_COLUMNS":   {Invalid, ClassAnalysis, "21S01", "Cannot create view <viewName>, the reason is not enough data columns:\nView columns: <viewColumns>.\nData columns: <dataColumns>."},
	"CREATE_VIEW_COLUMN_ARITY_MISMATCH.TOO_MANY_DATA_COLUMNS":     {Invalid, ClassAnalysis, "21S01", "Cannot create view <viewName>, the reason is too many data columns:\nView columns: <viewColumns>.\nData columns: <dataColumns>."},
	"CREATE_VIEW_WITH_IF_NOT_EXISTS_AND_REPLACE":                  {Invalid, ClassParse, "42601", "CREATE VIEW <viewName> with both IF NOT EXISTS and REPLACE is not allowed."},
	"CANNOT_UP_CAST_DATATYPE":                                     {Invalid, ClassAnalysis, "42846", "Cannot up cast <expression> from <sourceType> to <targetType>.\n<details>"},
	"DUPLICATE_CLAUSES":                                           {Invalid, ClassParse, "42614", "Found duplicate clauses: <clauseName>. Please, remove one of them."},
	"EXPECT_PERMANENT_VIEW_NOT_TEMP":                              {Invalid, ClassAnalysis, "42809", "'<operation>' expects a permanent view but <viewName> is a temp view."},
	"EXPECT_TABLE_NOT_VIEW.USE_ALTER_VIEW":                        {Invalid, ClassAnalysis, "42809", "'<operation>' expects a table but <viewName> is a view. Please use ALTER VIEW instead."},
	"EXPECT_VIEW_NOT_TABLE.NO_ALTERNATIVE":                        {Invalid, ClassAnalysis, "42809", "The table <tableName> does not support <operation>. "},
	"EXPECT_VIEW_NOT_TABLE.USE_ALTER_TABLE":                       {Invalid, ClassAnalysis, "42809", "The table <tableName> does not support <operation>. Please use ALTER TABLE instead."},
	"FEATURE_NOT_ENABLED":                                         {Invalid, ClassParse, "56038", "The feature <featureName> is not enabled. Consider setting the config <configKey> to <configValue> to enable this capability."},
	"INCOMPATIBLE_VIEW_SCHEMA_CHANGE":                             {Invalid, ClassAnalysis, "51024", "The SQL query of view <viewName> has an incompatible schema change and column <colName> cannot be resolved. Expected <expectedNum> columns named <colName> but got <actualCols>.\nPlease try to re-create the view by running: <suggestion>."},
	"RECURSIVE_VIEW":                                              {Invalid, ClassAnalysis, "42K0H", "Recursive view <viewIdent> detected (cycle: <newPath>)."},
	"SHOW_COLUMNS_WITH_CONFLICT_NAMESPACE":                        {Invalid, ClassAnalysis, "42K05", "SHOW COLUMNS with conflicting namespaces: <namespaceA> != <namespaceB>."},
	"UNSUPPORTED_FEATURE.TEMPORARY_VIEW_WITH_SCHEMA_BINDING_MODE": {Unsupported, ClassParse, "0A000", "The feature is not supported: Temporary views cannot be created with the WITH SCHEMA clause. Recreate the temporary view when the underlying schema changes, or use a persisted view."},
})
