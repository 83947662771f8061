package analyze

import (
	"millrace/collation"
	"millrace/plan"
	"millrace/types"
)

// collations is the table function collations(). There is no version of ICU, whose orders these are not.
func (a *analyzer) collations(n *plan.UnresolvedTVF) (plan.Node, error) {
	if len(n.Args) > 0 {
		return nil, at(wrongArgs(n.Name, 0, 0, len(n.Args)), n.Origin)
	}
	e := &plan.Expand{Input: &plan.OneRow{}}
	for _, name := range []string{"CATALOG", "SCHEMA", "NAME", "LANGUAGE", "COUNTRY", "ACCENT_SENSITIVITY", "CASE_SENSITIVITY", "PAD_ATTRIBUTE", "ICU_VERSION"} {
		null := name == "LANGUAGE" || name == "COUNTRY" || name == "ICU_VERSION"
		e.Attrs = append(e.Attrs, &plan.Attribute{ID: a.id(), Name: name, T: types.String, Null: null})
	}
	for _, c := range collation.List() {
		orNull := func(s string) plan.Expr {
			if s == "" {
				return &plan.Literal{T: types.String}
			}
			return plan.Str(s)
		}
		sensitive := func(folds bool, what string) plan.Expr {
			if folds {
				return plan.Str(what + "_INSENSITIVE")
			}
			return plan.Str(what + "_SENSITIVE")
		}
		pad := "NO_PAD"
		if c.RTrim {
			pad = "RTRIM"
		}
		e.Lists = append(e.Lists, []plan.Expr{plan.Str("SYSTEM"), plan.Str("BUILTIN"), plan.Str(c.Name), orNull(c.Language), orNull(c.Country),
			sensitive(c.FoldAI, "ACCENT"), sensitive(c.FoldCI || c.LCase, "CASE"), plan.Str(pad), orNull("")})
	}
	return e, nil
}
