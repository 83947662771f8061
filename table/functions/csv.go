package functions

import (
	"millrace/operators/expr"
	"millrace/table/csv"
	"millrace/types"
	"millrace/vector"
)

func init() {
	register := func(name string, build func(*expr.Call) (expr.Kernel, error)) {
		expr.Register(name, expr.Func{Strict: true, Pure: true, Build: build})
	}
	register("from_csv", fromCSV)
	register("to_csv", toCSV)
	register("schema_of_csv", schemaOfCSV)
}

func csvOptions(c *expr.Call, writing bool) (*csv.Options, error) {
	return csv.ParseOptions(c.Options, c.Settings.GetTimeZone(), c.Settings.GetNowMicros(), writing)
}

func fromCSV(c *expr.Call) (expr.Kernel, error) {
	if err := mode(c, "from_csv"); err != nil {
		return nil, err
	}
	o, err := csvOptions(c, false)
	if err != nil {
		return nil, err
	}
	if _, err := csv.NewParser(c.Out, o); err != nil {
		return nil, err
	}
	return func(_ *expr.Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		p, err := csv.NewParser(c.Out, o)
		if err != nil {
			return err
		}
		v := args[0]
		texts := v
		if v.Dict != nil {
			texts = v.Dict
		}
		p.Begin(texts.Bytes)
		idx := make([]uint32, n)
		for i := range idx {
			idx[i] = vector.NoRow
		}
		count := uint32(0)
		expr.Rows(sel, n, func(i int) {
			r := v.Row(i)
			if v.Dict != nil {
				r = int(vector.Codes(v)[r])
			}
			p.Add(int(texts.Offsets[r]), int(texts.Offsets[r+1]))
			idx[i] = count
			count++
		})
		columns, err := p.Columns()
		if err != nil {
			return err
		}
		out.Children = make([]*vector.Vector, len(columns))
		for k, column := range columns {
			field := vector.NewEmpty(c.Out.Fields[k].Type)
			if count == 0 {
				field.AppendNulls(n)
			} else {
				field.Append(column, idx)
			}
			out.Children[k] = field
		}
		return nil
	}, nil
}

func toCSV(c *expr.Call) (expr.Kernel, error) {
	o, err := csvOptions(c, true)
	if err != nil {
		return nil, err
	}
	f := expr.Formatter{Zone: expr.Zone(c.Settings), Plain: true}
	e := csv.NewEncoder(o, f.Append)
	return func(_ *expr.Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		w := expr.NewStringWriter(out, n)
		expr.Rows(sel, n, func(i int) { w.Commit(i, e.Append(w.Buffer(), args[0], args[0].Row(i))) })
		w.Close()
		return nil
	}, nil
}

func schemaOfCSV(c *expr.Call) (expr.Kernel, error) {
	o, err := csvOptions(c, false)
	if err != nil {
		return nil, err
	}
	return schemaOf("schema_of_csv", "CSV", func(text []byte) (*types.Type, error) { return csv.TypeOf(text, o), nil }), nil
}
