package functions

import (
	"math"
	"strconv"
	"strings"

	"millrace/errs"
	"millrace/operators/expr"
	"millrace/table/xml"
	"millrace/types"
	"millrace/vector"
)

func init() {
	register := func(name string, build func(*expr.Call) (expr.Kernel, error)) {
		expr.Register(name, expr.Func{Strict: true, Pure: true, Build: build})
	}
	register("from_xml", fromXML)
	register("to_xml", toXML)
	register("schema_of_xml", schemaOfXML)
	register("xpath", xpathList)
	register("xpath_string", xpathString)
	register("xpath_boolean", xpathValue(func(out *vector.Vector, i int, v any) { vector.Values[bool](out)[i] = xpathTruth(v) }))
	register("xpath_double", xpathValue(func(out *vector.Vector, i int, v any) { vector.Values[float64](out)[i] = xpathNumber(v) }))
	register("xpath_float", xpathValue(func(out *vector.Vector, i int, v any) { vector.Values[float32](out)[i] = float32(xpathNumber(v)) }))
	register("xpath_long", xpathValue(func(out *vector.Vector, i int, v any) { vector.Values[int64](out)[i] = javaLong(xpathNumber(v)) }))
	register("xpath_int", xpathValue(func(out *vector.Vector, i int, v any) { vector.Values[int32](out)[i] = javaInt(xpathNumber(v)) }))
	register("xpath_short", xpathValue(func(out *vector.Vector, i int, v any) { vector.Values[int16](out)[i] = int16(javaInt(xpathNumber(v))) }))
}

func xmlOptions(c *expr.Call, writing bool) (*xml.Options, error) {
	return xml.ParseOptions(c.Options, c.Settings.GetTimeZone(), c.Settings.GetNowMicros(), writing)
}

func fromXML(c *expr.Call) (expr.Kernel, error) {
	if err := mode(c, "from_xml"); err != nil {
		return nil, err
	}
	o, err := xmlOptions(c, false)
	if err != nil {
		return nil, err
	}
	if _, err := xml.NewParser(c.Out, o); err != nil {
		return nil, err
	}
	return parsing(func() (rowParser, error) { return xml.NewParser(c.Out, o) }), nil
}

func toXML(c *expr.Call) (expr.Kernel, error) {
	o, err := xmlOptions(c, true)
	if err != nil {
		return nil, err
	}
	e, err := xml.NewEncoder(c.Args[0], o)
	if err != nil {
		return nil, err
	}
	return func(_ *expr.Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		w := expr.NewStringWriter(out, n)
		expr.Rows(sel, n, func(i int) { w.Commit(i, e.Append(w.Buffer(), args[0], i)) })
		w.Close()
		return nil
	}, nil
}

func schemaOfXML(c *expr.Call) (expr.Kernel, error) {
	o, err := xmlOptions(c, false)
	if err != nil {
		return nil, err
	}
	return schemaOf("schema_of_xml", "XML", func(text []byte) (*types.Type, error) { return xml.TypeOf(text, o) }), nil
}

// xpathRows evaluates a constant path over documents. Empty documents, and all of an empty path, give null.
func xpathRows(set func(out *vector.Vector, i int, v any)) func(args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
	var path *xml.Path
	last := ""
	return func(args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		return each(sel, n, func(i int, wanted bool) error {
			if !wanted {
				set(out, i, nil)
				return nil
			}
			document, text := args[0].Str(i), string(args[1].Str(i))
			if len(document) == 0 || text == "" {
				out.SetNull(i)
				set(out, i, nil)
				return nil
			}
			if path == nil || text != last {
				p, err := xml.ParsePath(text)
				if err != nil {
					return errs.Newf(errs.Invalid, "Invalid XPath '%s': %s", text, err)
				}
				path, last = p, text
			}
			v, err := path.Value(document)
			if err != nil {
				return errs.Newf(errs.Invalid, "Invalid XML document: %s\n%s", err, document)
			}
			set(out, i, v)
			return nil
		})
	}
}

func xpathValue(set func(out *vector.Vector, i int, v any)) func(*expr.Call) (expr.Kernel, error) {
	return func(*expr.Call) (expr.Kernel, error) {
		rows := xpathRows(func(out *vector.Vector, i int, v any) {
			if v != nil {
				set(out, i, v)
			}
		})
		return func(_ *expr.Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
			return rows(args, sel, n, out)
		}, nil
	}
}

func xpathString(*expr.Call) (expr.Kernel, error) {
	rows := xpathRows(func(out *vector.Vector, i int, v any) {
		if v == nil {
			out.AppendStr(i, nil)
			return
		}
		out.AppendStr(i, []byte(xpathText(v)))
	})
	return func(_ *expr.Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		return rows(args, sel, n, out)
	}, nil
}

// xpathList is the values of the nodes that a path finds; elements have none.
func xpathList(*expr.Call) (expr.Kernel, error) {
	return func(_ *expr.Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		var values []string
		var nulls []int
		var failed error
		rows := xpathRows(func(out *vector.Vector, i int, v any) {
			nodes, ok := v.([]xml.Node)
			if v != nil && !ok && failed == nil {
				failed = errs.Newf(errs.Invalid, "Invalid XPath: it does not find nodes, but computes a value")
			}
			for _, node := range nodes {
				if node.Element {
					nulls, node.Text = append(nulls, len(values)), ""
				}
				values = append(values, node.Text)
			}
			out.Offsets[i+1] = int32(len(values))
		})
		if err := rows(args, sel, n, out); err != nil {
			return err
		}
		list := vector.FromStrings(types.String, values, nil)
		for _, k := range nulls {
			list.SetNull(k)
		}
		out.Children = []*vector.Vector{list}
		return failed
	}, nil
}

// xpathText is a value as XPath's function string makes it.
func xpathText(v any) string {
	switch v := v.(type) {
	case bool:
		if v {
			return "true"
		}
		return "false"
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1e15 {
			return strconv.FormatInt(int64(v), 10)
		}
		return string(expr.AppendDouble(nil, v))
	case string:
		return v
	case []xml.Node:
		if len(v) > 0 {
			return v[0].Text
		}
	}
	return ""
}

func xpathNumber(v any) float64 {
	switch v := v.(type) {
	case bool:
		if v {
			return 1
		}
		return 0
	case float64:
		return v
	}
	text := strings.TrimSpace(xpathText(v))
	if strings.Trim(text, "-.0123456789") != "" { // XPath's numbers have no exponents
		return math.NaN()
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return math.NaN()
	}
	return f
}

func xpathTruth(v any) bool {
	switch v := v.(type) {
	case bool:
		return v
	case float64:
		return v != 0 && !math.IsNaN(v)
	case []xml.Node:
		return len(v) > 0
	}
	return xpathText(v) != ""
}

// javaLong and javaInt convert as Java does: NaN is 0, and what is too large the largest.
func javaLong(f float64) int64 {
	switch {
	case math.IsNaN(f):
		return 0
	case f >= math.MaxInt64:
		return math.MaxInt64
	case f <= math.MinInt64:
		return math.MinInt64
	}
	return int64(f)
}

func javaInt(f float64) int32 { return int32(min(max(javaLong(f), math.MinInt32), math.MaxInt32)) }
