package parquet

import (
	"encoding/binary"
	"unsafe"

	"github.com/parquet-go/parquet-go/encoding/delta"
	"github.com/parquet-go/parquet-go/format"

	"millrace/errs"
)

// transcode turns the values of a page in one of the rarer encodings into PLAIN ones.
func transcode(c *Column, enc format.Encoding, data []byte, most int) (plain []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = corrupt("a page encoded as %s: %v", enc, p)
		}
	}()
	switch enc {
	case format.DeltaBinaryPacked:
		return deltaInts(c, data, most)
	case format.DeltaLengthByteArray:
		bytes, offsets, err := new(delta.LengthByteArrayEncoding).DecodeByteArray(nil, data, nil)
		return prefixLengths(bytes, offsets), err
	case format.DeltaByteArray:
		if c.physical == format.FixedLenByteArray {
			return new(delta.ByteArrayEncoding).DecodeFixedLenByteArray(nil, data, c.length)
		}
		bytes, offsets, err := new(delta.ByteArrayEncoding).DecodeByteArray(nil, data, nil)
		return prefixLengths(bytes, offsets), err
	case format.ByteStreamSplit:
		return joinStreams(data, slotBytes(c))
	}
	return nil, errs.Unsupportedf("Parquet values of type %s encoded as %s are not supported.", physicalName(c.physical), enc)
}

func deltaInts(c *Column, data []byte, most int) ([]byte, error) {
	// The encoding's header tells the number of values; hold it against the page's before it is believed.
	_, a := binary.Uvarint(data)
	_, b := binary.Uvarint(data[max(a, 0):])
	if n, k := binary.Uvarint(data[max(a, 0)+max(b, 0):]); a <= 0 || b <= 0 || k <= 0 || n > uint64(most) {
		return nil, errShortPage
	}
	e := new(delta.BinaryPackedEncoding)
	if c.physical == format.Int32 {
		values, err := e.DecodeInt32(nil, data)
		return bytesOf(values), err
	}
	values, err := e.DecodeInt64(nil, data)
	return bytesOf(values), err
}

func bytesOf[T any](values []T) []byte {
	var zero T
	if len(values) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(values))), len(values)*int(unsafe.Sizeof(zero)))
}

// prefixLengths lays strings out as PLAIN does, each with its length in front.
func prefixLengths(bytes []byte, offsets []uint32) []byte {
	if len(offsets) < 2 {
		return nil
	}
	out := make([]byte, 0, len(bytes)+4*len(offsets))
	for i, end := range offsets[1:] {
		start := offsets[i]
		out = binary.LittleEndian.AppendUint32(out, end-start)
		out = append(out, bytes[start:end]...)
	}
	return out
}

// joinStreams puts the k-th bytes of all values, which lie together, back into the values.
func joinStreams(data []byte, width int) ([]byte, error) {
	if width == 0 || len(data)%width != 0 {
		return nil, errShortPage
	}
	n := len(data) / width
	out := make([]byte, len(data))
	for k := range width {
		stream := data[k*n : (k+1)*n]
		for i, b := range stream {
			out[i*width+k] = b
		}
	}
	return out, nil
}
