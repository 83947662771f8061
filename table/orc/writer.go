package orc

import (
	"io"

	"millrace/errs"
	"millrace/javatime"
	"millrace/types"
	"millrace/vector"
)

const (
	strideRows    = 10000
	stripeBytes   = 64 << 20
	mostBytes     = 1 << 30 // of a stripe's column, whose offsets have 31 bits
	writerVersion = 9
	softwareName  = "millrace"
)

// WriteOptions say how a file is written. The zero value is Spark's default.
type WriteOptions struct {
	Codec       string         // zstd (also when empty), zlib, snappy, lz4, none or uncompressed
	Zone        *javatime.Zone // in which times are written, as Spark does in that of its process; nil: UTC
	StripeBytes int64          // about what a stripe has before it is encoded; 0: 64 MiB
}

// Writer writes one file. It is used by one goroutine.
type Writer struct {
	out     io.Writer
	written int64
	deflate *deflater
	zone    *javatime.Zone
	limit   int64
	columns []*columnWriter // by number
	stripe  []*vector.Vector
	rows    int // of the stripe
	all     int64
	sel     []uint32
	stripes [][]byte // the footer's messages
	metas   [][]byte // the stripes' statistics
}

// NewWriter begins a file of that schema.
func NewWriter(out io.Writer, schema *types.Type, o WriteOptions) (*Writer, error) {
	codec, err := codecByName(o.Codec)
	if err != nil {
		return nil, err
	}
	w := &Writer{out: out, zone: o.Zone, limit: o.StripeBytes}
	if w.zone == nil {
		w.zone = javatime.UTC
	}
	if w.limit <= 0 {
		w.limit = stripeBytes
	}
	if _, err := newColumnWriter(schema, "", &w.columns); err != nil {
		return nil, err
	}
	if w.deflate, err = newDeflater(codec); err != nil {
		return nil, err
	}
	for _, f := range schema.Fields {
		w.stripe = append(w.stripe, vector.NewEmpty(f.Type))
	}
	return w, w.write([]byte(fileMagic))
}

func (w *Writer) write(b []byte) error {
	n, err := w.out.Write(b)
	w.written += int64(n)
	return err
}

// Write appends a batch's rows. Nothing of the batch is kept.
func (w *Writer) Write(b *vector.Batch) error {
	rows := b.Sel
	if rows == nil {
		w.sel = w.sel[:0]
		for i := range b.N {
			w.sel = append(w.sel, uint32(i))
		}
		rows = w.sel
	}
	if len(rows) == 0 {
		return nil
	}
	for i, v := range w.stripe {
		if sizeOf(v)+sizeOf(b.Cols[i]) > mostBytes {
			if err := w.endStripe(); err != nil {
				return err
			}
			break
		}
	}
	for i, v := range w.stripe {
		v.AppendPlain(b.Cols[i], rows)
	}
	w.rows += len(rows)
	if w.buffered() < w.limit {
		return nil
	}
	return w.endStripe()
}

func (w *Writer) buffered() (n int64) {
	for _, v := range w.stripe {
		n += sizeOf(v)
	}
	return n
}

// sizeOf is the number of bytes of a vector's rows.
func sizeOf(v *vector.Vector) int64 {
	n := int64(len(v.Data) + len(v.Bytes) + 4*len(v.Offsets))
	for _, c := range v.Children {
		n += sizeOf(c)
	}
	return n
}

// Size is about how large the file would be if it were closed now.
func (w *Writer) Size() int64 { return w.written + w.buffered()/4 }

// Rows is the number of rows written.
func (w *Writer) Rows() int64 { return w.all + int64(w.rows) }

// stripeWriter gathers the streams of a stripe.
type stripeWriter struct {
	*deflater
	start   int64 // the seconds from which times count
	streams []*outStream
	indexes []*outStream
	stats   []summary
	values  []int64 // memory for one group's numbers
}

func (w *stripeWriter) stream(c *columnWriter, kind streamKind) *outStream {
	s := &outStream{deflater: w.deflater, kind: kind, column: c.id}
	w.streams = append(w.streams, s)
	return s
}

// index writes a column's row index, and adds up what is known of its values.
func (w *stripeWriter) index(c *columnWriter, groups []groupEntry) {
	s := &outStream{deflater: w.deflater, kind: rowIndex, column: c.id}
	all := &w.stats[c.id]
	for i := range groups {
		g := &groups[i]
		entry := appendMessage(packed(nil, 1, g.positions), 2, g.summary.message(c.kind, c.typ))
		s.append(appendMessage(nil, 1, entry)...)
		all.merge(&g.summary)
	}
	w.indexes = append(w.indexes, s)
	c.file.merge(all)
}

// endStripe encodes the stripe.
func (w *Writer) endStripe() error {
	if w.rows == 0 {
		return nil
	}
	p := places{rows: make([]uint32, w.rows)}
	for i := range p.rows {
		p.rows[i] = uint32(i)
		if i%strideRows == 0 && i > 0 {
			p.ends = append(p.ends, i)
		}
	}
	p.ends = append(p.ends, w.rows)
	root := &vector.Vector{Type: w.columns[0].typ, Len: w.rows, Children: w.stripe}
	s := &stripeWriter{deflater: w.deflate, start: w.zone.ToUTC(epoch*1e6) / 1e6, stats: make([]summary, len(w.columns))}
	if err := w.columns[0].encode(s, root, p); err != nil {
		return err
	}
	offset := w.written
	var footer []byte
	put := func(list []*outStream) error {
		for _, o := range list {
			b, err := o.end()
			if err != nil {
				return err
			}
			footer = appendMessage(footer, 1, appendUint(appendUint(appendUint(nil, 1, uint64(o.kind)), 2, o.column), 3, uint64(len(b))))
			if err := w.write(b); err != nil {
				return err
			}
		}
		return nil
	}
	if err := put(s.indexes); err != nil {
		return err
	}
	index := w.written - offset
	if err := put(s.streams); err != nil {
		return err
	}
	length := w.written - offset - index
	var meta []byte
	for i, c := range w.columns {
		m := appendUint(nil, 1, uint64(c.encoding.kind))
		if c.encoding.size > 0 {
			m = appendUint(m, 2, c.encoding.size)
		}
		footer = appendMessage(footer, 2, m)
		meta = appendMessage(meta, 1, s.stats[i].message(c.kind, c.typ))
	}
	footer = appendMessage(footer, 3, []byte(w.zone.Location().String()))
	tail, err := w.part(footer)
	if err != nil {
		return err
	}
	info := appendUint(appendUint(appendUint(nil, 1, uint64(offset)), 2, uint64(index)), 3, uint64(length))
	info = appendUint(appendUint(info, 4, uint64(tail)), 5, uint64(w.rows))
	w.stripes, w.metas = append(w.stripes, info), append(w.metas, meta)
	w.all += int64(w.rows)
	w.rows = 0
	for _, v := range w.stripe {
		v.Clear(v.Type)
	}
	return nil
}

// part writes a message as the file's codec has it, and returns its length.
func (w *Writer) part(message []byte) (int, error) {
	s := &outStream{deflater: w.deflate}
	s.append(message...)
	b, err := s.end()
	if err != nil {
		return 0, err
	}
	return len(b), w.write(b)
}

// Close writes what is left, and the file's end. It does not close the output.
func (w *Writer) Close() error {
	if err := w.endStripe(); err != nil {
		return err
	}
	content := w.written
	var meta []byte
	for _, m := range w.metas {
		meta = appendMessage(meta, 1, m)
	}
	metaLength, err := w.part(meta)
	if err != nil {
		return err
	}
	footer := appendUint(appendUint(nil, 1, uint64(len(fileMagic))), 2, uint64(content))
	for _, s := range w.stripes {
		footer = appendMessage(footer, 3, s)
	}
	for _, c := range w.columns {
		footer = appendMessage(footer, 4, c.message())
	}
	footer = appendUint(footer, 6, uint64(w.all))
	for _, c := range w.columns {
		footer = appendMessage(footer, 7, c.file.message(c.kind, c.typ))
	}
	footer = appendUint(footer, 8, strideRows)
	footer = appendUint(footer, 11, 2) // the calendar without a gap
	footer = appendMessage(footer, 12, []byte(softwareName))
	footerLength, err := w.part(footer)
	if err != nil {
		return err
	}
	post := appendUint(appendUint(nil, 1, uint64(footerLength)), 2, uint64(w.deflate.codec))
	post = packed(appendUint(post, 3, blockBytes), 4, []uint64{0, 12})
	post = appendUint(appendUint(post, 5, uint64(metaLength)), 6, writerVersion)
	post = appendMessage(post, 8000, []byte(fileMagic))
	if len(post) > 255 {
		return errs.Newf(errs.Internal, "a postscript of %d bytes", len(post))
	}
	return w.write(append(post, byte(len(post))))
}
