package shuffle

import (
	"encoding/binary"
	"hash/crc32"
	"io"

	"github.com/pierrec/lz4/v4"

	"millrace/errs"
)

// A frame holds the messages of one batch in a file:
//
//	u32 stored bytes, u32 raw bytes, u32 CRC-32C of the stored bytes, stored bytes
//
// little-endian. The stored bytes are an LZ4 block, or the raw ones when both lengths are equal. Raw, each message is
//
//	u32 metadata bytes, u32 body bytes, metadata, padding to 8, body, padding to 8
const frameHeader = 12

// maxFrame bounds what a damaged length can make the reader allocate.
const maxFrame = 2 << 30

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func padded(n int) int { return (n + 7) &^ 7 }

// framer makes frames; its memory is reused.
type framer struct {
	raw, out []byte
	lz       lz4.Compressor
}

// frame is the frame of these messages, valid until the next call.
func (f *framer) frame(msgs []message) ([]byte, error) {
	f.raw = f.raw[:0]
	var zeros [8]byte
	for _, m := range msgs {
		f.raw = binary.LittleEndian.AppendUint32(f.raw, uint32(len(m.meta)))
		f.raw = binary.LittleEndian.AppendUint32(f.raw, uint32(len(m.body)))
		f.raw = append(f.raw, m.meta...)
		f.raw = append(f.raw, zeros[:padded(len(f.raw))-len(f.raw)]...)
		f.raw = append(f.raw, m.body...)
		f.raw = append(f.raw, zeros[:padded(len(f.raw))-len(f.raw)]...)
	}
	if need := frameHeader + lz4.CompressBlockBound(len(f.raw)); cap(f.out) < need {
		f.out = make([]byte, need)
	}
	f.out = f.out[:cap(f.out)]
	n, err := f.lz.CompressBlock(f.raw, f.out[frameHeader:])
	if err != nil {
		return nil, errs.Wrap(err, "compress a frame of %d bytes", len(f.raw))
	}
	if n == 0 || n >= len(f.raw) {
		n = copy(f.out[frameHeader:], f.raw)
	}
	f.out = f.out[:frameHeader+n]
	binary.LittleEndian.PutUint32(f.out, uint32(n))
	binary.LittleEndian.PutUint32(f.out[4:], uint32(len(f.raw)))
	binary.LittleEndian.PutUint32(f.out[8:], crc32.Checksum(f.out[frameHeader:], castagnoli))
	return f.out, nil
}

// readFrame reads a frame's messages. They are in memory of their own.
func readFrame(r io.Reader) ([]message, error) {
	var h [frameHeader]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return nil, err
	}
	if n := binary.LittleEndian.Uint32(h[:]); n > maxFrame || binary.LittleEndian.Uint32(h[4:]) > maxFrame {
		return nil, errs.Newf(errs.Lost, "a frame claims to have %d bytes", n)
	}
	stored := make([]byte, binary.LittleEndian.Uint32(h[:]))
	if _, err := io.ReadFull(r, stored); err != nil {
		return nil, errs.Newf(errs.Lost, "a frame is cut off: %v", err)
	}
	if crc32.Checksum(stored, castagnoli) != binary.LittleEndian.Uint32(h[8:]) {
		return nil, errs.Newf(errs.Lost, "a frame's checksum is wrong")
	}
	raw := stored
	if size := int(binary.LittleEndian.Uint32(h[4:])); size != len(stored) {
		raw = make([]byte, size)
		if n, err := lz4.UncompressBlock(stored, raw); err != nil || n != size {
			return nil, errs.Newf(errs.Lost, "a frame cannot be uncompressed: %v", err)
		}
	}
	return splitFrame(raw)
}

func splitFrame(raw []byte) ([]message, error) {
	var msgs []message
	for at := 0; at < len(raw); {
		if at+8 > len(raw) {
			return nil, errs.Newf(errs.Lost, "a frame's message is cut off")
		}
		meta := at + 8
		metaEnd := meta + int(binary.LittleEndian.Uint32(raw[at:]))
		body := padded(metaEnd)
		end := body + int(binary.LittleEndian.Uint32(raw[at+4:]))
		if end > len(raw) {
			return nil, errs.Newf(errs.Lost, "a frame's message is cut off")
		}
		msgs = append(msgs, message{raw[meta:metaEnd:metaEnd], raw[body:end:end]})
		at = padded(end)
	}
	return msgs, nil
}
