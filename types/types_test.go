package types

import "testing"

func TestJSONRoundTrip(t *testing.T) {
	for _, form := range []string{
		`"long"`, `"decimal(38,18)"`, `"timestamp_ntz"`, `"interval day to second"`, `"interval year"`, `"varchar(7)"`,
		`{"type":"array","elementType":"string","containsNull":false}`,
		`{"type":"map","keyType":"string","valueType":"integer","valueContainsNull":true}`,
		`{"type":"struct","fields":[{"name":"a \"b\"","type":"byte","nullable":false,"metadata":{"comment":"x<y"}},{"name":"c","type":{"type":"struct","fields":[]},"nullable":true,"metadata":{}}]}`,
	} {
		typ, err := ParseJSON([]byte(form))
		if err != nil {
			t.Fatalf("%s: %v", form, err)
		}
		if got := typ.JSON(); got != form {
			t.Errorf("got %s, want %s", got, form)
		}
		again, _ := ParseJSON([]byte(typ.JSON()))
		if !typ.Equal(again) {
			t.Errorf("%s is not equal to itself", form)
		}
	}
	for _, bad := range []string{`"integr"`, `{"type":"list"}`, `"decimal(39,1)"`, `7`, ``} {
		if typ, err := ParseJSON([]byte(bad)); err == nil {
			t.Errorf("%s: got %s, want an error", bad, typ)
		}
	}
}

func TestNames(t *testing.T) {
	s := Struct(Field{Name: "a", Type: Integer}, Field{Name: "b c", Type: MapOf(String, Decimal(10, 2), true), Nullable: true})
	if got := s.String(); got != "struct<a:int,b c:map<string,decimal(10,2)>>" {
		t.Error(got)
	}
	if got := s.SQL(); got != "STRUCT<a: INT NOT NULL, `b c`: MAP<STRING, DECIMAL(10,2)>>" {
		t.Error(got)
	}
}
