package parquet

import (
	"encoding/binary"
	"math"

	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"millrace/errs"
)

// endBatch closes the page if it is full, and gives up on the dictionary if that has grown too large.
func (w *leafWriter) endBatch() error {
	if w.pageEntries >= pageRows || w.raw >= w.pageBytes && !w.coding || w.coding && w.dict.size(w.width) > dictionaryMax {
		return w.endPage()
	}
	return nil
}

// endPage writes the page out into the chunk.
func (w *leafWriter) endPage() error {
	if w.pageEntries == 0 {
		return nil
	}
	width := codeWidth(w.dict.len())
	if w.coding && w.codedPages+w.plainPages == 0 && w.dict.size(w.width)+len(w.codes)*int(width)/8 >= w.raw {
		w.undoCodes() // the first page shows that a dictionary does not pay
	}
	w.body = w.body[:0]
	if w.maxRep > 0 {
		w.body, w.levels = appendLevels(w.body, w.reps, w.maxRep, w.levels)
	}
	switch {
	case w.maxDef == 0:
	case w.nestedLevels():
		w.body, w.levels = appendLevels(w.body, w.defs, w.maxDef, w.levels)
	default:
		w.body = appendValidity(w.body, w.valid, w.pageEntries)
	}
	encoding := format.Plain
	if w.coding {
		encoding = format.RLEDictionary
		w.body = append(w.body, byte(width))
		w.body = appendRuns(w.body, w.codes, width)
		w.codedPages++
	} else {
		w.body = append(w.body, w.plain...)
		w.plainPages++
	}
	header := pageHeader{Type: format.DataPage, Data: thrift.New(dataPageHeader{NumValues: int32(w.pageEntries),
		Encoding: encoding, Definition: format.RLE, Repetition: format.RLE})}
	err := w.appendPage(&w.pages, &header, w.body)
	w.entries += int64(w.pageEntries)
	if w.coding && w.dict.size(w.width) > dictionaryMax {
		w.coding = false
	}
	w.pageEntries, w.valid, w.bits, w.raw = 0, nil, 0, 0
	w.defs, w.reps, w.codes, w.plain = w.defs[:0], w.reps[:0], w.codes[:0], w.plain[:0]
	return err
}

func (w *leafWriter) nestedLevels() bool { return len(w.path) > 1 }

// codeWidth is the bits of a code into n values.
func codeWidth(n int) uint {
	w := uint(1)
	for 1<<w < n {
		w++
	}
	return w
}

// undoCodes turns the page's codes back into PLAIN values and stops coding for the rest of the chunk.
func (w *leafWriter) undoCodes() {
	for _, code := range w.codes {
		switch w.lane {
		case lane32:
			w.plain = binary.LittleEndian.AppendUint32(w.plain, uint32(w.dict.words[code]))
		case lane64:
			w.plain = w.appendWords(w.plain, w.dict.words[code:code+1])
		case laneFixed:
			w.plain = append(w.plain, w.dict.value(int(code))...)
		default:
			s := w.dict.value(int(code))
			w.plain = binary.LittleEndian.AppendUint32(w.plain, uint32(len(s)))
			w.plain = append(w.plain, s...)
		}
	}
	w.coding = false
	w.dict.reset()
}

// appendPage compresses a page and appends it with its header.
func (w *leafWriter) appendPage(dst *[]byte, header *pageHeader, body []byte) error {
	w.squeezed = compress(w.codec, w.squeezed[:0], body)
	if len(body) > math.MaxInt32 || len(w.squeezed) > math.MaxInt32 {
		return errs.Newf(errs.Invalid, "a page of column %s has more than 2 GiB", w.path[0])
	}
	header.Uncompressed, header.Compressed = int32(len(body)), int32(len(w.squeezed))
	head, err := thrift.Marshal(&compact, header)
	if err != nil {
		return err
	}
	*dst = append(append(*dst, head...), w.squeezed...)
	w.uncompressed += int64(len(head) + len(body))
	return nil
}

// dictionaryPage is the chunk's dictionary page with its header, or nil.
func (w *leafWriter) dictionaryPage() ([]byte, error) {
	n := w.dict.len()
	if w.codedPages == 0 {
		return nil, nil
	}
	body := w.body[:0]
	switch w.lane {
	case lane32:
		for _, v := range w.dict.words {
			body = binary.LittleEndian.AppendUint32(body, uint32(v))
		}
	case lane64:
		body = w.appendWords(body, w.dict.words)
	case laneFixed:
		body = append(body, w.dict.bytes...)
	case laneBytes:
		for code := range n {
			s := w.dict.value(code)
			body = binary.LittleEndian.AppendUint32(body, uint32(len(s)))
			body = append(body, s...)
		}
	}
	w.body = body
	header := pageHeader{Type: format.DictionaryPage, Dictionary: thrift.New(format.DictionaryPageHeader{NumValues: int32(n), Encoding: format.Plain})}
	var page []byte
	err := w.appendPage(&page, &header, body)
	return page, err
}

// flush ends the chunk: it writes it at offset at and returns its metadata.
func (w *leafWriter) flush(at int64, write func([]byte) error) (chunkMeta, error) {
	if err := w.endPage(); err != nil {
		return chunkMeta{}, err
	}
	dict, err := w.dictionaryPage()
	if err != nil {
		return chunkMeta{}, err
	}
	m := columnMeta{Type: w.physical, Encodings: []format.Encoding{format.RLE}, Path: w.path, Codec: w.codec, NumValues: w.entries,
		Uncompressed: w.uncompressed, Compressed: int64(len(dict) + len(w.pages)), DataPageOffset: at + int64(len(dict)), Statistics: w.statistics()}
	if w.plainPages > 0 || dict != nil {
		m.Encodings = append(m.Encodings, format.Plain)
	}
	if dict != nil {
		m.DictionaryOffset = at
		m.Encodings = append(m.Encodings, format.RLEDictionary)
		if err := write(dict); err != nil {
			return chunkMeta{}, err
		}
	}
	if err := write(w.pages); err != nil {
		return chunkMeta{}, err
	}
	w.total.merge(&w.bounds, w.lane)
	w.totalNulls += w.nulls
	w.full = w.bloom
	w.startChunk()
	return chunkMeta{FileOffset: at, Meta: m}, nil
}

func (w *leafWriter) statistics() statistics {
	s := statistics{NullCount: thrift.New(w.nulls)}
	if w.physical == format.Int96 { // they have no order
		return s
	}
	if lo, hi, ok := w.bounds.plain(w.typ, w.lane); ok {
		s.Min, s.Max = thrift.New(lo), thrift.New(hi)
		s.MinExact, s.MaxExact = thrift.New(true), thrift.New(true)
	}
	return s
}
