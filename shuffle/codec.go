package shuffle

import (
	"bytes"
	"errors"
	"io"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	arrowmem "github.com/apache/arrow-go/v18/arrow/memory"

	"millrace/errs"
	"millrace/types"
	"millrace/vector"
)

// message is one Arrow IPC message: its flatbuffer and its body.
type message struct{ meta, body []byte }

// encoder turns the batches of one stream into Arrow IPC messages. A new schema message begins where the columns that are
// dictionaries, or the dictionaries themselves, change; streams whose columns stay as they are have one, like any Arrow stream.
// Short decimals go as the whole numbers that they are here, since Arrow's take twice the room.
type encoder struct {
	types  []*types.Type
	wire   vector.Batch  // the batch at hand with short decimals as whole numbers
	schema *arrow.Schema // without dictionaries
	dicts  []*vector.Vector
	cur    *arrow.Schema
	w      *ipc.Writer
	out    []message
	bodies []*bytes.Buffer // reused by the next encode
}

func newEncoder(columns []*types.Type) *encoder {
	fields := make([]types.Field, len(columns))
	for i, t := range columns {
		fields[i] = types.Field{Name: strconv.Itoa(i), Type: wireType(t), Nullable: true}
	}
	return &encoder{types: columns, schema: vector.ArrowSchema(fields, "UTC"), dicts: make([]*vector.Vector, len(columns))}
}

func wireType(t *types.Type) *types.Type {
	if t.IsShortDecimal() {
		return types.Long
	}
	return t
}

// asWire is a batch with the columns' types of the stream.
func (e *encoder) asWire(b *vector.Batch) *vector.Batch {
	e.wire = vector.Batch{Cols: append(e.wire.Cols[:0], b.Cols...), N: b.N, Sel: b.Sel}
	for i, t := range e.types {
		if t.IsShortDecimal() {
			v := *b.Cols[i]
			v.Flatten()
			v.Type = types.Long
			e.wire.Cols[i] = &v
		}
	}
	return &e.wire
}

// encode makes the messages of a batch; they are valid until the next call.
func (e *encoder) encode(b *vector.Batch) ([]message, error) {
	e.out, b = e.out[:0], e.asWire(b)
	if e.adopt(b) || e.w == nil {
		e.w = ipc.NewWriterWithPayloadWriter((*payloads)(e), ipc.WithSchema(e.cur))
	}
	rec := vector.ToArrow(b, e.cur)
	defer rec.Release()
	if err := e.w.Write(rec); err != nil {
		return nil, errs.Wrap(err, "encode a batch of %d rows", b.Rows())
	}
	return e.out, nil
}

// adopt chooses the columns that stay dictionaries, which are those whose dictionary is not much larger than the batch
// or was sent before, and reports whether the stream's schema has to begin anew.
func (e *encoder) adopt(b *vector.Batch) bool {
	changed := e.cur == nil
	for i, c := range b.Cols {
		d := c.Dict
		if d != nil && d != e.dicts[i] && d.Len > 2*b.Rows() {
			d = nil
		}
		if d != e.dicts[i] {
			e.dicts[i], changed = d, true
		}
	}
	if !changed {
		return false
	}
	fields := e.schema.Fields()
	for i, d := range e.dicts {
		if d != nil {
			fields[i].Type = &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: fields[i].Type}
		}
	}
	e.cur = arrow.NewSchema(fields, nil)
	return true
}

// payloads collects what an ipc.Writer writes.
type payloads encoder

func (p *payloads) Start() error { return nil }
func (p *payloads) Close() error { return nil }

func (p *payloads) WritePayload(x ipc.Payload) error {
	if len(p.bodies) <= len(p.out) {
		p.bodies = append(p.bodies, &bytes.Buffer{})
	}
	body := p.bodies[len(p.out)]
	body.Reset()
	if err := x.SerializeBody(body); err != nil {
		return err
	}
	meta := x.Meta()
	p.out = append(p.out, message{append([]byte(nil), meta.Bytes()...), body.Bytes()})
	meta.Release()
	return nil
}

// decoder turns the messages of a stream into batches. The messages' memory becomes the batches'.
type decoder struct {
	types []*types.Type
	src   *messages
	r     *ipc.Reader
	dec   *vector.ArrowDecoder
}

// newDecoder reads messages from next, which returns io.EOF at the end.
func newDecoder(columns []*types.Type, next func() (message, error)) *decoder {
	return &decoder{types: columns, src: &messages{next: next}}
}

// decode returns the next batch, or io.EOF. An error of the messages' source is returned as it is.
func (d *decoder) decode() (*vector.Batch, error) {
	for {
		if d.r == nil {
			if err := d.begin(); err != nil {
				return nil, err
			}
		}
		d.src.began = true
		rec, err := d.r.Read()
		switch {
		case err == nil:
			return d.batch(rec)
		case d.src.err != nil:
			return nil, d.src.err
		case !errors.Is(err, io.EOF):
			return nil, errs.Wrap(err, "decode a batch")
		}
		d.r = nil // a new schema follows
	}
}

// batch makes a batch of a record.
func (d *decoder) batch(rec arrow.RecordBatch) (*vector.Batch, error) {
	b, err := d.dec.Decode(rec)
	if err != nil {
		return nil, err
	}
	for i, t := range d.types {
		b.Cols[i].Type = t
	}
	return b, nil
}

// begin reads the schema at the head of the stream, or where it changes.
func (d *decoder) begin() error {
	d.src.began = false
	r, err := ipc.NewReaderFromMessageReader(d.src)
	if d.src.err != nil {
		return d.src.err
	}
	if err != nil {
		return errs.Wrap(err, "decode a schema")
	}
	wire := make([]*types.Type, len(d.types))
	for i, t := range d.types {
		wire[i] = wireType(t)
	}
	d.r, d.dec = r, vector.NewArrowDecoder(wire)
	return nil
}

// messages feeds an ipc.Reader, and ends it before a schema message that follows others.
type messages struct {
	next  func() (message, error)
	held  *ipc.Message
	began bool  // the schema has been read
	err   error // that next returned
}

func (m *messages) Retain()  {}
func (m *messages) Release() {}

func (m *messages) Message() (*ipc.Message, error) {
	if x := m.held; x != nil && !m.began {
		m.held = nil
		return x, nil
	}
	if m.held != nil {
		return nil, io.EOF
	}
	x, err := m.next()
	if err != nil {
		m.err = err
		return nil, err
	}
	msg := ipc.NewMessage(arrowmem.NewBufferBytes(x.meta), arrowmem.NewBufferBytes(x.body))
	if m.began && msg.Type() == ipc.MessageSchema {
		m.held = msg
		return nil, io.EOF
	}
	return msg, nil
}
