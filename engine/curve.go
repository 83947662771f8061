package engine

import (
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strings"

	"millrace/plan"
	"millrace/types"
)

// curveSample is about how many rows tell where to cut the columns by which rows are put along a curve.
const curveSample = 50_000

// curveParts is into how many parts a column is cut.
const curveParts = 1000

// alongCurve sorts rows by their places on a curve through the space of some columns.
func (st *statement) alongCurve(s *plan.Scan, columns []string, curve string) (plan.Node, error) {
	var keys []plan.Expr
	for _, name := range columns {
		keys = append(keys, &plan.Call{Name: "order_key", Args: []plan.Expr{columnAt(s, strings.Split(name, "."))}, T: types.Long})
	}
	bounds, err := st.curveBounds(s, keys)
	if err != nil {
		return nil, err
	}
	last := plan.MaxID(s) + 1
	place := &plan.Alias{Child: &plan.Call{Name: "curve_key", Args: keys, T: types.Long, Options: map[string]string{"bounds": bounds, "curve": curve}},
		Names: []string{"place"}, ID: last}
	with := &plan.Project{Input: s}
	without := &plan.Project{}
	for _, a := range s.Attrs {
		with.Exprs, without.Exprs = append(with.Exprs, a), append(without.Exprs, a)
	}
	with.Exprs = append(with.Exprs, place)
	without.Input = &plan.Sort{Input: with, Keys: []*plan.SortOrder{{Child: &plan.Attribute{ID: last, Name: "place", T: types.Long}}}}
	return without, nil
}

// columnAt is a column of a scan, or a field inside of one.
func columnAt(s *plan.Scan, path []string) plan.Expr {
	var e plan.Expr
	var t *types.Type
	for _, a := range s.Attrs {
		if strings.EqualFold(a.Name, path[0]) {
			e, t = a, a.T
		}
	}
	for _, name := range path[1:] {
		f, i := t.Field(name, false)
		e, t = &plan.Call{Name: "field", Args: []plan.Expr{e, plan.Int(int64(i))}, T: f.Type, Null: true}, f.Type
	}
	return e
}

// curveBounds samples the keys and gives the bounds of their parts in the form that curve_key takes.
func (st *statement) curveBounds(s *plan.Scan, keys []plan.Expr) (string, error) {
	next := plan.MaxID(s) + 1
	sample := &plan.Project{Input: s}
	if rows := s.Table.Rows(); rows > 2*curveSample {
		sample.Input = &plan.Sample{Input: s, Upper: float64(curveSample) / float64(rows), Seed: 42}
	}
	for i, k := range keys {
		sample.Exprs = append(sample.Exprs, &plan.Alias{Child: k, Names: []string{"k"}, ID: next + plan.ID(i)})
	}
	rows, err := st.collect(sample, 0)
	if err != nil {
		return "", err
	}
	texts := make([]string, len(keys))
	for i := range keys {
		values := make([]int64, len(rows))
		for k, row := range rows {
			values[k] = row[i].(int64)
		}
		slices.Sort(values)
		var raw []byte
		for p := 1; p < curveParts; p++ {
			if at := p * len(values) / curveParts; at > 0 && (len(raw) == 0 || values[at] != values[(p-1)*len(values)/curveParts]) {
				raw = binary.BigEndian.AppendUint64(raw, uint64(values[at]))
			}
		}
		texts[i] = hex.EncodeToString(raw)
	}
	return strings.Join(texts, ","), nil
}
