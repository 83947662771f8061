package ml

import (
	"encoding/json"
	"math"
	"reflect"
	"testing"
	"time"

	"millrace/errs"
	"millrace/types"
)

// TestBinaryMetrics holds curves against those counted by hand.
func TestBinaryMetrics(t *testing.T) {
	m := newBinaryMetrics([]float64{0.3, 0.9, 0.5, 0.6}, []float64{0, 1, 1, 0}, []float64{1, 0, 0, 1}, 1000)
	if want := []float64{0.9, 0.6, 0.5, 0.3}; !reflect.DeepEqual(m.Thresholds, want) {
		t.Errorf("thresholds %v, want %v", m.Thresholds, want)
	}
	if a := m.AreaUnderROC(); a != 0.75 {
		t.Errorf("area under ROC %v", a)
	}
	if a := Area(m.PR()); math.Abs(a-0.7916666666666666) > 1e-15 {
		t.Errorf("area under PR %v", a)
	}
	if a := newBinaryMetrics(nil, nil, nil, 10).AreaUnderROC(); a != 0.5 {
		t.Errorf("area of nothing %v", a)
	}
	nan := newBinaryMetrics([]float64{1, math.NaN()}, []float64{1, 0}, []float64{0, 1}, 0)
	if !math.IsNaN(nan.Thresholds[0]) || nan.AreaUnderROC() != 0 {
		t.Error("NaN is not the greatest score")
	}
}

// TestBins gathers 25 scores into groups of 25/10 = 2; the last one is what is left.
func TestBins(t *testing.T) {
	scores, ones, zeros := make([]float64, 25), make([]float64, 25), make([]float64, 25)
	for i := range scores {
		scores[i], ones[i] = float64(i), 1
	}
	m := newBinaryMetrics(scores, ones, zeros, 10)
	if len(m.Thresholds) != 13 || m.Thresholds[0] != 23 || m.Thresholds[12] != 0 || m.Positives[12] != 25 {
		t.Errorf("bins %v", m.Thresholds)
	}
	if all := newBinaryMetrics(scores, ones, zeros, 20); len(all.Thresholds) != 25 {
		t.Errorf("%d bins, want each score", len(all.Thresholds))
	}
}

func TestConfusion(t *testing.T) {
	x := &Confusion{cells: map[[2]float64]float64{{1, 1}: 1, {1, 0}: 1, {2, 2}: 1, {0, 0}: 1, {0, 1}: 1}, Labels: []float64{0, 1, 2},
		label: map[float64]float64{0: 2, 1: 2, 2: 1}, pred: map[float64]float64{0: 2, 1: 2, 2: 1}, total: 5}
	for _, c := range []struct {
		name string
		want float64
	}{{"f1", 0.6}, {"accuracy", 0.6}, {"weightedFalsePositiveRate", 0.26666666666666666}, {"falsePositiveRateByLabel", 1.0 / 3}, {"hammingLoss", 0.4}} {
		p, err := NewParams(classes["org.apache.spark.ml.evaluation.MulticlassClassificationEvaluator"], "e", map[string]any{"metricName": c.name})
		if err != nil {
			t.Fatal(err)
		}
		if got := x.metric(p); math.Abs(got-c.want) > 1e-15 {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// TestAttributes writes metadata and reads it again.
func TestAttributes(t *testing.T) {
	a := Attr{Type: "nominal", Name: "x", Index: -1, Vals: []string{"a", `"b"`}, Ordinal: true}
	if got := AttrOf(types.Field{Metadata: a.Metadata()}); got == nil || !reflect.DeepEqual(*got, a) {
		t.Errorf("%+v, want %+v", got, a)
	}
	g := AttrGroup{Size: 3, Attrs: []Attr{{Type: "binary", Name: "u", Index: 0}, {Type: "numeric", Name: "v", Index: 1}, {Type: "binary", Name: "w", Index: 2}}}
	if got := GroupOf(types.Field{Metadata: g.Metadata()}); !reflect.DeepEqual(got, g) {
		t.Errorf("%+v, want %+v", got, g)
	}
	if got := GroupOf(types.Field{Metadata: AttrGroup{Size: 4}.Metadata()}); got.Size != 4 || got.Attrs != nil {
		t.Errorf("%+v, want a size of 4", got)
	}
	if AttrOf(types.Field{Metadata: g.Metadata()}) != nil || GroupOf(types.Field{}).Size != -1 {
		t.Error("metadata of another kind was read")
	}
}

// TestParameters checks, defaults and the forms on disk.
func TestParameters(t *testing.T) {
	k := classes[bucketizerName]
	p, err := NewParams(k, "b_1", map[string]any{"splits": []any{math.Inf(-1), int64(0), 2.5, math.Inf(1)}, "inputCol": "x"})
	if err != nil {
		t.Fatal(err)
	}
	if p.String("outputCol") != "b_1__output" || p.String("handleInvalid") != "error" || p.IsSet("outputCol") {
		t.Error("defaults are wrong")
	}
	for name, v := range map[string]any{"splits": []any{1.0, 0.0, 2.0}, "handleInvalid": "never", "inputCol": int64(1), "nothing": "x"} {
		if _, err := p.With(map[string]any{name: v}); !errs.Is(err, errs.Invalid) {
			t.Errorf("%s = %v was taken: %v", name, v, err)
		}
	}
	text, err := p.metadata(nil, time.UnixMilli(0))
	if err != nil {
		t.Fatal(err)
	}
	var meta map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &meta); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	again, err := fromMetadata(k, "b_1", meta)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(again.set, p.set) {
		t.Errorf("%v came back as %v", p.set, again.set)
	}
}

// TestDefaults makes every class's defaults: one of another type than its parameter's would panic.
func TestDefaults(t *testing.T) {
	for _, name := range Classes() {
		k := classes[name]
		for i := range k.Params {
			v := k.Params[i].value("u")
			if v != nil && k.Params[i].Valid != nil && !k.Params[i].Valid(v) {
				t.Errorf("%s: the default of %s is not valid", name, k.Params[i].Name)
			}
		}
		if k.Kind == Estimator && (classes[k.Model] == nil || classes[k.Model].Kind != ModelClass) {
			t.Errorf("%s makes models of the class %s, which there is not", name, k.Model)
		}
	}
}

func TestSplits(t *testing.T) {
	inf := math.Inf(1)
	for _, c := range []struct{ quantiles, want []float64 }{
		{[]float64{1, 2, 2, 3}, []float64{-inf, 2, inf}},
		{nil, []float64{-inf, inf}},
		{[]float64{-1, 0, 5, 9}, []float64{-inf, 0, 5, inf}},
	} {
		if got := distinctSplits(c.quantiles); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%v gives %v, want %v", c.quantiles, got, c.want)
		}
	}
}
