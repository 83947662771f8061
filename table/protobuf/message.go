package protobuf

import (
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	// The messages that Spark's own library brings along.
	_ "google.golang.org/protobuf/types/known/anypb"
	_ "google.golang.org/protobuf/types/known/apipb"
	_ "google.golang.org/protobuf/types/known/durationpb"
	_ "google.golang.org/protobuf/types/known/emptypb"
	_ "google.golang.org/protobuf/types/known/fieldmaskpb"
	_ "google.golang.org/protobuf/types/known/sourcecontextpb"
	_ "google.golang.org/protobuf/types/known/structpb"
	_ "google.golang.org/protobuf/types/known/timestamppb"
	_ "google.golang.org/protobuf/types/known/typepb"
	_ "google.golang.org/protobuf/types/known/wrapperspb"

	"millrace/errs"
)

// Message is a type of messages.
type Message struct {
	desc  protoreflect.MessageDescriptor
	files *protoregistry.Files // where the messages inside of Any are looked for
}

// classes is the package of the classes that come with Spark's library.
const classes = "org.sparkproject.spark_protobuf.protobuf."

// Find looks up a message by its name, with or without the package, among those at the top of a FileDescriptorSet's files. Without a set (nil) the name is that of a
// Java class, of which there are those of google.protobuf alone.
func Find(set []byte, name string) (*Message, error) {
	if set == nil {
		return findClass(name)
	}
	var list descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(set, &list); err != nil {
		e := errs.New("CANNOT_PARSE_PROTOBUF_DESCRIPTOR")
		e.Cause = err
		return nil, e
	}
	m := &Message{files: &protoregistry.Files{}}
	b := builder{protos: map[string]*descriptorpb.FileDescriptorProto{}, files: m.files}
	for _, f := range list.File {
		b.protos[f.GetName()] = f
	}
	for _, f := range list.File {
		file, err := b.file(f, nil)
		if err != nil {
			return nil, err
		}
		for i := range file.Messages().Len() {
			if d := file.Messages().Get(i); m.desc == nil && (string(d.Name()) == name || string(d.FullName()) == name) {
				m.desc = d
			}
		}
	}
	if m.desc == nil {
		return nil, errs.New("PROTOBUF_MESSAGE_NOT_FOUND", "messageName", name)
	}
	return m, nil
}

func findClass(name string) (*Message, error) {
	if short, ok := strings.CutPrefix(name, classes); ok {
		if d, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName("google.protobuf." + short)); err == nil {
			if d, ok := d.(protoreflect.MessageDescriptor); ok {
				return &Message{desc: d, files: protoregistry.GlobalFiles}, nil
			}
		}
	}
	why := "Ensure the class include in the jar"
	if !strings.Contains(name, ".") {
		why = "Ensure the class name includes package prefix"
	}
	return nil, errs.New("CANNOT_LOAD_PROTOBUF_CLASS", "protobufClassName", name, "explanation", why)
}

// builder makes files of their descriptors, those first that others depend on.
type builder struct {
	protos map[string]*descriptorpb.FileDescriptorProto
	files  *protoregistry.Files
}

func (b *builder) file(f *descriptorpb.FileDescriptorProto, around []string) (protoreflect.FileDescriptor, error) {
	if done, err := b.files.FindFileByPath(f.GetName()); err == nil {
		return done, nil
	}
	for _, name := range around {
		if name == f.GetName() {
			return nil, errs.Newf(errs.Invalid, "The Protobuf descriptor file %s depends on itself.", name)
		}
	}
	for _, name := range f.Dependency {
		dependency := b.protos[name]
		if dependency == nil {
			return nil, errs.New("PROTOBUF_DEPENDENCY_NOT_FOUND", "dependencyName", name)
		}
		if _, err := b.file(dependency, append(around, f.GetName())); err != nil {
			return nil, err
		}
	}
	done, err := protodesc.NewFile(f, b.files)
	if err == nil {
		err = b.files.RegisterFile(done)
	}
	if err != nil {
		e := errs.Newf(errs.Invalid, "The Protobuf descriptor of the file %s is not valid.", f.GetName())
		e.Cause = err
		return nil, e
	}
	return done, nil
}

// Options are those of from_protobuf and to_protobuf.
type Options struct {
	permissive  bool
	depth       int
	anyJSON     bool
	defaults    bool // where proto3 writes none
	enumNumbers bool
	upcast      bool
	unwrap      bool
	retainEmpty bool
}

// ParseOptions reads a call's options; others than these do nothing, as in Spark.
func ParseOptions(options map[string]string) (*Options, error) {
	o := &Options{depth: -1}
	flags := map[string]*bool{"convert.any.fields.to.json": &o.anyJSON, "emit.default.values": &o.defaults, "enums.as.ints": &o.enumNumbers,
		"upcast.unsigned.ints": &o.upcast, "unwrap.primitive.wrapper.types": &o.unwrap, "retain.empty.message.types": &o.retainEmpty}
	for k, v := range options {
		var err error
		switch name := strings.ToLower(k); {
		case name == "mode":
			switch strings.ToUpper(v) {
			case "DROPMALFORMED":
				return nil, errs.New("PARSE_MODE_UNSUPPORTED", "funcName", "`from_protobuf`", "mode", "DROPMALFORMED")
			case "FAILFAST":
			default: // as in Spark, which warns of other words
				o.permissive = true
			}
		case name == "recursive.fields.max.depth":
			o.depth, err = strconv.Atoi(v)
		case flags[name] != nil:
			*flags[name], err = strconv.ParseBool(strings.ToLower(v))
		}
		if err != nil {
			return nil, errs.Newf(errs.Invalid, "The value %q of the option %s is not valid.", v, k)
		}
	}
	return o, nil
}
