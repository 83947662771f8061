package analyze

import (
	"encoding/json"
	"math"

	"millrace/errs"
	"millrace/plan"
	"millrace/plan/fn"
	"millrace/types"
)

// The metadata that tell the columns of window and session_window from other structs, as in Spark.
const (
	windowMarker  = "spark.timeWindow"
	sessionMarker = "spark.sessionWindow"
)

// timeWindow is a call of window or session_window. Such a call is a column that is computed below the relation in whose expressions
// it stands: rows without a time are left out, and those that are in several windows come several times.
type timeWindow struct {
	name               string // window or session_window
	time               plan.Expr
	size, slide, start int64     // of window, in microseconds
	gap                plan.Expr // of session_window: a calendar interval
}

// timeWindowCall refuses window and session_window where they are no columns of the relation below.
func (a *analyzer) timeWindowCall(_ *scope, u *plan.UnresolvedFunction) (plan.Expr, error) {
	return nil, errs.Unsupportedf("The function %s is supported in SELECT lists, in conditions of WHERE and in GROUP BY only.", types.Quote(lowered(u.Name[len(u.Name)-1])))
}

func (a *analyzer) asTimeWindow(e plan.Expr) (*plan.UnresolvedFunction, string) {
	u, ok := e.(*plan.UnresolvedFunction)
	if !ok {
		return nil, ""
	}
	name, err := a.functionName(u)
	if err != nil || name != "window" && name != "session_window" {
		return nil, ""
	}
	return u, name
}

// timeWindows takes the call of window or session_window out of the expressions of a relation over in, which there may be one of, and
// puts the column into its place. What is returned is in with that column in front; stars stand for the columns of in alone.
func (a *analyzer) timeWindows(in plan.Node, lists ...*[]plan.Expr) (plan.Node, error) {
	s := a.scope(in)
	var found *timeWindow
	var failed error
	for _, list := range lists {
		for _, e := range *list {
			plan.WalkExpr(e, func(e plan.Expr) bool {
				if u, name := a.asTimeWindow(e); u != nil && failed == nil {
					found, failed = a.sameTimeWindow(s, u, name, found)
				}
				return failed == nil
			})
		}
	}
	if found == nil || failed != nil {
		return in, failed
	}
	n, column, err := a.withTimeWindow(in, found)
	if err != nil {
		return nil, err
	}
	for _, list := range lists {
		all, err := a.expandList(s, *list)
		if err != nil {
			return nil, err
		}
		fresh := make([]plan.Expr, len(all))
		for i, e := range all {
			if fresh[i], err = plan.TransformExpr(e, func(e plan.Expr) (plan.Expr, error) {
				if u, _ := a.asTimeWindow(e); u != nil {
					return column, nil
				}
				return e, nil
			}); err != nil {
				return nil, err
			}
		}
		*list = fresh
	}
	return n, nil
}

// sameTimeWindow resolves a call, which must be the one that was found before, if any was.
func (a *analyzer) sameTimeWindow(s *scope, u *plan.UnresolvedFunction, name string, before *timeWindow) (*timeWindow, error) {
	var w *timeWindow
	var err error
	if name == "window" {
		w, err = a.slidingWindow(s, u)
	} else {
		w, err = a.sessionWindow(s, u)
	}
	switch {
	case err != nil:
		return nil, at(err, u.Origin)
	case before == nil:
		return w, nil
	case w.name != before.name || w.size != before.size || w.slide != before.slide || w.start != before.start || !equal(w.time, before.time) ||
		w.gap != nil && !equal(w.gap, before.gap):
		return nil, at(errs.New("_LEGACY_ERROR_TEMP_1039"), u.Origin)
	}
	return before, nil
}

// slidingWindow resolves window(time, size[, slide[, start]]).
func (a *analyzer) slidingWindow(s *scope, u *plan.UnresolvedFunction) (*timeWindow, error) {
	if len(u.Args) < 2 || len(u.Args) > 4 {
		return nil, wrongArgs(u.Name, 2, 4, len(u.Args))
	}
	args, err := a.exprs(s, u.Args)
	if err != nil {
		return nil, err
	}
	micros := []int64{0, 0, 0}
	for i, e := range args[1:] {
		if micros[i], err = a.duration(e); err != nil {
			return nil, err
		}
	}
	if len(args) == 2 {
		micros[1] = micros[0]
	}
	w := &timeWindow{name: "window", size: micros[0], slide: micros[1], start: micros[2]}
	shown := "window(" + Pretty(args[0]) + ", " + join([]string{itoa64(w.size), itoa64(w.slide), itoa64(w.start)}) + ")"
	if w.time, err = a.windowedTime(args[0], shown); err != nil {
		return nil, err
	}
	return w, w.check(shown)
}

func (w *timeWindow) check(shown string) error {
	positive := func(name string, v int64) error {
		return errs.New("DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", "sqlExpr", `"`+shown+`"`, "exprName", types.Quote(name), "valueRange", "(0, "+itoa64(math.MaxInt64)+"]",
			"currentValue", itoa64(v)+"L")
	}
	within := func(left string, l int64, than, right string, r int64) error {
		return errs.New("DATATYPE_MISMATCH.PARAMETER_CONSTRAINT_VIOLATION", "sqlExpr", `"`+shown+`"`, "leftExprName", types.Quote(left), "leftExprValue", itoa64(l)+"L",
			"constraint", than, "rightExprName", types.Quote(right), "rightExprValue", itoa64(r)+"L")
	}
	start := max(w.start, -w.start)
	switch {
	case w.size <= 0:
		return positive("window_duration", w.size)
	case w.slide <= 0:
		return positive("slide_duration", w.slide)
	case w.slide > w.size:
		return within("slide_duration", w.slide, "<=", "window_duration", w.size)
	case start >= w.slide:
		return within("abs(start_time)", start, "<", "slide_duration", w.slide)
	}
	return nil
}

// duration is a constant number of microseconds, or an interval as text.
func (a *analyzer) duration(e plan.Expr) (int64, error) {
	l, ok := e.(*plan.Literal)
	if !ok {
		l = a.constant(e)
	}
	if l != nil && (l.T.Kind == types.KindInteger || l.T.Kind == types.KindLong) {
		if v, ok := l.Value.(int64); ok {
			return v, nil
		}
	}
	text, ok := "", false
	if l != nil && l.T.Kind == types.KindString {
		text, ok = l.Value.(string)
	}
	if !ok || a.conf.ParseInterval == nil {
		return 0, errs.New("_LEGACY_ERROR_TEMP_1207")
	}
	months, days, micros, err := a.conf.ParseInterval(text)
	switch {
	case err != nil:
		return 0, errs.New("CANNOT_PARSE_INTERVAL", "intervalString", "'"+text+"'")
	case months != 0:
		return 0, errs.New("_LEGACY_ERROR_TEMP_3231", "interval", text)
	}
	return int64(days)*86_400_000_000 + micros, nil
}

// sessionWindow resolves session_window(time, gap).
func (a *analyzer) sessionWindow(s *scope, u *plan.UnresolvedFunction) (*timeWindow, error) {
	if len(u.Args) != 2 {
		return nil, wrongArgs(u.Name, 2, 2, len(u.Args))
	}
	args, err := a.exprs(s, u.Args)
	if err != nil {
		return nil, err
	}
	w := &timeWindow{name: "session_window", gap: args[1]}
	if w.time, err = a.windowedTime(args[0], "sessionwindow("+Pretty(args[0])+", "+Pretty(args[1])+")"); err != nil {
		return nil, err
	}
	switch t := plan.TypeOf(args[1]); t.Kind {
	case types.KindCalendar:
	case types.KindNull:
		w.gap = &plan.Literal{T: &types.Type{Kind: types.KindCalendar}}
	case types.KindString:
		w.gap = &plan.Call{Name: "calendar_interval", Args: []plan.Expr{args[1]}, T: &types.Type{Kind: types.KindCalendar}, Null: true}
	default:
		return nil, errs.New("_LEGACY_ERROR_TEMP_1040", "dt", scalaType(t))
	}
	return w, nil
}

// windowedTime is a window's first argument as a timestamp: the window of another aggregation has its own.
func (a *analyzer) windowedTime(e plan.Expr, shown string) (plan.Expr, error) {
	t := plan.TypeOf(e)
	switch {
	case t.Kind == types.KindTimestamp || t.Kind == types.KindTimestampNTZ:
		return e, nil
	case isWindowType(t):
		return a.timeOfWindow(e)
	}
	if to, ok := fn.ImplicitCast(a.fn, t, types.Timestamp); ok && to != nil {
		return a.castTo(e, to), nil
	}
	return nil, errs.New("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "sqlExpr", `"`+shown+`"`, "paramIndex", "first", "inputSql", SQL(e), "inputType", `"`+t.SQL()+`"`,
		"requiredType", `("(TIMESTAMP OR TIMESTAMP WITHOUT TIME ZONE)" or "STRUCT<start: TIMESTAMP, end: TIMESTAMP>" or "STRUCT<start: TIMESTAMP_NTZ, end: TIMESTAMP_NTZ>")`)
}

func isWindowType(t *types.Type) bool {
	return t.Kind == types.KindStruct && len(t.Fields) == 2 && t.Fields[0].Name == "start" && t.Fields[1].Name == "end" && t.Fields[0].Type.SameData(t.Fields[1].Type) &&
		(t.Fields[0].Type.Kind == types.KindTimestamp || t.Fields[0].Type.Kind == types.KindTimestampNTZ)
}

// windowTime is window_time(window).
func (a *analyzer) windowTime(s *scope, u *plan.UnresolvedFunction) (plan.Expr, error) {
	if len(u.Args) != 1 {
		return nil, wrongArgs(u.Name, 1, 1, len(u.Args))
	}
	e, err := a.expr(s, u.Args[0])
	if err != nil {
		return nil, err
	}
	if t := plan.TypeOf(e); t.Kind != types.KindStruct {
		return nil, errs.New("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "sqlExpr", `"window_time(`+Pretty(e)+`)"`, "paramIndex", "first", "inputSql", SQL(e),
			"inputType", `"`+t.SQL()+`"`, "requiredType", `"STRUCT"`)
	}
	return a.timeOfWindow(e)
}

// timeOfWindow is the last microsecond of a window.
func (a *analyzer) timeOfWindow(e plan.Expr) (plan.Expr, error) {
	c, ok := e.(*plan.Attribute)
	if !ok || !marked(c.Metadata, windowMarker) && !marked(c.Metadata, sessionMarker) {
		return nil, errs.New("_LEGACY_ERROR_TEMP_3101", "windowTime", "window_time("+Pretty(e)+")")
	}
	end, err := a.field(e, "end")
	if err != nil {
		return nil, err
	}
	last := timeEdge(end, 1, 0, -1)
	last.Pretty = "window_time(" + Pretty(e) + ")"
	return last, nil
}

// timeEdge is the last of the times start, start+slide, … up to t, moved by offset microseconds.
func timeEdge(t plan.Expr, slide, start, offset int64) *plan.Call {
	return &plan.Call{Name: "time_edge", Args: []plan.Expr{t, plan.BigInt(slide), plan.BigInt(start), plan.BigInt(offset)}, T: plan.TypeOf(t), Null: plan.IsNullable(t)}
}

// withTimeWindow puts a window's column in front of a relation's.
func (a *analyzer) withTimeWindow(in plan.Node, w *timeWindow) (plan.Node, *plan.Attribute, error) {
	cols := exprsOf(output(in))
	t, ok := w.time.(*plan.Attribute)
	if !ok { // computed once
		al := a.alias(w.time, "time")
		in, t = &plan.Project{Input: in, Exprs: append(cols[:len(cols):len(cols)], al)}, al.Attribute()
	}
	if w.gap != nil {
		return a.withSession(in, cols, t, w)
	}
	known, err := a.apply("isnotnull", nil, t)
	if err != nil {
		return nil, nil, err
	}
	in = &plan.Filter{Input: in, Condition: known}
	column := &plan.Attribute{ID: a.id(), Name: w.name, T: windowType(t.T), Metadata: withMarker(t.Metadata, windowMarker)}
	edges := func(i int64) plan.Expr {
		return startAndEnd(column.T, timeEdge(t, w.slide, w.start, -i*w.slide), timeEdge(t, w.slide, w.start, w.size-i*w.slide))
	}
	if w.size == w.slide {
		al := &plan.Alias{Child: edges(0), Names: []string{column.Name}, Metadata: column.Metadata, ID: column.ID}
		return &plan.Project{Input: in, Exprs: append([]plan.Expr{al}, cols...)}, column, nil
	}
	column.Null = true
	e := &plan.Expand{Input: in, Attrs: append([]*plan.Attribute{column}, output(in)...)}
	for i := int64(0); i*w.slide < w.size; i++ {
		e.Lists = append(e.Lists, append([]plan.Expr{edges(i)}, exprsOf(output(in))...))
	}
	var out plan.Node = e
	if w.size%w.slide != 0 {
		end, err := a.field(column, "end")
		if err != nil {
			return nil, nil, err
		}
		inside, err := a.apply("<", nil, t, end)
		if err != nil {
			return nil, nil, err
		}
		out = &plan.Filter{Input: e, Condition: inside}
	}
	return &plan.Project{Input: out, Exprs: append([]plan.Expr{column}, cols...)}, column, nil
}

// withSession puts the column of session_window in front of others: each row's own session, which only grouping makes one with others'.
func (a *analyzer) withSession(in plan.Node, cols []plan.Expr, t *plan.Attribute, w *timeWindow) (plan.Node, *plan.Attribute, error) {
	sum, err := a.apply("+", nil, t, w.gap)
	if err != nil {
		return nil, nil, err
	}
	end := a.alias(sum, "end")
	in = &plan.Project{Input: in, Exprs: append(exprsOf(output(in)), end)}
	lasts, err := a.apply(">", nil, end.Attribute(), t)
	if err != nil {
		return nil, nil, err
	}
	column := &plan.Attribute{ID: a.id(), Name: w.name, T: windowType(t.T), Metadata: withMarker(t.Metadata, sessionMarker)}
	al := &plan.Alias{Child: startAndEnd(column.T, t, end.Attribute()), Names: []string{column.Name}, Metadata: column.Metadata, ID: column.ID}
	return &plan.Project{Input: &plan.Filter{Input: in, Condition: lasts}, Exprs: append([]plan.Expr{al}, cols...)}, column, nil
}

// scalaType is a type as Spark's messages show it where they print its class.
func scalaType(t *types.Type) string {
	switch t.Kind {
	case types.KindByte, types.KindShort, types.KindInteger, types.KindLong, types.KindFloat, types.KindDouble, types.KindBoolean, types.KindBinary, types.KindDate:
		name := map[types.Kind]string{types.KindByte: "Byte", types.KindShort: "Short", types.KindInteger: "Integer", types.KindLong: "Long", types.KindFloat: "Float",
			types.KindDouble: "Double", types.KindBoolean: "Boolean", types.KindBinary: "Binary", types.KindDate: "Date"}[t.Kind]
		return name + "Type"
	case types.KindDecimal:
		return "DecimalType(" + itoa(t.Precision) + "," + itoa(t.Scale) + ")"
	case types.KindTimestamp:
		return "TimestampType"
	case types.KindTimestampNTZ:
		return "TimestampNTZType"
	case types.KindDayTime:
		return "DayTimeIntervalType(" + itoa(t.Start) + "," + itoa(t.End) + ")"
	case types.KindYearMonth:
		return "YearMonthIntervalType(" + itoa(t.Start) + "," + itoa(t.End) + ")"
	}
	return t.SQL()
}

func windowType(t *types.Type) *types.Type {
	return types.Struct(types.Field{Name: "start", Type: t, Nullable: true}, types.Field{Name: "end", Type: t, Nullable: true})
}

func startAndEnd(t *types.Type, start, end plan.Expr) plan.Expr {
	return &plan.Call{Name: "struct", Args: []plan.Expr{start, end}, T: t}
}

func isSession(e plan.Expr) bool {
	c, ok := e.(*plan.Attribute)
	return ok && isWindowType(c.T) && marked(c.Metadata, sessionMarker)
}

func marked(metadata, marker string) bool {
	var m map[string]any
	return metadata != "" && json.Unmarshal([]byte(metadata), &m) == nil && m[marker] == true
}

func withMarker(metadata, marker string) string {
	m := map[string]any{}
	if metadata != "" && metadata != types.AutoNamed && json.Unmarshal([]byte(metadata), &m) != nil {
		m = map[string]any{}
	}
	m[marker] = true
	b, err := json.Marshal(m)
	if err != nil {
		return ""
	}
	return string(b)
}

// mergeSessions replaces, in the rows to be grouped, the sessions of rows that follow each other without a gap and are equal in the other
// keys by the session from the first's start to the last's end, which is the new column merged.
func (a *analyzer) mergeSessions(in plan.Node, session, merged *plan.Attribute, others []plan.Expr) (plan.Node, error) {
	cols := exprsOf(output(in))
	start, err := a.field(session, "start")
	if err != nil {
		return nil, err
	}
	end, err := a.field(session, "end")
	if err != nil {
		return nil, err
	}
	over := func(in plan.Node, name string, arg plan.Expr, frame *plan.Frame, ordered bool, partition ...plan.Expr) (plan.Node, plan.Expr, error) {
		w := &plan.Window{Function: &plan.UnresolvedFunction{Name: []string{name}, Args: []plan.Expr{arg}}, Partition: partition, Frame: frame}
		if ordered {
			w.Order = []*plan.SortOrder{{Child: start}}
		}
		e, err := a.window(newScope(in), w)
		if err != nil {
			return nil, nil, err
		}
		al := a.alias(e, name)
		return &plan.WindowNode{Input: in, Exprs: []plan.Expr{al}}, al.Attribute(), nil
	}
	before := &plan.Frame{Rows: true, Lower: plan.Bound{Unbounded: true}, Upper: plan.Bound{Offset: plan.Int(-1)}}
	n, until, err := over(in, "max", end, before, true, others...)
	if err != nil {
		return nil, err
	}
	joins, err := a.apply("<=", nil, start, until)
	if err != nil {
		return nil, err
	}
	first, err := a.apply("case", nil, joins, plan.Int(0), plan.Int(1))
	if err != nil {
		return nil, err
	}
	begins := a.alias(first, "begins")
	n = &plan.Project{Input: n, Exprs: append(cols[:len(cols):len(cols)], begins)}
	n, number, err := over(n, "sum", begins.Attribute(), nil, true, others...) // by range: rows that start at one time are of one session
	if err != nil {
		return nil, err
	}
	whole := append(others[:len(others):len(others)], number)
	n, from, err := over(n, "min", start, nil, false, whole...)
	if err != nil {
		return nil, err
	}
	n, to, err := over(n, "max", end, nil, false, whole...)
	if err != nil {
		return nil, err
	}
	al := &plan.Alias{Child: startAndEnd(merged.T, from, to), Names: []string{merged.Name}, Metadata: merged.Metadata, ID: merged.ID}
	return &plan.Project{Input: n, Exprs: append(cols, al)}, nil
}
