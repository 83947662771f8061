package engine

import (
	"slices"
	"strings"
	"time"

	"millrace/delta"
	"millrace/errs"
	"millrace/plan"
	"millrace/plan/analyze"
	"millrace/plan/optimize"
	"millrace/table/deltatable"
	"millrace/types"
)

// rowChange is a statement that changes rows of a Delta table: DELETE, UPDATE or MERGE. Its query yields for each row what becomes of it (see
// table.changeSink), where the row is that goes, and the row that comes; the sink writes files, and the commit follows from its report.
type rowChange struct {
	st        *statement
	operation string
	table     *deltaTable
	placed    *deltatable.Placed
	plain     plan.Node         // the table by the names that the statement may use
	rows      plan.Node         // the same, with the places of rows
	columns   []*plan.Attribute // the table's
	file, row *plan.Attribute
	rowID     *plan.Attribute // of a table that tracks rows, or nil
	metadata  *delta.Metadata // after the statement
	schema    *types.Type     // after the statement
	last      plan.ID
	began     time.Time

	where      plan.Expr     // what the rows that may be changed have in common: conjuncts about the table alone, or nil
	rowLevel   bool          // see txn.Request
	scanned    time.Duration // until the rows to change were known
	info       delta.CommitInfo
	clauseName string      // of a MERGE's clause that is being resolved, for messages
	write      *deltaWrite // of which the change is a part, or nil
	identity   *identity   // the column that inserted rows leave to the table, or nil
}

// changeRows begins a statement that changes rows of a relation, which must be a Delta table. others are further relations that are analysed with it,
// so that no column has another's identifier.
func (st *statement) changeRows(operation string, target plan.Node, others ...plan.Node) (*rowChange, []plan.Node, error) {
	n := target
	for _, o := range others {
		n = &plan.Join{Left: n, Right: o, Type: plan.CrossJoin}
	}
	resolved, err := st.analyze(n)
	if err != nil {
		return nil, nil, err
	}
	var rest []plan.Node
	for range others {
		j, ok := resolved.(*plan.Join)
		if !ok {
			return nil, nil, errs.Newf(errs.Internal, "%s: the join of target and source became %T", operation, resolved)
		}
		rest = append([]plan.Node{j.Right}, rest...)
		resolved = j.Left
	}
	c := &rowChange{st: st, operation: operation, began: time.Now(), rowLevel: true}
	c.last = plan.MaxID(resolved)
	for _, r := range rest {
		c.last = max(c.last, plan.MaxID(r))
	}
	return c, rest, c.open(resolved)
}

// open finds the table below the names that a relation gives it.
func (c *rowChange) open(n plan.Node) error {
	scan := tableScan(n)
	if scan == nil {
		return c.notDelta(n)
	}
	t, ok := scan.Table.(*deltaTable)
	if !ok {
		return c.notDelta(n)
	}
	if t.Pinned {
		return errs.Unsupportedf("%s of a table as of a version or time is not possible.", c.operation)
	}
	c.st.read = slices.DeleteFunc(c.st.read, func(r *deltaTable) bool { return r == t })
	c.st.writing, c.st.unchanged = t.Log.URL(), t
	s := t.Snapshot
	if err := s.Protocol.CheckWrite(t.Log.URL(), s.Metadata, s.Schema()); err != nil {
		return err
	}
	c.table, c.placed, c.plain = t, deltatable.NewPlaced(t), n
	c.metadata, c.schema = s.Metadata, s.Schema()
	own := len(s.Schema().Fields)
	if len(scan.Attrs) != own {
		return errs.Newf(errs.Internal, "%s: a scan of %d of %d columns", c.operation, len(scan.Attrs), own)
	}
	c.file = &plan.Attribute{ID: c.id(), Name: deltatable.FileColumn, T: types.Integer}
	c.row = &plan.Attribute{ID: c.id(), Name: deltatable.RowColumn, T: types.Long}
	placed := &plan.Scan{Table: c.placed, Attrs: append(slices.Clone(scan.Attrs), c.file, c.row), Fields: append(slices.Clone(scan.Fields), own, own+1)}
	if id, _ := t.RowColumns(); id != "" {
		c.rowID = &plan.Attribute{ID: c.id(), Name: id, T: types.Long, Null: true}
		placed.Attrs, placed.Fields = append(placed.Attrs, c.rowID), append(placed.Fields, own+2)
	}
	c.rows = placed
	c.columns = make([]*plan.Attribute, own)
	for i, f := range scan.Fields {
		c.columns[f] = scan.Attrs[i]
	}
	return nil
}

// tableScan is the scan of a table under names, or of a view that shows all of a table; nil for any other relation.
func tableScan(n plan.Node) *plan.Scan {
	switch n := n.(type) {
	case *plan.Scan:
		return n
	case *plan.SubqueryAlias:
		return tableScan(n.Input)
	case *plan.PlanID:
		return tableScan(n.Input)
	case *plan.Project:
		scan := tableScan(n.Input)
		if scan == nil || len(n.Exprs) != len(scan.Attrs) {
			return nil
		}
		for i, e := range n.Exprs {
			if a, ok := e.(*plan.Attribute); !ok || a.ID != scan.Attrs[i].ID {
				return nil
			}
		}
		return scan
	}
	return nil
}

func (c *rowChange) notDelta(n plan.Node) error {
	name := "the relation"
	if a, ok := n.(*plan.SubqueryAlias); ok {
		name = types.QuoteParts(a.Name...)
	}
	return errs.New("UNSUPPORTED_FEATURE.TABLE_OPERATION", "tableName", name, "operation", c.operation)
}

func (c *rowChange) id() plan.ID { c.last++; return c.last }

// expression resolves an expression over a relation.
func (c *rowChange) expression(e plan.Expr, over plan.Node) (plan.Expr, error) {
	out, err := analyze.Expression(e, over, c.st, c.st.conf())
	if err != nil {
		return nil, err
	}
	plan.WalkExpr(out, func(e plan.Expr) bool {
		if s, ok := e.(*plan.Subquery); ok {
			c.last = max(c.last, plan.MaxID(s.Plan))
		}
		return true
	})
	return out, nil
}

// condition resolves a condition, which has to be boolean.
func (c *rowChange) condition(e plan.Expr, over plan.Node) (plan.Expr, error) {
	f, err := c.expression(e, over)
	if err != nil {
		return nil, err
	}
	if t := plan.TypeOf(f); t.Kind != types.KindBoolean {
		if t.Kind != types.KindNull {
			return nil, errs.New("DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN", "sqlExpr", analyze.SQL(f), "filter", analyze.SQL(f), "type", `"`+t.SQL()+`"`)
		}
		f = &plan.Cast{Child: f, To: types.Boolean, Mode: plan.ModeANSI, Implicit: true}
	}
	return f, nil
}

// target is the conjuncts of a condition that are about the table's columns alone and can be moved.
func (c *rowChange) targetOnly(cond plan.Expr) []plan.Expr {
	own := map[plan.ID]bool{}
	for _, a := range c.columns {
		own[a.ID] = true
	}
	var out []plan.Expr
	for _, e := range optimize.Conjuncts(cond) {
		refs := optimize.References(e)
		ok := len(refs) > 0
		for id := range refs {
			ok = ok && own[id]
		}
		if ok && movable(e) {
			out = append(out, e)
		}
	}
	return out
}

// movable reports whether an expression has one value for a row whenever it is computed.
func movable(e plan.Expr) bool {
	ok := true
	plan.WalkExpr(e, func(e plan.Expr) bool {
		switch e := e.(type) {
		case *plan.Call:
			ok = ok && !e.Nondetermined && !e.Generator
		case *plan.Subquery:
			ok = false
		}
		return ok
	})
	return ok
}

func hasSubquery(e plan.Expr) bool {
	found := false
	if e != nil {
		plan.WalkExpr(e, func(e plan.Expr) bool {
			_, is := e.(*plan.Subquery)
			found = found || is
			return !found
		})
	}
	return found
}

// usesVectors reports whether rows are deleted by deletion vectors; else files are written anew without them.
func (c *rowChange) usesVectors() bool {
	s := &delta.Snapshot{Metadata: c.metadata}
	if !s.BoolProperty("delta.enableDeletionVectors") || !c.table.Snapshot.Protocol.Supports("deletionVectors") {
		return false
	}
	key := map[string]string{"DELETE": "delete", "UPDATE": "update", "MERGE": "merge"}[c.operation]
	return !strings.EqualFold(c.st.s.Conf.Get("spark.databricks.delta."+key+".deletionVectors.persistent"), "false")
}

// feeds reports whether the table keeps a change data feed.
func (c *rowChange) feeds() bool {
	return (&delta.Snapshot{Metadata: c.metadata}).BoolProperty("delta.enableChangeDataFeed")
}

// columnNamed is the place of a column of the table after the statement, or -1.
func (c *rowChange) columnNamed(name string) int {
	return slices.IndexFunc(c.schema.Fields, func(f types.Field) bool { return strings.EqualFold(f.Name, name) })
}

// current is the value that a column has before the statement; null for one that the statement adds.
func (c *rowChange) current(i int) plan.Expr {
	if i < len(c.columns) {
		return c.columns[i]
	}
	return &plan.Literal{T: c.schema.Fields[i].Type}
}

// tracked are the columns after those of a row that comes, where the table tracks rows: whose row it was, and null for the version, which is this one.
func (c *rowChange) tracked(same bool) []plan.Expr {
	if c.rowID == nil {
		return nil
	}
	null := &plan.Alias{Child: &plan.Literal{T: types.Long}, Names: []string{"version"}, ID: c.id()}
	if !same {
		return []plan.Expr{&plan.Alias{Child: &plan.Literal{T: types.Long}, Names: []string{"id"}, ID: c.id()}, null}
	}
	return []plan.Expr{asNull([]*plan.Attribute{c.rowID})[0], null}
}

// asNull are columns as an outer join that fills them gives them.
func asNull(attrs []*plan.Attribute) []*plan.Attribute {
	out := make([]*plan.Attribute, len(attrs))
	for i, a := range attrs {
		b := *a
		b.Null = true
		out[i] = &b
	}
	return out
}

func exprs(attrs []*plan.Attribute) []plan.Expr {
	out := make([]plan.Expr, len(attrs))
	for i, a := range attrs {
		out[i] = a
	}
	return out
}

func call(name string, t *types.Type, null bool, args ...plan.Expr) plan.Expr {
	return &plan.Call{Name: name, Args: args, T: t, Null: null, Mode: plan.ModeANSI}
}

func both(list ...plan.Expr) plan.Expr {
	return optimize.And(slices.DeleteFunc(list, func(e plan.Expr) bool { return e == nil }))
}
