package engine_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"millrace/engine"
	"millrace/errs"
	"millrace/plan"
	"millrace/plan/streaming"
	"millrace/session"
	"millrace/sql"
	"millrace/state"
	"millrace/types"
)

// numbers is a streaming source whose row i is made of the number i.
type numbers struct{ schema *types.Type }

func (numbers) Name() string          { return "numbers" }
func (n numbers) Schema() *types.Type { return n.schema }
func (numbers) Format() string        { return "numbers" }
func (numbers) Rows() int64           { return -1 }
func (numbers) SizeBytes() int64      { return -1 }
func (numbers) Streaming()            {}

const numbersRow = `SELECT if(pmod(hash(id, 'n1'), 7) = 0, null, concat('key', pmod(hash(id, 'k1'), 30))) AS k,
 cast(pmod(hash(id, 'k2'), 5) AS int) AS i, if(pmod(hash(id, 'n2'), 9) = 0, null, cast(pmod(hash(id, 'd'), 100000) / 100 AS decimal(12, 2))) AS d,
 if(pmod(hash(id, 'n3'), 9) = 0, null, pmod(hash(id, 'x'), 4000) / 4D) AS x, concat('text ', pmod(hash(id, 's'), 300)) AS s, id AS n,
 array(id % 3, null) AS a, pmod(hash(id, 'b'), 2) = 0 AS b`

// stream is a streaming query over numbers, driven batch by batch.
type stream struct {
	c        *cluster
	s        *session.Session
	query    string // over the table t
	mode     plan.OutputMode
	location string
	id, run  string
	parts    int
	ends     []int64 // of the batches so far, as row numbers
	late     int64
	evict    int64
	row      string
	metrics  session.Metrics
}

func newStream(c *cluster, query string, mode plan.OutputMode) *stream {
	return &stream{c: c, s: c.session(), query: query, mode: mode, location: filepath.Join(c.dir, "state"), id: uuid.NewString(), run: uuid.NewString(),
		parts: 3, late: plan.NoWatermark, evict: plan.NoWatermark, row: numbersRow}
}

// restart is a new run on a worker that remembers nothing.
func (q *stream) restart(t *testing.T) {
	q.run = uuid.NewString()
	q.c.giveStates(t)
}

func (c *cluster) giveStates(t *testing.T) {
	if c.runner.States != nil {
		c.runner.States.Close()
	}
	p, err := state.NewProvider(filepath.Join(t.TempDir(), "states"), state.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c.runner.States = p
}

func (q *stream) start(batch int) int64 {
	if batch == 0 {
		return 0
	}
	return q.ends[batch-1]
}

// batch runs a batch by its number and returns its rows.
func (q *stream) batch(batch int) ([]string, error) {
	rows, err := sql.ParseStatement(fmt.Sprintf("%s FROM range(%d, %d, 1, 2)", q.row, q.start(batch), q.ends[batch]))
	if err != nil {
		return nil, err
	}
	text, err := sql.ParseStatement(q.query)
	if err != nil {
		return nil, err
	}
	text, err = plan.Transform(text, func(n plan.Node) (plan.Node, error) {
		if u, ok := n.(*plan.UnresolvedRelation); ok && u.Parts[0] == "t" {
			return &plan.UnresolvedSource{Format: "numbers", Streaming: true}, nil
		}
		return n, nil
	})
	if err != nil {
		return nil, err
	}
	r, err := q.c.engine.Analyze(context.Background(), q.s, rows)
	if err != nil {
		return nil, err
	}
	sq := streaming.Query{Mode: q.mode, New: func(n plan.Node) bool { _, ok := n.(*plan.StreamScan); return ok }}
	res, err := q.c.engine.RunBatch(context.Background(), q.s, engine.MicroBatch{
		Query: text,
		Table: func(context.Context, *plan.UnresolvedSource) (plan.StreamTable, error) {
			return numbers{plan.Schema(r)}, nil
		},
		Span: func(plan.StreamTable) (plan.Node, error) { return rows, nil },
		Stateful: func(n plan.Resolved) (plan.Resolved, error) {
			if err := sq.Check(n); err != nil {
				return nil, err
			}
			m, err := sq.MicroBatch(n, streaming.Batch{Late: q.late, Evict: q.evict, State: plan.StateStore{Location: q.location, Query: q.id, Run: q.run,
				Version: int64(batch), Partitions: q.parts, SnapshotEvery: 3, Retain: 4, Input: fmt.Sprint(q.ends[batch])}})
			if err != nil {
				return nil, err
			}
			return m.(plan.Resolved), nil
		}})
	if err != nil {
		return nil, err
	}
	defer res.Close()
	var out []string
	for {
		rec, err := res.Next(context.Background())
		if err != nil {
			return nil, err
		}
		if rec == nil {
			q.metrics = res.Metrics()
			return out, nil
		}
		out = append(out, rowsOf(rec)...)
		rec.Release()
	}
}

// whole is what a query over all rows so far gives, sorted.
func (q *stream) whole(t *testing.T) []string {
	_, rows, err := query(q.s, strings.Replace(q.query, "FROM t", fmt.Sprintf("FROM (%s FROM range(0, %d, 1, 2)) t", q.row, q.ends[len(q.ends)-1]), 1))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(rows)
	return rows
}

const runningSums = `SELECT k, i, count(*), count(d), sum(d), sum(x), avg(d), avg(x), min(s), max(d), min(x), max(b), size(collect_list(s)),
 size(collect_set(s)), approx_count_distinct(s), percentile(i, 0.5), bit_xor(n), max_by(s, n), sum(n) + count(k) AS both, bool_or(b),
 round(stddev(x), 6), try_sum(i), count_if(b), max(a)
 FROM t GROUP BY k, i`

// TestRunningSumsAreTheWhole: after random micro-batches, with restarts on empty workers and with batches that run again, the result is that of
// one aggregation of all rows.
func TestRunningSumsAreTheWhole(t *testing.T) {
	for number, s := range setups {
		t.Run(s.String(), func(t *testing.T) {
			r := rand.New(rand.NewPCG(uint64(number), 5))
			c := newCluster(t, s)
			text := runningSums
			if s.memory == scarce { // a list is in memory whole
				text = strings.Replace(text, "size(collect_list(s)),\n size(collect_set(s)), approx_count_distinct(s), percentile(i, 0.5), ", "", 1)
			}
			q := newStream(c, text, []plan.OutputMode{plan.CompleteOutput, plan.UpdateOutput}[number%2])
			q.restart(t)
			defer func() { c.runner.States.Close() }()
			q.parts = 1 + r.IntN(4)
			latest, end := map[string]string{}, int64(0)
			for batch := range 9 {
				end += []int64{0, 1, 50, 400, 3000}[r.IntN(5)]
				q.ends = append(q.ends, end)
				for range 1 + r.IntN(2) { // the second time it is there already
					if r.IntN(4) == 0 {
						q.restart(t)
					}
					rows, err := q.batch(batch)
					if err != nil {
						t.Fatalf("batch %d: %v", batch, err)
					}
					if q.mode == plan.CompleteOutput {
						clear(latest)
					}
					for _, row := range rows {
						values := strings.SplitN(row, " | ", 3)
						latest[values[0]+" | "+values[1]] = row
					}
				}
				var got []string
				for _, row := range latest {
					got = append(got, row)
				}
				slices.Sort(got)
				if want := q.whole(t); !slices.Equal(got, want) {
					t.Fatalf("after batch %d, up to %d:\n%s\nand should be\n%s", batch, end, strings.Join(got, "\n"), strings.Join(want, "\n"))
				}
				if m := q.metrics.States; len(m) != 1 || m[0].Rows != int64(len(latest)) || m[0].Stores != int64(q.parts) {
					t.Fatalf("batch %d reports %+v for %d groups", batch, m, len(latest))
				}
			}
		})
	}
}

// TestStatefulShapes are other queries that keep state.
func TestStatefulShapes(t *testing.T) {
	for _, text := range []string{
		"SELECT sum(n), count(*), max(s) FROM t",
		"SELECT i, sum(d) AS d FROM t WHERE x > 100 GROUP BY i HAVING sum(n) > 10 ORDER BY d DESC",
		"SELECT i, k, count(*) FROM t GROUP BY ROLLUP (i, k)",
		"SELECT upper(k), count(*) AS c FROM t GROUP BY upper(k) ORDER BY c DESC, 1 LIMIT 3",
		"SELECT s.c, r.name FROM (SELECT i, count(*) AS c FROM t GROUP BY i) s JOIN VALUES (1, 'one'), (2, 'two') r(i, name) ON s.i = r.i",
		"SELECT s.c, r.name FROM (SELECT i, count(*) AS c FROM t GROUP BY i) s JOIN (SELECT 1 AS i, 'none' AS name WHERE rand(1) > 2) r ON s.i = r.i",
		"SELECT x, a, count(*) FROM t GROUP BY x, a",
		"SELECT window, i, sum(n) FROM t GROUP BY window(timestamp_micros(n * 1000000), '9 minutes', '4 minutes'), i",
	} {
		for _, s := range []setup{setups[1], setups[2]} {
			c := newCluster(t, s)
			q := newStream(c, text, plan.CompleteOutput)
			q.restart(t)
			for batch := range 4 {
				q.ends = append(q.ends, int64(700*batch+1))
				rows, err := q.batch(batch)
				if err != nil {
					t.Fatalf("%s: %v", text, err)
				}
				slices.Sort(rows)
				if want := q.whole(t); !slices.Equal(rows, want) {
					t.Fatalf("%s\nafter batch %d:\n%s\nand should be\n%s", text, batch, strings.Join(rows, "\n"), strings.Join(want, "\n"))
				}
			}
			c.runner.States.Close()
		}
	}
}

// TestManyKeysInLittleMemory has a state of more keys than the memory of the tasks holds.
func TestManyKeysInLittleMemory(t *testing.T) {
	c := newCluster(t, setups[3])
	q := newStream(c, "SELECT n % 20000 AS g, count(*) AS c, sum(n), max(s) FROM t GROUP BY n % 20000", plan.UpdateOutput)
	q.restart(t)
	defer func() { c.runner.States.Close() }()
	latest := map[string]string{}
	for batch := range 12 {
		q.ends = append(q.ends, int64(2500*(batch+1)))
		rows, err := q.batch(batch)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			latest[strings.SplitN(row, " | ", 2)[0]] = row
		}
		if batch == 6 {
			q.restart(t)
		}
	}
	var got []string
	for _, row := range latest {
		got = append(got, row)
	}
	slices.Sort(got)
	if !slices.Equal(got, q.whole(t)) {
		t.Error("the sums differ from those of all rows")
	}
	if m := q.metrics.States[0]; m.Rows != 20000 || m.Updated != 2500 {
		t.Errorf("%+v", m)
	}
}

// TestRefusedStreams are queries that no stream can run, or that are not built.
func TestRefusedStreams(t *testing.T) {
	c := newCluster(t, setups[0])
	for _, x := range []struct {
		mode  plan.OutputMode
		query string
		want  string
	}{
		{plan.AppendOutput, "SELECT k, count(*) FROM t GROUP BY k", "STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION"},
		{plan.CompleteOutput, "SELECT k FROM t", "STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION"},
		{plan.CompleteOutput, "SELECT k, count(DISTINCT i) FROM t GROUP BY k", "_LEGACY_ERROR_TEMP_3102"},
		{plan.UpdateOutput, "SELECT k, count(*) FROM t GROUP BY k ORDER BY k", "_LEGACY_ERROR_TEMP_3102"},
		{plan.AppendOutput, "SELECT k FROM t ORDER BY k", "_LEGACY_ERROR_TEMP_3102"},
		{plan.UpdateOutput, "SELECT c, count(*) FROM (SELECT k, count(*) AS c FROM t GROUP BY k) GROUP BY c", "_LEGACY_ERROR_TEMP_3102"},
		{plan.AppendOutput, "SELECT l.k FROM t l RIGHT JOIN VALUES ('a') r(k) ON l.k = r.k", "_LEGACY_ERROR_TEMP_3102"},
		{plan.AppendOutput, "SELECT k FROM t UNION ALL SELECT 'a'", "_LEGACY_ERROR_TEMP_3102"},
		{plan.UpdateOutput, "SELECT k FROM t LIMIT 3", "_LEGACY_ERROR_TEMP_3102"},
		{plan.AppendOutput, "SELECT row_number() OVER (PARTITION BY k ORDER BY i) FROM t", "NON_TIME_WINDOW_NOT_SUPPORTED_IN_STREAMING"},
		{plan.AppendOutput, "SELECT DISTINCT k FROM t", "UNSUPPORTED_FEATURE"},
		{plan.UpdateOutput, "SELECT count(*) FROM t GROUP BY session_window(timestamp_micros(n * 1000000), '1 minute')", "UNSUPPORTED_FEATURE"},
		{plan.AppendOutput, "SELECT a.k FROM t a JOIN t b ON a.k = b.k", "UNSUPPORTED_FEATURE"},
		{plan.AppendOutput, "SELECT k FROM t LIMIT 3", "UNSUPPORTED_FEATURE"},
	} {
		q := newStream(c, x.query, x.mode)
		q.ends = []int64{10}
		_, err := q.batch(0)
		if err == nil || condition(err) != x.want {
			t.Errorf("%s in mode %d: %v, want %s", x.query, x.mode, err, x.want)
		}
	}
}

// TestForeignState: a checkpoint's state of another query, of other types, or with a damaged file is told apart.
func TestForeignState(t *testing.T) {
	c := newCluster(t, setups[1])
	q := newStream(c, "SELECT k, sum(n) FROM t GROUP BY k", plan.UpdateOutput)
	q.restart(t)
	defer func() { c.runner.States.Close() }()
	q.ends = []int64{100, 200}
	for batch := range 2 {
		if _, err := q.batch(batch); err != nil {
			t.Fatal(err)
		}
	}
	q.ends = append(q.ends, 300)
	must := func(name, want string) {
		t.Helper()
		q.restart(t)
		if _, err := q.batch(2); err == nil || !strings.Contains(err.Error(), want) || errs.KindOf(err) != errs.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	text := q.query
	q.query = "SELECT k, i, sum(n) FROM t GROUP BY k, i"
	must("other keys", "STATE_STORE_KEY_SCHEMA_NOT_COMPATIBLE")
	q.query = "SELECT k, sum(x) FROM t GROUP BY k"
	must("other sums", "STATE_STORE_VALUE_SCHEMA_NOT_COMPATIBLE")
	q.query, q.parts = text, 2
	must("other partitions", "partitions")
	q.parts = 3
	id := q.id
	q.id = "another"
	must("another query", "belongs to the streaming query "+id)
	q.id = id
	if _, err := q.batch(2); err != nil {
		t.Fatal(err)
	}
}
