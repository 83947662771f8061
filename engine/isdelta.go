package engine

import (
	"millrace/errs"
	"millrace/plan"
	"millrace/session"
	"millrace/types"
)

// isDeltaTable is the name of the question whether a path holds a Delta table.
const isDeltaTable = session.DeltaCall + "isDeltaTable"

var isDeltaSchema = types.Struct(types.Field{Name: "value", Type: types.Boolean})

// isDelta answers with one boolean.
func (st *statement) isDelta(c *plan.Generic) (session.Result, error) {
	path, _ := c.Args["path"].(string)
	l, err := st.e.o.Logs.Table(path)
	if err != nil {
		return nil, err
	}
	_, err = l.Snapshot(st.ctx)
	if err != nil && !errs.Is(err, errs.NotFound) {
		return nil, err
	}
	return st.rowsResult(isDeltaSchema, [][]any{{err == nil}})
}
