package engine

import (
	"millrace/errs"
	"millrace/plan"
	"millrace/types"
)

// checked is a query of changes whose rows that come are held against the table's rules.
func (c *rowChange) checked(q plan.Node, columns int) (plan.Node, error) {
	r := c.st.rules(c.metadata, c.schema, c.last)
	if columns == 0 || !r.asked() {
		return q, nil
	}
	op := q.(plan.Resolved).Output()[0]
	comes := call("in", types.Boolean, false, op, plan.Int(opInsert), plan.Int(opUpdate), plan.Int(opUpdate|changedBySource))
	return r.enforce(q, 3, comes)
}

// absent is the value of a column that an inserted row does not give.
func (c *rowChange) absent(f types.Field) (plan.Expr, error) {
	if id := identityOf(f); id != nil {
		if c.identity == nil {
			c.identity = id
		}
		return c.identity.call(), nil
	}
	return c.st.defaultOf(f)
}

// derived fills generated columns that are not given from the values of the others.
func (c *rowChange) derived(values []plan.Expr, given *assignment) error {
	for i, f := range c.schema.Fields {
		text := generated(f)
		if text == "" || find2(given, f.Name) != nil {
			continue
		}
		r := c.st.rules(c.metadata, c.schema, c.last)
		scope := &plan.LocalRelation{}
		by := map[plan.ID]plan.Expr{}
		for k, g := range c.schema.Fields {
			a := &plan.Attribute{ID: c.id(), Name: g.Name, T: plan.TypeOf(values[k]), Null: true}
			scope.Attrs = append(scope.Attrs, a)
			by[a.ID] = values[k]
		}
		e, err := r.parsed(text, scope)
		if err != nil {
			return err
		}
		if e, err = plan.TransformExpr(e, func(e plan.Expr) (plan.Expr, error) {
			if a, ok := e.(*plan.Attribute); ok && by[a.ID] != nil {
				return by[a.ID], nil
			}
			return e, nil
		}); err != nil {
			return err
		}
		if values[i], err = c.st.storedExpr(e, f, f.Name); err != nil {
			return err
		}
	}
	return nil
}

// checkGiven refuses values for identity columns that take none.
func (c *rowChange) checkGiven(set *assignment, update bool) error {
	for _, f := range c.schema.Fields {
		id := identityOf(f)
		switch {
		case id == nil || find2(set, f.Name) == nil:
		case update:
			return errs.New("DELTA_IDENTITY_COLUMNS_UPDATE_NOT_SUPPORTED", "colName", f.Name)
		case id.always:
			return errs.New("DELTA_IDENTITY_COLUMNS_EXPLICIT_INSERT_NOT_SUPPORTED", "colName", f.Name)
		}
	}
	return nil
}

// count moves the counter of an identity column beyond what the statement may have used of it.
func (c *rowChange) count(r *changes) error {
	if c.identity == nil {
		return nil
	}
	var rows int64
	for _, n := range r.counts {
		rows += n
	}
	if c.metadata == c.table.Snapshot.Metadata {
		c.info.Tags = map[string]string{"delta.identity.schemaUpdate": "true"}
	}
	m, err := c.identity.moved(c.metadata, rows)
	c.metadata = m
	return err
}
