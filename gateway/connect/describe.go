package connect

import (
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	pb "millrace/proto/spark/connect"
)

// maxDescription bounds the text that is kept of an operation.
const maxDescription = 16 << 10

// describePlan is what people are shown of an operation: its SQL text, or the steps of its plan from the source on, as in
// "loans → filter → aggregate → show". It shows no literals, options or rows, which a plan may hold in any number.
func describePlan(root *pb.Relation, command *pb.Command) string {
	var text string
	switch {
	case command == nil:
		text = describeRelation(root)
	case command.GetSqlCommand() != nil:
		if text = command.GetSqlCommand().GetSql(); text == "" {
			text = describeRelation(command.GetSqlCommand().GetInput())
		}
	default:
		text = describeCommand(command)
	}
	text = strings.TrimSpace(strings.ToValidUTF8(text, "\uFFFD"))
	if len(text) > maxDescription {
		text = strings.ToValidUTF8(text[:maxDescription], "") + " …"
	}
	return text
}

const then = " → "

// stepNames are steps by the names that users know; others are called as the protocol calls them.
var stepNames = map[string]string{"showString": "show", "htmlString": "show", "setOp": "union", "toDf": "toDF", "aggregate": "agg",
	"localRelation": "local rows", "cachedLocalRelation": "local rows", "chunkedCachedLocalRelation": "local rows", "cachedRemoteRelation": "checkpoint",
	"writeOperation": "write", "writeOperationV2": "writeTo", "createDataframeView": "create view", "subqueryAlias": "alias",
	"writeStreamOperationStart": "writeStream", "mlCommand": "ml", "mlRelation": "ml"}

func describeCommand(c *pb.Command) string {
	name, message := choice(c, "command_type")
	if message == nil {
		return name
	}
	text := name
	switch cmd := c.CommandType.(type) {
	case *pb.Command_WriteOperation:
		text += " " + target(cmd.WriteOperation.GetTable().GetTableName(), cmd.WriteOperation.GetPath())
	case *pb.Command_WriteOperationV2:
		text += " " + cmd.WriteOperationV2.GetTableName()
	case *pb.Command_CreateDataframeView:
		text += " " + cmd.CreateDataframeView.GetName()
	}
	if input := inputOf(message); input != nil {
		return describeRelation(input) + then + strings.TrimSpace(text)
	}
	return strings.TrimSpace(text)
}

func target(table, path string) string {
	if table != "" {
		return table
	}
	return path
}

// describeRelation walks from a relation down its first inputs. SQL text that is only shown or cut stands for itself.
func describeRelation(r *pb.Relation) string {
	var steps []string
	plain := true // nothing but what a client adds to look at rows
	for r != nil {
		if sql := r.GetSql(); sql != nil {
			if plain {
				return sql.Query
			}
			steps = append(steps, strings.TrimSpace(sql.Query))
			break
		}
		name, message := choice(r, "rel_type")
		if message == nil {
			break
		}
		if read := r.GetRead(); read != nil {
			steps = append(steps, describeRead(read))
			break
		}
		plain = plain && (name == "show" || name == "limit" || name == "withRelations")
		if w := r.GetWithRelations(); w != nil {
			r = w.Root
			continue
		}
		steps = append(steps, name)
		r = inputOf(message)
	}
	for i, k := 0, len(steps)-1; i < k; i, k = i+1, k-1 {
		steps[i], steps[k] = steps[k], steps[i]
	}
	return strings.Join(steps, then)
}

func describeRead(r *pb.Read) string {
	if t := r.GetNamedTable(); t != nil {
		return t.UnparsedIdentifier
	}
	source := r.GetDataSource()
	path := strings.Join(source.GetPaths(), ", ")
	if path == "" {
		path = source.GetOptions()["path"]
	}
	return strings.TrimSpace(source.GetFormat() + " " + path)
}

// choice is the name of the member that a oneof holds, and its message.
func choice(m proto.Message, oneof protoreflect.Name) (string, protoreflect.Message) {
	r := m.ProtoReflect()
	f := r.WhichOneof(r.Descriptor().Oneofs().ByName(oneof))
	if f == nil || f.Message() == nil {
		return "", nil
	}
	name := f.JSONName()
	if known := stepNames[name]; known != "" {
		name = known
	}
	return name, r.Get(f).Message()
}

// inputOf is a step's input, of a join the left one.
func inputOf(m protoreflect.Message) *pb.Relation {
	for _, name := range []protoreflect.Name{"input", "left", "left_input", "relation"} {
		f := m.Descriptor().Fields().ByName(name)
		if f == nil || f.Message() == nil || f.IsList() || !m.Has(f) {
			continue
		}
		if r, ok := m.Get(f).Message().Interface().(*pb.Relation); ok {
			return r
		}
	}
	return nil
}
