package fn

import (
	"encoding/base64"
	"strings"

	"millrace/errs"
	"millrace/types"
)

func init() {
	Register(
		&Func{Names: []string{"from_protobuf"}, Min: 2, Max: 4, Resolve: fromProtobuf},
		&Func{Names: []string{"to_protobuf"}, Min: 2, Max: 4, Resolve: toProtobuf},
	)
}

// Protobuf is what a call says of the messages that it reads or writes.
type Protobuf struct {
	Message string
	Set     []byte // a FileDescriptorSet; nil: Message is a class's name
	Path    string // of a file with the set, which is to be read
	Options map[string]string
}

const protobufExtensions = "spark.sql.function.protobufExtensions.enabled"

// The options by which the kernels get the message and the set, as base64.
const (
	protobufMessage = "millrace.message"
	protobufSet     = "millrace.descriptors"
)

func badProtobuf(msg string) error {
	return errs.New("DATATYPE_MISMATCH.TYPE_CHECK_FAILURE_WITH_HINT", "sqlExpr", "", "hint", "", "msg", msg)
}

// protobufArguments reads a call's arguments behind the first: a message's name, a descriptor set or a path to it, and options, of which each may lack.
func protobufArguments(args []Arg, function, direction string) (*Protobuf, error) {
	p := &Protobuf{Options: map[string]string{}}
	if err := firstFault(args[1:]); err != nil {
		return nil, err
	}
	name := args[1]
	text, given := name.Const.(string)
	switch {
	case !name.IsConst || name.Type.Kind != types.KindString:
		return nil, badProtobuf("The second argument of the " + function + " SQL function must be a constant string representing the Protobuf message name")
	case !given:
		return nil, errs.Newf(errs.Invalid, "Message name cannot be null")
	}
	p.Message = text
	rest := args[2:]
	if len(rest) == 1 && rest[0].Type.Kind == types.KindMap { // options without a set
		return p, p.setOptions(rest[0], function, direction)
	}
	if len(rest) > 0 {
		set := rest[0]
		kind := set.Type.Kind
		if !set.IsConst || kind != types.KindString && kind != types.KindBinary && kind != types.KindNull {
			return nil, badProtobuf("The third argument of the " + function + " SQL function must be a constant string or binary data representing the Protobuf descriptor file path")
		}
		switch v := set.Const.(type) {
		case []byte:
			p.Set = append([]byte{}, v...)
		case string:
			if p.Path = v; kind == types.KindBinary {
				p.Path, p.Set = "", []byte(v)
			}
		}
	}
	if len(rest) > 1 {
		return p, p.setOptions(rest[1], function, direction)
	}
	return p, nil
}

func firstFault(args []Arg) error {
	for _, a := range args {
		if a.Fault != nil {
			return a.Fault
		}
	}
	return nil
}

func (p *Protobuf) setOptions(a Arg, function, direction string) error {
	switch t := a.Type; {
	case t.Kind == types.KindNull && a.IsConst:
		return nil
	case t.Kind == types.KindMap && a.IsConst && t.Key.Kind == types.KindNull && t.Elem.Kind == types.KindNull:
		return nil
	case t.Kind == types.KindMap && a.IsConst && t.Key.Kind == types.KindString && t.Elem.Kind == types.KindString:
		set, err := options([]Arg{a}, 0)
		p.Options = set
		return err
	}
	return badProtobuf("The fourth argument of the " + function + " SQL function must be a constant map of strings to strings containing the options to use for converting the value " +
		direction + " Protobuf format")
}

// protobuf looks the message up and gives what the kernel is told.
func (c *Context) protobuf(function string, p *Protobuf) (t *types.Type, options map[string]string, err error) {
	if c.ProtobufType == nil {
		return nil, nil, errs.Unsupportedf("%s is not supported here.", function)
	}
	if c.Conf != nil && strings.EqualFold(c.Conf(protobufExtensions), "true") {
		return nil, nil, errs.Unsupportedf("Extensions of Protobuf messages (%s) are not supported.", protobufExtensions)
	}
	if t, err = c.ProtobufType(function, p); err != nil {
		return nil, nil, err
	}
	options = map[string]string{}
	for k, v := range p.Options {
		options[k] = v
	}
	options[protobufMessage] = p.Message
	if p.Set != nil {
		options[protobufSet] = base64.StdEncoding.EncodeToString(p.Set)
	}
	return t, options, nil
}

func fromProtobuf(c *Context, args []Arg) (Result, error) {
	p, err := protobufArguments(args, "FROM_PROTOBUF", "from")
	if err != nil {
		return Result{}, err
	}
	casts := make([]*types.Type, len(args))
	switch args[0].Type.Kind {
	case types.KindBinary:
	case types.KindString, types.KindNull:
		casts[0] = types.Binary
	default:
		return Result{}, unexpected("from_protobuf", args, 0, `"BINARY"`)
	}
	t, set, err := c.protobuf("from_protobuf", p)
	if err != nil {
		return Result{}, err
	}
	return Result{Args: casts, Type: t, Nullable: true, Options: set, Keep: 1, Deterministic: true}, nil
}

func toProtobuf(c *Context, args []Arg) (Result, error) {
	p, err := protobufArguments(args, "TO_PROTOBUF", "to")
	if err != nil {
		return Result{}, err
	}
	if t := args[0].Type; t.Kind != types.KindStruct {
		return Result{}, errs.New("DATATYPE_MISMATCH.NON_STRUCT_TYPE", "sqlExpr", "", "inputName", "data", "inputType", quoted(t))
	}
	_, set, err := c.protobuf("to_protobuf", p)
	if err != nil {
		return Result{}, err
	}
	return Result{Args: make([]*types.Type, len(args)), Type: types.Binary, Nullable: args[0].Nullable, Options: set, Keep: 1, Deterministic: true}, nil
}
