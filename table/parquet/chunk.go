package parquet

import (
	"encoding/binary"
	"sync"

	"github.com/parquet-go/parquet-go/format"

	"millrace/errs"
	"millrace/vector"
)

// chunk decodes the pages of one column chunk in order.
type chunk struct {
	col    *Column
	dec    decoder
	maxDef uint8

	kept *Dictionaries

	messages *messageReader
	meta     *columnMeta
	header   pageHeader
	codec    format.CompressionCodec
	data     []byte // the chunk's bytes from the next page on
	entries  int64  // level entries in the pages to come
	page     []byte // decompressed bytes of the current page, padded
	scratch  []int32

	left       int  // level entries left in the current page
	defs, reps runs // maxDef 0 and maxRep 0 have none
	noNulls    bool // the current page's header says so
	coded      bool // values are codes, or bits of booleans
	codes      runs
	plain      []byte // PLAIN values from the next one on
	dict       *vector.Vector
}

func newChunk(col *Column, dec decoder) *chunk {
	return &chunk{col: col, dec: dec, maxDef: col.def, messages: newMessageReader(), scratch: make([]int32, vector.BatchRows)}
}

// start begins a chunk whose bytes are data; data must have padding bytes of capacity behind it.
func (c *chunk) start(m *columnMeta, data []byte) error {
	c.meta, c.codec, c.data, c.entries = m, m.Codec, data, m.NumValues
	c.left, c.dict = 0, nil
	return nil
}

// ensure makes the current page one with entries left.
func (c *chunk) ensure() error {
	for c.left == 0 {
		if c.entries <= 0 {
			return corrupt("a column chunk ends early")
		}
		body, err := c.nextHeader()
		if err != nil {
			return err
		}
		if err := c.load(body); err != nil {
			return err
		}
	}
	return nil
}

// nextHeader reads the next page's header and returns the bytes behind it.
func (c *chunk) nextHeader() ([]byte, error) {
	c.header = pageHeader{}
	n, err := c.messages.read(c.data, &c.header)
	if err != nil {
		return nil, err
	}
	size := int(c.header.Compressed)
	if size < 0 || c.header.Uncompressed < 0 || size > len(c.data)-n {
		return nil, corrupt("a page of %d bytes where %d are left", size, len(c.data)-n)
	}
	body := c.data[n : n+size]
	c.data = c.data[n+size:]
	return body, nil
}

func (c *chunk) load(body []byte) error {
	switch h := &c.header; {
	case h.Type == format.DictionaryPage && h.Dictionary.Valid:
		return c.loadDictionary(body)
	case h.Type == format.DataPage && h.Data.Valid:
		return c.loadV1(body)
	case h.Type == format.DataPageV2 && h.DataV2.Valid:
		return c.loadV2(body)
	case h.Type == format.IndexPage:
		return nil
	}
	return corrupt("a page of type %s without its header", c.header.Type)
}

// pages are the buffers of decompressed pages that no reader uses.
var pages sync.Pool

// release gives the buffer of pages back; no page can be read any more.
func (c *chunk) release() {
	if c.page != nil {
		page := c.page
		pages.Put(&page)
		c.page = nil
	}
}

// maxPage bounds what a page's header may make us allocate.
const maxPage = 1 << 30

// inflate returns the decompressed bytes of a page's body, padded.
func (c *chunk) inflate(body []byte, size int, codec format.CompressionCodec) ([]byte, error) {
	if codec == format.Uncompressed {
		if cap(body)-len(body) < padding {
			body = append(make([]byte, 0, len(body)+padding), body...)
		}
		return body, nil
	}
	if size > maxPage || size > 4096 && size/4096 > len(body) && codec == format.Snappy {
		return nil, corrupt("a page of %d bytes decompresses to %d", len(body), size)
	}
	if cap(c.page) < size+padding {
		c.release()
		if p, _ := pages.Get().(*[]byte); p != nil && cap(*p) >= size+padding {
			c.page = *p
		} else {
			c.page = make([]byte, size+size/8+padding)
		}
	}
	out := c.page[:size]
	if size == 0 {
		return out, nil
	}
	return out, decompress(codec, out, body)
}

func (c *chunk) loadDictionary(body []byte) error {
	if c.dict = c.kept.get(c.meta, c.dec.typ); c.dict != nil {
		return nil
	}
	h := &c.header
	n := int(h.Dictionary.V.NumValues)
	data, err := c.inflate(body, int(h.Uncompressed), c.codec)
	if err != nil {
		return err
	}
	if n < 0 || n > len(data) && c.dec.slot != 0 || c.dec.slot > 0 && n > len(data)/c.dec.slot || n > len(data)/4 && c.dec.slot == 0 || c.dec.plain == nil {
		return corrupt("a dictionary of %d values in %d bytes", n, len(data))
	}
	d := &vector.Vector{}
	d.Reset(c.dec.typ, max(n, 1))
	if len(d.Offsets) > 1 {
		d.Offsets[1] = 0 // an empty dictionary still has something for the codes of nulls
		d.Bytes = make([]byte, 0, max(len(data)-4*n, 0))
	} else if n == 0 {
		clear(d.Data)
	}
	if _, err := c.dec.plain(d, 0, n, data); err != nil {
		return err
	}
	c.dict = d
	c.kept.put(c.meta, d)
	return nil
}

func (c *chunk) loadV1(body []byte) error {
	h := &c.header.Data.V
	data, err := c.inflate(body, int(c.header.Uncompressed), c.codec)
	if err != nil {
		return err
	}
	c.noNulls = false
	if c.col.maxRep > 0 {
		if data, err = prefixed(&c.reps, data, h.Repetition, c.col.maxRep); err != nil {
			return err
		}
	}
	if c.maxDef > 0 {
		if data, err = prefixed(&c.defs, data, h.Definition, c.maxDef); err != nil {
			return err
		}
	}
	return c.begin(int(h.NumValues), h.Encoding, data)
}

// prefixed starts levels that have their length in front and returns what follows them.
func prefixed(r *runs, data []byte, enc format.Encoding, maxLevel uint8) ([]byte, error) {
	if enc != format.RLE {
		return nil, errs.Unsupportedf("Parquet levels encoded as %s are not supported.", enc)
	}
	if len(data) < 4 {
		return nil, errShortPage
	}
	n := int(binary.LittleEndian.Uint32(data))
	if data = data[4:]; n > len(data) {
		return nil, errShortPage
	}
	r.reset(data[:n], levelWidth(maxLevel))
	return data[n:], nil
}

func levelWidth(maxLevel uint8) uint {
	w := uint(0)
	for ; maxLevel > 0; maxLevel >>= 1 {
		w++
	}
	return w
}

func (c *chunk) loadV2(body []byte) error {
	h := &c.header.DataV2.V
	reps, defs := int(h.RepetitionBytes), int(h.DefinitionBytes)
	if reps < 0 || defs < 0 || reps+defs > len(body) || int(c.header.Uncompressed) < reps+defs {
		return errShortPage
	}
	c.reps.reset(body[:reps], levelWidth(c.col.maxRep))
	c.defs.reset(body[reps:reps+defs], levelWidth(c.maxDef))
	c.noNulls = h.NumNulls == 0 && c.col.maxRep == 0
	codec := c.codec
	if h.IsCompressed.Valid && !h.IsCompressed.V {
		codec = format.Uncompressed
	}
	if cap(body)-len(body) < padding {
		return corrupt("a page without room behind it")
	}
	data, err := c.inflate(body[reps+defs:], int(c.header.Uncompressed)-reps-defs, codec)
	if err != nil {
		return err
	}
	return c.begin(int(h.NumValues), h.Encoding, data)
}

// begin starts the values of a data page.
func (c *chunk) begin(entries int, enc format.Encoding, data []byte) (err error) {
	if entries < 0 || int64(entries) > c.entries {
		return corrupt("a page of %d values where %d are left", entries, c.entries)
	}
	c.entries -= int64(entries)
	c.left, c.coded = entries, false
	switch {
	case enc == format.RLEDictionary || enc == format.PlainDictionary: //nolint:staticcheck // so older files name it
		return c.beginCodes(data)
	case c.dec.plain == nil:
		return c.beginBools(enc, data)
	case enc == format.Plain:
		c.plain = data
		return nil
	}
	c.plain, err = transcode(c.col, enc, data, entries)
	return err
}

func (c *chunk) beginCodes(data []byte) error {
	if c.dict == nil {
		return corrupt("codes without a dictionary")
	}
	c.coded = true
	if len(data) == 0 {
		c.codes.reset(data, 0)
		return nil
	}
	if data[0] > 32 {
		return corrupt("codes of %d bits", data[0])
	}
	c.codes.reset(data[1:], uint(data[0]))
	return nil
}

func (c *chunk) beginBools(enc format.Encoding, data []byte) error {
	c.coded = true
	switch enc {
	case format.Plain:
		c.codes = runs{width: 1, packed: data, left: len(data) * 8}
	case format.RLE:
		if len(data) < 4 {
			c.codes.reset(nil, 1)
			return nil
		}
		c.codes.reset(data[4:], 1)
	default:
		return corrupt("booleans encoded as %s", enc)
	}
	return nil
}

// values decodes the next n values that are not null of the current page into out's rows from at on, densely.
func (c *chunk) values(out *vector.Vector, at, n int) error {
	switch {
	case c.dec.plain == nil:
		return c.bools(out, at, n)
	case !c.coded:
		if out.Dict != nil {
			if err := expand(out, at); err != nil {
				return err
			}
		}
		used, err := c.dec.plain(out, at, n, c.plain)
		c.plain = c.plain[min(used, len(c.plain)):]
		return err
	case out.Dict != nil:
		return c.readCodes(vector.Codes(out)[at : at+n])
	}
	for n > 0 {
		codes := c.scratch[:min(n, len(c.scratch))]
		if err := c.codes.read(codes); err != nil {
			return err
		}
		if err := gather(out, at, c.dict, codes); err != nil {
			return err
		}
		at, n = at+len(codes), n-len(codes)
	}
	return nil
}

func (c *chunk) bools(out *vector.Vector, at, n int) error {
	for n > 0 {
		bits := c.scratch[:min(n, len(c.scratch))]
		if err := c.codes.read(bits); err != nil {
			return err
		}
		for i, b := range bits {
			out.Data[at+i] = byte(b)
		}
		at, n = at+len(bits), n-len(bits)
	}
	return nil
}

// readCodes reads codes and checks that the dictionary has them.
func (c *chunk) readCodes(codes []int32) error {
	if err := c.codes.read(codes); err != nil {
		return err
	}
	if most := mostCode(codes); int(most) >= c.dict.Len {
		return wrongCode(most, c.dict)
	}
	return nil
}

// mostCode is the largest of some codes. Four at a time do not wait for each other.
func mostCode(codes []int32) uint32 {
	var a, b, c, d uint32
	for ; len(codes) >= 4; codes = codes[4:] {
		a, b, c, d = max(a, uint32(codes[0])), max(b, uint32(codes[1])), max(c, uint32(codes[2])), max(d, uint32(codes[3]))
	}
	for _, code := range codes {
		a = max(a, uint32(code))
	}
	return max(a, b, c, d)
}

func wrongCode(code uint32, dict *vector.Vector) error {
	return corrupt("code %d into a dictionary of %d", code, dict.Len)
}

// gather looks codes up into out's rows from at on.
func gather(out *vector.Vector, at int, dict *vector.Vector, codes []int32) error {
	switch vector.Width(dict.Type) {
	case 1:
		return gatherFixed[uint8](out, at, dict, codes)
	case 2:
		return gatherFixed[uint16](out, at, dict, codes)
	case 4:
		return gatherFixed[uint32](out, at, dict, codes)
	case 8:
		return gatherFixed[uint64](out, at, dict, codes)
	case 16:
		return gatherFixed[[2]uint64](out, at, dict, codes)
	default:
		if most := mostCode(codes); int(most) >= dict.Len {
			return wrongCode(most, dict)
		}
		for i, code := range codes {
			out.Bytes = append(out.Bytes, dict.Bytes[dict.Offsets[code]:dict.Offsets[code+1]]...)
			out.Offsets[at+i+1] = int32(len(out.Bytes))
		}
	}
	return nil
}

func gatherFixed[T any](out *vector.Vector, at int, dict *vector.Vector, codes []int32) error {
	dst, values := view[T](out.Data)[at:at+len(codes)], view[T](dict.Data)[:dict.Len]
	for i, code := range codes {
		if uint32(code) >= uint32(len(values)) {
			return wrongCode(uint32(code), dict)
		}
		dst[i] = values[uint32(code)]
	}
	return nil
}

// expand turns out's first n rows from codes into plain strings.
func expand(out *vector.Vector, n int) error {
	dict, rows, valid := out.Dict, out.Len, out.Valid
	codes := append([]int32(nil), vector.Codes(out)[:n]...)
	out.Reset(dict.Type, rows)
	out.Valid = valid
	return gather(out, 0, dict, codes)
}

// spreadRows moves dense values apart to where the bits are set.
func spreadRows(out *vector.Vector, valid vector.Bitmap, at, dense, rows int) {
	width := vector.Width(out.Type)
	if out.Dict != nil {
		width = 4
	}
	switch width {
	case 1:
		spread(out.Data, valid, at, dense, rows)
	case 2:
		spread(view[uint16](out.Data), valid, at, dense, rows)
	case 4:
		spread(view[uint32](out.Data), valid, at, dense, rows)
	case 8:
		spread(view[uint64](out.Data), valid, at, dense, rows)
	case 16:
		spread(view[[2]uint64](out.Data), valid, at, dense, rows)
	default:
		spreadOffsets(out.Offsets, valid, at, dense, rows)
	}
}
