package engine

import (
	"context"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"millrace/errs"
	"millrace/plan"
	"millrace/planconv"
	"millrace/session"
	"millrace/types"
	"millrace/vector"
)

// command carries out a command; what it reports is a small relation.
func (st *statement) command(c plan.Command) (session.Result, error) {
	if st.transaction() != nil {
		if err := inTransaction(c); err != nil {
			return nil, err
		}
	}
	switch c := c.(type) {
	case *plan.Write:
		return st.write(c)
	case *plan.WriteV2:
		return st.writeV2(c)
	case *plan.Insert:
		return st.insert(c)
	case *plan.Delete:
		return st.delete(c)
	case *plan.Update:
		return st.update(c)
	case *plan.Merge:
		return st.merge(c)
	case *plan.CreateTable:
		return st.createTable(c)
	case *plan.CreateNamespace:
		return st.createNamespace(c)
	case *plan.CreateView:
		return st.createView(c)
	case *plan.Drop:
		return st.drop(c)
	case *plan.Describe:
		return st.describe(c)
	case *plan.Truncate:
		return st.truncate(c)
	case *plan.Restore:
		return st.restore(c)
	case *plan.AlterTable:
		return st.alterTable(c)
	case *plan.Optimize:
		return st.optimizeTable(c)
	case *plan.Vacuum:
		return st.vacuum(c)
	case *plan.Analyze:
		return st.analyzeTable(c)
	case *plan.AlterNamespace:
		return st.alterNamespace(c)
	case *plan.Show:
		return st.show(c)
	case *plan.CreateFunction:
		return st.createFunction(c)
	case *plan.DropFunction:
		return st.dropFunction(c)
	case *plan.DeclareVariables:
		return st.declareVariables(c)
	case *plan.SetVariables:
		return st.setVariables(c)
	case *plan.DropVariable:
		return st.dropVariable(c)
	case *plan.Generic:
		switch c.Name {
		case isDeltaTable:
			return st.isDelta(c)
		case session.CatalogCall + "listFunctions", session.CatalogCall + "getFunction", session.CatalogCall + "functionExists":
			name, _ := c.Args["name"].([]string)
			pattern, _ := c.Args["pattern"].(string)
			return st.functionCalls(strings.TrimPrefix(c.Name, session.CatalogCall), name, pattern)
		case beginTransaction, commitTransaction, rollbackTransaction:
			return st.transact(c.Name)
		}
		if r, err := st.deltaCall(c); r != nil || err != nil {
			return r, err
		}
		return nil, errs.Unsupportedf("The statement %s is not supported yet.", c.Name)
	}
	return nil, errs.Unsupportedf("The command %s is not supported yet.", commandName(c))
}

func commandName(c plan.Command) string {
	name := strings.TrimPrefix(typeName(c), "*plan.")
	return strings.ToUpper(name)
}

// commandSchema is what a command will report, without running it.
func (st *statement) commandSchema(c plan.Command) (plan.Resolved, error) {
	t := types.Struct()
	switch c := c.(type) {
	case *plan.Describe:
		switch strings.ToLower(c.Kind) {
		case "history":
			t = historySchema
		case "detail":
			t = detailSchema
		default:
			t = describeSchema
		}
	case *plan.Restore:
		t = restoreSchema
	case *plan.Delete, *plan.Update:
		t = affectedSchema
	case *plan.Merge:
		t = mergeSchema
	case *plan.CreateTable:
		if c.Clone != "" {
			t = cloneSchema
		}
	case *plan.Optimize:
		t = optimizeSchema
	case *plan.Vacuum:
		t = pathSchema
	case *plan.Generic:
		if c.Name == isDeltaTable {
			t = isDeltaSchema
		}
		if c.Args["answer"] != nil {
			t = types.Struct(types.Field{Name: "value", Type: types.String})
		}
	}
	return &plan.LocalRelation{Attrs: attributes(t)}, nil
}

func attributes(t *types.Type) []*plan.Attribute {
	out := make([]*plan.Attribute, len(t.Fields))
	for i, f := range t.Fields {
		out[i] = &plan.Attribute{ID: plan.ID(i + 1), Name: f.Name, T: f.Type, Null: f.Nullable, Metadata: f.Metadata}
	}
	return out
}

// memoryResult is a result that is made already.
type memoryResult struct {
	schema *types.Type
	arrow  *arrow.Schema
	batch  *vector.Batch

	observed []session.Observation // on the way
}

func emptyResult() session.Result { return &memoryResult{schema: types.Struct()} }

// rowsResult makes a result of rows in plan.Literal's form.
func (st *statement) rowsResult(schema *types.Type, rows [][]any) (session.Result, error) {
	as, err := session.ArrowSchema(schema, st.settings.TimeZone)
	if err != nil {
		return nil, err
	}
	r := &memoryResult{schema: schema, arrow: as}
	if len(rows) == 0 {
		return r, nil
	}
	r.batch = &vector.Batch{N: len(rows)}
	for i, f := range schema.Fields {
		values := make([]any, len(rows))
		for k, row := range rows {
			values[k] = row[i]
		}
		r.batch.Cols = append(r.batch.Cols, planconv.FromValues(f.Type, values))
	}
	return r, nil
}

func (r *memoryResult) Schema() *types.Type { return r.schema }

func (r *memoryResult) Next(context.Context) (arrow.RecordBatch, error) {
	b := r.batch
	r.batch = nil
	if b == nil {
		return nil, nil
	}
	return vector.ToArrow(b, r.arrow), nil
}

func (r *memoryResult) Metrics() session.Metrics { return session.Metrics{Observed: r.observed} }

func (r *memoryResult) Close() error { return nil }

func parseVersion(text string) (int64, error) {
	v, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil || v < 0 {
		return 0, errs.Newf(errs.Invalid, "%q is no version: a whole number from 0 up is expected", text)
	}
	return v, nil
}

// bytesConf reads a size such as 10485760, 10MB or 64m; -1 is none.
func bytesConf(c *session.Conf, key string, otherwise int64) int64 {
	text := strings.ToLower(strings.TrimSpace(c.Get(key)))
	text = strings.TrimSuffix(text, "b")
	unit := int64(1)
	for suffix, u := range map[string]int64{"k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40} {
		if rest, ok := strings.CutSuffix(text, suffix); ok {
			text, unit = rest, u
			break
		}
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return otherwise
	}
	return max(n*unit, 0)
}
