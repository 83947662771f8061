package types

import "testing"

func TestCollationsStandInMetadata(t *testing.T) {
	lcase, ci := &Type{Kind: KindString, Collation: "UTF8_LCASE"}, &Type{Kind: KindString, Collation: "UNICODE_CI"}
	for _, s := range []*Type{
		Struct(Field{"a", lcase, true, ""}),
		Struct(Field{"a", ArrayOf(ci, true), true, `{"comment":"c"}`}, Field{"b", MapOf(lcase, String, true), true, ""}),
		Struct(Field{"s", Struct(Field{"x", ci, true, ""}), true, ""}),
	} {
		back, err := ParseJSON([]byte(s.JSON()))
		if err != nil || !back.Equal(s) || back.Fields[0].Metadata != s.Fields[0].Metadata {
			t.Errorf("%s becomes %v (%v)", s.JSON(), back, err)
		}
	}
	want := `{"type":"struct","fields":[{"name":"a","type":"string","nullable":true,"metadata":{"__COLLATIONS":{"a":"spark.UTF8_LCASE"}}}]}`
	if got := Struct(Field{"a", lcase, true, ""}).JSON(); got != want {
		t.Errorf("%s, not %s", got, want)
	}
}
