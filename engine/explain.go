package engine

import (
	"context"
	"fmt"
	"strings"

	"millrace/errs"
	"millrace/physical"
	"millrace/plan"
	"millrace/plan/estimate"
	"millrace/session"
	"millrace/types"
)

// Explain implements session.Engine.
func (e *Engine) Explain(ctx context.Context, s *session.Session, n plan.Node, mode string) (string, error) {
	mode = strings.ToLower(mode)
	st := e.statement(ctx, s)
	if mode == "analyze" {
		return st.explainAnalyze(n)
	}
	if mode == "codegen" {
		return "Found 0 WholeStageCodegen subtrees.\n", nil // the operators are compiled ahead
	}
	if c, ok := n.(plan.Command); ok {
		return "== Physical Plan ==\nExecute " + commandName(c) + "\n", nil
	}
	resolved, err := st.analyze(n)
	if err != nil {
		return "", err
	}
	optimised, q, err := st.explained(resolved)
	if err != nil {
		return "", err
	}
	physicalPlan := "== Physical Plan ==\n" + physical.Format(q)
	switch mode {
	case "extended":
		return fmt.Sprintf("== Parsed Logical Plan ==\n%s\n== Analyzed Logical Plan ==\n%s\n%s\n== Optimized Logical Plan ==\n%s\n%s",
			plan.Format(n), schemaLine(plan.Schema(resolved)), plan.Format(resolved), plan.Format(optimised), physicalPlan), nil
	case "cost":
		return "== Optimized Logical Plan ==\n" + plan.FormatWith(optimised, statistics(estimate.New())) + "\n" + physicalPlan, nil
	case "formatted":
		return "== Physical Plan ==\n" + physical.FormatDetails(q), nil
	}
	return physicalPlan, nil
}

// explained plans a resolved relation as it would be run.
func (st *statement) explained(resolved plan.Node) (plan.Node, *physical.Query, error) {
	optimised, err := st.optimized(resolved)
	if err != nil {
		return nil, nil, err
	}
	for _, r := range residents(optimised) {
		r.parts = r.frame.known()
	}
	q, err := physical.Plan(st.ctx, optimised, st.physicalOptions())
	return optimised, q, err
}

// schemaLine is a relation's columns as the analysed plan begins with them.
func schemaLine(t *types.Type) string {
	list := make([]string, len(t.Fields))
	for i, f := range t.Fields {
		list[i] = f.Name + ": " + f.Type.String()
	}
	return strings.Join(list, ", ")
}

// statistics is what the optimiser believes of each relation, in Spark's words.
func statistics(e *estimate.Estimator) func(n plan.Node) string {
	return func(n plan.Node) string {
		r, ok := n.(plan.Resolved)
		if !ok {
			return ""
		}
		rows := e.Of(n).Rows
		return fmt.Sprintf(", Statistics(sizeInBytes=%s, rowCount=%.0f)", byteText(rows*physical.RowBytes(r.Output())), rows)
	}
}

// byteText is a number of bytes with the unit that leaves more than two of it.
func byteText(n float64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB"}
	i := 0
	for ; n >= 2048 && i < len(units)-1; i++ {
		n /= 1024
	}
	return fmt.Sprintf("%.1f %s", n, units[i])
}

// explainAnalyze runs a query, throws its rows away, and draws its plan with what each operator did.
func (st *statement) explainAnalyze(n plan.Node) (string, error) {
	if _, ok := n.(plan.Command); ok {
		return "", errs.Unsupportedf("EXPLAIN ANALYZE of a command is not supported: it would be run.")
	}
	resolved, err := st.analyze(n)
	if err != nil {
		return "", err
	}
	optimised, err := st.optimized(resolved)
	if err != nil {
		return "", err
	}
	var q *physical.Query
	rows, err := st.start(optimised, func() (*physical.Query, error) {
		q, err = physical.Plan(st.ctx, optimised, st.physicalOptions())
		return q, err
	})
	if err != nil {
		return "", err
	}
	defer rows.Close()
	for {
		b, err := rows.Next(st.ctx)
		if err != nil {
			return "", err
		}
		if b == nil {
			break
		}
	}
	did, metrics := map[uint32]string{}, rows.Metrics()
	for _, o := range metrics.Operators {
		did[uint32(o.ID)] = didText(o)
	}
	return "== Physical Plan ==\n" + physical.FormatWith(q, func(l physical.Line) string {
		if how := metrics.Adapted[l.Stage]; l.Depth == 0 && how != "" {
			return "   {run by " + how + "}"
		}
		return did[l.Operator]
	}), nil
}

// didText is an operator's counters, those that are 0 left out, except for its rows.
func didText(o session.OperatorMetrics) string {
	var list []string
	for _, v := range o.Values {
		if v.Value == 0 && v.Key != outputRows {
			continue
		}
		text := fmt.Sprint(v.Value)
		switch v.Kind {
		case "size":
			text = byteText(float64(v.Value))
		case "nsTiming":
			text = fmt.Sprintf("%.1f ms", float64(v.Value)/1e6)
		}
		list = append(list, v.Name+": "+text)
	}
	return "   {" + strings.Join(list, ", ") + "}"
}
