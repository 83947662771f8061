package engine

import (
	"context"
	"slices"
	"strings"

	"millrace/physical"
	"millrace/plan"
	"millrace/session"
)

// InputFiles lists the files that a relation's tables consist of.
func (e *Engine) InputFiles(ctx context.Context, s *session.Session, n plan.Node) ([]string, error) {
	st := e.statement(ctx, s)
	resolved, err := st.analyze(n)
	if err != nil {
		return nil, err
	}
	if resolved, err = st.optimized(resolved); err != nil {
		return nil, err
	}
	var files []string
	plan.Walk(resolved, func(n plan.Node) bool {
		scan, ok := n.(*plan.Scan)
		if !ok || err != nil {
			return err == nil
		}
		source, ok := scan.Table.(physical.Source)
		if !ok {
			return true
		}
		_, splits, failed := source.PlanScan(ctx, physical.ScanRequest{Fields: scan.Fields})
		err = failed
		for _, f := range splits {
			path := f.Path
			if strings.HasPrefix(path, "/") {
				path = "file://" + path
			}
			files = append(files, path)
		}
		return true
	})
	slices.Sort(files)
	return slices.Compact(files), err
}
