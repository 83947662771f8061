package functions

import (
	"sort"

	"millrace/operators/expr"
	"millrace/table/csv"
	"millrace/table/json"
	"millrace/table/xml"
	"millrace/types"
	"millrace/vector"
)

func init() {
	register := func(format string, open func(c *expr.Call, t *types.Type) (textRows, error)) {
		expr.Register("rows_of_"+format, expr.Func{Pure: true, Build: func(c *expr.Call) (expr.Kernel, error) {
			if _, err := open(c, c.Out.Elem); err != nil {
				return nil, err
			}
			return rowsOf(func() (textRows, error) { return open(c, c.Out.Elem) }), nil
		}})
	}
	register("json", func(c *expr.Call, t *types.Type) (textRows, error) {
		o, err := jsonOptions(c, false)
		if err != nil {
			return nil, err
		}
		return json.NewRows(t, o, c.Settings.GetCaseSensitive())
	})
	register("csv", func(c *expr.Call, t *types.Type) (textRows, error) {
		o, err := csvOptions(c, false)
		if err != nil {
			return nil, err
		}
		var header []byte
		if text, ok := c.Options["millrace.header"]; ok {
			header = []byte(text)
		}
		return csv.NewRows(t, o, header)
	})
	register("xml", func(c *expr.Call, t *types.Type) (textRows, error) {
		o, err := xmlOptions(c, false)
		if err != nil {
			return nil, err
		}
		return xml.NewRows(t, o)
	})
}

// textRows makes rows of texts, of each none, one or several.
type textRows interface {
	Add(text []byte) error
	Null() error
	Len() int
	// Columns are the rows so far, of which those of the list count; nil: all.
	Columns() ([]*vector.Vector, []uint32, error)
}

// rowsOf makes lists of the rows of texts.
func rowsOf(open func() (textRows, error)) expr.Kernel {
	return func(_ *expr.Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		rows, err := open()
		if err != nil {
			return err
		}
		err = each(sel, n, func(i int, wanted bool) (err error) {
			switch {
			case !wanted:
			case args[0].IsNull(i):
				err = rows.Null()
			default:
				err = rows.Add(args[0].Str(i))
			}
			out.Offsets[i+1] = int32(rows.Len())
			return err
		})
		if err != nil {
			return err
		}
		columns, kept, err := rows.Columns()
		if err != nil {
			return err
		}
		count := rows.Len()
		if kept != nil {
			count = len(kept)
			for i, c := range columns {
				columns[i] = &vector.Vector{}
				columns[i].Gather(c, kept)
			}
			for i, end := range out.Offsets {
				out.Offsets[i] = int32(sort.Search(count, func(k int) bool { return kept[k] >= uint32(end) }))
			}
		}
		out.Children = []*vector.Vector{{Type: out.Type.Elem, Len: count, Children: columns}}
		return nil
	}
}
