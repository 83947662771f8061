package sql

import (
	"fmt"
	"reflect"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"millrace/errs"
	"millrace/plan"
	"millrace/types"
)

// dump writes a tree as (Type Field=value …), without what is zero and without origins.
func dump(b *strings.Builder, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			b.WriteString("nil")
			return
		}
		if t, ok := v.Interface().(*types.Type); ok {
			b.WriteString(t.String())
			return
		}
		dump(b, v.Elem())
	case reflect.Struct:
		if s, ok := v.Interface().(fmt.Stringer); ok {
			fmt.Fprint(b, s)
			return
		}
		b.WriteString("(" + v.Type().Name())
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if f.Name == "Origin" || v.Field(i).IsZero() || !f.IsExported() {
				continue
			}
			b.WriteString(" " + f.Name + "=")
			dump(b, v.Field(i))
		}
		b.WriteString(")")
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			fmt.Fprintf(b, "%x", v.Bytes())
			return
		}
		b.WriteString("[")
		for i := range v.Len() {
			if i > 0 {
				b.WriteString(" ")
			}
			dump(b, v.Index(i))
		}
		b.WriteString("]")
	case reflect.Map:
		keys := v.MapKeys()
		sort.Slice(keys, func(i, j int) bool { return keys[i].String() < keys[j].String() })
		b.WriteString("{")
		for _, k := range keys {
			b.WriteString(" " + k.String() + ": ")
			dump(b, v.MapIndex(k))
		}
		b.WriteString(" }")
	case reflect.String:
		fmt.Fprintf(b, "%q", v.String())
	default:
		fmt.Fprint(b, v.Interface())
	}
}

func dumped(v any) string {
	var b strings.Builder
	dump(&b, reflect.ValueOf(v))
	return b.String()
}

func TestParse(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			var v any
			var err error
			switch d.Cmd {
			case "statement":
				v, err = ParseStatement(d.Input)
			case "expr":
				v, err = ParseExpression(d.Input)
			case "type":
				v, err = ParseType(d.Input)
			case "schema":
				v, err = ParseSchema(d.Input)
			case "split":
				return strings.Join(ParseStatements(d.Input), "\n----\n") + "\n"
			default:
				t.Fatalf("unknown command %s", d.Cmd)
			}
			if err != nil {
				return err.Error() + "\n"
			}
			return dumped(v) + "\n"
		})
	})
}

func TestOrigins(t *testing.T) {
	e, err := ParseExpression("'é' || upper(a.b)")
	if err != nil {
		t.Fatal(err)
	}
	f := e.(*plan.UnresolvedFunction)
	for _, o := range []*plan.Origin{f.Origin, f.Args[1].(*plan.UnresolvedFunction).Origin,
		f.Args[1].(*plan.UnresolvedFunction).Args[0].(*plan.UnresolvedAttribute).Origin} {
		t.Log(o.Start, o.Stop, string([]rune(o.SQL)[o.Start:o.Stop+1]))
	}
	if o := f.Args[1].(*plan.UnresolvedFunction).Args[0].(*plan.UnresolvedAttribute).Origin; o.Start != 13 || o.Stop != 15 {
		t.Errorf("origin of a.b is %d to %d", o.Start, o.Stop)
	}
	_, err = ParseStatement("SELECT CAST(1 AS foo)")
	if got := err.(*errs.Error); len(got.Context) != 1 || got.Context[0].Fragment != "foo" || got.Class != errs.ClassParse {
		t.Errorf("context %+v", got.Context)
	}
}

func TestSettings(t *testing.T) {
	loc, err := time.LoadLocation("America/Los_Angeles")
	if err != nil {
		t.Fatal(err)
	}
	p := &Parser{Location: loc, Now: time.Date(2024, 7, 1, 3, 0, 0, 0, time.UTC), Named: map[string]plan.Expr{"x": plan.Int(7)}, DoubleQuotedName: true}
	for text, want := range map[string]string{
		"timestamp'2024-07-01 00:00:00'": `(Literal Value=1719817200000000 T=timestamp Shown="2024-07-01 00:00:00")`,
		"date'today'":                    "(Literal Value=19904 T=date)",
		":x":                             "(Literal Value=7 T=int)",
		`"a b"`:                          `(UnresolvedAttribute Parts=["a b"])`,
	} {
		e, err := p.ParseExpression(text)
		if err != nil || dumped(e) != want {
			t.Errorf("%s: %s %v", text, dumped(e), err)
		}
	}
}

func TestDeepNesting(t *testing.T) {
	for _, text := range []string{strings.Repeat("(", 100_000), strings.Repeat("(select ", 10_000), strings.Repeat("((", 300) + "select 1" + strings.Repeat(") t)", 300),
		"select " + strings.Repeat("- ", 100_000), "select " + strings.Repeat("not ", 100_000), "select cast(1 as " + strings.Repeat("array<", 100_000), "select 1" + strings.Repeat(" union select 1", 20_000)} {
		ParseStatement(text)
	}
	if _, err := ParseStatement("select " + strings.Repeat("a + ", 20_000) + "1 where " + strings.Repeat("b and ", 20_000) + "c"); err != nil {
		t.Error(err)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"select a, b from t where x in (1, 2) and not y like 'a%' group by all", "with q as (values (1)) merge into t using q on a = b when matched then delete",
		"select interval '1-2' year to month, date'2020-01-01' + interval 2 days", "from t |> where a > 1 |> select *", "create table t (a int not null) using delta partitioned by (a)",
		"select cast(x as struct<a: array<map<int,int>>>)::string[0].a", "alter table t add columns (a int after b)", "set a=b", "select `a``b`.c, 1e3, .5, 1L, x'ff' /* c /* d */ */ -- e"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		ParseStatement(s)
		ParseExpression(s)
		ParseSchema(s)
		ParseIdentifier(s)
		ParseStatements(s)
	})
}

func BenchmarkParse(b *testing.B) {
	text := "select l_returnflag, sum(l_quantity) as sum_qty, sum(l_extendedprice * (1 - l_discount) * (1 + l_tax)) as c from lineitem where l_shipdate <= date '1998-09-02' group by l_returnflag order by 1"
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseStatement(text); err != nil {
			b.Fatal(err)
		}
	}
}
