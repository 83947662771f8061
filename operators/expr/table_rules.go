package expr

import (
	"fmt"
	"strconv"
	"strings"

	"millrace/errs"
	"millrace/planconv"
	"millrace/vector"
)

func init() {
	Register("table_rule", Func{Build: tableRule})
	Register("table_identity", Func{Build: tableIdentity})
}

// tableRule is true, or fails for the first row to which a table's rule applies (first argument) and that does not meet it (second argument is not
// true). The other arguments are values for the message; options say which condition is raised, and its parameters.
func tableRule(c *Call) (Kernel, error) {
	names := strings.Split(c.Options["columns"], "\n")
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		is := func(v *vector.Vector, i int) bool { return !v.IsNull(i) && vector.Values[bool](v)[v.Row(i)] }
		result := vector.Values[bool](out)
		return RowsErr(sel, n, func(i int) error {
			result[i] = true
			if !is(args[0], i) || is(args[1], i) {
				return nil
			}
			return brokenRule(c.Options, names, args[2:], i)
		})
	}, nil
}

func brokenRule(options map[string]string, names []string, values []*vector.Vector, i int) error {
	condition := options["condition"]
	switch condition {
	case "DELTA_NOT_NULL_CONSTRAINT_VIOLATED":
		return errs.New(condition, "columnName", options["column"])
	case "DELTA_EXCEED_CHAR_VARCHAR_LIMIT":
		return errs.New(condition, "value", shown(values[0], i), "expr", options["expression"])
	case "DELTA_REPLACE_WHERE_MISMATCH":
		return errs.New(condition, "replaceWhere", options["expression"], "message", "Invalid data would be written: "+listed(names, values, i))
	}
	return errs.New(condition, "constraintName", options["name"], "expression", options["expression"], "values", listed(names, values, i))
}

func listed(names []string, values []*vector.Vector, i int) string {
	var b strings.Builder
	for k, v := range values {
		if k > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, " - %s : %s", names[k], shown(v, i))
	}
	return b.String()
}

// shown is a value as the engine keeps it.
func shown(v *vector.Vector, i int) string {
	if v.IsNull(i) {
		return "null"
	}
	return fmt.Sprint(planconv.At(v, i))
}

// tableIdentity counts the rows that it is asked for: start, start+step, ….
func tableIdentity(c *Call) (Kernel, error) {
	next, err := strconv.ParseInt(c.Options["start"], 10, 64)
	if err != nil {
		return nil, err
	}
	step, err := strconv.ParseInt(c.Options["step"], 10, 64)
	if err != nil {
		return nil, err
	}
	return func(ctx *Ctx, _ []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		if ctx.Partition != 0 {
			return errs.Newf(errs.Internal, "identity values are made by task %d", ctx.Partition)
		}
		r := vector.Values[int64](out)
		Rows(sel, n, func(i int) {
			r[i] = next
			next += step
		})
		return nil
	}, nil
}
