package parquet

import (
	"encoding/binary"
	"math"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/parquet-go/parquet-go/bloom"
	"github.com/parquet-go/parquet-go/format"

	"millrace/errs"
	"millrace/javatime"
	"millrace/types"
	"millrace/vector"
)

const (
	pageRows      = 20000   // as parquet-mr
	dictionaryMax = 1 << 20 // bytes of a dictionary page
)

// leafWriter writes one leaf: it gathers a page's levels and values, and a chunk's pages, compressed.
type leafWriter struct {
	path           []string
	typ            *types.Type
	lane           lane
	physical       format.Type
	maxDef, maxRep uint8
	width          int // bytes of a PLAIN value, 0 for laneBytes
	codec          format.CompressionCodec
	noDictionary   bool
	pageBytes      int   // of PLAIN values
	unit           int64 // microseconds of what is written; 0: 1
	blooms         *BloomOptions
	bloom          bloom.SplitBlockFilter // of the chunk; nil: none
	full           bloom.SplitBlockFilter // of the chunk that was flushed

	// The chunk so far.
	pages        []byte
	entries      int64
	nulls        int64
	uncompressed int64
	plainPages   int
	codedPages   int
	bounds       bounds
	dict         dictionary
	coding       bool // values become codes

	// The page so far.
	pageEntries int
	valid       vector.Bitmap // of a flat column; nil while it has no null
	defs, reps  []uint8       // of a nested one
	codes       []int32
	plain       []byte
	bits        int // booleans in plain
	raw         int // bytes of the page's values as PLAIN

	rows     []uint32
	words32  []uint32
	words64  []uint64
	coarse   []uint64
	body     []byte
	squeezed []byte
	levels   []int32

	total      bounds // of all chunks that were flushed
	totalNulls int64
}

func newLeafWriter(path []string, t *types.Type, maxDef, maxRep uint8, o *WriteOptions, codec format.CompressionCodec) (*leafWriter, error) {
	l, physical, ok := storage(t)
	if !ok {
		return nil, errs.New("UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE", "format", "Parquet", "columnName", "`"+path[0]+"`", "columnType", `"`+t.SQL()+`"`)
	}
	w := &leafWriter{path: path, typ: t, lane: l, physical: physical, maxDef: maxDef, maxRep: maxRep, codec: codec, pageBytes: o.PageBytes}
	switch l {
	case lane32:
		w.width = 4
	case lane64:
		w.width = 8
	case laneFixed:
		w.width = decimalBytes(t.Precision)
	}
	if t.Kind == types.KindTimestamp {
		switch o.Timestamps {
		case Millis:
			w.unit = 1000
		case Int96:
			w.physical, w.width = format.Int96, 12
		}
	}
	name := strings.Join(path, ".")
	w.noDictionary = o.NoDictionary != nil && o.NoDictionary(name)
	if o.Bloom != nil && l != laneBool {
		w.blooms = o.Bloom(name)
	}
	w.startChunk()
	return w, nil
}

func (w *leafWriter) startChunk() {
	w.pages, w.entries, w.nulls, w.uncompressed, w.plainPages, w.codedPages = w.pages[:0], 0, 0, 0, 0, 0
	w.bounds.reset()
	w.dict.reset()
	w.coding = w.lane != laneBool && !w.noDictionary
	if w.blooms != nil {
		w.bloom = w.blooms.filter()
	}
}

// isOld reports whether the chunk has dates or times of which the calendars or zones may differ.
func (w *leafWriter) isOld() bool {
	switch w.typ.Kind {
	case types.KindDate:
		return w.bounds.any && javatime.OldDay(w.bounds.lo)
	case types.KindTimestamp:
		return w.bounds.any && javatime.OldMoment(w.bounds.lo*max(1, w.unit))
	}
	return false
}

// size is about how many bytes the chunk takes.
func (w *leafWriter) size() int {
	return len(w.pages) + w.dict.size(w.width) + len(w.plain) + len(w.codes)
}

// flat appends the rows of a column that is not nested: those in sel, or n from lo on.
func (w *leafWriter) flat(v *vector.Vector, sel []uint32, lo, n int) error {
	rows, nulls := w.present(v, sel, lo, n)
	if nulls > 0 && w.maxDef == 0 {
		return errs.Newf(errs.Invalid, "column %s holds a null but is declared NOT NULL", w.path[0])
	}
	w.appendValid(v, sel, lo, n, nulls)
	w.pageEntries += n
	w.nulls += int64(nulls)
	w.values(v, rows, lo, n-nulls)
	return w.endBatch()
}

// present lists the physical rows that are wanted and not null, or nil if those are all from lo on.
func (w *leafWriter) present(v *vector.Vector, sel []uint32, lo, n int) (rows []uint32, nulls int) {
	if !v.Const && sel == nil && !v.HasNulls() {
		return nil, 0
	}
	rows = slices.Grow(w.rows[:0], n)[:0]
	switch {
	case v.Const:
		if v.IsNull(0) {
			return rows, n
		}
		rows = rows[:n]
		clear(rows)
	case sel != nil && !v.HasNulls():
		rows = append(rows, sel...)
	case v.Dict != nil && v.Dict.Valid != nil:
		for i := range n {
			if r := row(sel, lo, i); !v.IsNull(int(r)) {
				rows = append(rows, r)
			}
		}
	case v.Type.Kind == types.KindNull:
	default:
		rows = validRows(rows, v.Valid, sel, lo, n)
	}
	w.rows = rows
	return rows, n - len(rows)
}

func row(sel []uint32, lo, i int) uint32 {
	if sel != nil {
		return sel[i]
	}
	return uint32(lo + i)
}

func validRows(rows []uint32, valid vector.Bitmap, sel []uint32, lo, n int) []uint32 {
	rows = rows[:n]
	k := 0
	if sel == nil {
		for i := lo; i < lo+n; i++ {
			rows[k] = uint32(i)
			k += int(valid[i>>6] >> (i & 63) & 1)
		}
		return rows[:k]
	}
	for _, r := range sel {
		rows[k] = r
		k += int(valid[r>>6] >> (r & 63) & 1)
	}
	return rows[:k]
}

// appendValid appends n definition levels to the page's bitmap.
func (w *leafWriter) appendValid(v *vector.Vector, sel []uint32, lo, n, nulls int) {
	if w.maxDef == 0 || nulls == 0 && w.valid == nil {
		return
	}
	at := w.pageEntries
	if w.valid == nil {
		w.valid = make(vector.Bitmap, 0, (pageRows+4*vector.BatchRows)/64)
		w.growValid(at)
		setBits(w.valid, 0, at)
	}
	w.growValid(at + n)
	switch {
	case nulls == n:
	case nulls == 0:
		setBits(w.valid, at, n)
	case sel == nil && v.Dict == nil || v.Dict != nil && v.Dict.Valid == nil && sel == nil:
		copyBitmap(w.valid, at, v.Valid, lo, n)
	default:
		for i := range n {
			if !v.IsNull(int(row(sel, lo, i))) {
				w.valid.Set(at + i)
			}
		}
	}
}

// growValid makes the bitmap hold n bits; new ones are clear.
func (w *leafWriter) growValid(n int) {
	for len(w.valid)*64 < n {
		w.valid = append(w.valid, 0)
	}
}

// copyBitmap ors n bits of src from bit from on into dst from bit at on.
func copyBitmap(dst vector.Bitmap, at int, src vector.Bitmap, from, n int) {
	for n > 0 {
		k := min(64-from&63, n)
		word := src[from>>6] >> (from & 63)
		if k < 64 {
			word &= 1<<k - 1
		}
		orBits(dst, at, word)
		at, from, n = at+k, from+k, n-k
	}
}

// nested appends level entries and the values of the rows.
func (w *leafWriter) nested(v *vector.Vector, defs, reps []uint8, rows []uint32) error {
	w.defs = append(w.defs, defs...)
	w.reps = append(w.reps, reps...)
	w.pageEntries += len(defs)
	w.nulls += int64(len(defs) - len(rows))
	w.values(v, rows, 0, len(rows))
	return w.endBatch()
}

// values appends the n values of the rows (nil: those from lo on), none of them null.
func (w *leafWriter) values(v *vector.Vector, rows []uint32, lo, n int) {
	if n == 0 {
		return
	}
	if v.Dict != nil && w.lane != laneBytes {
		v, rows, lo = w.decoded(v, rows, lo, n)
	}
	switch w.lane {
	case laneBool:
		w.bools(v, rows, lo, n)
	case lane32:
		var words []uint32
		words, w.words32 = dense32(v, rows, lo, n, w.words32)
		w.append32(words)
	case lane64:
		var words []uint64
		words, w.words64 = dense64(v, rows, lo, n, w.words64)
		if w.unit > 1 {
			words = w.coarser(words)
		}
		w.append64(words)
	case laneFixed:
		w.fixed(v, rows, lo, n)
	case laneBytes:
		w.strings(v, rows, lo, n)
	}
}

// decoded turns the codes of the rows into rows of the dictionary.
func (w *leafWriter) decoded(v *vector.Vector, rows []uint32, lo, n int) (*vector.Vector, []uint32, int) {
	codes := vector.Codes(v)
	out := make([]uint32, n)
	for i := range out {
		r := lo + i
		if rows != nil {
			r = int(rows[i])
		}
		out[i] = uint32(codes[r])
	}
	return v.Dict, out, 0
}

func (w *leafWriter) bools(v *vector.Vector, rows []uint32, lo, n int) {
	for i := range n {
		r := lo + i
		if rows != nil {
			r = int(rows[i])
		}
		if w.bits&7 == 0 {
			w.plain = append(w.plain, 0)
		}
		b := v.Data[r] & 1
		w.plain[len(w.plain)-1] |= b << (w.bits & 7)
		w.bits++
		w.bounds.integer(int64(b))
	}
	w.raw += n / 8
}

func (w *leafWriter) append32(words []uint32) {
	w.raw += 4 * len(words)
	if w.coding {
		w.codes = fixedCodes(&w.dict, w.codes, words, w.found)
		return
	}
	if w.physical == format.Float {
		floats32(&w.bounds, words)
	} else {
		integers(&w.bounds, view[int32](bytesOf(words)))
	}
	if w.bloom != nil {
		for _, v := range words {
			w.bloomWord(uint64(v))
		}
	}
	w.plain = append(w.plain, bytesOf(words)...)
}

func (w *leafWriter) append64(words []uint64) {
	w.raw += w.width * len(words)
	if w.coding {
		w.codes = fixedCodes(&w.dict, w.codes, words, w.found)
		return
	}
	if w.physical == format.Double {
		floats64(&w.bounds, words)
	} else {
		integers(&w.bounds, view[int64](bytesOf(words)))
	}
	if w.bloom != nil {
		for _, v := range words {
			w.bloomWord(v)
		}
	}
	w.plain = w.appendWords(w.plain, words)
}

// appendWords appends values of eight bytes as PLAIN.
func (w *leafWriter) appendWords(dst []byte, words []uint64) []byte {
	if w.physical != format.Int96 {
		return append(dst, bytesOf(words)...)
	}
	for _, v := range words {
		dst = appendInt96(dst, v)
	}
	return dst
}

// coarser is microseconds in the unit that is written, which ends before them.
func (w *leafWriter) coarser(words []uint64) []uint64 {
	out := slices.Grow(w.coarse[:0], len(words))
	for _, v := range words {
		out = append(out, uint64(javatime.FloorDiv(int64(v), w.unit)))
	}
	w.coarse = out
	return out
}

// found widens the bounds by a value that is new in the dictionary.
func (w *leafWriter) found(v uint64) {
	w.bloomWord(v)
	switch w.physical {
	case format.Float:
		w.bounds.float(float64(math.Float32frombits(uint32(v))))
	case format.Double:
		w.bounds.float(math.Float64frombits(v))
	case format.Int32:
		w.bounds.integer(int64(int32(v)))
	default:
		w.bounds.integer(int64(v))
	}
}

func (w *leafWriter) foundBytes(v []byte) {
	w.bloomText(v)
	if w.lane == laneFixed {
		w.bounds.decimal(bigEndian(v))
	} else {
		w.bounds.bytes(v)
	}
}

func (w *leafWriter) fixed(v *vector.Vector, rows []uint32, lo, n int) {
	var slot [16]byte
	b := slot[:w.width]
	w.raw += n * w.width
	for i := range n {
		r := lo + i
		if rows != nil {
			r = int(rows[i])
		}
		d := view[decimal128.Num](v.Data)[r]
		putBigEndian(b, d)
		if w.coding {
			w.codes = append(w.codes, w.dict.bytesCode(b, w.foundBytes))
			continue
		}
		w.bounds.decimal(d)
		w.bloomText(b)
		w.plain = append(w.plain, b...)
	}
}

func (w *leafWriter) strings(v *vector.Vector, rows []uint32, lo, n int) {
	switch {
	case v.Dict != nil && w.coding:
		w.recode(v, rows, lo, n)
		return
	case v.Dict != nil:
		v, rows, lo = w.decoded(v, rows, lo, n)
	}
	for i := range n {
		r := lo + i
		if rows != nil {
			r = int(rows[i])
		}
		s := v.Bytes[v.Offsets[r]:v.Offsets[r+1]]
		w.raw += 4 + len(s)
		if w.coding {
			w.codes = append(w.codes, w.dict.bytesCode(s, w.foundBytes))
			continue
		}
		w.bounds.bytes(s)
		w.bloomText(s)
		w.plain = binary.LittleEndian.AppendUint32(w.plain, uint32(len(s)))
		w.plain = append(w.plain, s...)
	}
}

// recode maps an input dictionary's codes to the chunk's.
func (w *leafWriter) recode(v *vector.Vector, rows []uint32, lo, n int) {
	dict, codes := v.Dict, vector.Codes(v)
	remap := w.dict.remap(dict)
	start := len(w.codes)
	w.codes = slices.Grow(w.codes, n)[:start+n]
	out := w.codes[start:]
	raw := 4 * n
	for i := range out {
		r := lo + i
		if rows != nil {
			r = int(rows[i])
		}
		code := codes[r]
		if remap[code] < 0 {
			remap[code] = w.dict.bytesCode(dict.Bytes[dict.Offsets[code]:dict.Offsets[code+1]], w.foundBytes)
		}
		raw += int(dict.Offsets[code+1] - dict.Offsets[code])
		out[i] = remap[code]
	}
	w.raw += raw
}
