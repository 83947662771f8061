package functions

import (
	"strings"

	"millrace/errs"
	"millrace/operators/expr"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/table/json"
	"millrace/types"
	"millrace/variant"
	"millrace/vector"
)

func init() {
	register := func(name string, build func(*expr.Call) (expr.Kernel, error)) {
		expr.Register(name, expr.Func{Strict: true, Pure: true, Build: build})
	}
	register("from_json", fromJSON)
	register("to_json", toJSON)
	register("schema_of_json", schemaOfJSON)
	register("get_json_object", getJSONObject)
	register("json_array_length", jsonArrayLength)
	register("json_object_keys", jsonObjectKeys)
	register("parse_json", parseJSON)
	expr.Register("json_tuple", expr.Func{Pure: true, Build: jsonTuple})
}

// jsonOptions are the call's options, with the session's time zone.
func jsonOptions(c *expr.Call, writing bool) (*json.Options, error) {
	return json.ParseOptions(c.Options, c.Settings.GetTimeZone(), c.Settings.GetNowMicros(), writing)
}

// mode refuses the mode that would have to leave rows out.
func mode(c *expr.Call, name string) error {
	for k, v := range c.Options {
		if strings.EqualFold(k, "mode") && strings.EqualFold(v, "DROPMALFORMED") {
			return errs.New("PARSE_MODE_UNSUPPORTED", "funcName", "`"+name+"`", "mode", "DROPMALFORMED")
		}
	}
	return nil
}

// each calls f for the rows 0..n-1, with whether they are to be computed.
func each(sel []uint32, n int, f func(i int, wanted bool) error) error {
	k := 0
	for i := range n {
		wanted := sel == nil
		if !wanted && k < len(sel) && int(sel[k]) == i {
			wanted = true
			k++
		}
		if err := f(i, wanted); err != nil {
			return err
		}
	}
	return nil
}

func fromJSON(c *expr.Call) (expr.Kernel, error) {
	if err := mode(c, "from_json"); err != nil {
		return nil, err
	}
	o, err := jsonOptions(c, false)
	if err != nil {
		return nil, err
	}
	if _, err := json.NewParser(c.Out, o, false); err != nil {
		return nil, err
	}
	return parsing(func() (rowParser, error) { return json.NewParser(c.Out, o, c.Settings.GetCaseSensitive()) }), nil
}

// rowParser makes rows of texts.
type rowParser interface {
	Null()
	Add(text []byte) error
	Vector() *vector.Vector
}

// parsing reads texts by a parser of its own for each batch, whose memory becomes the result's.
func parsing(open func() (rowParser, error)) expr.Kernel {
	return func(_ *expr.Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		p, err := open()
		if err != nil {
			return err
		}
		err = each(sel, n, func(i int, wanted bool) error {
			if !wanted {
				p.Null()
				return nil
			}
			return p.Add(args[0].Str(i))
		})
		if err != nil {
			return err
		}
		return take(out, p.Vector())
	}
}

// take makes out the rows of v, and null where out was null.
func take(out, v *vector.Vector) error {
	t, valid, n := out.Type, out.Valid, out.Len
	*out = *v
	out.Type = t
	out.Valid = vector.And(nil, valid, v.Valid, n)
	return nil
}

func toJSON(c *expr.Call) (expr.Kernel, error) {
	o, err := jsonOptions(c, true)
	if err != nil {
		return nil, err
	}
	f := expr.Formatter{Zone: expr.Zone(c.Settings), Plain: true}
	e := json.NewEncoder(o, f.Append)
	return func(_ *expr.Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		w := expr.NewStringWriter(out, n)
		expr.Rows(sel, n, func(i int) { w.Commit(i, e.Append(w.Buffer(), args[0], i)) })
		w.Close()
		return e.Err()
	}, nil
}

func schemaOfJSON(c *expr.Call) (expr.Kernel, error) {
	o, err := jsonOptions(c, false)
	if err != nil {
		return nil, err
	}
	return schemaOf("schema_of_json", "JSON", func(text []byte) (*types.Type, error) { return json.TypeOf(text, o) }), nil
}

// schemaOf writes the types of texts, which are of a format or lead to an error.
func schemaOf(function, format string, typeOf func(text []byte) (*types.Type, error)) expr.Kernel {
	return func(_ *expr.Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		w := expr.NewStringWriter(out, n)
		err := expr.RowsErr(sel, n, func(i int) error {
			t, err := typeOf(args[0].Str(i))
			if err != nil {
				return errs.Newf(errs.Invalid, "%s: the text is not %s: %s", function, format, args[0].Str(i))
			}
			w.Append(i, []byte(t.SQL()))
			return nil
		})
		w.Close()
		return err
	}
}

func getJSONObject(c *expr.Call) (expr.Kernel, error) {
	paths := map[string]*json.Path{}
	return func(_ *expr.Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		w := expr.NewStringWriter(out, n)
		var path *json.Path
		last := ""
		expr.Rows(sel, n, func(i int) {
			if text := args[1].Str(i); path == nil || last != string(text) {
				last = string(text)
				p, seen := paths[last]
				if !seen {
					p, _ = json.ParsePath(last)
					if len(paths) > 1000 {
						clear(paths)
					}
					paths[last] = p
				}
				path = p
			}
			if path == nil {
				out.SetNull(i)
				return
			}
			buf, found := path.Append(w.Buffer(), args[0].Str(i))
			if !found {
				out.SetNull(i)
				return
			}
			w.Commit(i, buf)
		})
		w.Close()
		return nil
	}, nil
}

func jsonArrayLength(*expr.Call) (expr.Kernel, error) {
	return func(_ *expr.Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		r := vector.Values[int32](out)
		expr.Rows(sel, n, func(i int) {
			size, ok := json.Length(args[0].Str(i))
			if r[i] = int32(size); !ok {
				out.SetNull(i)
			}
		})
		return nil
	}, nil
}

func jsonObjectKeys(*expr.Call) (expr.Kernel, error) {
	return func(_ *expr.Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		keys := vector.NewEmpty(types.String)
		keys.Offsets = append(keys.Offsets[:0], 0)
		err := each(sel, n, func(i int, wanted bool) error {
			first, bytes := len(keys.Offsets), len(keys.Bytes)
			if wanted && !json.Keys(args[0].Str(i), func(name []byte) {
				keys.Bytes = append(keys.Bytes, name...)
				keys.Offsets = append(keys.Offsets, int32(len(keys.Bytes)))
			}) {
				keys.Offsets, keys.Bytes = keys.Offsets[:first], keys.Bytes[:bytes]
				out.SetNull(i)
			}
			out.Offsets[i+1] = int32(len(keys.Offsets) - 1)
			return nil
		})
		keys.Len = len(keys.Offsets) - 1
		out.Children = []*vector.Vector{keys}
		return err
	}, nil
}

// jsonTuple makes structs of an object's fields, which the arguments after the first name; no row of them is null.
func jsonTuple(c *expr.Call) (expr.Kernel, error) {
	t, names := json.NewTuple(len(c.Args)-1), make([][]byte, len(c.Args)-1)
	return func(_ *expr.Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		writers := make([]expr.StringWriter, len(names))
		out.Children = make([]*vector.Vector, len(names))
		for k := range names {
			out.Children[k] = &vector.Vector{}
			out.Children[k].Reset(types.String, n)
			writers[k] = expr.NewStringWriter(out.Children[k], n)
		}
		expr.Rows(sel, n, func(i int) {
			for k := range names {
				names[k] = nil
				if !args[k+1].IsNull(i) {
					names[k] = args[k+1].Str(i)
				}
			}
			clear(t.Found)
			if !args[0].IsNull(i) {
				t.Find(args[0].Str(i), names)
			}
			for k, found := range t.Found {
				if found {
					writers[k].Append(i, t.Values[k])
				} else {
					out.Children[k].SetNull(i)
				}
			}
		})
		for k := range writers {
			writers[k].Close()
		}
		return nil
	}, nil
}

// parseJSON is parse_json and try_parse_json.
func parseJSON(c *expr.Call) (expr.Kernel, error) {
	b := variant.Builder{AllowDuplicates: c.Options["duplicates"] == "true"}
	return func(_ *expr.Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		w := expr.NewVariantWriter(out, n)
		err := expr.RowsErr(sel, n, func(i int) error {
			b.Reset()
			text := args[0].Str(i)
			switch {
			case json.Variant(&b, text):
				return w.Append(i, &b)
			case c.Mode == planpb.EvalMode_EVAL_MODE_TRY:
				out.SetNull(i)
				return nil
			}
			return errs.New("MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION", "badRecord", string(text), "failFastMode", "FAILFAST")
		})
		w.Close()
		return err
	}, nil
}
