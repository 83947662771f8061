package ml

import (
	"math"
	"slices"

	"millrace/errs"
	"millrace/plan"
	"millrace/types"
	"millrace/vector"
)

// BinaryMetrics are the counts of a binary classification by descending score: Spark's BinaryClassificationMetrics.
type BinaryMetrics struct {
	// Thresholds are scores, descending. Positives and Negatives are the weights of rows whose score is at least the threshold.
	Thresholds, Positives, Negatives []float64
	// AllPositives and AllNegatives are the weights of all rows.
	AllPositives, AllNegatives float64
}

// ReadBinaryMetrics counts the rows of a relation. score, label and weight give doubles; a nil weight is 1. With bins above 0 the
// distinct scores, if they are at least twice as many, are gathered in order into about as many groups of equal numbers.
func ReadBinaryMetrics(c *Context, data plan.Node, score, label, weight plan.Expr, bins int) (*BinaryMetrics, error) {
	if weight == nil {
		weight = &plan.Literal{Value: 1.0, T: types.Double}
	}
	zero := &plan.Literal{Value: 0.0, T: types.Double}
	positive := plan.Fn(">", Ref("label"), &plan.Literal{Value: 0.5, T: types.Double})
	named := func(name string, e plan.Expr) plan.Expr { return &plan.Alias{Child: e, Names: []string{name}} }
	rows := &plan.Project{Input: data, Exprs: []plan.Expr{named("score", score), named("label", label), named("weight", weight)}}
	unknown := plan.Fn("or", plan.Fn("isnull", Ref("score")), plan.Fn("isnull", Ref("label")), plan.Fn("isnull", Ref("weight")))
	b, err := c.Collect(Grouped(rows, []plan.Expr{Ref("score")},
		named("positives", plan.Fn("sum", plan.Fn("if", positive, Ref("weight"), zero))),
		named("negatives", plan.Fn("sum", plan.Fn("if", positive, zero, Ref("weight")))),
		named("nulls", plan.Fn("count_if", unknown))))
	if err != nil {
		return nil, err
	}
	for _, n := range vector.Values[int64](b.Cols[3])[:b.N] {
		if n > 0 {
			return nil, errs.Newf(errs.Invalid, "A score, label or weight is null in %d rows: remove these rows before the evaluation.", n)
		}
	}
	return newBinaryMetrics(vector.Values[float64](b.Cols[0])[:b.N], vector.Values[float64](b.Cols[1])[:b.N], vector.Values[float64](b.Cols[2])[:b.N], bins), nil
}

// newBinaryMetrics orders counts by distinct scores.
func newBinaryMetrics(scores, positives, negatives []float64, bins int) *BinaryMetrics {
	type counted struct{ score, positives, negatives float64 }
	order := make([]counted, len(scores))
	for i, x := range scores {
		order[i] = counted{x, positives[i], negatives[i]}
	}
	slices.SortFunc(order, func(a, b counted) int { return descending(a.score, b.score) })
	group := 1
	if bins > 0 && len(scores)/bins >= 2 {
		group = len(scores) / bins
	}
	m := &BinaryMetrics{}
	for k, c := range order {
		m.AllPositives += c.positives
		m.AllNegatives += c.negatives
		if (k+1)%group == 0 || k == len(order)-1 {
			m.Thresholds = append(m.Thresholds, c.score)
			m.Positives, m.Negatives = append(m.Positives, m.AllPositives), append(m.Negatives, m.AllNegatives)
		}
	}
	return m
}

// descending orders scores as Java does, the greatest first: NaN is greater than all others.
func descending(a, b float64) int {
	switch {
	case a > b || math.IsNaN(a) && !math.IsNaN(b):
		return -1
	case a < b || math.IsNaN(b) && !math.IsNaN(a):
		return 1
	}
	return 0
}

// Point is a point of a curve.
type Point struct{ X, Y float64 }

func part(x, all float64) float64 {
	if all == 0 {
		return 0
	}
	return x / all
}

// ROC is the receiver operating characteristic: false against true positive rates, from (0, 0) to (1, 1).
func (m *BinaryMetrics) ROC() []Point {
	points := make([]Point, 0, len(m.Thresholds)+2)
	points = append(points, Point{})
	for i := range m.Thresholds {
		points = append(points, Point{part(m.Negatives[i], m.AllNegatives), part(m.Positives[i], m.AllPositives)})
	}
	return append(points, Point{1, 1})
}

// Precision is the part of the rows at or above threshold i that are positive.
func (m *BinaryMetrics) Precision(i int) float64 {
	if m.Positives[i]+m.Negatives[i] == 0 {
		return 1
	}
	return m.Positives[i] / (m.Positives[i] + m.Negatives[i])
}

// Recall is the part of the positive rows that are at or above threshold i.
func (m *BinaryMetrics) Recall(i int) float64 { return part(m.Positives[i], m.AllPositives) }

// FMeasure is the weighted harmonic mean of precision and recall at threshold i.
func (m *BinaryMetrics) FMeasure(i int, beta float64) float64 {
	p, r := m.Precision(i), m.Recall(i)
	if p+r == 0 {
		return 0
	}
	return (1 + beta*beta) * (p * r) / (beta*beta*p + r)
}

// PR is recall against precision, beginning at recall 0 with the first precision.
func (m *BinaryMetrics) PR() []Point {
	var points []Point
	for i := range m.Thresholds {
		if i == 0 {
			points = append(points, Point{0, m.Precision(0)})
		}
		points = append(points, Point{m.Recall(i), m.Precision(i)})
	}
	return points
}

// Area is the area below a curve by the trapezoid rule.
func Area(points []Point) float64 {
	a := 0.0
	for i := 1; i < len(points); i++ {
		p, q := points[i-1], points[i]
		a += (q.X - p.X) * (q.Y + p.Y) / 2
	}
	return a
}

// AreaUnderROC is the area under the receiver operating characteristic.
func (m *BinaryMetrics) AreaUnderROC() float64 { return Area(m.ROC()) }
