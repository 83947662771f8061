package expr

import (
	"errors"
	"strings"

	"millrace/errs"
	planpb "millrace/proto/millrace/plan/v1"
	"millrace/vector"
)

// Rows calls f for every row in sel (nil: 0..n-1). For kernels whose work per row is far more than a call.
func Rows(sel []uint32, n int, f func(i int)) {
	if sel == nil {
		for i := range n {
			f(i)
		}
		return
	}
	for _, i := range sel {
		f(int(i))
	}
}

// RowsErr is Rows that ends at the first error.
func RowsErr(sel []uint32, n int, f func(i int) error) error {
	if sel == nil {
		for i := range n {
			if err := f(i); err != nil {
				return err
			}
		}
		return nil
	}
	for _, i := range sel {
		if err := f(int(i)); err != nil {
			return err
		}
	}
	return nil
}

// validRows writes into buf the rows of sel (nil: 0..n-1) whose bit is set.
func validRows(buf []uint32, valid vector.Bitmap, sel []uint32, n int) []uint32 {
	size := n
	if sel != nil {
		size = len(sel)
	}
	buf = growSel(buf, size)
	k := 0
	if sel == nil {
		for i := range n {
			buf[k] = uint32(i)
			k += int(valid[i>>6] >> (uint(i) & 63) & 1)
		}
		return buf[:k]
	}
	for _, i := range sel {
		buf[k] = i
		k += int(valid[i>>6] >> (i & 63) & 1)
	}
	return buf[:k]
}

// growSel returns a slice of n row numbers, not nil, that holds anything.
func growSel(b []uint32, n int) []uint32 {
	if cap(b) > n {
		return b[:n]
	}
	return make([]uint32, n, n+n/4+1)
}

// b2i is 1 for true; the compiler makes it one instruction without a branch.
func b2i(b bool) int {
	var i int
	if b {
		i = 1
	}
	return i
}

// stride is the mask of row numbers for an argument: 0 for a constant, so that i&stride is its one row.
func stride(v *vector.Vector) int {
	if v.Const {
		return 0
	}
	return -1
}

// StringWriter builds a string column whose rows come in ascending order, perhaps with gaps, which become empty strings.
type StringWriter struct {
	v    *vector.Vector
	next int
	n    int
}

// NewStringWriter starts writing out, a Reset string vector of n rows.
func NewStringWriter(out *vector.Vector, n int) StringWriter { return StringWriter{v: out, n: n} }

// Append sets row i.
func (w *StringWriter) Append(i int, s []byte) {
	w.fill(i)
	w.v.Bytes = append(w.v.Bytes, s...)
	w.v.Offsets[i+1] = int32(len(w.v.Bytes))
	w.next = i + 1
}

// Buffer is the bytes written so far, for appending row i in place: give the longer slice to Commit.
func (w *StringWriter) Buffer() []byte { return w.v.Bytes }

// Commit sets row i to what was appended to Buffer.
func (w *StringWriter) Commit(i int, buf []byte) {
	w.fill(i)
	w.v.Bytes = buf
	w.v.Offsets[i+1] = int32(len(buf))
	w.next = i + 1
}

func (w *StringWriter) fill(i int) {
	for ; w.next < i; w.next++ {
		w.v.Offsets[w.next+1] = w.v.Offsets[w.next]
	}
}

// Close fills the rows after the last.
func (w *StringWriter) Close() { w.fill(w.n) }

// Wrap adds where the user wrote the call to an error that is one of errs.
func Wrap(c *Call, err error) error {
	var e *errs.Error
	if err == nil || c.Origin == nil || !errors.As(err, &e) || len(e.Context) > 0 || withoutContext[mainCondition(e.Condition)] {
		return err
	}
	return e.With(queryContext(c.Origin))
}

// withoutContext are the conditions, without what follows a dot, for which Spark does not show where they arose.
var withoutContext = map[string]bool{"BINARY_ARITHMETIC_OVERFLOW": true, "CAST_OVERFLOW": true, "CAST_OVERFLOW_IN_TABLE_INSERT": true,
	"INVALID_PARAMETER_VALUE": true, "COLLECTION_SIZE_LIMIT_EXCEEDED": true, "_LEGACY_ERROR_TEMP_3242": true, "DUPLICATED_MAP_KEY": true, "NULL_MAP_KEY": true,
	"COMPARATOR_RETURNS_NULL": true, "MALFORMED_RECORD_IN_PARSING": true, "CANNOT_PARSE_TIME": true, "CONVERSION_INVALID_INPUT": true,
	"INVALID_FORMAT": true, "INVALID_UTF8_STRING": true, "UNSUPPORTED_FEATURE": true}

func mainCondition(c string) string {
	main, _, _ := strings.Cut(c, ".")
	return main
}

func queryContext(o *planpb.Origin) errs.QueryContext {
	q := errs.QueryContext{DataFrame: o.Dataframe, Start: int(o.Start), Stop: int(o.Stop), Fragment: o.Fragment, CallSite: o.CallSite, SQL: o.Sql}
	if !o.Dataframe && q.Fragment == "" && int(o.Stop) < len(o.Sql) && o.Start <= o.Stop {
		if r := []rune(o.Sql); int(o.Stop) < len(r) {
			q.Fragment = string(r[o.Start : o.Stop+1])
		}
	}
	return q
}
