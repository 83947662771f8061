package connect

import (
	"strings"

	"github.com/klauspost/compress/zstd"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"millrace/errs"
	"millrace/plan"
	pb "millrace/proto/spark/connect"
	"millrace/session"
	"millrace/sql"
)

// translator turns one request's relations and expressions into a logical plan.
type translator struct {
	s     *session.Session
	used  map[int64]bool // the plan ids that expressions refer to
	depth int
}

func newTranslator(s *session.Session) *translator { return &translator{s: s, used: map[int64]bool{}} }

// maxDepth bounds the nesting of a plan, so that none exhausts the stack.
const maxDepth = 4000

// plan translates a request's root relation. Only the plan ids that something refers to stay in the plan.
func (t *translator) plan(r *pb.Relation) (plan.Node, error) {
	n, err := t.relation(r)
	if err != nil {
		return nil, err
	}
	return t.strip(n)
}

func (t *translator) strip(n plan.Node) (plan.Node, error) {
	return plan.Transform(n, func(n plan.Node) (plan.Node, error) {
		if p, ok := n.(*plan.PlanID); ok && !t.used[p.ID] {
			return p.Input, nil
		}
		return plan.MapExprs(n, func(e plan.Expr) (plan.Expr, error) {
			return plan.TransformExpr(e, func(e plan.Expr) (plan.Expr, error) {
				q, ok := e.(*plan.Subquery)
				if !ok || q.Plan == nil {
					return e, nil
				}
				inner, err := t.strip(q.Plan)
				if err != nil || inner == q.Plan {
					return e, err
				}
				fresh := *q
				fresh.Plan = inner
				return &fresh, nil
			})
		})
	})
}

func (t *translator) enter() error {
	if t.depth++; t.depth > maxDepth {
		return errs.Newf(errs.Invalid, "The plan is nested more than %d levels deep.", maxDepth)
	}
	return nil
}

func (t *translator) leave() { t.depth-- }

// parser reads SQL text as the session's configuration says.
func (t *translator) parser() *sql.Parser { return t.s.Parser() }

// kindOf names what is set in a message's oneof.
func kindOf(m proto.Message, oneof protoreflect.Name) string {
	r := m.ProtoReflect()
	if f := r.WhichOneof(r.Descriptor().Oneofs().ByName(oneof)); f != nil {
		return string(f.Name())
	}
	return ""
}

func notSet(message, name string) error {
	return errs.New("CONNECT_INVALID_PLAN.INVALID_ONE_OF_FIELD_NOT_SET", "fullName", message, "name", name)
}

// operationOf unpacks a plan: a relation or a command, which may be compressed.
func operationOf(p *pb.Plan) (*pb.Relation, *pb.Command, error) {
	switch op := p.GetOpType().(type) {
	case *pb.Plan_Root:
		return op.Root, nil, nil
	case *pb.Plan_Command:
		return nil, op.Command, nil
	case *pb.Plan_CompressedOperation_:
		return decompress(op.CompressedOperation)
	}
	return nil, nil, notSet("spark.connect.Plan", "OPTYPE_NOT_SET")
}

// maxPlanBytes bounds what a compressed plan may grow to.
const maxPlanBytes = 1 << 30

func decompress(c *pb.Plan_CompressedOperation) (*pb.Relation, *pb.Command, error) {
	bad := func(why string) error { return errs.New("CONNECT_INVALID_PLAN.CANNOT_PARSE", "errorMsg", why) }
	if c.CompressionCodec != pb.CompressionCodec_COMPRESSION_CODEC_ZSTD {
		return nil, nil, bad("unknown compression " + c.CompressionCodec.String())
	}
	d, err := zstd.NewReader(nil, zstd.WithDecoderMaxMemory(maxPlanBytes), zstd.WithDecoderConcurrency(1))
	if err != nil {
		return nil, nil, bad(err.Error())
	}
	defer d.Close()
	data, err := d.DecodeAll(c.Data, nil)
	if err != nil {
		return nil, nil, bad(err.Error())
	}
	switch c.OpType {
	case pb.Plan_CompressedOperation_OP_TYPE_RELATION:
		r := &pb.Relation{}
		if err := proto.Unmarshal(data, r); err != nil {
			return nil, nil, bad(err.Error())
		}
		return r, nil, nil
	case pb.Plan_CompressedOperation_OP_TYPE_COMMAND:
		r := &pb.Command{}
		if err := proto.Unmarshal(data, r); err != nil {
			return nil, nil, bad(err.Error())
		}
		return nil, r, nil
	}
	return nil, nil, bad("unknown operation " + c.OpType.String())
}

// canonical is a relation's encoding without the ids and origins that differ between equal relations.
func canonical(r *pb.Relation) []byte {
	c := proto.CloneOf(r)
	forget(c.ProtoReflect())
	data, _ := proto.MarshalOptions{Deterministic: true}.Marshal(c)
	return data
}

func forget(m protoreflect.Message) {
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.Name() == "plan_id" || f.Name() == "common":
			m.Clear(f)
		case f.IsMap():
		case f.IsList() && f.Message() != nil:
			for i := range v.List().Len() {
				forget(v.List().Get(i).Message())
			}
		case f.Message() != nil && !f.IsList():
			forget(v.Message())
		}
		return true
	})
}

// originOf is where the client's program made an expression or relation.
func originOf(o *pb.Origin) *plan.Origin {
	p := o.GetPythonOrigin()
	if p == nil {
		return nil
	}
	return &plan.Origin{DataFrame: true, Fragment: p.Fragment, CallSite: p.CallSite}
}

// attributeName splits a column's name at its dots; backticks quote a part.
func attributeName(name string) ([]string, error) {
	bad := func() error { return errs.New("INVALID_ATTRIBUTE_NAME_SYNTAX", "name", name) }
	var parts []string
	var part strings.Builder
	rest := name
	for {
		part.Reset()
		if strings.HasPrefix(rest, "`") {
			rest = rest[1:]
			for {
				i := strings.IndexByte(rest, '`')
				if i < 0 {
					return nil, bad()
				}
				part.WriteString(rest[:i])
				rest = rest[i+1:]
				if !strings.HasPrefix(rest, "`") {
					break
				}
				part.WriteByte('`')
				rest = rest[1:]
			}
			if rest != "" && rest[0] != '.' {
				return nil, bad()
			}
		} else {
			i := strings.IndexAny(rest, ".`")
			if i < 0 {
				i = len(rest)
			} else if rest[i] == '`' {
				return nil, bad()
			}
			part.WriteString(rest[:i])
			rest = rest[i:]
		}
		parts = append(parts, part.String())
		if rest == "" {
			return parts, nil
		}
		if rest = rest[1:]; rest == "" {
			return nil, bad()
		}
	}
}
