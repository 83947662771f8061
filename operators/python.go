package operators

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"runtime/debug"
	"sync"

	"github.com/apache/arrow-go/v18/arrow/ipc"

	"millrace/errs"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/types"
	"millrace/vector"
)

// PythonTask is a process that runs functions. Input and End are for one goroutine, Next and Output for another, at the same time.
type PythonTask interface {
	// Input takes Arrow streams, for groups each with the number of streams of the group (int32, big-endian) in front and 0 at the end.
	Input() *bufio.Writer
	// End says that the input is complete.
	End() error
	// Next waits for the next Arrow stream of results: true, and Output begins with it; false at the end. Its errors: those of the functions.
	Next() (bool, error)
	Output() io.Reader
	// Lost turns an error of Input or Output into what the user is to read.
	Lost(err error) error
	// Close ends the process.
	Close()
}

// pythonOp gives its inputs to functions of Python and hands out what they make of them. A goroutine of its own reads the inputs and writes to
// the process, as the process need not answer before it has read all.
type pythonOp struct {
	start func(ctx context.Context) (PythonTask, error)
	pb    *planpb.Python
	in    []Operator
	feed  *pythonFeed
	pairs *pythonPairs // instead of feed
	out   []*types.Type
	kept  int // columns of the input, or keys, in front of the results

	ctx    *Ctx
	cancel context.CancelFunc
	task   PythonTask
	fed    chan struct{} // closed when the goroutine has ended
	fault  error         // of its; to be read when fed is closed
	begun  chan struct{} // closed when there is a task, or will not be one

	queue   *rowQueue
	m       *OperatorMetrics
	reader  *ipc.Reader
	decoder *vector.ArrowDecoder
	results *vector.Batch // of which rows from at on are to come
	at      int
	batch   vector.Batch
}

func newPython(p *planpb.Operator, out []*types.Type, in []Operator, start func(ctx context.Context) (PythonTask, error), s *planpb.Settings) (Operator, error) {
	pb := p.GetPython()
	o := &pythonOp{start: start, pb: pb, in: in, out: out, begun: make(chan struct{}), fed: make(chan struct{})}
	switch pb.Rows {
	case planpb.Python_EACH, planpb.Python_WINDOWS:
		o.kept = len(in[0].Output())
	case planpb.Python_FOLD:
		o.kept = len(pb.Keys)
	}
	var err error
	if pb.Rows == planpb.Python_PAIRS {
		o.pairs, err = newPythonPairs(p, in, s)
	} else {
		o.feed, err = newPythonFeed(p, in, s)
	}
	o.batch.Cols = make([]*vector.Vector, len(out))
	return o, err
}

func (o *pythonOp) Output() []*types.Type { return o.out }

func (o *pythonOp) Open(ctx *Ctx) error {
	o.ctx = ctx
	inner := *ctx
	inner.Context, o.cancel = context.WithCancel(ctx.Context)
	if err := openAll(&inner, o.in...); err != nil {
		close(o.fed)
		return err
	}
	kept := o.out[:o.kept]
	o.queue = newRowQueue(&inner, kept)
	o.queue.m = o.m
	results := o.out[o.kept:]
	if o.rowMaker() {
		fields := make([]types.Field, len(results))
		for i, t := range results {
			fields[i] = types.Field{Name: fmt.Sprintf("_%d", i), Type: t, Nullable: true}
		}
		results = []*types.Type{types.Struct(fields...)}
	}
	o.decoder = vector.NewArrowDecoder(results)
	go o.run(&inner)
	return nil
}

func (o *pythonOp) setMetrics(m *OperatorMetrics) { o.m = m }

func (o *pythonOp) rowMaker() bool {
	switch o.pb.Rows {
	case planpb.Python_EACH, planpb.Python_FOLD, planpb.Python_WINDOWS:
		return false
	}
	return true
}

// run feeds the process until the inputs end.
func (o *pythonOp) run(ctx *Ctx) {
	started := false
	defer func() {
		if p := recover(); p != nil {
			o.fault = errs.Newf(errs.Internal, "a Python task panicked: %v\n%s", p, debug.Stack())
		}
		if o.fault != nil && o.task != nil {
			o.task.Close() // who waits for its answer shall hear of it
		}
		if !started {
			close(o.begun)
		}
		close(o.fed)
	}()
	begin := func() (PythonTask, error) {
		task, err := o.start(ctx.Context)
		if err != nil {
			return nil, err
		}
		o.task, started = task, true
		close(o.begun)
		return task, nil
	}
	if o.pairs != nil {
		o.fault = o.pairs.run(ctx, begin)
		return
	}
	o.fault = o.feed.run(ctx, begin, o.queue, o.pb.Rows == planpb.Python_ALL)
}

func (o *pythonOp) Next() (*vector.Batch, error) {
	select {
	case <-o.begun:
	case <-o.ctx.Done():
		return nil, context.Cause(o.ctx)
	}
	if o.task == nil {
		<-o.fed
		return nil, o.fault
	}
	for {
		if o.results != nil && o.at < o.results.N {
			return o.emit()
		}
		o.results, o.at = nil, 0
		more, err := o.read()
		if err != nil {
			return nil, o.cause(err)
		}
		if !more {
			<-o.fed
			if o.fault == nil && o.kept > 0 && o.queue.left() > 0 {
				return nil, errs.Newf(errs.Invalid, "A Python function gave fewer results than there are rows: %d are missing.", o.queue.left())
			}
			return nil, o.fault
		}
	}
}

// cause is why the process does not answer: what went wrong in the inputs comes before what follows from it.
func (o *pythonOp) cause(err error) error {
	if errs.ConditionOf(err) != "" {
		return err
	}
	o.cancel()
	<-o.fed
	if cause := context.Cause(o.ctx); cause != nil {
		return cause
	}
	if o.fault != nil && !isWrite(o.fault) {
		return o.fault
	}
	return err
}

// read takes the next batch of results; false at the end.
func (o *pythonOp) read() (bool, error) {
	for {
		if o.reader == nil {
			more, err := o.task.Next()
			if err != nil || !more {
				return false, err
			}
			if o.reader, err = ipc.NewReader(o.task.Output(), ipc.WithDelayReadSchema(false)); err != nil {
				return false, o.task.Lost(err)
			}
			if err := o.check(); err != nil {
				return false, err
			}
		}
		if o.reader.Next() {
			b, err := o.decoder.Decode(o.reader.RecordBatch())
			if err != nil {
				return false, err
			}
			if o.rowMaker() {
				b = &vector.Batch{Cols: b.Cols[0].Children, N: b.N}
			}
			if b.N > 0 {
				o.results = b
				return true, nil
			}
			continue
		}
		err := o.reader.Err()
		o.reader.Release()
		o.reader = nil
		if err != nil {
			return false, o.task.Lost(err)
		}
	}
}

// check compares the types of the results with those that the functions were to return.
func (o *pythonOp) check() error {
	fields, err := vector.FieldsFromArrow(o.reader.Schema())
	if err != nil {
		return err
	}
	got := make([]*types.Type, 0, len(fields))
	for _, f := range fields {
		got = append(got, f.Type)
	}
	if o.rowMaker() {
		if len(got) != 1 || got[0].Kind != types.KindStruct {
			return errs.Newf(errs.Invalid, "A Python function gave no rows.")
		}
		inner := got[0].Fields
		got = got[:0]
		for _, f := range inner {
			got = append(got, f.Type)
		}
	}
	want := o.out[o.kept:]
	same := len(got) == len(want)
	for i := 0; same && i < len(got); i++ {
		same = sameShape(vector.Storage(want[i]), got[i])
	}
	if same {
		return nil
	}
	names := func(list []*types.Type) string {
		text := "List("
		for i, t := range list {
			if i > 0 {
				text += ", "
			}
			text += t.SQL()
		}
		return text + ")"
	}
	return errs.New("ARROW_TYPE_MISMATCH", "operation", pythonOperation[o.pb.EvalType], "outputTypes", names(want), "actualDataTypes", names(got))
}

var pythonOperation = map[int32]string{205: "pandas_map_iter", 207: "arrow_map_iter"}

// sameShape reports whether values of an Arrow type's can be taken as those of a type.
func sameShape(want, got *types.Type) bool {
	want = vector.Storage(want)
	switch {
	case want.Kind != got.Kind:
		return want.Kind == types.KindVariant && got.Kind == types.KindStruct || want.Kind == types.KindTime && got.Kind == types.KindTime
	case want.Kind == types.KindDecimal:
		return want.Precision == got.Precision && want.Scale == got.Scale
	case want.Kind == types.KindArray:
		return sameShape(want.Elem, got.Elem)
	case want.Kind == types.KindMap:
		return sameShape(want.Key, got.Key) && sameShape(want.Elem, got.Elem)
	case want.Kind == types.KindStruct:
		if len(want.Fields) != len(got.Fields) {
			return false
		}
		for i := range want.Fields {
			if !sameShape(want.Fields[i].Type, got.Fields[i].Type) {
				return false
			}
		}
	}
	return true
}

// emit puts results beside the rows that they are of.
func (o *pythonOp) emit() (*vector.Batch, error) {
	n := min(o.results.N-o.at, vector.BatchRows)
	if o.kept > 0 {
		rows, err := o.queue.next(n)
		if err != nil {
			return nil, err
		}
		if rows == nil {
			return nil, errs.Newf(errs.Invalid, "A Python function gave more results than there are rows.")
		}
		n = rows.N
		copy(o.batch.Cols, rows.Cols)
	}
	for i, c := range o.results.Cols {
		o.batch.Cols[o.kept+i] = vector.Slice(c, o.at, n)
	}
	o.at += n
	o.batch.N, o.batch.Sel = n, nil
	return &o.batch, nil
}

func (o *pythonOp) Close() error {
	if o.cancel != nil {
		o.cancel()
		<-o.begunOrFed()
		if o.task != nil {
			o.task.Close()
		}
		<-o.fed
	}
	if o.reader != nil {
		o.reader.Release()
	}
	if o.queue != nil {
		o.queue.close()
	}
	return closeAll(o.in...)
}

// begunOrFed is closed when it is known whether there is a task.
func (o *pythonOp) begunOrFed() chan struct{} {
	if o.queue == nil { // Open has failed
		return o.fed
	}
	return o.begun
}

// rowQueue holds rows until the results that belong to them come: in memory, and what finds no room there in a file. One goroutine appends,
// another one takes.
type rowQueue struct {
	ctx   *Ctx
	mem   reservation
	types []*types.Type
	file  *pageFile

	mu    sync.Mutex
	items []queued
	rows  int
	used  int64
	m     *OperatorMetrics

	cur *vector.Batch
	at  int
}

type queued struct {
	batch *vector.Batch // nil: a page
	page  int
	rows  int // of the page
	bytes int64
}

func newRowQueue(ctx *Ctx, columns []*types.Type) *rowQueue {
	return &rowQueue{ctx: ctx, mem: reservation{pool: ctx.Memory}, types: columns}
}

// put appends a batch that the queue may keep.
func (q *rowQueue) put(b *vector.Batch) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	item := queued{batch: b, bytes: b.MemSize()}
	if q.mem.pool == nil || q.mem.fits(q.used+item.bytes) {
		q.used += item.bytes
	} else {
		if q.file == nil {
			q.file = newPageFile(q.ctx, q.types)
		}
		page, err := q.file.Write(b.Cols, b.N)
		if err != nil {
			return err
		}
		item = queued{page: page, rows: b.N}
	}
	q.items, q.rows = append(q.items, item), q.rows+b.N
	return nil
}

// next takes up to n rows, which stay valid until the next call; nil when there are none.
func (q *rowQueue) next(n int) (*vector.Batch, error) {
	if q.cur == nil || q.at == q.cur.N {
		q.mu.Lock()
		defer q.mu.Unlock()
		if len(q.items) == 0 {
			return nil, nil
		}
		item := q.items[0]
		q.items = q.items[1:]
		if q.cur, q.at = item.batch, 0; q.cur == nil {
			cols, err := q.file.Read(item.page)
			if err != nil {
				return nil, err
			}
			q.cur = &vector.Batch{Cols: cols, N: item.rows}
		}
		q.used -= item.bytes
		if q.mem.pool != nil {
			q.mem.shrink(q.used)
		}
		q.rows -= q.cur.N
	}
	n = min(n, q.cur.N-q.at)
	b := vector.SliceBatch(q.cur, q.at, n)
	q.at += n
	return b, nil
}

// left is the number of rows that nobody took.
func (q *rowQueue) left() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := q.rows
	if q.cur != nil {
		n += q.cur.N - q.at
	}
	return n
}

func (q *rowQueue) close() {
	q.items, q.cur = nil, nil
	if q.mem.pool != nil {
		q.mem.release()
	}
	if q.file != nil {
		q.file.close(q.m)
	}
}

// putInt writes an integer as PySpark reads it.
func putInt(w io.Writer, n int32) error {
	_, err := w.Write(binary.BigEndian.AppendUint32(nil, uint32(n)))
	return err
}

// writeError is a failure to write to the process, which follows from how that ended.
type writeError struct{ error }

func isWrite(err error) bool { _, ok := err.(writeError); return ok }
