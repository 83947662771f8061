package connect

import (
	"reflect"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"millrace/errs"
	"millrace/plan"
	pb "millrace/proto/spark/connect"
	"millrace/session"
	"millrace/types"
)

func newTestTranslator(t *testing.T) *translator {
	t.Helper()
	m := session.NewManager(session.Options{Engine: &stub{}, Dir: t.TempDir()})
	s, err := m.Get(session.Key{ID: "00112233-4455-6677-8899-aabbccddeeff"}, "")
	if err != nil {
		t.Fatal(err)
	}
	return newTranslator(s)
}

func TestAttributeName(t *testing.T) {
	for name, want := range map[string]string{"a": "a", "a.b": "a|b", "`a.b`.c": "a.b|c", "`a``b`": "a`b", "a b": "a b", "": ""} {
		got, err := attributeName(name)
		if err != nil || strings.Join(got, "|") != want {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
	for _, bad := range []string{"a.", "`a", "`a`b", "a`b`", "a`"} {
		if got, err := attributeName(bad); errs.ConditionOf(err) != "INVALID_ATTRIBUTE_NAME_SYNTAX" {
			t.Errorf("%s: got %q, %v", bad, got, err)
		}
	}
}

func TestDecimalLiteral(t *testing.T) {
	for _, c := range []struct {
		value            string
		precision, scale int32
		want             string
		unscaled         any
	}{{"1.50", 10, 0, "decimal(10,2)", int64(150)}, {"1E+3", 10, 0, "decimal(10,0)", int64(1000)}, {"-0.001", 10, 0, "decimal(10,3)", int64(-1)},
		{"12.345", 38, 18, "decimal(38,18)", nil}, {"0", 0, 0, "decimal(1,0)", int64(0)}, {"1.5e-3", 0, 0, "decimal(4,4)", int64(15)}} {
		l, err := decimalLiteral(&pb.Expression_Literal_Decimal{Value: c.value, Precision: &c.precision, Scale: &c.scale})
		if err != nil || l.T.String() != c.want || c.unscaled != nil && l.Value != c.unscaled {
			t.Errorf("%s: got %+v, %v", c.value, l, err)
		}
	}
	for _, bad := range []string{"", "x", "1/3", "1e99"} {
		if l, err := decimalLiteral(&pb.Expression_Literal_Decimal{Value: bad}); err == nil {
			t.Errorf("%q: got %+v", bad, l)
		}
	}
}

func TestNestedLiteral(t *testing.T) {
	text := func(s string) *pb.Expression_Literal {
		return &pb.Expression_Literal{LiteralType: &pb.Expression_Literal_String_{String_: s}}
	}
	array := types.ArrayOf(types.ArrayOf(types.String, true), false)
	d, err := toDataType(array)
	if err != nil {
		t.Fatal(err)
	}
	inner := &pb.Expression_Literal{LiteralType: &pb.Expression_Literal_Array_{Array: &pb.Expression_Literal_Array{Elements: []*pb.Expression_Literal{text("a")}}}}
	l, err := literal(&pb.Expression_Literal{DataType: d, LiteralType: &pb.Expression_Literal_Array_{
		Array: &pb.Expression_Literal_Array{Elements: []*pb.Expression_Literal{inner}}}})
	if err != nil || !l.T.Equal(array) || !reflect.DeepEqual(l.Value, []any{[]any{"a"}}) {
		t.Errorf("got %+v, %v", l, err)
	}
}

// TestPlanIDs: only relations that an expression refers to stay marked.
func TestPlanIDs(t *testing.T) {
	leaf := &pb.Relation{Common: &pb.RelationCommon{PlanId: proto.Int64(1)}, RelType: &pb.Relation_Range{Range: &pb.Range{End: 3, Step: 1}}}
	column := &pb.Expression{ExprType: &pb.Expression_UnresolvedAttribute_{UnresolvedAttribute: &pb.Expression_UnresolvedAttribute{
		UnparsedIdentifier: "id", PlanId: proto.Int64(1)}}}
	root := &pb.Relation{Common: &pb.RelationCommon{PlanId: proto.Int64(2)}, RelType: &pb.Relation_Project{Project: &pb.Project{Input: leaf,
		Expressions: []*pb.Expression{column}}}}
	n, err := newTestTranslator(t).plan(root)
	if err != nil {
		t.Fatal(err)
	}
	p, ok := n.(*plan.Project)
	if !ok {
		t.Fatalf("got %T", n)
	}
	if id, ok := p.Input.(*plan.PlanID); !ok || id.ID != 1 {
		t.Errorf("got %T", p.Input)
	}
}

func TestDeepPlan(t *testing.T) {
	r := &pb.Relation{RelType: &pb.Relation_Range{Range: &pb.Range{}}}
	for range maxDepth + 10 {
		r = &pb.Relation{RelType: &pb.Relation_Limit{Limit: &pb.Limit{Input: r}}}
	}
	if _, err := newTestTranslator(t).plan(r); !errs.Is(err, errs.Invalid) {
		t.Error(err)
	}
}

// TestEveryKindIsNamed: what is not built is refused by its name, and nothing panics on an empty message.
func TestEveryKindIsNamed(t *testing.T) {
	oneof := (&pb.Relation{}).ProtoReflect().Descriptor().Oneofs().ByName("rel_type")
	for i := range oneof.Fields().Len() {
		f := oneof.Fields().Get(i)
		r := &pb.Relation{}
		r.ProtoReflect().Set(f, r.ProtoReflect().NewField(f))
		_, err := newTestTranslator(t).plan(r)
		if errs.Is(err, errs.Internal) {
			t.Errorf("%s: %v", f.Name(), err)
		}
	}
	exprs := (&pb.Expression{}).ProtoReflect().Descriptor().Oneofs().ByName("expr_type")
	for i := range exprs.Fields().Len() {
		f := exprs.Fields().Get(i)
		x := &pb.Expression{}
		x.ProtoReflect().Set(f, x.ProtoReflect().NewField(f))
		_, err := newTestTranslator(t).expr(x)
		if errs.Is(err, errs.Internal) {
			t.Errorf("%s: %v", f.Name(), err)
		}
	}
	commands := (&pb.Command{}).ProtoReflect().Descriptor().Oneofs().ByName("command_type")
	for i := range commands.Fields().Len() {
		f := commands.Fields().Get(i)
		c := &pb.Command{}
		c.ProtoReflect().Set(f, c.ProtoReflect().NewField(f))
		_, err := newTestTranslator(t).command(c)
		if errs.Is(err, errs.Internal) {
			t.Errorf("%s: %v", f.Name(), err)
		}
	}
}

func TestDataTypes(t *testing.T) {
	for _, text := range []string{`"long"`, `"decimal(10,2)"`, `"interval day to second"`, `"interval year to month"`, `"timestamp_ntz"`, `"variant"`, `"time(6)"`,
		`{"type":"struct","fields":[{"name":"a","type":{"type":"map","keyType":"string","valueType":{"type":"array","elementType":"date","containsNull":false},"valueContainsNull":true},"nullable":false,"metadata":{"k":1}}]}`,
		`{"type":"udt","class":"c","pyClass":"p","sqlType":"long"}`} {
		want, err := types.ParseJSON([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		d, err := toDataType(want)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if got, err := fromDataType(d); err != nil || got.JSON() != want.JSON() {
			t.Errorf("got %v, %v, want %s", got, err, text)
		}
	}
}
