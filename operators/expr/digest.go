package expr

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"hash/crc32"

	"millrace/vector"
)

func init() {
	Register("md5", digest(func(s []byte) []byte { h := md5.Sum(s); return h[:] }))
	Register("sha1", digest(func(s []byte) []byte { h := sha1.Sum(s); return h[:] }))
	Register("sha2", Func{Strict: true, Pure: true, Build: func(*Call) (Kernel, error) { return sha2, nil }})
	Register("crc32", Func{Strict: true, Pure: true, Build: func(*Call) (Kernel, error) {
		return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
			r := vector.Values[int64](out)
			Rows(sel, n, func(i int) { r[i] = int64(crc32.ChecksumIEEE(args[0].Str(i))) })
			return nil
		}, nil
	}})
}

// digest is a function of bytes whose result is shown in hexadecimal.
func digest(sum func([]byte) []byte) Func {
	return Func{Strict: true, Pure: true, Build: func(*Call) (Kernel, error) {
		return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
			w := NewStringWriter(out, n)
			Rows(sel, n, func(i int) { w.Commit(i, hex.AppendEncode(w.Buffer(), sum(args[0].Str(i)))) })
			w.Close()
			return nil
		}, nil
	}}
}

// sha2 is null for lengths other than 0 (that is 256), 224, 256, 384 and 512.
func sha2(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
	w := NewStringWriter(out, n)
	sizes, m := vector.Values[int32](args[1]), stride(args[1])
	Rows(sel, n, func(i int) {
		s, buf := args[0].Str(i), w.Buffer()
		switch sizes[i&m] {
		case 0, 256:
			h := sha256.Sum256(s)
			buf = hex.AppendEncode(buf, h[:])
		case 224:
			h := sha256.Sum224(s)
			buf = hex.AppendEncode(buf, h[:])
		case 384:
			h := sha512.Sum384(s)
			buf = hex.AppendEncode(buf, h[:])
		case 512:
			h := sha512.Sum512(s)
			buf = hex.AppendEncode(buf, h[:])
		default:
			out.SetNull(i)
		}
		w.Commit(i, buf)
	})
	w.Close()
	return nil
}
