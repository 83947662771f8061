package expr

import (
	"millrace/errs"
	"millrace/types"
	"millrace/vector"
)

func init() {
	Register("map_concat", Func{Strict: true, Pure: true, Build: func(c *Call) (Kernel, error) { return mapConcat(c), nil }})
	Register("map_from_entries", Func{Strict: true, Pure: true, Build: func(c *Call) (Kernel, error) { return mapFromEntries(c), nil }})
	Register("str_to_map", Func{Strict: true, Pure: true, Build: func(c *Call) (Kernel, error) {
		between, within := &pattern{name: "str_to_map"}, &pattern{name: "str_to_map"}
		return strToMap(c, between.split, within.split), nil
	}})
}

// dedupPolicy is the setting that says what becomes of equal keys.
const dedupPolicy = "spark.sql.mapKeyDedupPolicy"

// dedupKeys refuses null keys, and equal ones too unless the last of them wins.
func dedupKeys(c *Call, m *vector.Vector, sel []uint32, n int) error {
	keys := m.Children[0]
	if keys.Len == 0 {
		return nil
	}
	if keys.Type.Kind == types.KindNull {
		return errs.New("NULL_MAP_KEY")
	}
	lastWins := setting(c, dedupPolicy) == "LAST_WIN"
	set, err := newElementSet(c.Out.Key, keys)
	if err != nil {
		return err
	}
	var kept [][2]uint32 // key's and value's places, where some were dropped
	dropped := false
	lengths := make([]int32, n)
	err = RowsErr(sel, n, func(i int) error {
		set.clear(int(m.Offsets[i+1] - m.Offsets[i]))
		for j := int(m.Offsets[i]); j < int(m.Offsets[i+1]); j++ {
			if keys.IsNull(j) {
				return errs.New("NULL_MAP_KEY")
			}
			at, fresh := set.add(j, len(kept))
			switch {
			case fresh:
				kept = append(kept, [2]uint32{uint32(j), uint32(j)})
				lengths[i]++
			case !lastWins:
				return errs.New("DUPLICATED_MAP_KEY", "key", showValue(keys, j), "mapKeyDedupPolicy", `"`+dedupPolicy+`"`)
			default:
				dropped = true
				kept[at][1] = uint32(j)
			}
		}
		return nil
	})
	if err != nil || !dropped {
		return err
	}
	ks, vs := make([]uint32, len(kept)), make([]uint32, len(kept))
	for k, p := range kept {
		ks[k], vs[k] = p[0], p[1]
	}
	m.Children = []*vector.Vector{gathered(keys, ks), gathered(m.Children[1], vs)}
	m.Offsets[0] = 0
	for i := range n {
		m.Offsets[i+1] = m.Offsets[i] + lengths[i]
	}
	return nil
}

func mapConcat(c *Call) Kernel {
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		if len(args) == 0 {
			clear(out.Offsets)
			out.Children = []*vector.Vector{vector.NewEmpty(out.Type.Key), vector.NewEmpty(out.Type.Elem)}
			return nil
		}
		for part := range 2 {
			column := &vector.Vector{Offsets: make([]int32, n+1), Type: out.Type}
			all := vector.NewEmpty([]*types.Type{out.Type.Key, out.Type.Elem}[part])
			starts := make([]int, len(args))
			plain := make([]*vector.Vector, len(args))
			for k, a := range args {
				plain[k] = plainNested(a)
				starts[k] = all.Len
				if e := plain[k].Children[part]; e.Len > 0 && e.Type.Kind == types.KindNull {
					all.AppendNulls(e.Len)
				} else if e.Len > 0 {
					all.Append(e, rowNumbers(e.Len))
				}
			}
			err := gatherLists(column, sel, n, all, func(i int, add func(int)) {
				for k, v := range plain {
					r := v.Row(i)
					for j := v.Offsets[r]; j < v.Offsets[r+1]; j++ {
						add(starts[k] + int(j))
					}
				}
			})
			if err != nil {
				return err
			}
			copy(out.Offsets, column.Offsets)
			if part == 0 {
				out.Children = out.Children[:0]
			}
			out.Children = append(out.Children, column.Children[0])
		}
		return dedupKeys(c, out, sel, n)
	}
}

// mapFromEntries is null where an entry is.
func mapFromEntries(c *Call) Kernel {
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		v := plainNested(args[0])
		entries := plainNested(v.Children[0])
		var rows []uint32
		err := gatherLists(out, sel, n, entries, func(i int, add func(int)) {
			r := v.Row(i)
			for j := int(v.Offsets[r]); j < int(v.Offsets[r+1]); j++ {
				if entries.IsNull(j) {
					out.SetNull(i)
					return
				}
			}
			rows = append(rows, uint32(i))
			for j := int(v.Offsets[r]); j < int(v.Offsets[r+1]); j++ {
				add(j)
			}
		})
		if err != nil {
			return err
		}
		s := out.Children[0]
		out.Children = []*vector.Vector{s.Children[0], s.Children[1]}
		if rows == nil {
			return nil
		}
		return dedupKeys(c, out, rows, n)
	}
}

// strToMap splits a text at one pattern into entries and these at another into a key and a value.
func strToMap(c *Call, between, within func(s, sep []byte, limit int) ([][]byte, error)) Kernel {
	in := &inputs{}
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		in.set(args)
		keys, values := vector.NewEmpty(types.String), vector.NewEmpty(types.String)
		next := 0
		err := RowsErr(sel, n, func(i int) error {
			for ; next < i; next++ {
				out.Offsets[next+1] = out.Offsets[next]
			}
			comma, colon := []byte(","), []byte(":")
			if len(args) > 1 {
				comma = in.str(1, i)
			}
			if len(args) > 2 {
				colon = in.str(2, i)
			}
			entries, err := between(in.str(0, i), comma, -1)
			if err != nil {
				return err
			}
			for _, entry := range entries {
				kv, err := within(entry, colon, 2)
				if err != nil {
					return err
				}
				appendText(keys, kv[0], false)
				if len(kv) > 1 {
					appendText(values, kv[1], false)
				} else {
					appendText(values, nil, true)
				}
			}
			out.Offsets[i+1] = int32(keys.Len)
			next = i + 1
			return nil
		})
		if err != nil {
			return err
		}
		for ; next < n; next++ {
			out.Offsets[next+1] = out.Offsets[next]
		}
		out.Children = []*vector.Vector{keys, values}
		return dedupKeys(c, out, sel, n)
	}
}

// split parts a text at a pattern.
func (p *pattern) split(s, sep []byte, limit int) (list [][]byte, err error) {
	add := func(part []byte) { list = append(list, part) }
	if len(sep) == 0 && len(s) > 0 {
		splitChars(s, limit, add)
		return list, nil
	}
	re, err := p.get(sep)
	if err != nil {
		return nil, err
	}
	return list, timedOut(p.name, re.Split(s, limit, add))
}

// appendText appends one row to a plain string column.
func appendText(v *vector.Vector, s []byte, null bool) {
	v.Bytes = append(v.Bytes, s...)
	v.Offsets = append(v.Offsets[:v.Len+1], int32(len(v.Bytes)))
	v.Len++
	switch {
	case null && v.Valid == nil:
		v.Valid = vector.NewBitmap(v.Len)
		v.Valid.Clear(v.Len - 1)
	case v.Valid != nil:
		if words := (v.Len + 63) / 64; words > len(v.Valid) {
			v.Valid = append(v.Valid, 0)
		}
		if null {
			v.Valid.Clear(v.Len - 1)
		} else {
			v.Valid.Set(v.Len - 1)
		}
	}
}
