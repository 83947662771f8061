package operators

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	arrowmemory "github.com/apache/arrow-go/v18/arrow/memory"

	"millrace/memory"
	"millrace/operators/expr"
	"millrace/planconv"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/types"
	"millrace/vector"
	"millrace/vector/vectortest"
)

// adder stands for a process of Python. Its function adds one to its argument or gives, of groups, its sum, for windows beside each row. It answers when it has
// read everything, as a slow process may.
type adder struct {
	in      *bufio.Writer
	sent    *io.PipeWriter
	answers chan []byte
	out     *bytes.Reader
	rows    planpb.Python_Rows
	dies    int // after so many streams; 0: never
	closed  chan struct{}
}

var errDead = errors.New("it is dead")

func newAdder(rows planpb.Python_Rows, dies int) *adder {
	r, w := io.Pipe()
	a := &adder{in: bufio.NewWriterSize(w, 1<<12), sent: w, answers: make(chan []byte, 1), rows: rows, dies: dies, closed: make(chan struct{})}
	go a.work(r)
	return a
}

// work reads the streams of the input and answers each with one of the results.
func (a *adder) work(r *io.PipeReader) {
	defer close(a.answers)
	var answers [][]byte
	groups := a.rows != planpb.Python_EACH
	for {
		var n [4]byte
		if _, err := io.ReadFull(r, n[:]); groups && (err != nil || binary.BigEndian.Uint32(n[:]) == 0) {
			break
		}
		var in io.Reader = r
		if !groups { // the stream begins at once
			in = io.MultiReader(bytes.NewReader(n[:]), r)
		}
		answer, err := add(in, a.rows)
		if answers = append(answers, answer); err != nil || len(answers) == a.dies {
			r.CloseWithError(errDead)
			return
		}
		if !groups {
			break
		}
	}
	_, _ = io.Copy(io.Discard, r)
	for _, b := range answers {
		a.answers <- b
	}
}

func add(r io.Reader, rows planpb.Python_Rows) ([]byte, error) {
	in, err := ipc.NewReader(r)
	if err != nil {
		return nil, err
	}
	defer in.Release()
	schema := arrow.NewSchema([]arrow.Field{{Name: "_0", Type: arrow.PrimitiveTypes.Int64, Nullable: true}}, nil)
	var out bytes.Buffer
	w := ipc.NewWriter(&out, ipc.WithSchema(schema))
	write := func(values []int64) {
		b := array.NewInt64Builder(arrowmemory.DefaultAllocator)
		b.AppendValues(values, nil)
		rec := array.NewRecordBatch(schema, []arrow.Array{b.NewArray()}, int64(len(values)))
		err = errors.Join(err, w.Write(rec))
	}
	total, n := int64(0), 0
	for in.Next() {
		var values []int64
		for _, v := range in.RecordBatch().Column(0).(*array.Int64).Int64Values() {
			values, total = append(values, v+1), total+v
		}
		if n += len(values); rows == planpb.Python_EACH {
			write(values)
		}
	}
	switch rows {
	case planpb.Python_FOLD:
		write([]int64{total})
	case planpb.Python_WINDOWS:
		write(slices.Repeat([]int64{total}, n))
	}
	return out.Bytes(), errors.Join(err, in.Err(), w.Close())
}

func (a *adder) Input() *bufio.Writer { return a.in }
func (a *adder) End() error           { return errors.Join(a.in.Flush(), a.sent.Close()) }
func (a *adder) Output() io.Reader    { return a.out }
func (a *adder) Lost(err error) error { return fmt.Errorf("lost: %w", err) }
func (a *adder) Close()               { a.sent.CloseWithError(errDead) }
func (a *adder) Next() (bool, error) {
	b, ok := <-a.answers
	if a.out = bytes.NewReader(b); !ok && a.dies > 0 {
		return false, errDead
	}
	return ok, nil
}

// TestPython has rows wait for the results of a process, in memory and on disk, and compares what stands beside what.
func TestPython(t *testing.T) {
	long, text := planconv.TypePB(types.Long), planconv.TypePB(types.String)
	one := &planpb.PythonFunction{Type: long, Args: []*planpb.PythonArgument{{}}}
	for _, rows := range []planpb.Python_Rows{planpb.Python_EACH, planpb.Python_WINDOWS, planpb.Python_FOLD} {
		for _, limit := range []int64{1 << 10, 64 << 20} {
			for _, dies := range []int{0, 1} {
				t.Run(fmt.Sprint(rows, limit, dies), func(t *testing.T) {
					in := grouped(20000)
					columns := []*planpb.Column{{Name: "k", Type: long}, {Name: "v", Type: long}, {Name: "s", Type: text}}
					pb := &planpb.Python{Rows: rows, EvalType: 200, BatchRows: 1000, Functions: []*planpb.PythonFunction{one},
						Args: []*planpb.Expr{{Type: long, Kind: &planpb.Expr_Column{Column: 1}}}}
					out := append(slices.Clone(in.Output()), types.Long)
					if rows != planpb.Python_EACH {
						pb.Keys = []uint32{0}
					}
					if rows == planpb.Python_FOLD {
						out = []*types.Type{types.Long, types.Long}
					}
					p := &planpb.Operator{Kind: &planpb.Operator_Python{Python: pb}, Children: []*planpb.Operator{{Output: columns}}}
					op, err := newPython(p, out, []Operator{in.again()}, func(context.Context) (PythonTask, error) {
						return newAdder(rows, dies), nil
					}, &planpb.Settings{TimeZone: "UTC"})
					if err != nil {
						t.Fatal(err)
					}
					m := &OperatorMetrics{}
					op.(*pythonOp).setMetrics(m)
					pool, dir := memory.NewPool("test", limit), t.TempDir()
					got, err := drain(op, &Ctx{Ctx: expr.Ctx{Context: t.Context(), Settings: &planpb.Settings{TimeZone: "UTC"}}, Memory: pool, TempDir: dir})
					if dies > 0 && err == nil {
						t.Error("the death of the process is not an error")
					}
					if dies == 0 && err != nil {
						t.Error(err)
					}
					if err := op.Close(); err != nil {
						t.Error(err)
					}
					if left, _ := os.ReadDir(dir); pool.Used() != 0 || len(left) > 0 {
						t.Errorf("%d bytes stay reserved, files are left: %v", pool.Used(), left)
					}
					if dies > 0 {
						return
					}
					if spills := limit < 1<<20; spills != (m.SpilledBytes > 0) {
						t.Errorf("%d bytes were spilled", m.SpilledBytes)
					}
					if want := added(in.rows(), rows); !slices.Equal(vectortest.Show(got), vectortest.Show(want)) {
						t.Errorf("%d rows, not %d, or others", len(got), len(want))
					}
				})
			}
		}
	}
}

// grouped is a source of rows sorted by their keys, of which some are not selected: key bigint, value bigint, text string.
func grouped(n int) *source {
	keys, values, texts := make([]int64, n), make([]int64, n), make([]string, n)
	for i := range n {
		keys[i], values[i], texts[i] = int64(i/67), int64(i*7%1000), fmt.Sprint("row ", i)
	}
	s := batches(vector.FromSlice(types.Long, keys), vector.FromSlice(types.Long, values), vector.FromStrings(types.String, texts, nil))
	for k, b := range s.batches {
		for r := range b.N {
			if k%2 == 0 && r%5 > 0 {
				b.Sel = append(b.Sel, uint32(r))
			}
		}
	}
	return s
}

// added is what the rows become.
func added(rows [][]any, how planpb.Python_Rows) (want [][]any) {
	sums := map[any]int64{}
	for _, r := range rows {
		sums[r[0]] += r[1].(int64)
	}
	for i, r := range rows {
		switch {
		case how == planpb.Python_EACH:
			want = append(want, append(slices.Clone(r), r[1].(int64)+1))
		case how == planpb.Python_WINDOWS:
			want = append(want, append(slices.Clone(r), sums[r[0]]))
		case i == 0 || rows[i-1][0] != r[0]:
			want = append(want, []any{r[0], sums[r[0]]})
		}
	}
	return want
}
