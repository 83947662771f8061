package ml

import (
	"encoding/json"
	"strconv"
	"strings"

	"millrace/types"
)

// Attr is what is known of a number in a column or of one place in a vector: Spark's Attribute. Index is its place in the vector, or -1.
type Attr struct {
	Type  string // numeric, nominal, binary; empty: unresolved
	Name  string
	Index int
	Vals  []string // the values of a nominal or binary attribute, in order
	// NumVals is the number of values of a nominal attribute whose values are not known, or 0.
	NumVals int
	Ordinal bool // the values have an order
}

// Values is the number of values of a nominal or binary attribute; 0: not known.
func (a *Attr) Values() int {
	switch {
	case a == nil:
		return 0
	case len(a.Vals) > 0:
		return len(a.Vals)
	case a.Type == "binary":
		return 2
	}
	return a.NumVals
}

// AttrGroup is what is known of a vector: Spark's AttributeGroup. Attrs is nil when only the size is known; a size of -1 is not known.
type AttrGroup struct {
	Attrs []Attr
	Size  int
}

type jsonAttr struct {
	Type    string   `json:"type"`
	Name    string   `json:"name"`
	Index   *int     `json:"idx"`
	Vals    []string `json:"vals"`
	NumVals int      `json:"num_vals"`
	Ordinal bool     `json:"ord"`
}

type jsonMeta struct {
	Attr *struct {
		jsonAttr
		NumAttrs *int `json:"num_attrs"`
		Attrs    *struct {
			Numeric []jsonAttr `json:"numeric"`
			Nominal []jsonAttr `json:"nominal"`
			Binary  []jsonAttr `json:"binary"`
		} `json:"attrs"`
	} `json:"ml_attr"`
}

func parseMeta(f types.Field) jsonMeta {
	var m jsonMeta
	if f.Metadata != "" && json.Unmarshal([]byte(f.Metadata), &m) != nil {
		return jsonMeta{}
	}
	return m
}

// AttrOf reads a number column's metadata; nil when there is none.
func AttrOf(f types.Field) *Attr {
	m := parseMeta(f)
	if m.Attr == nil || m.Attr.Attrs != nil || m.Attr.NumAttrs != nil {
		return nil
	}
	a := m.Attr.jsonAttr.attr(m.Attr.Type)
	if a.Type == "" {
		a.Type = "numeric"
	}
	return &a
}

func (j jsonAttr) attr(kind string) Attr {
	a := Attr{Type: kind, Name: j.Name, Index: -1, Vals: j.Vals, NumVals: j.NumVals, Ordinal: j.Ordinal}
	if j.Index != nil {
		a.Index = *j.Index
	}
	return a
}

// GroupOf reads a vector column's metadata.
func GroupOf(f types.Field) AttrGroup {
	m := parseMeta(f)
	if m.Attr == nil {
		return AttrGroup{Size: -1}
	}
	g := AttrGroup{Size: -1}
	if m.Attr.NumAttrs != nil {
		g.Size = *m.Attr.NumAttrs
	}
	if m.Attr.Attrs == nil {
		return g
	}
	lists := m.Attr.Attrs
	if n := len(lists.Numeric) + len(lists.Nominal) + len(lists.Binary); g.Size < n {
		g.Size = n
	}
	g.Attrs = make([]Attr, g.Size)
	for i := range g.Attrs {
		g.Attrs[i] = Attr{Type: "numeric", Index: i}
	}
	for kind, list := range map[string][]jsonAttr{"numeric": lists.Numeric, "nominal": lists.Nominal, "binary": lists.Binary} {
		for _, j := range list {
			if a := j.attr(kind); a.Index >= 0 && a.Index < g.Size {
				g.Attrs[a.Index] = a
			}
		}
	}
	return g
}

// body is an attribute as JSON without its place's brackets.
func (a *Attr) body(withType bool) string {
	var parts []string
	if a.Ordinal {
		parts = append(parts, `"ord":true`)
	}
	if len(a.Vals) > 0 {
		parts = append(parts, `"vals":`+jsonList(a.Vals, quote))
	} else if a.NumVals > 0 {
		parts = append(parts, `"num_vals":`+strconv.Itoa(a.NumVals))
	}
	if withType {
		parts = append(parts, `"type":`+quote(a.Type))
	}
	if a.Index >= 0 {
		parts = append(parts, `"idx":`+strconv.Itoa(a.Index))
	}
	if a.Name != "" {
		parts = append(parts, `"name":`+quote(a.Name))
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// Metadata is a number column's metadata.
func (a Attr) Metadata() string {
	a.Index = -1
	return `{"ml_attr":` + a.body(true) + "}"
}

// Metadata is a vector column's metadata.
func (g AttrGroup) Metadata() string {
	if g.Attrs == nil {
		if g.Size < 0 {
			return ""
		}
		return `{"ml_attr":{"num_attrs":` + strconv.Itoa(g.Size) + "}}"
	}
	var lists []string
	for _, kind := range []string{"numeric", "nominal", "binary"} {
		var list []string
		for i := range g.Attrs {
			if a := g.Attrs[i]; a.Type == kind {
				a.Index = i
				list = append(list, a.body(false))
			}
		}
		if list != nil {
			lists = append(lists, quote(kind)+":["+strings.Join(list, ",")+"]")
		}
	}
	return `{"ml_attr":{"attrs":{` + strings.Join(lists, ",") + `},"num_attrs":` + strconv.Itoa(len(g.Attrs)) + "}}"
}
