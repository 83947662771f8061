package delta

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"strings"

	"github.com/RoaringBitmap/roaring/v2/roaring64"
	"github.com/google/uuid"

	"millrace/errs"
)

// DeletionVector names the set of rows of a data file that are gone.
type DeletionVector struct {
	StorageType    string `json:"storageType"` // i inline, u relative file named by a UUID, p absolute file
	PathOrInlineDV string `json:"pathOrInlineDv"`
	Offset         *int32 `json:"offset,omitempty"`
	SizeInBytes    int32  `json:"sizeInBytes"`
	Cardinality    int64  `json:"cardinality"`
	MaxRowIndex    *int64 `json:"maxRowIndex,omitempty"`
}

// ID is the vector's unique name, part of the file's identity in the log.
func (d *DeletionVector) ID() string {
	id := d.StorageType + d.PathOrInlineDV
	if d.Offset != nil {
		id += "@" + itoa(int64(*d.Offset))
	}
	return id
}

// Path is the file that holds the vector, relative to the table or absolute; empty for an inline one.
func (d *DeletionVector) Path() (string, error) {
	switch d.StorageType {
	case "i":
		return "", nil
	case "p":
		return d.PathOrInlineDV, nil
	case "u":
		// A random prefix of any length, and the UUID in 20 characters.
		n := len(d.PathOrInlineDV) - 20
		if n < 0 {
			break
		}
		raw, err := z85Decode(d.PathOrInlineDV[n:])
		if err != nil {
			return "", err
		}
		id, err := uuid.FromBytes(raw)
		if err != nil {
			return "", errs.Newf(errs.Invalid, "deletion vector %s: %v", d.PathOrInlineDV, err)
		}
		name := "deletion_vector_" + id.String() + ".bin"
		if n > 0 {
			name = d.PathOrInlineDV[:n] + "/" + name
		}
		return name, nil
	}
	return "", errs.Newf(errs.Invalid, "deletion vector of unknown storage %q: %s", d.StorageType, d.PathOrInlineDV)
}

// Span is the part of the vector's file to read for FromFile: the length, the vector and the checksum.
func (d *DeletionVector) Span() (offset, length int64) {
	offset = 1 // the file's format version, when the descriptor says nothing
	if d.Offset != nil {
		offset = int64(*d.Offset)
	}
	return offset, int64(d.SizeInBytes) + 8
}

// Inline decodes a vector that the log itself holds.
func (d *DeletionVector) Inline() (*roaring64.Bitmap, error) {
	raw, err := z85Decode(d.PathOrInlineDV)
	if err != nil {
		return nil, err
	}
	if int(d.SizeInBytes) > len(raw) || d.SizeInBytes < 0 {
		return nil, errs.New("DELTA_DELETION_VECTOR_SIZE_MISMATCH")
	}
	return d.decode(raw[:d.SizeInBytes])
}

// FromFile decodes the bytes of Span.
func (d *DeletionVector) FromFile(span []byte) (*roaring64.Bitmap, error) {
	if len(span) != int(d.SizeInBytes)+8 || binary.BigEndian.Uint32(span) != uint32(d.SizeInBytes) {
		return nil, errs.New("DELTA_DELETION_VECTOR_SIZE_MISMATCH")
	}
	body := span[4 : len(span)-4]
	if crc32.ChecksumIEEE(body) != binary.BigEndian.Uint32(span[len(span)-4:]) {
		return nil, errs.New("DELTA_DELETION_VECTOR_CHECKSUM_MISMATCH")
	}
	return d.decode(body)
}

const (
	dvMagicPortable = 1681511377 // a little-endian count of 32-bit bitmaps, each with its high word
)

func (d *DeletionVector) decode(body []byte) (*roaring64.Bitmap, error) {
	if len(body) < 4 {
		return nil, errs.New("DELTA_DELETION_VECTOR_SIZE_MISMATCH")
	}
	if magic := binary.LittleEndian.Uint32(body); magic != dvMagicPortable {
		return nil, errs.Newf(errs.Invalid, "deletion vector %s has the unknown format %d", d.ID(), magic)
	}
	b := roaring64.New()
	if _, err := b.ReadFrom(bytes.NewReader(body[4:])); err != nil {
		return nil, errs.Newf(errs.Invalid, "decode deletion vector %s: %v", d.ID(), err)
	}
	if b.GetCardinality() != uint64(d.Cardinality) {
		return nil, errs.New("DELTA_DELETION_VECTOR_CARDINALITY_MISMATCH")
	}
	return b, nil
}

// EncodeFile makes the content of the file deletion_vector_<id>.bin with some vectors, and their descriptors.
func EncodeFile(id uuid.UUID, vectors ...*roaring64.Bitmap) ([]byte, []*DeletionVector, error) {
	file := []byte{1} // the format's version
	out := make([]*DeletionVector, len(vectors))
	for i, rows := range vectors {
		raw, err := rows.ToBytes()
		if err != nil {
			return nil, nil, errs.Wrap(err, "encode a deletion vector")
		}
		offset := int32(len(file))
		body := append(binary.LittleEndian.AppendUint32(nil, dvMagicPortable), raw...)
		file = append(binary.BigEndian.AppendUint32(file, uint32(len(body))), body...)
		file = binary.BigEndian.AppendUint32(file, crc32.ChecksumIEEE(body))
		out[i] = &DeletionVector{StorageType: "u", PathOrInlineDV: z85Encode(id[:]), Offset: &offset, SizeInBytes: int32(len(body)),
			Cardinality: int64(rows.GetCardinality())}
	}
	return file, out, nil
}

// EncodeInline makes the descriptor of a small vector to be kept in the log.
func EncodeInline(rows *roaring64.Bitmap) (*DeletionVector, error) {
	body := binary.LittleEndian.AppendUint32(nil, dvMagicPortable)
	raw, err := rows.ToBytes()
	if err != nil {
		return nil, errs.Wrap(err, "encode a deletion vector")
	}
	body = append(body, raw...)
	size := int32(len(body))
	for len(body)%4 != 0 {
		body = append(body, 0)
	}
	return &DeletionVector{StorageType: "i", PathOrInlineDV: z85Encode(body), SizeInBytes: size, Cardinality: int64(rows.GetCardinality())}, nil
}

// Z85 is ZeroMQ's base-85 (rfc.zeromq.org/spec/32).
const z85Digits = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"

// z85Decode decodes groups of five digits into four bytes each. Some writers shorten the last group: as many # as bytes are missing
// stand in front of the digits of the others. No whole group can begin with #, whose value alone is too large.
func z85Decode(s string) ([]byte, error) {
	if len(s)%5 != 0 {
		return nil, errs.Newf(errs.Invalid, "deletion vector: %d characters are no Z85 text", len(s))
	}
	out := make([]byte, 0, len(s)/5*4)
	for i := 0; i < len(s); i += 5 {
		group, missing := s[i:i+5], 0
		if i+5 == len(s) {
			missing = min(5-len(strings.TrimLeft(group, "#")), 3)
		}
		var v uint64
		for _, c := range []byte(group[missing:]) {
			digit := strings.IndexByte(z85Digits, c)
			if digit < 0 {
				return nil, errs.Newf(errs.Invalid, "deletion vector: %q is no Z85 digit", c)
			}
			v = v*85 + uint64(digit)
		}
		if v >= 1<<(8*(4-missing)) {
			return nil, errs.Newf(errs.Invalid, "deletion vector: Z85 group %q is too large", group)
		}
		out = append(out, binary.BigEndian.AppendUint32(nil, uint32(v))[missing:]...)
	}
	return out, nil
}

func z85Encode(b []byte) string {
	out := make([]byte, 0, len(b)/4*5)
	for i := 0; i+4 <= len(b); i += 4 {
		v := binary.BigEndian.Uint32(b[i:])
		var group [5]byte
		for j := 4; j >= 0; j-- {
			group[j] = z85Digits[v%85]
			v /= 85
		}
		out = append(out, group[:]...)
	}
	return string(out)
}
