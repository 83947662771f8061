package expr

import (
	"strings"

	"millrace/errs"
	"millrace/numberformat"
	"millrace/types"
	"millrace/vector"

	"github.com/apache/arrow-go/v18/arrow/decimal128"
)

func init() {
	Register("to_number", Func{Strict: true, Pure: true, Build: buildToNumber})
	Register("try_to_number", Func{Strict: true, Pure: true, Build: buildToNumber})
	Register("to_char", Func{Strict: true, Pure: true, Build: func(c *Call) (Kernel, error) { return textKernel(toChar()), nil }})
}

// numberFormats compiles patterns; a call has one, which the analyser has checked.
type numberFormats struct {
	last lastPattern[*numberformat.Format]
}

func (f *numberFormats) get(pattern []byte) (*numberformat.Format, error) {
	return f.last.get(pattern, func(text []byte) (*numberformat.Format, error) {
		out, problem := numberformat.New(strings.ToUpper(string(text)))
		if problem != nil {
			return nil, errs.Newf(errs.Internal, "number format %q", text)
		}
		return out, nil
	})
}

// misfitNumber is the error of a value that does not match a pattern.
func misfitNumber(t *types.Type, value, pattern string) error {
	return errs.New("INVALID_FORMAT.MISMATCH_INPUT", "inputType", `"`+t.SQL()+`"`, "input", value, "format", pattern)
}

func buildToNumber(c *Call) (Kernel, error) {
	short := c.Out.Precision <= types.MaxShortDecimal
	try := c.Name == "try_to_number"
	in, formats := &inputs{}, &numberFormats{}
	return func(_ *Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		in.set(args)
		return RowsErr(sel, n, func(i int) error {
			f, err := formats.get(in.str(1, i))
			if err != nil {
				return err
			}
			v, ok := f.Parse(string(in.str(0, i)))
			switch {
			case !ok && try:
				out.SetNull(i)
			case !ok:
				return misfitNumber(types.String, string(in.str(0, i)), string(in.str(1, i)))
			case short:
				vector.Values[int64](out)[i] = v.Int64()
			default:
				vector.Values[decimal128.Num](out)[i] = decimal128.FromBigInt(v)
			}
			return nil
		})
	}, nil
}

// toChar writes decimals.
func toChar() toText {
	formats := &numberFormats{}
	return func(in *inputs, i int, dst []byte) ([]byte, error) {
		f, err := formats.get(in.str(1, i))
		if err != nil {
			return nil, err
		}
		v, k := slotOf(in.vec[0], i)
		d := readDecimals(v)
		return f.Append(dst, d.at(k).BigInt(), v.Type.Scale), nil
	}
}
