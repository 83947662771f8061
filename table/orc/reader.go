package orc

import (
	"errors"
	"io"
	"strings"

	"millrace/errs"
	"millrace/javatime"
	"millrace/types"
	"millrace/vector"
)

// ReadColumn is a wanted column.
type ReadColumn struct {
	Name string
	Type *types.Type
	// Place is the column's place among the table's, by which files without names are read; -1: by name.
	Place int
}

// Stats count what was read and what was left out; a group is a stripe.
type Stats struct{ Groups, GroupsSkipped, RowsSkipped, BytesRead int64 }

// ReadOptions say what to read of a file.
type ReadOptions struct {
	Columns       []ReadColumn
	CaseSensitive bool
	Start, Length int64          // the stripes that start in this range; Length 0: all
	Zone          *javatime.Zone // of local times
	// Skip reports whether rows can be left out of which bounds tells what is known, by places among Columns; nil: never.
	Skip func(bounds func(column int) (Bounds, bool)) bool
}

// Reader yields a file's rows in order. It is used by one goroutine.
type Reader struct {
	file     *File
	src      io.ReaderAt
	options  ReadOptions
	columns  []*Column // nil: not in the file
	readers  []reader  // nil for a column that the file lacks
	inflater *inflater
	missing  []*vector.Vector
	needed   []bool // by column of the file
	next     int    // the next stripe
	first    int64  // the next stripe's first row
	stripe   *stripe
	spans    []span // of the stripe, to be read
	at       int64  // row in the stripe
	batch    vector.Batch
	rowAt    int64

	Stats Stats
}

// span is rows [start, end) of a stripe; at a span's start the streams have to be brought to its group.
type span struct{ start, end int64 }

// NewReader begins reading.
func (f *File) NewReader(src io.ReaderAt, o ReadOptions) (*Reader, error) {
	if o.Zone == nil {
		var err error
		if o.Zone, err = javatime.ZoneOf("UTC"); err != nil {
			return nil, err
		}
	}
	r := &Reader{file: f, src: src, options: o, needed: make([]bool, len(f.footer.types))}
	var err error
	if r.inflater, err = newInflater(&f.post); err != nil {
		return nil, f.failed(err, "FAILED_READ_FILE.NO_HINT")
	}
	b := &builder{file: f, options: &r.options}
	positional := f.Positional()
	for _, want := range o.Columns {
		var c *Column
		if positional && want.Place >= 0 {
			if want.Place < len(f.Root.Children) {
				c = f.Root.Children[want.Place]
			}
		} else if c, err = b.find(f.Root.Children, want.Name); err != nil {
			return nil, err
		}
		var rd reader
		if c != nil {
			if rd, err = b.reader(c, want.Type, false); err != nil {
				return nil, err
			}
			r.mark(rd)
		}
		r.columns = append(r.columns, c)
		r.readers = append(r.readers, rd)
		r.missing = append(r.missing, nil)
		r.batch.Cols = append(r.batch.Cols, &vector.Vector{})
	}
	return r, nil
}

// find looks a field up by name: the exact one first.
func (b *builder) find(columns []*Column, name string) (*Column, error) {
	for _, c := range columns {
		if c.Name == name {
			return c, nil
		}
	}
	if b.options.CaseSensitive {
		return nil, nil
	}
	var found *Column
	for _, c := range columns {
		if !strings.EqualFold(c.Name, name) {
			continue
		}
		if found != nil {
			return nil, errs.New("_LEGACY_ERROR_TEMP_2093", "requiredFieldName", name, "matchedOrcFields", "["+found.Name+", "+c.Name+"]")
		}
		found = c
	}
	return found, nil
}

// mark notes the columns of the file whose streams a reader needs.
func (r *Reader) mark(rd reader) {
	r.needed[rd.column().id] = true
	for _, k := range rd.inner() {
		if k != nil {
			r.mark(k)
		}
	}
}

// RowIndex is the number, in the file, of the last batch's first row.
func (r *Reader) RowIndex() int64 { return r.rowAt }

// Close ends reading.
func (r *Reader) Close() error {
	r.inflater.close()
	return nil
}

// Next returns the next batch, or nil at the end; it is overwritten by the next call.
func (r *Reader) Next() (*vector.Batch, error) {
	for len(r.spans) == 0 {
		more, err := r.nextStripe()
		if err != nil {
			return nil, r.file.failed(err, "FAILED_READ_FILE.NO_HINT")
		}
		if !more {
			return nil, nil
		}
	}
	if err := r.fill(); err != nil {
		return nil, r.file.failed(err, "FAILED_READ_FILE.NO_HINT")
	}
	return &r.batch, nil
}

func (r *Reader) fill() error {
	s := &r.spans[0]
	if r.at != s.start {
		if err := r.seek(s.start); err != nil {
			return err
		}
	}
	n := int(min(s.end-s.start, vector.BatchRows))
	for i, rd := range r.readers {
		if rd == nil {
			if r.missing[i] == nil || r.missing[i].Len != n {
				r.missing[i] = vector.NewNull(r.options.Columns[i].Type, n)
			}
			r.batch.Cols[i] = r.missing[i]
		} else if err := rd.read(r.batch.Cols[i], n, nil); err != nil {
			return err
		}
	}
	r.batch.N, r.rowAt = n, r.stripe.first+s.start
	s.start += int64(n)
	r.at = s.start
	if s.start == s.end {
		r.spans = r.spans[1:]
	}
	return nil
}

// seek brings the streams to a row group's first row.
func (r *Reader) seek(row int64) error {
	group := int(row / int64(r.file.footer.stride))
	r.at = row
	entry := func(column uint64) (*positions, error) {
		list := r.stripe.index[column]
		if group >= len(list) {
			return nil, corrupt("the column %d has no index of its row group %d", column, group)
		}
		return &positions{list[group].positions}, nil
	}
	for _, rd := range r.readers {
		if rd != nil {
			if err := rd.seek(entry); err != nil {
				return err
			}
		}
	}
	return nil
}

// stripe is a stripe's wanted streams.
type stripe struct {
	footer  stripeFooter
	first   int64 // its first row in the file
	streams map[[2]uint64]*stream
	codec   *inflater
	index   map[uint64][]rowIndexEntry
}

// stream is a column's stream, or nil.
func (s *stripe) stream(c *Column, kind streamKind) *stream {
	return s.streams[[2]uint64{c.id, uint64(kind)}]
}

// need is a column's stream; writers leave out streams without bytes.
func (s *stripe) need(c *Column, kind streamKind) *stream {
	if in := s.stream(c, kind); in != nil {
		return in
	}
	return &stream{inflater: s.codec}
}

func (s *stripe) encoding(c *Column) (encoding, error) {
	if c.id >= uint64(len(s.footer.encodings)) {
		return encoding{}, corrupt("a stripe does not say how the column %d is encoded", c.id)
	}
	e := s.footer.encodings[c.id]
	if e.kind > dictionaryV2 {
		return e, corrupt("a column is encoded by method %d", uint64(e.kind))
	}
	return e, nil
}

func (e encoding) version2() bool { return e.kind == directV2 || e.kind == dictionaryV2 }

func (s *stripe) version2(c *Column) (bool, error) {
	e, err := s.encoding(c)
	return e.version2(), err
}

// nextStripe makes the next stripe that may hold wanted rows the current one.
func (r *Reader) nextStripe() (bool, error) {
	for ; r.next < len(r.file.footer.stripes); r.next++ {
		info := &r.file.footer.stripes[r.next]
		if info.rows > 1<<40 {
			return false, corrupt("a stripe has %d rows", info.rows)
		}
		first := r.first
		r.first += int64(info.rows)
		if r.options.Length > 0 && (int64(info.offset) < r.options.Start || int64(info.offset) >= r.options.Start+r.options.Length) || info.rows == 0 {
			continue
		}
		if r.skipStripe(info) {
			r.Stats.GroupsSkipped++
			r.Stats.RowsSkipped += int64(info.rows)
			continue
		}
		r.Stats.Groups++
		err := r.load(info, first)
		r.next++
		return true, err
	}
	return false, nil
}

// load reads a stripe's footer and the wanted streams, and finds the row groups that may hold wanted rows.
func (r *Reader) load(info *stripeInfo, first int64) error {
	body := info.indexLength + info.dataLength
	size := uint64(r.file.size)
	if info.offset > size || info.indexLength > size || info.dataLength > size || info.footerLength > size || info.offset+body+info.footerLength > size {
		return corrupt("a stripe lies behind the file's end")
	}
	raw, err := r.bytes(info.offset+body, info.footerLength)
	if err != nil {
		return err
	}
	text, err := r.file.post.inflate(raw)
	if err != nil {
		return err
	}
	s := &stripe{first: first, codec: r.inflater, streams: map[[2]uint64]*stream{}, index: map[uint64][]rowIndexEntry{}}
	if s.footer, err = parseStripeFooter(text); err != nil {
		return err
	}
	r.stripe, r.at, r.spans = s, 0, []span{{0, int64(info.rows)}}
	if err := r.streams(info, s, func(k streamKind) bool { return k == rowIndex && r.options.Skip != nil && r.file.footer.stride > 0 }); err != nil {
		return err
	}
	if err := r.groups(info, s); err != nil || len(r.spans) == 0 {
		return err
	}
	if err := r.streams(info, s, func(k streamKind) bool { return k < rowIndex }); err != nil {
		return err
	}
	for _, rd := range r.readers {
		if rd != nil {
			if err := rd.begin(s); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *Reader) bytes(at, n uint64) ([]byte, error) {
	b := make([]byte, n)
	k, err := r.src.ReadAt(b, int64(at))
	r.Stats.BytesRead += int64(k)
	if uint64(k) == n {
		return b, nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return nil, err
}

const gapBytes = 256 << 10 // what is rather read too than asked for apart

// streams reads the needed columns' streams of some kinds, neighbours at once.
func (r *Reader) streams(info *stripeInfo, s *stripe, wanted func(streamKind) bool) error {
	type piece struct {
		key     [2]uint64
		at, end uint64
	}
	var run []piece
	read := func() error {
		if len(run) == 0 {
			return nil
		}
		b, err := r.bytes(run[0].at, run[len(run)-1].end-run[0].at)
		if err != nil {
			return err
		}
		for _, p := range run {
			s.streams[p.key] = &stream{inflater: s.codec, raw: b[p.at-run[0].at : p.end-run[0].at]}
		}
		run = run[:0]
		return nil
	}
	at, end := info.offset, info.offset+info.indexLength+info.dataLength
	for _, st := range s.footer.streams {
		if st.length > end-at {
			return corrupt("a stream lies behind its stripe's end")
		}
		if st.column < uint64(len(r.needed)) && r.needed[st.column] && wanted(st.kind) {
			if len(run) > 0 && at-run[len(run)-1].end > gapBytes {
				if err := read(); err != nil {
					return err
				}
			}
			run = append(run, piece{[2]uint64{st.column, uint64(st.kind)}, at, at + st.length})
		}
		at += st.length
	}
	return read()
}
