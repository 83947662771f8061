package ml

import (
	"fmt"

	"millrace/errs"
)

// helpers are what clients call on no model. They get the arguments that the client sent.
var helpers = map[string]func(o *Objects, c *Context, args []any) (any, error){
	"handleOverwrite": func(_ *Objects, c *Context, args []any) (any, error) {
		path, overwrite, err := overwriteArgs(args)
		if err != nil {
			return nil, err
		}
		return true, HandleOverwrite(c, path, overwrite)
	},
}

func overwriteArgs(args []any) (path string, overwrite bool, err error) {
	if len(args) == 2 {
		p, isText := args[0].(string)
		o, isBool := args[1].(bool)
		if isText && isBool {
			return p, o, nil
		}
	}
	return "", false, errs.Newf(errs.Invalid, "handleOverwrite takes a path and a boolean, not %s.", fmt.Sprint(args...))
}

// Help answers a call on no model.
func (o *Objects) Help(c *Context, call Call) (any, error) {
	h := helpers[call.Method]
	if h == nil {
		return nil, errs.Unsupportedf("The machine learning helper %s is not supported.", call.Method)
	}
	v, err := h(o, c, call.Args)
	if err != nil {
		return nil, err
	}
	return o.adopt(v)
}
