package engine

import (
	"context"
	"encoding/json"
	"sort"
	"strings"

	"millrace/errs"
	"millrace/plan"
	"millrace/plan/analyze"
	"millrace/plan/fn"
	"millrace/session"
	"millrace/sql"
	"millrace/types"
)

// functionEntry is the catalog's record of a function: the statement that made it, which is read again when it is used.
type functionEntry struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Text      string `json:"text"`
	ANSI      bool   `json:"ansi"` // how the session that made it computed

	Created  int64             `json:"created,omitempty"` // in milliseconds
	Settings map[string]string `json:"settings,omitempty"`
}

const functionPrefix = "/millrace/catalog/function/"

func functionKey(namespace, name string) string {
	return functionPrefix + strings.ToLower(namespace) + "/" + strings.ToLower(name)
}

func (c *Catalog) function(ctx context.Context, namespace, name string) (*functionEntry, error) {
	value, err := c.kv.Get(ctx, functionKey(namespace, name))
	if err != nil || value == nil {
		return nil, errs.Wrap(err, "look up function %s.%s", namespace, name)
	}
	var e functionEntry
	if err := json.Unmarshal(value, &e); err != nil {
		return nil, errs.Newf(errs.Internal, "the catalog's record of the function %s.%s cannot be read: %v", namespace, name, err)
	}
	return &e, nil
}

// functionName is the schema and the name of a lasting function; ok is false for a name that can be none's.
func (st *statement) functionName(parts []string) (namespace, name string, ok bool) {
	if len(parts) == 3 && strings.EqualFold(parts[0], "spark_catalog") {
		parts = parts[1:]
	}
	switch len(parts) {
	case 1:
		return st.database(), parts[0], true
	case 2:
		return parts[0], parts[1], true
	}
	return "", "", false
}

// temporaryName is the name of a temporary object: x, session.x or system.session.x.
func temporaryName(parts []string) (string, bool) {
	n := len(parts)
	if n == 3 && strings.EqualFold(parts[0], "system") {
		parts = parts[1:]
	}
	switch {
	case len(parts) == 1:
		return parts[0], true
	case len(parts) == 2 && strings.EqualFold(parts[0], "session"):
		return parts[1], true
	}
	return "", false
}

// Function implements analyze.Catalog: temporary functions first.
func (st *statement) Function(parts []string) (*plan.CreateFunction, error) {
	if f := st.creating; f != nil && strings.EqualFold(strings.Join(f.Name[len(f.Name)-1:], "."), parts[len(parts)-1]) && st.sameFunction(f, parts) {
		return f, nil
	}
	if name, ok := temporaryName(parts); ok {
		if f := st.s.Function(name); f != nil {
			return f, nil
		}
	}
	namespace, name, ok := st.functionName(parts)
	if !ok {
		return nil, nil
	}
	e, err := st.e.o.Catalog.function(st.ctx, namespace, name)
	if err != nil || e == nil {
		return nil, err
	}
	n, err := sql.ParseStatement(e.Text)
	if err != nil {
		return nil, err
	}
	f := n.(*plan.CreateFunction)
	f.Name, f.ANSI, f.Created, f.Settings = []string{"spark_catalog", e.Namespace, e.Name}, e.ANSI, e.Created, e.Settings
	return f, nil
}

// sameFunction reports whether a name is that of the function that is being made.
func (st *statement) sameFunction(f *plan.CreateFunction, parts []string) bool {
	if f.Temp {
		_, ok := temporaryName(parts)
		return ok
	}
	namespace, name, ok := st.functionName(parts)
	return ok && strings.EqualFold(namespace, f.Name[1]) && strings.EqualFold(name, f.Name[2])
}

// createFunction checks a function by a call of it and keeps it.
func (st *statement) createFunction(c *plan.CreateFunction) (session.Result, error) {
	f := *c
	f.ANSI, f.Created, f.Settings = st.settings.Ansi, st.settings.NowMicros/1000, st.textSettings()
	namespace, name, ok := st.functionName(c.Name)
	if c.Temp {
		if name, ok = temporaryName(c.Name); !ok {
			return nil, errs.New("INVALID_SQL_SYNTAX.CREATE_TEMP_FUNC_WITH_DATABASE", "database", types.QuoteParts(c.Name[:len(c.Name)-1]...))
		}
		f.Name = []string{name}
	} else {
		if !ok {
			return nil, errs.New("REQUIRES_SINGLE_PART_NAMESPACE", "sessionCatalog", "spark_catalog", "namespace", types.QuoteParts(c.Name[:len(c.Name)-1]...))
		}
		f.Name = []string{"spark_catalog", namespace, name}
	}
	if c.Collation == "" && !c.Temp {
		if err := st.inheritsCollation(f.Name); err != nil {
			return nil, err
		}
	}
	if c.Temp && c.Replace && st.s.Function(name) == nil && builtin(f.Name) != nil {
		return nil, errs.New("USER_DEFINED_FUNCTIONS.CANNOT_REPLACE_NON_SQL_UDF_WITH_SQL_UDF", "name", name)
	}
	there, err := st.existingFunction(&f, namespace, name)
	if err != nil {
		return nil, err
	}
	exists := func() (session.Result, error) {
		if c.IfNotExists {
			return emptyResult(), nil
		}
		return nil, errs.New("ROUTINE_ALREADY_EXISTS", "newRoutineType", "routine", "existingRoutineType", "routine", "routineName", types.QuoteParts(f.Name...))
	}
	if there && !c.Replace {
		return exists()
	}
	if err := st.checkFunction(&f); err != nil {
		return nil, err
	}
	if c.Temp {
		st.s.PutFunction(name, &f)
		return emptyResult(), nil
	}
	value, err := json.Marshal(functionEntry{Namespace: strings.ToLower(namespace), Name: strings.ToLower(name), Text: c.Text, ANSI: f.ANSI, Created: f.Created, Settings: f.Settings})
	if err != nil {
		return nil, err
	}
	key := functionKey(namespace, name)
	if c.Replace {
		return emptyResult(), st.e.o.Catalog.kv.Put(st.ctx, key, value)
	}
	switch created, err := st.e.o.Catalog.kv.Create(st.ctx, key, value); {
	case err != nil:
		return nil, err
	case !created:
		return exists()
	}
	return emptyResult(), nil
}

func (st *statement) existingFunction(f *plan.CreateFunction, namespace, name string) (bool, error) {
	if f.Temp {
		return st.s.Function(name) != nil, nil
	}
	if err := st.hasSchema(namespace); err != nil {
		return false, err
	}
	e, err := st.e.o.Catalog.function(st.ctx, namespace, name)
	return e != nil, err
}

// checkFunction analyses a call of a function.
func (st *statement) checkFunction(f *plan.CreateFunction) error {
	st.creating = f
	defer func() { st.creating = nil }()
	if !f.Temp {
		if err := st.onlyLasting(f); err != nil {
			return err
		}
	}
	for _, p := range f.Params {
		if p.Default != nil {
			if err := st.checkDefault(f, p); err != nil {
				return err
			}
		}
	}
	if _, err := st.analyze(functionCall(f)); err != nil || f.Access != "CONTAINS SQL" {
		return err
	}
	reads, err := st.readsData(f)
	if err == nil && reads {
		err = errs.New("INVALID_SQL_FUNCTION_DATA_ACCESS")
	}
	return err
}

// functionCall is a query that calls a function with columns as arguments, or with constants one that returns a table.
func functionCall(f *plan.CreateFunction) plan.Node {
	in := &plan.Project{Input: &plan.OneRow{}}
	args := make([]plan.Expr, len(f.Params))
	for i, p := range f.Params {
		null := &plan.Cast{Child: &plan.Literal{T: types.Null}, To: p.Type}
		in.Exprs = append(in.Exprs, &plan.Alias{Child: null, Names: []string{p.Name}})
		args[i] = &plan.UnresolvedAttribute{Parts: []string{p.Name}}
		if f.Table {
			args[i] = null
		}
	}
	if f.Table {
		return &plan.UnresolvedTVF{Name: f.Name, Args: args}
	}
	return &plan.Project{Input: in, Exprs: []plan.Expr{&plan.UnresolvedFunction{Name: f.Name, Args: args}}}
}

// checkDefault refuses a default that reads anything.
func (st *statement) checkDefault(f *plan.CreateFunction, p plan.FunctionParam) error {
	subquery := false
	plan.WalkExpr(p.Default, func(e plan.Expr) bool {
		if _, ok := e.(*plan.Subquery); ok {
			subquery = true
		}
		return true
	})
	if subquery {
		return errs.New("USER_DEFINED_FUNCTIONS.NOT_A_VALID_DEFAULT_EXPRESSION", "functionName", strings.Join(f.Name, "."), "parameterName", p.Name)
	}
	conf := st.conf()
	e, err := analyze.Expression(p.Default, &plan.OneRow{}, st, conf)
	if err != nil {
		return err
	}
	if from := plan.TypeOf(e); !from.SameData(p.Type) && !fn.CanCast(conf.ANSI, from, p.Type) {
		return errs.New("DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION", "sqlExpr", `"CAST(`+analyze.Pretty(e)+` AS `+p.Type.SQL()+`)"`,
			"srcType", `"`+from.SQL()+`"`, "targetType", `"`+p.Type.SQL()+`"`)
	}
	return nil
}

// onlyLasting refuses temporary objects in the body of a lasting function.
func (st *statement) onlyLasting(f *plan.CreateFunction) error {
	var found error
	refuse := func(kind string, parts []string) {
		if found == nil {
			found = errs.New("INVALID_TEMP_OBJ_REFERENCE", "obj", "FUNCTION", "objName", types.QuoteParts(f.Name...), "tempObj", kind, "tempObjName", types.QuoteParts(parts...))
		}
	}
	expr := func(e plan.Expr) {
		plan.WalkExpr(e, func(e plan.Expr) bool {
			switch e := e.(type) {
			case *plan.UnresolvedFunction:
				if name, ok := temporaryName(e.Name); ok && fn.Lookup(name) == nil && st.s.Function(name) != nil {
					refuse("FUNCTION", e.Name)
				}
			case *plan.Subquery:
				if e.Plan != nil {
					st.temporaries(e.Plan, refuse)
				}
			}
			return true
		})
	}
	if f.Body != nil {
		expr(f.Body)
	} else {
		st.temporaries(f.Query, refuse)
		plan.Walk(f.Query, func(n plan.Node) bool {
			if h, ok := n.(plan.HasExprs); ok {
				for _, e := range h.Expressions() {
					expr(e)
				}
			}
			return true
		})
	}
	return found
}

func (st *statement) temporaries(n plan.Node, refuse func(string, []string)) {
	st.relations(n, func(parts []string) {
		if _, temp := st.s.View(parts); temp {
			refuse("VIEW", parts)
		}
	})
}

// relations calls f for each table or view that a query names.
func (st *statement) relations(n plan.Node, f func([]string)) {
	own := map[string]bool{}
	plan.Walk(n, func(n plan.Node) bool {
		if w, ok := n.(*plan.With); ok {
			for _, c := range w.CTEs {
				own[strings.ToLower(c.Name)] = true
			}
		}
		return true
	})
	plan.Walk(n, func(n plan.Node) bool {
		if r, ok := n.(*plan.UnresolvedRelation); ok && !(len(r.Parts) == 1 && own[strings.ToLower(r.Parts[0])]) {
			f(r.Parts)
		}
		return true
	})
}

// readsData reports whether a function says that it reads tables, or does.
func (st *statement) readsData(f *plan.CreateFunction) (bool, error) {
	if f.Access != "" && f != st.creating {
		return f.Access == "READS SQL DATA", nil
	}
	reads := false
	var err error
	call := func(name []string) {
		if fn.Lookup(name[len(name)-1]) != nil || err != nil {
			return
		}
		called, found := st.Function(name)
		if err = found; called != nil && called != st.creating && err == nil {
			var inner bool
			inner, err = st.readsData(called)
			reads = reads || inner
		}
	}
	var node func(n plan.Node)
	expr := func(e plan.Expr) {
		plan.WalkExpr(e, func(e plan.Expr) bool {
			switch e := e.(type) {
			case *plan.UnresolvedFunction:
				call(e.Name)
			case *plan.Subquery:
				node(e.Plan)
			}
			return true
		})
	}
	node = func(n plan.Node) {
		if n == nil {
			return
		}
		st.relations(n, func([]string) { reads = true })
		plan.Walk(n, func(n plan.Node) bool {
			if t, ok := n.(*plan.UnresolvedTVF); ok {
				call(t.Name)
			}
			if h, ok := n.(plan.HasExprs); ok {
				for _, e := range h.Expressions() {
					expr(e)
				}
			}
			return true
		})
	}
	if f.Body != nil {
		expr(f.Body)
	}
	node(f.Query)
	return reads, err
}

// dropFunction forgets a function.
func (st *statement) dropFunction(c *plan.DropFunction) (session.Result, error) {
	if c.Temp {
		name, ok := temporaryName(c.Name)
		switch {
		case !ok:
			return nil, errs.New("INVALID_SQL_SYNTAX.MULTI_PART_NAME", "statement", "DROP TEMPORARY FUNCTION", "name", types.QuoteParts(c.Name...))
		case st.s.Function(name) != nil:
			st.s.PutFunction(name, nil)
		case builtin(c.Name) != nil && !c.IfExists:
			return nil, errs.New("FORBIDDEN_OPERATION", "statement", "DROP", "objectType", "FUNCTION", "objectName", types.QuoteParts(c.Name...))
		case !c.IfExists:
			return nil, errs.New("ROUTINE_NOT_FOUND", "routineName", types.QuoteParts(c.Name...))
		}
		return emptyResult(), nil
	}
	namespace, name, ok := st.functionName(c.Name)
	if len(c.Name) == 1 && builtin(c.Name) != nil {
		return nil, errs.New("FORBIDDEN_OPERATION", "statement", "DROP", "objectType", "FUNCTION", "objectName", types.QuoteParts(c.Name...))
	}
	if ok {
		e, err := st.e.o.Catalog.function(st.ctx, namespace, name)
		if err != nil {
			return nil, err
		}
		if e != nil {
			return emptyResult(), st.e.o.Catalog.kv.Delete(st.ctx, functionKey(namespace, name))
		}
	}
	if c.IfExists {
		return emptyResult(), nil
	}
	return nil, errs.New("ROUTINE_NOT_FOUND", "routineName", types.QuoteParts("spark_catalog", namespace, name))
}

// Functions are the names of a schema's functions.
func (c *Catalog) Functions(ctx context.Context, namespace string) ([]string, error) {
	pairs, err := c.kv.List(ctx, functionPrefix+strings.ToLower(namespace)+"/")
	if err != nil {
		return nil, err
	}
	var names []string
	for key := range pairs {
		names = append(names, key[strings.LastIndexByte(key, '/')+1:])
	}
	sort.Strings(names)
	return names, nil
}
