package linalg

import (
	"encoding/base64"
	"encoding/binary"
	"math"

	"millrace/errs"
)

// Text writes doubles as text that FromText reads back unchanged: for options of calls, where a model's coefficients are too many to be
// arguments that would be spread over every batch.
func Text(values []float64) string {
	b := make([]byte, 0, 8*len(values))
	for _, x := range values {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(x))
	}
	return base64.StdEncoding.EncodeToString(b)
}

// FromText reads what Text wrote.
func FromText(s string) ([]float64, error) {
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil || len(b)%8 != 0 {
		return nil, errs.Newf(errs.Internal, "a text that should hold doubles is damaged")
	}
	out := make([]float64, len(b)/8)
	for i := range out {
		out[i] = math.Float64frombits(binary.LittleEndian.Uint64(b[8*i:]))
	}
	return out, nil
}
