package connect

import (
	"bytes"
	"context"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/protobuf/proto"

	pb "millrace/proto/spark/connect"
	"millrace/session"
)

const (
	// targetBytes is how much of a result one response carries: every response costs the client another call.
	targetBytes  = 4 << 20
	maxBytes     = 64 << 20 // half of what a client takes in one message
	defaultChunk = 32 << 20
	progressTick = 2 * time.Second
)

// stream sends a result's batches. The schema rides with the first, the metrics with the last: responses of their own
// would cost the client a call each.
func (e *execution) stream(ctx context.Context, result session.Result) error {
	stop := e.report(ctx, result)
	defer stop()
	schema, err := toDataType(result.Schema())
	if err != nil {
		return err
	}
	w := batchWriter{e: e, ctx: ctx, first: schema, compression: compressionOf(e.session)}
	b := batcher{result: result}
	pending, err := b.next(ctx)
	if err != nil {
		return err
	}
	if pending == nil {
		as, err := session.ArrowSchema(result.Schema(), e.session.Conf.Get("spark.sql.session.timeZone"))
		if err != nil {
			return err
		}
		pending = emptyBatch(as)
	}
	for {
		following, err := b.next(ctx)
		if err != nil {
			pending.Release()
			return err
		}
		if following == nil {
			w.metrics, w.observed = toMetrics(result.Metrics())
		}
		err = w.write(pending, following == nil)
		pending.Release()
		if err != nil || following == nil {
			if following != nil {
				following.Release()
			}
			return err
		}
		pending = following
	}
}

func emptyBatch(schema *arrow.Schema) arrow.RecordBatch {
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	return b.NewRecordBatch()
}

// batcher puts an engine's small batches together.
type batcher struct {
	result session.Result
	done   bool
}

func (b *batcher) next(ctx context.Context) (arrow.RecordBatch, error) {
	var parts []arrow.RecordBatch
	var size int64
	release := func() {
		for _, p := range parts {
			p.Release()
		}
	}
	for !b.done && size < targetBytes {
		next, err := b.result.Next(ctx)
		if err != nil {
			release()
			return nil, err
		}
		if next == nil {
			b.done = true
			break
		}
		if next.NumRows() == 0 {
			next.Release()
			continue
		}
		parts = append(parts, next)
		size += sizeOf(next)
	}
	switch len(parts) {
	case 0:
		return nil, nil
	case 1:
		return parts[0], nil
	}
	defer release()
	return concat(parts)
}

func concat(parts []arrow.RecordBatch) (arrow.RecordBatch, error) {
	cols := make([]arrow.Array, parts[0].NumCols())
	var rows int64
	for _, p := range parts {
		rows += p.NumRows()
	}
	for c := range cols {
		chunks := make([]arrow.Array, len(parts))
		for i, p := range parts {
			chunks[i] = p.Column(c)
		}
		col, err := array.Concatenate(chunks, memory.DefaultAllocator)
		if err != nil {
			return nil, err
		}
		defer col.Release()
		cols[c] = col
	}
	return array.NewRecordBatch(parts[0].Schema(), cols, rows), nil
}

// batchWriter turns record batches into responses.
type batchWriter struct {
	e           *execution
	ctx         context.Context
	first       *pb.DataType
	metrics     *pb.ExecutePlanResponse_Metrics
	observed    []*pb.ExecutePlanResponse_ObservedMetrics
	compression []ipc.Option
	rows        int64
	buf         bytes.Buffer
}

func (w *batchWriter) write(b arrow.RecordBatch, last bool) error {
	if sizeOf(b) > maxBytes && b.NumRows() > 1 {
		half := b.NumRows() / 2
		left, right := b.NewSlice(0, half), b.NewSlice(half, b.NumRows())
		defer left.Release()
		defer right.Release()
		if err := w.write(left, false); err != nil {
			return err
		}
		return w.write(right, last)
	}
	return w.encode(b, last)
}

func (w *batchWriter) encode(b arrow.RecordBatch, last bool) error {
	w.buf.Reset()
	out := ipc.NewWriter(&w.buf, append([]ipc.Option{ipc.WithSchema(b.Schema())}, w.compression...)...)
	if err := out.Write(b); err != nil {
		return err
	}
	if err := out.Close(); err != nil {
		return err
	}
	data := bytes.Clone(w.buf.Bytes())
	offset := w.rows
	w.rows += b.NumRows()
	chunks := 1
	if w.e.chunkBytes > 0 {
		chunks = max(1, (len(data)+w.e.chunkBytes-1)/w.e.chunkBytes)
	}
	for i := range chunks {
		batch := &pb.ExecutePlanResponse_ArrowBatch{RowCount: b.NumRows(), StartOffset: proto.Int64(offset), Data: data}
		if chunks > 1 {
			batch.Data = data[i*w.e.chunkBytes : min((i+1)*w.e.chunkBytes, len(data))]
			batch.ChunkIndex, batch.NumChunksInBatch = proto.Int64(int64(i)), proto.Int64(int64(chunks))
		}
		r := &pb.ExecutePlanResponse{Schema: w.first, ResponseType: &pb.ExecutePlanResponse_ArrowBatch_{ArrowBatch: batch}}
		w.first = nil
		if last && i == chunks-1 {
			r.Metrics, r.ObservedMetrics = w.metrics, w.observed
		}
		if err := w.e.send(w.ctx, r); err != nil {
			return err
		}
	}
	return nil
}

func compressionOf(s *session.Session) []ipc.Option {
	switch s.Conf.Get("spark.sql.execution.arrow.compression.codec") {
	case "zstd":
		return []ipc.Option{ipc.WithZstd()}
	case "lz4":
		return []ipc.Option{ipc.WithLZ4()}
	}
	return nil
}

func toMetrics(m session.Metrics) (*pb.ExecutePlanResponse_Metrics, []*pb.ExecutePlanResponse_ObservedMetrics) {
	var out *pb.ExecutePlanResponse_Metrics
	for _, op := range m.Operators {
		if out == nil {
			out = &pb.ExecutePlanResponse_Metrics{}
		}
		o := &pb.ExecutePlanResponse_Metrics_MetricObject{Name: op.Name, PlanId: op.ID, Parent: op.Parent,
			ExecutionMetrics: map[string]*pb.ExecutePlanResponse_Metrics_MetricValue{}}
		for _, v := range op.Values {
			o.ExecutionMetrics[v.Key] = &pb.ExecutePlanResponse_Metrics_MetricValue{Name: v.Name, Value: v.Value, MetricType: v.Kind}
		}
		out.Metrics = append(out.Metrics, o)
	}
	var observed []*pb.ExecutePlanResponse_ObservedMetrics
	for _, o := range m.Observed {
		p := &pb.ExecutePlanResponse_ObservedMetrics{Name: o.Name, PlanId: o.PlanID, Keys: o.Keys}
		for _, v := range o.Values {
			p.Values = append(p.Values, toLiteral(v))
		}
		observed = append(observed, p)
	}
	return out, observed
}

// report sends a running query's progress now and then until stop is called.
func (e *execution) report(ctx context.Context, result session.Result) (stop func()) {
	p, ok := result.(session.Progressing)
	if !ok {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		tick := time.NewTicker(progressTick)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				if e.send(ctx, toProgress(p.Progress())) != nil {
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}()
	return func() { cancel(); <-finished }
}

func toProgress(p session.Progress) *pb.ExecutePlanResponse {
	out := &pb.ExecutePlanResponse_ExecutionProgress{NumInflightTasks: p.Inflight}
	for _, st := range p.Stages {
		out.Stages = append(out.Stages, &pb.ExecutePlanResponse_ExecutionProgress_StageInfo{StageId: st.ID, NumTasks: st.Tasks,
			NumCompletedTasks: st.Done, InputBytesRead: st.InputBytes, Done: st.Finished})
	}
	return &pb.ExecutePlanResponse{ResponseType: &pb.ExecutePlanResponse_ExecutionProgress_{ExecutionProgress: out}}
}

// sizeOf is roughly the number of bytes of a batch's values.
func sizeOf(b arrow.RecordBatch) int64 {
	var n int64
	for _, c := range b.Columns() {
		n += dataSize(c.Data())
	}
	return n
}

func dataSize(d arrow.ArrayData) int64 {
	var n int64
	for _, buf := range d.Buffers() {
		if buf != nil {
			n += int64(buf.Len())
		}
	}
	for _, c := range d.Children() {
		n += dataSize(c)
	}
	return n
}
