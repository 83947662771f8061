package ml

import (
	"encoding/csv"
	"encoding/json"
	"math"
	"os"
	"slices"
	"strconv"
	"testing"

	"millrace/operators/agg"
	"millrace/types"
	"millrace/vector"
	"millrace/vector/linalg"
)

// golden is testdata/logistic.json: see testdata/logistic.py, which makes it with Spark.
type golden struct {
	Numbers []string
	Flags   [][2]string
	Rows    int
	Cases   []goldenCase
}

type goldenCase struct {
	Name         string
	Params       map[string]any
	NumClasses   int
	Coefficients [][]float64
	Intercepts   []float64
	History      []float64
	Iterations   int
	Accuracy     float64
	AreaUnderROC float64
	Predictions  [][]any
}

// loans are the columns that logistic.py makes, by name, and the features.
type loans struct {
	features [][]float64
	columns  map[string][]float64
}

func readGolden(t *testing.T) *golden {
	t.Helper()
	text, err := os.ReadFile("testdata/logistic.json")
	if err != nil {
		t.Fatal(err)
	}
	g := &golden{}
	if err := json.Unmarshal(text, g); err != nil {
		t.Fatal(err)
	}
	return g
}

func readLoans(t *testing.T, g *golden) *loans {
	t.Helper()
	f, err := os.Open("../data/lending_club.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	at := map[string]int{}
	for i, name := range rows[0] {
		at[name] = i
	}
	number := func(row []string, name string) float64 {
		x, err := strconv.ParseFloat(row[at[name]], 64)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	is := func(row []string, name, value string) float64 {
		if row[at[name]] == value {
			return 1
		}
		return 0
	}
	l := &loans{columns: map[string][]float64{}}
	for _, row := range rows[1:] {
		var x []float64
		for _, name := range g.Numbers {
			x = append(x, number(row, name))
		}
		for _, flag := range g.Flags {
			x = append(x, is(row, flag[0], flag[1]))
		}
		l.features = append(l.features, append(x, 3))
		l.columns["label"] = append(l.columns["label"], is(row, "Class", "bad"))
		l.columns["status"] = append(l.columns["status"], 2*is(row, "verification_status", "Verified")+is(row, "verification_status", "Source_Verified"))
		l.columns["weight"] = append(l.columns["weight"], math.Mod(number(row, "inq_last_6mths"), 3))
	}
	if len(l.features) != g.Rows {
		t.Fatalf("%d loans, recorded were %d", len(l.features), g.Rows)
	}
	return l
}

// batch is the loans as a column of vectors, every second one sparse.
func (l *loans) batch() *vector.Vector {
	v := vector.NewEmpty(types.VectorUDT)
	v.Len = len(l.features)
	w := linalg.NewWriter(v)
	for i, x := range l.features {
		if i%2 == 0 {
			copy(w.Dense(i, len(x)), x)
			continue
		}
		indices, values := w.Sparse(i, len(x), linalg.NonZeros(x))
		for j, p := 0, 0; j < len(x); j++ {
			if x[j] != 0 {
				indices[p], values[p] = int32(j), x[j]
				p++
			}
		}
	}
	w.Close()
	return v
}

// reduce computes an aggregate over columns in batches of some rows.
func reduce(t *testing.T, name string, options map[string]string, cols ...*vector.Vector) []float64 {
	t.Helper()
	out := types.ArrayOf(types.Double, false)
	c := &agg.Call{Name: name, Out: out, Opts: options}
	f, err := agg.New(c)
	if err != nil {
		t.Fatal(err)
	}
	f.Resize(1)
	for from := 0; from < cols[0].Len; from += 1000 {
		n := min(1000, cols[0].Len-from)
		in := &agg.Input{N: n}
		for _, v := range cols {
			in.Args = append(in.Args, vector.Slice(v, from, n))
		}
		if err := f.Update(in); err != nil {
			t.Fatal(err)
		}
	}
	v := vector.NewEmpty(out)
	if err := f.Result(v, 0, 1); err != nil {
		t.Fatal(err)
	}
	return vector.Values[float64](v.Children[0])
}

func (c *goldenCase) number(name string, fallback float64) float64 {
	if x, ok := c.Params[name].(float64); ok {
		return x
	}
	return fallback
}

func (c *goldenCase) is(name string, fallback bool) bool {
	if b, ok := c.Params[name].(bool); ok {
		return b
	}
	return fallback
}

func (c *goldenCase) text(name, fallback string) string {
	if s, ok := c.Params[name].(string); ok {
		return s
	}
	return fallback
}

// TestLogisticTrainsAsSpark fits the loans by every recorded setting.
func TestLogisticTrainsAsSpark(t *testing.T) {
	g := readGolden(t)
	l := readLoans(t, g)
	features := l.batch()
	for i := range g.Cases {
		c := &g.Cases[i]
		t.Run(c.Name, func(t *testing.T) {
			weights := make([]float64, g.Rows)
			for i := range weights {
				weights[i] = 1
			}
			if name := c.text("weightCol", ""); name != "" {
				weights = l.columns[name]
			}
			label := vector.FromSlice(types.Double, l.columns[c.text("labelCol", "label")])
			weight := vector.FromSlice(types.Double, weights)
			task := &logisticTask{
				features:  featureSummaryOf(reduce(t, "ml_features", map[string]string{"finite": "true"}, features, weight)),
				histogram: make([]float64, c.NumClasses), sets: len(c.Coefficients), softmax: len(c.Coefficients) > 1,
				regParam: c.number("regParam", 0), elasticNet: c.number("elasticNetParam", 0), tolerance: 1e-6, maxIter: int(c.number("maxIter", 100)),
				intercept: c.is("fitIntercept", true), standardize: c.is("standardization", true),
			}
			counts := reduce(t, "ml_labels", map[string]string{"limit": "100"}, label, weight)
			for i := 0; i < len(counts); i += 3 {
				task.histogram[int(counts[i])] = counts[i+2]
			}
			task.sums = func(coefficients []float64) (*logisticSums, error) {
				return sumsOf(reduce(t, "ml_logistic", map[string]string{"classes": strconv.Itoa(task.sets), "softmax": strconv.FormatBool(task.softmax), "coefficients": linalg.Text(coefficients)},
					features, label, weight), task.sets), nil
			}
			fit, err := task.train()
			if err != nil {
				t.Fatal(err)
			}
			near(t, "history", fit.history, c.History, 1e-10)
			near(t, "coefficients", fit.coefficients, slices.Concat(c.Coefficients...), 1e-7)
			near(t, "intercepts", fit.intercepts, c.Intercepts, 1e-7)
		})
	}
}

// near compares within a relative distance.
func near(t *testing.T, what string, got, want []float64, within float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d values, Spark has %d", what, len(got), len(want))
		return
	}
	worst, at := 0.0, 0
	for i := range got {
		d := math.Abs(got[i]-want[i]) / max(math.Abs(want[i]), 1e-12)
		if got[i] == want[i] {
			d = 0
		}
		if d > worst {
			worst, at = d, i
		}
	}
	if worst > within {
		t.Errorf("%s %d: %v, Spark has %v (%.2g apart)", what, at, got[at], want[at], worst)
	} else {
		t.Logf("%s within %.2g", what, worst)
	}
}
