package analyze

import (
	"sort"
	"strconv"
	"strings"

	"millrace/collation"
	"millrace/errs"
	"millrace/plan"
	"millrace/types"
)

func itoa(n int) string { return strconv.Itoa(n) }

func itoa64(n int64) string { return strconv.FormatInt(n, 10) }

const maxSuggestions = 5

// unresolvedColumn is the error for a name that no input has, with the nearest names that there are; in a function's body its parameters.
func (a *analyzer) unresolvedColumn(s *scope, parts []string) error {
	attrs := s.attrs
	if s.body && a.function != nil {
		for i, p := range a.function.def.Params {
			attrs = append(attrs, &plan.Attribute{Name: p.Name, ID: plan.ID(i + 1)})
		}
	}
	return unresolved(attrs, parts)
}

func unresolved(attrs []*plan.Attribute, parts []string) error {
	name := types.QuoteParts(parts...)
	if len(attrs) == 0 {
		return errs.New("UNRESOLVED_COLUMN.WITHOUT_SUGGESTION", "objectName", name)
	}
	return errs.New("UNRESOLVED_COLUMN.WITH_SUGGESTION", "objectName", name, "proposal", proposal(attrs, parts))
}

// proposal orders the columns by the distance of the name to theirs in quotes, then by name. Leading parts that all columns
// share are left out as far as the user left them out.
func proposal(attrs []*plan.Attribute, parts []string) string {
	sorted := append([]*plan.Attribute(nil), attrs...)
	sort.SliceStable(sorted, func(i, j int) bool { return sorted[i].Name < sorted[j].Name })
	names := make([][]string, 0, len(sorted))
	seen := map[plan.ID]bool{}
	for _, c := range sorted {
		if !seen[c.ID] || c.ID == 0 {
			seen[c.ID] = true
			names = append(names, append(append([]string(nil), c.Qualifier...), c.Name))
		}
	}
	keep := shownParts(names, len(parts))
	shown := make([]string, len(names))
	distance := make(map[string]int, len(names))
	base := strings.Join(parts, ".")
	for i, n := range names {
		shown[i] = types.QuoteParts(n[max(0, len(n)-keep):]...)
		distance[shown[i]] = collation.Distance(base, shown[i])
	}
	sort.SliceStable(shown, func(i, j int) bool { return distance[shown[i]] < distance[shown[j]] })
	return join(shown[:min(len(shown), maxSuggestions)])
}

// shownParts is how many last parts of the names tell them apart, and at least as many as the user wrote.
func shownParts(names [][]string, written int) int {
	for keep := written; keep <= 3; keep++ {
		same := true
		for _, n := range names {
			same = same && prefix(n, keep) == prefix(names[0], keep)
		}
		if same {
			return keep
		}
	}
	return 1 << 30
}

// prefix is a name without its last parts.
func prefix(name []string, without int) string {
	return strings.Join(name[:max(0, len(name)-without)], ".")
}

func lowered(s string) string { return strings.ToLower(s) }
