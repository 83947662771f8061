package analyze

import (
	"strings"

	"millrace/errs"
	"millrace/plan"
	"millrace/types"
)

// hint carries out the hints about partitions; those about joins stay, for the joins above to look at, and all others mean nothing.
func (a *analyzer) hint(n *plan.Hint) (plan.Node, error) {
	name := strings.ToUpper(n.Name)
	switch name {
	case "COALESCE", "REPARTITION", "REPARTITION_BY_RANGE":
	default:
		return a.sameColumns(n)
	}
	r := &plan.Repartition{Input: n.Input, Shuffle: name != "COALESCE"}
	args := n.Args
	if len(args) > 0 {
		if l, ok := args[0].(*plan.Literal); ok && l.T.Kind == types.KindInteger && l.Value != nil {
			r.N, args = int(l.Value.(int64)), args[1:]
			if r.N <= 0 {
				return nil, illegalArgument("requirement failed: Number of partitions (%d) must be positive.", r.N)
			}
		}
	}
	if name == "COALESCE" && (r.N == 0 || len(args) > 0) {
		return nil, errs.New("_LEGACY_ERROR_TEMP_1048", "hintName", "COALESCE")
	}
	for _, e := range args {
		if l, ok := e.(*plan.Literal); ok && l.T.Kind == types.KindString {
			e = &plan.UnresolvedAttribute{Parts: []string{l.Value.(string)}, Origin: l.Origin}
		}
		if name == "REPARTITION_BY_RANGE" {
			r.Ranges = append(r.Ranges, &plan.SortOrder{Child: e})
			continue
		}
		r.Exprs = append(r.Exprs, e)
	}
	return a.repartition(r)
}
