package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"reflect"
	"sort"
	"strconv"
	"strings"

	"millrace/types"
)

// Fingerprint names what a resolved relation computes: two relations of one fingerprint have the same rows in columns of the same
// types. The columns' ids and names do not count, a column is known by its place in the inputs' output; nor do aliases of relations and
// where things were written. Values that a statement gives to functions such as current_timestamp do not count either: the functions do. table
// names what a scan reads. The empty string is the fingerprint of relations that cannot be told, such as parts of correlated subqueries.
func Fingerprint(n Node, table func(Table) string) string { return NewFingerprints(table).Of(n) }

// Fingerprints makes the fingerprints of many relations of one plan, each part of which it looks at once.
type Fingerprints struct {
	table func(Table) string
	known map[Node]string
}

// NewFingerprints knows none yet.
func NewFingerprints(table func(Table) string) *Fingerprints {
	return &Fingerprints{table: table, known: map[Node]string{}}
}

// Of is the fingerprint of a relation, as Fingerprint makes it.
func (f *Fingerprints) Of(n Node) string {
	switch n := n.(type) {
	case *SubqueryAlias:
		return f.Of(n.Input)
	case *PlanID:
		return f.Of(n.Input)
	case *Hint:
		return f.Of(n.Input)
	}
	print, ok := f.known[n]
	if !ok {
		p := &printer{all: f, table: f.table}
		if print = p.node(n); p.unknown {
			print = ""
		}
		f.known[n] = print
	}
	return print
}

// printer writes a relation in a form without ids.
type printer struct {
	all     *Fingerprints
	table   func(Table) string
	unknown bool
}

// below is the fingerprint of a part.
func (p *printer) below(n Node) string {
	print := p.all.Of(n)
	p.unknown = p.unknown || print == ""
	return print
}

// scope is what an expression's columns are called.
type printScope struct {
	columns map[ID]int
	lambdas map[uint32]int
}

func (p *printer) node(n Node) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%T", n)
	s := &printScope{columns: map[ID]int{}, lambdas: map[uint32]int{}}
	place := 0
	for _, c := range n.Children() {
		b.WriteString(" " + p.below(c))
		for _, a := range outputOf(c) {
			if _, ok := s.columns[a.ID]; !ok {
				s.columns[a.ID] = place
			}
			place++
		}
	}
	p.fields(&b, reflect.ValueOf(n), s)
	sum := sha256.Sum256([]byte(b.String()))
	return hex.EncodeToString(sum[:16])
}

var (
	nodeType  = reflect.TypeFor[Node]()
	nodesType = reflect.TypeFor[[]Node]()
)

// fields writes the fields of a node or expression, its inputs left out.
func (p *printer) fields(b *strings.Builder, v reflect.Value, s *printScope) {
	v = reflect.Indirect(v)
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.Type == nodeType || f.Type == nodesType || f.Name == "Pretty" || f.Name == "Draw" {
			continue
		}
		if !f.IsExported() {
			p.unknown = true
			return
		}
		b.WriteString(" " + f.Name + "=")
		p.value(b, v.Field(i), s)
	}
}

func (p *printer) value(b *strings.Builder, v reflect.Value, s *printScope) {
	switch x := v.Interface().(type) {
	case *Origin:
		return
	case *types.Type:
		if x != nil {
			b.WriteString(x.JSON())
		}
		return
	case *Attribute: // a column that the node itself makes
		if x != nil {
			p.column(b, x, s)
		}
		return
	case Table:
		b.WriteString(p.table(x) + x.Schema().JSON())
		return
	case []byte:
		sum := sha256.Sum256(x)
		b.Write(sum[:])
		return
	case Expr:
		if !v.IsNil() {
			p.expr(b, x, s)
		}
		return
	}
	p.composite(b, v, s)
}

func (p *printer) composite(b *strings.Builder, v reflect.Value, s *printScope) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			p.value(b, v.Elem(), s)
		}
	case reflect.Struct:
		b.WriteByte('{')
		p.fields(b, v, s)
		b.WriteByte('}')
	case reflect.Slice, reflect.Array:
		b.WriteByte('[')
		for i := range v.Len() {
			p.value(b, v.Index(i), s)
			b.WriteByte(',')
		}
		b.WriteByte(']')
	case reflect.Map:
		keys := v.MapKeys()
		sort.Slice(keys, func(i, k int) bool { return fmt.Sprint(keys[i]) < fmt.Sprint(keys[k]) })
		for _, k := range keys {
			fmt.Fprintf(b, "%q:", fmt.Sprint(k))
			p.value(b, v.MapIndex(k), s)
		}
	case reflect.String:
		b.WriteString(strconv.Quote(v.String()))
	case reflect.Func, reflect.Chan, reflect.UnsafePointer:
		p.unknown = true
	default:
		fmt.Fprint(b, v.Interface())
	}
}

func (p *printer) column(b *strings.Builder, a *Attribute, s *printScope) {
	if place, ok := s.columns[a.ID]; ok {
		fmt.Fprintf(b, "$%d", place)
		return
	}
	fmt.Fprintf(b, "new %s %t", a.T.JSON(), a.Null)
}

func (p *printer) expr(b *strings.Builder, e Expr, s *printScope) {
	switch e := e.(type) {
	case *Attribute:
		if _, ok := s.columns[e.ID]; !ok {
			p.unknown = true
		}
		p.column(b, e, s)
	case *Alias:
		p.expr(b, e.Child, s)
	case *Outer:
		p.unknown = true
	case *Literal:
		if e.Context != "" {
			b.WriteString(e.Context + "()")
			return
		}
		fmt.Fprintf(b, "%s %T %q", e.T.JSON(), e.Value, fmt.Sprint(e.Value))
	case *LambdaVar:
		k, ok := s.lambdas[e.ID]
		if !ok {
			k = len(s.lambdas)
			s.lambdas[e.ID] = k
		}
		fmt.Fprintf(b, "lambda%d", k)
	case *Subquery:
		fmt.Fprintf(b, "subquery %d %s", e.Kind, p.below(e.Plan))
		for _, v := range e.Values {
			p.expr(b, v, s)
		}
	default:
		fmt.Fprintf(b, "%T(", e)
		p.fields(b, reflect.ValueOf(e), s)
		b.WriteByte(')')
	}
}
