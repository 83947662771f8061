package state

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"hash"
	"hash/crc32"
	"io"

	"github.com/klauspost/compress/s2"

	"millrace/errs"
)

const (
	magic      = "MRSTATE1"
	frameBytes = 256 << 10 // of records in a frame, before compression
	maxFrame   = 1 << 30   // a longer one is damage
	kindHeader = 'H'
	kindData   = 'D'
	kindFooter = 'E'
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// chain identifies a version's content and its history.
type chain [16]byte

func (c chain) String() string { return hex.EncodeToString(c[:]) }

// header says what a file is.
type header struct {
	Kind       string `json:"kind"` // delta or snapshot
	Query      string `json:"query"`
	Operator   int    `json:"operator"`
	Partition  int    `json:"partition"`
	Partitions int    `json:"partitions"`
	Version    int64  `json:"version"`
	Key        string `json:"key"` // the keys' and values' types
	Value      string `json:"value"`
	Parent     string `json:"parent,omitempty"` // a delta's
	Input      string `json:"input,omitempty"`
}

// footer ends a file.
type footer struct {
	Records int64  `json:"records"`
	Rows    int64  `json:"rows"`  // keys in the version
	Bytes   int64  `json:"bytes"` // of these keys and their values
	Chain   string `json:"chain"`
}

// fileWriter writes one file. Records come in whole.
type fileWriter struct {
	w       io.Writer
	raw     []byte // records of the frame in the making
	packed  []byte
	records int64
}

func newFileWriter(w io.Writer, h header) (*fileWriter, error) {
	f := &fileWriter{w: w}
	if _, err := io.WriteString(w, magic); err != nil {
		return nil, err
	}
	text, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	return f, f.frame(kindHeader, text)
}

func (f *fileWriter) frame(kind byte, payload []byte) error {
	var head [9]byte
	head[8] = kind
	sum := crc32.Update(crc32.Checksum(head[8:], castagnoli), castagnoli, payload)
	binary.LittleEndian.PutUint32(head[:], uint32(len(payload)+1))
	binary.LittleEndian.PutUint32(head[4:], sum)
	if _, err := f.w.Write(head[:]); err != nil {
		return err
	}
	_, err := f.w.Write(payload)
	return err
}

// add writes records that are already encoded; n of them.
func (f *fileWriter) add(records []byte, n int64) error {
	f.records += n
	f.raw = append(f.raw, records...)
	if len(f.raw) >= frameBytes {
		return f.flush()
	}
	return nil
}

func (f *fileWriter) flush() error {
	if len(f.raw) == 0 {
		return nil
	}
	f.packed = s2.Encode(f.packed[:cap(f.packed)], f.raw)
	f.raw = f.raw[:0]
	return f.frame(kindData, f.packed)
}

func (f *fileWriter) finish(end footer) error {
	if err := f.flush(); err != nil {
		return err
	}
	end.Records = f.records
	text, err := json.Marshal(end)
	if err != nil {
		return err
	}
	return f.frame(kindFooter, text)
}

var errDamaged = errors.New("the file is damaged")

// readFile reads a file: first its header goes to check, then every frame's records to each, which may keep them. It returns the footer
// once the file has shown to be whole.
func readFile(r io.Reader, check func(header) error, each func(records []byte) error) (footer, error) {
	var end footer
	begin := make([]byte, len(magic))
	if _, err := io.ReadFull(r, begin); err != nil || string(begin) != magic {
		return end, errs.Newf(errs.Invalid, "it is no state file of this system")
	}
	kind, payload, err := readFrame(r)
	if err != nil {
		return end, err
	}
	var h header
	if kind != kindHeader || json.Unmarshal(payload, &h) != nil {
		return end, errDamaged
	}
	if err := check(h); err != nil {
		return end, err
	}
	records := int64(0)
	for {
		if kind, payload, err = readFrame(r); err != nil {
			return end, err
		}
		switch kind {
		case kindData:
			raw, err := s2.Decode(nil, payload)
			if err != nil {
				return end, errDamaged
			}
			n, err := countRecords(raw)
			if err != nil {
				return end, err
			}
			records += n
			if err := each(raw); err != nil {
				return end, err
			}
		case kindFooter:
			if json.Unmarshal(payload, &end) != nil || end.Records != records {
				return end, errDamaged
			}
			return end, nil
		default:
			return end, errDamaged
		}
	}
}

func readFrame(r io.Reader) (kind byte, payload []byte, err error) {
	var head [8]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, broken(err)
	}
	n := binary.LittleEndian.Uint32(head[:])
	if n == 0 || n > maxFrame {
		return 0, nil, errDamaged
	}
	var b bytes.Buffer // grows with what is there, whatever a damaged length says
	if got, err := io.CopyN(&b, r, int64(n)); err != nil || got < int64(n) {
		return 0, nil, broken(err)
	}
	payload = b.Bytes()
	if crc32.Checksum(payload, castagnoli) != binary.LittleEndian.Uint32(head[4:]) {
		return 0, nil, errDamaged
	}
	return payload[0], payload[1:], nil
}

// broken is damage where the file ends too early, and else the store's error.
func broken(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errDamaged
	}
	return err
}

// Change is what a batch did to a key. The slices belong to the view.
type Change struct {
	Key, Value []byte
	Updated    bool // the batch has given it Value
	Removed    bool // it is not in the version any more; Value is its last one
}

const (
	flagUpdated = 1
	flagRemoved = 2
)

func (c Change) append(to []byte) []byte {
	flags := byte(0)
	if c.Updated {
		flags |= flagUpdated
	}
	if c.Removed {
		flags |= flagRemoved
	}
	to = append(to, flags)
	to = binary.AppendUvarint(to, uint64(len(c.Key)))
	to = append(to, c.Key...)
	to = binary.AppendUvarint(to, uint64(len(c.Value)))
	return append(to, c.Value...)
}

// nextChange reads the first record and returns the rest.
func nextChange(records []byte) (c Change, rest []byte, err error) {
	if len(records) == 0 {
		return c, nil, errDamaged
	}
	flags := records[0]
	if flags == 0 || flags > flagUpdated|flagRemoved {
		return c, nil, errDamaged
	}
	c.Updated, c.Removed = flags&flagUpdated != 0, flags&flagRemoved != 0
	if c.Key, rest, err = nextBytes(records[1:]); err != nil {
		return c, nil, err
	}
	c.Value, rest, err = nextBytes(rest)
	return c, rest, err
}

func nextBytes(b []byte) (value, rest []byte, err error) {
	n, k := binary.Uvarint(b)
	if k <= 0 || uint64(len(b)-k) < n {
		return nil, nil, errDamaged
	}
	return b[k : k+int(n)], b[k+int(n):], nil
}

func countRecords(records []byte) (n int64, err error) {
	for len(records) > 0 {
		if _, records, err = nextChange(records); err != nil {
			return 0, err
		}
		n++
	}
	return n, nil
}

// linker computes the chain of the version after parent from its records.
type linker struct{ h hash.Hash }

func newLinker(parent chain) linker {
	l := linker{sha256.New()}
	l.h.Write(parent[:])
	return l
}

func (l linker) add(records []byte) { l.h.Write(records) }

func (l linker) sum() chain { return chain(l.h.Sum(nil)[:len(chain{})]) }

func parseChain(text string) (c chain, err error) {
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != len(c) {
		return c, errDamaged
	}
	return chain(b), nil
}
