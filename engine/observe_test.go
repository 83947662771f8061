package engine_test

import (
	"fmt"
	"testing"

	"millrace/plan"
)

// What passes an observation is counted once, however the query runs, whatever is left out above it.
func TestObserve(t *testing.T) {
	for i, s := range setups {
		if testing.Short() && i > 3 {
			break
		}
		t.Run(s.String(), func(t *testing.T) { observes(t, newCluster(t, s)) })
	}
}

func observes(t *testing.T, c *cluster) {
	s := c.session()
	mustAll(t, s, "CREATE TABLE seen (id INT, k STRING) USING delta", "INSERT INTO seen SELECT id, concat('k', id % 7) FROM range(3000)",
		"INSERT INTO seen SELECT id, null FROM range(3000, 5000)")
	metrics := func(aggregates ...string) []plan.Expr {
		return asOfParsed(t, s, "SELECT "+aggregates[0]+" FROM seen").(*plan.Project).Exprs
	}
	table := &plan.UnresolvedRelation{Parts: []string{"seen"}}
	first := &plan.Observe{Input: table, Name: "first", PlanID: 1, Metrics: metrics("count(1) AS n, sum(id) + 1 AS total, count(k) AS k, max(k) AS last, 5 AS five")}
	second := &plan.Observe{Input: &plan.Filter{Input: first, Condition: asOfCall("<", asOfColumn("id"), plan.Int(1000))}, Name: "second", PlanID: 2, Metrics: metrics("count(1) AS n")}
	const wantFirst, wantSecond = "first n=5000 total=12497501 k=3000 last=k6 five=5", "second n=1000"
	for what, n := range map[string]plan.Node{
		"all":        second,
		"aggregated": &plan.Aggregate{Input: second, Exprs: []plan.Expr{asOfCall("count", plan.Int(1))}},
		"filtered":   &plan.Filter{Input: second, Condition: asOfCall("<", asOfColumn("id"), plan.Int(0))},
		"joined":     &plan.Join{Left: second, Right: second, Using: []string{"id"}},
		"sorted":     &plan.Sort{Input: second, Keys: []*plan.SortOrder{{Child: asOfColumn("k")}, {Child: asOfColumn("id")}}},
		"by range":   &plan.Repartition{Input: second, N: 3, Shuffle: true, Ranges: []*plan.SortOrder{{Child: asOfColumn("id")}}},
		"written":    &plan.Write{Input: second, Format: "delta", Path: c.dir + "/out", Mode: plan.SaveOverwrite},
		"forgotten":  &plan.Write{Input: second, Format: "noop", Mode: plan.SaveOverwrite},
	} {
		r, err := c.engine.Execute(t.Context(), s, n)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		for {
			b, err := r.Next(t.Context())
			if err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			if b == nil {
				break
			}
			b.Release()
		}
		got := map[string]bool{}
		for _, o := range r.Metrics().Observed {
			text := o.Name
			for i, k := range o.Keys {
				text += fmt.Sprintf(" %s=%v", k, o.Values[i].Value)
			}
			got[text] = true
		}
		r.Close()
		if len(got) != 2 || !got[wantFirst] || !got[wantSecond] {
			t.Errorf("%s: observed %v", what, got)
		}
	}
	for wrong, metric := range map[string]string{"NON_AGGREGATE_FUNC_ARG_IS_ATTRIBUTE": "id", "AGGREGATE_EXPRESSION_WITH_DISTINCT_UNSUPPORTED": "count(DISTINCT id)",
		"AGGREGATE_EXPRESSION_WITH_FILTER_UNSUPPORTED": "count(1) FILTER (WHERE id > 3)", "NON_AGGREGATE_FUNC_ARG_IS_NON_DETERMINISTIC": "rand()",
		"WINDOW_EXPRESSIONS_UNSUPPORTED": "sum(id) OVER (PARTITION BY k)"} {
		if _, err := c.engine.Execute(t.Context(), s, &plan.Observe{Input: table, Name: "o", Metrics: metrics(metric)}); condition(err) != "INVALID_OBSERVED_METRICS."+wrong {
			t.Errorf("%s: %v", metric, err)
		}
	}
	again := &plan.Observe{Input: first, Name: "first", PlanID: 3, Metrics: metrics("max(id)")}
	if _, err := c.engine.Execute(t.Context(), s, again); condition(err) != "DUPLICATED_METRICS_NAME" {
		t.Errorf("a name twice: %v", err)
	}
}

// Frequent items, transposed rows and ranges are Spark's.
func TestReshaped(t *testing.T) {
	c := newCluster(t, setup{4, true, plenty, false})
	s := c.session()
	numbers := asOfParsed(t, s, "SELECT id % 7 AS x, id AS y, if(id % 2 = 0, 5, id) AS z FROM range(0, 100, 1, 1)")
	if got := rowsOfNode(t, c, s, &plan.Stat{Input: numbers, Name: "freqItems", Cols: []string{"x", "y"}, Args: []any{0.1}}); len(got) != 1 || got[0] != "[0, 1, 2, 3, 4, 5, 6] | [99]" {
		t.Errorf("frequent items %q", got)
	}
	if got := rowsOfNode(t, c, s, &plan.Stat{Input: numbers, Name: "freqItems", Cols: []string{"x", "z"}, Args: []any{0.3}}); len(got) != 1 || got[0] != "[] | [5, 99]" {
		t.Errorf("frequent items %q", got)
	}
	rows := asOfParsed(t, s, "SELECT * FROM VALUES (3, 1, 2.5D), (10, 2, null), (2, 3, 4.5D), (null, 7, 7D) AS t(k, v, w)")
	r, err := c.engine.Execute(t.Context(), s, &plan.Stat{Input: rows, Name: "transpose"})
	if err != nil {
		t.Fatal(err)
	}
	names := r.Schema().Names()
	r.Close()
	if fmt.Sprint(names) != "[key 2 3 10]" {
		t.Errorf("columns %q", names)
	}
	if got := rowsOfNode(t, c, s, &plan.Stat{Input: rows, Name: "transpose"}); fmt.Sprintf("%q", got) != `["v | 3.0 | 1.0 | 2.0" "w | 4.5 | 2.5 | NULL"]` {
		t.Errorf("transposed %q", got)
	}
	part := asOfCall("spark_partition_id")
	cut := &plan.Repartition{Input: numbers, N: 4, Shuffle: true, Ranges: []*plan.SortOrder{{Child: asOfColumn("y"), Desc: true}}}
	placed := &plan.Project{Input: cut, Exprs: []plan.Expr{&plan.Alias{Child: part, Names: []string{"p"}}, asOfColumn("y")}}
	counted := &plan.Aggregate{Input: placed, Groups: []plan.Expr{asOfColumn("p")}, DataFrame: true, Exprs: []plan.Expr{asOfCall("min", asOfColumn("y")), asOfCall("count", plan.Int(1))}}
	sorted := &plan.Sort{Input: counted, Keys: []*plan.SortOrder{{Child: asOfColumn("p")}}}
	if got := rowsOfNode(t, c, s, sorted); fmt.Sprintf("%q", got) != `["0 | 75 | 25" "1 | 50 | 25" "2 | 25 | 25" "3 | 0 | 25"]` {
		t.Errorf("ranges %q", got)
	}
	if _, err := c.engine.Execute(t.Context(), s, &plan.Write{Input: numbers, Format: "noop", Mode: plan.SaveErrorIfExists}); condition(err) != "UNSUPPORTED_DATA_SOURCE_SAVE_MODE" {
		t.Errorf("noop: %v", err)
	}
}
