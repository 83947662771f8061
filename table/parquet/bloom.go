package parquet

import (
	"encoding/binary"
	"errors"
	"io"
	"math"
	"math/bits"

	"github.com/parquet-go/parquet-go/bloom"
	"github.com/parquet-go/parquet-go/bloom/xxhash"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"millrace/types"
)

// BloomOptions say how a column's Bloom filters are made.
type BloomOptions struct {
	Values   int64   // how many values a row group is expected to have that differ; 0: the filter has MaxBytes
	Errors   float64 // the share of other values that a filter may let pass; 0: 0.01
	MaxBytes int64   // 0: 1 MiB
}

// filter is an empty filter of that size: a power of two, of at least one block.
func (o *BloomOptions) filter() bloom.SplitBlockFilter {
	most := o.MaxBytes
	if most == 0 {
		most = 1 << 20
	}
	size := float64(most)
	if o.Values > 0 {
		share := o.Errors
		if share == 0 {
			share = 0.01
		}
		size = min(size, -float64(o.Values)/math.Log(1-math.Pow(share, 1.0/8))) // of 8 bits each
	}
	n := int64(max(size, bloom.BlockSize))
	if n&(n-1) != 0 {
		n = 1 << bits.Len64(uint64(n))
	}
	return make(bloom.SplitBlockFilter, min(n, most)/bloom.BlockSize)
}

// bloomBytes is a filter with its header as it stands in a file.
func bloomBytes(f bloom.SplitBlockFilter) ([]byte, error) {
	head, err := thrift.Marshal(&compact, &format.BloomFilterHeader{NumBytes: int32(len(f) * bloom.BlockSize),
		Algorithm:   format.BloomFilterAlgorithm{Value: &format.SplitBlockAlgorithm{}},
		Hash:        format.BloomFilterHash{Value: &format.XxHash{}},
		Compression: format.BloomFilterCompression{Value: &format.BloomFilterUncompressed{}}})
	return append(head, f.Bytes()...), err
}

// bloomWord and bloomText note a value as PLAIN encodes it.
func (w *leafWriter) bloomWord(v uint64) {
	switch {
	case w.bloom == nil:
	case w.lane == lane32:
		w.bloom.Insert(xxhash.Sum64Uint32(uint32(v)))
	case w.physical == format.Int96:
		w.bloom.Insert(xxhash.Sum64(appendInt96(nil, v)))
	default:
		w.bloom.Insert(xxhash.Sum64Uint64(v))
	}
}

func (w *leafWriter) bloomText(v []byte) {
	if w.bloom != nil {
		w.bloom.Insert(xxhash.Sum64(v))
	}
}

// maxBloomHeader is more than the bytes of a filter's header.
const maxBloomHeader = 64

// bloomMay holds a predicate against the Bloom filters of a row group. What cannot be read leaves nothing out.
func (r *Reader) bloomMay(group int, p *Prune) bool {
	switch p.Op {
	case And:
		for _, a := range p.Args {
			if !r.bloomMay(group, a) {
				return false
			}
		}
	case Or:
		for _, a := range p.Args {
			if r.bloomMay(group, a) {
				return true
			}
		}
		return len(p.Args) == 0
	case Equal, In:
		f, ok := r.fields[p.Column].(*flat)
		if !ok || len(p.Values) == 0 {
			return true
		}
		return f.chunk.bloomMay(r.source, &r.file.meta.RowGroups[group].Columns[f.chunk.col.leaf].Meta, p.Values)
	}
	return true
}

func (c *chunk) bloomMay(source io.ReaderAt, m *columnMeta, values []any) bool {
	if m.BloomOffset <= 0 || !c.dec.typ.SameData(c.col.Type) {
		return true
	}
	var hashes []uint64
	for _, v := range values {
		h := c.bloomHashes(v)
		if h == nil {
			return true
		}
		hashes = append(hashes, h...)
	}
	var buf [maxBloomHeader]byte
	n, err := source.ReadAt(buf[:], m.BloomOffset)
	if err != nil && !errors.Is(err, io.EOF) {
		return true
	}
	var head format.BloomFilterHeader
	size, err := c.messages.read(buf[:n], &head)
	if err != nil || head.NumBytes < bloom.BlockSize || head.NumBytes%bloom.BlockSize != 0 {
		return true
	}
	_, block := head.Algorithm.Value.(*format.SplitBlockAlgorithm)
	_, hash := head.Hash.Value.(*format.XxHash)
	_, plain := head.Compression.Value.(*format.BloomFilterUncompressed)
	if !block || !hash || !plain {
		return true
	}
	bitset := io.NewSectionReader(source, m.BloomOffset+int64(size), int64(head.NumBytes))
	for _, h := range hashes {
		if found, err := bloom.CheckSplitBlock(bitset, int64(head.NumBytes), h); found || err != nil {
			return true
		}
	}
	return false
}

// bloomHashes are those of a value, of which zeros of floats have two; nil if it is not known how the file would have the value.
func (c *chunk) bloomHashes(v any) []uint64 {
	t := c.dec.typ.Kind
	switch x := v.(type) {
	case int64:
		switch {
		case c.col.physical == format.Int32 && (t == types.KindByte || t == types.KindShort || t == types.KindInteger || t == types.KindDate):
			return []uint64{xxhash.Sum64Uint32(uint32(int32(x)))}
		case c.col.physical == format.Int64 && (t == types.KindLong || (t == types.KindTimestamp || t == types.KindTimestampNTZ) && inMicros(c.col.elem)):
			return []uint64{xxhash.Sum64Uint64(uint64(x))}
		}
	case float64:
		list := []float64{x}
		if x == 0 {
			list = []float64{0, math.Copysign(0, -1)}
		}
		var hashes []uint64
		for _, x := range list {
			switch {
			case c.col.physical == format.Float && t == types.KindFloat:
				hashes = append(hashes, xxhash.Sum64Uint32(math.Float32bits(float32(x))))
			case c.col.physical == format.Double && t == types.KindDouble:
				hashes = append(hashes, xxhash.Sum64Uint64(math.Float64bits(x)))
			}
		}
		return hashes
	case []byte:
		if c.col.physical == format.ByteArray && (t == types.KindString || t == types.KindBinary) {
			return []uint64{xxhash.Sum64(x)}
		}
	}
	return nil
}

// inMicros reports whether a file's timestamps count microseconds.
func inMicros(e *schemaElement) bool {
	a, ok := annotation(e).(*format.TimestampType)
	if !ok {
		return false
	}
	_, micros := a.Unit.Value.(*format.MicroSeconds)
	return micros
}

// appendInt96 appends microseconds since 1970 in UTC as Hive and Impala have them: nanoseconds of the day, and its Julian number.
func appendInt96(dst []byte, v uint64) []byte {
	const dayMicros, julianEpoch = 86_400_000_000, 2_440_588
	day := int64(v) / dayMicros
	rest := int64(v) % dayMicros
	if rest < 0 {
		day, rest = day-1, rest+dayMicros
	}
	dst = binary.LittleEndian.AppendUint64(dst, uint64(rest)*1000)
	return binary.LittleEndian.AppendUint32(dst, uint32(day+julianEpoch))
}
