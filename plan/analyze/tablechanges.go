package analyze

import (
	"strings"

	"millrace/errs"
	"millrace/plan"
	"millrace/types"
)

// tableChanges is table_changes(table, start[, end]): the reader's options for a Delta table's change data feed, as a function.
func (a *analyzer) tableChanges(n *plan.UnresolvedTVF, byPath bool) (plan.Node, error) {
	name := strings.ToLower(n.Name[len(n.Name)-1])
	if len(n.Args) < 2 || len(n.Args) > 3 {
		amount := "not enough args"
		if len(n.Args) > 3 {
			amount = "too many args"
		}
		return nil, at(errs.New("INCORRECT_NUMBER_OF_ARGUMENTS", "failure", amount, "functionName", name, "minArgs", "2", "maxArgs", "3"), n.Origin)
	}
	options := map[string]string{"readChangeFeed": "true"}
	var table string
	for i, e := range n.Args {
		r, err := a.expr(newScope(), e)
		if err != nil {
			return nil, err
		}
		l := a.constant(r)
		switch {
		case l == nil:
			return nil, at(errs.New("DELTA_CDC_NON_CONSTANT_ARGUMENT", "argumentName", []string{"table", "start", "end"}[i], "pos", itoa(i+1), "functionName", name, "sqlExpr", SQL(r)), n.Origin)
		case l.Value == nil && i > 0:
			return nil, errs.New("DELTA_CDC_READ_NULL_RANGE_BOUNDARY")
		case i == 0:
			var ok bool
			if table, ok = l.Value.(string); !ok {
				return nil, errs.New("DELTA_UNSUPPORTED_EXPRESSION", "expType", l.T.SQL(), "causedBy", name, "supportedTypes", "StringType literal")
			}
		default:
			key := []string{"", "starting", "ending"}[i]
			if l.T.IsIntegral() {
				options[key+"Version"] = itoa(int(l.Value.(int64)))
				continue
			}
			text := a.constant(a.castTo(l, types.String))
			if text == nil || text.Value == nil {
				return nil, errs.New("DELTA_TIMESTAMP_INVALID", "expr", SQL(r))
			}
			options[key+"Timestamp"] = text.Value.(string)
		}
	}
	if byPath {
		return a.source(&plan.UnresolvedSource{Format: "delta", Options: options, Paths: []string{table}})
	}
	return a.relation(&plan.UnresolvedRelation{Parts: nameParts(table), Options: options, Origin: n.Origin})
}

// nameParts splits a table's name at its points, where they are not within backquotes.
func nameParts(s string) []string {
	var parts []string
	var b strings.Builder
	quoted := false
	for _, r := range s {
		switch {
		case r == '`':
			quoted = !quoted
		case r == '.' && !quoted:
			parts = append(parts, b.String())
			b.Reset()
		default:
			b.WriteRune(r)
		}
	}
	return append(parts, b.String())
}
