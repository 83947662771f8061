package web

import (
	"testing"

	"millrace/session"
	"millrace/sql"
)

func TestChoose(t *testing.T) {
	for _, c := range []struct {
		ddl    string
		asked  choice
		sample [][]string
		want   choice
	}{
		{ddl: "addr_state STRING, count BIGINT", want: choice{"addr_state", "count"}},
		{ddl: "id BIGINT, purpose STRING, loan_amnt DOUBLE, annual_inc DOUBLE, State STRING", want: choice{"State", countRows}},
		{ddl: "city STRING, place STRING, n INT", sample: [][]string{{"Paris", "ca", "1"}, {"Rome", "NY", "2"}}, want: choice{"place", "n"}},
		{ddl: "name STRING, colour STRING, price DOUBLE, weight DOUBLE", sample: [][]string{{"a", "red", "1", "1"}, {"b", "red", "1", "1"}, {"c", "blue", "1", "1"}},
			want: choice{"colour", countRows}},
		{ddl: "day DATE, total_dollars DECIMAL(20,2), discount INT", want: choice{"day", "total_dollars"}},
		{ddl: "x DOUBLE", want: choice{"", "x"}},
		{ddl: "m MAP<STRING,STRING>", want: choice{"", countRows}},
		{ddl: "addr_state STRING, grade STRING, n INT", asked: choice{"grade", ""}, want: choice{"grade", "n"}},
	} {
		schema, err := sql.ParseSchema(c.ddl)
		if err != nil {
			t.Fatal(err)
		}
		got, err := choose(schema, c.asked, &session.Table{Rows: c.sample})
		if err != nil || got != c.want {
			t.Errorf("%s: %+v %v, wanted %+v", c.ddl, got, err, c.want)
		}
	}
}

func TestStates(t *testing.T) {
	for _, c := range []struct {
		values []string
		want   bool
	}{{nil, false}, {[]string{"CA"}, true}, {[]string{"ca", "DC", "WY", "NY", "XX"}, true}, {[]string{"CA", "XX"}, false}, {[]string{"", " ", "A ", " A", "AL AK"}, false}} {
		if got := areStates(c.values); got != c.want {
			t.Errorf("%q: %v", c.values, got)
		}
	}
}
