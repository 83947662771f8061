package ml

import (
	"encoding/json"
	"math"
	"sort"
	"strconv"
	"strings"
	"time"

	"millrace/errs"
	"millrace/vector/linalg"
)

// metadata is the line of JSON that describes an object on disk.
func (p *Params) metadata(extra map[string]json.RawMessage, now time.Time) (string, error) {
	defaults := map[string]any{}
	for i := range p.Class.Params {
		d := &p.Class.Params[i]
		if v := d.value(p.UID); v != nil {
			defaults[d.Name] = v
		}
	}
	var b strings.Builder
	b.WriteString(`{"class":` + quote(p.Class.Name) + `,"timestamp":` + strconv.FormatInt(now.UnixMilli(), 10) + `,"sparkVersion":"` + sparkVersion +
		`","uid":` + quote(p.UID) + `,"paramMap":` + jsonMap(p.set) + `,"defaultParamMap":` + jsonMap(defaults))
	for _, name := range sortedKeys(extra) {
		b.WriteString("," + quote(name) + ":" + string(extra[name]))
	}
	return b.String() + "}", nil
}

func sortedKeys[T any](m map[string]T) []string {
	names := make([]string, 0, len(m))
	for n := range m {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

func quote(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

func jsonMap(m map[string]any) string {
	var parts []string
	for _, name := range sortedKeys(m) {
		parts = append(parts, quote(name)+":"+jsonValue(m[name]))
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// jsonValue writes a parameter's value as Spark's parameters read it: doubles always with a point or exponent.
func jsonValue(v any) string {
	switch v := v.(type) {
	case string:
		return quote(v)
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return jsonDouble(v)
	case []string:
		return jsonList(v, quote)
	case []int64:
		return jsonList(v, func(n int64) string { return strconv.FormatInt(n, 10) })
	case []float64:
		return jsonList(v, jsonDouble)
	case [][]float64:
		return jsonList(v, func(row []float64) string { return jsonList(row, jsonDouble) })
	case linalg.Vector:
		if v.Indices == nil {
			return `{"class":"vector","type":1,"values":` + jsonList(v.Values, jsonDouble) + "}"
		}
		return `{"class":"vector","type":0,"size":` + strconv.Itoa(v.Size) + `,"indices":` +
			jsonList(v.Indices, func(n int32) string { return strconv.Itoa(int(n)) }) + `,"values":` + jsonList(v.Values, jsonDouble) + "}"
	case linalg.Matrix:
		return jsonMatrix(v)
	}
	return "null"
}

func jsonMatrix(m linalg.Matrix) string {
	ints := func(list []int32) string { return jsonList(list, func(n int32) string { return strconv.Itoa(int(n)) }) }
	head := `{"class":"matrix","type":1,"numRows":` + strconv.Itoa(m.Rows) + `,"numCols":` + strconv.Itoa(m.Cols)
	if m.ColPtrs != nil {
		head = strings.Replace(head, `"type":1`, `"type":0`, 1) + `,"colPtrs":` + ints(m.ColPtrs) + `,"rowIndices":` + ints(m.RowIndices)
	}
	return head + `,"values":` + jsonList(m.Values, jsonDouble) + `,"isTransposed":` + strconv.FormatBool(m.Transposed) + "}"
}

func jsonList[T any](list []T, each func(T) string) string {
	parts := make([]string, len(list))
	for i, x := range list {
		parts[i] = each(x)
	}
	return "[" + strings.Join(parts, ",") + "]"
}

func jsonDouble(x float64) string {
	switch {
	case math.IsNaN(x):
		return `"NaN"`
	case math.IsInf(x, 1):
		return `"Inf"`
	case math.IsInf(x, -1):
		return `"-Inf"`
	}
	return showDouble(x)
}

// showDouble writes a double as Java does.
func showDouble(x float64) string {
	switch abs := math.Abs(x); {
	case math.IsNaN(x):
		return "NaN"
	case math.IsInf(x, 1):
		return "Infinity"
	case math.IsInf(x, -1):
		return "-Infinity"
	case abs == 0 || abs >= 1e-3 && abs < 1e7:
		s := strconv.FormatFloat(x, 'f', -1, 64)
		if !strings.Contains(s, ".") {
			s += ".0"
		}
		return s
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(x, 'e', -1, 64), "e")
	if !strings.Contains(mantissa, ".") {
		mantissa += ".0"
	}
	n, _ := strconv.Atoi(exponent)
	return mantissa + "E" + strconv.Itoa(n)
}

// showParam writes a value as messages do.
func showParam(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case float64:
		return showDouble(v)
	case []string:
		return "[" + strings.Join(v, ",") + "]"
	case []float64:
		return jsonList(v, showDouble)
	}
	return jsonValue(v)
}

// fromMetadata reads the parameters of saved metadata. Defaults are those that the class has here.
func fromMetadata(k *Class, uid string, meta map[string]json.RawMessage) (*Params, error) {
	var set map[string]any
	if err := json.Unmarshal(meta["paramMap"], &set); err != nil {
		return nil, errs.Newf(errs.Invalid, "the saved parameters of %s cannot be read: %v", uid, err)
	}
	values := map[string]any{}
	for name, v := range set {
		d := k.param(name)
		if d == nil {
			return nil, errs.Newf(errs.Invalid, "Param %s does not exist.", name)
		}
		x, ok := fromJSON(v, d.Type)
		if !ok {
			return nil, errs.Newf(errs.Invalid, "the saved value of the parameter %s of %s cannot be read", name, uid)
		}
		values[name] = x
	}
	return NewParams(k, uid, values)
}

// fromJSON brings what JSON holds into a form that coerce takes.
func fromJSON(v any, t ParamType) (any, bool) {
	switch v := v.(type) {
	case float64:
		if t == IntParam || t == LongParam || t == IntsParam {
			return int64(v), v == math.Trunc(v)
		}
		return v, true
	case string:
		if t == DoubleParam || t == FloatParam || t == DoublesParam || t == RowsParam {
			x, ok := map[string]float64{"NaN": math.NaN(), "Inf": math.Inf(1), "-Inf": math.Inf(-1)}[v]
			return x, ok
		}
		return v, true
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			var ok bool
			if out[i], ok = fromJSON(x, t); !ok {
				return nil, false
			}
		}
		return out, true
	case map[string]any:
		switch t {
		case VectorParam:
			return vectorFromJSON(v)
		case MatrixParam:
			return matrixFromJSON(v)
		}
		return nil, false
	}
	return v, v != nil
}

func vectorFromJSON(m map[string]any) (any, bool) {
	raw, err := json.Marshal(m)
	if err != nil {
		return nil, false
	}
	var v struct {
		Type, Size int
		Indices    []int32
		Values     []any
	}
	if json.Unmarshal(raw, &v) != nil {
		return nil, false
	}
	values, ok := fromJSON(v.Values, DoublesParam)
	if !ok {
		return nil, false
	}
	list, _ := coerce(values, DoublesParam)
	x := linalg.Vector{Size: v.Size, Indices: v.Indices, Values: list.([]float64)}
	if v.Type == 1 {
		x.Size, x.Indices = len(x.Values), nil
	}
	return x, true
}

func matrixFromJSON(m map[string]any) (any, bool) {
	raw, err := json.Marshal(m)
	if err != nil {
		return nil, false
	}
	var v struct {
		NumRows, NumCols    int
		ColPtrs, RowIndices []int32
		Values              []any
		IsTransposed        bool
	}
	if json.Unmarshal(raw, &v) != nil {
		return nil, false
	}
	values, ok := fromJSON(v.Values, DoublesParam)
	if !ok {
		return nil, false
	}
	list, _ := coerce(values, DoublesParam)
	return linalg.Matrix{Rows: v.NumRows, Cols: v.NumCols, ColPtrs: v.ColPtrs, RowIndices: v.RowIndices, Values: list.([]float64), Transposed: v.IsTransposed}, true
}
