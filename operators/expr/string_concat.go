package expr

import (
	"bytes"

	"millrace/errs"
	"millrace/types"
)

func init() {
	Register("concat", Func{Strict: true, Pure: true, Build: buildConcat})
	Register("concat_ws", Func{Pure: true, Build: buildConcatWS})
	Register("elt", Func{Pure: true, Build: func(c *Call) (Kernel, error) { return textKernel(elt(c)), nil }})
}

func buildConcat(c *Call) (Kernel, error) {
	if c.Out.Kind == types.KindArray {
		return concatArrays, nil
	}
	return textKernel(func(in *inputs, i int, dst []byte) ([]byte, error) {
		for k := range in.text {
			dst = append(dst, in.text[k].at(i)...)
		}
		return dst, nil
	}), nil
}

// buildConcatWS joins the texts, and the texts in arrays, that are not null.
func buildConcatWS(c *Call) (Kernel, error) {
	return textKernel(func(in *inputs, i int, dst []byte) ([]byte, error) {
		if in.null(0, i) {
			return nil, errNull
		}
		sep, any := in.str(0, i), false
		add := func(s []byte) {
			if any {
				dst = append(dst, sep...)
			}
			dst, any = append(dst, s...), true
		}
		for k := 1; k < len(in.vec); k++ {
			switch v := in.vec[k]; {
			case v.IsNull(i):
			case v.Type.Kind == types.KindArray:
				r := v.Row(i)
				for j := int(v.Offsets[r]); j < int(v.Offsets[r+1]); j++ {
					if e := v.Children[0]; !e.IsNull(j) {
						add(e.Str(j))
					}
				}
			default:
				add(in.str(k, i))
			}
		}
		return dst, nil
	}), nil
}

// elt is the n-th of the texts after the first argument.
func elt(c *Call) toText {
	return func(in *inputs, i int, dst []byte) ([]byte, error) {
		if in.null(0, i) {
			return nil, errNull
		}
		n := in.num(0, i)
		if n < 1 || n >= int64(len(in.vec)) {
			if !c.Settings.GetAnsi() {
				return nil, errNull
			}
			return nil, errs.New("INVALID_ARRAY_INDEX", "indexValue", itoa(n), "arraySize", itoa(int64(len(in.vec)-1)), "ansiConfig", ansiConfig)
		}
		if in.null(int(n), i) {
			return nil, errNull
		}
		return append(dst, in.str(int(n), i)...), nil
	}
}

// splitPart is the n-th part between delimiters, counted from the end if negative; nothing beyond the last.
func splitPart(in *inputs, i int, dst []byte) ([]byte, error) {
	s, delim, n := in.str(0, i), in.str(1, i), in.num(2, i)
	if n == 0 {
		return nil, errs.New("INVALID_INDEX_OF_ZERO")
	}
	if len(delim) == 0 {
		if n == 1 || n == -1 {
			return append(dst, s...), nil
		}
		return dst, nil
	}
	if n < 0 {
		n += int64(bytes.Count(s, delim)) + 2
	}
	for ; n > 1; n-- {
		_, rest, more := bytes.Cut(s, delim)
		if !more {
			return dst, nil
		}
		s = rest
	}
	if n < 1 {
		return dst, nil
	}
	part, _, _ := bytes.Cut(s, delim)
	return append(dst, part...), nil
}
