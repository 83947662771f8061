package engine

import (
	"context"
	"fmt"
	"strings"

	"millrace/physical"
	"millrace/plan"
	"millrace/session"
)

// Explain implements session.Engine.
func (e *Engine) Explain(ctx context.Context, s *session.Session, n plan.Node, mode string) (string, error) {
	st := e.statement(ctx, s)
	if c, ok := n.(plan.Command); ok {
		return "== Physical Plan ==\nExecute " + commandName(c) + "\n", nil
	}
	resolved, err := st.analyze(n)
	if err != nil {
		return "", err
	}
	optimised, err := st.optimized(resolved)
	if err != nil {
		return "", err
	}
	for _, r := range residents(optimised) {
		r.parts = r.frame.known()
	}
	q, err := physical.Plan(ctx, optimised, st.physicalOptions())
	if err != nil {
		return "", err
	}
	var b strings.Builder
	if strings.EqualFold(mode, "extended") {
		fmt.Fprintf(&b, "== Parsed Logical Plan ==\n%s\n\n== Analyzed Logical Plan ==\n%s\n\n== Optimized Logical Plan ==\n%s\n\n",
			plan.Format(n), plan.Format(resolved), plan.Format(optimised))
	}
	b.WriteString("== Physical Plan ==\n" + physical.Format(q))
	return b.String(), nil
}
