package expr

import (
	"millrace/errs"
	"millrace/types"
	"millrace/vector"
)

func init() {
	Register("ml_index", Func{Build: func(c *Call) (Kernel, error) {
		t, err := newLabelTable(c)
		if err != nil {
			return nil, err
		}
		keep := c.Options["invalid"] == "keep"
		return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
			return t.index(args[0], sel, n, keep, out)
		}, nil
	}})
	Register("ml_known", Func{Build: func(c *Call) (Kernel, error) {
		t, err := newLabelTable(c)
		if err != nil {
			return nil, err
		}
		return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
			known := vector.Values[bool](out)
			t.places(args[0], sel, n, func(i int, place int32) { known[i] = place >= 0 })
			return nil
		}, nil
	}})
	Register("ml_label", Func{Strict: true, Build: buildLabel})
}

// udfFailed is the error of a function of Spark ML that runs as a user-defined one.
func udfFailed(function, signature string, result *types.Type, reason string) error {
	return errs.New("FAILED_EXECUTE_UDF", "functionName", "`"+function+"`", "signature", signature, "result", result.String(), "reason", reason)
}

// labelTable finds strings in a list of labels.
type labelTable struct {
	n     int // labels
	of    map[string]int32
	dict  *vector.Vector // whose entries' places are in codes
	codes []int32
}

const (
	unknownLabel = -1
	nullLabel    = -2
)

// newLabelTable reads the labels, the call's second argument.
func newLabelTable(c *Call) (*labelTable, error) {
	labels := constStrings(c, 1)
	if labels == nil {
		return nil, noKernel(c)
	}
	t := &labelTable{n: len(labels), of: make(map[string]int32, len(labels))}
	for i, s := range labels {
		if _, twice := t.of[s]; !twice {
			t.of[s] = int32(i)
		}
	}
	return t, nil
}

// constStrings is an argument that is a constant array of strings, not nil; nil when it is not.
func constStrings(c *Call, i int) []string {
	if i >= len(c.Consts) || c.Consts[i] == nil || c.Args[i].Kind != types.KindArray {
		return nil
	}
	v := c.Consts[i]
	list := make([]string, 0, v.Children[0].Len)
	for k := v.Offsets[0]; k < v.Offsets[1]; k++ {
		list = append(list, string(v.Children[0].Str(int(k))))
	}
	return list
}

func (t *labelTable) place(s []byte) int32 {
	if p, ok := t.of[string(s)]; ok {
		return p
	}
	return unknownLabel
}

// places calls f with the place of each row's string, unknownLabel or nullLabel. Each entry of a dictionary is looked up once.
func (t *labelTable) places(v *vector.Vector, sel []uint32, n int, f func(i int, place int32)) {
	if v.Type.Kind == types.KindNull || v.Const && v.IsNull(0) {
		Rows(sel, n, func(i int) { f(i, nullLabel) })
		return
	}
	if v.Dict == nil {
		Rows(sel, n, func(i int) {
			if v.Valid != nil && !v.Valid.Get(v.Row(i)) {
				f(i, nullLabel)
			} else {
				f(i, t.place(v.Str(i)))
			}
		})
		return
	}
	t.learn(v.Dict)
	codes := vector.Codes(v)
	Rows(sel, n, func(i int) {
		i0 := v.Row(i)
		if v.Valid != nil && !v.Valid.Get(i0) {
			f(i, nullLabel)
		} else {
			f(i, t.codes[codes[i0]])
		}
	})
}

func (t *labelTable) learn(d *vector.Vector) {
	if t.dict == d && len(t.codes) == d.Len {
		return
	}
	t.dict, t.codes = d, make([]int32, d.Len)
	for i := range t.codes {
		if t.codes[i] = nullLabel; !d.IsNull(i) {
			t.codes[i] = t.place(d.Str(i))
		}
	}
}

// index writes places as doubles; what has none becomes the number of labels, or fails.
func (t *labelTable) index(v *vector.Vector, sel []uint32, n int, keep bool, out *vector.Vector) error {
	values, bad := vector.Values[float64](out), -1
	t.places(v, sel, n, func(i int, place int32) {
		if place < 0 {
			if !keep && bad < 0 {
				bad = i
			}
			place = int32(t.n)
		}
		values[i] = float64(place)
	})
	switch {
	case bad < 0:
		return nil
	case v.IsNull(bad):
		return udfFailed("StringIndexerModel", "string", types.Double, "org.apache.spark.SparkException: StringIndexer encountered NULL value. "+
			"To handle or skip NULLS, try setting StringIndexer.handleInvalid.")
	}
	return udfFailed("StringIndexerModel", "string", types.Double, "org.apache.spark.SparkException: Unseen label: "+string(v.Str(bad))+
		". To handle unseen labels, set Param handleInvalid to keep.")
}

// buildLabel is IndexToString: the label at a place that is given as a double.
func buildLabel(c *Call) (Kernel, error) {
	list := constStrings(c, 1)
	if list == nil {
		return nil, noKernel(c)
	}
	labels := make([][]byte, len(list))
	for i, s := range list {
		labels[i] = []byte(s)
	}
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		in := plainNested(args[0])
		places, mask := vector.Values[float64](in), stride(in)
		w := NewStringWriter(out, n)
		err := RowsErr(sel, n, func(i int) error {
			place := int(places[i&mask])
			if place < 0 || place >= len(labels) {
				return errs.New("USER_RAISED_EXCEPTION", "errorMessage", "Unseen index: "+itoa(int64(place))+" ??")
			}
			w.Append(i, labels[place])
			return nil
		})
		w.Close()
		return err
	}, nil
}
