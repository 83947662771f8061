package functions

import (
	"encoding/base64"

	"millrace/operators/expr"
	"millrace/table/protobuf"
	"millrace/vector"
)

func init() {
	register := func(name string, build func(*expr.Call) (expr.Kernel, error)) {
		expr.Register(name, expr.Func{Strict: true, Pure: true, Build: build})
	}
	register("from_protobuf", fromProtobuf)
	register("to_protobuf", toProtobuf)
}

// protobufMessage finds the message that the signature has noted among a call's options.
func protobufMessage(c *expr.Call) (*protobuf.Message, error) {
	var set []byte
	if text, ok := c.Options["millrace.descriptors"]; ok {
		var err error
		if set, err = base64.StdEncoding.DecodeString(text); err != nil {
			return nil, err
		}
	}
	return protobuf.Find(set, c.Options["millrace.message"])
}

func fromProtobuf(c *expr.Call) (expr.Kernel, error) {
	m, err := protobufMessage(c)
	if err != nil {
		return nil, err
	}
	o, err := protobuf.ParseOptions(c.Options)
	if err != nil {
		return nil, err
	}
	d, err := m.NewDecoder(c.Out, o)
	if err != nil {
		return nil, err
	}
	return parsing(func() (rowParser, error) { return d.Values(), nil }), nil
}

func toProtobuf(c *expr.Call) (expr.Kernel, error) {
	m, err := protobufMessage(c)
	if err != nil {
		return nil, err
	}
	e, err := m.NewEncoder(c.Args[0], c.Settings.GetCaseSensitive())
	if err != nil {
		return nil, err
	}
	return appending(e), nil
}

// appending writes rows as binaries.
func appending(e interface {
	Append(dst []byte, v *vector.Vector, row int) ([]byte, error)
}) expr.Kernel {
	return func(_ *expr.Ctx, args []*vector.Vector, sel []uint32, n int, out *vector.Vector) error {
		w := expr.NewStringWriter(out, n)
		err := expr.RowsErr(sel, n, func(i int) error {
			buf, err := e.Append(w.Buffer(), args[0], i)
			if err == nil {
				w.Commit(i, buf)
			}
			return err
		})
		w.Close()
		return err
	}
}
